// Package score measures probability forecasts of the four purchasing-power classes and of the log multiple ln M, and
// says how sure those measurements are. It also holds the small calibrators that are fitted on such scores.
//
// Start with RPS for one forecast, Paired.Skill for a forecast against its reference with a block-bootstrap interval,
// Reliability for a probability of loss, and Bootstrap.Share for coverage.
//
// House rules of this package:
//   - Functions are pure: inputs are never modified, no clock, no shared random state. The same arguments, seed included,
//     give the same bits.
//   - A class is an int, 0 = A_PRESERVER (best) to 3 = D_DESTROYER (worst); a forecast is Probs in that order.
//   - Scores are negatively oriented (smaller is better) unless their comment says otherwise.
//   - A score exists only where a forecast and an outcome exist. Functions over many rows refuse NaN and infinities
//     (ErrMissing) instead of leaving rows out silently; the drift measures alone leave missing inputs out, and say so.
//   - A month is an int that grows by one from each calendar month to the next, with any origin.
package score

import (
	"errors"
	"fmt"
	"math"
)

var (
	// ErrShape reports inputs of differing or zero length, or an argument outside its documented range.
	ErrShape = errors.New("score: shape or range")
	// ErrMissing reports a NaN or an infinity where a figure is needed.
	ErrMissing = errors.New("score: missing figure")
	// ErrTooFew reports a sample too small for what was asked; the caller shows another measure or none.
	ErrTooFew = errors.New("score: too few observations")
	// ErrUndefined reports that the data do not determine the answer, such as a slope when all outcomes are alike.
	ErrUndefined = errors.New("score: undefined for these data")
)

// isFinite reports whether x is neither NaN nor infinite.
func isFinite(x float64) bool {
	return !math.IsNaN(x) && !math.IsInf(x, 0)
}

// checkFinite returns an error that wraps ErrMissing and names the first row of x that is NaN or infinite.
func checkFinite(name string, x []float64) error {
	for i, v := range x {
		if !isFinite(v) {
			return fmt.Errorf("%w: %s[%d] = %v", ErrMissing, name, i, v)
		}
	}
	return nil
}

// checkWeights returns the sum of the row weights w, of length n, where nil stands for n ones.
func checkWeights(w []float64, n int) (float64, error) {
	if w == nil {
		return float64(n), nil
	}
	if len(w) != n {
		return 0, fmt.Errorf("%w: %d weights for %d rows", ErrShape, len(w), n)
	}
	if err := checkFinite("weight", w); err != nil {
		return 0, err
	}
	sum := 0.0
	for i, v := range w {
		if v < 0 {
			return 0, fmt.Errorf("%w: weight[%d] = %v is negative", ErrShape, i, v)
		}
		sum += v
	}
	if sum <= 0 {
		return 0, fmt.Errorf("%w: weights sum to zero", ErrShape)
	}
	return sum, nil
}

// weightAt returns w[i], or 1 where w is nil.
func weightAt(w []float64, i int) float64 {
	if w == nil {
		return 1
	}
	return w[i]
}
