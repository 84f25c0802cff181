package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pppq/pppq/gbdt"
)

// importanceRequest is what the flags of "pppq gbdt importance" say.
type importanceRequest struct {
	model, metric string
	table         trainRequest // data, label, weight and what to ignore
	repeats, top  int
	seed          uint64
	asJSON        bool
}

// importanceReport is what "pppq gbdt importance --json" prints.
type importanceReport struct {
	Model    string            `json:"model"`
	Rows     int               `json:"rows"`
	Metric   string            `json:"metric"`
	Value    *float64          `json:"value"`
	Repeats  int               `json:"repeats"`
	Features []permutedFeature `json:"features"`
}

// permutedFeature is by how much the metric gets worse without a feature.
type permutedFeature struct {
	Name      string   `json:"name"`
	Mean      *float64 `json:"mean"`
	Deviation *float64 `json:"deviation"`
}

func gbdtImportance() *cobra.Command {
	q := importanceRequest{repeats: gbdt.DefaultPermutationOptions().Repeats, seed: gbdt.DefaultPermutationOptions().Seed, top: 20}
	cmd := &cobra.Command{
		Use: "importance", Short: "Measure what each feature is worth to a model on a CSV file", Args: exactly(0, "no arguments"),
		Long: `Importance exchanges the values of one feature among the rows at random, asks the model
again, and tells by how much its answers get worse: permutation importance. Use rows that
the model was not trained on. Features that say the same share their importance, or hide
it from one another. ("pppq gbdt show" tells how the splits use the features.)

--metric: log_loss (of classes; the default of models that tell classes apart), accuracy,
squared_error (the default of others) or absolute_error (that of models of medians and
quantiles); all are means, weighted if --weight is given. A column that is neither label,
weight nor feature is refused unless --ignore names it.`,
		Example: "  pppq gbdt importance --model model.txt --data test.csv --label y",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needed(cmd, "model", "data", "label"); err != nil {
				return err
			}
			if err := oneRole(cmd, "label", "weight", "ignore"); err != nil {
				return err
			}
			if err := checkTop(q.top); err != nil {
				return err
			}
			r, err := q.run(cmd)
			if err != nil {
				return err
			}
			if q.asJSON {
				return printJSON(cmd.OutOrStdout(), r)
			}
			return r.print(cmd.OutOrStdout(), q.top)
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.model, "model", "", "`MODEL` file")
	f.StringVar(&q.table.data, "data", "", "CSV `FILE` of rows and labels, - for standard input")
	f.StringVar(&q.table.label, "label", "", "`COLUMN` of the labels; classes count from 0")
	f.StringVar(&q.table.weight, "weight", "", "`COLUMN` of row weights")
	f.StringSliceVar(&q.table.ignore, "ignore", nil, "`COLUMNS` of the file to leave out")
	f.StringVar(&q.metric, "metric", "", "log_loss, accuracy, squared_error or absolute_error")
	f.IntVar(&q.repeats, "repeats", q.repeats, "how often each feature is permuted")
	f.Uint64Var(&q.seed, "seed", q.seed, "seed of the permutations")
	f.IntVar(&q.top, "top", q.top, "how many of the most important features to list")
	f.BoolVar(&q.asJSON, "json", false, "print JSON")
	return cmd
}

func (q *importanceRequest) run(cmd *cobra.Command) (*importanceReport, error) {
	m, err := loadModel(q.model)
	if err != nil {
		return nil, err
	}
	if q.repeats < 1 {
		return nil, usageError("--repeats %d: want at least 1", q.repeats)
	}
	for _, flag := range []string{"label", "weight"} {
		for _, column := range columnsOf(cmd, flag) {
			if slices.Contains(m.FeatureNames, column) {
				return nil, usageError("--%s: column %q is a feature of the model", flag, column)
			}
		}
	}
	p, err := gbdt.NewPredictor(m.Model, gbdt.PredictOptions{})
	if err != nil {
		return nil, err
	}
	table, err := q.table.open(cmd, m.FeatureNames, false)
	if err != nil {
		return nil, err
	}
	x, targets, err := table.read(cmd.Context())
	if err != nil {
		return nil, err
	}
	metric := cmp.Or(q.metric, usualMetric(m.Model))
	judge, err := rowMetric(metric, p, m.Model, targets.Labels)
	if err != nil {
		return nil, err
	}
	report := &importanceReport{Model: q.model, Rows: x.Rows(), Metric: metric, Repeats: q.repeats}
	calls, n := 0, p.NumOutputs()
	show := progressBar(cmd.ErrOrStderr())
	score := func(outputs []float64) float64 {
		sum, weights := 0.0, 0.0
		for i, y := range targets.Labels {
			w := 1.0
			if targets.Weights != nil {
				w = targets.Weights[i]
			}
			sum, weights = sum+w*judge(outputs[i*n:(i+1)*n], y), weights+w
		}
		if calls == 0 { // the rows as they are come first
			report.Value = jsonNumber(sum / weights)
		}
		if show != nil && calls > 0 {
			show("permuting", calls, q.repeats*m.NumFeatures())
		}
		calls++
		if metric == "accuracy" {
			return sum / weights
		}
		return -sum / weights
	}
	all, err := p.PermutationImportance(cmd.Context(), x, score, gbdt.PermutationOptions{Repeats: q.repeats, Seed: q.seed})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b gbdt.Permuted) int { return cmp.Compare(b.Mean, a.Mean) })
	for _, f := range all {
		report.Features = append(report.Features, permutedFeature{m.FeatureNames[f.Feature], jsonNumber(f.Mean), jsonNumber(f.Deviation)})
	}
	return report, nil
}

// usualMetric returns the metric that suits a model's objective.
func usualMetric(m *gbdt.Model) string {
	switch name := m.Objective.Name; {
	case name == "multi:softmax" || name == "binary:hinge":
		return "accuracy"
	case name == "binary" || name == "binary:logistic" || strings.HasPrefix(name, "multi"):
		return "log_loss"
	case name == "quantile" || name == "regression_l1" || name == "reg:quantileerror" || name == "reg:absoluteerror":
		return "absolute_error"
	}
	return "squared_error"
}

// rowMetric returns what a metric makes of the outputs for a row and its label.
func rowMetric(name string, p *gbdt.Predictor, m *gbdt.Model, labels []float64) (func(outputs []float64, y float64) float64, error) {
	n := p.NumOutputs()
	switch name {
	case "squared_error", "absolute_error":
		if n > 1 {
			return nil, usageError("--metric %s: the model has %d outputs", name, n)
		}
		if name == "squared_error" {
			return func(outputs []float64, y float64) float64 { return (outputs[0] - y) * (outputs[0] - y) }, nil
		}
		return func(outputs []float64, y float64) float64 { return math.Abs(outputs[0] - y) }, nil
	case "log_loss", "accuracy":
	default:
		return nil, usageError("--metric %q: want log_loss, accuracy, squared_error or absolute_error", name)
	}
	if usual := usualMetric(m); usual != "log_loss" && (usual != "accuracy" || name == "log_loss") {
		return nil, usageError("--metric %s: the objective %q gives no probabilities of classes", name, m.Objective.Name)
	}
	classes := max(2, p.NumRaw())
	for i, y := range labels {
		if y != math.Trunc(y) || y < 0 || y >= float64(classes) {
			return nil, fmt.Errorf("row %d: label %v is no class from 0 to %d; choose another --metric", i+1, y, classes-1)
		}
	}
	return func(outputs []float64, y float64) float64 {
		right := 0.0 // the probability of y
		switch {
		case p.NumRaw() > n: // multi:softmax answers the class
			if outputs[0] == y {
				right = 1
			}
		case n > 1:
			right = outputs[int(y)]
		case y == 1:
			right = outputs[0]
		default:
			right = 1 - outputs[0]
		}
		if name == "log_loss" {
			return -math.Log(max(right, 1e-15))
		}
		if n == 1 && right > 0.5 || n > 1 && right == slices.Max(outputs) {
			return 1
		}
		return 0
	}, nil
}

func (r *importanceReport) print(w io.Writer, top int) error {
	value := "not a number"
	if r.Value != nil {
		value = fmt.Sprintf("%.6g", *r.Value)
	}
	if _, err := fmt.Fprintf(w, "%s of %s: %s\n\n", r.Metric, plural(r.Rows, "row", "rows"), value); err != nil {
		return err
	}
	number := func(x *float64) string {
		if x == nil {
			return "-"
		}
		return fmt.Sprintf("%.4g", *x)
	}
	t := newTable(w)
	fmt.Fprintln(t, "feature\tworse by\tdeviation")
	for _, f := range r.Features[:min(top, len(r.Features))] {
		fmt.Fprintf(t, "%s\t%s\t%s\n", printable(f.Name), number(f.Mean), number(f.Deviation))
	}
	return t.Flush()
}
