package gbdt

import "fmt"

// crossEntropyLoss is the log loss of labels that are probabilities.
type crossEntropyLoss struct{ logisticLoss }

func (crossEntropyLoss) check(labels []float64) error {
	for i, y := range labels {
		if !(y >= 0 && y <= 1) {
			return fmt.Errorf("gbdt: label %v of row %d: the cross entropy wants probabilities", y, i)
		}
	}
	return nil
}

func (crossEntropyLoss) model(f Family) Objective {
	return Objective{Name: familyName(f, "cross_entropy", "reg:logistic")}
}

// oneVsRestLoss is the sum of the log losses of each class against all others.
type oneVsRestLoss struct{ softmaxLoss }

func (oneVsRestLoss) model(Family) Objective {
	return Objective{Name: "multiclassova", Sigmoid: 1}
}

func (o oneVsRestLoss) start(k int, t *Targets) float64 {
	p := startProbability(weightedMean(t, func(i int) float64 { return isClass(t.Labels[i], k) }))
	return log64(p / (1 - p))
}

func isClass(label float64, k int) float64 {
	if label == float64(k) {
		return 1
	}
	return 0
}

func (o oneVsRestLoss) gradients(b *GradientBatch) {
	var labels [gradientRows]float64
	for k, scores := range b.Scores {
		for i, y := range b.Labels {
			labels[i] = isClass(y, k)
		}
		logisticGradients(scores, labels[:len(b.Labels)], b.Gradient[k], b.Hessian[k])
	}
}

// classWeighted returns the weights of the rows times those of their classes; nil if all are 1.
func classWeighted(p *Params, t *Targets) []float64 {
	if p.ClassWeights == nil {
		return t.Weights
	}
	weights := make([]float64, len(t.Labels))
	for i, y := range t.Labels {
		weights[i] = t.weight(i) * p.ClassWeights[int(y)]
	}
	return weights
}
