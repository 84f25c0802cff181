package backtest

import (
	"fmt"

	"github.com/pppq/pppq/internal/forecast"
)

// Levels past which a result is too good to be true: a release with one is held
// until someone finds the leak.
const (
	alarmShort     = 0.15 // skill over the best climatology at 1 to 3 years
	alarmLong      = 0.28 // the same at 5 to 10 years
	alarmTrees     = 0.04 // skill of trees over the carry core
	alarmF1        = 0.50
	alarmAccuracy  = 0.12    // above the most likely class of the climatology
	alarmCertainty = 0.97    // a class probability of stocks, metals, oil or coin
	alarmOffset    = 1.0 / 3 // least share of the skill left without overlap
	alarmFeature   = 0.30    // skill of a single feature
)

// alarms are the results past their levels.
func (w *walk) alarms(r *Report, all []*record) []Alarm {
	out := []Alarm{}
	check := func(value, level float64, format string, args ...any) {
		if value > level {
			out = append(out, Alarm{What: fmt.Sprintf(format, args...), Value: value, Level: level})
		}
	}
	for k, h := range r.Horizons {
		level := alarmShort
		if h.Months > 36 {
			level = alarmLong
		}
		for rung, s := range h.Rungs {
			if rung < rungHistorical {
				continue
			}
			name := s.Rung + " at " + years(h.Months)
			if !s.Skill.Difference {
				check(s.Skill.Value, level, "%s: RPS skill over %s", name, h.BestClimatology)
			}
			if s.OverCore != nil {
				check(s.OverCore.Value, alarmTrees, "%s: RPS skill over the carry core", name)
			}
			check(s.MacroF1, alarmF1, "%s: macro-F1", name)
			check(s.Accuracy-h.LikelyClass, alarmAccuracy, "%s: accuracy above the most likely class", name)
			check(s.MaxProb, alarmCertainty, "%s: largest class probability of an uncertain asset", name)
		}
		if full := h.Rungs[rungEnsemble].Skill.Value; full > 0 && h.NonOverlapping/full < alarmOffset {
			what := "ensemble at " + years(h.Months) + ": share of the skill that is left without overlap"
			out = append(out, Alarm{What: what, Value: h.NonOverlapping / full, Level: alarmOffset, Below: true})
		}
		for _, f := range w.singleFeatures(k, w.scored(k)) {
			check(f.Skill, alarmFeature, "feature %s alone at %s: RPS skill", f.Name, years(forecast.TrainedHorizons[k]))
		}
	}
	return out
}
