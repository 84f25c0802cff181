package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/pppq/pppq/gbdt"
)

// streamReport is what a run on streamed rows tells. Times are in seconds, memory in megabytes of 1e6 bytes.
type streamReport struct {
	Rows         int     `json:"rows"`
	Columns      int     `json:"columns"`
	Rounds       int     `json:"rounds"`
	Threads      int     `json:"threads"`
	Bin          float64 `json:"bin"`
	Boost        float64 `json:"boost"`
	NanosPerRow  float64 `json:"boost_ns_per_row_and_round"`
	PeakMB       float64 `json:"peak_mb"`
	AllowedMB    float64 `json:"allowed_mb"`
	LeavesInLast int     `json:"leaves_last_round"`
}

func stream(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("want rows and columns")
	}
	var n [3]int
	n[2] = 10
	for i, a := range args[:min(len(args), 3)] {
		v, err := strconv.Atoi(a)
		if err != nil || v < 1 {
			return fmt.Errorf("%q is not a number of 1 or more", a)
		}
		n[i] = v
	}
	p, err := params("binary")
	if err != nil {
		return err
	}
	p.Rounds = n[2]
	out := streamReport{Rows: n[0], Columns: n[1], Rounds: n[2], Threads: runtime.GOMAXPROCS(0)}
	start := time.Now()
	data, err := gbdt.NewStreamedDataset(p, nil, rows(n[0], n[1]))
	if err != nil {
		return err
	}
	middle := time.Now()
	_, err = gbdt.Train(context.Background(), p, data, gbdt.TrainOptions{Progress: func(r gbdt.Round) error {
		out.LeavesInLast = r.Leaves
		return nil
	}})
	if err != nil {
		return err
	}
	out.Bin, out.Boost = middle.Sub(start).Seconds(), time.Since(middle).Seconds()
	out.NanosPerRow = out.Boost * 1e9 / float64(n[0]) / float64(n[2])
	out.PeakMB = peakMemory() * 1024 * 1024 / 1e6
	out.AllowedMB = (1.3*float64(n[0]*n[1]) + 40*float64(n[0]) + 64e6) / 1e6
	return json.NewEncoder(os.Stdout).Encode(out)
}

// rows is a source of numbers that a hash makes: uniform columns, and a class that depends on four of them.
func rows(n, cols int) gbdt.Source {
	return func(visit func(gbdt.Matrix, gbdt.Targets) error) error {
		most := max(1, 1<<18/cols)
		values, labels := make([]float32, most*cols), make([]float64, most)
		for from := 0; from < n; from += most {
			size := min(most, n-from)
			for i := range size {
				row := values[i*cols : (i+1)*cols]
				for j := range row {
					row[j] = float32(hash(uint64((from+i)*cols+j))>>40) * 0x1p-24
				}
				s := float64(row[0]) - float64(row[1%cols]) + 2*float64(row[2%cols])*float64(row[3%cols]) - 0.5
				labels[i] = 0
				if float64(hash(uint64(from+i)+1<<60)>>11)*0x1p-53 < 1/(1+math.Exp(-4*s)) {
					labels[i] = 1
				}
			}
			x, err := gbdt.NewMatrix(values[:size*cols], cols)
			if err != nil {
				return err
			}
			if err := visit(x, gbdt.Targets{Labels: labels[:size]}); err != nil {
				return err
			}
		}
		return nil
	}
}

// hash is the mixing step of SplitMix64.
func hash(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
