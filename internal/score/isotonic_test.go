package score

import (
	"errors"
	"math"
	"slices"
	"testing"
)

// minMaxIsotonic is the closed form of isotonic regression: max over starts, min over ends, of the mean between.
func minMaxIsotonic(y, w []float64) []float64 {
	out := make([]float64, len(y))
	for i := range y {
		best := math.Inf(-1)
		for a := 0; a <= i; a++ {
			least := math.Inf(1)
			for b := i; b < len(y); b++ {
				sum, weight := 0.0, 0.0
				for k := a; k <= b; k++ {
					sum += weightAt(w, k) * y[k]
					weight += weightAt(w, k)
				}
				least = min(least, sum/weight)
			}
			best = max(best, least)
		}
		out[i] = best
	}
	return out
}

func TestPAVA(t *testing.T) {
	t.Parallel()
	got := PAVA([]float64{1, 3, 2, 4, 3.5, 3.5, 5}, nil)
	want := []float64{1, 2.5, 2.5, 11.0 / 3, 11.0 / 3, 11.0 / 3, 5}
	for i := range want {
		near(t, "by hand", got[i], want[i], 1e-15)
	}
	if got := PAVA(nil, nil); len(got) != 0 {
		t.Errorf("no rows: got %v", got)
	}
	mustPanic(t, "lengths", func() { PAVA([]float64{1}, []float64{1, 2}) })
	r := newRand(41)
	for range 50 {
		n := 1 + r.IntN(25)
		y, w := make([]float64, n), make([]float64, n)
		for i := range y {
			y[i], w[i] = float64(r.IntN(6)), 0.1+r.Float64()
		}
		got, want := PAVA(y, w), minMaxIsotonic(y, w)
		for i := range want {
			near(t, "against the min-max form", got[i], want[i], 1e-12)
		}
	}
}

// Forecasts on three levels whose frequencies rise are mapped to exactly those frequencies.
func TestIsotonicReproducesFrequencies(t *testing.T) {
	t.Parallel()
	var p []Probs
	var y []int
	add := func(f Probs, counts [Classes]int) {
		for k, n := range counts {
			for range n {
				p, y = append(p, f), append(y, k)
			}
		}
	}
	low, high := Probs{.2, .3, .3, .2}, Probs{.6, .2, .15, .05}
	add(low, [Classes]int{10, 10, 10, 10})
	add(high, [Classes]int{24, 8, 4, 4})
	iso, err := FitIsotonic(p, y, nil, 40)
	if err != nil {
		t.Fatal(err)
	}
	if err := iso.Validate(); err != nil {
		t.Error(err)
	}
	for _, c := range []struct{ in, want Probs }{
		{low, Probs{.25, .25, .25, .25}},
		{high, Probs{.6, .2, .1, .1}},
		{Probs{.4, .25, .225, .125}, Probs{.425, .225, .175, .175}}, // half-way between
		{Probs{1, 0, 0, 0}, Probs{.6, .2, .1, .1}},                  // beyond the last corner
		{Probs{0, 0, 0, 1}, Probs{.25, .25, .25, .25}},              // before the first
	} {
		got := iso.Apply(c.in)
		for k := range got {
			near(t, "calibrated", got[k], c.want[k], 1e-12)
		}
	}
}

func TestIsotonicImprovesWhatItWasFittedOn(t *testing.T) {
	t.Parallel()
	r := newRand(42)
	var p []Probs
	var y []int
	var w []float64
	for range 600 {
		truth := randomProbs(r)
		p = append(p, ApplyTemperature(truth, 0.4)) // overconfident
		y = append(y, randomClass(r, truth))
		w = append(w, float64(r.IntN(3))) // some rows without weight
	}
	iso, err := FitIsotonic(p, y, w, 600)
	if err != nil {
		t.Fatal(err)
	}
	if err := iso.Validate(); err != nil {
		t.Error(err)
	}
	var before, after float64
	for i := range p {
		q := iso.Apply(p[i])
		sum := 0.0
		for _, v := range q {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("Apply(%v) = %v", p[i], q)
			}
			sum += v
		}
		near(t, "sum", sum, 1, 1e-12)
		before += w[i] * RPS(p[i], y[i])
		after += w[i] * RPS(q, y[i])
	}
	if after > 0.97*before {
		t.Errorf("RPS of overconfident forecasts: %v before, %v after", before, after)
	}
	// Outside the fitted rows the maps must not cross either.
	for range 2000 {
		q := iso.Apply(randomProbs(r))
		if slices.ContainsFunc(q[:], func(v float64) bool { return !(v >= 0 && v <= 1) }) {
			t.Fatalf("got %v", q)
		}
	}
}

func TestFitIsotonicRefuses(t *testing.T) {
	t.Parallel()
	p, y := []Probs{{.25, .25, .25, .25}}, []int{1}
	if _, err := FitIsotonic(p, y, nil, 29.9); !errors.Is(err, ErrTooFew) {
		t.Errorf("29.9 effective cases: got %v, want ErrTooFew", err)
	}
	if _, err := FitIsotonic(p, y, nil, math.NaN()); !errors.Is(err, ErrTooFew) {
		t.Errorf("NaN effective cases: got %v, want ErrTooFew", err)
	}
	if _, err := FitIsotonic(p, []int{4}, nil, 40); !errors.Is(err, ErrShape) {
		t.Errorf("class 4: got %v, want ErrShape", err)
	}
	if _, err := FitIsotonic(p, y, nil, 30); err != nil {
		t.Errorf("30 effective cases: got %v, want none", err)
	}
}

func TestIsotonicValidate(t *testing.T) {
	t.Parallel()
	ok := []Step{{.1, .2}, {.5, .2}, {.9, 1}}
	if err := (Isotonic{Maps: [3][]Step{ok, ok, ok}}).Validate(); err != nil {
		t.Errorf("good maps: got %v", err)
	}
	for name, bad := range map[string][]Step{
		"empty":            nil,
		"NaN":              {{math.NaN(), 0}},
		"X not increasing": {{.5, .1}, {.5, .2}},
		"Y falling":        {{.1, .3}, {.5, .2}},
		"Y above 1":        {{.1, 1.3}},
	} {
		if err := (Isotonic{Maps: [3][]Step{ok, bad, ok}}).Validate(); !errors.Is(err, ErrShape) {
			t.Errorf("%s: got %v, want ErrShape", name, err)
		}
	}
}
