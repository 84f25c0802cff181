package forecast

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

func TestStudentAgainstGonum(t *testing.T) {
	t.Parallel()
	d := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: Freedom}
	for x := -12.0; x <= 12; x += 0.37 {
		if got, want := cdf(x), d.CDF(x); math.Abs(got-want) > 1e-12 {
			t.Errorf("cdf(%v): got %v, want %v", x, got, want)
		}
	}
	for _, p := range []float64{1e-6, 0.025, 0.1, 0.25, 0.5, 0.6, 0.9, 0.975, 1 - 1e-6} {
		q := quantile(p)
		if math.Abs(cdf(q)-p) > 1e-13 || math.Abs(q-d.Quantile(p)) > 1e-7*(1+math.Abs(q)) {
			t.Errorf("quantile(%v): got %v, want %v", p, q, d.Quantile(p))
		}
	}
	if cdf(math.Inf(1)) != 1 || cdf(math.Inf(-1)) != 0 {
		t.Errorf("cdf at the ends: got %v and %v", cdf(math.Inf(1)), cdf(math.Inf(-1)))
	}
	n := Normal{Mean: 0.2, SD: 0.3}
	if got, want := n.Scale(), 0.3*math.Sqrt(4.0/6); math.Abs(got-want) > 1e-15 {
		t.Errorf("Scale: got %v, want %v", got, want)
	}
}
