package gbdt

import (
	"math"
	"slices"
)

// applyLink turns the raw scores of one row into link outputs, in place, in the arithmetic of the model's family.
func (p *Predictor) applyLink(y []float64) {
	if p.model.Family == XGBoost {
		p.link.applyFloat32(y)
		return
	}
	if p.model.AverageOutput && p.rounds > 0 {
		for k := range y {
			y[k] /= float64(p.rounds)
		}
	}
	sigmoid := p.model.Objective.Sigmoid
	if sigmoid == 0 {
		sigmoid = 1
	}
	p.link.applyFloat64(y, sigmoid)
}

// applyFloat64 is the link as LightGBM computes it.
func (l Link) applyFloat64(y []float64, sigmoid float64) {
	switch l {
	case LinkSigmoid:
		for k, x := range y {
			y[k] = 1 / (1 + exp64(-sigmoid*x))
		}
	case LinkSoftmax:
		softmax64(y)
	case LinkExp:
		for k, x := range y {
			y[k] = exp64(x)
		}
	case LinkLog1pExp:
		for k, x := range y {
			y[k] = math.Log1p(exp64(x))
		}
	case LinkSignedSquare:
		for k, x := range y {
			y[k] = math.Copysign(x*x, x)
		}
	}
}

// softmax64 turns scores into probabilities: LightGBM's order of operations.
func softmax64(y []float64) {
	top := y[0]
	for _, x := range y[1:] {
		top = max(top, x)
	}
	sum := 0.0
	for k, x := range y {
		y[k] = exp64(x - top)
		sum += y[k]
	}
	for k := range y {
		y[k] /= sum
	}
}

// applyFloat32 is the link as XGBoost computes it; y holds float32 values before and after.
func (l Link) applyFloat32(y []float64) {
	switch l {
	case LinkSigmoid:
		for k, x := range y {
			y[k] = float64(sigmoid32(float32(x)))
		}
	case LinkSoftmax:
		top := float32(y[0])
		for _, x := range y[1:] {
			top = max(top, float32(x))
		}
		sum := 0.0
		for k, x := range y {
			y[k] = float64(exp32(float32(x) - top))
			sum += y[k]
		}
		for k := range y {
			y[k] = float64(float32(y[k]) / float32(sum))
		}
	case LinkExp:
		for k, x := range y {
			y[k] = float64(exp32(float32(x)))
		}
	case LinkStep:
		for k, x := range y {
			y[k] = 0
			if x > 0 {
				y[k] = 1
			}
		}
	case LinkSorted:
		slices.Sort(y)
	}
}

// sigmoid32 is XGBoost's 1/(1+exp(-x)) in float32.
func sigmoid32(x float32) float32 {
	const eps = float32(1e-16)
	return 1 / (exp32(min(-x, 88.7)) + 1 + eps)
}
