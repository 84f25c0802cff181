package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/pppq/pppq/gbdt"
)

// trainRequest is what the flags of "pppq gbdt train" say.
type trainRequest struct {
	data, label, weight, valid, out, format, params string
	ignore, categorical                             []string
	earlyStopping                                   int
	seed                                            uint64
	asJSON                                          bool
}

// trainReport is what "pppq gbdt train --json" prints.
type trainReport struct {
	Model        string     `json:"model"`
	Family       string     `json:"family"`
	Rows         int        `json:"rows"`
	Features     int        `json:"features"`
	ValidRows    int        `json:"valid_rows,omitempty"`
	Rounds       int        `json:"rounds"`
	Trees        int        `json:"trees"`
	Metric       string     `json:"metric,omitempty"`
	BestValue    *float64   `json:"best_value,omitempty"`
	History      []*float64 `json:"history,omitempty"`
	ReadSeconds  float64    `json:"read_seconds"`
	TrainSeconds float64    `json:"train_seconds"`
}

func gbdtTrain() *cobra.Command {
	var q trainRequest
	cmd := &cobra.Command{
		Use: "train", Short: "Train a model on a CSV file", Args: exactly(0, "no arguments"),
		Long: `Train reads a CSV file with a header, takes one column for the label and all others for
features, and writes a model that LightGBM or XGBoost loads as its own. Fields that are
empty, NA or NaN are missing values. Parameters have the names and aliases that LightGBM
and XGBoost know them by.

The name of the file decides whose arithmetic the model follows: MODEL.txt LightGBM's,
MODEL.json or MODEL.ubj XGBoost's; --format decides for other names (default lightgbm).
With - for MODEL nothing but the model goes to standard output, XGBoost's as JSON.
The same data, parameters and seed give the same model at any number of threads.`,
		Example: "  pppq gbdt train --data train.csv --label y --out model.txt \\\n" +
			"    --params objective=binary,num_iterations=300,learning_rate=0.05,num_leaves=31,lambda_l2=1\n" +
			"  pppq gbdt train --data train.csv --label price --out model.json --params objective=reg:squarederror,eta=0.1 \\\n" +
			"    --valid valid.csv --early-stopping 20",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needed(cmd, "data", "label", "out"); err != nil {
				return err
			}
			if err := oneRole(cmd, "label", "weight", "ignore", "categorical"); err != nil {
				return err
			}
			if err := notOver(cmd, "out", "data", "valid"); err != nil {
				return err
			}
			if q.out == "-" && q.asJSON {
				return usageError("--out - and --json at once: standard output takes one of them")
			}
			r, err := q.run(cmd)
			if err != nil {
				return err
			}
			switch {
			case q.out == "-":
				return nil
			case q.asJSON:
				return printJSON(cmd.OutOrStdout(), r)
			}
			return r.print(cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.data, "data", "", "CSV `FILE` to train on, - for standard input")
	f.StringVar(&q.label, "label", "", "`COLUMN` to learn; classes count from 0")
	f.StringVar(&q.weight, "weight", "", "`COLUMN` of row weights")
	f.StringSliceVar(&q.ignore, "ignore", nil, "`COLUMNS` to leave out")
	f.StringSliceVar(&q.categorical, "categorical", nil, "`COLUMNS` that hold codes of categories, 0 and up")
	f.StringVar(&q.params, "params", "", "training parameters, as `NAME=VALUE,...`")
	f.StringVar(&q.out, "out", "", "`MODEL` to write, - for standard output")
	f.StringVar(&q.format, "format", "", "lightgbm or xgboost, where the name of MODEL does not say")
	f.StringVar(&q.valid, "valid", "", "CSV `FILE` to judge every round on")
	f.IntVar(&q.earlyStopping, "early-stopping", 0, "stop when --valid has not got better for `N` rounds, and keep the best")
	f.Uint64Var(&q.seed, "seed", 0, "seed of the samples of rows and features")
	f.BoolVar(&q.asJSON, "json", false, "print JSON")
	return cmd
}

// settings returns the parameters; columns are those of the features.
func (q *trainRequest) settings(cmd *cobra.Command, columns []string) (gbdt.Params, error) {
	family, ok, err := familyOf(q.out, q.format)
	if err != nil {
		return gbdt.Params{}, err
	}
	if !ok {
		family = gbdt.LightGBM
	}
	p := gbdt.DefaultParams(family)
	names, err := applyParams(&p, q.params)
	if err != nil {
		return p, usageError("--params: %w", err)
	}
	if cmd.Flags().Changed("seed") {
		p.Seed = q.seed
	}
	if cmd.Flags().Changed("early-stopping") {
		p.EarlyStopping, names["EarlyStopping"] = q.earlyStopping, "--early-stopping"
	}
	for _, name := range q.categorical {
		i := slices.Index(columns, name)
		if i < 0 {
			return p, usageError("--categorical: no feature %q%s", name, near(name, columns))
		}
		if !slices.Contains(p.CategoricalFeatures, i) {
			p.CategoricalFeatures = append(p.CategoricalFeatures, i)
		}
	}
	if p.EarlyStopping > 0 && q.valid == "" {
		return p, usageError("--early-stopping needs --valid FILE")
	}
	if err := p.Validate(); err != nil {
		return p, usageError("%w", names.explain(err))
	}
	return p, nil
}

func (q *trainRequest) run(cmd *cobra.Command) (*trainReport, error) {
	ctx, start := cmd.Context(), time.Now()
	// The parameters are checked before a large file is read.
	if _, err := (&trainRequest{out: q.out, format: q.format, params: q.params, valid: q.valid, earlyStopping: q.earlyStopping}).settings(cmd, nil); err != nil {
		return nil, err
	}
	table, err := q.open(cmd, nil, false)
	if err != nil {
		return nil, err
	}
	p, err := q.settings(cmd, table.features)
	if err != nil {
		return nil, err
	}
	if err := checkSave(q.out, p.Family, table.features); err != nil {
		return nil, err
	}
	data, err := q.dataset(ctx, p, table)
	if err != nil {
		return nil, err
	}
	report := &trainReport{Model: q.out, Family: p.Family.String(), Rows: data.Rows(), Features: len(table.features)}
	var options gbdt.TrainOptions
	if q.valid != "" {
		v := *q
		v.data = q.valid
		validTable, err := v.open(cmd, table.features, true)
		if err != nil {
			return nil, err
		}
		set, err := validTable.inMemory(ctx)
		if err != nil {
			return nil, err
		}
		options.Valid, report.ValidRows = []gbdt.ValidSet{{Name: "valid", Data: set}}, set.Rows()
	}
	report.ReadSeconds = time.Since(start).Seconds()
	show, last := progressBar(cmd.ErrOrStderr()), gbdt.Round{}
	if show != nil {
		options.Progress = func(r gbdt.Round) error {
			show("training", r.Number, r.Of)
			last = r
			return nil
		}
	}
	start = time.Now()
	result, err := gbdt.Train(ctx, p, data, options)
	if last.Number < last.Of {
		fmt.Fprintln(cmd.ErrOrStderr()) // the bar has not come to its end
	}
	if err != nil {
		return nil, err
	}
	report.TrainSeconds = time.Since(start).Seconds()
	if err := saveNew(cmd.OutOrStdout(), q.out, result.Model); err != nil {
		return nil, err
	}
	report.Rounds, report.Trees = result.Model.NumRounds(), len(result.Model.Trees)
	if q.valid != "" {
		report.Metric = result.Metric
		for _, figures := range result.History {
			report.History = append(report.History, jsonNumber(figures[0]))
		}
		if n := result.BestRound; n > 0 {
			report.BestValue = report.History[n-1]
		}
	}
	return report, nil
}

// jsonNumber returns nil for what JSON cannot say.
func jsonNumber(x float64) *float64 {
	if x-x != 0 {
		return nil
	}
	return &x
}

func (r *trainReport) print(w io.Writer) error {
	text := fmt.Sprintf("%s: %s model, %s, %s\n", r.Model, r.Family, plural(r.Rounds, "round", "rounds"), plural(r.Trees, "tree", "trees"))
	text += fmt.Sprintf("%s of %s read in %.2f s, trained in %.2f s\n", plural(r.Rows, "row", "rows"), plural(r.Features, "feature", "features"),
		r.ReadSeconds, r.TrainSeconds)
	if r.ValidRows > 0 {
		value := "not a number"
		if r.BestValue != nil {
			value = fmt.Sprintf("%.6g", *r.BestValue)
		}
		text += fmt.Sprintf("%s of %s after round %d: %s\n", r.Metric, plural(r.ValidRows, "validation row", "validation rows"), r.Rounds, value)
	}
	_, err := io.WriteString(w, text)
	return err
}

// trainTable is an open table with the places of its columns: the features, then the label, then the weight.
type trainTable struct {
	*csvTable
	columns  *csvColumns
	features []string
	label    int
	weighted bool
	file     io.Closer
	// again opens the file once more; nil if that cannot be done.
	again func() (*trainTable, error)
	bytes int64
}

// open opens the table and finds its columns; features are all but label, weight and ignored ones if nil. Others than
// features, label and weight are left out if others is true, and else have to be ignored.
func (q *trainRequest) open(cmd *cobra.Command, features []string, others bool) (*trainTable, error) {
	f, name, err := openData(cmd, q.data)
	if err != nil {
		return nil, err
	}
	t := &trainTable{file: f, features: features, weighted: q.weight != ""}
	t.csvTable, err = newCSVTable(name, f)
	if err == nil {
		err = t.find(q, others)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if file, ok := f.(*os.File); ok {
		if stat, err := file.Stat(); err == nil && stat.Mode().IsRegular() {
			t.bytes = stat.Size()
			t.again = func() (*trainTable, error) { return q.open(cmd, t.features, true) }
		}
	}
	return t, nil
}

// find sets the places of the columns.
func (t *trainTable) find(q *trainRequest, others bool) (err error) {
	if t.features == nil {
		for _, column := range t.header {
			if column != q.label && (q.weight == "" || column != q.weight) && !slices.Contains(q.ignore, column) {
				t.features = append(t.features, column)
			}
		}
	}
	if len(t.features) == 0 {
		return fmt.Errorf("%s: no columns are left for features; the header has %s", t.name, listed(t.header))
	}
	names := append(slices.Clone(t.features), q.label)
	t.label = len(t.features)
	if t.weighted {
		names = append(names, q.weight)
	}
	ignored := q.ignore
	if others {
		ignored = nil
	}
	if t.columns, err = t.csvTable.columns(names, ignored, others); err != nil {
		return err
	}
	t.columns.required = []int{t.label}
	if t.weighted {
		t.columns.required = append(t.columns.required, t.label+1)
	}
	return nil
}

// streamFrom is the size of a file from which on it is read twice instead of being held in memory.
const streamFrom = 256 << 20

// dataset reads the table.
func (q *trainRequest) dataset(ctx context.Context, p gbdt.Params, t *trainTable) (*gbdt.Dataset, error) {
	if t.again == nil || t.bytes < streamFrom {
		return t.inMemory(ctx)
	}
	first, again := t, t.again
	return gbdt.NewStreamedDataset(p, t.features, func(visit func(gbdt.Matrix, gbdt.Targets) error) error {
		t, err := first, error(nil)
		if first = nil; t == nil {
			if t, err = again(); err != nil {
				return err
			}
		}
		return t.each(ctx, visit)
	})
}

// inMemory reads the table into memory.
func (t *trainTable) inMemory(ctx context.Context) (*gbdt.Dataset, error) {
	x, targets, err := t.read(ctx)
	if err != nil {
		return nil, err
	}
	d, err := gbdt.NewDataset(x, t.features, targets)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.name, err)
	}
	return d, nil
}

// read returns all rows, of which there is at least one.
func (t *trainTable) read(ctx context.Context) (gbdt.Matrix, gbdt.Targets, error) {
	var values []float64
	var all gbdt.Targets
	err := t.each(ctx, func(x gbdt.Matrix, targets gbdt.Targets) error {
		values = slices.Grow(values, x.Rows()*x.Cols())
		for i := range x.Rows() {
			for j := range x.Cols() {
				values = append(values, x.At(i, j))
			}
		}
		all.Labels = append(all.Labels, targets.Labels...)
		all.Weights = append(all.Weights, targets.Weights...)
		return nil
	})
	if err == nil && len(all.Labels) == 0 {
		err = fmt.Errorf("%s: no rows", t.name)
	}
	if err != nil {
		return gbdt.Matrix{}, all, err
	}
	x, err := gbdt.NewMatrix(values, len(t.features))
	return x, all, err
}

// each gives the rows to visit and closes the file.
func (t *trainTable) each(ctx context.Context, visit func(gbdt.Matrix, gbdt.Targets) error) error {
	type batch struct {
		x       gbdt.Matrix
		targets gbdt.Targets
	}
	features, width := len(t.features), t.columns.width
	work := func(b csvBlock) (batch, error) {
		rows, err := t.parse(nil, b, t.columns)
		if err != nil {
			return batch{}, err
		}
		var out batch
		n := len(rows) / width
		out.targets.Labels = make([]float64, n)
		if t.weighted {
			out.targets.Weights = make([]float64, n)
		}
		for i := range n { // the features move together, the targets out
			row := rows[i*width : (i+1)*width]
			out.targets.Labels[i] = row[t.label]
			if t.weighted {
				out.targets.Weights[i] = row[t.label+1]
			}
			copy(rows[i*features:], row[:features])
		}
		out.x, err = gbdt.NewMatrix(rows[:n*features], features)
		return out, err
	}
	err := inOrder(ctx, t.csvTable, runtime.GOMAXPROCS(0), work, func(b batch) error { return visit(b.x, b.targets) })
	return cmp.Or(err, t.file.Close())
}
