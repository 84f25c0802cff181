package convert

import (
	"math"
	"slices"

	"github.com/pppq/pppq/gbdt"
)

// ToXGBoost returns the XGBoost model of a LightGBM model. Refused are: missing type zero, linear trees, random forests
// (their outputs are averages), objectives whose output XGBoost does not have, thresholds of NaN, categories of 2^24
// and more, and leaf values that float32 does not reach.
//
// A float32 value x is at most a threshold t if and only if it is below the float32 number after the largest one up to
// t, so no threshold needs to be rounded. Where LightGBM reads a small value as 0, the new threshold stands outside
// the range of those values. A missing value without a missing type is read as 0, and so has a direction of its own.
// Where all values go left (a threshold of +infinity, which parts missing values from the rest), the children change
// sides and the threshold becomes -infinity.
func ToXGBoost(m *gbdt.Model) (*gbdt.Model, error) {
	if err := check(m, gbdt.LightGBM); err != nil {
		return nil, err
	}
	if m.AverageOutput {
		return nil, refuse("a random forest's outputs are averages over its rounds (average_output), XGBoost's are sums")
	}
	objective, err := objectiveForXGBoost(m.Objective, m.Outputs)
	if err != nil {
		return nil, err
	}
	names, err := renamed(m.FeatureNames, forbiddenByXGBoost, false)
	if err != nil {
		return nil, err
	}
	x := &gbdt.Model{
		Family: gbdt.XGBoost, FeatureNames: names, Features: m.Features, Outputs: m.Outputs, Objective: objective,
		BaseMargin: make([]float64, m.Outputs), Trees: make([]gbdt.Tree, len(m.Trees)), RoundEnds: m.RoundEnds,
	}
	if objective.Name == "binary:logistic" || objective.Name == "reg:logistic" {
		for k := range x.BaseMargin {
			x.BaseMargin[k] = math.Copysign(0, -1) // XGBoost's margin of base_score 0.5
		}
	}
	for i := range m.Trees {
		if x.Trees[i], err = treeForXGBoost(&m.Trees[i]); err != nil {
			return nil, at(i, err)
		}
	}
	return x, x.Validate()
}

func treeForXGBoost(t *gbdt.Tree) (gbdt.Tree, error) {
	if t.Linear != nil {
		return gbdt.Tree{}, refuse("its leaves are linear models (linear_tree), XGBoost's are constants")
	}
	c := swapped(t)
	for i := range c.Left {
		var err error
		if c.Categorical(i) {
			err = categoriesForXGBoost(&c, i)
		} else {
			err = numberForXGBoost(&c, i)
		}
		if err != nil {
			return gbdt.Tree{}, err
		}
	}
	for i, v := range c.LeafValue {
		w := float32(v)
		if w-w != 0 {
			return gbdt.Tree{}, refuse("the value %v of leaf %d is outside the range of float32", v, i)
		}
		c.LeafValue[i] = float64(w)
	}
	c.LeafWeight, c.InternalWeight = rounded(t.LeafWeight), rounded(t.InternalWeight)
	if t.LeafCount != nil && (t.InternalCount != nil || len(t.Left) == 0) {
		c.LeafWeight, c.InternalWeight = weights(t.LeafCount), weights(t.InternalCount)
	}
	c.InternalValue, c.LeafBaseWeight, c.Gain = rounded(t.InternalValue), slices.Clone(c.LeafValue), rounded(c.Gain)
	return c, nil
}

// numberForXGBoost makes node i, which compares x <= t, compare x < threshold.
func numberForXGBoost(t *gbdt.Tree, i int) error {
	at := t.Threshold[i]
	if at != at {
		return refuseNode(i, "the threshold is no number")
	}
	left := t.DefaultLeft(i)
	switch t.Missing(i) {
	case gbdt.MissingZero:
		return refuseNode(i, "missing type zero: a zero goes the way of missing values, in XGBoost it never does")
	case gbdt.MissingNone:
		left = 0 <= at
	}
	if at > math.MaxFloat64 {
		t.Left[i], t.Right[i] = t.Right[i], t.Left[i]
		t.Threshold[i], left = math.Inf(-1), !left
	} else {
		t.Threshold[i] = float64(upperBound(at))
	}
	t.Decision[i] = gbdt.Decision(false, left, gbdt.MissingNone)
	return nil
}

// upperBound returns, for a t below +infinity, the b for which every float32 x has x < b if and only if LightGBM finds x <= t.
func upperBound(t float64) float32 {
	f := float32(t)
	if float64(f) > t {
		f = below(f)
	}
	switch {
	case t >= 0 && f < smallest:
		f = smallest // all that is read as 0 is at most t
	case t < 0 && f >= -smallest:
		return -smallest // nothing that is read as 0 is
	}
	return above(f)
}

// categoriesForXGBoost checks the set of node i, whose children have been exchanged.
func categoriesForXGBoost(t *gbdt.Tree, i int) error {
	any := false
	for w, word := range t.CategorySet(i) {
		any = any || word != 0
		if word != 0 && w >= 1<<24/32 {
			return refuseNode(i, "category %d: XGBoost's are below 16777216", 32*w)
		}
	}
	if !any {
		return refuseNode(i, "a split by category without a category")
	}
	t.Decision[i] = gbdt.Decision(true, true, gbdt.MissingNone) // NaN goes with the categories that are in no set
	return nil
}

// rounded returns x in float32 values, and those that float32 does not reach as its largest.
func rounded(x []float64) []float64 {
	if x == nil {
		return nil
	}
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(float32(min(max(v, -math.MaxFloat32), math.MaxFloat32)))
	}
	return y
}

func weights(counts []int32) []float64 {
	w := make([]float64, len(counts))
	for i, n := range counts {
		w[i] = float64(float32(n))
	}
	return w
}
