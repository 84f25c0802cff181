// Command train trains one model on a set that train_data.py made and prints how long binning and boosting took, the
// processor time of boosting, the log loss on the test rows and the largest resident memory, as one line of JSON.
//
//	train FOLDER multi|binary|mixed [rounds]
//	train stream ROWS COLUMNS [rounds]
//
// The second form makes rows of its own, of two classes, which come as a stream, and says what memory is allowed.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/pppq/pppq/gbdt"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

// report is what one run tells. Times are in seconds.
type report struct {
	Engine  string  `json:"engine"`
	Bin     float64 `json:"bin"`
	Boost   float64 `json:"boost"`
	CPU     float64 `json:"cpu"`
	LogLoss float64 `json:"logloss"`
	PeakMB  float64 `json:"peak_mb"`
	Threads int     `json:"threads"`
}

func run(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("want a folder and a set")
	}
	if args[0] == "stream" {
		return stream(args[1:])
	}
	p, err := params(args[1])
	if err != nil {
		return err
	}
	if len(args) > 2 {
		if p.Rounds, err = strconv.Atoi(args[2]); err != nil {
			return err
		}
	}
	load := func(part string) (*gbdt.Dataset, gbdt.Matrix, error) {
		return loadSet(filepath.Join(args[0], args[1]+"."+part))
	}
	data, _, err := load("train")
	if err != nil {
		return err
	}
	test, x, err := load("test")
	if err != nil {
		return err
	}
	start := time.Now()
	binned, err := data.Binned(p)
	if err != nil {
		return err
	}
	middle, cpu := time.Now(), processorTime()
	result, err := gbdt.Train(context.Background(), p, binned, gbdt.TrainOptions{})
	if err != nil {
		return err
	}
	end := time.Now()
	out := report{
		Engine: "gbdt", Bin: middle.Sub(start).Seconds(), Boost: end.Sub(middle).Seconds(), CPU: processorTime() - cpu,
		Threads: runtime.GOMAXPROCS(0), PeakMB: peakMemory(),
	}
	predictor, err := gbdt.NewPredictor(result.Model, gbdt.PredictOptions{})
	if err != nil {
		return err
	}
	raw := make([]float64, x.Rows()*result.Model.Outputs)
	if err := predictor.RawBatch(context.Background(), raw, x); err != nil {
		return err
	}
	out.LogLoss = gbdt.DefaultMetric(p).Eval(raw, test.Targets())
	return json.NewEncoder(os.Stdout).Encode(out)
}

func params(set string) (gbdt.Params, error) {
	p := gbdt.DefaultParams(gbdt.LightGBM)
	p.Rounds, p.LearningRate, p.MaxDepth, p.L2 = 300, 0.05, 7, 1
	p.Loss, p.NumClass = gbdt.Softmax, 4
	switch set {
	case "multi":
	case "binary":
		p.Loss = gbdt.Logistic
	case "mixed":
		p.CategoricalFeatures = []int{0, 8, 16, 24}
	default:
		return p, fmt.Errorf("no set %q", set)
	}
	return p, nil
}

func loadSet(path string) (*gbdt.Dataset, gbdt.Matrix, error) {
	values, cols, err := readArray[float32](path+".npy", "<f4")
	if err != nil {
		return nil, gbdt.Matrix{}, err
	}
	classes, _, err := readArray[int32](path+".y.npy", "<i4")
	if err != nil {
		return nil, gbdt.Matrix{}, err
	}
	labels := make([]float64, len(classes))
	for i, c := range classes {
		labels[i] = float64(c)
	}
	x, err := gbdt.NewMatrix(values, cols)
	if err != nil {
		return nil, x, err
	}
	d, err := gbdt.NewDataset(x, nil, gbdt.Targets{Labels: labels})
	return d, x, err
}

// processorTime returns the seconds of processor time that the process has used.
func processorTime() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // fails for wrong arguments only
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// peakMemory returns the largest resident size in megabytes.
func peakMemory() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Maxrss) / 1024
}
