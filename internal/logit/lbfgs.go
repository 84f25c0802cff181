package logit

import "math"

// memory is the number of steps that L-BFGS remembers.
const memory = 10

// A block holds one input's figure for each class.
type block = [Classes]float64

// history holds the last steps s and gradient changes y of L-BFGS, oldest first, with 1/(s.y).
type history struct {
	s, y [][]block
	rho  []float64
}

// push remembers the step from theta to next. In a strictly convex problem s.y > 0; a pair without it is rounding.
func (h *history) push(theta, next, gradient, nextGradient []block) {
	s, y := make([]block, len(theta)), make([]block, len(theta))
	for j := range theta {
		for k := range theta[j] {
			s[j][k] = next[j][k] - theta[j][k]
			y[j][k] = nextGradient[j][k] - gradient[j][k]
		}
	}
	sy := dot(s, y)
	if !(sy > 0) {
		return
	}
	if len(h.s) == memory {
		h.s, h.y, h.rho = h.s[1:], h.y[1:], h.rho[1:]
	}
	h.s, h.y, h.rho = append(h.s, s), append(h.y, y), append(h.rho, 1/sy)
}

// direction fills dst with minus the two-loop product of the inverse Hessian's estimate and the gradient; solve applies
// the estimate to start from.
func (h *history) direction(dst, gradient []block, solve func([]block)) {
	copy(dst, gradient)
	alpha := make([]float64, len(h.s))
	for i := len(h.s) - 1; i >= 0; i-- {
		alpha[i] = h.rho[i] * dot(h.s[i], dst)
		add(dst, -alpha[i], h.y[i])
	}
	solve(dst)
	for i := range h.s {
		beta := h.rho[i] * dot(h.y[i], dst)
		add(dst, alpha[i]-beta, h.s[i])
	}
	for j := range dst {
		for k := range dst[j] {
			dst[j][k] = -dst[j][k]
		}
	}
}

func dot(a, b []block) float64 {
	sum := 0.0
	for j := range a {
		for k, v := range a[j] {
			sum += v * b[j][k]
		}
	}
	return sum
}

// add adds c*v to dst.
func add(dst []block, c float64, v []block) {
	for j := range dst {
		for k := range dst[j] {
			dst[j][k] += c * v[j][k]
		}
	}
}

// largest returns the largest absolute value in v.
func largest(v []block) float64 {
	top := 0.0
	for j := range v {
		for _, x := range v[j] {
			top = math.Max(top, math.Abs(x)) // NaN stays NaN
		}
	}
	return top
}
