package score

import (
	"errors"
	"math"
	"testing"
)

func TestApplyTemperature(t *testing.T) {
	t.Parallel()
	p := Probs{.5, .3, .15, .05}
	for _, temperature := range []float64{0.5, 1, 2} {
		var want Probs
		sum := 0.0
		for k, v := range p {
			want[k] = math.Pow(v, 1/temperature)
			sum += want[k]
		}
		got := ApplyTemperature(p, temperature)
		for k := range want {
			near(t, "p", got[k], want[k]/sum, 1e-15)
		}
	}
	got := ApplyTemperature(Probs{.8, .2, 0, 0}, 2)
	near(t, "zero stays", got[2], 0, 0)
	near(t, "the rest", got[0], math.Sqrt(.8)/(math.Sqrt(.8)+math.Sqrt(.2)), 1e-15)
	for _, bad := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		near(t, "impossible temperature", ApplyTemperature(p, bad)[0], math.NaN(), 0)
	}
}

// Forecasts (q, 1-q, 0, 0) of which a share f comes true as class 0 need logit(q)/T = logit(f), for either objective.
func TestFitTemperatureKnownAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		q       float64
		right   int // of 100
		want    float64
		atBound bool
	}{
		{"overconfident", .9, 70, logit(.9) / logit(.7), false},
		{"timid", .6, 80, logit(.6) / logit(.8), false},
		{"calibrated", .75, 75, 1, false},
		{"no information", .9, 50, TemperatureMax, true},
		{"far too timid", .51, 95, TemperatureMin, true},
	} {
		var p []Probs
		var y []int
		for i := range 100 {
			p = append(p, Probs{c.q, 1 - c.q, 0, 0})
			y = append(y, 0)
			if i >= c.right {
				y[i] = 1
			}
		}
		for _, o := range []Objective{MinLogLoss, MinRPS} {
			got, err := FitTemperature(p, y, nil, o)
			if err != nil {
				t.Fatal(err)
			}
			near(t, c.name+", "+o.String(), got, c.want, 1e-5)
		}
	}
}

func TestFitTemperatureWeights(t *testing.T) {
	t.Parallel()
	p := []Probs{{.9, .1, 0, 0}, {.9, .1, 0, 0}}
	got, err := FitTemperature(p, []int{0, 1}, []float64{7, 3}, MinLogLoss)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "weights 7 and 3", got, logit(.9)/logit(.7), 1e-5)
	uniform := []Probs{{.25, .25, .25, .25}}
	if got, err := FitTemperature(uniform, []int{2}, nil, MinRPS); err != nil || got != 1 {
		t.Errorf("temperature without effect: got %v, %v; want 1", got, err)
	}
}

func TestFitTemperatureRefuses(t *testing.T) {
	t.Parallel()
	ok := []Probs{{.25, .25, .25, .25}}
	for _, c := range []struct {
		name string
		p    []Probs
		y    []int
		w    []float64
		o    Objective
		want error
	}{
		{"no rows", nil, nil, nil, MinRPS, ErrTooFew},
		{"lengths", ok, nil, nil, MinRPS, ErrShape},
		{"class", ok, []int{4}, nil, MinRPS, ErrShape},
		{"weights", ok, []int{1}, []float64{-1}, MinRPS, ErrShape},
		{"weights of length 2", ok, []int{1}, []float64{1, 1}, MinRPS, ErrShape},
		{"weights sum", ok, []int{1}, []float64{0}, MinRPS, ErrShape},
		{"NaN weight", ok, []int{1}, []float64{math.NaN()}, MinRPS, ErrMissing},
		{"NaN", []Probs{{math.NaN(), 0, 0, 1}}, []int{1}, nil, MinRPS, ErrMissing},
		{"negative", []Probs{{-.1, .1, 0, 1}}, []int{1}, nil, MinRPS, ErrShape},
		{"objective", ok, []int{1}, nil, 5, ErrShape},
	} {
		if _, err := FitTemperature(c.p, c.y, c.w, c.o); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func TestObjectiveNames(t *testing.T) {
	t.Parallel()
	for o, want := range map[Objective]string{MinLogLoss: "log loss", MinRPS: "RPS", 9: "Objective(9)"} {
		if o.String() != want {
			t.Errorf("got %q, want %q", o.String(), want)
		}
	}
}
