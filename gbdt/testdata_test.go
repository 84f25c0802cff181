package gbdt

import (
	"math"
	"math/rand/v2"
	"testing"
)

// table of features for tests: normal columns, one with few values, one with missing values, one with signed zeros and
// the smallest numbers, one that float32 does not hold.
func testMatrix(t testing.TB, rng *rand.Rand, rows, cols int) Matrix {
	t.Helper()
	tiny := []float64{0, math.Copysign(0, -1), 1e-36, -1e-36, 1e-34, -1e-34, 5e-324, zeroThreshold, -zeroThreshold, 1}
	x := make([]float64, rows*cols)
	for i := range rows {
		for j := range cols {
			v := rng.NormFloat64()
			switch j % 5 {
			case 1:
				v = math.Round(2 * v)
			case 2:
				if rng.Float64() < 0.2 {
					v = math.NaN()
				}
			case 3:
				v = tiny[rng.IntN(len(tiny))]
			case 4:
				v = 1 + float64(rng.IntN(40))*0x1p-25
			}
			x[i*cols+j] = v
		}
	}
	m, err := NewMatrix(x, cols)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// signal is a score that depends on some columns of a row of testMatrix, missing values among them.
func signal(x Matrix, i int) float64 {
	s := 0.8*x.At(i, 0) + 0.5*math.Abs(x.At(i, 1))
	if v := x.At(i, 2); v != v {
		s += 0.7
	} else if v > 0.3 {
		s -= 0.4
	}
	if x.At(i, 3) > 0 {
		s += 0.3
	}
	return s
}

// testDataset returns labels that the loss takes, made from signal with noise.
func testDataset(t testing.TB, seed uint64, rows, cols int, p Params) *Dataset {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	x := testMatrix(t, rng, rows, cols)
	labels, weights := make([]float64, rows), make([]float64, rows)
	for i := range labels {
		s := signal(x, i)
		switch p.Loss {
		case Gamma:
			labels[i] = math.Exp(s) * (0.05 + rng.ExpFloat64())
		case Poisson, Tweedie:
			labels[i] = math.Floor(math.Exp(s) * rng.ExpFloat64())
		case CrossEntropy:
			labels[i] = 1 / (1 + math.Exp(-s-rng.NormFloat64()))
		case Logistic:
			if rng.Float64() < 1/(1+math.Exp(-s)) {
				labels[i] = 1
			}
		case Softmax, OneVsRest:
			labels[i] = min(max(math.Round(s+0.5*rng.NormFloat64()), 0), float64(p.NumClass-1))
		default:
			labels[i] = s + 0.5*rng.NormFloat64()
		}
		weights[i] = float64(rng.IntN(4)) / 2
	}
	d, err := NewDataset(x, nil, Targets{Labels: labels, Weights: weights})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// allLosses returns parameters for every family and loss, small.
func allLosses() []Params {
	var all []Params
	for _, family := range []Family{LightGBM, XGBoost} {
		for _, loss := range []Loss{
			SquaredError, Quantile, Gamma, Logistic, Softmax, AbsoluteError, Huber, Poisson, Tweedie, CrossEntropy, OneVsRest,
		} {
			if loss == OneVsRest && family == XGBoost {
				continue
			}
			p := DefaultParams(family)
			p.Loss, p.NumClass, p.Alpha = loss, 3, 0.7
			p.Rounds, p.MaxLeaves, p.MaxDepth, p.MinDataInLeaf = 12, 9, 5, 5
			p.BaggingFraction, p.BaggingFreq, p.FeatureFraction = 0.8, 2, 0.7
			all = append(all, p)
		}
	}
	return all
}

// variants returns parameters that use what a plain training does not, by name.
func variants() map[string]Params {
	all := map[string]Params{}
	for _, family := range []Family{LightGBM, XGBoost} {
		for name, change := range map[string]func(p *Params){
			"categories": func(p *Params) { p.CategoricalFeatures, p.MinDataPerGroup = []int{1, 6}, 5 },
			"one-hot":    func(p *Params) { p.CategoricalFeatures, p.MaxCatToOneHot = []int{1, 6}, 255 },
			"monotone":   func(p *Params) { p.MonotoneConstraints = []int8{1, 0, 0, 1, 0, -1, 0, 0, 0, 0} },
			"groups":     func(p *Params) { p.InteractionConstraints = [][]int{{0, 1, 2}, {2, 3}, {5, 6, 7}} },
			"one-sided":  func(p *Params) { p.TopRate, p.OtherRate, p.BaggingFraction, p.LearningRate = 0.2, 0.2, 1, 0.5 },
			"penalties":  func(p *Params) { p.L1, p.L2, p.MinGain = 0.5, 2, 0.1 },
			"classes": func(p *Params) {
				p.Loss, p.NumClass, p.ClassWeights = Softmax, 3, []float64{1, 0.5, 3}
			},
		} {
			p := DefaultParams(family)
			p.Rounds, p.MaxLeaves, p.MaxDepth, p.MinDataInLeaf, p.BaggingFraction = 10, 9, 5, 5, 0.8
			change(&p)
			all[family.String()+"/"+name] = p
		}
	}
	return all
}

func (p Params) testName() string { return p.Family.String() + "/" + string(p.Loss) }

func mustTrain(t testing.TB, p Params, d *Dataset, o TrainOptions) *Result {
	t.Helper()
	r, err := Train(t.Context(), p, d, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func mustPredictor(t testing.TB, m *Model, o PredictOptions) *Predictor {
	t.Helper()
	p, err := NewPredictor(m, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustRaw(t testing.TB, m *Model, x Matrix) []float64 {
	t.Helper()
	raw := make([]float64, x.Rows()*m.Outputs)
	if err := mustPredictor(t, m, PredictOptions{}).RawBatch(t.Context(), raw, x); err != nil {
		t.Fatal(err)
	}
	return raw
}

func mustDataset(t testing.TB, x Matrix, targets Targets) *Dataset {
	t.Helper()
	d, err := NewDataset(x, nil, targets)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// sameBits reports whether a and b are the same numbers bit by bit.
func sameBits(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if math.Float64bits(a[i]) != math.Float64bits(b[i]) {
			return false
		}
	}
	return true
}
