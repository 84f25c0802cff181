package score

import "fmt"

// IntervalScore returns the score of a central forecast interval [lo, hi] of nominal coverage level when x came true, in
// the units of x:
//
//	(hi - lo) + 2/(1 - level) * (lo - x if x < lo, x - hi if x > hi, else 0)
//
// level is inside (0, 1). Any NaN gives NaN.
//
// Source: Winkler, A decision-theoretic approach to interval estimation (1972); Gneiting & Raftery (2007), eq. 43.
func IntervalScore(lo, hi, x, level float64) float64 {
	return (hi - lo) + 2/(1-level)*(max(lo-x, 0)+max(x-hi, 0))
}

// IntervalStats sums up the forecast intervals of one nominal level; rows count equally.
type IntervalStats struct {
	Rows int
	// Level is the nominal coverage, inside (0, 1).
	Level float64
	// Coverage is the share of outcomes with lo <= x <= hi; Below and Above are the shares outside on either side.
	Coverage, Below, Above float64
	// MeanWidth and MeanScore (IntervalScore), in the units of the outcome.
	MeanWidth, MeanScore float64
}

// Intervals measures the intervals [lo[i], hi[i]] of nominal coverage level against the outcomes x[i]. For the interval
// of the coverage itself see Bootstrap.Share. The error wraps ErrShape for differing lengths, lo above hi or an impossible
// level, ErrTooFew for no rows and ErrMissing for a NaN or an infinity.
func Intervals(lo, hi, x []float64, level float64) (IntervalStats, error) {
	n := len(x)
	if len(lo) != n || len(hi) != n || !(level > 0 && level < 1) {
		return IntervalStats{}, fmt.Errorf("%w: %d lower bounds, %d upper bounds, %d outcomes, level %v", ErrShape, len(lo), len(hi), n, level)
	}
	if n == 0 {
		return IntervalStats{}, fmt.Errorf("%w: no rows", ErrTooFew)
	}
	for _, in := range []struct {
		name string
		x    []float64
	}{{"lo", lo}, {"hi", hi}, {"outcome", x}} {
		if err := checkFinite(in.name, in.x); err != nil {
			return IntervalStats{}, err
		}
	}
	s := IntervalStats{Rows: n, Level: level}
	var below, above int
	for i, v := range x {
		switch {
		case lo[i] > hi[i]:
			return IntervalStats{}, fmt.Errorf("%w: interval %d is [%v, %v]", ErrShape, i, lo[i], hi[i])
		case v < lo[i]:
			below++
		case v > hi[i]:
			above++
		}
		s.MeanWidth += (hi[i] - lo[i]) / float64(n)
		s.MeanScore += IntervalScore(lo[i], hi[i], v, level) / float64(n)
	}
	s.Below = float64(below) / float64(n)
	s.Above = float64(above) / float64(n)
	s.Coverage = float64(n-below-above) / float64(n)
	return s, nil
}
