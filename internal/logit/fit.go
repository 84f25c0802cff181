package logit

import (
	"fmt"
	"math"
)

// Fit returns the model that minimises
//
//	sum_i w_i * -ln P(y_i | x_i)  +  L2/2 * sum coef^2  +  L2Intercept/2 * sum intercept^2
//
// The problem is strictly convex, so the answer is unique and does not depend on the start. The method is L-BFGS with
// backtracking; in place of the usual multiple of the identity it starts from Böhning's bound on the curvature,
//
//	Hessian <= (I - 11'/4)/2 ⊗ X'WX + penalty
//
// which all classes share, so one Cholesky factor of f+1 rows makes the scale of the inputs and their correlations
// harmless. Each iteration reads the rows once, or twice where a step is shortened: time and memory are linear in them.
// One thread, fixed order of sums: the same rows give the same bits. The error wraps ErrInput for impossible rows or
// parameters and ErrNotConverged (with no model).
//
// Sources: Böhning, Multinomial logistic regression algorithm (1992); Nocedal & Wright, Numerical Optimization (2006),
// section 7.2.
func Fit(d Data, p Params) (*Model, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	rows, weight, err := d.check()
	if err != nil {
		return nil, err
	}
	f := fit{Data: d, Params: p, rows: rows}
	if err := f.factor(); err != nil {
		return nil, err
	}
	size := d.Features + 1 // the intercept is the last row
	theta := make([]block, size)
	gradient := make([]block, size)
	nextTheta := make([]block, size)
	nextGradient := make([]block, size)
	direction := make([]block, size)
	var past history
	limit := p.Tolerance * weight
	loss := f.evaluate(theta, gradient)
	for iteration := range p.MaxIterations + 1 {
		if largest(gradient) <= limit {
			m := &Model{Coef: make([][Classes]float64, d.Features), Iterations: iteration}
			for j := range m.Coef {
				m.Coef[j] = theta[j]
			}
			m.Intercept = theta[d.Features]
			return m, nil
		}
		if iteration == p.MaxIterations {
			break
		}
		past.direction(direction, gradient, f.solve)
		slope := dot(direction, gradient)
		if !(slope < 0) { // rounding has spoilt the memory
			past = history{}
			past.direction(direction, gradient, f.solve)
			slope = dot(direction, gradient)
		}
		nextLoss, ok := 0.0, false
		for step, try := 1.0, 0; try < 50 && !ok; step, try = step/2, try+1 {
			for j := range theta {
				for k := range theta[j] {
					nextTheta[j][k] = theta[j][k] + step*direction[j][k]
				}
			}
			nextLoss = f.evaluate(nextTheta, nextGradient)
			// Armijo's condition, up to the rounding of a sum over rows.
			ok = nextLoss <= loss+1e-4*step*slope+1e-13*math.Abs(loss)
		}
		if !ok {
			return nil, fmt.Errorf("%w: no step lowers the loss at iteration %d, gradient %.3g", ErrNotConverged, iteration, largest(gradient))
		}
		past.push(theta, nextTheta, gradient, nextGradient)
		theta, nextTheta = nextTheta, theta
		gradient, nextGradient = nextGradient, gradient
		loss = nextLoss
	}
	return nil, fmt.Errorf("%w: gradient %.3g after %d iterations, limit %.3g", ErrNotConverged, largest(gradient), p.MaxIterations, limit)
}

type fit struct {
	Data
	Params
	rows int
	// chol is the lower Cholesky factor of X'WX/2 + penalty, (Features+1)^2, row-major.
	chol []float64
}

// penalty returns the L2 weight of row j of the coefficients.
func (f *fit) penalty(j int) float64 {
	if j == f.Features {
		return f.L2Intercept
	}
	return f.L2
}

func (f *fit) weight(i int) float64 {
	if f.Weight == nil {
		return 1
	}
	return f.Weight[i]
}

// evaluate returns the loss at theta and fills gradient.
func (f *fit) evaluate(theta, gradient []block) float64 {
	n := f.Features
	loss := 0.0
	for j := range theta {
		l2 := f.penalty(j)
		for k, v := range theta[j] {
			loss += l2 / 2 * v * v
			gradient[j][k] = l2 * v
		}
	}
	slopes, slopeGradient := theta[:n], gradient[:n]
	for i := range f.rows {
		w := f.weight(i)
		if w == 0 {
			continue
		}
		z := theta[n]
		if f.Offset != nil {
			for k, v := range f.Offset[i*Classes : (i+1)*Classes] {
				z[k] += v
			}
		}
		x := f.X[i*n : (i+1)*n]
		for j, v := range x {
			c := &slopes[j]
			z[0] += v * c[0]
			z[1] += v * c[1]
			z[2] += v * c[2]
			z[3] += v * c[3]
		}
		y := f.Y[i]
		own := z[y]
		loss += w * (softmax(&z) - own)
		z[y]--
		for k := range z {
			z[k] *= w
			gradient[n][k] += z[k]
		}
		for j, v := range x {
			g := &slopeGradient[j]
			g[0] += v * z[0]
			g[1] += v * z[1]
			g[2] += v * z[2]
			g[3] += v * z[3]
		}
	}
	return loss
}

// factor computes chol.
func (f *fit) factor() error {
	n, size := f.Features, f.Features+1
	a := make([]float64, size*size)
	for i := range f.rows {
		w := f.weight(i) / 2
		x := f.X[i*n : (i+1)*n]
		for j, v := range x {
			v *= w
			row := a[j*size : j*size+j+1]
			for m := range row {
				row[m] += v * x[m]
			}
		}
		last := a[n*size : n*size+n]
		for m, v := range x {
			last[m] += w * v
		}
		a[n*size+n] += w
	}
	for j := range size {
		a[j*size+j] += f.penalty(j)
	}
	for j := range size {
		for m := range j + 1 {
			sum := a[j*size+m]
			for k := range m {
				sum -= a[j*size+k] * a[m*size+k]
			}
			if m < j {
				a[j*size+m] = sum / a[m*size+m]
				continue
			}
			if !(sum > 0) || math.IsInf(sum, 1) {
				return fmt.Errorf("%w: input %d is too large or a copy of others beyond what the penalty can hold apart", ErrInput, j)
			}
			a[j*size+j] = math.Sqrt(sum)
		}
	}
	f.chol = a
	return nil
}

// solve replaces each class of v by the solution of (X'WX/2 + penalty) u = v.
func (f *fit) solve(v []block) {
	size := len(v)
	for j := range v {
		for m := range j {
			l := f.chol[j*size+m]
			for k := range v[j] {
				v[j][k] -= l * v[m][k]
			}
		}
		for k := range v[j] {
			v[j][k] /= f.chol[j*size+j]
		}
	}
	for j := size - 1; j >= 0; j-- {
		for m := j + 1; m < size; m++ {
			l := f.chol[m*size+j]
			for k := range v[j] {
				v[j][k] -= l * v[m][k]
			}
		}
		for k := range v[j] {
			v[j][k] /= f.chol[j*size+j]
		}
	}
}
