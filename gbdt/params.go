package gbdt

import (
	"errors"
	"fmt"
)

// Loss is what training lowers.
type Loss string

const (
	// SquaredError: labels are any numbers, raw scores are means.
	SquaredError Loss = "squared_error"
	// Quantile: the pinball loss of level Params.Alpha; raw scores are quantiles.
	Quantile Loss = "quantile"
	// Gamma: labels above 0, raw scores are logarithms of means.
	Gamma Loss = "gamma"
	// Logistic: labels 0 and 1, raw scores are log-odds of 1.
	Logistic Loss = "logistic"
	// Softmax: labels 0 ... Params.NumClass-1, one raw score a class.
	Softmax Loss = "softmax"
)

// Growth is the order in which a tree's leaves are split.
type Growth uint8

const (
	// LeafWise splits the leaf of the largest gain first.
	LeafWise Growth = iota + 1
	// DepthWise splits the leaves of a level before those of the next.
	DepthWise
)

// Params says how to train. Start from DefaultParams: a zero field is a value of its own, not a default.
type Params struct {
	// Family decides the arithmetic of the model that training makes.
	Family Family
	Loss   Loss
	// NumClass is the number of classes for Softmax, at least 2, and not used otherwise.
	NumClass int
	// Alpha is the level for Quantile, inside (0, 1), and not used otherwise.
	Alpha float64

	// Rounds is the number of boosting rounds, at least 1; each makes one tree for each output.
	Rounds int
	// LearningRate multiplies each leaf, above 0. Default 0.1 (LightGBM), 0.3 (XGBoost).
	LearningRate float64
	// BoostFromAverage starts at the best constant, which the first round's leaves then hold, instead of at 0. It has
	// no effect where initial scores are given. Default true.
	BoostFromAverage bool

	// Growth: default LeafWise (LightGBM), DepthWise (XGBoost).
	Growth Growth
	// MaxLeaves limits the leaves of a tree: at least 2, or 0 for no limit, which needs a MaxDepth. Default 31
	// (LightGBM), 0 (XGBoost).
	MaxLeaves int
	// MaxDepth limits the splits between the root and a leaf; 0 means no limit, at most 64. Default 0 (LightGBM),
	// 6 (XGBoost).
	MaxDepth int
	// MinDataInLeaf is the least number of sampled rows in a leaf, at least 1. The search for splits estimates the
	// count of rows from their share of the hessians, as LightGBM does; a split that would break the rule is then
	// searched again with counted rows. Default 20 (LightGBM), 1 (XGBoost).
	MinDataInLeaf int
	// MinSumHessian is the least sum of (weighted) hessians in a leaf, 0 or more. Default 1e-3 (LightGBM), 1 (XGBoost).
	MinSumHessian float64
	// MinGain is what a split must gain more than, 0 or more: G*G/(H+L2) of both children less that of the parent.
	MinGain float64
	// L1 and L2 are the penalties on leaf values, 0 or more. Default 0; L2 1 for XGBoost.
	L1, L2 float64

	// MonotoneConstraints says for each column whether raw scores may only rise (1) or only fall (-1) with it, missing
	// values aside; 0 means either. Nil means none; categorical columns have 0. Default nil.
	MonotoneConstraints []int8
	// InteractionConstraints are groups of columns: all the splits on a way from the root to a leaf are by columns that
	// share a group. A column of no group is one of its own. Nil means none. Default nil.
	InteractionConstraints [][]int

	// CategoricalFeatures are the columns that hold codes of categories, whole numbers from 0 to 131071, and not
	// quantities; other values count as missing, which a split by category never names. Default none.
	CategoricalFeatures []int
	// CatSmooth is added to the sum of hessians of a category before categories are put in order by the quotient of
	// their gradients and hessians, 0 or more; categories with fewer rows in a leaf are not named in its splits.
	// Default 10.
	CatSmooth float64
	// CatL2 is added to L2 in splits that name several categories, 0 or more. Default 10.
	CatL2 float64
	// MaxCatThreshold is the largest number of categories that a split names, at least 1. Default 32.
	MaxCatThreshold int
	// MaxCatToOneHot is the number of bins up to which a split names one category, 0 or more. Default 4.
	MaxCatToOneHot int
	// MinDataPerGroup is the least number of rows by which the divisions tried differ, at least 1. Default 100.
	MinDataPerGroup int

	// MaxBin is the largest number of bins of a feature, that of missing values included, in [2, 256]. Default 255
	// (LightGBM), 256 (XGBoost).
	MaxBin int
	// MinDataInBin is the least number of rows that a bin is made for, at least 1. Default 3 (LightGBM), 1 (XGBoost).
	MinDataInBin int

	// BaggingFraction is the chance of each row to be in a sample, inside (0, 1]. Default 1: all rows.
	BaggingFraction float64
	// BaggingFreq is the number of rounds that a sample serves, at least 1. Default 1.
	BaggingFreq int
	// FeatureFraction is the part of the features that each tree may use, inside (0, 1], at least one feature. Default 1.
	FeatureFraction float64
	// Seed decides the samples of rows and features.
	Seed uint64

	// EarlyStopping stops the training when the first validation set has not improved for this many rounds, and cuts
	// the model to the best round; 0 means never. It needs a validation set.
	EarlyStopping int

	// Threads is the number of goroutines; 0 means GOMAXPROCS. The model does not depend on it.
	Threads int
}

// DefaultParams returns the family's customary parameters for squared error over 100 rounds.
func DefaultParams(family Family) Params {
	p := Params{
		Family:           family,
		Loss:             SquaredError,
		Alpha:            0.5,
		Rounds:           100,
		LearningRate:     0.1,
		BoostFromAverage: true,
		Growth:           LeafWise,
		MaxLeaves:        31,
		MinDataInLeaf:    20,
		MinSumHessian:    1e-3,
		MaxBin:           255,
		MinDataInBin:     3,
		CatSmooth:        10,
		CatL2:            10,
		MaxCatThreshold:  32,
		MaxCatToOneHot:   4,
		MinDataPerGroup:  100,
		BaggingFraction:  1,
		BaggingFreq:      1,
		FeatureFraction:  1,
	}
	if family == XGBoost {
		p.LearningRate = 0.3
		p.Growth = DepthWise
		p.MaxLeaves = 0
		p.MaxDepth = 6
		p.MinDataInLeaf = 1
		p.MinSumHessian = 1
		p.L2 = 1
		p.MaxBin = maxBins
		p.MinDataInBin = 1
	}
	return p
}

// ErrParams is wrapped by every error of Params.Validate.
var ErrParams = errors.New("invalid parameter")

// maxLeavesLimit and maxDepthLimit bound what a tree may grow to.
const (
	maxLeavesLimit = 1 << 17
	maxDepthLimit  = 64
)

// Validate reports all faults of the parameters, joined, or nil.
func (p *Params) Validate() error {
	var errs []error
	fail := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("gbdt: %w: "+format, append([]any{ErrParams}, args...)...))
	}
	if p.Family != LightGBM && p.Family != XGBoost {
		fail("Family is %v, want LightGBM or XGBoost", p.Family)
	}
	switch p.Loss {
	case SquaredError, Gamma, Logistic:
	case Quantile:
		if !(p.Alpha > 0 && p.Alpha < 1) {
			fail("Alpha is %v, want a level inside (0, 1)", p.Alpha)
		}
	case Softmax:
		if p.NumClass < 2 {
			fail("NumClass is %d, want at least 2", p.NumClass)
		}
	default:
		fail("Loss %q is not known", p.Loss)
	}
	if p.Growth != LeafWise && p.Growth != DepthWise {
		fail("Growth is %d, want LeafWise or DepthWise", p.Growth)
	}
	if p.MaxLeaves == 1 || p.MaxLeaves < 0 || p.MaxLeaves > maxLeavesLimit {
		fail("MaxLeaves is %d, want 0 or 2 to %d", p.MaxLeaves, maxLeavesLimit)
	}
	if p.MaxDepth < 0 || p.MaxDepth > maxDepthLimit {
		fail("MaxDepth is %d, want 0 to %d", p.MaxDepth, maxDepthLimit)
	}
	if p.MaxLeaves == 0 && p.MaxDepth == 0 {
		fail("MaxLeaves and MaxDepth are both without limit")
	}
	for _, c := range []struct {
		name string
		x    int
		low  int
	}{
		{"Rounds", p.Rounds, 1},
		{"MinDataInLeaf", p.MinDataInLeaf, 1},
		{"MinDataInBin", p.MinDataInBin, 1},
		{"MaxCatThreshold", p.MaxCatThreshold, 1},
		{"MaxCatToOneHot", p.MaxCatToOneHot, 0},
		{"MinDataPerGroup", p.MinDataPerGroup, 1},
		{"BaggingFreq", p.BaggingFreq, 1},
		{"EarlyStopping", p.EarlyStopping, 0},
		{"Threads", p.Threads, 0},
	} {
		if c.x < c.low {
			fail("%s is %d, want at least %d", c.name, c.x, c.low)
		}
	}
	for _, c := range []struct {
		name string
		x    float64
	}{
		{"MinSumHessian", p.MinSumHessian}, {"MinGain", p.MinGain}, {"L1", p.L1}, {"L2", p.L2},
		{"CatSmooth", p.CatSmooth}, {"CatL2", p.CatL2},
	} {
		if !(c.x >= 0 && c.x <= 1e300) {
			fail("%s is %v, want a number of 0 or more", c.name, c.x)
		}
	}
	if !(p.LearningRate > 0 && p.LearningRate <= 1e6) {
		fail("LearningRate is %v, want a number above 0", p.LearningRate)
	}
	for j, c := range p.MonotoneConstraints {
		if c < -1 || c > 1 {
			fail("MonotoneConstraints[%d] is %d, want -1, 0 or 1", j, c)
		}
	}
	if p.MaxBin < 2 || p.MaxBin > maxBins {
		fail("MaxBin is %d, want 2 to %d", p.MaxBin, maxBins)
	}
	for _, c := range []struct {
		name string
		x    float64
	}{
		{"BaggingFraction", p.BaggingFraction}, {"FeatureFraction", p.FeatureFraction},
	} {
		if !(c.x > 0 && c.x <= 1) {
			fail("%s is %v, want a part inside (0, 1]", c.name, c.x)
		}
	}
	return errors.Join(errs...)
}

// outputs returns the number of raw scores of a row.
func (p *Params) outputs() int {
	if p.Loss == Softmax {
		return p.NumClass
	}
	return 1
}
