package backtest

import (
	"fmt"
	"math"
	"slices"

	"github.com/pppq/pppq/internal/score"
	"github.com/pppq/pppq/internal/series"
)

// A Check is one condition of the gate.
type Check struct {
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	// Found says what was measured and what was wanted.
	Found string `json:"found"`
}

// A Decision says whether a new version may take the place of the one in
// service.
type Decision struct {
	Promote bool    `json:"promote"`
	Reason  string  `json:"reason"`
	Checks  []Check `json:"checks"`
}

// Bounds of the gate.
const (
	gateHorizonLoss = -0.01
	gateEras        = 3
	gateGroupLoss   = 0.02
	gateLogLoss     = 0.01 // rounding of newer figures, not a worse method
)

var (
	gateSlope    = [2]float64{0.7, 1.3}
	gateCoverage = [2]float64{0.70, 0.90}
)

// Gate decides on a new version. Without a champion only the report's own
// checks count. A champion of the same method is refreshed by new figures (more
// months, revisions, another asset) if nothing got worse; another method, or the
// same figures, must be better on the rows that both forecast. Ties keep what is
// in service.
func Gate(champion, challenger *Report, newFigures bool) Decision {
	var d Decision
	check := func(name string, ok bool, format string, args ...any) {
		d.Checks = append(d.Checks, Check{Name: name, Passed: ok, Found: fmt.Sprintf(format, args...)})
	}
	d.ownChecks(challenger, check)
	refresh := false
	if champion != nil {
		refresh = champion.Method == challenger.Method && newFigures
		d.againstChampion(champion, challenger, refresh, check)
	}
	if champion != nil && champion.Method == challenger.Method && champion.Seed == challenger.Seed && !newFigures {
		d.Reason = "nothing is new: the figures, the method and the seed are those of the version in service"
		return d
	}
	d.Promote = true
	for _, c := range d.Checks {
		if !c.Passed {
			d.Promote = false
			d.Reason = c.Name + ": " + c.Found
			return d
		}
	}
	switch {
	case champion == nil:
		d.Reason = "no version is in service yet"
	case refresh:
		d.Reason = "new figures, nothing got worse"
	default:
		d.Reason = "better than the version in service"
	}
	return d
}

func (d *Decision) ownChecks(r *Report, check func(string, bool, string, ...any)) {
	check("no result is too good to be true", len(r.Alarms) == 0, "%s", alarmText(r.Alarms))
	for _, h := range r.Horizons {
		years := years(h.Months)
		core := h.Rungs[rungCarry]
		check("the core beats the best climatology at "+years, core.RPS < h.Rungs[rungIndex(h.BestClimatology)].RPS, "skill %+.3f", core.Skill.Value)
	}
}

func alarmText(alarms []Alarm) string {
	if len(alarms) == 0 {
		return "none is"
	}
	return alarms[0].String()
}

func (d *Decision) againstChampion(champion, challenger *Report, refresh bool, check func(string, bool, string, ...any)) {
	all, byHorizon, byGroup := commonRows(champion, challenger)
	if len(all.Score) == 0 {
		check("rows that both versions forecast", false, "none")
		return
	}
	e, err := all.Skill(score.EqualMonths, score.DefaultBootstrap(120))
	if err != nil {
		check("skill over the version in service", false, "%v", err)
		return
	}
	if !refresh {
		check("skill over the version in service", e.Skill.Lo > 0, "%+.4f [%+.4f, %+.4f], want the interval above 0", e.Skill.Value, e.Skill.Lo, e.Skill.Hi)
		won := erasWon(all)
		check("eras won against the version in service", won >= gateEras, "%d of 5, want %d", won, gateEras)
	}
	for _, h := range challenger.Horizons {
		p, ok := byHorizon[h.Months]
		if !ok {
			continue
		}
		s := score.Skill(mean(p.Score), mean(p.Ref))
		check("not worse at "+years(h.Months), s >= gateHorizonLoss, "skill %+.4f, want at least %.2f", s, gateHorizonLoss)
	}
	for _, id := range challenger.Assets {
		p, ok := byGroup[id]
		if !ok {
			continue
		}
		loss := mean(p.Score) - mean(p.Ref)
		check("not worse for "+id, loss <= gateGroupLoss, "RPS %+.4f, want at most %+.2f", loss, gateGroupLoss)
	}
	for i, h := range challenger.Horizons {
		if i >= len(champion.Horizons) || champion.Horizons[i].Months != h.Months {
			continue
		}
		years := years(h.Months)
		was, is := champion.Horizons[i].Rungs[rungEnsemble], h.Rungs[rungEnsemble]
		check("log loss at "+years, is.LogLoss <= was.LogLoss+gateLogLoss, "%.3f, was %.3f", is.LogLoss, was.LogLoss)
		if is.Slope != nil {
			ok := *is.Slope >= gateSlope[0] && *is.Slope <= gateSlope[1]
			if was.Slope != nil {
				ok = ok || math.Abs(*is.Slope-1) <= math.Abs(*was.Slope-1)+0.01
			}
			check("reliability of P(loss) at "+years, ok, "slope %.2f, want %.1f to %.1f or no worse than before", *is.Slope, gateSlope[0], gateSlope[1])
		}
		if c := is.Coverage; c != nil {
			check("coverage of the 80 % interval at "+years, c[1] >= gateCoverage[0] && c[1] <= gateCoverage[1],
				"%.2f, want %.2f to %.2f", c[1], gateCoverage[0], gateCoverage[1])
		}
	}
}

// commonRows pairs the scores of windows that both reports forecast and whose
// outcome both know. A user's own assets are left out: what stands under one id
// may be another asset by now.
func commonRows(champion, challenger *Report) (all score.Paired, byHorizon map[int]score.Paired, byAsset map[string]score.Paired) {
	byHorizon, byAsset = map[int]score.Paired{}, map[string]score.Paired{}
	add := func(p score.Paired, month, asset int, s, ref float64) score.Paired {
		p.Month, p.Asset = append(p.Month, month), append(p.Asset, asset)
		p.Score, p.Ref = append(p.Score, s), append(p.Ref, ref)
		return p
	}
	builtin := func(id string) bool {
		return slices.ContainsFunc(series.BuiltinAssets(), func(a series.Asset) bool { return a.ID == id })
	}
	for a, is := range challenger.Paths {
		if !builtin(is.Asset) {
			continue
		}
		for _, was := range champion.Paths {
			if was.Asset != is.Asset || was.Months != is.Months {
				continue
			}
			for i, s := range is.RPS {
				t := is.From + series.Month(i)
				j := int(t - was.From)
				if s < 0 || j < 0 || j >= len(was.RPS) || was.RPS[j] < 0 {
					continue
				}
				all = add(all, int(t), a, s, was.RPS[j])
				byHorizon[is.Months] = add(byHorizon[is.Months], int(t), a, s, was.RPS[j])
				byAsset[is.Asset] = add(byAsset[is.Asset], int(t), a, s, was.RPS[j])
			}
		}
	}
	return all, byHorizon, byAsset
}

// erasWon counts in how many of five contiguous eras the mean score is better.
func erasWon(p score.Paired) int {
	first, last := math.MaxInt, math.MinInt
	for _, m := range p.Month {
		first, last = min(first, m), max(last, m)
	}
	var diff [5]float64
	for i, m := range p.Month {
		diff[(m-first)*5/(last-first+1)] += p.Ref[i] - p.Score[i]
	}
	won := 0
	for _, d := range diff {
		if d > 0 {
			won++
		}
	}
	return won
}
