package gbdt

import "math"

// Metric judges raw scores against targets.
type Metric struct {
	Name string
	// Eval returns the figure for raw scores that stand row after row, Outputs of them a row.
	Eval func(raw []float64, t Targets) float64
	// HigherIsBetter is false for losses.
	HigherIsBetter bool
}

// better reports whether figure a beats figure b.
func (m *Metric) better(a, b float64) bool {
	if m.HigherIsBetter {
		return a > b
	}
	return a < b
}

// DefaultMetric returns the weighted mean of what the loss of p is named for: mean squared or absolute error, Huber or
// pinball loss, deviance, or log loss; for a custom loss the mean squared error of the first raw score.
func DefaultMetric(p Params) Metric {
	switch p.Loss {
	case AbsoluteError:
		return meanMetric("l1", 1, func(raw []float64, y float64) float64 { return math.Abs(raw[0] - y) })
	case Huber:
		return meanMetric("huber", 1, func(raw []float64, y float64) float64 {
			d := math.Abs(raw[0] - y)
			if d <= p.HuberDelta {
				return d * d / 2
			}
			return p.HuberDelta * (d - p.HuberDelta/2)
		})
	case Poisson:
		return meanMetric("poisson_deviance", 1, func(raw []float64, y float64) float64 {
			return 2 * (float64(xLogX(y)-float64(y*raw[0])) - y + exp64(raw[0]))
		})
	case Tweedie:
		return meanMetric("tweedie", 1, func(raw []float64, y float64) float64 {
			q := p.TweediePower
			return exp64((2-q)*raw[0])/(2-q) - y*exp64((1-q)*raw[0])/(1-q)
		})
	case CrossEntropy:
		return meanMetric("cross_entropy", 1, func(raw []float64, y float64) float64 {
			return float64(y*log1pExp(-raw[0])) + float64((1-y)*log1pExp(raw[0]))
		})
	case OneVsRest:
		return meanMetric("one_vs_rest_logloss", p.NumClass, func(raw []float64, y float64) float64 {
			sum := 0.0
			for k, x := range raw {
				if float64(k) == y {
					x = -x
				}
				sum += log1pExp(x)
			}
			return sum
		})
	case Quantile:
		return meanMetric("quantile", 1, func(raw []float64, y float64) float64 {
			if y > raw[0] {
				return p.Alpha * (y - raw[0])
			}
			return (1 - p.Alpha) * (raw[0] - y)
		})
	case Gamma:
		return meanMetric("gamma_deviance", 1, func(raw []float64, y float64) float64 {
			ratio := float64(y * exp64(-raw[0]))
			return 2 * (ratio - 1 - log64(ratio))
		})
	case Logistic:
		return meanMetric("binary_logloss", 1, func(raw []float64, y float64) float64 {
			if y > 0 {
				return log1pExp(-raw[0])
			}
			return log1pExp(raw[0])
		})
	case Softmax:
		return meanMetric("multi_logloss", p.NumClass, func(raw []float64, y float64) float64 {
			top := raw[0]
			for _, x := range raw[1:] {
				top = max(top, x)
			}
			sum := 0.0
			for _, x := range raw {
				sum += exp64(x - top)
			}
			return log64(sum) + top - raw[int(y)]
		})
	}
	return meanMetric("l2", p.outputs(), func(raw []float64, y float64) float64 {
		return (raw[0] - y) * (raw[0] - y)
	})
}

// xLogX returns x*log(x), 0 for 0.
func xLogX(x float64) float64 {
	if x == 0 {
		return 0
	}
	return float64(x * log64(x))
}

// log1pExp returns log(1+exp(x)).
func log1pExp(x float64) float64 {
	if x > 0 {
		return x + log64(1+exp64(-x))
	}
	return log64(1 + exp64(x))
}

// meanMetric is the weighted mean of loss over the rows, each with the given number of raw scores. The loss of a
// label that its objective refuses is not defined.
func meanMetric(name string, outputs int, loss func(raw []float64, y float64) float64) Metric {
	return Metric{Name: name, Eval: func(raw []float64, t Targets) float64 {
		sum, weights := 0.0, 0.0
		for i, y := range t.Labels {
			w := t.weight(i)
			sum += float64(w * loss(raw[i*outputs:(i+1)*outputs], y))
			weights += w
		}
		if weights == 0 {
			return math.NaN()
		}
		return sum / weights
	}}
}
