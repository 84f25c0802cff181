package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// batchOf is a batch of what-if questions that no cache can answer.
func batchOf(b *bed, items int) request {
	var body strings.Builder
	body.WriteString(`{"items":[`)
	for i := range items {
		if i > 0 {
			body.WriteByte(',')
		}
		first := "123456"
		if i == 0 {
			first = sixDigits
		}
		fmt.Fprintf(&body, `{"asset":"SP500","horizon_years":5,"features":{"bill_rate":0.0%s%d},"explain":false}`, first, i)
	}
	body.WriteString(`]}`)
	return newRequest("POST", "/api/v1/predict/batch", "bench", b.key, body.String())
}

// quickRate is how many single forecasts a second are asked for during an
// overload with batches.
const quickRate = 50

// overload offers batches at five times what the service can do and looks at
// those that it takes, those that it refuses, and single forecasts meanwhile.
// Server and generator have a processor each.
func overload(ctx context.Context, o options) error {
	o.pinned = true
	b, err := newBed(ctx, o)
	if err != nil {
		return err
	}
	defer b.close()
	pinSelf()
	q := batchOf(b, 1000)
	address := b.address("pppq")
	c, err := dial(address)
	if err != nil {
		return err
	}
	defer c.Close()
	alone, err := inTurn(c, q, 300)
	if err != nil {
		return fmt.Errorf("unloaded: %w", err)
	}
	capacity := 1e3 / alone.at(0.5)
	fmt.Printf("batches of 1,000, one at a time: p50 %.1f ms, p99 %.1f ms, so %.1f a second\n", alone.at(0.5), alone.at(0.99), capacity)

	var mu sync.Mutex
	var taken, refused latencies
	failed := 0
	var running sync.WaitGroup
	var quick *latencies
	var quickErr error
	running.Go(func() {
		quick, quickErr = openLoop(ctx, address, b.target("what-if").request, quickRate, time.Duration(o.overload)*time.Second)
	})
	step := time.Duration(float64(time.Second) / (5 * capacity))
	began := time.Now()
	for i := 0; time.Since(began) < time.Duration(o.overload)*time.Second && ctx.Err() == nil; i++ {
		time.Sleep(time.Until(began.Add(time.Duration(i) * step)))
		running.Go(func() {
			c, err := dial(address)
			if err == nil {
				defer c.Close()
				err = c.SetDeadline(time.Now().Add(time.Minute))
			}
			sent := time.Now()
			if err == nil {
				err = c.do(q, nil)
			}
			took := ms(time.Since(sent))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				taken.ms = append(taken.ms, took)
			case errors.Is(err, errStatus) && strings.Contains(err.Error(), "503"):
				refused.ms = append(refused.ms, took)
			default:
				failed++
			}
		})
	}
	running.Wait()
	if quickErr != nil {
		return fmt.Errorf("single forecasts: %w", quickErr)
	}
	slices.Sort(taken.ms)
	slices.Sort(refused.ms)
	fmt.Printf("offered five times that for %d s: %d taken, p50 %.1f ms, p99 %.1f ms (%.2f of unloaded); %d refused, p50 %.1f ms, p99 %.1f ms; %d failed\n",
		o.overload, len(taken.ms), taken.at(0.5), taken.at(0.99), taken.at(0.99)/alone.at(0.99), len(refused.ms), refused.at(0.5), refused.at(0.99), failed)
	fmt.Printf("single what-ifs meanwhile, %d a second: p50 %.1f ms, p99 %.1f ms; %d failed\n", quickRate, quick.at(0.5), quick.at(0.99), quick.failed)
	time.Sleep(time.Second)
	after, err := inTurn(c, q, 30)
	if err != nil {
		return fmt.Errorf("a second later: %w", err)
	}
	fmt.Printf("a second later: first %.1f ms, then p50 %.1f ms, slowest %.1f ms\n", after.first, after.at(0.5), after.at(1))
	return nil
}

// inTurn sends a request n times, one after another.
func inTurn(c *conn, q request, n int) (*latencies, error) {
	var l latencies
	for i := range n {
		began := time.Now()
		if err := c.do(q, nil); err != nil {
			return nil, err
		}
		l.ms = append(l.ms, ms(time.Since(began)))
		if i == 0 {
			l.first = l.ms[0]
		}
	}
	slices.Sort(l.ms)
	return &l, nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

// pinSelf keeps the generator on the second processor (Linux with taskset).
func pinSelf() {
	if runtime.NumCPU() > 1 {
		_ = exec.Command("taskset", "-acp", "1", fmt.Sprint(os.Getpid())).Run() // without it the figures are those of shared processors
	}
}

// soak sends many requests and watches memory and goroutines.
func soak(ctx context.Context, o options) error {
	b, err := newBed(ctx, o)
	if err != nil {
		return err
	}
	defer b.close()
	before, err := b.goroutines()
	if err != nil {
		return err
	}
	targets := b.targets()
	fmt.Printf("%12s %10s\n", "requests", "MB")
	sent := 0
	for i := 0; sent < o.soak && ctx.Err() == nil; i++ {
		t := targets[1+i%(len(targets)-1)]
		n, err := closedLoop(ctx, b.address("pppq"), t.request, o.connections, 5*time.Second)
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		sent += int(n * 5)
		if i%(len(targets)-1) == 0 {
			fmt.Printf("%12d %10.1f\n", sent, b.resident("pppq"))
		}
	}
	time.Sleep(time.Second)
	after, err := b.goroutines()
	fmt.Printf("%12d %10.1f\ngoroutines: %s before, %s after\n", sent, b.resident("pppq"), before, after)
	return err
}

// goroutines is the line of /metrics.
func (b *bed) goroutines() (string, error) {
	resp, err := http.Get("http://" + b.address("pppq") + "/metrics")
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(line, "go_goroutines "); ok {
			return strings.TrimSpace(n), nil
		}
	}
	return "?", err
}

// swap measures latency while another of two versions is promoted every second.
func swap(ctx context.Context, o options) error {
	b, err := newBed(ctx, o)
	if err != nil {
		return err
	}
	defer b.close()
	found, err := filepath.Glob(filepath.Join(b.folder, "models", "pppq", "20*"))
	if err != nil {
		return err
	}
	if len(found) < 2 {
		return fmt.Errorf("%s needs two versions, has %d: name one with -folder in which `pppq train --promote` ran too", b.folder, len(found))
	}
	predict := b.target("predict, repeated").request
	calm, err := openLoop(ctx, b.address("pppq"), predict, o.rate, time.Duration(o.latency)*time.Second)
	if err != nil {
		return err
	}
	ctx2, cancel := context.WithCancel(ctx)
	swaps := make(chan int)
	go func() {
		n := 0
		for tick := time.NewTicker(time.Second); ; {
			select {
			case <-ctx2.Done():
				tick.Stop()
				swaps <- n
				return
			case <-tick.C:
				cmd := exec.CommandContext(ctx2, o.pppq, "models", "promote", filepath.Base(found[n%2]))
				cmd.Env = append(os.Environ(), b.environment()...)
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				if err := cmd.Run(); err != nil && ctx2.Err() == nil {
					fmt.Fprintf(os.Stderr, "promote: %v: %s\n", err, stderr.Bytes())
				}
				n++
			}
		}
	}()
	busy, err := openLoop(ctx, b.address("pppq"), predict, o.rate, time.Duration(o.latency)*time.Second)
	cancel()
	n := <-swaps
	fmt.Printf("%d requests/s for %d s: p50 %.2f ms, p99 %.2f ms, %d failed\nwith %d swaps:            p50 %.2f ms, p99 %.2f ms, %d failed\n",
		o.rate, o.latency, calm.at(0.5), calm.at(0.99), calm.failed, n, busy.at(0.5), busy.at(0.99), busy.failed)
	return err
}
