package backtest

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/score"
	"github.com/pppq/pppq/internal/series"
)

// Run tests all rungs on a panel. The training set must have been made from it.
func Run(ctx context.Context, p *panel.Panel, core *forecast.CoreHistory, training *forecast.TrainingSet, tiers power.Tiers, o Options) (*Report, error) {
	if o.From == 0 {
		o.From = series.Of(1985, time.January)
	}
	w := &walk{panel: p, core: core, training: training, tiers: tiers, options: o, fits: map[int]*yearFit{}}
	if err := w.run(ctx); err != nil {
		return nil, err
	}
	return w.report(ctx)
}

func (w *walk) report(ctx context.Context) (*Report, error) {
	r := &Report{
		Method: forecast.Method, From: w.options.From, DataAsOf: w.panel.CPI.Last(), Seed: w.options.Seed, VaultOpen: w.options.OpenVault,
		Rungs: rungs[:], Calibration: forecast.Calibration{Temperature: 1, Interval: 1},
	}
	for _, rows := range w.panel.Assets {
		r.Assets = append(r.Assets, rows.Asset.ID)
	}
	var all []*record // scored, of the built-in assets
	for k := range forecast.TrainedHorizons {
		scored := w.scored(k)
		var builtin []*record
		for _, rec := range scored {
			if !rec.custom {
				builtin = append(builtin, rec)
			}
		}
		all = append(all, builtin...)
		h, err := w.horizonReport(k, builtin, scored)
		if err != nil {
			return nil, err
		}
		r.Horizons = append(r.Horizons, h)
		r.To = max(r.To, h.Last)
		losses, err := w.deepLosses(builtin, h.Months)
		if err != nil {
			return nil, err
		}
		r.DeepLosses = append(r.DeepLosses, losses...)
		coverages, err := w.coverages(builtin, scored, h.Months)
		if err != nil {
			return nil, err
		}
		r.Coverage = append(r.Coverage, coverages...)
	}
	for rung := rungHistorical; rung < numRungs; rung++ {
		below := rungIndex(rungs[rung].Below)
		s, err := w.skill(all, rung, below, forecast.TrainedHorizons[len(forecast.TrainedHorizons)-1])
		if err != nil {
			return nil, err
		}
		s.Rung = rungs[rung].Name
		r.Pooled = append(r.Pooled, s)
	}
	w.earn(r, all)
	r.Alarms = w.alarms(r, all)
	r.Paths = w.paths()
	var err error
	r.Drift, err = w.drift(ctx)
	return r, err
}

// lastOrigin is the newest origin of one horizon that is scored: the newest
// whose outcome is known, or the one before the vault if that is shut.
func (w *walk) lastOrigin(k int) series.Month {
	last := series.Month(0)
	for i := range w.records {
		if r := &w.records[i]; r.horizon == k && r.known != 0 && !r.custom {
			last = max(last, r.t)
		}
	}
	if !w.options.OpenVault {
		last -= VaultMonths
	}
	return last
}

// scored are the records of one horizon whose outcome is known, without the
// vault unless it is open, in order of month and asset.
func (w *walk) scored(k int) []*record {
	last := w.lastOrigin(k)
	var out []*record
	for i := range w.records {
		if r := &w.records[i]; r.horizon == k && r.known != 0 && r.t <= last {
			out = append(out, r)
		}
	}
	return out
}

// earn gives weight to what was better than the rung below it, all horizons
// together.
func (w *walk) earn(r *Report, all []*record) {
	weight := func(name string) float64 {
		for _, s := range r.Pooled {
			if s.Rung == name && s.Value > 0 {
				return 1
			}
		}
		return 0
	}
	r.Weights = forecast.Weights{LGBM: weight("lgbm"), XGB: weight("xgb"), Ensemble: weight("ensemble")}
	if weight("calibrated") > 0 {
		r.Calibration.Temperature = w.calibration.Temperature
	}
	plain, corrected := coverage(all, rungEnsemble, 0.8), coverage(all, rungCalibrated, 0.8)
	if math.Abs(corrected-0.8) < math.Abs(plain-0.8) {
		r.Calibration.Interval = w.calibration.Interval
	}
}

func rungIndex(name string) int {
	return slices.IndexFunc(rungs[:], func(r RungInfo) bool { return r.Name == name })
}

// rps are the scores of one rung.
func rps(records []*record, rung int) []float64 {
	out := make([]float64, len(records))
	for i, r := range records {
		out[i] = score.RPS(r.p[rung], r.y)
	}
	return out
}

func paired(records []*record, s, ref []float64) score.Paired {
	p := score.Paired{Score: s, Ref: ref, Month: make([]int, len(records)), Asset: make([]int, len(records))}
	for i, r := range records {
		p.Month[i], p.Asset[i] = int(r.t), r.asset
	}
	return p
}

// skill compares two rungs on records, months counting once each.
func (w *walk) skill(records []*record, rung, ref, months int) (Skill, error) {
	s, err := w.skillOf(paired(records, rps(records, rung), rps(records, ref)), months)
	s.Reference = rungs[ref].Name
	return s, err
}

func (w *walk) skillOf(p score.Paired, months int) (Skill, error) {
	e, err := p.Skill(score.EqualMonths, score.DefaultBootstrap(months))
	if err != nil {
		return Skill{}, err
	}
	s := Skill{Value: e.Skill.Value, Low: e.Skill.Lo, High: e.Skill.Hi, Blocks: int(e.Blocks)}
	if e.Ref < score.SmallReference {
		s.Difference = true
		s.Value, s.Low, s.High = e.Difference.Value, e.Difference.Lo, e.Difference.Hi
	}
	if _, a, b, err := p.MonthMeans(); err == nil {
		d := make([]float64, len(a))
		for i := range d {
			d[i] = a[i] - b[i]
		}
		if dm, err := score.DieboldMariano(d, months); err == nil {
			s.P = &dm.PValue
		}
	}
	return s, nil
}

// coverage is the share of outcomes inside the central interval of a level.
func coverage(records []*record, rung int, level float64) float64 {
	in := 0
	for _, r := range records {
		if r.within(rung, level) {
			in++
		}
	}
	return float64(in) / float64(len(records))
}

// within reports whether the outcome lay in the central interval of a level.
func (r *record) within(rung int, level float64) bool {
	n := r.n[rung]
	return r.ln >= n.Quantile((1-level)/2) && r.ln <= n.Quantile((1+level)/2)
}

// paths are the served forecasts of loss through time; outcomes in a shut vault
// are not told.
func (w *walk) paths() []Path {
	var out []Path
	var last [len(forecast.TrainedHorizons)]series.Month
	for k := range last {
		last[k] = w.lastOrigin(k)
	}
	for i := range w.records {
		r := &w.records[i]
		id, months := w.panel.Assets[r.asset].Asset.ID, r.months()
		k := slices.IndexFunc(out, func(p Path) bool { return p.Asset == id && p.Months == months })
		if k < 0 {
			k = len(out)
			out = append(out, Path{Asset: id, Months: months, From: r.t})
		}
		for p := &out[k]; p.From+series.Month(len(p.Loss)) < r.t; { // months without a forecast
			p.add(-1, -1, -1)
		}
		outcome, rps := int8(-1), -1.0
		if r.known != 0 && r.t <= last[r.horizon] {
			outcome = int8(min(r.y, 1))
			rps = math.Round(1e6*score.RPS(r.p[rungEnsemble], r.y)) / 1e6
		}
		out[k].add(int16(math.Round(1000*(1-r.p[rungEnsemble][0]))), outcome, rps)
	}
	return out
}

// add puts the next month on the path.
func (p *Path) add(loss int16, outcome int8, rps float64) {
	p.Loss, p.Outcome, p.RPS = append(p.Loss, loss), append(p.Outcome, outcome), append(p.RPS, rps)
}
