package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/pppq/pppq/gbdt"
)

// predictRequest is what the flags of "pppq gbdt predict" say.
type predictRequest struct {
	model, data, output, out, background string
	ignore                               []string
	byPosition                           bool
	rounds                               int
}

func gbdtPredict() *cobra.Command {
	q := predictRequest{}
	cmd := &cobra.Command{
		Use: "predict", Short: "Answer the rows of a CSV file with a model", Args: exactly(0, "no arguments"),
		Long: `Predict reads rows from a CSV file whose header names the model's features, in any order,
and writes one row of answers for each, in the same order, with a header. Fields that are
empty, NA or NaN are missing values. MODEL is a LightGBM text, or XGBoost JSON or UBJSON.

Memory stays flat whatever the size of the file: with - for FILE it serves as a stage of
a pipeline. Numbers are written so that they read back to the same bits.

--output: probability (what the model's objective makes of the raw score: a probability,
a mean, a quantile), raw, class (the likeliest), leaf (the leaf of each tree) or
contributions (what each feature adds to the raw score; they add up to it). The latter
average unknown features over the trees' own rows (path-dependent TreeSHAP), or, with
--background, over the rows of another file (interventional); some 100 rows will do.`,
		Example: "  pppq gbdt predict --model model.txt --data rows.csv --output probability --out answers.csv\n" +
			"  zcat rows.csv.gz | pppq gbdt predict --model model.json --data - --output contributions --out -",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needed(cmd, "model", "data"); err != nil {
				return err
			}
			return q.run(cmd)
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.model, "model", "", "`MODEL` file")
	f.StringVar(&q.data, "data", "", "CSV `FILE` of rows, - for standard input")
	f.StringVar(&q.output, "output", "probability", "probability, raw, class, leaf or contributions")
	f.StringVar(&q.background, "background", "", "CSV `FILE` of rows that contributions are measured against")
	f.StringVar(&q.out, "out", "-", "CSV `FILE` to write, - for standard output")
	f.StringSliceVar(&q.ignore, "ignore", nil, "`COLUMNS` of the file to leave out, as the label")
	f.BoolVar(&q.byPosition, "by-position", false, "take the columns in the model's order, whatever the header says")
	f.IntVar(&q.rounds, "rounds", 0, "use only the first `N` boosting rounds; 0 means all")
	return cmd
}

// A scorer appends the answers to rows of features to b, a line a row.
type scorer struct {
	header []string
	score  func(ctx context.Context, b []byte, x gbdt.Matrix) ([]byte, error)
}

func (q *predictRequest) run(cmd *cobra.Command) error {
	if err := notOver(cmd, "out", "model", "data", "background"); err != nil {
		return err
	}
	model, err := loadModel(q.model)
	if err != nil {
		return err
	}
	if q.rounds < 0 {
		return usageError("--rounds %d: want 0 or more", q.rounds)
	}
	p, err := gbdt.NewPredictor(model.Model, gbdt.PredictOptions{Rounds: q.rounds, Threads: 1})
	if err != nil {
		return err
	}
	s, err := newScorer(p, model.Model, q.output)
	if err != nil {
		return err
	}
	if q.background != "" {
		if q.output != "contributions" {
			return usageError("--background goes with --output contributions")
		}
		background, err := q.readBackground(cmd, model.Model)
		if err != nil {
			return err
		}
		s = numbers(s.header, func(ctx context.Context, dst []float64, x gbdt.Matrix) error {
			return p.InterventionalContributions(ctx, dst, x, background)
		})
	}
	f, name, err := openData(cmd, q.data)
	if err != nil {
		return err
	}
	defer f.Close()
	table, err := newCSVTable(name, f)
	if err != nil {
		return err
	}
	columns, err := q.columns(table, model.Model)
	if err != nil {
		return err
	}
	// A row takes at least a byte for each column, so this bounds the answers of a block.
	const values = 1 << 20
	table.size = min(max(values/len(s.header)*len(table.header), 4<<10), csvBlockSize)
	progress := func() {}
	if show := progressBar(cmd.ErrOrStderr()); show != nil && q.out != "-" {
		if file, ok := f.(*os.File); ok {
			if stat, err := file.Stat(); err == nil && stat.Mode().IsRegular() && stat.Size() > 1<<20 {
				shown := 0
				progress = func() {
					if done := int(table.read.Load() >> 20); done > shown {
						shown = done
						show("predicting, megabytes", done, int(stat.Size()>>20))
					}
				}
			}
		}
	}
	return writeOut(cmd.OutOrStdout(), q.out, func(w io.Writer) error {
		return answer(cmd.Context(), w, table, columns, s, progress)
	})
}

// readBackground reads the rows of the background file; columns that the model does not know are left out.
func (q *predictRequest) readBackground(cmd *cobra.Command, m *gbdt.Model) (gbdt.Matrix, error) {
	f, name, err := openData(cmd, q.background)
	if err != nil {
		return gbdt.Matrix{}, err
	}
	defer f.Close()
	t, err := newCSVTable(name, f)
	if err != nil {
		return gbdt.Matrix{}, err
	}
	var columns *csvColumns
	if q.byPosition {
		columns, err = q.columns(t, m)
	} else {
		columns, err = t.columns(m.FeatureNames, nil, true)
	}
	if err != nil {
		return gbdt.Matrix{}, err
	}
	var values []float64
	work := func(b csvBlock) ([]float64, error) { return t.parse(nil, b, columns) }
	if err := inOrder(cmd.Context(), t, 1, work, func(rows []float64) error {
		values = append(values, rows...)
		return nil
	}); err != nil {
		return gbdt.Matrix{}, err
	}
	if len(values) == 0 {
		return gbdt.Matrix{}, fmt.Errorf("%s: no rows", name)
	}
	return gbdt.NewMatrix(values, columns.width)
}

// columns finds the model's features in the table.
func (q *predictRequest) columns(t *csvTable, m *gbdt.Model) (*csvColumns, error) {
	if !q.byPosition {
		return t.columns(m.FeatureNames, q.ignore, false)
	}
	c, err := t.columns(nil, q.ignore, true)
	if err != nil {
		return nil, err
	}
	for j := range c.place {
		if c.place[j] == -1 {
			c.place[j] = c.width
			c.width++
		}
	}
	if n := m.NumFeatures(); c.width != n {
		return nil, fmt.Errorf("%s: %s, the model has %s; leave columns out with --ignore", t.name,
			plural(c.width, "column", "columns"), plural(n, "feature", "features"))
	}
	return c, nil
}

// answer writes the header and the answers to all rows; progress is called now and then.
func answer(ctx context.Context, w io.Writer, t *csvTable, c *csvColumns, s *scorer, progress func()) error {
	var header []byte
	for i, name := range s.header {
		if i > 0 {
			header = append(header, ',')
		}
		header = appendField(header, name)
	}
	if _, err := w.Write(append(header, '\n')); err != nil {
		return err
	}
	work := func(b csvBlock) ([]byte, error) {
		rows, err := t.parse(nil, b, c)
		if err != nil || len(rows) == 0 {
			return nil, err
		}
		x, err := gbdt.NewMatrix(rows, c.width)
		if err != nil {
			return nil, err
		}
		return s.score(ctx, nil, x)
	}
	return inOrder(ctx, t, runtime.GOMAXPROCS(0), work, func(lines []byte) error {
		progress()
		_, err := w.Write(lines)
		return err
	})
}

// newScorer prepares one of the outputs.
func newScorer(p *gbdt.Predictor, m *gbdt.Model, output string) (*scorer, error) {
	switch output {
	case "raw":
		return numbers(numbered("raw", p.NumRaw()), p.RawBatch), nil
	case "probability":
		return numbers(numbered("probability", p.NumOutputs()), p.PredictBatch), nil
	case "class":
		if _, err := p.Class(slices.Repeat([]float64{math.NaN()}, p.NumFeatures())); errors.Is(err, gbdt.ErrNoClasses) {
			return nil, usageError("--output class: the objective %q tells no classes apart", m.Objective.Name)
		}
		return &scorer{[]string{"class"}, func(ctx context.Context, b []byte, x gbdt.Matrix) ([]byte, error) {
			row := make([]float64, x.Cols())
			for i := range x.Rows() {
				for j := range row {
					row[j] = x.At(i, j)
				}
				class, err := p.Class(row)
				if err != nil {
					return nil, err
				}
				b = append(strconv.AppendInt(b, int64(class), 10), '\n')
			}
			return b, ctx.Err()
		}}, nil
	case "leaf":
		if p.NumTrees() == 0 {
			return nil, usageError("--output leaf: the model has no trees")
		}
		header := numbered("leaf", p.NumTrees())
		return &scorer{header, func(ctx context.Context, b []byte, x gbdt.Matrix) ([]byte, error) {
			leaves := make([]int32, x.Rows()*len(header))
			if err := p.LeafIndexBatch(ctx, leaves, x); err != nil {
				return nil, err
			}
			for row := range slices.Chunk(leaves, len(header)) {
				for _, leaf := range row {
					b = append(strconv.AppendInt(b, int64(leaf), 10), ',')
				}
				b[len(b)-1] = '\n'
			}
			return b, nil
		}}, nil
	case "contributions":
		row := make([]float64, p.NumRaw()*(p.NumFeatures()+1))
		if err := p.Contributions(row, make([]float64, p.NumFeatures())); err != nil {
			return nil, err
		}
		var header []string
		for _, prefix := range numbered("contribution", p.NumRaw()) {
			for _, name := range m.FeatureNames {
				header = append(header, prefix+"_"+name)
			}
			header = append(header, prefix+"_bias")
		}
		return numbers(header, p.ContributionsBatch), nil
	}
	return nil, usageError("--output %q: want probability, raw, class, leaf or contributions", output)
}

// numbered returns the names of n columns: name, or name_0, name_1, ... for several.
func numbered(name string, n int) []string {
	if n == 1 {
		return []string{name}
	}
	names := make([]string, n)
	for i := range names {
		names[i] = name + "_" + strconv.Itoa(i)
	}
	return names
}

// numbers writes len(header) numbers a row.
func numbers(header []string, batch func(context.Context, []float64, gbdt.Matrix) error) *scorer {
	return &scorer{header, func(ctx context.Context, b []byte, x gbdt.Matrix) ([]byte, error) {
		answers := make([]float64, x.Rows()*len(header))
		if err := batch(ctx, answers, x); err != nil {
			return nil, err
		}
		for row := range slices.Chunk(answers, len(header)) {
			for _, y := range row {
				b = append(appendNumber(b, y), ',')
			}
			b[len(b)-1] = '\n'
		}
		return b, nil
	}}
}
