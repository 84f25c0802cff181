package score

import (
	"errors"
	"math"
	"testing"
)

func TestIntervalScore(t *testing.T) {
	t.Parallel()
	near(t, "inside", IntervalScore(1, 3, 2, 0.8), 2, 1e-15)
	near(t, "below", IntervalScore(1, 3, 0.5, 0.8), 2+10*0.5, 1e-14)
	near(t, "above", IntervalScore(1, 3, 3.2, 0.5), 2+4*0.2, 1e-14)
	near(t, "on the bound", IntervalScore(1, 3, 3, 0.8), 2, 0)
	near(t, "missing", IntervalScore(1, 3, math.NaN(), 0.8), math.NaN(), 0)
	// It is 2/(1-level) times the pinball losses of its two quantiles.
	pinball := func(q, x, tau float64) float64 {
		if x >= q {
			return tau * (x - q)
		}
		return (1 - tau) * (q - x)
	}
	r := newRand(33)
	for range 100 {
		lo, x := r.NormFloat64(), 2*r.NormFloat64()
		hi := lo + r.Float64()
		want := 2 / 0.2 * (pinball(lo, x, 0.1) + pinball(hi, x, 0.9))
		near(t, "pinball identity", IntervalScore(lo, hi, x, 0.8), want, 1e-12)
	}
}

func TestIntervals(t *testing.T) {
	t.Parallel()
	lo := []float64{0, 0, 0, 0, 0}
	hi := []float64{1, 1, 1, 2, 2}
	x := []float64{0, -1, 1, 3, 1.5}
	got, err := Intervals(lo, hi, x, 0.8)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "coverage", got.Coverage, 0.6, 1e-15)
	near(t, "below", got.Below, 0.2, 1e-15)
	near(t, "above", got.Above, 0.2, 1e-15)
	near(t, "width", got.MeanWidth, 1.4, 1e-15)
	near(t, "score", got.MeanScore, 1.4+(10+10)/5.0, 1e-14)
	if got.Rows != 5 || got.Level != 0.8 {
		t.Errorf("got %+v, want 5 rows at 0.8", got)
	}
	for _, c := range []struct {
		name      string
		lo, hi, x []float64
		level     float64
		want      error
	}{
		{"lengths", lo, hi[1:], x, 0.8, ErrShape},
		{"level", lo, hi, x, 80, ErrShape},
		{"crossed", []float64{2}, []float64{1}, []float64{0}, 0.8, ErrShape},
		{"no rows", nil, nil, nil, 0.8, ErrTooFew},
		{"NaN", []float64{0}, []float64{1}, []float64{math.NaN()}, 0.8, ErrMissing},
	} {
		if _, err := Intervals(c.lo, c.hi, c.x, c.level); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}
