package score

import (
	"fmt"
	"slices"
	"sort"
)

// IsotonicMinEffective is the number of effective cases under which FitIsotonic refuses.
const IsotonicMinEffective = 30

// PAVA returns the non-decreasing sequence closest to y in weighted least squares, by pooling adjacent violators, in
// linear time. w holds positive weights of the same length, nil for equal ones. It panics if the lengths differ.
//
// Source: Ayer et al., An empirical distribution function for sampling with incomplete information (1955).
func PAVA(y, w []float64) []float64 {
	if w != nil && len(w) != len(y) {
		panic("score: shape of PAVA")
	}
	type pool struct {
		value, weight float64
		rows          int
	}
	pools := make([]pool, 0, len(y))
	for i, v := range y {
		pools = append(pools, pool{v, weightAt(w, i), 1})
		for n := len(pools); n > 1 && pools[n-2].value >= pools[n-1].value; n-- {
			a, b := pools[n-2], pools[n-1]
			weight := a.weight + b.weight
			pools[n-2] = pool{(a.value*a.weight + b.value*b.weight) / weight, weight, a.rows + b.rows}
			pools = pools[:n-1]
		}
	}
	out := make([]float64, 0, len(y))
	for _, p := range pools {
		for range p.rows {
			out = append(out, p.value)
		}
	}
	return out
}

// A Step is a corner of an isotonic map: at forecast X the calibrated probability is Y.
type Step struct {
	X, Y float64
}

// Isotonic calibrates the cumulative probabilities F_0, F_1, F_2 of a forecast, each through its own non-decreasing map,
// linear between corners and constant outside them. Fit it with FitIsotonic.
type Isotonic struct {
	// Maps of the thresholds P(y <= 0), P(y <= 1), P(y <= 2); corners in order of X, at least one each.
	Maps [Classes - 1][]Step
}

// FitIsotonic fits the three maps by PAVA to the outcomes y of the forecasts p, rows of equal forecast pooled first.
// effective is the number of independent cases in the rows; under IsotonicMinEffective the error wraps ErrTooFew. w holds
// row weights >= 0 (rows of weight 0 are left out), nil for equal ones; only purged out-of-fold forecasts belong here.
// Other errors as for FitTemperature. Beyond the rows it saw the map can be 0 or 1: mind the log loss.
func FitIsotonic(p []Probs, y []int, w []float64, effective float64) (Isotonic, error) {
	if _, err := checkForecasts(p, y, w); err != nil {
		return Isotonic{}, err
	}
	if !(effective >= IsotonicMinEffective) {
		return Isotonic{}, fmt.Errorf("%w: isotonic calibration needs %d effective cases, have %.1f", ErrTooFew, IsotonicMinEffective, effective)
	}
	var iso Isotonic
	forecast := make([]float64, len(p))
	order := make([]int, 0, len(p))
	for k := range iso.Maps {
		order = order[:0]
		for i := range p {
			forecast[i] = cumulative(p[i])[k]
			if weightAt(w, i) > 0 {
				order = append(order, i)
			}
		}
		sortByKey(order, forecast)
		var x, rate, weight []float64
		for at, i := range order {
			if at == 0 || forecast[i] != forecast[order[at-1]] {
				x, rate, weight = append(x, forecast[i]), append(rate, 0), append(weight, 0)
			}
			last := len(x) - 1
			weight[last] += weightAt(w, i)
			if y[i] <= k {
				rate[last] += weightAt(w, i)
			}
		}
		for j := range rate {
			rate[j] /= weight[j]
		}
		fit := PAVA(rate, weight)
		for j := range fit {
			inside := j > 0 && j < len(fit)-1 && fit[j-1] == fit[j] && fit[j] == fit[j+1]
			if !inside {
				iso.Maps[k] = append(iso.Maps[k], Step{X: x[j], Y: fit[j]})
			}
		}
	}
	return iso, nil
}

// Validate returns an error that wraps ErrShape unless each map has corners, in increasing X and non-decreasing Y, all
// within [0, 1]. Call it after reading an Isotonic from a file.
func (iso Isotonic) Validate() error {
	for k, steps := range iso.Maps {
		if len(steps) == 0 {
			return fmt.Errorf("%w: isotonic map %d has no corners", ErrShape, k)
		}
		for i, s := range steps {
			// X may pass 1 by the rounding of a sum of probabilities.
			if !(s.X >= 0 && s.X <= 1+1e-9 && s.Y >= 0 && s.Y <= 1) || i > 0 && !(steps[i-1].X < s.X && steps[i-1].Y <= s.Y) {
				return fmt.Errorf("%w: isotonic map %d, corner %d: %+v", ErrShape, k, i, s)
			}
		}
	}
	return nil
}

// Apply returns the calibrated forecast: the three mapped cumulative probabilities, sorted so that they cannot cross,
// and their differences. The receiver must pass Validate.
func (iso Isotonic) Apply(p Probs) Probs {
	cum := cumulative(p)
	for k := range cum {
		cum[k] = interpolate(iso.Maps[k], cum[k])
	}
	slices.Sort(cum[:])
	return Probs{cum[0], cum[1] - cum[0], cum[2] - cum[1], 1 - cum[2]}
}

// cumulative returns F_0, F_1, F_2.
func cumulative(p Probs) [Classes - 1]float64 {
	return [Classes - 1]float64{p[0], p[0] + p[1], p[0] + p[1] + p[2]}
}

func interpolate(steps []Step, x float64) float64 {
	j := sort.Search(len(steps), func(i int) bool { return steps[i].X >= x })
	switch {
	case j == len(steps):
		return steps[j-1].Y
	case j == 0 || steps[j].X == x:
		return steps[j].Y
	}
	a, b := steps[j-1], steps[j]
	return a.Y + (b.Y-a.Y)*(x-a.X)/(b.X-a.X)
}
