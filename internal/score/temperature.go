package score

import (
	"fmt"
	"math"
)

// Objective is the mean score that a calibrator minimises.
type Objective int

const (
	// MinLogLoss minimises LogLoss.
	MinLogLoss Objective = iota
	// MinRPS minimises RPS.
	MinRPS
)

// String returns "log loss" or "RPS".
func (o Objective) String() string {
	switch o {
	case MinLogLoss:
		return "log loss"
	case MinRPS:
		return "RPS"
	}
	return fmt.Sprintf("Objective(%d)", int(o))
}

func (o Objective) score(p Probs, y int) float64 {
	if o == MinRPS {
		return RPS(p, y)
	}
	loss, _ := LogLoss(p, y)
	return loss
}

// TemperatureMin and TemperatureMax bound what FitTemperature may answer. A fit at a bound says that the forecasts are
// worth little (or that they are absurdly timid), not that more of the same would help.
const (
	TemperatureMin = 0.2
	TemperatureMax = 5.0
)

// ApplyTemperature returns p_k^(1/t) / sum_j p_j^(1/t): t > 1 flattens the forecast, t < 1 sharpens it, 1 returns p up to
// rounding. A class with p = 0 keeps 0. The result is NaN if t is not positive and finite or p has a NaN.
//
// Source: Guo et al., On calibration of modern neural networks (2017).
func ApplyTemperature(p Probs, t float64) Probs {
	if !(t > 0) || math.IsInf(t, 1) {
		return Probs{math.NaN(), math.NaN(), math.NaN(), math.NaN()}
	}
	var z [Classes]float64
	for k, v := range p {
		z[k] = math.Log(v) / t
	}
	return softmax(z)
}

// softmax returns exp(z_k) / sum exp(z_j); -Inf gives 0.
func softmax(z [Classes]float64) Probs {
	top := z[0]
	for _, v := range z[1:] {
		top = math.Max(top, v)
	}
	sum := 0.0
	for k, v := range z {
		z[k] = math.Exp(v - top)
		sum += z[k]
	}
	for k := range z {
		z[k] /= sum
	}
	return z
}

// FitTemperature returns the temperature in [TemperatureMin, TemperatureMax] with the least weighted mean score of the
// forecasts p for the outcomes y: a scan of 33 values equally spaced in ln t, then golden-section search between the best
// one's neighbours. Without improvement over t = 1 it answers 1. w holds row weights >= 0, nil for equal ones; only
// purged out-of-fold forecasts belong here. The error wraps ErrShape for differing lengths, a class out of range, negative
// weights or an unknown objective, ErrTooFew for no rows and ErrMissing for a NaN.
func FitTemperature(p []Probs, y []int, w []float64, o Objective) (float64, error) {
	if o != MinLogLoss && o != MinRPS {
		return 0, fmt.Errorf("%w: %v", ErrShape, o)
	}
	if _, err := checkForecasts(p, y, w); err != nil {
		return 0, err
	}
	loss := func(lnT float64) float64 {
		t, sum := math.Exp(lnT), 0.0
		for i := range p {
			sum += weightAt(w, i) * o.score(ApplyTemperature(p[i], t), y[i])
		}
		return sum
	}
	const steps = 32
	from, to := math.Log(TemperatureMin), math.Log(TemperatureMax)
	step := (to - from) / steps
	best, bestLoss := 0.0, loss(0)
	unit := bestLoss
	for i := range steps + 1 {
		at := from + float64(i)*step
		if l := loss(at); l < bestLoss {
			best, bestLoss = at, l
		}
	}
	x := goldenSection(loss, max(from, best-step), min(to, best+step), 1e-7)
	if l := loss(x); l < bestLoss {
		best, bestLoss = x, l
	}
	if bestLoss > unit*(1-1e-12) {
		return 1, nil
	}
	return math.Exp(best), nil
}

// goldenSection returns the place of the minimum of f, unimodal in [a, b], within tol.
//
// Source: Kiefer, Sequential minimax search for a maximum (1953).
func goldenSection(f func(float64) float64, a, b, tol float64) float64 {
	ratio := (math.Sqrt(5) - 1) / 2
	c, d := b-ratio*(b-a), a+ratio*(b-a)
	fc, fd := f(c), f(d)
	for b-a > tol {
		if fc <= fd {
			b, d, fd = d, c, fc
			c = b - ratio*(b-a)
			fc = f(c)
		} else {
			a, c, fc = c, d, fd
			d = a + ratio*(b-a)
			fd = f(d)
		}
	}
	return (a + b) / 2
}

// checkForecasts returns the sum of the weights, or an error if the rows cannot be fitted.
func checkForecasts(p []Probs, y []int, w []float64) (float64, error) {
	if len(p) != len(y) {
		return 0, fmt.Errorf("%w: %d forecasts, %d outcomes", ErrShape, len(p), len(y))
	}
	if len(p) == 0 {
		return 0, fmt.Errorf("%w: no rows", ErrTooFew)
	}
	for i := range p {
		if y[i] < 0 || y[i] >= Classes {
			return 0, fmt.Errorf("%w: class %d in row %d", ErrShape, y[i], i)
		}
		if err := checkProbabilities(p[i][:]); err != nil {
			return 0, fmt.Errorf("row %d: %w", i, err)
		}
	}
	return checkWeights(w, len(p))
}
