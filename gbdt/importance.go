package gbdt

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// Importance is a measure of how much a model uses a feature.
type Importance uint8

const (
	// ImportanceSplit is the number of splits by the feature: LightGBM's "split", XGBoost's "weight". Like LightGBM, it
	// leaves out splits of a LightGBM model whose gain is known not to be above 0.
	ImportanceSplit Importance = iota + 1
	// ImportanceGain is the sum of the gains of its splits: LightGBM's "gain", XGBoost's "total_gain". Dividing it by
	// ImportanceSplit gives XGBoost's "gain".
	ImportanceGain
)

// ErrNoGain is wrapped where trees do not know their gains.
var ErrNoGain = errors.New("no gains")

// Importance returns the importance of each feature over the rounds that TreeRange gives for firstRound and rounds. The
// error wraps ErrNoGain if the gains are asked for and a tree with splits does not have them.
func (m *Model) Importance(kind Importance, firstRound, rounds int) ([]float64, error) {
	if kind != ImportanceSplit && kind != ImportanceGain {
		return nil, fmt.Errorf("gbdt: importance %d is not known", kind)
	}
	out := make([]float64, m.NumFeatures())
	from, to := m.TreeRange(firstRound, rounds)
	for i := from; i < to; i++ {
		t := &m.Trees[i]
		if kind == ImportanceGain && t.Gain == nil && len(t.Feature) > 0 {
			return nil, fmt.Errorf("gbdt: %w: tree %d", ErrNoGain, i)
		}
		for j, f := range t.Feature {
			switch {
			case m.Family == LightGBM && t.Gain != nil && !(t.Gain[j] > 0):
			case kind == ImportanceGain:
				out[f] += t.Gain[j]
			default:
				out[f]++
			}
		}
	}
	return out, nil
}

// PermutationOptions says how PermutationImportance works. DefaultPermutationOptions fills it.
type PermutationOptions struct {
	// Repeats is the number of times that each feature is permuted, at least 1.
	Repeats int
	// Seed decides the permutations; the same seed gives the same answer at any number of threads.
	Seed uint64
	// Features are the features to look at; nil means all.
	Features []int
}

// DefaultPermutationOptions returns 5 repeats of all features.
func DefaultPermutationOptions() PermutationOptions { return PermutationOptions{Repeats: 5, Seed: 1} }

// Permuted is how much worse a score becomes without a feature.
type Permuted struct {
	Feature int
	// Mean is the mean over the repeats of the score of the rows as they are less the score with the feature permuted, and
	// Deviation the standard deviation of that difference between repeats (divided by the number of repeats, as
	// scikit-learn's).
	Mean, Deviation float64
}

// PermutationImportance measures features by what they are worth on the rows of x, which should not be the training rows:
// it exchanges the values of one feature among the rows at random, predicts, and asks score how good the answers still
// are. score gets the link outputs of all rows, as PredictBatch gives them, and returns a number that grows with quality;
// it must not keep or change them. Rows keep their order but for the permuted column. The matrix is copied once.
//
// Features that say the same share their importance or hide it from one another. The error wraps ErrShape if x does not
// fit, and is the context's if that ends first.
//
// Source: Breiman, Random Forests (2001); Fisher, Rudin and Dominici, All Models are Wrong, but Many are Useful (2019).
func (p *Predictor) PermutationImportance(ctx context.Context, x Matrix, score func(outputs []float64) float64, o PermutationOptions) ([]Permuted, error) {
	if o.Repeats < 1 {
		return nil, fmt.Errorf("gbdt: permutation importance: %d repeats, want at least 1", o.Repeats)
	}
	features := o.Features
	if features == nil {
		for f := range p.NumFeatures() {
			features = append(features, f)
		}
	}
	for _, f := range features {
		if f < 0 || f >= p.NumFeatures() {
			return nil, fmt.Errorf("gbdt: permutation importance: feature %d outside [0, %d)", f, p.NumFeatures())
		}
	}
	outputs := make([]float64, x.rows*p.NumOutputs())
	if err := p.PredictBatch(ctx, outputs, x); err != nil {
		return nil, err
	}
	base := score(outputs)
	x = x.clone()
	all := make([]Permuted, 0, len(features))
	column := make([]float64, x.rows)
	for _, f := range features {
		for i := range column {
			column[i] = x.At(i, f)
		}
		rng := rand.New(rand.NewPCG(o.Seed, uint64(f)))
		losses := make([]float64, o.Repeats)
		for r := range losses {
			for i, from := range rng.Perm(x.rows) {
				x.set(i, f, column[from])
			}
			if err := p.PredictBatch(ctx, outputs, x); err != nil {
				return nil, err
			}
			losses[r] = base - score(outputs)
		}
		for i, v := range column {
			x.set(i, f, v)
		}
		all = append(all, permuted(f, losses))
	}
	return all, nil
}

func permuted(feature int, losses []float64) Permuted {
	mean, squares := 0.0, 0.0
	for _, l := range losses {
		mean += l
	}
	mean /= float64(len(losses))
	for _, l := range losses {
		squares += (l - mean) * (l - mean)
	}
	return Permuted{feature, mean, math.Sqrt(squares / float64(len(losses)))}
}

// clone returns a copy of m.
func (m Matrix) clone() Matrix {
	if m.f64 != nil {
		m.f64 = append([]float64(nil), m.f64...)
	}
	if m.f32 != nil {
		m.f32 = append([]float32(nil), m.f32...)
	}
	return m
}

// set changes the value in row i, column j to x, which the matrix can hold.
func (m Matrix) set(i, j int, x float64) {
	if m.f64 != nil {
		m.f64[i*m.cols+j] = x
		return
	}
	m.f32[i*m.cols+j] = float32(x)
}
