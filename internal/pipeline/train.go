// Package pipeline joins the rooms: from figures to a tested model version, and
// the decision whether it goes into service.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
)

// Progress is told of each step of a stage; done goes from 1 to total.
type Progress func(stage string, done, total int)

func (p Progress) report(stage string, done, total int) {
	if p != nil {
		p(stage, done, total)
	}
}

// A Study is what both the test and the training start from.
type Study struct {
	Set      *series.Set
	Panel    *panel.Panel
	Core     *forecast.CoreHistory
	Training *forecast.TrainingSet
	Tiers    power.Tiers
}

// NewStudy builds the panel, runs the core over it and collects the windows
// that can be learned from.
func NewStudy(ctx context.Context, set *series.Set, assets []series.Asset, progress Progress) (*Study, error) {
	s := &Study{Set: set, Tiers: power.DefaultTiers()}
	var err error
	if s.Panel, err = panel.Build(ctx, set, assets); err != nil {
		return nil, err
	}
	progress.report("build the point-in-time panel", 1, 1)
	s.Core = forecast.NewCoreHistory(s.Panel)
	s.Training, err = forecast.NewTrainingSet(s.Panel, s.Core, s.Tiers)
	progress.report("run the carry core over the past", 1, 1)
	return s, err
}

// Backtest runs the walk-forward test. The result does not depend on the number
// of threads.
func (s *Study) Backtest(ctx context.Context, seed uint64, openVault bool, progress Progress) (*backtest.Report, error) {
	return backtest.Run(ctx, s.Panel, s.Core, s.Training, s.Tiers, backtest.Options{
		Seed: seed, OpenVault: openVault, Threads: runtime.GOMAXPROCS(0), Progress: progress,
	})
}

// Forecaster fits what is served on everything that is known. The weights and
// the calibration are those that the report found.
func (s *Study) Forecaster(ctx context.Context, r *backtest.Report, progress Progress) (f *forecast.Forecaster, skipped []string, err error) {
	f, skipped, err = s.Baseline(r)
	if err != nil {
		return nil, nil, err
	}
	f.Weights, f.Calibration = r.Weights, r.Calibration
	n := s.Training.Known(s.Panel.Last)
	if f.LGBM, err = s.Training.FitSpread(ctx, gbdt.LightGBM, n, r.Seed); err != nil {
		return nil, nil, err
	}
	progress.report("fit the final boosters", 1, 2)
	if f.XGB, err = s.Training.FitSpread(ctx, gbdt.XGBoost, n, r.Seed); err != nil {
		return nil, nil, err
	}
	progress.report("fit the final boosters", 2, 2)
	f.References = references(r, map[forecast.ModelType]string{
		forecast.LGBM: "lgbm", forecast.XGB: "xgb", forecast.Ensemble: "ensemble",
	})
	return f, skipped, nil
}

// Baseline is the carry core alone, for when nothing more may be served.
func (s *Study) Baseline(r *backtest.Report) (f *forecast.Forecaster, skipped []string, err error) {
	f, skipped, err = forecast.Build(s.Set, s.Panel, s.Core, s.Tiers)
	if err != nil {
		return nil, nil, err
	}
	f.References = references(r, map[forecast.ModelType]string{
		forecast.LGBM: "carry_core", forecast.XGB: "carry_core", forecast.Ensemble: "carry_core",
	})
	return f, skipped, nil
}

// references are the scores that answers quote.
func references(r *backtest.Report, rungs map[forecast.ModelType]string) map[forecast.ModelType][]forecast.Reference {
	out := map[forecast.ModelType][]forecast.Reference{}
	for model, rung := range rungs {
		for _, h := range r.Horizons {
			for _, s := range h.Rungs {
				if s.Rung == rung {
					out[model] = append(out[model], forecast.Reference{
						HorizonYears: float64(h.Months) / 12, RPS: s.RPS, Baseline: h.BestClimatology,
						Skill: s.Skill.Value, Low: s.Skill.Low, High: s.Skill.High, Blocks: s.Skill.Blocks,
						Assets: ownSkills(h.Groups, rung),
					})
				}
			}
		}
	}
	return out
}

// ownSkills are the skills of single assets. Both boosters' are near the
// ensemble's, which alone is scored by asset beside the core.
func ownSkills(groups []backtest.GroupScore, rung string) []forecast.OwnSkill {
	if rung != "carry_core" {
		rung = "ensemble"
	}
	var out []forecast.OwnSkill
	for _, g := range groups {
		if g.Asset && g.Rung == rung {
			out = append(out, forecast.OwnSkill{
				Asset: g.Group, Skill: g.Skill.Value, Low: g.Skill.Low, High: g.Skill.High, Difference: g.Skill.Difference,
			})
		}
	}
	return out
}

// TrainOptions set up a training.
type TrainOptions struct {
	Seed uint64
	// Force promotes without the gate.
	Force    bool
	Now      func() time.Time
	Progress Progress
}

// A Trained says what a training made and what became of it.
type Trained struct {
	Version  string            `json:"version"`
	Promoted bool              `json:"promoted"`
	Baseline bool              `json:"baseline"`
	Decision backtest.Decision `json:"decision"`
	Report   *backtest.Report  `json:"report"`
	// Skipped are assets with too few figures for a forecast.
	Skipped []string `json:"skipped,omitempty"`
	// Ended are assets whose figures ended so long ago that forecasts of them are
	// not from today.
	Ended []Ended `json:"ended,omitempty"`
}

// An Ended is an asset and the month of its newest figures.
type Ended struct {
	Asset     string       `json:"asset"`
	FiguresTo series.Month `json:"figures_to"`
}

// Train tests, fits, writes a bundle, and promotes it if the gate allows or
// nothing is in service yet. With nothing in service and the gate closed the
// core alone is promoted, as a baseline.
func Train(ctx context.Context, w *bundle.Writer, folder bundle.Folder, set *series.Set, assets []series.Asset, o TrainOptions) (*Trained, error) {
	study, err := NewStudy(ctx, set, assets, o.Progress)
	if err != nil {
		return nil, err
	}
	r, err := study.Backtest(ctx, o.Seed, false, o.Progress)
	if err != nil {
		return nil, err
	}
	data, err := bundle.DescribeData(set)
	if err != nil {
		return nil, err
	}
	serving, damaged, err := inService(folder)
	if err != nil {
		return nil, err
	}
	var champion *backtest.Report
	newFigures := true
	if serving != nil && !serving.Manifest.Baseline {
		// A baseline may be replaced by anything that passes its own checks.
		champion, newFigures = serving.Report, serving.Manifest.DataHash != data.Hash
	}
	t := &Trained{Report: r}
	t.Decision = backtest.Gate(champion, r, newFigures)
	t.Baseline = champion == nil && !t.Decision.Promote && !o.Force

	c := bundle.Contents{Report: r, Data: data, Created: o.Now(), NewDataRows: newOutcomes(champion, r), Headline: "ensemble"}
	if t.Baseline {
		c.Headline = "carry_core"
		c.Forecaster, t.Skipped, err = study.Baseline(r)
	} else {
		c.Forecaster, t.Skipped, err = study.Forecaster(ctx, r, o.Progress)
	}
	if err != nil {
		return nil, err
	}
	for _, s := range c.Forecaster.Assets {
		if forecast.Ended(s.Row.U, c.Created) {
			t.Ended = append(t.Ended, Ended{s.Asset.ID, s.Row.U})
		}
	}
	if t.Version, err = w.Write(c); err != nil {
		return nil, err
	}
	o.Progress.report("write the model", 1, 1)
	if t.Decision.Promote || t.Baseline || o.Force {
		if err := w.Promote(t.Version); err != nil {
			return nil, err
		}
		t.Promoted = true
	} else if damaged {
		// What stood in for the damaged version is put into service by name.
		return t, w.Promote(serving.Manifest.Version)
	}
	return t, nil
}

// inService returns the version that serves, nil if there is none; damaged says
// that it stands in for one that does not load.
func inService(folder bundle.Folder) (b *bundle.Bundle, damaged bool, err error) {
	b, refused, err := folder.LoadCurrent()
	switch {
	case errors.Is(err, bundle.ErrNone):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("read the version in service: %w", err)
	}
	return b, len(refused) > 0, nil
}

// newOutcomes counts the outcomes that the new report knows and the old one did
// not.
func newOutcomes(champion, r *backtest.Report) int {
	known := func(r *backtest.Report) int {
		n := 0
		for _, p := range r.Paths {
			for _, o := range p.Outcome {
				if o >= 0 {
					n++
				}
			}
		}
		return n
	}
	if champion == nil {
		return known(r)
	}
	return max(0, known(r)-known(champion))
}
