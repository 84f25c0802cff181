package score

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
