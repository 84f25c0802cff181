package gbdt

import (
	"errors"
	"math/rand/v2"
	"testing"
)

// stopped is the definition: rounds are added until a check after every freq rounds says that it is enough.
func stopped(t *testing.T, m *Model, first, rounds, freq int, margin float64, row []float64) []float64 {
	t.Helper()
	raw := make([]float64, m.Outputs)
	for n := freq; ; n += freq {
		if n > rounds {
			n = rounds
		}
		if err := mustPredictor(t, m, PredictOptions{FirstRound: first, Rounds: n}).Raw(raw, row); err != nil {
			t.Fatal(err)
		}
		top, second := raw[0], -raw[0]
		if len(raw) > 1 {
			top, second = raw[0], -1e300
			for _, r := range raw[1:] {
				if r > top {
					top, second = r, top
				} else if r > second {
					second = r
				}
			}
		} else if top < second {
			top, second = second, top
		}
		if n == rounds || n%freq == 0 && top-second > margin {
			return raw
		}
	}
}

func TestEarlyStop(t *testing.T) {
	for _, outputs := range []int{1, 2, 3} {
		for _, values := range []int{40, 500} { // the form of 32 bits and that of 64
			s := modelShape{family: LightGBM, features: 5, trees: 30 * outputs, leaves: 40, outputs: outputs, values: values, missing: true, categorical: true}
			rng := rand.New(rand.NewPCG(7, uint64(outputs)))
			m := randomModel(rng, s)
			m.Objective = Objective{Name: "multiclass"}
			if outputs == 1 {
				m.Objective = Objective{Name: "binary", Sigmoid: 1}
			}
			x := awkwardRows(t, rng, 25, s)
			differ := 0
			full := mustRaw(t, m, x)
			for _, c := range []struct {
				first, rounds, freq int
				margin              float64
			}{{0, 30, 10, 3}, {0, 30, 4, 5}, {5, 21, 3, 2}, {0, 30, 1, 0}, {0, 30, 31, 0}} {
				o := PredictOptions{FirstRound: c.first, Rounds: c.rounds, Threads: 2, EarlyStop: EarlyStop{Freq: c.freq, Margin: c.margin}}
				p := mustPredictor(t, m, o)
				got, one := make([]float64, 25*outputs), make([]float64, outputs)
				if err := p.RawBatch(t.Context(), got, x); err != nil {
					t.Fatal(err)
				}
				for i := range 25 {
					if err := p.Raw(one, x.row(i, nil)); err != nil {
						t.Fatal(err)
					}
					want := stopped(t, m, c.first, c.rounds, c.freq, c.margin, x.row(i, nil))
					if !sameBits(one, want) || !sameBits(got[i*outputs:(i+1)*outputs], want) {
						t.Fatalf("%d outputs, %+v, row %d: alone %v, in the batch %v, want %v", outputs, c, i, one, got[i*outputs:(i+1)*outputs], want)
					}
					if c.rounds == 30 && !sameBits(want, full[i*outputs:(i+1)*outputs]) {
						differ++
					}
				}
			}
			if differ == 0 {
				t.Errorf("%d outputs: no row stopped early", outputs)
			}
			// Objectives that need all trees get them.
			m.Objective = Objective{}
			all := make([]float64, 25*outputs)
			if err := mustPredictor(t, m, PredictOptions{EarlyStop: EarlyStop{Freq: 1}}).RawBatch(t.Context(), all, x); err != nil {
				t.Fatal(err)
			}
			if !sameBits(all, full) {
				t.Errorf("%d outputs: a custom objective stopped early", outputs)
			}
		}
	}
}

func TestEarlyStopRefused(t *testing.T) {
	if _, err := NewPredictor(stump(XGBoost, 1, 0), PredictOptions{EarlyStop: EarlyStop{Freq: 1}}); !errors.Is(err, ErrEarlyStop) {
		t.Errorf("XGBoost: got %v, want %v", err, ErrEarlyStop)
	}
	for _, e := range []EarlyStop{{Freq: -1}, {Freq: 1, Margin: -1}, {Freq: 1, Margin: nan}} {
		if _, err := NewPredictor(stump(LightGBM, 1, 0), PredictOptions{EarlyStop: e}); err == nil {
			t.Errorf("%+v: no error", e)
		}
	}
}
