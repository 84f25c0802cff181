package gbdt

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// half trains the first and the second six of twelve rounds apart, the second from what the first gave.
func half(t *testing.T, p Params, d *Dataset, valid []ValidSet) *Result {
	t.Helper()
	p.Rounds = 6
	first := mustTrain(t, p, d, TrainOptions{})
	return mustTrain(t, p, d, TrainOptions{From: first.Model, Valid: valid})
}

func TestRandomForestGoesOn(t *testing.T) {
	p := DefaultParams(LightGBM)
	p.Boosting, p.BaggingFraction, p.Rounds, p.BaggingFreq = RandomForest, 0.6, 12, 3
	d, valid := testDataset(t, 95, 500, 6, p), []ValidSet{{"valid", testDataset(t, 96, 200, 6, p)}}
	whole, got := mustTrain(t, p, d, TrainOptions{Valid: valid}), half(t, p, d, valid)
	if !reflect.DeepEqual(got.Model.Trees, whole.Model.Trees) || !got.Model.AverageOutput {
		t.Error("two halves are another forest")
	}
	if !reflect.DeepEqual(got.History, whole.History[6:]) {
		t.Errorf("figures %v, want %v", got.History, whole.History[6:])
	}
}

func TestStreamedTrainingGoesOn(t *testing.T) {
	for name, p := range variants() {
		p.Rounds = 12
		d := testDataset(t, 97, 700, 10, p)
		s, err := NewStreamedDataset(p, nil, batches(d, 300))
		if err != nil {
			t.Fatal(err)
		}
		if p.CategoricalFeatures != nil {
			p.Rounds = 6
			first := mustTrain(t, p, s, TrainOptions{})
			_, err := Train(t.Context(), p, s, TrainOptions{From: first.Model})
			if !errors.Is(err, ErrParams) || !strings.Contains(err.Error(), "a split by category") {
				t.Errorf("%s: got %v, want a refusal of splits by category", name, err)
			}
			continue
		}
		if whole, got := mustTrain(t, p, s, TrainOptions{}), half(t, p, s, nil); !reflect.DeepEqual(got.Model.Trees, whole.Model.Trees) {
			t.Errorf("%s: two halves are another model", name)
		}
	}
}

func TestGoingOnIsRefused(t *testing.T) {
	p := DefaultParams(LightGBM)
	p.Rounds = 3
	d := testDataset(t, 98, 400, 5, p)
	s, err := NewStreamedDataset(p, nil, batches(d, 100))
	if err != nil {
		t.Fatal(err)
	}
	model := mustTrain(t, p, d, TrainOptions{}).Model
	dart, forest := p, p
	dart.Boosting = Dart
	forest.Boosting, forest.BaggingFraction = RandomForest, 0.5
	wide := p
	wide.Family, wide.MaxDepth = XGBoost, 4
	moved := *model
	moved.Trees = append([]Tree(nil), model.Trees...)
	moved.Trees[1].Threshold = append([]float64(nil), moved.Trees[1].Threshold...)
	moved.Trees[1].Threshold[0] += 1e-9
	for _, c := range []struct {
		name    string
		p       Params
		data    *Dataset
		from    *Model
		message string
	}{
		{"dart", dart, d, model, "change its trees afterwards"},
		{"a forest from a boosted model", forest, d, model, "boosted in another way"},
		{"boosting from a forest", p, d, mustTrain(t, forest, d, TrainOptions{}).Model, "boosted in another way"},
		{"another family", wide, d, model, "of lightgbm"},
		{"other bins", p, s, &moved, "tree 1, node 0: the threshold"},
	} {
		if _, err := Train(t.Context(), c.p, c.data, TrainOptions{From: c.from}); !errors.Is(err, ErrParams) || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.message)
		}
	}
}
