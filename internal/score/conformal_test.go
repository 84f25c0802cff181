package score

import (
	"errors"
	"math"
	"slices"
	"testing"
)

func TestAdaptiveMissRateVector(t *testing.T) {
	t.Parallel()
	// Method section 8: a = .2, g = .02, errors 1, 0, 0.
	a := 0.2
	for i, c := range []struct {
		missed bool
		want   float64
	}{{true, .184}, {false, .188}, {false, .192}} {
		a = AdaptiveMissRate(a, 0.2, 0.02, c.missed)
		near(t, "step "+string(rune('1'+i)), a, c.want, 1e-15)
	}
	near(t, "clipped below", AdaptiveMissRate(0.012, 0.2, 0.02, true), AdaptiveMin, 0)
	near(t, "clipped above", AdaptiveMissRate(0.499, 0.2, 0.02, false), AdaptiveMax, 0)
}

func TestConformalQuantile(t *testing.T) {
	t.Parallel()
	var scores []float64
	for i := range 19 {
		scores = append(scores, float64((i*7)%19+1)) // 1..19, shuffled
	}
	before := slices.Clone(scores)
	for _, c := range []struct {
		missRate    float64
		independent int
		want        float64
	}{
		{0.05, 19, 19}, // the largest of 19 reaches 95 %
		{0.1, 19, 18},  // ceil(20*0.9) = 18
		{0.2, 19, 16},
		{0.5, 19, 10},
		{0.1, 9, 19},  // 9 independent: the largest again
		{0.2, 9, 17},  // ceil(10*0.8) = 8; share 8/9 of 19 = 16.9
		{0.25, 4, 19}, // ceil(5*0.75) = 4 of 4
		{0.7, 19, 6},  // 20*(1-0.7) is 6.000000000000001 in float64
	} {
		got, err := ConformalQuantile(scores, c.independent, c.missRate)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "quantile", got, c.want, 0)
	}
	if !slices.Equal(scores, before) {
		t.Error("the scores were sorted in place")
	}
}

func TestConformalQuantileRefuses(t *testing.T) {
	t.Parallel()
	ten := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for _, c := range []struct {
		name        string
		scores      []float64
		independent int
		missRate    float64
		want        error
	}{
		{"8 for 90 %", ten, 8, 0.1, ErrTooFew},
		{"9 for 90 %", ten, 9, 0.1, nil},
		{"10 for 95 %", ten, 10, 0.05, ErrTooFew},
		{"none", nil, 0, 0.5, ErrTooFew},
		{"negative", ten, -3, 0.5, ErrTooFew},
		{"more than there are", ten, 11, 0.5, ErrShape},
		{"miss rate 0", ten, 10, 0, ErrShape},
		{"miss rate 1", ten, 10, 1, ErrShape},
		{"NaN", []float64{1, math.NaN()}, 2, 0.5, ErrMissing},
	} {
		if _, err := ConformalQuantile(c.scores, c.independent, c.missRate); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	for n := 1; n < 200; n++ { // the bound of the method for whole 1/missRate
		for _, m := range []int{2, 4, 5, 10, 20, 50} {
			_, err := ConformalQuantile(make([]float64, n), n, 1/float64(m))
			if refused := err != nil; refused != (n < m-1) {
				t.Errorf("n = %d, miss rate 1/%d: refused %v", n, m, refused)
			}
		}
	}
}

// With exchangeable scores a new one is covered with probability at least 1-missRate, and not much more.
func TestConformalCoverage(t *testing.T) {
	t.Parallel()
	r := newRand(52)
	const runs, n = 20_000, 29
	covered := 0
	scores := make([]float64, n)
	for range runs {
		for i := range scores {
			scores[i] = r.ExpFloat64()
		}
		q, err := ConformalQuantile(scores, n, 0.2)
		if err != nil {
			t.Fatal(err)
		}
		if r.ExpFloat64() <= q {
			covered++
		}
	}
	near(t, "coverage", float64(covered)/runs, 24.0/30, 0.01) // rank 24 of 30 places
}
