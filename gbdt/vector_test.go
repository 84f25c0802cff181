package gbdt

import (
	"math/rand/v2"
	"testing"
)

// checkScan compares the raw scores of vector instructions with those of the walk, which other tests compare with the
// plain one. It reports whether the model has the form for vector instructions.
func checkScan(t *testing.T, seed uint64, s modelShape, rows int) bool {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 17))
	m := randomModel(rng, s)
	p := mustPredictor(t, m, PredictOptions{Threads: 1})
	if p.scanForm() == nil {
		return false
	}
	walk := mustPredictor(t, m, PredictOptions{Threads: 1, Portable: true})
	x := awkwardRows(t, rng, rows, s)
	got, want := make([]float64, rows*m.Outputs), make([]float64, rows*m.Outputs)
	if err := p.RawBatch(t.Context(), got, x); err != nil {
		t.Fatal(err)
	}
	if err := walk.RawBatch(t.Context(), want, x); err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if !sameBits(got[i:i+1], want[i:i+1]) {
			t.Fatalf("seed %d, %+v: row %d of %d, output %d: vector instructions give %v, the walk %v", seed, s, i/m.Outputs, rows, i%m.Outputs, got[i], want[i])
		}
	}
	return true
}

func TestScanIsTheWalk(t *testing.T) {
	if !canScan {
		t.Skip("no AVX2: the processor or the operating system lacks it")
	}
	for _, family := range []Family{LightGBM, XGBoost} {
		for _, leaves := range []int{1, 2, 8, 9, 31, 32, 33, 64} {
			for _, rows := range []int{scanFew - 1, scanFew, 100, scanRows, scanRows + 1, 3*scanRows - 5} {
				s := modelShape{family: family, features: 5, trees: 21, leaves: leaves, outputs: 1 + rows%3, values: 250 / 5,
					missing: true, weighted: family == XGBoost, deep: leaves == 31}
				if !checkScan(t, uint64(rows), s, rows) {
					t.Fatalf("%+v: no form for vector instructions", s)
				}
			}
		}
	}
	for _, s := range []modelShape{
		{family: LightGBM, features: 2, trees: 9, leaves: 200, outputs: 1, values: 20},
		{family: LightGBM, features: 1, trees: 99, leaves: 40, outputs: 1, values: 2000},
		{family: LightGBM, features: 2, trees: 9, leaves: 20, outputs: 1, values: 20, linear: true},
	} {
		if checkScan(t, 1, s, 100) {
			t.Errorf("%+v: has the form for vector instructions", s)
		}
	}
}

// FuzzScan looks for models and rows for which vector instructions and the walk differ.
func FuzzScan(f *testing.F) {
	if !canScan {
		f.Skip("no AVX2: the processor or the operating system lacks it")
	}
	f.Add(uint64(1), uint8(3), uint8(9), uint8(31), uint8(60), uint16(130), true)
	f.Add(uint64(2), uint8(1), uint8(1), uint8(64), uint8(255), uint16(40), false)
	f.Fuzz(func(t *testing.T, seed uint64, features, trees, leaves, values uint8, rows uint16, xgb bool) {
		s := modelShape{family: LightGBM, features: 1 + int(features%16), trees: 1 + int(trees%64), leaves: 1 + int(leaves%64),
			outputs: 1 + int(seed%4), values: 1 + int(values), missing: true, deep: seed%5 == 0}
		if xgb {
			s.family, s.weighted = XGBoost, seed%3 == 0
		}
		checkScan(t, seed, s, scanFew+int(rows%300))
	})
}
