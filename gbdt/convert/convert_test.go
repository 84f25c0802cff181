package convert

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/internal/golden"
	"github.com/pppq/pppq/gbdt/lightgbm"
	"github.com/pppq/pppq/gbdt/xgboost"
)

// TestGoldenLightGBM converts the models of LightGBM's releases, and TestGoldenXGBoost those of XGBoost's. Every row of
// float32 values, special ones among them, must reach the same leaves.
func TestGoldenLightGBM(t *testing.T) {
	t.Parallel()
	golden := goldenTest{T: t, library: "lightgbm", to: ToXGBoost, refused: func(m *gbdt.Model) string {
		linear := slices.ContainsFunc(m.Trees, func(t gbdt.Tree) bool { return t.Linear != nil })
		switch {
		case len(m.Trees) == 0:
			return "it has no trees"
		case m.AverageOutput:
			return "average_output"
		case m.Objective.Name == "cross_entropy_lambda":
			return "cross_entropy_lambda"
		case m.Objective.Sqrt:
			return "reg_sqrt"
		case m.Objective.Sigmoid != 0 && m.Objective.Sigmoid != 1:
			return "sigmoid"
		case linear:
			return "linear_tree"
		case has(m, func(t *gbdt.Tree, i int) bool { return !t.Categorical(i) && t.Missing(i) == gbdt.MissingZero }):
			return "missing type zero"
		}
		return ""
	}}
	golden.run()
}

func TestGoldenXGBoost(t *testing.T) {
	t.Parallel()
	to := func(m *gbdt.Model) (*gbdt.Model, error) { return ToLightGBM(m, Options{}) }
	golden := goldenTest{T: t, library: "xgboost", to: to, refused: func(m *gbdt.Model) string {
		switch name := m.Objective.Name; {
		case strings.HasPrefix(name, "survival:") || name == "binary:hinge":
			return "no objective of LightGBM has the output of " + name
		case name == "reg:quantileerror" && m.Outputs > 1:
			return "sorts its outputs"
		}
		reason := ""
		has(m, func(t *gbdt.Tree, i int) bool {
			switch {
			case t.Categorical(i) && !t.DefaultLeft(i):
				reason = "default_left 0"
			case !t.Categorical(i) && math.Abs(t.Threshold[i]) < float64(smallest):
				reason = "parts values that LightGBM reads as 0"
			}
			return reason != ""
		})
		return reason
	}}
	golden.run()
}

// has reports whether a node of the model is such; it stops at the first.
func has(m *gbdt.Model, such func(t *gbdt.Tree, i int) bool) bool {
	for k := range m.Trees {
		for i := range m.Trees[k].Left {
			if such(&m.Trees[k], i) {
				return true
			}
		}
	}
	return false
}

type goldenTest struct {
	*testing.T
	library string
	to      func(*gbdt.Model) (*gbdt.Model, error)
	// refused returns a part of the reason that a case must be refused with, "" if it must not.
	refused func(m *gbdt.Model) string

	converted, refusals, leaves, raws int
	worst                             float64
}

func (g *goldenTest) run() {
	paths, err := filepath.Glob("../" + g.library + "/testdata/golden-*.tar.gz")
	if err != nil || len(paths) == 0 {
		g.Fatalf("no golden archives of %s: %v", g.library, err)
	}
	for _, path := range paths {
		a, err := golden.Open(path)
		if err != nil {
			g.Fatal(err)
		}
		for _, c := range a.Cases {
			m := model(g.T, c)
			if m == nil {
				continue
			}
			got, err := g.to(m)
			if want := g.refused(m); want != "" {
				g.refusals++
				if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), want) {
					g.Errorf("%s %s: got error %v, want a refusal with %q", a.Made.TrainedWith, c.Name, err, want)
				}
				continue
			}
			if err != nil {
				g.Errorf("%s %s: %v", a.Made.TrainedWith, c.Name, err)
				continue
			}
			g.converted++
			g.compare(c.Name, m, got, a.Rows("rows.f64", m.NumFeatures()))
		}
	}
	if g.converted == 0 || g.refusals == 0 {
		g.Errorf("%d models converted and %d refused, want some of each", g.converted, g.refusals)
	}
	g.Logf("%s: %d models converted, %d refused; %d leaves the same; %d raw scores, the worst off by %.2g of the largest of its model",
		g.library, g.converted, g.refusals, g.leaves, g.raws, g.worst)
}

// model reads a case's file, nil for those that cannot be read.
func model(t *testing.T, c golden.Case) *gbdt.Model {
	t.Helper()
	if strings.HasPrefix(c.Name, "refused/") {
		return nil
	}
	if text := c.File("model.txt"); text != nil {
		f, err := lightgbm.Read(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return f.Model
	}
	f, err := xgboost.Read(bytes.NewReader(c.File("model.json")))
	if err != nil {
		t.Fatal(err)
	}
	return f.Model
}

// float32Row returns the row in float32 values, without what the two families take apart: values between -1 and 0 in
// a categorical feature.
func float32Row(m *gbdt.Model, row []float64) []float64 {
	row = slices.Clone(row)
	for j, x := range row {
		row[j] = float64(float32(x))
		if x > -1 && x < 0 && has(m, func(t *gbdt.Tree, i int) bool { return t.Categorical(i) && int(t.Feature[i]) == j }) {
			row[j] = -1
		}
	}
	return row
}

// compare compares leaves and raw scores; an error of at most 2^-20 of the model's largest raw score is allowed.
func (g *goldenTest) compare(name string, a, b *gbdt.Model, rows [][]float64) {
	g.Helper()
	pa, pb := predictor(g.T, withoutIDs(a)), predictor(g.T, b)
	la, lb := make([]int32, pa.NumTrees()), make([]int32, pb.NumTrees())
	var ra, rb []float64
	for _, row := range rows {
		row = float32Row(a, row)
		if err := errors.Join(pa.LeafIndex(la, row), pb.LeafIndex(lb, row)); err != nil {
			g.Fatal(err)
		}
		if from, to := inOrder(a, la), inOrder(b, lb); !slices.Equal(from, to) {
			g.Errorf("%s: leaves %v of the row %v, want %v", name, to, row, from)
			return
		}
		g.leaves += len(la)
		x, y := make([]float64, a.Outputs), make([]float64, a.Outputs)
		if err := errors.Join(pa.Raw(x, row), pb.Raw(y, row)); err != nil {
			g.Fatal(err)
		}
		ra, rb = append(ra, x...), append(rb, y...)
	}
	largest, worst := 0.0, 0.0
	for i := range ra {
		largest = max(largest, math.Abs(ra[i]))
		worst = max(worst, math.Abs(ra[i]-rb[i]))
	}
	g.raws += len(ra)
	if largest > 0 {
		g.worst = max(g.worst, worst/largest)
	}
	if worst > largest*0x1p-20 {
		g.Errorf("%s: a raw score is off by %g of %g", name, worst, largest)
	}
}

// inOrder returns the leaves by output, since conversion may put trees of different outputs into another order.
func inOrder(m *gbdt.Model, leaves []int32) []string {
	var all []string
	for k := range m.Outputs {
		for i, leaf := range leaves {
			if t := &m.Trees[i]; t.Output == k && len(t.Left) > 0 {
				all = append(all, fmt.Sprintf("%d:%d", k, leaf))
			}
		}
	}
	return all
}

// withoutIDs returns the model with leaves numbered from 0.
func withoutIDs(m *gbdt.Model) *gbdt.Model {
	c := *m
	c.Trees = slices.Clone(m.Trees)
	for i := range c.Trees {
		c.Trees[i].InnerID, c.Trees[i].LeafID = nil, nil
	}
	return &c
}

func predictor(t *testing.T, m *gbdt.Model) *gbdt.Predictor {
	t.Helper()
	p, err := gbdt.NewPredictor(m, gbdt.PredictOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
