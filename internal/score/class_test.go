package score

import (
	"math"
	"testing"
)

func TestClassScoresVectors(t *testing.T) {
	t.Parallel()
	p := Probs{.5, .3, .15, .05}
	// Method section 7.
	rps := [Classes]float64{0.0975, 0.0975, 0.2975, 0.5975}
	brier := [Classes]float64{0.365, 0.765, 1.065, 1.265}
	for y := range Classes {
		near(t, "RPS", RPS(p, y), rps[y], 1e-15)
		near(t, "Brier", Brier(p, y), brier[y], 1e-15)
		loss, floored := LogLoss(p, y)
		near(t, "LogLoss", loss, -math.Log(p[y]), 0)
		if floored {
			t.Errorf("LogLoss of class %d: floored at p = %v", y, p[y])
		}
	}
}

func TestLogLossFloor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		p       float64
		floored bool
	}{{0, true}, {0.00099, true}, {0.001, false}, {1, false}} {
		loss, floored := LogLoss(Probs{c.p, 1 - c.p, 0, 0}, 0)
		near(t, "loss", loss, -math.Log(max(c.p, 0.001)), 1e-15)
		if floored != c.floored {
			t.Errorf("p = %v: floored %v, want %v", c.p, floored, c.floored)
		}
	}
	if loss, floored := LogLoss(Probs{math.NaN(), 1, 0, 0}, 0); !math.IsNaN(loss) || floored {
		t.Errorf("NaN forecast: got %v, %v; want NaN, false", loss, floored)
	}
}

// The truth must have the least expected score: that is what makes the scores proper.
func TestClassScoresAreProper(t *testing.T) {
	t.Parallel()
	r := newRand(1)
	scores := map[string]func(Probs, int) float64{
		"RPS":   RPS,
		"Brier": Brier,
		"log":   func(p Probs, y int) float64 { l, _ := LogLoss(p, y); return l },
	}
	for range 500 {
		truth, other := randomProbs(r), randomProbs(r)
		for k := range truth { // keep clear of the log loss's floor
			truth[k] = 0.9*truth[k] + 0.025
			other[k] = 0.9*other[k] + 0.025
		}
		for name, score := range scores {
			var own, foreign float64
			for y, q := range truth {
				own += q * score(truth, y)
				foreign += q * score(other, y)
			}
			if own >= foreign {
				t.Fatalf("%s: truth %v scores %v, %v scores %v", name, truth, own, other, foreign)
			}
		}
	}
}

func TestMedianClassHasLeastExpectedRPS(t *testing.T) {
	t.Parallel()
	r := newRand(2)
	differs := 0
	for range 2000 {
		p := randomProbs(r)
		expected := func(c int) float64 {
			hard, sum := Probs{}, 0.0
			hard[c] = 1
			for y, q := range p {
				sum += q * RPS(hard, y)
			}
			return sum
		}
		m := MedianClass(p)
		for c := range Classes {
			if expected(c) < expected(m)-1e-12 {
				t.Fatalf("%v: class %d costs %v, median class %d costs %v", p, c, expected(c), m, expected(m))
			}
		}
		if m != Argmax(p) {
			differs++
		}
	}
	if differs == 0 {
		t.Error("median class never differed from the most likely one")
	}
}

func TestHardClasses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		p              Probs
		argmax, median int
	}{
		{Probs{1, 0, 0, 0}, 0, 0},
		{Probs{0, 0, 0, 1}, 3, 3},
		{Probs{.4, .1, .1, .4}, 0, 1},     // tie goes to the better class; F_1 = 0.5
		{Probs{.45, .1, .15, .3}, 0, 1},   // most likely A, but B in the middle
		{Probs{.25, .25, .25, .25}, 0, 1}, // F_1 = 0.5 exactly
		{Probs{.1, .2, .3, .4}, 3, 2},
	} {
		if got := Argmax(c.p); got != c.argmax {
			t.Errorf("Argmax(%v): got %d, want %d", c.p, got, c.argmax)
		}
		if got := MedianClass(c.p); got != c.median {
			t.Errorf("MedianClass(%v): got %d, want %d", c.p, got, c.median)
		}
	}
}

func TestWorseThan(t *testing.T) {
	t.Parallel()
	p := Probs{.5, .3, .15, .05}
	for k, want := range []float64{.5, .2, .05} {
		near(t, "WorseThan", WorseThan(p, k), want, 1e-15)
	}
	mustPanic(t, "threshold 3", func() { WorseThan(p, 3) })
	mustPanic(t, "class 4", func() { RPS(p, 4) })
	mustPanic(t, "class -1", func() { Brier(p, -1) })
}
