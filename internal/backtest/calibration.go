package backtest

import (
	"math"

	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/score"
)

// InflationLow and InflationHigh part the regimes of inflation that coverage is
// reported by: consumer price inflation over the 12 months known at the origin,
// as a yearly rate. Two per cent is what the Federal Reserve aims at; twice that
// is more than it calls stable. The limits were set before anything was looked at.
const (
	InflationLow  = 0.02
	InflationHigh = 0.04
)

// regimes are the names of the regimes, from low to high.
var regimes = [3]string{"under 2 %", "2 to 4 %", "from 4 %"}

// regimeOf is the place in regimes of a log change of prices over 12 months.
func regimeOf(ln float64) int {
	switch rate := math.Expm1(ln); {
	case rate < InflationLow:
		return 0
	case rate < InflationHigh:
		return 1
	}
	return 2
}

// calibrated are the rungs whose calibration is reported in full.
var calibrated = [2]int{rungCarry, rungEnsemble}

// worseThan are the forecasts of a class worse than k, and whether one came.
func worseThan(records []*record, rung, k int) ([]float64, []bool) {
	p, y := make([]float64, len(records)), make([]bool, len(records))
	for i, r := range records {
		p[i], y[i] = min(score.WorseThan(r.p[rung], k), 1), r.y > k
	}
	return p, y
}

// expectedECE is the ECE that forecasts would show if they were perfectly
// calibrated.
func expectedECE(records []*record, p []float64, months int) (float64, error) {
	month, asset := make([]int, len(records)), make([]int, len(records))
	for i, r := range records {
		month[i], asset[i] = int(r.t), r.asset
	}
	b := score.DefaultBootstrap(months)
	b.Draws = eceDraws
	noise, err := score.ExpectedECE(p, month, asset, effectiveCases(records, months), reliabilityBins, b)
	return noise.Mean, err
}

func effectiveCases(records []*record, months int) float64 {
	return float64(len(records)) / float64(months)
}

func bins(t score.ReliabilityTable) []ReliabilityBin {
	var out []ReliabilityBin
	for _, b := range t.Bins {
		out = append(out, ReliabilityBin{Forecast: b.MeanForecast, Seen: b.Frequency, Rows: b.Rows})
	}
	return out
}

// deepLosses is the reliability of the probabilities of losing more than a class
// allows, of which P(M < 1) stands with the scores of the horizon.
func (w *walk) deepLosses(records []*record, months int) ([]DeepLoss, error) {
	var out []DeepLoss
	for k := 1; k < len(w.tiers); k++ {
		for _, rung := range calibrated {
			p, y := worseThan(records, rung, k)
			table, err := score.Reliability(p, y, effectiveCases(records, months), reliabilityBins)
			if err != nil {
				return nil, err
			}
			d := DeepLoss{Months: months, Below: w.tiers[k], Rung: rungs[rung].Name, ECE: table.ECE, Bins: bins(table)}
			for _, happened := range y {
				if happened {
					d.Seen += 1 / float64(len(y))
				}
			}
			if d.ECEExpected, err = expectedECE(records, p, months); err != nil {
				return nil, err
			}
			if intercept, slope, err := score.Recalibrate(p, y); err == nil {
				d.Intercept, d.Slope = &intercept, &slope
			}
			out = append(out, d)
		}
	}
	return out, nil
}

// grouped parts records by the group of their asset, in order of asset and month;
// names are in order of the first asset.
func (w *walk) grouped(records []*record) (names []string, members map[string][]*record) {
	byAsset := make([][]*record, len(w.panel.Assets))
	for _, r := range records {
		byAsset[r.asset] = append(byAsset[r.asset], r)
	}
	members = map[string][]*record{}
	for a, own := range byAsset {
		if len(own) == 0 {
			continue
		}
		name := Group(w.panel.Assets[a].Asset.Kind)
		if _, ok := members[name]; !ok {
			names = append(names, name)
		}
		members[name] = append(members[name], own...)
	}
	return names, members
}

// coverages measure the intervals by group of assets and, for the built-in
// assets together, by regime of inflation.
func (w *walk) coverages(builtin, scored []*record, months int) ([]CoverageScore, error) {
	var out []CoverageScore
	add := func(by, name string, own []*record) error {
		if len(own) == 0 {
			return nil
		}
		for _, rung := range calibrated {
			s := CoverageScore{Months: months, By: by, Name: name, Rung: rungs[rung].Name, Rows: len(own), Windows: effectiveCases(own, months)}
			var all RungScore
			distribution(&all, own, rung)
			s.Coverage, s.Width80, s.IntervalScore80 = *all.Coverage, *all.Width80, *all.IntervalScore
			month, hit := make([]int, len(own)), make([]bool, len(own))
			for i, r := range own {
				month[i], hit[i] = int(r.t), r.within(rung, 0.8)
			}
			share, drawn, err := score.DefaultBootstrap(months).Share(month, hit)
			if err != nil {
				return err
			}
			s.Low80, s.High80, s.Blocks = share.Lo, share.Hi, int(drawn.Blocks)
			out = append(out, s)
		}
		return nil
	}
	names, members := w.grouped(scored)
	for _, name := range names {
		if err := add("assets", name, members[name]); err != nil {
			return nil, err
		}
	}
	var byRegime [len(regimes)][]*record
	for _, r := range builtin {
		if ln := w.panel.Assets[r.asset].Rows[r.row].Values[panel.Inflation12]; !math.IsNaN(ln) {
			byRegime[regimeOf(ln)] = append(byRegime[regimeOf(ln)], r)
		}
	}
	for i, own := range byRegime {
		if err := add("inflation", regimes[i], own); err != nil {
			return nil, err
		}
	}
	return out, nil
}
