package gbdt

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
)

// predictorBytes returns the memory that a predictor of the model takes once it has answered a row and a batch.
func predictorBytes(t testing.TB, m *Model, x Matrix) float64 {
	t.Helper()
	const predictors = 20
	raw := make([]float64, x.Rows()*m.Outputs)
	use := func() *Predictor {
		p, err := NewPredictor(m, PredictOptions{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.RawBatch(t.Context(), raw, x); err != nil {
			t.Fatal(err)
		}
		if err := p.Raw(raw[:m.Outputs], x.row(0, make([]float64, x.Cols()))); err != nil {
			t.Fatal(err)
		}
		return p
	}
	var before, after runtime.MemStats
	use()
	settle := func() { // the second collection takes what pools hold
		runtime.GC()
		runtime.GC()
	}
	settle()
	runtime.ReadMemStats(&before)
	held := make([]*Predictor, predictors)
	for i := range held {
		held[i] = use()
	}
	settle()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(held)
	return float64(int64(after.HeapAlloc)-int64(before.HeapAlloc)) / predictors
}

// A program may hold many predictors of small models: each takes memory in proportion to its nodes.
func TestSmallPredictorsAreSmall(t *testing.T) {
	for _, family := range []Family{LightGBM, XGBoost} {
		s := modelShape{family: family, features: 20, trees: 80, leaves: 8, outputs: 1, values: 60, missing: family == LightGBM}
		rng := rand.New(rand.NewPCG(8, 8))
		m, x := randomModel(rng, s), awkwardRows(t, rng, 200, s)
		nodes := 0
		for i := range m.Trees {
			nodes += 2*len(m.Trees[i].Left) + 1
		}
		if got := predictorBytes(t, m, x); got > 120_000 {
			t.Errorf("%v: %.0f bytes for %d nodes", family, got, nodes)
		}
	}
}

// BenchmarkPredictorBytes measures memory, not time.
func BenchmarkPredictorBytes(b *testing.B) {
	for _, trees := range []int{10, 80, 400, 1200} {
		for _, family := range []Family{LightGBM, XGBoost} {
			b.Run(fmt.Sprintf("%v/trees=%d", family, trees), func(b *testing.B) {
				s := modelShape{family: family, features: 30, trees: trees, leaves: 31, outputs: 1, values: 200}
				rng := rand.New(rand.NewPCG(8, 8))
				m, x := randomModel(rng, s), awkwardRows(b, rng, 200, s)
				nodes := 0
				for i := range m.Trees {
					nodes += 2*len(m.Trees[i].Left) + 1
				}
				size := 0.0
				for b.Loop() {
					size = predictorBytes(b, m, x)
				}
				b.ReportMetric(size, "B/predictor")
				b.ReportMetric(size/float64(nodes), "B/node")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
