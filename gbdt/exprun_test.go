package gbdt

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestExpRunAgainstExp64(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	x := []float64{0, math.Copysign(0, -1), 1, -1, 5e-324, 700, -700, 699.99, -699.99, math.Ln2, 1e-300}
	for range 200_000 {
		x = append(x, 20*rng.NormFloat64(), 1400*rng.Float64()-700)
	}
	got := append([]float64{}, x...)
	expRun(got)
	worst := 0.0
	for i, v := range x {
		want := exp64(v)
		worst = max(worst, math.Abs(got[i]-want)/want)
	}
	if worst > 4e-16 { // both are rounded
		t.Errorf("error %v relative", worst)
	}
	ends := []float64{math.Inf(1), math.Inf(-1), 1000, -1000, math.NaN()}
	expRun(ends)
	high, low := exp64(700), exp64(-700)
	for i, want := range []float64{high, low, high, low} {
		if math.Abs(ends[i]-want) > 4e-16*want {
			t.Errorf("end %d: got %v, want %v", i, ends[i], want)
		}
	}
	if ends[4] == ends[4] {
		t.Errorf("NaN: got %v", ends[4])
	}
}
