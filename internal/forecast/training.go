package forecast

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
)

// TrainedHorizons are the horizons, in months, that are learned from and tested.
var TrainedHorizons = [...]int{12, 24, 36, 60, 120}

const (
	// coinHorizon is the longest horizon that coins are learned from.
	coinHorizon = 36
	// minTarget and maxTarget bound the squared scaled error.
	minTarget, maxTarget = 0.02, 9
)

// trainFrom is the first month that is learned from.
var trainFrom = series.Of(1935, 1)

// An Example is one window of one asset whose outcome is known, with what the
// core said at its start.
type Example struct {
	// Asset and Row are places in the panel; Horizon is the months.
	Asset, Row, Horizon int
	T, Known            series.Month
	LnMultiple          float64
	Class               power.Class
	Core                Normal
}

// A TrainingSet holds every window of the built-in assets in the order in which
// outcomes became known, so that what was known at any time is a prefix of it.
type TrainingSet struct {
	Examples []Example
	panel    *panel.Panel
	tiers    power.Tiers
	data     *gbdt.Dataset
	// targets and weights of the spread: the squared scaled error, 12/horizon.
	targets, weights []float64
}

// NewTrainingSet collects the windows. A user's own assets are not learned
// from: they move no other asset's forecast.
func NewTrainingSet(p *panel.Panel, core *CoreHistory, tiers power.Tiers) (*TrainingSet, error) {
	s := &TrainingSet{panel: p, tiers: tiers}
	for a, rows := range p.Assets {
		if rows.Asset.Kind == series.Custom {
			continue
		}
		for _, months := range TrainedHorizons {
			if rows.Asset.Kind == series.Coin && months > coinHorizon {
				continue
			}
			h, _ := panel.HorizonIndex(months)
			for i, row := range rows.Rows {
				ln, known := rows.Outcome(row.T, h)
				n := core.At(a, h, i)
				if row.T < trainFrom || math.IsNaN(ln) || math.IsNaN(n.Mean) || math.IsNaN(n.SD) {
					continue
				}
				s.Examples = append(s.Examples, Example{
					Asset: a, Row: i, Horizon: months, T: row.T, Known: known, LnMultiple: ln,
					Class: tiers.ClassOfLog(ln), Core: n,
				})
			}
		}
	}
	if len(s.Examples) == 0 {
		return nil, fmt.Errorf("training set: no window of any asset has a known outcome")
	}
	slices.SortStableFunc(s.Examples, func(a, b Example) int { return cmp.Compare(a.Known, b.Known) })
	x := make([]float64, 0, len(s.Examples)*NumSpread)
	for _, e := range s.Examples {
		row := s.SpreadRow(e)
		x = append(x, row[:]...)
		z := (e.LnMultiple - e.Core.Mean) / e.Core.SD
		s.targets = append(s.targets, min(max(z*z, minTarget), maxTarget))
		s.weights = append(s.weights, 12/float64(e.Horizon))
	}
	matrix, err := gbdt.NewMatrix(x, NumSpread)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, NumSpread)
	for _, f := range SpreadFeatures() {
		names = append(names, f.Name)
	}
	s.data, err = gbdt.NewDataset(matrix, names, gbdt.Targets{Labels: s.targets})
	return s, err
}

// SpreadRow is the boosters' input of an example.
func (s *TrainingSet) SpreadRow(e Example) *SpreadRow {
	rows := s.panel.Assets[e.Asset]
	var row SpreadRow
	row.Fill(rows.Asset.Kind, rows.Rows[e.Row].Values, e.Core, e.Horizon)
	return &row
}

// Known is how many examples were known at the end of month t.
func (s *TrainingSet) Known(t series.Month) int {
	n, _ := slices.BinarySearchFunc(s.Examples, t+1, func(e Example, t series.Month) int { return cmp.Compare(e.Known, t) })
	return n
}

// prefix is the dataset of the first n examples with other targets; weights are
// scaled to mean 1.
func (s *TrainingSet) prefix(n int, labels, weights, initial []float64) (*gbdt.Dataset, error) {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	sub, err := s.data.Subset(rows)
	if err != nil {
		return nil, err
	}
	return sub.WithTargets(gbdt.Targets{Labels: labels[:n], Weights: scaled(weights[:n]), InitScores: initial})
}

// scaled returns the weights times a factor that makes their mean 1.
func scaled(w []float64) []float64 {
	sum := 0.0
	for _, x := range w {
		sum += x
	}
	out := make([]float64, len(w))
	for i, x := range w {
		out[i] = x * float64(len(w)) / sum
	}
	return out
}

// spreadParams are the settings of the spread boosters: shallow, slow and
// strongly held back, since a few hundred windows that do not overlap are all
// there is.
func spreadParams(family gbdt.Family, seed uint64) gbdt.Params {
	p := gbdt.DefaultParams(family)
	p.Loss = gbdt.Gamma
	p.Rounds = 80
	p.LearningRate = 0.03
	p.MaxLeaves, p.MaxDepth = 8, 3
	p.MinDataInLeaf = 400
	p.L2 = 20
	p.MaxBin = 63
	p.BaggingFraction, p.FeatureFraction = 0.7, 0.55
	p.Seed = seed
	if family == gbdt.XGBoost {
		p.MaxLeaves = 0
		p.MinDataInBin = 1
		p.MinSumHessian = 1
	}
	return p
}

// FitSpread trains one spread booster on the first n examples.
func (s *TrainingSet) FitSpread(ctx context.Context, family gbdt.Family, n int, seed uint64) (*Booster, error) {
	data, err := s.prefix(n, s.targets, s.weights, nil)
	if err != nil {
		return nil, err
	}
	r, err := gbdt.Train(ctx, spreadParams(family, seed), data, gbdt.TrainOptions{})
	if err != nil {
		return nil, fmt.Errorf("train the %s spread: %w", family, err)
	}
	sum, total := 0.0, 0.0
	for i := range n {
		sum += s.weights[i] * s.targets[i]
		total += s.weights[i]
	}
	return NewBooster(r.Model, sum/total)
}

// uniqueness are the weights of the first n examples by average uniqueness,
// divided by the number of horizons: they sum to the number of windows that do
// not overlap.
func (s *TrainingSet) uniqueness(n int) []float64 {
	type key struct{ asset, horizon int }
	counts := map[key]int{}
	for _, e := range s.Examples[:n] {
		counts[key{e.Asset, e.Horizon}]++
	}
	weights := map[key][]float64{}
	for k, c := range counts {
		weights[k] = panel.Uniqueness(c, k.horizon)
	}
	out := make([]float64, n)
	for i, e := range s.Examples[:n] {
		k := key{e.Asset, e.Horizon}
		out[i] = weights[k][0] / float64(len(TrainedHorizons))
		weights[k] = weights[k][1:]
	}
	return out
}
