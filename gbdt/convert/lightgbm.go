package convert

import (
	"math"

	"github.com/pppq/pppq/gbdt"
)

// Options says what conversion may take for equal.
type Options struct {
	// TinyAsZero accepts thresholds from -1e-35 to 1e-35, 0 above all, which tell values apart that LightGBM reads as 0.
	// Rows then reach the same leaves unless they hold values other than 0 whose size is at most 1e-35.
	TinyAsZero bool
}

// ToLightGBM returns the LightGBM model of an XGBoost model. Refused are: categorical nodes that send missing values
// right (LightGBM's never keep them apart from unseen categories), thresholds inside the range that LightGBM reads as 0
// (see Options), thresholds of NaN, and objectives whose output LightGBM does not have.
//
// The base margin goes into the leaves of each output's first tree, and the weights of dart into all leaves. A round
// with several trees of an output becomes several rounds. A new threshold is the largest float64 number that XGBoost
// rounds to a float32 below its own, so rows of float64 values reach the same leaves too. A threshold of -infinity, to
// the left of which nothing goes, becomes +infinity and the children change sides.
func ToLightGBM(m *gbdt.Model, options Options) (*gbdt.Model, error) {
	if err := check(m, gbdt.XGBoost); err != nil {
		return nil, err
	}
	objective, err := objectiveForLightGBM(m.Objective, m.Outputs)
	if err != nil {
		return nil, err
	}
	names, err := renamed(m.FeatureNames, forbiddenByLightGBM, true)
	if err != nil {
		return nil, err
	}
	l := &gbdt.Model{
		Family: gbdt.LightGBM, FeatureNames: names, Features: m.Features, Outputs: m.Outputs, Objective: objective,
		BaseMargin: make([]float64, m.Outputs),
	}
	scale := countScale(m)
	byOutput := make([][]gbdt.Tree, m.Outputs)
	// A LightGBM round has one tree of each output; an output that has none there gets a tree that adds nothing.
	endRound := func() {
		trees := 0
		for k := range byOutput {
			trees = max(trees, len(byOutput[k]))
		}
		for r := range trees {
			for k := range byOutput {
				t := gbdt.Tree{Output: k, LeafValue: []float64{0}, Shrinkage: 1}
				if r < len(byOutput[k]) {
					t = byOutput[k][r]
				}
				l.Trees = append(l.Trees, t)
			}
			l.RoundEnds = append(l.RoundEnds, int32(len(l.Trees)))
		}
		for k := range byOutput {
			byOutput[k] = byOutput[k][:0]
		}
	}
	round := 0
	for i := range m.Trees {
		for int(m.RoundEnds[round]) <= i {
			endRound()
			round++
		}
		weight := float32(1)
		if m.TreeWeights != nil {
			weight = m.TreeWeights[i]
		}
		t, err := treeForLightGBM(&m.Trees[i], weight, scale, options)
		if err != nil {
			return nil, at(i, err)
		}
		byOutput[t.Output] = append(byOutput[t.Output], t)
	}
	endRound()
	for k, margin := range m.BaseMargin {
		if margin-margin != 0 {
			return nil, refuse("output %d starts at %v", k, margin)
		}
		t := &l.Trees[k]
		for i := range t.LeafValue {
			t.LeafValue[i] += margin
		}
		for i := range t.InternalValue {
			t.InternalValue[i] += margin
		}
	}
	return l, l.Validate()
}

func treeForLightGBM(t *gbdt.Tree, weight float32, scale float64, options Options) (gbdt.Tree, error) {
	c := swapped(t)
	for i := range c.Left {
		if c.Categorical(i) {
			if !c.DefaultLeft(i) {
				return gbdt.Tree{}, refuseNode(i, "a split by category whose missing values go right (default_left 0), away from the unseen categories")
			}
			c.Decision[i] = gbdt.Decision(true, false, gbdt.MissingNone)
			continue
		}
		left := c.DefaultLeft(i)
		if math.IsInf(c.Threshold[i], -1) {
			c.Left[i], c.Right[i] = c.Right[i], c.Left[i]
			c.Threshold[i], left = math.Inf(1), !left
		} else {
			threshold, reason := lastBelow(float32(c.Threshold[i]), options)
			if reason != "" {
				return gbdt.Tree{}, refuseNode(i, "the threshold %v %s", c.Threshold[i], reason)
			}
			c.Threshold[i] = threshold
		}
		c.Decision[i] = gbdt.Decision(false, left, gbdt.MissingNaN)
	}
	for i, v := range c.LeafValue {
		c.LeafValue[i] = float64(weight * float32(v))
		if v := c.LeafValue[i]; v-v != 0 {
			return gbdt.Tree{}, refuse("the value of leaf %d is %v", i, v)
		}
	}
	if c.Shrinkage == 0 {
		c.Shrinkage = 1
	}
	c.LeafWeight = t.LeafWeight
	setCounts(&c, scale)
	return c, nil
}

// lastBelow returns, for an s above -infinity, the largest float64 number that rounds to a float32 below s. The reason
// is not empty if s is NaN, or parts numbers that LightGBM reads as 0 and the options do not allow it.
func lastBelow(s float32, options Options) (t float64, reason string) {
	if s != s {
		return 0, "is no number"
	}
	if s > -smallest && s <= smallest {
		if !options.TinyAsZero {
			return 0, "parts values that LightGBM reads as 0 (of a size up to 1e-35)"
		}
		if s > 0 {
			return float64(smallest), ""
		}
		return math.Nextafter(-float64(smallest), math.Inf(-1)), ""
	}
	low, high := float64(below(s)), float64(s)
	even := math.Float32bits(below(s))&1 == 0
	switch { // beyond the largest float32, numbers round as if the next one were 2^128
	case math.IsInf(high, 1):
		high, even = 0x1p128, false
	case math.IsInf(low, -1):
		low, even = -0x1p128, true
	}
	t = low + (high-low)/2 // exact; a tie rounds to the even of the two
	if !even {
		t = math.Nextafter(t, math.Inf(-1))
	}
	return t, ""
}
