package gbdt

import (
	"errors"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

// bruteInterventional is the definition over all subsets of known features.
func bruteInterventional(m *Model, row []float64, background Matrix) []float64 {
	f := m.NumFeatures()
	phi := make([]float64, m.Outputs*(f+1))
	factorial := func(n int) float64 { return math.Gamma(float64(n + 1)) }
	trees := plainTrees(m)
	raw := func(x []float64) []float64 {
		sum := slices.Clone(m.BaseMargin)
		for i := range trees {
			w := &trees[i]
			sum[w.tree.Output] += float64(w.weight) * w.tree.LeafValue[w.leaf(m.Family, x)]
		}
		return sum
	}
	mixed, n := make([]float64, f), float64(background.rows)
	for b := range background.rows {
		values := make([][]float64, 1<<f)
		for known := range values {
			copy(mixed, background.row(b, nil))
			for j := range f {
				if known>>j&1 != 0 {
					mixed[j] = row[j]
				}
			}
			values[known] = raw(mixed)
		}
		for k := range m.Outputs {
			phi[k*(f+1)+f] += values[0][k] / n
			for known := range values {
				size := bits.OnesCount(uint(known))
				for j := range f {
					if known>>j&1 == 0 {
						share := factorial(size) * factorial(f-size-1) / factorial(f)
						phi[k*(f+1)+j] += share * (values[known|1<<j][k] - values[known][k]) / n
					}
				}
			}
		}
	}
	return phi
}

func TestInterventionalAgainstAllSubsets(t *testing.T) {
	for n, s := range []modelShape{
		{family: LightGBM, features: 8, trees: 6, leaves: 30, outputs: 2, values: 30, missing: true},
		{family: LightGBM, features: 3, trees: 9, leaves: 25, outputs: 1, values: 30, missing: true, deep: true},
		{family: LightGBM, features: 5, trees: 7, leaves: 12, outputs: 1, values: 30, categorical: true},
		{family: XGBoost, features: 6, trees: 6, leaves: 30, outputs: 3, values: 30, weighted: true, categorical: true},
		{family: XGBoost, features: 6, trees: 5, leaves: 1, outputs: 1, values: 30},
	} {
		rng := rand.New(rand.NewPCG(6, uint64(n)))
		m := randomModel(rng, s)
		background := awkwardRows(t, rng, 7, s)
		x := awkwardRows(t, rng, 5, s)
		narrow := make([]float32, len(x.f64))
		for i, v := range x.f64 {
			narrow[i] = float32(v)
			x.f64[i] = float64(narrow[i])
		}
		width := m.Outputs * (s.features + 1)
		got, got32 := make([]float64, 5*width), make([]float64, 5*width)
		p := mustPredictor(t, m, PredictOptions{Threads: 2})
		if err := errors.Join(p.InterventionalContributions(t.Context(), got, x, background),
			p.InterventionalContributions(t.Context(), got32, Matrix{rows: 5, cols: s.features, f32: narrow}, background)); err != nil {
			t.Fatal(err)
		}
		if !sameBits(got, got32) {
			t.Errorf("model %d: float32 rows differ", n)
		}
		for i := range 5 {
			for j, want := range bruteInterventional(m, x.row(i, nil), background) {
				if math.Abs(got[i*width+j]-want) > 1e-12 {
					t.Fatalf("model %d, row %d, contribution %d: got %v, want %v", n, i, j, got[i*width+j], want)
				}
			}
		}
	}
}

func TestInterventionalRefused(t *testing.T) {
	p := mustPredictor(t, stump(LightGBM, 0, 2), PredictOptions{})
	x := Matrix{rows: 1, cols: 1, f64: []float64{1}}
	wide := Matrix{rows: 1, cols: 2, f64: []float64{1, 2}}
	two := make([]float64, 2)
	for name, err := range map[string]error{
		"room": p.InterventionalContributions(t.Context(), nil, x, x), "columns": p.InterventionalContributions(t.Context(), two, wide, x),
		"background columns": p.InterventionalContributions(t.Context(), two, x, wide),
		"no background":      p.InterventionalContributions(t.Context(), two, x, Matrix{cols: 1}),
	} {
		if !errors.Is(err, ErrShape) {
			t.Errorf("%s: got %v, want %v", name, err, ErrShape)
		}
	}
	m := stump(LightGBM, 0, 2)
	m.Trees[0].Linear = &LinearLeaves{Const: []float64{1, 2}, Start: []int32{0, 0, 0}}
	err := mustPredictor(t, m, PredictOptions{}).InterventionalContributions(t.Context(), two, x, x)
	if !errors.Is(err, ErrNoContributions) {
		t.Errorf("linear leaves: got %v, want %v", err, ErrNoContributions)
	}
	if err := p.InterventionalContributions(t.Context(), nil, Matrix{cols: 1}, x); err != nil {
		t.Errorf("no rows: %v", err)
	}
}
