package score

import (
	"fmt"
	"math"
)

// Pool returns the log-linear pool of the forecasts members with weights w of the same length:
//
//	p_k ∝ prod_j max(p_jk, ProbFloor)^w_j
//
// Weights that sum to more than 1 sharpen, to less flatten; all 0 gives the uniform forecast. The floor keeps one member's
// zero from deciding for all. It panics if the lengths differ.
//
// Source: Genest & Zidek, Combining probability distributions (1986).
func Pool(members []Probs, w []float64) Probs {
	if len(members) != len(w) {
		panic("score: shape of Pool")
	}
	var z [Classes]float64
	for j, p := range members {
		for k, v := range p {
			z[k] += w[j] * math.Log(math.Max(v, ProbFloor))
		}
	}
	return softmax(z)
}

// FitPool returns the weights w >= 0 of Pool that minimise
//
//	sum_i u_i * (-ln pool_i[y_i])  +  shrink/2 * sum_j (w_j - 1/J)^2
//
// members[j][i] is member j's forecast of row i, y the outcomes, u row weights >= 0 (nil for ones) that should sum to the
// number of effective cases: shrink > 0 is counted in them. The problem is strictly convex, so the answer is unique; as
// shrink grows it goes to equal weights 1/J. Only purged out-of-fold forecasts of the past belong here. The error wraps
// ErrShape for no members, differing lengths, a class out of range, negative u or shrink <= 0, ErrTooFew for no rows and
// ErrMissing for a NaN.
func FitPool(members [][]Probs, y []int, u []float64, shrink float64) ([]float64, error) {
	count := len(members)
	if count == 0 || !(shrink > 0) || math.IsInf(shrink, 1) {
		return nil, fmt.Errorf("%w: pool of %d members with shrinkage %v", ErrShape, count, shrink)
	}
	logs := make([][Classes]float64, 0, count*len(y)) // row by row, member by member
	for j, p := range members {
		if _, err := checkForecasts(p, y, u); err != nil {
			return nil, fmt.Errorf("member %d: %w", j, err)
		}
	}
	for i := range y {
		for j := range members {
			var l [Classes]float64
			for k, v := range members[j][i] {
				l[k] = math.Log(math.Max(v, ProbFloor))
			}
			logs = append(logs, l)
		}
	}
	fit := poolFit{logs: logs, y: y, u: u, shrink: shrink, equal: 1 / float64(count)}
	w := make([]float64, count)
	for j := range w {
		w[j] = fit.equal
	}
	loss := fit.loss(w)
	next := make([]float64, count)
	for range 100 {
		gradient, hessian := fit.derivatives(w)
		d := boundedNewtonStep(w, gradient, hessian)
		size, slope := 0.0, 0.0
		for j := range d {
			size = max(size, math.Abs(d[j]))
			slope += d[j] * gradient[j]
		}
		if size < 1e-10 {
			break
		}
		step, improved := 1.0, false
		for range 40 {
			for j := range next {
				next[j] = max(0, w[j]+step*d[j])
			}
			if l := fit.loss(next); l <= loss*(1+1e-13)+1e-4*step*slope {
				copy(w, next)
				loss, improved = l, true
				break
			}
			step /= 2
		}
		if !improved {
			break // the loss no longer changes beyond rounding
		}
	}
	return w, nil
}

type poolFit struct {
	logs   [][Classes]float64 // len(y)*J, member fastest
	y      []int
	u      []float64
	shrink float64
	equal  float64 // 1/J
}

func (f poolFit) row(i, count int, w []float64) (logs [][Classes]float64, z [Classes]float64) {
	logs = f.logs[i*count : (i+1)*count]
	for j, l := range logs {
		for k, v := range l {
			z[k] += w[j] * v
		}
	}
	return logs, z
}

func (f poolFit) loss(w []float64) float64 {
	sum := 0.0
	for _, v := range w {
		sum += f.shrink / 2 * (v - f.equal) * (v - f.equal)
	}
	for i, y := range f.y {
		_, z := f.row(i, len(w), w)
		top := max(z[0], z[1], z[2], z[3])
		s := 0.0
		for _, v := range z {
			s += math.Exp(v - top)
		}
		sum += weightAt(f.u, i) * (math.Log(s) + top - z[y])
	}
	return sum
}

// derivatives returns the gradient and, row by row, the Hessian of loss at w.
func (f poolFit) derivatives(w []float64) (gradient, hessian []float64) {
	count := len(w)
	gradient = make([]float64, count)
	hessian = make([]float64, count*count)
	for j, v := range w {
		gradient[j] = f.shrink * (v - f.equal)
		hessian[j*count+j] = f.shrink
	}
	mean := make([]float64, count)
	for i, y := range f.y {
		u := weightAt(f.u, i)
		logs, z := f.row(i, count, w)
		p := softmax(z)
		for j, l := range logs {
			mean[j] = 0
			for k, v := range l {
				mean[j] += p[k] * v
			}
			gradient[j] += u * (mean[j] - l[y])
		}
		for j, a := range logs {
			for m, b := range logs[:j+1] {
				cov := 0.0
				for k := range p {
					cov += p[k] * (a[k] - mean[j]) * (b[k] - mean[m])
				}
				hessian[j*count+m] += u * cov
			}
		}
	}
	for j := range count {
		for m := range j {
			hessian[m*count+j] = hessian[j*count+m]
		}
	}
	return gradient, hessian
}

// boundedNewtonStep returns the step d that minimises g.d + d.H.d/2 with w + d >= 0, by coordinate descent; H is
// positive definite, so this converges. The dimension is the handful of members of a pool.
func boundedNewtonStep(w, g, h []float64) []float64 {
	n := len(w)
	d := make([]float64, n)
	for range 10000 {
		change := 0.0
		for j := range n {
			slope := g[j]
			for m := range n {
				slope += h[j*n+m] * d[m]
			}
			v := max(-w[j], d[j]-slope/h[j*n+j])
			change = max(change, math.Abs(v-d[j]))
			d[j] = v
		}
		if change < 1e-14 {
			break
		}
	}
	return d
}
