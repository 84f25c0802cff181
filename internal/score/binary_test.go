package score

import (
	"math"
	"testing"
)

func TestBinaryBrier(t *testing.T) {
	t.Parallel()
	near(t, "happened", BinaryBrier(0.7, true), 0.09, 1e-15)
	near(t, "did not", BinaryBrier(0.7, false), 0.49, 1e-15)
}

// naiveAUC counts pairs, a tie as one half.
func naiveAUC(p []float64, y []bool) float64 {
	wins, pairs := 0.0, 0.0
	for i := range p {
		for j := range p {
			if !y[i] || y[j] {
				continue
			}
			pairs++
			if p[i] > p[j] {
				wins++
			} else if p[i] == p[j] {
				wins += 0.5
			}
		}
	}
	return wins / pairs
}

func TestAUC(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		p    []float64
		y    []bool
		want float64
	}{
		{"perfect", []float64{.1, .2, .8, .9}, []bool{false, false, true, true}, 1},
		{"reversed", []float64{.9, .8, .2, .1}, []bool{false, false, true, true}, 0},
		{"all tied", []float64{.5, .5, .5}, []bool{true, false, true}, 0.5},
		{"one tie", []float64{.1, .4, .4, .8}, []bool{false, false, true, true}, 0.875}, // 3.5 of 4 pairs
		{"no event", []float64{.1, .4}, []bool{false, false}, math.NaN()},
		{"all events", []float64{.1, .4}, []bool{true, true}, math.NaN()},
		{"NaN score", []float64{.1, math.NaN()}, []bool{true, false}, math.NaN()},
		{"lengths", []float64{.1}, []bool{true, false}, math.NaN()},
		{"empty", nil, nil, math.NaN()},
	} {
		near(t, c.name, AUC(c.p, c.y), c.want, 0)
	}
	r := newRand(3)
	for range 50 {
		n := 2 + r.IntN(60)
		p, y := make([]float64, n), make([]bool, n)
		for i := range p {
			p[i] = float64(r.IntN(12)) / 12 // many ties
			y[i] = r.IntN(3) == 0
		}
		near(t, "against pair counting", AUC(p, y), naiveAUC(p, y), 1e-14)
	}
}
