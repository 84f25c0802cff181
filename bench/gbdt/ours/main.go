// Command ours times the prediction of the package gbdt for bench/gbdt/predict.py, which asks the genuine libraries the
// same and prints the ratios.
//
//	ours WHAT MODEL ROWS COLUMNS THREADS [REPETITIONS]
//
// WHAT is batch (all rows in one call), plain (the same without vector instructions), rows:N (calls of N rows over the first 2,000 rows), row (one call a row), load (the
// file to an answer for one row) or shap:N (contributions of the first N rows). MODEL is a LightGBM text file or an XGBoost
// JSON or UBJSON file, ROWS little-endian float32 values row after row. For each repetition it prints a line of the wall and
// the processor seconds; with OUT set in the environment it writes the raw scores or contributions there as float64.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/lightgbm"
	"github.com/pppq/pppq/gbdt/xgboost"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// job is what is timed: one repetition of it.
type job func() error

func run(args []string) error {
	if len(args) < 5 {
		return fmt.Errorf("want WHAT MODEL ROWS COLUMNS THREADS [REPETITIONS], got %d arguments", len(args))
	}
	numbers := [3]int{0, 0, 5}
	for i, a := range args[3:min(len(args), 6)] {
		n, err := strconv.Atoi(a)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is not a number above 0", a)
		}
		numbers[i] = n
	}
	columns, threads, repetitions := numbers[0], numbers[1], numbers[2]
	runtime.GOMAXPROCS(threads)
	x, err := readRows(args[2], columns)
	if err != nil {
		return err
	}
	work, out, err := prepare(args[0], args[1], x, columns, threads)
	if err != nil {
		return err
	}
	for range repetitions {
		wall, cpu := time.Now(), processorTime()
		if err := work(); err != nil {
			return err
		}
		fmt.Printf("%.9f %.9f\n", time.Since(wall).Seconds(), (processorTime() - cpu).Seconds())
	}
	if path := os.Getenv("OUT"); path != "" {
		return os.WriteFile(path, encode(*out), 0o644)
	}
	return nil
}

// prepare returns the job and where its answers are.
func prepare(what, model string, x []float32, columns, threads int) (job, *[]float64, error) {
	ctx, rows := context.Background(), len(x)/columns
	what, count, _ := strings.Cut(what, ":")
	n := rows
	if count != "" {
		c, err := strconv.Atoi(count)
		if err != nil || c < 1 || c > rows {
			return nil, nil, fmt.Errorf("%q is not a number of rows up to %d", count, rows)
		}
		n = c
	}
	const some = 2000
	p, err := load(model, threads, what == "plain")
	if err != nil {
		return nil, nil, err
	}
	k := p.NumRaw()
	out := make([]float64, rows*k)
	batch := func(from, to int) error {
		m, err := gbdt.NewMatrix(x[from*columns:to*columns], columns)
		if err != nil {
			return err
		}
		return p.RawBatch(ctx, out[from*k:to*k], m)
	}
	row := make([]float64, columns)
	one := func(p *gbdt.Predictor, i int) error {
		for j, v := range x[i*columns : (i+1)*columns] {
			row[j] = float64(v)
		}
		return p.Raw(out[i*k:(i+1)*k], row)
	}
	switch what {
	case "batch", "plain":
		return func() error { return batch(0, n) }, &out, nil
	case "rows":
		return func() error {
			for i := 0; i+n <= min(some, rows); i += n {
				if err := batch(i, i+n); err != nil {
					return err
				}
			}
			return nil
		}, &out, nil
	case "row":
		return func() error {
			for i := range min(some, rows) {
				if err := one(p, i); err != nil {
					return err
				}
			}
			return nil
		}, &out, nil
	case "load":
		return func() error {
			q, err := load(model, threads, false)
			if err != nil {
				return err
			}
			return one(q, 0)
		}, &out, nil
	case "shap":
		m, err := gbdt.NewMatrix(x[:n*columns], columns)
		if err != nil {
			return nil, nil, err
		}
		phi := make([]float64, n*k*(columns+1))
		return func() error { return p.ContributionsBatch(ctx, phi, m) }, &phi, nil
	}
	return nil, nil, fmt.Errorf("%q is not batch, plain, rows:N, row, load or shap:N", what)
}

func load(path string, threads int, portable bool) (*gbdt.Predictor, error) {
	start := make([]byte, 4)
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	_, err = f.Read(start)
	f.Close()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	var m *gbdt.Model
	if bytes.HasPrefix(start, []byte("tree")) {
		file, err := lightgbm.Load(path)
		if err != nil {
			return nil, err
		}
		m = file.Model
	} else {
		file, err := xgboost.Load(path)
		if err != nil {
			return nil, err
		}
		m = file.Model
	}
	return gbdt.NewPredictor(m, gbdt.PredictOptions{Threads: threads, Portable: portable})
}

func readRows(path string, columns int) ([]float32, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(b)%(4*columns) != 0 {
		return nil, fmt.Errorf("%s: %d bytes are no rows of %d float32", path, len(b), columns)
	}
	x := make([]float32, len(b)/4)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return x, nil
}

func encode(x []float64) []byte {
	b := make([]byte, 0, 8*len(x))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b
}

// processorTime returns the time that the process has spent on processors.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
