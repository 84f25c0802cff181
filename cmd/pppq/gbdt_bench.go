package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/pppq/pppq/gbdt"
)

// benchRequest is what the flags of "pppq gbdt bench" say.
type benchRequest struct {
	rows                              []int
	features, classes, rounds, leaves int
	threads                           int
	family                            string
	asJSON                            bool
}

// benchLine has the figures for one number of rows.
type benchLine struct {
	Rows         int     `json:"rows"`
	BinSeconds   float64 `json:"bin_seconds"`
	TrainSeconds float64 `json:"train_seconds"`
	// TrainRows is the number of rows times rounds a second.
	TrainRows float64 `json:"train_rows_per_second"`
	LogLoss   float64 `json:"log_loss"`
	// PredictRows is the number of rows a second in batch, RowMicroseconds the time of a row alone.
	PredictRows     float64 `json:"predict_rows_per_second"`
	RowMicroseconds float64 `json:"row_microseconds"`
	ContributeRows  float64 `json:"contribution_rows_per_second"`
}

func gbdtBench() *cobra.Command {
	q := benchRequest{rows: []int{10_000, 30_000, 100_000}}
	cmd := &cobra.Command{
		Use: "bench", Short: "Measure training and prediction on generated data on this machine", Args: exactly(0, "no arguments"),
		Long: `Bench trains on generated rows of several sizes and asks the models. The rows are the same
each time; the times are those of this machine while it does what else it does. With more
rows, rows a second should stay about the same: the cost is linear.`,
		Example: "  pppq gbdt bench\n  pppq gbdt bench --rows 10000,100000,1000000 --features 40 --classes 4 --rounds 300",
		RunE: func(cmd *cobra.Command, _ []string) error {
			lines, err := q.run(cmd)
			if err != nil {
				return err
			}
			if q.asJSON {
				return printJSON(cmd.OutOrStdout(), lines)
			}
			return q.print(cmd.OutOrStdout(), lines)
		},
	}
	f := cmd.Flags()
	f.IntSliceVar(&q.rows, "rows", q.rows, "numbers of rows")
	f.IntVar(&q.features, "features", 28, "number of features")
	f.IntVar(&q.classes, "classes", 2, "number of classes")
	f.IntVar(&q.rounds, "rounds", 50, "number of boosting rounds")
	f.IntVar(&q.leaves, "leaves", 31, "most leaves of a tree")
	f.IntVar(&q.threads, "threads", 0, "number of threads; 0 means all")
	f.StringVar(&q.family, "format", "lightgbm", "lightgbm or xgboost: whose arithmetic")
	f.BoolVar(&q.asJSON, "json", false, "print JSON")
	return cmd
}

func (q *benchRequest) run(cmd *cobra.Command) ([]benchLine, error) {
	family, _, err := familyOf("", q.family)
	if err != nil {
		return nil, err
	}
	if q.features < 1 || q.features > 10_000 || q.classes < 2 || q.classes > 1000 {
		return nil, usageError("want 1 to 10000 features and 2 to 1000 classes")
	}
	if q.leaves < 2 { // 0 would mean no limit
		return nil, usageError("--leaves %d: want at least 2", q.leaves)
	}
	p := gbdt.DefaultParams(family)
	p.Loss, p.NumClass, p.Rounds, p.LearningRate, p.L2 = gbdt.Softmax, q.classes, q.rounds, 0.05, 1
	p.Growth, p.MaxLeaves, p.MaxDepth, p.MinDataInLeaf, p.Threads = gbdt.LeafWise, q.leaves, 0, 20, q.threads
	if q.classes == 2 {
		p.Loss = gbdt.Logistic
	}
	if err := p.Validate(); err != nil {
		names := fieldNames{"Rounds": "--rounds", "MaxLeaves": "--leaves", "Threads": "--threads"}
		return nil, usageError("%w", names.explain(err))
	}
	var lines []benchLine
	show := progressBar(cmd.ErrOrStderr())
	for _, n := range q.rows {
		if n < 100 || int64(n)*int64(q.features) > 1<<31 {
			return nil, usageError("--rows %d: want 100 and more, and at most 2^31 values together", n)
		}
		line, err := q.measure(cmd.Context(), p, n, func(round int) {
			if show != nil {
				show(fmt.Sprintf("training, %d rows", n), round, q.rounds)
			}
		})
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

func (q *benchRequest) measure(ctx context.Context, p gbdt.Params, n int, progress func(round int)) (benchLine, error) {
	line := benchLine{Rows: n}
	values, labels := generated(n, q.features, q.classes)
	x, err := gbdt.NewMatrix(values, q.features)
	if err != nil {
		return line, err
	}
	data, err := gbdt.NewDataset(x, nil, gbdt.Targets{Labels: labels})
	if err != nil {
		return line, err
	}
	start := time.Now()
	if data, err = data.Binned(p); err != nil {
		return line, err
	}
	line.BinSeconds = time.Since(start).Seconds()
	start = time.Now()
	result, err := gbdt.Train(ctx, p, data, gbdt.TrainOptions{Progress: func(r gbdt.Round) error {
		progress(r.Number)
		return nil
	}})
	if err != nil {
		return line, err
	}
	line.TrainSeconds = time.Since(start).Seconds()
	line.TrainRows = float64(n) * float64(result.Model.NumRounds()) / line.TrainSeconds
	predictor, err := gbdt.NewPredictor(result.Model, gbdt.PredictOptions{Threads: p.Threads})
	if err != nil {
		return line, err
	}
	raw := make([]float64, n*predictor.NumRaw())
	seconds, err := repeated(func() error { return predictor.RawBatch(ctx, raw, x) })
	if err != nil {
		return line, err
	}
	line.PredictRows = float64(n) / seconds
	line.LogLoss = gbdt.DefaultMetric(p).Eval(raw, gbdt.Targets{Labels: labels})

	one, row := make([]float64, predictor.NumRaw()), make([]float64, q.features)
	const some = 2000
	seconds, err = repeated(func() error {
		for i := range some {
			for j := range row {
				row[j] = x.At(i%n, j)
			}
			if err := predictor.Raw(one, row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return line, err
	}
	line.RowMicroseconds = seconds / some * 1e6

	part := min(n, 200)
	head, err := gbdt.NewMatrix(values[:part*q.features], q.features)
	if err != nil {
		return line, err
	}
	contributions := make([]float64, part*predictor.NumRaw()*(q.features+1))
	seconds, err = repeated(func() error { return predictor.ContributionsBatch(ctx, contributions, head) })
	line.ContributeRows = float64(part) / seconds
	return line, err
}

// repeated returns the seconds that f takes: the least of at least three and a fifth of a second's calls.
func repeated(f func() error) (float64, error) {
	best := math.Inf(1)
	for calls, began := 0, time.Now(); calls < 3 || time.Since(began) < 200*time.Millisecond; calls++ {
		start := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		best = min(best, time.Since(start).Seconds())
	}
	return best, nil
}

// generated returns rows of features, a tenth of one of them missing, and classes that depend on some.
func generated(n, features, classes int) (values []float32, labels []float64) {
	rng := rand.New(rand.NewPCG(20261122, 7))
	values, labels = make([]float32, n*features), make([]float64, n)
	for i := range n {
		row := values[i*features : (i+1)*features]
		for j := range row {
			row[j] = float32(rng.NormFloat64())
		}
		s := 0.0
		for j, x := range row[:min(6, features)] {
			s += math.Tanh(float64(x)) * float64(1+j%3)
		}
		s += math.Abs(float64(row[features/2])) + rng.NormFloat64()
		labels[i] = math.Floor(float64(classes) / (1 + math.Exp(-s/2)))
		labels[i] = min(float64(classes-1), labels[i])
		if rng.IntN(10) == 0 {
			row[features-1] = float32(math.NaN())
		}
	}
	return values, labels
}

func (q *benchRequest) print(w io.Writer, lines []benchLine) error {
	threads := q.threads
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	if _, err := fmt.Fprintf(w, "%s arithmetic, %s, %d classes, %s of up to %d leaves; %s/%s, %s, %s\n\n", q.family,
		plural(q.features, "feature", "features"), q.classes, plural(q.rounds, "round", "rounds"), q.leaves, runtime.GOOS, runtime.GOARCH,
		plural(threads, "thread", "threads"), runtime.Version()); err != nil {
		return err
	}
	t := newTable(w)
	fmt.Fprintln(t, "rows\tbinning s\ttraining s\trows x rounds/s\tlog loss\tpredicted rows/s\tone row µs\texplained rows/s")
	for _, l := range lines {
		fmt.Fprintf(t, "%d\t%.3f\t%.3f\t%.3g\t%.4f\t%.3g\t%.2f\t%.3g\n", l.Rows, l.BinSeconds, l.TrainSeconds, l.TrainRows, l.LogLoss, l.PredictRows,
			l.RowMicroseconds, l.ContributeRows)
	}
	return t.Flush()
}
