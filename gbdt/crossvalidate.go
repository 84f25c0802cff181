package gbdt

import (
	"context"
	"fmt"
	"math"
)

// Fold is one division of a dataset's rows: a model is trained on Train and judged on Test. For data in the order of
// time, the caller lets Test follow Train, with a gap as long as the labels look ahead.
type Fold struct{ Train, Test []int32 }

// FoldResult is what CrossValidate gives for a fold: the training's result and the model's raw scores of the rows of
// Test, Outputs of them a row, initial scores included.
type FoldResult struct {
	Result
	Raw []float64
}

// CrossValidate trains a model for each fold, in turn, with the rows of Test as the only validation set, so that early
// stopping looks at them. Nothing is shuffled or divided here: the folds are the caller's. Of the options, Valid, From
// and Checkpoint are not used.
func CrossValidate(ctx context.Context, p Params, data *Dataset, folds []Fold, options TrainOptions) ([]FoldResult, error) {
	results := make([]FoldResult, 0, len(folds))
	for i, f := range folds {
		train, err := data.Subset(f.Train)
		if err != nil {
			return nil, fmt.Errorf("fold %d: %w", i, err)
		}
		test, err := data.Subset(f.Test)
		if err != nil {
			return nil, fmt.Errorf("fold %d: %w", i, err)
		}
		options.Valid, options.From, options.Checkpoint = []ValidSet{{"test", test}}, nil, nil
		r, err := Train(ctx, p, train, options)
		if err != nil {
			return nil, fmt.Errorf("fold %d: %w", i, err)
		}
		scores := newValidScores(test, p.Family, r.Model.Outputs)
		scores.begin(r.Model.BaseMargin)
		for n := range r.Model.Trees {
			weight := 1.0
			if r.Model.TreeWeights != nil {
				weight = float64(r.Model.TreeWeights[n])
			}
			scores.addWeighted(r.Model.Trees[n:n+1], weight, threadCount(p.Threads))
		}
		results = append(results, FoldResult{Result: *r, Raw: scores.raw})
	}
	return results, nil
}

// MeanHistory returns the mean of the folds' metric after each round that all of them reached, and its standard
// deviation between the folds (0 for one fold).
func MeanHistory(folds []FoldResult) (mean, deviation []float64) {
	if len(folds) == 0 {
		return nil, nil
	}
	rounds := math.MaxInt
	for _, f := range folds {
		rounds = min(rounds, len(f.History))
	}
	for r := range rounds {
		sum, squares := 0.0, 0.0
		for _, f := range folds {
			sum += f.History[r][0]
		}
		m := sum / float64(len(folds))
		for _, f := range folds {
			squares += float64((f.History[r][0] - m) * (f.History[r][0] - m))
		}
		mean = append(mean, m)
		deviation = append(deviation, math.Sqrt(squares/float64(max(len(folds)-1, 1))))
	}
	return mean, deviation
}
