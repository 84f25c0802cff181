package gbdt

import (
	"errors"
	"math"
	"testing"
)

func TestTrainRefuses(t *testing.T) {
	x := Matrix{rows: 4, cols: 1, f64: []float64{1, 2, 3, 4}}
	with := func(change func(*Params)) Params {
		p := DefaultParams(LightGBM)
		change(&p)
		return p
	}
	good := mustDataset(t, x, Targets{Labels: []float64{0, 1, 0, 1}})
	for _, c := range []struct {
		name   string
		p      Params
		labels []float64
		init   []float64
		valid  *Dataset
		want   error // nil: any error
	}{
		{"parameters", with(func(p *Params) { p.Rounds = 0 }), []float64{1, 2, 3, 4}, nil, nil, ErrParams},
		{"gamma label", with(func(p *Params) { p.Loss = Gamma }), []float64{1, 2, 0, 4}, nil, nil, nil},
		{"logistic label", with(func(p *Params) { p.Loss = Logistic }), []float64{0, 1, 0.5, 1}, nil, nil, nil},
		{"class too large", with(func(p *Params) { p.Loss, p.NumClass = Softmax, 3 }), []float64{0, 1, 2, 3}, nil, nil, nil},
		{"class between", with(func(p *Params) { p.Loss, p.NumClass = Softmax, 3 }), []float64{0, 1, 1.5, 2}, nil, nil, nil},
		{"initial scores of other outputs", with(func(p *Params) { p.Loss, p.NumClass = Softmax, 3 }), []float64{0, 1, 1, 2}, make([]float64, 8), nil, ErrShape},
		{"constraints of another width", with(func(p *Params) { p.MonotoneConstraints = []int8{1, 1} }), []float64{1, 2, 3, 4}, nil, nil, ErrParams},
		{"no such column", with(func(p *Params) { p.CategoricalFeatures = []int{1} }), []float64{1, 2, 3, 4}, nil, nil, ErrParams},
		{"an ordered category", with(func(p *Params) { p.CategoricalFeatures, p.MonotoneConstraints = []int{0}, []int8{1} }), []float64{1, 2, 3, 4}, nil, nil, ErrParams},
		{"forest from initial scores", with(func(p *Params) { p.Boosting, p.FeatureFraction = RandomForest, 0.5 }), []float64{1, 2, 3, 4}, make([]float64, 4), nil, ErrParams},
		{"count below zero", with(func(p *Params) { p.Loss = Poisson }), []float64{1, -2, 3, 4}, nil, nil, nil},
		{"no counts", with(func(p *Params) { p.Loss = Tweedie }), []float64{0, 0, 0, 0}, nil, nil, nil},
		{"no probability", with(func(p *Params) { p.Loss = CrossEntropy }), []float64{0, 1, 0.5, 2}, nil, nil, nil},
		{"early stopping without validation", with(func(p *Params) { p.EarlyStopping = 5 }), []float64{1, 2, 3, 4}, nil, nil, ErrParams},
		{"validation without initial scores", with(func(*Params) {}), []float64{1, 2, 3, 4}, make([]float64, 4), good, ErrShape},
		{"divergence", with(func(p *Params) { p.Loss = Gamma }), []float64{1, 2, 3, 4}, []float64{-800, -800, -800, -800}, nil, ErrDiverged},
	} {
		d := mustDataset(t, x, Targets{Labels: c.labels, InitScores: c.init})
		var o TrainOptions
		if c.valid != nil {
			o.Valid = []ValidSet{{"valid", c.valid}}
		}
		_, err := Train(t.Context(), c.p, d, o)
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func TestParamsValidateNamesEveryFault(t *testing.T) {
	bad := Params{Rounds: -1, MaxLeaves: 1, MaxDepth: 99, MinGain: math.NaN(), BaggingFraction: 1.5, MaxBin: 1000, LearningRate: math.Inf(1)}
	err := bad.Validate()
	if !errors.Is(err, ErrParams) {
		t.Fatalf("got %v", err)
	}
	faults := err.(interface{ Unwrap() []error }).Unwrap()
	if len(faults) != 16 {
		t.Errorf("%d faults, want 16:\n%v", len(faults), err)
	}
	for _, family := range []Family{LightGBM, XGBoost} {
		p := DefaultParams(family)
		if err := p.Validate(); err != nil {
			t.Errorf("defaults of %v: %v", family, err)
		}
	}
	for _, c := range []func(*Params){
		func(p *Params) { p.Family = 0 },
		func(p *Params) { p.Loss = "other" },
		func(p *Params) { p.Loss = Softmax },
		func(p *Params) { p.Loss, p.Alpha = Quantile, 1 },
		func(p *Params) { p.Growth = 0 },
		func(p *Params) { p.MaxLeaves, p.MaxDepth = 0, 0 },
		func(p *Params) { p.MinDataInLeaf = 0 },
		func(p *Params) { p.L1 = -1 },
		func(p *Params) { p.FeatureFraction = 0 },
		func(p *Params) { p.Threads = -1 },
		func(p *Params) { p.Loss, p.HuberDelta = Huber, 0 },
		func(p *Params) { p.Loss, p.TweediePower = Tweedie, 2 },
		func(p *Params) { p.Loss = Custom },
		func(p *Params) { p.Family, p.Loss, p.NumClass = XGBoost, OneVsRest, 3 },
		func(p *Params) { p.ClassWeights = []float64{1, 1} },
		func(p *Params) { p.Loss, p.ClassWeights = Logistic, []float64{1} },
		func(p *Params) { p.Loss, p.ClassWeights = Logistic, []float64{0, 0} },
		func(p *Params) { p.Boosting = 9 },
		func(p *Params) { p.Boosting, p.DropRate = Dart, 2 },
		func(p *Params) { p.Boosting, p.EarlyStopping = Dart, 3 },
		func(p *Params) { p.Boosting = RandomForest },
		func(p *Params) { p.TopRate = 0.3 },
		func(p *Params) { p.TopRate, p.OtherRate = 0.6, 0.6 },
		func(p *Params) { p.TopRate, p.OtherRate, p.BaggingFraction = 0.2, 0.1, 0.5 },
		func(p *Params) { p.MonotoneConstraints = []int8{2} },
		func(p *Params) { p.CatSmooth = -1 },
		func(p *Params) { p.MaxCatThreshold = 0 },
	} {
		p := DefaultParams(LightGBM)
		c(&p)
		if err := p.Validate(); !errors.Is(err, ErrParams) {
			t.Errorf("%+v: got %v, want %v", p, err, ErrParams)
		}
	}
}
