package gbdt

import (
	"math"
	"testing"
)

func TestLinks(t *testing.T) {
	for _, c := range []struct {
		name   string
		family Family
		o      Objective
		raw    []float64
		want   []float64
		tol    float64
	}{
		{"regression", LightGBM, Objective{Name: "regression"}, []float64{-3}, []float64{-3}, 0},
		{"sqrt", LightGBM, Objective{Name: "regression", Sqrt: true}, []float64{-3}, []float64{-9}, 0},
		{"binary", LightGBM, Objective{Name: "binary", Sigmoid: 2}, []float64{math.Log(3) / 2}, []float64{0.75}, 1e-15},
		{"cross entropy", LightGBM, Objective{Name: "cross_entropy"}, []float64{0}, []float64{0.5}, 0},
		{"cross entropy lambda", LightGBM, Objective{Name: "cross_entropy_lambda"}, []float64{0}, []float64{math.Ln2}, 1e-15},
		{"one against all", LightGBM, Objective{Name: "multiclassova", Sigmoid: 1}, []float64{0, math.Log(3)}, []float64{0.5, 0.75}, 1e-15},
		{"multiclass", LightGBM, Objective{Name: "multiclass"}, []float64{1000, 1000 + math.Log(3)}, []float64{0.25, 0.75}, 1e-13},
		{"poisson", LightGBM, Objective{Name: "poisson"}, []float64{2}, []float64{math.Exp(2)}, 1e-14},
		{"gamma", LightGBM, Objective{Name: "gamma"}, []float64{0}, []float64{1}, 0},
		{"tweedie", LightGBM, Objective{Name: "tweedie"}, []float64{0}, []float64{1}, 0},
		{"quantile", LightGBM, Objective{Name: "quantile"}, []float64{5}, []float64{5}, 0},
		{"ranking", LightGBM, Objective{Name: "lambdarank"}, []float64{5}, []float64{5}, 0},
		{"custom", LightGBM, Objective{}, []float64{5, 6}, []float64{5, 6}, 0},
		{"softprob", XGBoost, Objective{Name: "multi:softprob"}, []float64{100, float64(float32(100 + math.Log(3)))}, []float64{0.25, 0.75}, 1e-5},
		{"softmax", XGBoost, Objective{Name: "multi:softmax"}, []float64{1, 5, 5}, []float64{1}, 0},
		{"logistic", XGBoost, Objective{Name: "binary:logistic"}, []float64{0}, []float64{0.5}, 0},
		{"logistic far below", XGBoost, Objective{Name: "reg:logistic"}, []float64{-1000}, []float64{float64(float32(1) / (exp32(88.7) + 1))}, 0},
		{"hinge", XGBoost, Objective{Name: "binary:hinge"}, []float64{0}, []float64{0}, 0},
		{"logit", XGBoost, Objective{Name: "binary:logitraw"}, []float64{3}, []float64{3}, 0},
		{"poisson", XGBoost, Objective{Name: "count:poisson"}, []float64{1}, []float64{float64(float32(math.E))}, 0},
		{"gamma", XGBoost, Objective{Name: "reg:gamma"}, []float64{0}, []float64{1}, 0},
		{"squared", XGBoost, Objective{Name: "reg:squarederror"}, []float64{3}, []float64{3}, 0},
		{"old name", XGBoost, Objective{Name: "reg:linear"}, []float64{3}, []float64{3}, 0},
		{"quantiles ascend", XGBoost, Objective{Name: "reg:quantileerror"}, []float64{3, 1, 2}, []float64{1, 2, 3}, 0},
		{"ranking", XGBoost, Objective{Name: "rank:ndcg"}, []float64{3}, []float64{3}, 0},
	} {
		m := &Model{Family: c.family, Objective: c.o, FeatureNames: []string{"x"}, Outputs: len(c.raw), BaseMargin: make([]float64, len(c.raw))}
		for k, r := range c.raw {
			m.Trees = append(m.Trees, Tree{Output: k, LeafValue: []float64{c.family.stored(r)}})
		}
		m.RoundEnds = []int32{int32(len(m.Trees))}
		p := mustPredictor(t, m, PredictOptions{})
		got := make([]float64, p.NumOutputs())
		if err := p.Predict(got, []float64{0}); err != nil {
			t.Fatal(err)
		}
		if len(got) != len(c.want) {
			t.Errorf("%v %s: %d outputs, want %d", c.family, c.name, len(got), len(c.want))
			continue
		}
		for k := range got {
			if math.Abs(got[k]-c.want[k]) > c.tol {
				t.Errorf("%v %s: got %v, want %v", c.family, c.name, got, c.want)
			}
		}
	}
}

func TestAveragesAreLinkedOverTheRoundsUsed(t *testing.T) {
	m := &Model{Family: LightGBM, Objective: Objective{Name: "poisson"}, AverageOutput: true, FeatureNames: []string{"x"}, Outputs: 1,
		BaseMargin: []float64{0}, RoundEnds: []int32{1, 2, 3}}
	for _, v := range []float64{1, 2, 6} {
		m.Trees = append(m.Trees, Tree{LeafValue: []float64{v}})
	}
	for _, c := range []struct {
		o    PredictOptions
		want float64
	}{{PredictOptions{}, 3}, {PredictOptions{Rounds: 2}, 1.5}, {PredictOptions{FirstRound: 1}, 4}} {
		var got [1]float64
		if err := mustPredictor(t, m, c.o).Predict(got[:], []float64{0}); err != nil || got[0] != exp64(c.want) {
			t.Errorf("%+v: got %v, %v, want exp(%v)", c.o, got[0], err, c.want)
		}
	}
}

func TestUnknownObjectivesAreRefused(t *testing.T) {
	for _, c := range []struct {
		family  Family
		o       Objective
		outputs int
	}{
		{LightGBM, Objective{Name: "reg:gamma"}, 1},
		{LightGBM, Objective{Name: "binary"}, 1},
		{LightGBM, Objective{Name: "gamma"}, 2},
		{XGBoost, Objective{}, 1},
		{XGBoost, Objective{Name: "gamma"}, 1},
		{XGBoost, Objective{Name: "reg:expectileerror"}, 2},
	} {
		if link, err := c.o.Link(c.family, c.outputs); err == nil {
			t.Errorf("%v %+v with %d outputs: got %v", c.family, c.o, c.outputs, link)
		}
	}
}
