package score

import (
	"errors"
	"math"
	"testing"
)

func TestPool(t *testing.T) {
	t.Parallel()
	a, b := Probs{.5, .3, .15, .05}, Probs{.1, .2, .3, .4}
	got := Pool([]Probs{a, b}, []float64{.7, .2})
	var want Probs
	sum := 0.0
	for k := range want {
		want[k] = math.Pow(a[k], .7) * math.Pow(b[k], .2)
		sum += want[k]
	}
	for k := range want {
		near(t, "pool", got[k], want[k]/sum, 1e-15)
	}
	near(t, "no weight", Pool([]Probs{a, b}, []float64{0, 0})[3], .25, 1e-15)
	// A member's zero counts as the floor.
	got = Pool([]Probs{{1, 0, 0, 0}, {.25, .25, .25, .25}}, []float64{1, 1})
	near(t, "floored", got[3], ProbFloor/(1+3*ProbFloor), 1e-15)
	mustPanic(t, "lengths", func() { Pool([]Probs{a}, []float64{1, 1}) })
}

// poolObjective is FitPool's objective from its definition.
func poolObjective(members [][]Probs, y []int, u []float64, shrink float64, w []float64) float64 {
	sum := 0.0
	for i := range y {
		row := make([]Probs, len(members))
		for j := range members {
			row[j] = members[j][i]
		}
		sum -= weightAt(u, i) * math.Log(Pool(row, w)[y[i]])
	}
	for _, v := range w {
		d := v - 1/float64(len(w))
		sum += shrink / 2 * d * d
	}
	return sum
}

// poolCase simulates outcomes of a truth that the first member knows up to noise, the second more dimly and the third
// not at all.
func poolCase(n int) (members [][]Probs, y []int, u []float64) {
	r := newRand(51)
	members = make([][]Probs, 3)
	for range n {
		truth := randomProbs(r)
		blur := func(share float64) Probs {
			other := randomProbs(r)
			for k := range other {
				other[k] = (1-share)*truth[k] + share*other[k]
			}
			return other
		}
		members[0] = append(members[0], blur(0.2))
		members[1] = append(members[1], blur(0.5))
		members[2] = append(members[2], blur(1))
		y = append(y, randomClass(r, truth))
		u = append(u, 0.5+r.Float64())
	}
	return members, y, u
}

func TestFitPoolIsTheMinimum(t *testing.T) {
	t.Parallel()
	members, y, u := poolCase(400)
	for _, shrink := range []float64{0.01, 10, 1000} {
		w, err := FitPool(members, y, u, shrink)
		if err != nil {
			t.Fatal(err)
		}
		best := poolObjective(members, y, u, shrink, w)
		// Karush-Kuhn-Tucker, by central differences: no slope at positive weights, no gain from raising zero ones.
		for j := range w {
			const eps = 1e-5
			up, down := append([]float64(nil), w...), append([]float64(nil), w...)
			up[j] += eps
			down[j] -= eps
			slope := (poolObjective(members, y, u, shrink, up) - poolObjective(members, y, u, shrink, down)) / (2 * eps)
			if w[j] < 0 || w[j] > 0 && math.Abs(slope) > 1e-4 || w[j] == 0 && slope < -1e-4 {
				t.Errorf("shrinkage %v: weight %d is %v with slope %v", shrink, j, w[j], slope)
			}
		}
		// And nowhere on a grid is it better.
		for a := 0.0; a <= 1.5; a += 0.1 {
			for b := 0.0; b <= 1.5; b += 0.1 {
				if v := poolObjective(members, y, u, shrink, []float64{a, b, 0}); v < best {
					t.Errorf("shrinkage %v: weights (%v, %v, 0) cost %v, the fit %v costs %v", shrink, a, b, v, w, best)
				}
			}
		}
		if !(w[0] > w[1] && w[1] > w[2]) && shrink < 100 {
			t.Errorf("shrinkage %v: got %v, want the better member heavier", shrink, w)
		}
	}
}

func TestFitPoolLimits(t *testing.T) {
	t.Parallel()
	members, y, u := poolCase(200)
	w, err := FitPool(members, y, u, 1e9)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range w {
		near(t, "shrunk to equal weights", v, 1.0/3, 1e-5)
	}
	// A member that forecasts the opposite of the truth gets exactly 0.
	contrary := make([]Probs, len(y))
	for i, p := range members[0] {
		contrary[i] = ApplyTemperature(Probs{1 / p[0], 1 / p[1], 1 / p[2], 1 / p[3]}, 1)
	}
	w, err = FitPool([][]Probs{members[0], contrary}, y, u, 0.1)
	if err != nil {
		t.Fatal(err)
	}
	if w[1] != 0 || !(w[0] > 0.5) {
		t.Errorf("contrary member: got %v, want weight 0", w)
	}
	// Two copies share the weight.
	w, err = FitPool([][]Probs{members[0], members[0]}, y, u, 0.1)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "copies", w[0], w[1], 1e-6)
	// Whole-number weights are repeated rows.
	one, err := FitPool([][]Probs{members[0][:2], members[1][:2]}, y[:2], []float64{2, 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	twice := func(p []Probs) []Probs { return []Probs{p[0], p[0], p[1]} }
	two, err := FitPool([][]Probs{twice(members[0]), twice(members[1])}, []int{y[0], y[0], y[1]}, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	for j := range one {
		near(t, "weight 2 against two rows", one[j], two[j], 1e-8)
	}
}

func TestFitPoolRefuses(t *testing.T) {
	t.Parallel()
	p := []Probs{{.25, .25, .25, .25}}
	for _, c := range []struct {
		name    string
		members [][]Probs
		y       []int
		shrink  float64
		want    error
	}{
		{"no members", nil, []int{1}, 1, ErrShape},
		{"no shrinkage", [][]Probs{p}, []int{1}, 0, ErrShape},
		{"NaN shrinkage", [][]Probs{p}, []int{1}, math.NaN(), ErrShape},
		{"no rows", [][]Probs{nil}, nil, 1, ErrTooFew},
		{"lengths", [][]Probs{p, nil}, []int{1}, 1, ErrShape},
		{"class", [][]Probs{p}, []int{-1}, 1, ErrShape},
		{"NaN", [][]Probs{{{math.NaN(), 0, 0, 0}}}, []int{1}, 1, ErrMissing},
	} {
		if _, err := FitPool(c.members, c.y, nil, c.shrink); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func BenchmarkFitPool(b *testing.B) {
	members, y, u := poolCase(4000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := FitPool(members, y, u, 10); err != nil {
			b.Fatal(err)
		}
	}
}
