// Command http measures the service against anchors, each server and the load
// generator in a process of its own:
//
//	go build -o pppq ./cmd/pppq && go run ./bench/http -pppq ./pppq
//
// The bare anchor is a net/http handler that decodes the same body and writes the
// same bytes; what matters are ratios to it in the same run. The service runs with
// keys, metrics and its access log switched on. Latency is measured with arrivals
// on a clock (open loop): a request that had to wait for a connection counts from
// when it should have been sent.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// A target is one kind of request to one server.
type target struct {
	name    string
	server  string
	request request
	// per is what its rate is compared with: names of targets, where they are there.
	per []string
}

type options struct {
	pppq, folder     string
	python           string
	duration, rounds int
	connections      int
	rate             int
	latency          int
	only             string
	overload, soak   int
	swap, pinned     bool
}

func main() {
	var o options
	serve := flag.String("serve-bare", "", "serve the bare anchor: a file with the answer (used by the command itself)")
	flag.StringVar(&o.pppq, "pppq", "./pppq", "the program")
	flag.StringVar(&o.folder, "folder", "", "folder with data and models; empty makes one with `pppq up --once`")
	flag.StringVar(&o.python, "python", "python3", "a Python that may have FastAPI and MLServer to compare with; empty for none")
	flag.IntVar(&o.duration, "seconds", 3, "seconds of each measurement")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds; the median counts")
	flag.IntVar(&o.connections, "connections", 16, "connections of the closed loop")
	flag.IntVar(&o.rate, "rate", 2000, "requests a second of the open loop")
	flag.IntVar(&o.latency, "latency-seconds", 10, "seconds of the open loop")
	flag.StringVar(&o.only, "only", "", "measure only targets whose name holds this, and what they are compared with")
	flag.IntVar(&o.overload, "overload-seconds", 0, "instead: offer batches at five times the capacity for so long")
	flag.IntVar(&o.soak, "soak-requests", 0, "instead: send so many requests and watch memory and goroutines")
	flag.BoolVar(&o.swap, "swap", false, "instead: measure latency while another version is promoted every second")
	flag.Parse()
	var err error
	if *serve != "" {
		err = serveBare(*serve)
	} else {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		switch {
		case o.overload > 0:
			err = overload(ctx, o)
		case o.soak > 0:
			err = soak(ctx, o)
		case o.swap:
			err = swap(ctx, o)
		default:
			err = run(ctx, o)
		}
		stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/http:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	bed, err := newBed(ctx, o)
	if err != nil {
		return err
	}
	defer bed.close()
	if err := bed.startAnchors(ctx, o); err != nil {
		return err
	}
	fmt.Printf("%s, %s/%s, %d processors, pppq's start to its first answer %d ms\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), bed.start.Milliseconds())
	targets := bed.targets()
	if o.only != "" {
		targets = slices.DeleteFunc(targets, func(t target) bool {
			return t.name != "bare" && t.server == "pppq" && !strings.Contains(t.name, o.only)
		})
	}

	rates := map[string][]float64{}
	cpu := map[string][]float64{}
	for range o.rounds {
		for _, t := range targets {
			before := bed.cpu(t.server)
			n, err := closedLoop(ctx, bed.address(t.server), t.request, o.connections, time.Duration(o.duration)*time.Second)
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			rates[t.name] = append(rates[t.name], n)
			cpu[t.name] = append(cpu[t.name], (bed.cpu(t.server)-before).Seconds()/(n*float64(o.duration))*1e6)
		}
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "closed loop, %d connections\trequests/s\tratio\tserver CPU us/request\tresident MB\t\n", o.connections)
	for _, t := range targets {
		var ratios []string
		for _, p := range t.per {
			if rates[p] != nil {
				ratios = append(ratios, fmt.Sprintf("%.2f of %s", ratio(rates[t.name], rates[p]), p))
			}
		}
		fmt.Fprintf(w, "%s\t%.0f\t%s\t%.1f\t%.1f\t\n", t.name, median(rates[t.name]), strings.Join(ratios, ", "), median(cpu[t.name]), bed.resident(t.server))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Println()
	w = tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "open loop, %d requests/s, %d s\tp50 ms\tp99 ms\tp99.9 ms\tworst ms\tfailed\t\n", o.rate, o.latency)
	for _, t := range targets {
		if t.name != "bare" && t.name != "predict, repeated" {
			continue
		}
		l, err := openLoop(ctx, bed.address(t.server), t.request, o.rate, time.Duration(o.latency)*time.Second)
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		fmt.Fprintf(w, "%s\t%.2f\t%.2f\t%.2f\t%.2f\t%d\t\n", t.name, l.at(0.5), l.at(0.99), l.at(0.999), l.at(1), l.failed)
	}
	return w.Flush()
}

// ratio is the median over rounds of one rate over another.
func ratio(rates, per []float64) float64 {
	var each []float64
	for i, r := range rates {
		each = append(each, r/per[i])
	}
	return median(each)
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
