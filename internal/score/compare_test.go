package score

import (
	"errors"
	"math"
	"testing"
)

func TestDieboldMarianoVector(t *testing.T) {
	t.Parallel()
	d := make([]float64, 40)
	for i := range d {
		d[i] = math.Sin(1.7*float64(i)) + 0.3*math.Cos(0.4*float64(i)) + 0.05
	}
	got, err := DieboldMariano(d, 3)
	if err != nil {
		t.Fatal(err)
	}
	// numpy 2 and scipy 1.17.1 from the formula, 2026-11.
	near(t, "mean", got.Mean, 0.06938707433698513, 1e-15)
	near(t, "statistic", got.Statistic, 0.8709243570055539, 1e-12)
	near(t, "p", got.PValue, 0.3891250851482253, 1e-12)
	if got.Months != 40 || got.LagMonths != 2 {
		t.Errorf("got %+v, want 40 months, lag 2", got)
	}
	cw, err := ClarkWest(d, 3)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "Clark-West statistic", cw.Statistic, 0.929068568349387, 1e-12)
	near(t, "Clark-West p", cw.PValue, 0.17642677621247638, 1e-12)
}

// Under the null, with differences that overlap over h months, the test at 5 % must reject about that often.
func TestDieboldMarianoSize(t *testing.T) {
	t.Parallel()
	r := newRand(21)
	const n, h, runs = 240, 6, 1000
	rejected, naive := 0, 0
	for range runs {
		shocks := make([]float64, n+h)
		for i := range shocks {
			shocks[i] = r.NormFloat64()
		}
		d := make([]float64, n)
		for i := range d {
			for j := range h {
				d[i] += shocks[i+j]
			}
		}
		for _, c := range []struct {
			h     int
			count *int
		}{{h, &rejected}, {1, &naive}} {
			got, err := DieboldMariano(d, c.h)
			if err != nil {
				t.Fatal(err)
			}
			if got.PValue < 0.05 {
				*c.count++
			}
		}
	}
	// Bartlett weights undercount the covariances, so the test stays liberal; without them it is useless.
	if share := float64(rejected) / runs; share < 0.03 || share > 0.16 {
		t.Errorf("rejected %v of true nulls at 5 %%", share)
	}
	if share := float64(naive) / runs; share < 0.3 {
		t.Errorf("without the overlap: rejected %v, want over 0.3 (else this test shows nothing)", share)
	}
}

func TestComparisonRefuses(t *testing.T) {
	t.Parallel()
	varied := []float64{1, -1, 2, 0, 1, -2, 1, 0}
	for _, c := range []struct {
		name string
		d    []float64
		h    int
		want error
	}{
		{"horizon over a quarter", varied, 3, ErrTooFew},
		{"no months", nil, 1, ErrTooFew},
		{"horizon", varied, 0, ErrShape},
		{"constant", []float64{.1, .1, .1, .1, .1, .1, .1, .1}, 2, ErrUndefined},
		{"zero", make([]float64, 8), 2, ErrUndefined},
		{"NaN", []float64{1, 2, math.NaN(), 4}, 1, ErrMissing},
	} {
		if _, err := DieboldMariano(c.d, c.h); !errors.Is(err, c.want) {
			t.Errorf("Diebold-Mariano, %s: got %v, want %v", c.name, err, c.want)
		}
		if _, err := ClarkWest(c.d, c.h); !errors.Is(err, c.want) {
			t.Errorf("Clark-West, %s: got %v, want %v", c.name, err, c.want)
		}
	}
	if _, err := DieboldMariano(varied, 2); err != nil {
		t.Errorf("horizon of a quarter: got %v, want none", err)
	}
}

func TestClarkWestTerm(t *testing.T) {
	t.Parallel()
	// (1-.6)^2 - ((1-.8)^2 - (.6-.8)^2) = .16 - (.04 - .04)
	near(t, "term", ClarkWestTerm(1, 0.6, 0.8), 0.16, 1e-15)
	// The term equals 2*(y-small)*(large-small).
	r := newRand(22)
	for range 100 {
		y, s, l := r.NormFloat64(), r.NormFloat64(), r.NormFloat64()
		near(t, "identity", ClarkWestTerm(y, s, l), 2*(y-s)*(l-s), 1e-12)
	}
}
