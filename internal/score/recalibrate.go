package score

import (
	"fmt"
	"math"
)

// Recalibrate fits the logistic recalibration of the forecasts p of the events y by maximum likelihood:
//
//	ln(P/(1-P)) = intercept + slope * ln(p/(1-p))
//
// A calibrated forecast has intercept 0 and slope 1; a slope under 1 means forecasts too far from the base rate. p is
// clipped to [ProbFloor, 1-ProbFloor] first. The error wraps ErrUndefined if some threshold of p separates events from
// non-events (then no finite fit exists; this covers equal forecasts and equal outcomes), ErrShape for differing lengths
// or p outside [0, 1] and ErrMissing for NaN.
//
// Source: Cox, Two further applications of a model for binary regression (1958).
func Recalibrate(p []float64, y []bool) (intercept, slope float64, err error) {
	if len(p) != len(y) {
		return 0, 0, fmt.Errorf("%w: %d forecasts, %d outcomes", ErrShape, len(p), len(y))
	}
	if err := checkProbabilities(p); err != nil {
		return 0, 0, err
	}
	x := make([]float64, len(p))
	centre := 0.0
	minOf, maxOf := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for i, v := range p {
		v = min(max(v, ProbFloor), 1-ProbFloor)
		x[i] = math.Log(v / (1 - v))
		centre += x[i] / float64(len(x))
		k := 0
		if y[i] {
			k = 1
		}
		minOf[k], maxOf[k] = min(minOf[k], x[i]), max(maxOf[k], x[i])
	}
	if maxOf[0] <= minOf[1] || maxOf[1] <= minOf[0] {
		return 0, 0, fmt.Errorf("%w: forecasts separate events from non-events", ErrUndefined)
	}
	// Newton on the convex negative log-likelihood of a + b*(x - centre), halving steps that raise it beyond rounding.
	a, b := centre, 1.0
	loss := recalibrationLoss(x, y, centre, a, b)
	for range 200 {
		da, db, err := recalibrationStep(x, y, centre, a, b)
		if err != nil {
			return 0, 0, err
		}
		step := 1.0
		next := recalibrationLoss(x, y, centre, a+da, b+db)
		for next > loss*(1+1e-13) && step > 1e-9 {
			step /= 2
			next = recalibrationLoss(x, y, centre, a+step*da, b+step*db)
		}
		a, b, loss = a+step*da, b+step*db, next
		if step*(math.Abs(da)+math.Abs(db)) < 1e-10 {
			return a - b*centre, b, nil
		}
	}
	return 0, 0, fmt.Errorf("%w: no convergence", ErrUndefined)
}

// recalibrationStep returns the Newton step of recalibrationLoss at (a, b).
func recalibrationStep(x []float64, y []bool, centre, a, b float64) (da, db float64, err error) {
	var ga, gb, haa, hab, hbb float64
	for i, v := range x {
		v -= centre
		q := 1 / (1 + math.Exp(-(a + b*v)))
		r := q
		if y[i] {
			r--
		}
		w := q * (1 - q)
		ga += r
		gb += r * v
		haa += w
		hab += w * v
		hbb += w * v * v
	}
	det := haa*hbb - hab*hab
	if !(det > 0) {
		return 0, 0, fmt.Errorf("%w: the likelihood is flat", ErrUndefined)
	}
	return (hab*gb - hbb*ga) / det, (hab*ga - haa*gb) / det, nil
}

// recalibrationLoss returns sum ln(1 + e^-s), s the log-odds given to what happened.
func recalibrationLoss(x []float64, y []bool, centre, a, b float64) float64 {
	sum := 0.0
	for i, v := range x {
		s := a + b*(v-centre)
		if !y[i] {
			s = -s
		}
		if s > 0 {
			sum += math.Log1p(math.Exp(-s))
		} else {
			sum += math.Log1p(math.Exp(s)) - s
		}
	}
	return sum
}
