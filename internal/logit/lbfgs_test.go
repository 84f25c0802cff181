package logit

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func randomBlocks(r *rand.Rand) []block {
	v := make([]block, 5)
	for j := range v {
		for k := range v[j] {
			v[j][k] = r.NormFloat64()
		}
	}
	return v
}

func halve(v []block) { add(v, -0.5, slices.Clone(v)) }

// After a step the estimate must map the change of the gradient to the step (the secant equation of quasi-Newton
// methods), and it must be symmetric and positive definite.
func TestHistory(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(8, 8))
	random := func() []block { return randomBlocks(r) }
	var h history
	for range memory + 3 {
		theta, next, gradient := random(), random(), random()
		step := slices.Clone(next)
		add(step, -1, theta)
		change := slices.Clone(step) // a quadratic with curvatures between 1 and 3
		for j := range change {
			for k := range change[j] {
				change[j][k] *= 1 + 0.1*float64(j*Classes+k)
			}
		}
		nextGradient := slices.Clone(gradient)
		add(nextGradient, 1, change)
		h.push(theta, next, gradient, nextGradient)
		got := make([]block, len(theta))
		h.direction(got, change, halve)
		for j := range got {
			for k := range got[j] {
				near(t, "direction", got[j][k], -step[j][k], 1e-8)
			}
		}
		a, b := random(), random()
		ha, hb := random(), random()
		h.direction(ha, a, halve)
		h.direction(hb, b, halve)
		near(t, "asymmetry", dot(b, ha)-dot(a, hb), 0, 1e-10)
		if dot(a, ha) >= 0 {
			t.Errorf("the direction does not descend: slope %v", dot(a, ha))
		}
	}
	if len(h.s) != memory {
		t.Errorf("remembers %d steps, want %d", len(h.s), memory)
	}
}
