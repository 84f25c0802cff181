package score

import (
	"math"
	"math/rand/v2"
	"testing"
)

// near fails the test unless got is within tol of want; equal infinities and two NaNs are near.
func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if got == want || math.IsNaN(got) && math.IsNaN(want) {
		return
	}
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s: got %v, want %v (tolerance %g)", what, got, want, tol)
	}
}

// newRand returns the random numbers of one test.
func newRand(seed uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, 7))
}

// randomProbs returns a forecast, uniform on the simplex.
func randomProbs(r *rand.Rand) Probs {
	var p Probs
	sum := 0.0
	for k := range p {
		p[k] = r.ExpFloat64()
		sum += p[k]
	}
	for k := range p {
		p[k] /= sum
	}
	return p
}

// randomClass returns a class drawn from p.
func randomClass(r *rand.Rand, p Probs) int {
	u := r.Float64()
	for k := range Classes - 1 {
		if u < p[k] {
			return k
		}
		u -= p[k]
	}
	return Classes - 1
}

// mustPanic fails the test unless f panics.
func mustPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: got no panic", what)
		}
	}()
	f()
}
