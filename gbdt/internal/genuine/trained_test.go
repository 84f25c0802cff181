package genuine_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/internal/genuine"
	"github.com/pppq/pppq/gbdt/lightgbm"
	"github.com/pppq/pppq/gbdt/xgboost"
)

const script = "../../../scripts/gbdt/check_genuine.py"

// TestTrainedLightGBM lets LightGBM answer with models of every loss, kind of boosting and split that package gbdt
// trains.
func TestTrainedLightGBM(t *testing.T) {
	genuine.Compare(t, "lightgbm", script, trained(t, gbdt.LightGBM, "model.txt"), func(path string, c genuine.Case) error {
		f, err := lightgbm.New(c.Model)
		if err != nil {
			return err
		}
		return lightgbm.Save(path, f)
	})
}

// TestTrainedXGBoost is TestTrainedLightGBM for XGBoost.
func TestTrainedXGBoost(t *testing.T) {
	genuine.Compare(t, "xgboost", script, trained(t, gbdt.XGBoost, "model.json"), func(path string, c genuine.Case) error {
		f, err := xgboost.New(c.Model)
		if err != nil {
			return err
		}
		return xgboost.Save(path, f)
	})
}

const columns = 5

// trained makes a model for each way to train.
func trained(t *testing.T, family gbdt.Family, file string) []genuine.Case {
	changes := map[string]func(p *gbdt.Params){
		"l1":         func(p *gbdt.Params) { p.Loss = gbdt.AbsoluteError },
		"huber":      func(p *gbdt.Params) { p.Loss = gbdt.Huber },
		"poisson":    func(p *gbdt.Params) { p.Loss = gbdt.Poisson },
		"tweedie":    func(p *gbdt.Params) { p.Loss = gbdt.Tweedie },
		"entropy":    func(p *gbdt.Params) { p.Loss = gbdt.CrossEntropy },
		"categories": func(p *gbdt.Params) { p.CategoricalFeatures, p.MinDataPerGroup, p.CatSmooth = []int{3, 4}, 5, 1 },
		"one-hot":    func(p *gbdt.Params) { p.CategoricalFeatures, p.MaxCatToOneHot = []int{3, 4}, 255 },
		"dart":       func(p *gbdt.Params) { p.Boosting, p.SkipDrop, p.DropRate = gbdt.Dart, 0.2, 0.4 },
		"forest":     func(p *gbdt.Params) { p.Boosting, p.BaggingFraction = gbdt.RandomForest, 0.6 },
		"one-sided":  func(p *gbdt.Params) { p.TopRate, p.OtherRate, p.LearningRate = 0.2, 0.2, 0.5 },
		"monotone":   func(p *gbdt.Params) { p.MonotoneConstraints = []int8{1, -1, 0, 0, 0} },
		"groups":     func(p *gbdt.Params) { p.InteractionConstraints = [][]int{{0, 1}, {2, 3}} },
		"classes": func(p *gbdt.Params) {
			p.Loss, p.NumClass, p.ClassWeights = gbdt.Softmax, 3, []float64{1, 2, 1}
			p.CategoricalFeatures = []int{3}
		},
	}
	if family == gbdt.LightGBM {
		changes["ova"] = func(p *gbdt.Params) { p.Loss, p.NumClass = gbdt.OneVsRest, 3 }
	}
	var cases []genuine.Case
	for name, change := range changes {
		p := gbdt.DefaultParams(family)
		p.Rounds, p.MaxLeaves, p.MaxDepth, p.MinDataInLeaf = 12, 12, 5, 5
		change(&p)
		rng := rand.New(rand.NewPCG(5, 7))
		values, labels := table(rng, 800), make([]float64, 800)
		for i := range labels {
			labels[i] = label(p, values[i*columns:(i+1)*columns], rng)
		}
		x, err := gbdt.NewMatrix(values, columns)
		if err != nil {
			t.Fatal(err)
		}
		d, err := gbdt.NewDataset(x, nil, gbdt.Targets{Labels: labels})
		if err != nil {
			t.Fatal(err)
		}
		r, err := gbdt.Train(t.Context(), p, d, gbdt.TrainOptions{})
		if err != nil {
			t.Fatal(fmt.Errorf("%s: %w", name, err))
		}
		if p.CategoricalFeatures != nil && !splitsByCategory(r.Model) {
			t.Error(errors.New(name + ": no split by category"))
		}
		cases = append(cases, genuine.Case{Name: name, Model: r.Model, File: file, Rows: table(rng, 300)})
	}
	return cases
}

func splitsByCategory(m *gbdt.Model) bool {
	for i := range m.Trees {
		for n := range m.Trees[i].Left {
			if m.Trees[i].Categorical(n) {
				return true
			}
		}
	}
	return false
}

// table has three columns of numbers, one of them with missing values, and two of codes, one of which a model has not
// seen, or that are missing.
func table(rng *rand.Rand, n int) []float64 {
	x := make([]float64, 0, n*columns)
	for range n {
		row := []float64{rng.NormFloat64(), rng.ExpFloat64(), rng.NormFloat64(), float64(rng.IntN(12)), float64(3 * rng.IntN(40))}
		if rng.IntN(4) == 0 {
			row[2] = math.NaN()
		}
		switch rng.IntN(30) {
		case 0:
			row[3] = math.NaN()
		case 1:
			row[4] = 200
		}
		x = append(x, row...)
	}
	return x
}

func label(p gbdt.Params, row []float64, rng *rand.Rand) float64 {
	s := row[0] - row[1] + 0.5*rng.NormFloat64()
	if c := row[3]; c == c {
		s += math.Sin(7 * c)
	}
	s += math.Sin(3 * row[4])
	switch p.Loss {
	case gbdt.Poisson, gbdt.Tweedie:
		return math.Floor(math.Exp(s / 2))
	case gbdt.CrossEntropy:
		return 1 / (1 + math.Exp(-s))
	case gbdt.Softmax, gbdt.OneVsRest:
		return min(2, max(0, math.Floor(s+1)))
	}
	return s
}
