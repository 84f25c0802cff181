package convert

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/pppq/pppq/gbdt"
)

// stump is a model of one tree x <= 1, of a split by category if set is not empty.
func stump(family gbdt.Family, objective string, set ...uint32) *gbdt.Model {
	t := gbdt.Tree{
		Feature: []int32{0}, Threshold: []float64{1}, Decision: []uint8{gbdt.Decision(false, true, gbdt.MissingNaN)},
		Left: []int32{^0}, Right: []int32{^1}, LeafValue: []float64{-1, 2}, LeafWeight: []float64{3, 1},
		LeafCount: []int32{30, 10}, InternalCount: []int32{40}, InternalWeight: []float64{4}, Shrinkage: 1,
	}
	if family == gbdt.XGBoost {
		t.Decision[0], t.LeafCount, t.InternalCount = gbdt.Decision(false, true, gbdt.MissingNone), nil, nil
	}
	if len(set) > 0 {
		t.Decision[0] |= gbdt.DecisionCategorical
		t.Threshold[0], t.CatBoundaries, t.CatBits = 0, []int32{0, int32(len(set))}, set
	}
	m := &gbdt.Model{
		Family: family, FeatureNames: []string{"x"}, Outputs: 1, Objective: gbdt.Objective{Name: objective},
		BaseMargin: []float64{0}, Trees: []gbdt.Tree{t}, RoundEnds: []int32{1},
	}
	if objective == "binary" {
		m.Objective.Sigmoid = 1
	}
	return m
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	light := func(objective string, change func(*gbdt.Model), set ...uint32) *gbdt.Model {
		m := stump(gbdt.LightGBM, objective, set...)
		change(m)
		return m
	}
	xg := func(objective string, change func(*gbdt.Model), set ...uint32) *gbdt.Model {
		m := stump(gbdt.XGBoost, objective, set...)
		change(m)
		return m
	}
	for name, c := range map[string]struct {
		m    *gbdt.Model
		want string
	}{
		"missing zero": {light("regression", func(m *gbdt.Model) { m.Trees[0].Decision[0] = gbdt.Decision(false, true, gbdt.MissingZero) }), "tree 0, node 0: missing type zero"},
		"NaN":          {light("regression", func(m *gbdt.Model) { m.Trees[0].Threshold[0] = math.NaN() }), "tree 0, node 0: the threshold is no number"},
		"linear": {light("regression", func(m *gbdt.Model) {
			m.Trees[0].Linear = &gbdt.LinearLeaves{Const: []float64{1, 2}, Start: []int32{0, 0, 0}}
		}), "tree 0: its leaves are linear"},
		"forest":           {light("regression", func(m *gbdt.Model) { m.AverageOutput = true }), "average_output"},
		"leaf":             {light("regression", func(m *gbdt.Model) { m.Trees[0].LeafValue[1] = 1e39 }), "tree 0: the value 1e+39 of leaf 1"},
		"sigmoid":          {light("binary", func(m *gbdt.Model) { m.Objective.Sigmoid = 2 }), "sigmoid 2"},
		"sqrt":             {light("regression", func(m *gbdt.Model) { m.Objective.Sqrt = true }), "reg_sqrt"},
		"lambda":           {light("cross_entropy_lambda", func(*gbdt.Model) {}), "no objective of XGBoost"},
		"one class":        {light("multiclass", func(*gbdt.Model) {}), "one class"},
		"no category":      {light("regression", func(*gbdt.Model) {}, 0), "without a category"},
		"large category":   {light("regression", func(*gbdt.Model) {}, append(make([]uint32, 1<<24/32), 1)...), "category 16777216"},
		"names":            {light("regression", func(m *gbdt.Model) { m.FeatureNames = []string{"a[", "a]"} }), `would both be named "a_"`},
		"no trees":         {light("regression", func(m *gbdt.Model) { m.Trees, m.RoundEnds = nil, nil }), "no trees"},
		"hinge":            {xg("binary:hinge", func(*gbdt.Model) {}), "no objective of LightGBM"},
		"cox":              {xg("survival:cox", func(*gbdt.Model) {}), "no objective of LightGBM"},
		"default right":    {xg("reg:squarederror", func(m *gbdt.Model) { m.Trees[0].Decision[0] = gbdt.Decision(true, false, gbdt.MissingNone) }, 5), "default_left 0"},
		"zero":             {xg("reg:squarederror", func(m *gbdt.Model) { m.Trees[0].Threshold[0] = 0 }), "parts values that LightGBM reads as 0"},
		"NaN of XGBoost":   {xg("reg:squarederror", func(m *gbdt.Model) { m.Trees[0].Threshold[0] = math.NaN() }), "is no number"},
		"base":             {xg("count:poisson", func(m *gbdt.Model) { m.BaseMargin[0] = math.Inf(-1) }), "starts at -Inf"},
		"leaf of XGBoost":  {xg("reg:squarederror", func(m *gbdt.Model) { m.Trees[0].LeafValue[0] = math.Inf(1) }), "leaf 0 is +Inf"},
		"several outputs":  {xg("count:poisson", func(m *gbdt.Model) { m.Outputs, m.BaseMargin = 2, make([]float64, 2) }), "with 2 outputs"},
		"several levels":   {xg("reg:quantileerror", func(m *gbdt.Model) { m.Outputs, m.BaseMargin = 2, make([]float64, 2) }), "several levels"},
		"no name":          {xg("reg:squarederror", func(m *gbdt.Model) { m.FeatureNames[0] = "" }), "no name"},
		"overflowing dart": {xg("reg:squarederror", func(m *gbdt.Model) { m.TreeWeights = []float32{math.MaxFloat32} }), "leaf 1 is +Inf"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := other(c.m, Options{})
			if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want a refusal with %q", err, c.want)
			}
		})
	}
}

// other converts to the other family.
func other(m *gbdt.Model, options Options) (*gbdt.Model, error) {
	if m.Family == gbdt.LightGBM {
		return ToXGBoost(m)
	}
	return ToLightGBM(m, options)
}

// TestWrongInput tells models of the wrong family and damaged ones from those that are refused.
func TestWrongInput(t *testing.T) {
	t.Parallel()
	damaged := stump(gbdt.XGBoost, "reg:squarederror")
	damaged.Trees[0].Left[0] = 7
	for name, err := range map[string]error{
		"to its own family":           second(ToXGBoost(stump(gbdt.XGBoost, "reg:squarederror"))),
		"to its own family, LightGBM": second(ToLightGBM(stump(gbdt.LightGBM, "regression"), Options{})),
		"damaged":                     second(ToLightGBM(damaged, Options{})),
	} {
		if err == nil || errors.Is(err, ErrRefused) {
			t.Errorf("%s: got %v, want an error that is no refusal", name, err)
		}
	}
}

func second(_ *gbdt.Model, err error) error { return err }

// TestThereAndBack converts a model twice; leaves and raw scores stay, and so does what explains them.
func TestThereAndBack(t *testing.T) {
	t.Parallel()
	rows := []float64{math.NaN(), 0, 1, 1.0000001, 2, 31, 32, 5, -3, math.Inf(1), math.Inf(-1), 1e-36, -1e-36}
	for name, m := range map[string]*gbdt.Model{
		"number":     stump(gbdt.LightGBM, "regression"),
		"categories": stump(gbdt.LightGBM, "binary", 1<<5|1, 1<<0),
		"all left":   withThreshold(stump(gbdt.LightGBM, "regression"), math.Inf(1)),
		"XGBoost":    stump(gbdt.XGBoost, "binary:logistic"),
		"dart":       stump(gbdt.XGBoost, "reg:logistic"),
		"tiny":       withThreshold(stump(gbdt.XGBoost, "reg:squarederror"), 0),
		"nothing":    withThreshold(stump(gbdt.XGBoost, "reg:squarederror"), math.Inf(-1)),
	} {
		if name == "dart" {
			m.TreeWeights, m.BaseMargin[0] = []float32{0.5}, 0.25
		}
		if name == "categories" {
			m.Trees[0].Decision[0] = gbdt.Decision(true, false, gbdt.MissingNaN)
		}
		once, err := other(m, Options{TinyAsZero: true})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		twice, err := other(once, Options{TinyAsZero: true})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, x := range rows {
			if (name == "tiny" || name == "categories") && x != 0 && math.Abs(x) < 1e-35 {
				continue // the two exceptions that the documentation names
			}
			want, wantWhy := ask(t, m, x)
			for _, c := range []*gbdt.Model{once, twice} {
				if got, why := ask(t, c, x); got != want || why != wantWhy {
					t.Errorf("%s, %v, x = %v: raw score %v and contributions %v, want %v and %v", name, c.Family, x, got, why, want, wantWhy)
				}
			}
		}
	}
}

func withThreshold(m *gbdt.Model, at float64) *gbdt.Model {
	m.Trees[0].Threshold[0] = at
	return m
}

func ask(t *testing.T, m *gbdt.Model, x float64) (raw float64, contributions [2]float64) {
	t.Helper()
	p, dst := predictor(t, m), make([]float64, 1)
	if err := errors.Join(p.Raw(dst, []float64{x}), p.Contributions(contributions[:], []float64{x})); err != nil {
		t.Fatal(err)
	}
	return dst[0], contributions
}

// TestRounds checks that a LightGBM round has one tree of each output, whatever the rounds of XGBoost hold.
func TestRounds(t *testing.T) {
	t.Parallel()
	m := stump(gbdt.XGBoost, "multi:softprob")
	m.Outputs, m.BaseMargin = 2, []float64{0.5, -0.5}
	leaf := func(output int, value float64) gbdt.Tree {
		return gbdt.Tree{Output: output, LeafValue: []float64{value}}
	}
	m.Trees = []gbdt.Tree{leaf(0, 1), leaf(0, 2), leaf(1, 4), leaf(1, 8), leaf(1, 16)}
	m.RoundEnds = []int32{4, 4, 5}
	got, err := ToLightGBM(m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var values []float64
	for i := range got.Trees {
		if got.Trees[i].Output != i%2 {
			t.Errorf("tree %d is of output %d", i, got.Trees[i].Output)
		}
		values = append(values, got.Trees[i].LeafValue[0])
	}
	want := []float64{1.5, 3.5, 2, 8, 0, 16}
	for i := range want {
		if len(values) != len(want) || values[i] != want[i] || got.NumRounds() != 3 {
			t.Fatalf("%d rounds of the values %v, want 3 of %v", got.NumRounds(), values, want)
		}
	}
}
