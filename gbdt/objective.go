package gbdt

import (
	"fmt"
	"math"
	"slices"
)

// objective is a Loss as training needs it. Scores stand by output: scores[k][i] is raw score k of row i.
type objective interface {
	// check reports labels that the loss does not take.
	check(labels []float64) error
	// model returns the objective of the model that is made.
	model(f Family) Objective
	// start returns the best constant raw score of output k.
	start(k int, t *Targets) float64
	// gradients sets the derivatives of the batch.
	gradients(b *GradientBatch)
}

// leafRenewer is an objective whose leaf values are not the quotient of gradients and hessians.
type leafRenewer interface {
	// renew returns the best value of a leaf with the given residuals (label less raw score) and weights (nil: all 1).
	// It may change the order in both.
	renew(residuals, weights []float64) float64
}

func newObjective(p *Params) objective {
	switch p.Loss {
	case Quantile:
		return quantileLoss{p.Alpha}
	case Gamma:
		return gammaLoss{}
	case Logistic:
		return logisticLoss{}
	case Softmax:
		return softmaxLoss{p.NumClass, p.Family}
	case OneVsRest:
		return oneVsRestLoss{softmaxLoss{p.NumClass, p.Family}}
	case CrossEntropy:
		return crossEntropyLoss{}
	case AbsoluteError:
		return absoluteLoss{quantileLoss{0.5}}
	case Huber:
		return huberLoss{delta: p.HuberDelta, family: p.Family}
	case Poisson:
		return poissonLoss{}
	case Tweedie:
		return tweedieLoss{power: p.TweediePower}
	}
	return squaredLoss{}
}

// familyName returns the name for the family.
func familyName(f Family, lightgbm, xgboost string) string {
	if f == XGBoost {
		return xgboost
	}
	return lightgbm
}

// weightedMean returns the mean of value(i) over the rows.
func weightedMean(t *Targets, value func(i int) float64) float64 {
	sum, weights := 0.0, 0.0
	for i := range t.Labels {
		w := t.weight(i)
		sum += float64(w * value(i))
		weights += w
	}
	return sum / weights
}

// squaredLoss is (raw - y)**2 / 2.
type squaredLoss struct{}

func (squaredLoss) check([]float64) error { return nil }

func (squaredLoss) model(f Family) Objective {
	return Objective{Name: familyName(f, "regression", "reg:squarederror")}
}

func (squaredLoss) start(_ int, t *Targets) float64 {
	return weightedMean(t, func(i int) float64 { return t.Labels[i] })
}

func (squaredLoss) gradients(b *GradientBatch) {
	for i, y := range b.Labels {
		b.Gradient[0][i] = b.Scores[0][i] - y
		b.Hessian[0][i] = 1
	}
}

// gammaLoss is the deviance of the gamma distribution with mean exp(raw), without its constant: y*exp(-raw) + raw.
type gammaLoss struct{}

func (gammaLoss) check(labels []float64) error {
	for i, y := range labels {
		if !(y > 0) {
			return fmt.Errorf("gbdt: label %v of row %d: the gamma loss wants labels above 0", y, i)
		}
	}
	return nil
}

func (gammaLoss) model(f Family) Objective {
	return Objective{Name: familyName(f, "gamma", "reg:gamma")}
}

func (gammaLoss) start(_ int, t *Targets) float64 {
	return log64(weightedMean(t, func(i int) float64 { return t.Labels[i] }))
}

func (gammaLoss) gradients(b *GradientBatch) {
	for i, y := range b.Labels {
		h := float64(y * exp64(-b.Scores[0][i]))
		b.Gradient[0][i] = 1 - h
		b.Hessian[0][i] = h
	}
}

// leastHessian is the smallest second derivative where the loss flattens out, as in XGBoost.
const leastHessian = 1e-16

// startProbability bounds a share of rows before its log-odds or logarithm is taken.
func startProbability(p float64) float64 { return min(max(p, 1e-15), 1-1e-15) }

// logisticLoss is the log loss of P(y = 1) = 1/(1+exp(-raw)).
type logisticLoss struct{}

func (logisticLoss) check(labels []float64) error {
	for i, y := range labels {
		if y != 0 && y != 1 {
			return fmt.Errorf("gbdt: label %v of row %d: the logistic loss wants 0 or 1", y, i)
		}
	}
	return nil
}

func (logisticLoss) model(f Family) Objective {
	if f == XGBoost {
		return Objective{Name: "binary:logistic"}
	}
	return Objective{Name: "binary", Sigmoid: 1}
}

func (logisticLoss) start(_ int, t *Targets) float64 {
	p := startProbability(weightedMean(t, func(i int) float64 { return t.Labels[i] }))
	return log64(p / (1 - p))
}

func (logisticLoss) gradients(b *GradientBatch) {
	logisticGradients(b.Scores[0], b.Labels, b.Gradient[0], b.Hessian[0])
}

// logisticGradients sets the derivatives of the log loss of labels from 0 to 1.
func logisticGradients(scores, labels, gradient, hessian []float64) {
	scores, gradient, hessian = scores[:len(labels)], gradient[:len(labels)], hessian[:len(labels)]
	for i, x := range scores {
		gradient[i] = -x
	}
	expRun(gradient)
	for i, y := range labels {
		p := 1 / (1 + gradient[i])
		gradient[i] = p - y
		hessian[i] = max(float64(p*(1-p)), leastHessian)
	}
}

// softmaxLoss is the log loss of class probabilities proportional to exp(raw). The hessians carry the factor of the
// family: K/(K-1) in LightGBM, 2 in XGBoost.
type softmaxLoss struct {
	classes int
	family  Family
}

func (o softmaxLoss) check(labels []float64) error {
	for i, y := range labels {
		if !(y >= 0 && y < float64(o.classes)) || y != math.Trunc(y) {
			return fmt.Errorf("gbdt: label %v of row %d: the softmax loss wants a class from 0 to %d", y, i, o.classes-1)
		}
	}
	return nil
}

func (o softmaxLoss) model(f Family) Objective {
	return Objective{Name: familyName(f, "multiclass", "multi:softprob")}
}

func (o softmaxLoss) start(k int, t *Targets) float64 {
	return log64(startProbability(weightedMean(t, func(i int) float64 { return isClass(t.Labels[i], k) })))
}

func (o softmaxLoss) gradients(b *GradientBatch) {
	factor := 2.0
	if o.family == LightGBM {
		factor = float64(o.classes) / float64(o.classes-1)
	}
	n := len(b.Labels)
	var tops, sums [gradientRows]float64
	top, sum := tops[:n], sums[:n]
	copy(top, b.Scores[0])
	for _, scores := range b.Scores[1:] {
		for i, x := range scores[:len(top)] {
			top[i] = max(top[i], x)
		}
	}
	for k, scores := range b.Scores {
		p, top, sum := b.Gradient[k][:len(scores)], top[:len(scores)], sum[:len(scores)]
		for i, x := range scores {
			p[i] = x - top[i]
		}
		expRun(p)
		for i, e := range p {
			sum[i] += e
		}
	}
	for k, p := range b.Gradient {
		hessian, sum := b.Hessian[k][:len(p)], sum[:len(p)]
		for i := range p {
			q := p[i] / sum[i]
			p[i] = q
			hessian[i] = max(float64(float64(factor*q)*(1-q)), leastHessian)
		}
	}
	for i, y := range b.Labels {
		b.Gradient[int(y)][i] -= 1
	}
}

// quantileLoss is the pinball loss of level alpha: alpha*(y-raw) where y > raw, else (1-alpha)*(raw-y). Its second
// derivative is taken for 1 and its leaves are quantiles of the residuals.
type quantileLoss struct{ alpha float64 }

var _ leafRenewer = quantileLoss{}

func (quantileLoss) check([]float64) error { return nil }

func (o quantileLoss) model(f Family) Objective {
	return Objective{Name: familyName(f, "quantile", "reg:quantileerror"), Alpha: []float64{o.alpha}}
}

func (o quantileLoss) start(_ int, t *Targets) float64 {
	return weightedQuantile(slices.Clone(t.Labels), slices.Clone(t.Weights), o.alpha)
}

func (o quantileLoss) gradients(b *GradientBatch) {
	for i, y := range b.Labels {
		b.Gradient[0][i] = -o.alpha
		if b.Scores[0][i] >= y {
			b.Gradient[0][i] = 1 - o.alpha
		}
		b.Hessian[0][i] = 1
	}
}

func (o quantileLoss) renew(residuals, weights []float64) float64 {
	return weightedQuantile(residuals, weights, o.alpha)
}

// weightedQuantile returns the smallest value v for which the values up to v have at least the part alpha of all the
// weight, or, where they have exactly that part, the mean of v and the next value. A weight of n counts like n values
// of weight 1; nil weights are all 1. It sorts the values and, with them, the weights. There is at least one value
// with a weight above 0.
func weightedQuantile(values, weights []float64, alpha float64) float64 {
	if weights == nil {
		slices.Sort(values)
		return quantileAt(values, alpha, float64(len(values)), func(int) float64 { return 1 })
	}
	order := make([]int, 0, len(values))
	total := 0.0
	for i, w := range weights {
		if w > 0 {
			order = append(order, i)
			total += w
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case values[a] < values[b]:
			return -1
		case values[a] > values[b]:
			return 1
		}
		return a - b
	})
	sorted := make([]float64, len(order))
	for i, o := range order {
		sorted[i] = values[o]
	}
	return quantileAt(sorted, alpha, total, func(i int) float64 { return weights[order[i]] })
}

func quantileAt(sorted []float64, alpha, total float64, weight func(i int) float64) float64 {
	below := 0.0
	for i, v := range sorted {
		below += weight(i)
		if excess := below - float64(alpha*total); excess > 1e-12*total {
			return v
		} else if excess >= -1e-12*total && i+1 < len(sorted) {
			return float64(v/2) + float64(sorted[i+1]/2)
		}
	}
	return sorted[len(sorted)-1]
}
