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
	// AbsoluteError: raw scores are medians.
	AbsoluteError Loss = "absolute_error"
	// Huber: squared for errors up to Params.HuberDelta, absolute beyond; XGBoost models use its smooth form.
	Huber Loss = "huber"
	// Poisson: labels of 0 or more, raw scores are logarithms of means.
	Poisson Loss = "poisson"
	// Tweedie: like Poisson, with a variance proportional to mean**Params.TweediePower.
	Tweedie Loss = "tweedie"
	// CrossEntropy: labels from 0 to 1, raw scores are their log-odds.
	CrossEntropy Loss = "cross_entropy"
	// OneVsRest: labels 0 ... Params.NumClass-1, each raw score the log-odds of a class against all others. LightGBM
	// models only: XGBoost has no such objective.
	OneVsRest Loss = "one_vs_rest"
	// Custom: what TrainOptions.Objective says, with Params.NumClass raw scores a row.
	Custom Loss = "custom"
)

// Boosting is how rounds build on one another.
type Boosting uint8

const (
	// Plain: each round is fitted to what all the earlier ones leave.
	Plain Boosting = iota
	// Dart: each round leaves some of the earlier ones out. It has no early stopping, and its rounds take as long as
	// there are rounds left out.
	Dart
	// RandomForest: each round is fitted to the start, on a sample; the model answers the mean of the rounds. The
	// learning rate does not count.
	RandomForest
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
	// NumClass is the number of classes for Softmax and OneVsRest, at least 2, the number of raw scores for Custom, at
	// least 1, and not used otherwise.
	NumClass int
	// Alpha is the level for Quantile, inside (0, 1), and not used otherwise.
	Alpha float64
	// HuberDelta is the error at which Huber turns from squared to absolute, above 0. Default 0.9 (LightGBM), 1
	// (XGBoost).
	HuberDelta float64
	// TweediePower is the power for Tweedie, inside (1, 2). Default 1.5.
	TweediePower float64
	// ClassWeights multiplies the weights of the rows of each class, for Logistic, Softmax and OneVsRest: 0 or more, not
	// all 0. Nil means 1 for all. {1, w} is what both libraries call a scale_pos_weight of w.
	ClassWeights []float64

	// Boosting: default Plain.
	Boosting Boosting
	// DropRate is the chance of an earlier round to be left out, SkipDrop that of none to be, both inside [0, 1], and
	// MaxDrop the largest number left out, 0 for no limit; for Dart. Defaults 0.1, 0.5 and 50.
	DropRate, SkipDrop float64
	MaxDrop            int

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
	// MaxCatToOneHot is the number of categories below which a split names one of them, 0 or more: LightGBM counts a bin
	// more than there are. Default 4.
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
	// TopRate and OtherRate, if OtherRate is above 0, let a round use the part TopRate of the rows, those with the
	// largest gradients, and a part OtherRate of all rows from the others, which then count for all the others
	// (LightGBM's GOSS). The first 1/LearningRate rounds use all rows. Together at most 1; not with BaggingFraction.
	// Default 0.
	TopRate, OtherRate float64
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
		HuberDelta:       0.9,
		TweediePower:     1.5,
		DropRate:         0.1,
		SkipDrop:         0.5,
		MaxDrop:          50,
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
		p.HuberDelta = 1
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
	case SquaredError, Gamma, Logistic, AbsoluteError, Poisson, CrossEntropy:
	case Huber:
		if !(p.HuberDelta > 0 && p.HuberDelta <= 1e300) {
			fail("HuberDelta is %v, want a number above 0", p.HuberDelta)
		}
	case Tweedie:
		if !(p.TweediePower > 1 && p.TweediePower < 2) {
			fail("TweediePower is %v, want a power inside (1, 2)", p.TweediePower)
		}
	case Custom:
		if p.NumClass < 1 {
			fail("NumClass is %d, want at least 1", p.NumClass)
		}
	case Quantile:
		if !(p.Alpha > 0 && p.Alpha < 1) {
			fail("Alpha is %v, want a level inside (0, 1)", p.Alpha)
		}
	case Softmax, OneVsRest:
		if p.NumClass < 2 {
			fail("NumClass is %d, want at least 2", p.NumClass)
		}
		if p.Loss == OneVsRest && p.Family == XGBoost {
			fail("XGBoost has no loss %q", p.Loss)
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
	p.validateBoosting(fail)
	p.validateClassWeights(fail)
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

func (p *Params) validateBoosting(fail func(format string, args ...any)) {
	switch p.Boosting {
	case Plain:
	case Dart:
		if !(p.DropRate >= 0 && p.DropRate <= 1 && p.SkipDrop >= 0 && p.SkipDrop <= 1) || p.MaxDrop < 0 {
			fail("DropRate %v, SkipDrop %v and MaxDrop %d, want chances and a number of 0 or more", p.DropRate, p.SkipDrop, p.MaxDrop)
		}
		if p.EarlyStopping > 0 {
			fail("EarlyStopping with Dart, whose later rounds change the earlier ones")
		}
	case RandomForest:
		if p.BaggingFraction == 1 && p.FeatureFraction == 1 && p.OtherRate == 0 {
			fail("a RandomForest without sampling would grow the same tree again and again")
		}
	default:
		fail("Boosting is %d, want Plain, Dart or RandomForest", p.Boosting)
	}
	if p.OtherRate == 0 && p.TopRate == 0 {
		return
	}
	if !(p.TopRate >= 0 && p.OtherRate > 0 && p.TopRate+p.OtherRate <= 1) {
		fail("TopRate is %v and OtherRate %v, want parts of at most 1 together, OtherRate above 0", p.TopRate, p.OtherRate)
	}
	if p.BaggingFraction != 1 {
		fail("BaggingFraction together with OtherRate")
	}
}

func (p *Params) validateClassWeights(fail func(format string, args ...any)) {
	if p.ClassWeights == nil {
		return
	}
	classes := p.NumClass
	if p.Loss == Logistic {
		classes = 2
	} else if p.Loss != Softmax && p.Loss != OneVsRest {
		fail("ClassWeights for the loss %q, which has no classes", p.Loss)
		return
	}
	sum := 0.0
	for c, w := range p.ClassWeights {
		if !(w >= 0 && w <= 1e300) {
			fail("ClassWeights[%d] is %v, want a number of 0 or more", c, w)
		}
		sum += w
	}
	if len(p.ClassWeights) != classes || sum == 0 {
		fail("%d ClassWeights that add up to %v, want %d, not all 0", len(p.ClassWeights), sum, classes)
	}
}

// sampling reports whether a round can differ from the one before it though nothing was learnt.
func (p *Params) sampling() bool {
	return p.BaggingFraction < 1 || p.FeatureFraction < 1 || p.OtherRate > 0 || p.Boosting == Dart
}

// outputs returns the number of raw scores of a row.
func (p *Params) outputs() int {
	switch p.Loss {
	case Softmax, OneVsRest, Custom:
		return p.NumClass
	}
	return 1
}
