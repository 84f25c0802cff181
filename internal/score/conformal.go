package score

import (
	"fmt"
	"math"
	"slices"
)

// AdaptiveMin and AdaptiveMax clip the miss rate of adaptive conformal inference.
const (
	AdaptiveMin = 0.01
	AdaptiveMax = 0.5
)

// AdaptiveMissRate returns the miss rate to aim the next interval at, after one whose outcome is now known:
//
//	a[t+1] = a[t] + g*(target - err[t]),  clipped to [AdaptiveMin, AdaptiveMax];  err = 1 if missed, else 0
//
// g is the step, 0.005 to 0.02 for monthly forecasts. The outcome of horizon h is known h+1 months late, so err[t] belongs
// to the forecast made at t-h-1.
//
// Source: Gibbs & Candès, Adaptive conformal inference under distribution shift (2021), eq. 2.
func AdaptiveMissRate(a, target, g float64, missed bool) float64 {
	if missed {
		target--
	}
	return min(max(a+g*target, AdaptiveMin), AdaptiveMax)
}

// ConformalQuantile returns the split-conformal quantile of the nonconformity scores (such as |ln M - centre|/sd) for a
// miss rate of missRate, inside (0, 1): the smallest score that at least the share ceil((n+1)(1-missRate))/n of the scores
// do not exceed, n = independent. When all scores are independent, n = len(scores), it is the classical quantile with
// guaranteed coverage; when they overlap, the caller gives the smaller number of independent ones and the share rises to
// match. The error wraps ErrTooFew if n < 1/missRate - 1 (9 for 90 %, 19 for 95 %), where no score would do, ErrShape for
// an impossible missRate or independent above len(scores), and ErrMissing for a NaN or an infinity.
//
// Source: Lei et al., Distribution-free predictive inference for regression (2018), section 2.2.
func ConformalQuantile(scores []float64, independent int, missRate float64) (float64, error) {
	if !(missRate > 0 && missRate < 1) || independent > len(scores) {
		return 0, fmt.Errorf("%w: miss rate %v, %d independent of %d scores", ErrShape, missRate, independent, len(scores))
	}
	if err := checkFinite("score", scores); err != nil {
		return 0, err
	}
	// 1e-9 keeps rounding of the product from adding a rank.
	rank := int(math.Ceil(float64(independent+1)*(1-missRate) - 1e-9))
	if independent < 1 || rank > independent {
		return 0, fmt.Errorf("%w: %d independent scores reach a miss rate of %.3g only, asked %v", ErrTooFew, max(independent, 0), 1/float64(max(independent, 0)+1), missRate)
	}
	sorted := slices.Clone(scores)
	slices.Sort(sorted)
	// The smallest i with i/len >= rank/independent, in whole numbers.
	at := (rank*len(sorted) + independent - 1) / independent
	return sorted[max(at, 1)-1], nil
}
