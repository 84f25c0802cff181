// Package backtest tests the forecasters as they would have been used: month by
// month, each from what was known then, refitted each January on the windows
// whose outcome was known, and scored on what came after.
package backtest

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/score"
	"github.com/pppq/pppq/internal/series"
)

// VaultMonths is how many of the newest origins of each horizon are held back
// until a release opens the vault.
const VaultMonths = 36

// Options set up a test.
type Options struct {
	Seed uint64
	// From is the first origin month; 1985-01 if zero.
	From series.Month
	// OpenVault includes the newest VaultMonths origins of each horizon.
	OpenVault bool
	// Threads is how many refits run side by side, at least 1; results do not
	// depend on it.
	Threads int
	// Progress, if set, is called after each step of a stage.
	Progress func(stage string, done, total int)
}

// The rungs, from dull to clever.
const (
	rungPooled = iota
	rungAsset
	rungPartial
	rungPersistence
	rungHistorical
	rungCarry
	rungLogit
	rungClassTrees
	rungMeanTrees
	rungLGBM
	rungXGB
	rungEnsemble
	rungPool
	rungCalibrated
	numRungs
)

var rungs = [numRungs]RungInfo{
	rungPooled:      {Name: "climatology_pooled", Title: "class shares of all assets together"},
	rungAsset:       {Name: "climatology_asset", Title: "class shares of the asset's own past"},
	rungPartial:     {Name: "climatology_partial", Title: "the asset's shares, pulled to the pool"},
	rungPersistence: {Name: "persistence", Title: "the class of the last completed window", Below: "climatology_partial"},
	rungHistorical:  {Name: "historical_core", Title: "past mean and spread of real returns", Below: "climatology_partial"},
	rungCarry:       {Name: "carry_core", Title: "what the asset yields today, with its own past errors", Below: "historical_core", Served: true},
	rungLogit:       {Name: "logit", Title: "multinomial logit on top of the carry core", Below: "carry_core"},
	rungClassTrees:  {Name: "class_trees", Title: "boosted trees on the class log-odds", Below: "carry_core"},
	rungMeanTrees:   {Name: "mean_trees", Title: "boosted trees on the mean, half strength", Below: "carry_core"},
	rungLGBM:        {Name: "lgbm", Title: "carry core, spread of leaf-wise trees", Below: "carry_core", Served: true},
	rungXGB:         {Name: "xgb", Title: "carry core, spread of depth-wise trees", Below: "carry_core", Served: true},
	rungEnsemble:    {Name: "ensemble", Title: "carry core, mean of both spreads", Below: "carry_core", Served: true},
	rungPool:        {Name: "pool", Title: "log-linear pool of core, logit, class trees and ensemble", Below: "ensemble"},
	rungCalibrated:  {Name: "calibrated", Title: "ensemble with temperature and interval corrected", Below: "ensemble"},
}

// hasNormal reports whether a rung forecasts ln M and not classes alone.
func hasNormal(rung int) bool {
	switch rung {
	case rungHistorical, rungCarry, rungMeanTrees, rungLGBM, rungXGB, rungEnsemble, rungCalibrated:
		return true
	}
	return false
}

// A record is what all rungs said of one window at its origin.
type record struct {
	asset, row int
	horizon    int // place in forecast.TrainedHorizons
	custom     bool
	t, known   series.Month // known is 0 while the outcome is not
	y          int
	ln         float64
	p          [numRungs]score.Probs
	n          [numRungs]forecast.Normal
}

// months is the record's horizon.
func (r *record) months() int { return forecast.TrainedHorizons[r.horizon] }

// A walk is one run of the test.
type walk struct {
	panel    *panel.Panel
	core     *forecast.CoreHistory
	training *forecast.TrainingSet
	tiers    power.Tiers
	options  Options
	fits     map[int]*yearFit
	records  []record
	// calibration is the one fitted on everything known at the end.
	calibration forecast.Calibration
}

// A yearFit is what was learned at one January.
type yearFit struct {
	lgbm, xgb *forecast.Booster
	classes   *forecast.ClassTrees
	mean      *forecast.MeanTrees
	logit     *forecast.Logit
}

// minExamples is how many windows must be known before anything is learned.
const minExamples = 2000

func (w *walk) run(ctx context.Context) error {
	if err := w.fitYears(ctx); err != nil {
		return err
	}
	for k, months := range forecast.TrainedHorizons {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, _ := panel.HorizonIndex(months)
		if err := w.forecastHorizon(k, h); err != nil {
			return err
		}
	}
	return w.correct(ctx)
}

// fitYears refits what learns at each January, several years side by side.
func (w *walk) fitYears(ctx context.Context) error {
	first, last := w.options.From.Year(), w.panel.Last.Year()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	years := make(chan int)
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		done int
	)
	for range max(1, w.options.Threads) {
		wg.Go(func() {
			for year := range years {
				fit, err := w.fitYear(ctx, series.Of(year, 1))
				if err != nil {
					cancel(err)
					return
				}
				mu.Lock()
				w.fits[year] = fit
				done++
				if w.options.Progress != nil {
					w.options.Progress("refit each January", done, last-first+1)
				}
				mu.Unlock()
			}
		})
	}
feed:
	for year := last; year >= first; year-- { // the longest first
		select {
		case years <- year:
		case <-ctx.Done():
			break feed
		}
	}
	close(years)
	wg.Wait()
	return context.Cause(ctx)
}

// fitYear learns from the windows whose outcome was known at the end of month o.
func (w *walk) fitYear(ctx context.Context, o series.Month) (*yearFit, error) {
	n := w.training.Known(o)
	if n < minExamples {
		return nil, fmt.Errorf("walk-forward: only %d windows are known at %s, want %d: start the test later", n, o, minExamples)
	}
	f := &yearFit{}
	var err error
	seed := w.options.Seed
	if f.lgbm, err = w.training.FitSpread(ctx, gbdt.LightGBM, n, seed); err != nil {
		return nil, err
	}
	if f.xgb, err = w.training.FitSpread(ctx, gbdt.XGBoost, n, seed); err != nil {
		return nil, err
	}
	if f.classes, err = w.training.FitClassTrees(ctx, n, seed); err != nil {
		return nil, err
	}
	if f.mean, err = w.training.FitMeanTrees(ctx, n, seed); err != nil {
		return nil, err
	}
	f.logit, err = w.training.FitLogit(n)
	return f, err
}

// forecastHorizon fills the records of one horizon, in order of time.
func (w *walk) forecastHorizon(k, h int) error {
	climates := forecast.NewClimatologyWalk(w.panel, w.tiers, h)
	persistence := forecast.NewPersistenceWalk(w.panel, w.tiers, h)
	historical := forecast.NewHistoricalWalk(w.panel, h)
	var climate *forecast.Climatology
	for t := w.options.From; t <= w.panel.Last; t++ {
		if january := series.Of(t.Year(), 1); t == january || climate == nil {
			climate = climates.Advance(january)
			persistence.Advance(january)
		}
		for a, rows := range w.panel.Assets {
			i, ok := rows.Index(t)
			if !ok || t < rows.First()+panel.ScoredAfter {
				continue
			}
			row := rows.Rows[i]
			if n := w.core.At(a, h, i); math.IsNaN(n.Mean) || math.IsNaN(n.SD) {
				continue // a figure that the core needs is missing
			}
			r := record{asset: a, row: i, horizon: k, t: t, custom: rows.Asset.Kind == series.Custom, y: -1}
			r.ln, r.known = rows.Outcome(t, h)
			if r.known != 0 {
				r.y = int(w.tiers.ClassOfLog(r.ln))
			}
			r.p[rungPooled], r.p[rungAsset], r.p[rungPartial] = climate.Pooled(), climate.Asset(a), climate.Partial(a)
			r.p[rungPersistence] = persistence.Forecast(a, row)
			r.n[rungHistorical] = historical.Forecast(a, row)
			if err := w.learned(&r, row, h); err != nil {
				return err
			}
			for rung := range numRungs {
				if hasNormal(rung) {
					r.p[rung] = forecast.Probabilities(r.n[rung], w.tiers)
				}
			}
			w.records = append(w.records, r)
		}
	}
	return nil
}

// learned fills the rungs that stand on the carry core.
func (w *walk) learned(r *record, row panel.Row, h int) error {
	kind := w.panel.Assets[r.asset].Asset.Kind
	fit := w.fits[r.t.Year()]
	n := w.core.At(r.asset, h, r.row)
	r.n[rungCarry] = n
	core := forecast.Probabilities(n, w.tiers)
	var x forecast.SpreadRow
	x.Fill(kind, row.Values, n, r.months())
	wider := func(ln float64) forecast.Normal { return forecast.Normal{Mean: n.Mean, SD: n.SD * math.Exp(ln)} }
	l, g := fit.lgbm.LnSpread(&x), fit.xgb.LnSpread(&x)
	r.n[rungLGBM], r.n[rungXGB], r.n[rungEnsemble] = wider(l), wider(g), wider((l+g)/2)
	r.p[rungLogit] = fit.logit.Forecast(kind, &x, row.Values, core)
	var err error
	if r.p[rungClassTrees], err = fit.classes.Forecast(&x, core); err != nil {
		return err
	}
	r.n[rungMeanTrees], err = fit.mean.Forecast(&x, n)
	return err
}
