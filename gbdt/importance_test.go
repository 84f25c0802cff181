package gbdt

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestImportance(t *testing.T) {
	m := &Model{Family: LightGBM, FeatureNames: []string{"a", "b", "c"}, Outputs: 1, BaseMargin: []float64{0}, RoundEnds: []int32{1, 2}}
	for _, gain := range [][]float64{{4, 2, 0}, {1, 8, 16}} {
		m.Trees = append(m.Trees, Tree{Feature: []int32{0, 1, 0}, Gain: gain})
	}
	for _, c := range []struct {
		name          string
		family        Family
		kind          Importance
		first, rounds int
		want          []float64
	}{
		{"splits, those without gain not", LightGBM, ImportanceSplit, 0, 0, []float64{3, 2, 0}},
		{"splits of XGBoost", XGBoost, ImportanceSplit, 0, 0, []float64{4, 2, 0}},
		{"gain", LightGBM, ImportanceGain, 0, 0, []float64{21, 10, 0}},
		{"gain of the second round", LightGBM, ImportanceGain, 1, 1, []float64{17, 8, 0}},
	} {
		m.Family = c.family
		got, err := m.Importance(c.kind, c.first, c.rounds)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, %v, want %v", c.name, got, err, c.want)
		}
	}
	m.Trees[0].Gain = nil
	if _, err := m.Importance(ImportanceGain, 0, 0); !errors.Is(err, ErrNoGain) {
		t.Errorf("no gains: got %v, want %v", err, ErrNoGain)
	}
	if got, err := m.Importance(ImportanceSplit, 0, 0); err != nil || got[0] != 4 {
		t.Errorf("splits without gains: got %v, %v", got, err)
	}
	if _, err := m.Importance(9, 0, 0); err == nil {
		t.Error("unknown kind: no error")
	}
}

func TestPermutationImportance(t *testing.T) {
	m := stump(LightGBM, 0, 2)
	m.FeatureNames = []string{"used", "unused"}
	rng := rand.New(rand.NewPCG(1, 1))
	values, want := make([]float32, 2*400), make([]float64, 400)
	for i := range want {
		values[2*i], values[2*i+1] = float32(rng.NormFloat64()), float32(rng.NormFloat64())
		want[i] = 1
		if values[2*i] > 0 {
			want[i] = 2
		}
	}
	score := func(got []float64) float64 { // less the mean square error
		sum := 0.0
		for i, v := range got {
			sum -= (v - want[i]) * (v - want[i])
		}
		return sum / float64(len(got))
	}
	narrow, err := NewMatrix(values, 2)
	if err != nil {
		t.Fatal(err)
	}
	wide := Matrix{rows: 400, cols: 2, f64: make([]float64, 800)}
	for i, v := range values {
		wide.f64[i] = float64(v)
	}
	before := slices.Clone(values)
	var first []Permuted
	for i, x := range []Matrix{narrow, wide} {
		got, err := mustPredictor(t, m, PredictOptions{Threads: 1 + i}).PermutationImportance(t.Context(), x, score, DefaultPermutationOptions())
		if err != nil {
			t.Fatal(err)
		}
		// Half of the rows are on the other side after a permutation: an error of 1 for them.
		if math.Abs(got[0].Mean-0.5) > 0.05 || !(got[0].Deviation > 0 && got[0].Deviation < 0.1) || got[1] != (Permuted{Feature: 1}) {
			t.Errorf("got %+v, want about 0.5 for the feature in use and 0 for the other", got)
		}
		if first != nil && !slices.Equal(first, got) {
			t.Errorf("float64 on 2 threads: got %+v, want %+v", got, first)
		}
		first = got
	}
	if !slices.Equal(before, values) {
		t.Error("the rows were changed")
	}
	p := mustPredictor(t, m, PredictOptions{})
	o := DefaultPermutationOptions()
	o.Features = []int{1}
	if got, err := p.PermutationImportance(t.Context(), narrow, score, o); err != nil || len(got) != 1 || got[0].Feature != 1 {
		t.Errorf("one feature: got %+v, %v", got, err)
	}
	for _, o := range []PermutationOptions{{}, {Repeats: 1, Features: []int{2}}, {Repeats: 1, Features: []int{-1}}} {
		if _, err := p.PermutationImportance(t.Context(), narrow, score, o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	if _, err := p.PermutationImportance(t.Context(), Matrix{rows: 1, cols: 1, f64: []float64{1}}, score, DefaultPermutationOptions()); !errors.Is(err, ErrShape) {
		t.Errorf("columns: got %v, want %v", err, ErrShape)
	}
}
