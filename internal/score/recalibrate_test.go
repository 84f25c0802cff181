package score

import (
	"errors"
	"math"
	"testing"
)

func logit(p float64) float64 { return math.Log(p / (1 - p)) }

// outcomes returns n rows of forecast p, the first k of which happened.
func outcomes(p float64, k, n int) ([]float64, []bool) {
	ps, ys := make([]float64, n), make([]bool, n)
	for i := range ps {
		ps[i], ys[i] = p, i < k
	}
	return ps, ys
}

// With two distinct forecasts the fit goes through both frequencies, so intercept and slope are known.
func TestRecalibrateSaturated(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		p1, f1, p2, f2 float64
	}{
		{"calibrated", .2, .2, .7, .7},
		{"overconfident", .05, .2, .95, .8},
		{"timid", .4, .1, .6, .9},
		{"wrong way", .3, .8, .6, .1},
		{"biased", .01, .3, .02, .5},
	} {
		p, y := outcomes(c.p1, int(math.Round(c.f1*100)), 100)
		p2, y2 := outcomes(c.p2, int(math.Round(c.f2*100)), 100)
		intercept, slope, err := Recalibrate(append(p, p2...), append(y, y2...))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		wantSlope := (logit(c.f2) - logit(c.f1)) / (logit(c.p2) - logit(c.p1))
		near(t, c.name+" slope", slope, wantSlope, 1e-8)
		near(t, c.name+" intercept", intercept, logit(c.f1)-wantSlope*logit(c.p1), 1e-8)
	}
}

// The score equations of the maximum: residuals sum to zero, and so do residuals times log-odds.
func TestRecalibrateScoreEquations(t *testing.T) {
	t.Parallel()
	r := newRand(32)
	for range 20 {
		n := 300
		p, y := make([]float64, n), make([]bool, n)
		for i := range p {
			x := 3 * r.NormFloat64()
			p[i] = 1 / (1 + math.Exp(-x))
			y[i] = r.Float64() < 1/(1+math.Exp(-(0.5+0.6*x)))
		}
		a, b, err := Recalibrate(p, y)
		if err != nil {
			t.Fatal(err)
		}
		var s0, s1 float64
		for i := range p {
			x := logit(min(max(p[i], ProbFloor), 1-ProbFloor))
			res := 1 / (1 + math.Exp(-(a + b*x)))
			if y[i] {
				res--
			}
			s0 += res
			s1 += res * x
		}
		near(t, "sum of residuals", s0, 0, 1e-6)
		near(t, "sum of residuals times log-odds", s1, 0, 1e-6)
		near(t, "slope", b, 0.6, 0.35)
	}
}

func TestRecalibrateRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		p    []float64
		y    []bool
		want error
	}{
		{"no rows", nil, nil, ErrUndefined},
		{"all events", []float64{.2, .7}, []bool{true, true}, ErrUndefined},
		{"equal forecasts", []float64{.2, .2, .2}, []bool{true, false, true}, ErrUndefined},
		{"separated", []float64{.1, .2, .7}, []bool{false, false, true}, ErrUndefined},
		{"separated the wrong way", []float64{.1, .2, .7}, []bool{true, true, false}, ErrUndefined},
		{"touching", []float64{.1, .2, .2, .7}, []bool{false, false, true, true}, ErrUndefined},
		{"clipped to one value", []float64{0, 1e-9, 0}, []bool{true, false, false}, ErrUndefined},
		{"lengths", []float64{.1}, nil, ErrShape},
		{"no probability", []float64{-.1}, []bool{true}, ErrShape},
		{"NaN", []float64{math.NaN()}, []bool{true}, ErrMissing},
	} {
		if a, b, err := Recalibrate(c.p, c.y); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, %v, %v; want %v", c.name, a, b, err, c.want)
		}
	}
	// One step from separation: finite, large, found.
	p := []float64{.1, .2, .3, .31, .8, .9}
	if _, slope, err := Recalibrate(p, []bool{false, false, true, false, true, true}); err != nil || !(slope > 1) {
		t.Errorf("nearly separated: got slope %v, %v; want above 1", slope, err)
	}
}
