package score

import (
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
