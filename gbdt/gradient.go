package gbdt

import (
	"fmt"
	"math"
)

// GradientBatch is a run of rows whose derivatives an objective computes. Its slices are valid during the call only.
type GradientBatch struct {
	// From is the number of the first row in the training data.
	From int
	// Scores[k][i] is raw score k of row From+i, Labels[i] its label.
	Scores [][]float64
	Labels []float64
	// Gradient[k][i] and Hessian[k][i] are to be set to the first and second derivative of the row's loss by raw score
	// k, without the row's weight. Second derivatives are 0 or more.
	Gradient, Hessian [][]float64
}

// gradientRows is the number of rows of a batch: few enough for its figures to stay in the nearest cache.
const gradientRows = 512

// gradientSums are sums over rows of |gradient| and hessian, weights included.
type gradientSums struct{ gradient, hessian float64 }

// computeGradients sets the pairs of all rows and outputs. The scales are those that the sums ask for: the pass over the
// rows uses the last round's and is repeated if they do not fit.
func (t *trainer) computeGradients() error {
	sums := t.packGradients()
	fits := true
	for k, s := range sums {
		if !isFinite(s.gradient) || !isFinite(s.hessian) {
			return fmt.Errorf("%w: the gradients of output %d add up to %v, the hessians to %v", ErrDiverged, k, s.gradient, s.hessian)
		}
		if scale := newScales(t.data.rows, s.gradient, s.hessian); scale != t.scale[k] {
			t.scale[k], fits = scale, false
		}
	}
	if !fits {
		t.packGradients()
	}
	return nil
}

// packGradients sets the pairs by the present scales and returns the sums for each output.
func (t *trainer) packGradients() []gradientSums {
	n, outputs := t.data.rows, t.model.Outputs
	parts := make([]gradientSums, chunks(n)*outputs)
	workers := make(chan *GradientBatch, t.threads)
	for range t.threads {
		workers <- &GradientBatch{
			Scores: make([][]float64, outputs), Gradient: table(outputs, gradientRows), Hessian: table(outputs, gradientRows),
		}
	}
	parallel(chunks(n), t.threads, func(c int) {
		b := <-workers
		defer func() { workers <- b }()
		from, to := chunk(c, n)
		for ; from < to; from += gradientRows {
			t.packBatch(b, from, min(from+gradientRows, to), parts[c*outputs:(c+1)*outputs])
		}
	})
	total := make([]gradientSums, outputs)
	for i, s := range parts {
		total[i%outputs].gradient += s.gradient
		total[i%outputs].hessian += s.hessian
	}
	return total
}

func (t *trainer) packBatch(b *GradientBatch, from, to int, sums []gradientSums) {
	b.From, b.Labels = from, t.targets.Labels[from:to]
	for k := range b.Scores {
		b.Scores[k] = t.scores[k][from:to]
		b.Gradient[k], b.Hessian[k] = b.Gradient[k][:to-from], b.Hessian[k][:to-from]
	}
	t.objective.gradients(b)
	for k := range b.Scores {
		gradient, hessian := b.Gradient[k], b.Hessian[k]
		if w := t.targets.Weights; w != nil {
			for i, w := range w[from:to] {
				gradient[i] *= w
				hessian[i] *= w
			}
		}
		scale, pairs := t.scale[k], t.pairs[k][from:to]
		hessian, pairs = hessian[:len(gradient)], pairs[:len(gradient)]
		sumGradient, sumHessian := sums[k].gradient, sums[k].hessian
		for i, g := range gradient {
			h := hessian[i]
			sumGradient += math.Abs(g)
			sumHessian += h
			pairs[i] = scale.pack(g, h)
		}
		sums[k] = gradientSums{sumGradient, sumHessian}
		b.Gradient[k], b.Hessian[k] = gradient[:cap(gradient)], hessian[:cap(hessian)]
	}
}
