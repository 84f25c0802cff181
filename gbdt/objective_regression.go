package gbdt

import (
	"errors"
	"fmt"
	"math"
)

// absoluteLoss is |y - raw|: its leaves are medians of the residuals.
type absoluteLoss struct{ quantileLoss }

var _ leafRenewer = absoluteLoss{}

func (absoluteLoss) model(f Family) Objective {
	return Objective{Name: familyName(f, "regression_l1", "reg:absoluteerror")}
}

func (absoluteLoss) gradients(b *GradientBatch) {
	for i, y := range b.Labels {
		d := b.Scores[0][i] - y
		if d != 0 {
			d = math.Copysign(1, d)
		}
		b.Gradient[0][i], b.Hessian[0][i] = d, 1
	}
}

// huberLoss is (raw-y)**2/2 up to |raw-y| = delta and grows in a straight line from there (LightGBM), or the smooth
// delta**2*(sqrt(1+((raw-y)/delta)**2)-1) (XGBoost).
type huberLoss struct {
	squaredLoss
	delta  float64
	family Family
}

func (huberLoss) model(f Family) Objective {
	return Objective{Name: familyName(f, "huber", "reg:pseudohubererror")}
}

func (o huberLoss) gradients(b *GradientBatch) {
	for i, y := range b.Labels {
		d := b.Scores[0][i] - y
		if o.family == LightGBM {
			b.Gradient[0][i], b.Hessian[0][i] = min(max(d, -o.delta), o.delta), 1
			continue
		}
		z := d / o.delta
		scale := 1 + float64(z*z)
		root := math.Sqrt(scale)
		b.Gradient[0][i], b.Hessian[0][i] = d/root, 1/(scale*root)
	}
}

// countLabels reports labels below 0, or only zeros, of which no logarithm of a mean can be had.
func countLabels(loss Loss, labels []float64) error {
	sum := 0.0
	for i, y := range labels {
		if y < 0 {
			return fmt.Errorf("gbdt: label %v of row %d: the %s loss wants labels of 0 or more", y, i, loss)
		}
		sum += y
	}
	if sum == 0 {
		return fmt.Errorf("gbdt: the %s loss wants a label above 0", loss)
	}
	return nil
}

// poissonLoss is the deviance of the Poisson distribution with mean exp(raw), without its constant: exp(raw) - y*raw.
type poissonLoss struct{ gammaLoss }

// poissonStep is added to the raw score in second derivatives, so that steps stay small, as both libraries do.
const poissonStep = 0.7

func (poissonLoss) check(labels []float64) error { return countLabels(Poisson, labels) }

func (poissonLoss) model(f Family) Objective {
	return Objective{Name: familyName(f, "poisson", "count:poisson")}
}

func (poissonLoss) gradients(b *GradientBatch) {
	for i, y := range b.Labels {
		raw := b.Scores[0][i]
		b.Gradient[0][i] = exp64(raw) - y
		b.Hessian[0][i] = exp64(raw + poissonStep)
	}
}

// tweedieLoss is the deviance of the Tweedie distribution with mean exp(raw) and a variance proportional to
// mean**power, without its constant: exp((2-power)*raw)/(2-power) - y*exp((1-power)*raw)/(1-power).
type tweedieLoss struct {
	gammaLoss
	power float64
}

func (tweedieLoss) check(labels []float64) error { return countLabels(Tweedie, labels) }

func (tweedieLoss) model(f Family) Objective {
	return Objective{Name: familyName(f, "tweedie", "reg:tweedie")}
}

func (o tweedieLoss) gradients(b *GradientBatch) {
	for i, y := range b.Labels {
		raw := b.Scores[0][i]
		e1 := float64(y * exp64(float64((1-o.power)*raw)))
		e2 := exp64(float64((2 - o.power) * raw))
		b.Gradient[0][i] = e2 - e1
		b.Hessian[0][i] = float64((2-o.power)*e2) - float64((1-o.power)*e1)
	}
}

// CustomObjective is a loss of the caller's. A LightGBM model of it says nothing of an objective, an XGBoost model says
// reg:squarederror; both answer raw scores.
type CustomObjective struct {
	// Start returns the best constant raw score of an output; nil means 0.
	Start func(output int, t Targets) float64
	// Gradients sets the derivatives of a batch. It is called for several batches at the same time and gives the same
	// for the same batch, or the model will depend on the number of threads. A second derivative below 0 ends the
	// training with ErrDiverged.
	Gradients func(b *GradientBatch)
}

var _ objective = (*CustomObjective)(nil)

func (*CustomObjective) check([]float64) error { return nil }

func (*CustomObjective) model(f Family) Objective {
	return Objective{Name: familyName(f, "", "reg:squarederror")}
}

func (o *CustomObjective) start(k int, t *Targets) float64 {
	if o.Start == nil {
		return 0
	}
	return o.Start(k, *t)
}

func (o *CustomObjective) gradients(b *GradientBatch) {
	o.Gradients(b)
	for _, hessian := range b.Hessian {
		for i, h := range hessian {
			if h < 0 {
				hessian[i] = math.NaN() // which the check of the sums finds
			}
		}
	}
}

// errBalanced tells why BalancedWeights has no answer.
var errBalanced = errors.New("gbdt: a label is no class, or a class has no rows")

// BalancedWeights returns the ClassWeights that let each of the classes 0 ... classes-1 weigh the same in total:
// rows/(classes*rows of the class). The error tells of a label that is no class and of a class without rows.
func BalancedWeights(labels []float64, classes int) ([]float64, error) {
	weights := make([]float64, max(classes, 0))
	for _, y := range labels {
		if !(y >= 0 && y < float64(classes)) || y != math.Trunc(y) {
			return nil, errBalanced
		}
		weights[int(y)]++
	}
	for c, n := range weights {
		if n == 0 {
			return nil, errBalanced
		}
		weights[c] = float64(len(labels)) / (float64(classes) * n)
	}
	return weights, nil
}
