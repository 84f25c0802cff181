package gbdt

import (
	"context"
	"errors"
)

// ValidSet is a dataset that training is watched on.
type ValidSet struct {
	Name string
	Data *Dataset
}

// TrainOptions is what a training may be given beside its parameters and data.
type TrainOptions struct {
	// Valid are judged after each round; early stopping looks at the first. Their columns are those of the training
	// data, and they have initial scores if and only if that has.
	Valid []ValidSet
	// Metric judges the validation sets; its zero value stands for DefaultMetric.
	Metric Metric
	// Objective is what the Loss Custom lowers, and nil for all others.
	Objective *CustomObjective
	// From, if not nil, is a model that training goes on from: its trees come first, and the rounds are further ones. It
	// has the family, outputs and features of the training. With the same data, parameters and seed the result is what
	// one training over all the rounds gives. From is not changed.
	//
	// Refused with ErrParams: Dart, whose later rounds change the earlier ones by amounts that a model does not hold as
	// they were; XGBoost's random forests, whose leaves are divided by the number of rounds once it is known; and, on a
	// streamed dataset, whose values are not kept, a model with splits by category or with thresholds that its bins do
	// not have (those of a model trained on the same stream are among them).
	From *Model
	// Progress is called after each round; an error from it ends the training with that error, or, if it is ErrStop,
	// as if the round had been the last.
	Progress func(Round) error
	// Checkpoint is called with the model so far after every CheckpointEvery rounds (0 means 1). The model may be kept
	// but not changed. An error ends the training.
	Checkpoint      func(*Model) error
	CheckpointEvery int
}

// ErrStop is what TrainOptions.Progress returns to end a training without an error.
var ErrStop = errors.New("stop training")

// Round tells of one boosting round.
type Round struct {
	// Number counts from 1 to Of; the rounds of TrainOptions.From are not among them.
	Number, Of int
	// Leaves is the number of leaves of the round's trees together.
	Leaves int
	// Valid has the metric of each validation set; it may be kept.
	Valid []float64
}

// Result is what training gives.
type Result struct {
	Model *Model
	// Metric is the name of the metric, History[r] its figures for each validation set after round r+1.
	Metric  string
	History [][]float64
	// BestRound is the number of rounds that this training added to the model: with early stopping those up to the best.
	BestRound int
}

// ErrDiverged is wrapped by the error of a training whose gradients left the range of numbers.
var ErrDiverged = errors.New("training diverged")

// Train makes a model of the data. The same parameters, data and seed give the same model for any number of threads.
// Training ends early, at a round in which no tree could be split, if no sampling could make the next one differ. The
// error is the context's if that ends first; it wraps ErrParams, ErrShape or ErrDiverged where those are the cause.
func Train(ctx context.Context, p Params, data *Dataset, options TrainOptions) (*Result, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	t, err := newTrainer(&p, data, options)
	if err != nil {
		return nil, err
	}
	defer t.assemble()()
	for r := range p.Rounds {
		done, err := t.round(ctx, r)
		if err != nil {
			return nil, err
		}
		if done {
			break
		}
	}
	return t.result(), nil
}
