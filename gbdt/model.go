package gbdt

import (
	"errors"
	"fmt"
	"math"
)

// Family says whose arithmetic a model follows.
type Family uint8

const (
	// LightGBM models read float64 rows with every |x| <= 1e-35 (as float32) taken for 0. A numerical node sends
	// x <= threshold left and treats missing values by the node's missing type; a category in the node's set goes
	// left. The leaf values of an output are added in float64, from 0, in tree order, each product and sum rounded.
	LightGBM Family = iota + 1
	// XGBoost models round a row to float32 first. A numerical node sends x < threshold left, a category in the
	// node's set goes right, and NaN goes the node's default way. The leaf values of an output are added in float32,
	// from the base margin, in tree order.
	XGBoost
)

// String returns "lightgbm" or "xgboost".
func (f Family) String() string {
	switch f {
	case LightGBM:
		return "lightgbm"
	case XGBoost:
		return "xgboost"
	}
	return fmt.Sprintf("Family(%d)", uint8(f))
}

// Model is an ensemble of trees in memory: plain data that a trainer or a reader of files fills and that NewPredictor
// turns into something that answers rows. A Model must not be changed while a Predictor made from it is in use.
type Model struct {
	Family Family

	// FeatureNames has one name for each feature; its length is the number of features a row has.
	FeatureNames []string
	// Features describes what training saw of each feature; nil if not known, else as long as FeatureNames.
	Features []FeatureInfo

	// Outputs is the number of raw scores a row has, at least 1.
	Outputs int
	// Objective decides the link from raw scores to outputs.
	Objective Objective

	// BaseMargin[k] is where the sum of output k starts: 0 for LightGBM, a float32 value for XGBoost (on the scale of
	// raw scores, not of probabilities). Its length is Outputs.
	BaseMargin []float64

	// Trees are in the order in which their leaf values are added.
	Trees []Tree
	// RoundEnds[r] is the number of trees in the boosting rounds 0..r, inclusive: not decreasing, the last one is
	// len(Trees). It is empty if and only if there are no trees.
	RoundEnds []int32

	// AverageOutput marks LightGBM's random forests: link outputs are made from the sums divided by the number of
	// rounds used. Raw scores stay undivided, as LightGBM's.
	AverageOutput bool
	// TreeWeights multiplies each tree's leaf value (XGBoost's dart, float32); nil means 1 for all trees, else it is
	// as long as Trees. LightGBM's dart has its weights inside the leaf values.
	TreeWeights []float32
}

// FeatureInfo is what training saw of one feature.
type FeatureInfo struct {
	// Min and Max are the smallest and largest value that is not missing. Both are NaN for a feature that was not
	// used (constant or always missing) and for a categorical feature.
	Min, Max float64
	// Categories lists the codes of a categorical feature in the order of its bins (LightGBM puts -1 for NaN); nil
	// for a numerical feature.
	Categories []int32
}

// NumFeatures returns the number of values a row has.
func (m *Model) NumFeatures() int { return len(m.FeatureNames) }

// NumRounds returns the number of boosting rounds.
func (m *Model) NumRounds() int { return len(m.RoundEnds) }

// TreeRange returns the half-open range of tree indices [from, to) that the rounds [firstRound, firstRound+rounds)
// hold. A rounds of 0 or less, or one past the end, means all the remaining rounds; a firstRound outside
// [0, NumRounds] is moved to the nearest end.
func (m *Model) TreeRange(firstRound, rounds int) (from, to int) {
	n := len(m.RoundEnds)
	firstRound = min(max(firstRound, 0), n)
	last := n
	if rounds > 0 && rounds < n-firstRound {
		last = firstRound + rounds
	}
	if firstRound > 0 {
		from = int(m.RoundEnds[firstRound-1])
	}
	if last > 0 {
		to = int(m.RoundEnds[last-1])
	}
	return from, to
}

// ErrModel is wrapped by every error of Model.Validate.
var ErrModel = errors.New("invalid model")

// Validate reports the first fault that would make a prediction panic, loop or differ from the family's arithmetic:
// array lengths, child numbers (a child's number is above its parent's, every node but the root has one parent),
// feature and category ranges, outputs, rounds, and, for XGBoost, values that float32 does not hold. The error wraps
// ErrModel and names the tree and node.
func (m *Model) Validate() error {
	if err := m.validate(); err != nil {
		return fmt.Errorf("gbdt: %w: %w", ErrModel, err)
	}
	return nil
}

func (m *Model) validate() error {
	if m.Family != LightGBM && m.Family != XGBoost {
		return fmt.Errorf("unknown family %v", m.Family)
	}
	if len(m.FeatureNames) == 0 {
		return errors.New("no features")
	}
	if m.Features != nil && len(m.Features) != len(m.FeatureNames) {
		return fmt.Errorf("%d entries in Features, want %d", len(m.Features), len(m.FeatureNames))
	}
	if m.Outputs < 1 {
		return fmt.Errorf("%d outputs, want at least 1", m.Outputs)
	}
	if _, err := m.Objective.Link(m.Family, m.Outputs); err != nil {
		return err
	}
	if len(m.BaseMargin) != m.Outputs {
		return fmt.Errorf("BaseMargin has %d entries, want %d", len(m.BaseMargin), m.Outputs)
	}
	for k, b := range m.BaseMargin {
		if m.Family == LightGBM && b != 0 {
			return fmt.Errorf("BaseMargin[%d] is %v, a LightGBM model starts at 0", k, b)
		}
		if m.Family == XGBoost && !isFloat32(b) {
			return fmt.Errorf("BaseMargin[%d] is %v, not a float32 value", k, b)
		}
	}
	if err := m.validateRounds(); err != nil {
		return err
	}
	switch {
	case m.AverageOutput && m.Family != LightGBM:
		return errors.New("only LightGBM models have AverageOutput")
	case m.TreeWeights != nil && m.Family != XGBoost:
		return errors.New("only XGBoost models have TreeWeights")
	case m.TreeWeights != nil && len(m.TreeWeights) != len(m.Trees):
		return fmt.Errorf("TreeWeights has %d entries, want %d", len(m.TreeWeights), len(m.Trees))
	}
	for i := range m.Trees {
		t := &m.Trees[i]
		if t.Output < 0 || t.Output >= m.Outputs {
			return fmt.Errorf("tree %d: output %d outside [0, %d)", i, t.Output, m.Outputs)
		}
		if err := t.validate(m.Family, len(m.FeatureNames)); err != nil {
			return fmt.Errorf("tree %d: %w", i, err)
		}
	}
	return nil
}

func (m *Model) validateRounds() error {
	var last int32
	for r, end := range m.RoundEnds {
		if end < last {
			return fmt.Errorf("RoundEnds[%d] is %d, below %d", r, end, last)
		}
		last = end
	}
	if int(last) != len(m.Trees) || (len(m.Trees) == 0) != (len(m.RoundEnds) == 0) {
		return fmt.Errorf("RoundEnds has %d rounds that end at tree %d, want %d trees", len(m.RoundEnds), last, len(m.Trees))
	}
	return nil
}

// isFloat32 reports whether float32 holds x exactly; NaN and the infinities count as held.
func isFloat32(x float64) bool {
	return float64(float32(x)) == x || math.IsNaN(x)
}
