package gbdt

import (
	"errors"
	"strings"
	"testing"
)

// wholeModel returns a valid model with two splits, categories and statistics.
func wholeModel(family Family) *Model {
	m := &Model{
		Family: family, FeatureNames: []string{"a", "b"}, Features: make([]FeatureInfo, 2), Outputs: 2, BaseMargin: []float64{0, 0}, RoundEnds: []int32{2, 2},
		Objective: Objective{Name: "multi:softprob"},
		Trees: []Tree{{
			Feature: []int32{0, 1}, Threshold: []float64{0.5, 0}, Decision: []uint8{2, 1}, Left: []int32{1, ^0}, Right: []int32{^1, ^2},
			LeafValue: []float64{1, 2, 3}, CatBoundaries: []int32{0, 1}, CatBits: []uint32{5},
			LeafCount: []int32{1, 1, 1}, InternalCount: []int32{3, 2},
		}, {Output: 1, LeafValue: []float64{1}}},
	}
	if family == LightGBM {
		m.Objective.Name = "multiclass"
		m.Trees[0].Linear = &LinearLeaves{Const: make([]float64, 3), Start: []int32{0, 1, 1, 1}, Features: []int32{1}, Coeff: []float64{2}}
	}
	return m
}

func TestValidateRefuses(t *testing.T) {
	const tooFine = 0.1
	for _, c := range []struct {
		name   string
		family Family
		change func(m *Model)
		want   string
	}{
		{"family", LightGBM, func(m *Model) { m.Family = 0 }, "family"},
		{"no features", LightGBM, func(m *Model) { m.FeatureNames = nil }, "no features"},
		{"infos", LightGBM, func(m *Model) { m.Features = m.Features[:1] }, "Features"},
		{"outputs", LightGBM, func(m *Model) { m.Outputs = 0 }, "0 outputs"},
		{"objective", LightGBM, func(m *Model) { m.Objective.Name = "x" }, "objective"},
		{"margins", LightGBM, func(m *Model) { m.BaseMargin = nil }, "BaseMargin"},
		{"margin of LightGBM", LightGBM, func(m *Model) { m.BaseMargin[0] = 1 }, "starts at 0"},
		{"margin too fine", XGBoost, func(m *Model) { m.BaseMargin[0] = tooFine }, "float32"},
		{"rounds too few", LightGBM, func(m *Model) { m.RoundEnds = []int32{1} }, "RoundEnds"},
		{"rounds fall", LightGBM, func(m *Model) { m.RoundEnds = []int32{2, 1, 2} }, "RoundEnds[1]"},
		{"rounds without trees", LightGBM, func(m *Model) { m.Trees, m.RoundEnds = nil, []int32{0} }, "rounds"},
		{"average", XGBoost, func(m *Model) { m.AverageOutput = true }, "AverageOutput"},
		{"weights of LightGBM", LightGBM, func(m *Model) { m.TreeWeights = []float32{1, 1} }, "TreeWeights"},
		{"weights too few", XGBoost, func(m *Model) { m.TreeWeights = []float32{1} }, "TreeWeights"},
		{"output", LightGBM, func(m *Model) { m.Trees[1].Output = 2 }, "tree 1: output"},
		{"no leaves", LightGBM, func(m *Model) { m.Trees[1].LeafValue = nil }, "0 leaves"},
		{"leaf too many", LightGBM, func(m *Model) { m.Trees[0].LeafValue = make([]float64, 4) }, "4 leaves"},
		{"features too few", LightGBM, func(m *Model) { m.Trees[0].Feature = nil }, "Feature has 0"},
		{"counts too few", LightGBM, func(m *Model) { m.Trees[0].LeafCount = []int32{} }, "LeafCount has 0"},
		{"gains too few", LightGBM, func(m *Model) { m.Trees[0].Gain = []float64{1} }, "Gain has 1"},
		{"loop", LightGBM, func(m *Model) { m.Trees[0].Left[1] = 1 }, "child 1 outside"},
		{"back", LightGBM, func(m *Model) { m.Trees[0].Left[1] = 0 }, "child 0 outside"},
		{"child too high", LightGBM, func(m *Model) { m.Trees[0].Left[0] = 2 }, "child 2 outside"},
		{"node of no parent", LightGBM, func(m *Model) { m.Trees[0].Left[0], m.Trees[0].Left[1] = ^0, 1 }, "node 1"},
		{"leaf too high", LightGBM, func(m *Model) { m.Trees[0].Right[1] = ^3 }, "leaf 3 outside"},
		{"two parents", LightGBM, func(m *Model) { m.Trees[0].Right[0] = 1 }, "two parents"},
		{"leaf with two parents", LightGBM, func(m *Model) { m.Trees[0].Right[0] = ^0 }, "two parents"},
		{"feature", LightGBM, func(m *Model) { m.Trees[0].Feature[1] = 2 }, "feature 2"},
		{"feature below 0", LightGBM, func(m *Model) { m.Trees[0].Feature[1] = -1 }, "feature -1"},
		{"missing type", LightGBM, func(m *Model) { m.Trees[0].Decision[0] = 12 }, "decision 12"},
		{"decision", LightGBM, func(m *Model) { m.Trees[0].Decision[0] = 16 }, "decision 16"},
		{"set number", LightGBM, func(m *Model) { m.Trees[0].Threshold[1] = 1 }, "category set 1"},
		{"set between", LightGBM, func(m *Model) { m.Trees[0].Threshold[1] = 0.5 }, "category set 0.5"},
		{"set NaN", LightGBM, func(m *Model) { m.Trees[0].Threshold[1] = nan }, "category set NaN"},
		{"no sets", LightGBM, func(m *Model) { m.Trees[0].CatBoundaries, m.Trees[0].CatBits = nil, nil }, "category set 0 of 0"},
		{"bits without sets", LightGBM, func(m *Model) { m.Trees[0].CatBoundaries = nil }, "CatBoundaries"},
		{"boundaries begin late", LightGBM, func(m *Model) { m.Trees[0].CatBoundaries[0] = 1 }, "CatBoundaries[0]"},
		{"boundaries end early", LightGBM, func(m *Model) { m.Trees[0].CatBits = []uint32{1, 2} }, "CatBoundaries"},
		{"boundaries past the words", LightGBM, func(m *Model) { m.Trees[0].CatBoundaries[1] = 9 }, "CatBoundaries[1]"},
		{"node numbers of LightGBM", LightGBM, func(m *Model) { m.Trees[1].LeafID = []int32{0} }, "LeafID"},
		{"linear of XGBoost", XGBoost, func(m *Model) { m.Trees[0].Linear = &LinearLeaves{} }, "linear"},
		{"threshold too fine", XGBoost, func(m *Model) { m.Trees[0].Threshold[0] = tooFine }, "float32"},
		{"leaf too fine", XGBoost, func(m *Model) { m.Trees[0].LeafValue[2] = tooFine }, "leaf 2"},
		{"missing type of XGBoost", XGBoost, func(m *Model) { m.Trees[0].Decision[0] = 8 }, "missing types"},
		{"linear leaves", LightGBM, func(m *Model) { m.Trees[0].Linear.Const = nil }, "linear"},
		{"linear end", LightGBM, func(m *Model) { m.Trees[0].Linear.Start[3] = 0 }, "Start"},
		{"linear falls", LightGBM, func(m *Model) { m.Trees[0].Linear.Start = []int32{0, 1, 0, 1} }, "Start"},
		{"linear feature", LightGBM, func(m *Model) { m.Trees[0].Linear.Features[0] = 2 }, "feature 2"},
	} {
		m := wholeModel(c.family)
		if err := m.Validate(); err != nil {
			t.Fatalf("the whole model: %v", err)
		}
		c.change(m)
		err := m.Validate()
		if !errors.Is(err, ErrModel) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
		if _, err := NewPredictor(m, PredictOptions{}); err == nil {
			t.Errorf("%s: a predictor is made", c.name)
		}
	}
}

func TestTreeRange(t *testing.T) {
	m := &Model{RoundEnds: []int32{2, 2, 5}, Trees: make([]Tree, 5)}
	for _, c := range []struct{ first, rounds, from, to int }{
		{0, 0, 0, 5}, {0, 1, 0, 2}, {1, 1, 2, 2}, {1, 2, 2, 5}, {2, 9, 2, 5}, {3, 1, 5, 5}, {-1, 1, 0, 2}, {9, 1, 5, 5},
	} {
		if from, to := m.TreeRange(c.first, c.rounds); from != c.from || to != c.to {
			t.Errorf("TreeRange(%d, %d): got %d, %d, want %d, %d", c.first, c.rounds, from, to, c.from, c.to)
		}
	}
	if from, to := new(Model).TreeRange(0, 0); from != 0 || to != 0 {
		t.Errorf("no rounds: got %d, %d", from, to)
	}
}

func TestTreeAccessors(t *testing.T) {
	tree := &wholeModel(LightGBM).Trees[0]
	if got := tree.Depth(); got != 2 {
		t.Errorf("Depth: got %d, want 2", got)
	}
	if tree.Categorical(0) || !tree.Categorical(1) || !tree.DefaultLeft(0) || tree.DefaultLeft(1) {
		t.Error("decisions are read wrongly")
	}
	if set := tree.CategorySet(1); len(set) != 1 || set[0] != 5 {
		t.Errorf("CategorySet: got %v", set)
	}
	for _, missing := range []MissingType{MissingNone, MissingZero, MissingNaN} {
		tree.Decision[0] = Decision(false, true, missing)
		if tree.Missing(0) != missing || !tree.DefaultLeft(0) {
			t.Errorf("missing type %d: got %d", missing, tree.Missing(0))
		}
	}
}
