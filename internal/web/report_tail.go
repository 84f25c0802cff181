package web

import (
	"fmt"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/pppq/pppq/internal/backtest"
)

func triedSection(r *backtest.Report) g.Node {
	t := table{
		caption: "Every kind of forecast that was tried, against the one it has to beat, all horizons together",
		class:   "verdicts",
		head:    []string{"Forecast", "what it is", "has to beat", "skill over it", "result"},
	}
	for _, info := range r.Rungs {
		skill, result := cell{text: none}, cell{text: "a base rate"}
		for _, s := range r.Pooled {
			if s.Rung == info.Name {
				skill = cell{node: valueAndRange(s)}
				result = triedResult(s, info.Served)
			}
		}
		below := none
		if info.Below != "" {
			below = rungName(info.Below)
			if result.text == "a base rate" {
				result.text = "for comparison"
			}
		}
		t.rows = append(t.rows, []cell{{text: rungName(info.Name)}, {text: info.Title, class: "words"}, {text: below}, skill, result})
	}
	return section("tried", "What was tried, and what lost",
		para(fmt.Sprintf("%s were tested at %s on %s, from dull to clever. A kind gets weight in what is served only if it beats the one below it over all horizons together. "+
			"What lost is kept in the test, so that it can earn its place when there is more to learn from. What is headline was fixed before anyone looked.",
			plural(len(r.Rungs), "kind of forecast", "kinds of forecast"), plural(len(r.Horizons), "horizon", "horizons"), plural(len(r.Assets), "asset", "assets"))),
		t.node(),
	)
}

func triedResult(s backtest.Skill, served bool) cell {
	switch {
	case s.Value <= 0 && served:
		return cell{text: "lost: no weight", class: "worse"}
	case s.Value <= 0:
		return cell{text: "lost: not served", class: "worse"}
	case served && s.Low > 0:
		return cell{text: "won: served", class: "better"}
	case served:
		return cell{text: "ahead, not clearly: served", class: "unsure"}
	}
	return cell{text: "ahead: not served", class: "unsure"}
}

func alarmSection(r *backtest.Report) g.Node {
	intro := para("A result that is much better than honest forecasts of this kind ever were is first of all a sign of a leak: a forecast that saw its own future. " +
		"Every score is held against such a level, and a release with one above it is held back.")
	if len(r.Alarms) == 0 {
		return section("alarms", "Too good to be true?", intro, para("No result of this test is above its level."))
	}
	t := table{caption: "Results above their level", head: []string{"Result", "value", "level"}}
	for _, a := range r.Alarms {
		t.rows = append(t.rows, cells(a.What, decimal(a.Value, 3), decimal(a.Level, 3)))
	}
	return section("alarms", "Too good to be true?", intro, alarmNotice(r), t.node())
}

// driftSection names the figures behind the forecasts that are unlike their past;
// nil if the report does not know.
func driftSection(r *backtest.Report) g.Node {
	if len(r.Drift) == 0 {
		return nil
	}
	t := table{
		caption: "Figures that are further from their past than in 95 % of all windows before",
		class:   "verdicts",
		head:    []string{"Figure", "of", "measure", "now", "95 % of the past below", "99 % of the past below", "what it means"},
	}
	readings, raised := 0, 0
	for _, d := range r.Drift {
		for _, m := range d.Readings {
			readings++
			if m.State == "none" {
				continue
			}
			of, result := d.Asset, cell{text: "look", class: "unsure"}
			if of == "" {
				of = "the economy"
			}
			if m.State == "raised" {
				raised++
				result = cell{text: "alarm", class: "worse"}
			}
			row := cells(d.Feature, of, driftMeasure(m.Measure), decimal(m.Value, 2), decimal(m.P95, 2), decimal(m.P99, 2))
			t.rows = append(t.rows, append(row, result))
		}
	}
	text := fmt.Sprintf("Of %s %s above the 95th percentile of their past, of them %s above the 99th; about one in twenty and one in a hundred would be if nothing had changed.",
		plural(readings, "reading", "readings"), plural(len(t.rows), "is", "are"), whole(raised))
	return section("drift", "Are today's figures unlike those it learned from?",
		para(fmt.Sprintf("What the trees read is watched: the newest %d months of each figure against all months before, by three measures of distance. "+
			"Each is judged by its own history: the same measure for every past window of that length. Drift does not say that the forecasts are worse; only scores do.", backtest.DriftMonths)),
		para(text),
		g.If(len(t.rows) > 0, t.node()),
	)
}

// driftMeasure names a measure of backtest.DriftReading.
func driftMeasure(name string) string {
	switch name {
	case "psi":
		return "stability index (PSI)"
	case "ks":
		return "Kolmogorov-Smirnov"
	case "wasserstein":
		return "Wasserstein, in standard deviations"
	}
	return name
}

func scoreSection(r *backtest.Report) g.Node {
	nodes := []g.Node{
		para("All scores at every horizon, of the built-in assets together. RPS and log loss are means over months of the mean over assets; everything else counts rows equally. " +
			"The letter of the most likely class is not the product: the probability and the interval are."),
	}
	for _, hr := range r.Horizons {
		head := fmt.Sprintf("%s: %s forecasts in %s, the last of %s; %s windows that do not overlap, over all assets",
			yearsOf(hr.Months), whole(hr.Rows), plural(hr.Origins, "month", "months"), monthName(hr.Last), decimal(hr.EffectiveCases, 0))
		probabilities := table{
			caption: "Scores of probabilities at " + yearsOf(hr.Months),
			class:   "dense",
			head: []string{"Forecast", "RPS", "skill", "log loss", "floored", "CRPS of ln M", "Brier", "Brier of loss", "AUC of loss", "ECE of loss",
				"ECE if perfect", "intercept", "slope", "largest probability"},
		}
		classes := table{
			caption: "Scores of classes and intervals at " + yearsOf(hr.Months),
			class:   "dense",
			head: []string{"Forecast", "accuracy", "of the median class", "balanced", "macro-F1", "kappa", "inside 50 %", "inside 80 %", "inside 95 %",
				"mean width of 80 %", "interval score of 80 %"},
		}
		absent := ""
		for i := range hr.Rungs {
			s := &hr.Rungs[i]
			probabilities.rows = append(probabilities.rows, probabilityRow(s))
			classes.rows = append(classes.rows, classRow(s))
			if len(s.AbsentClasses) > 0 {
				absent = strings.Join(s.AbsentClasses, ", ")
			}
		}
		notes := []string{
			"The most likely class of the mixed base rate is right in " + percent(hr.LikelyClass, 1) + ".",
			"Skill of what is served over windows that do not overlap, mean over all starts: " + signedPercent(hr.NonOverlapping, 1) + ".",
		}
		if absent != "" {
			notes = append(notes, "Never came true and counted 0 in macro-F1: "+absent+".")
		}
		nodes = append(nodes, h.H3(g.Text(head)), probabilities.node(), classes.node(), bullets("quiet", notes))
	}
	return section("scores", "All scores", nodes...)
}

func probabilityRow(s *backtest.RungScore) []cell {
	skill := none
	if s.Skill.Reference != s.Rung {
		skill = skillValue(s.Skill)
	}
	return cells(rungName(s.Rung), decimal(s.RPS, 4), skill, decimal(s.LogLoss, 3), whole(s.Floored), optional(s.CRPS, 1, 4), decimal(s.Brier, 3),
		decimal(s.BrierLoss, 3), optional(s.AUC, 1, 3), decimal(s.ECE, 3), optional(s.ECEExpected, 1, 3), optional(s.Intercept, 1, 2), optional(s.Slope, 1, 2),
		decimal(s.MaxProb, 2))
}

func classRow(s *backtest.RungScore) []cell {
	inside := [3]string{none, none, none}
	if s.Coverage != nil {
		for i, v := range s.Coverage {
			inside[i] = percent(v, 1)
		}
	}
	return cells(rungName(s.Rung), percent(s.Accuracy, 1), percent(s.AccuracyMedian, 1), percent(s.BalancedAcc, 1), decimal(s.MacroF1, 3), optional(s.Kappa, 1, 3),
		inside[0], inside[1], inside[2], optional(s.Width80, 1, 3), optional(s.IntervalScore, 1, 3))
}

func limitSection(r *backtest.Report) g.Node {
	limits := []string{
		"One country, one currency, few assets: the record is that of the United States, which fared better than most. Nothing here was tested elsewhere.",
		"Months overlap: " + howSure(r),
		"The tested years were mostly an age of falling yields. How the forecasts do in another age is not known.",
		"The constants of the core are textbook values that were set before any figure was scored, and some variants of it were compared, so a little optimism remains in these figures.",
		"What is compared is purchasing power by the consumer price index. Your own basket may differ.",
		"Taxes, trading costs, storage and fees are not in.",
		"Several assets are price series without a long record. Where the record is too short to judge, the tables say so.",
	}
	if r.VaultOpen {
		limits = append(limits, "The months that were held back are now part of the figures. They have been looked at, and cannot serve as a fresh test again.")
	}
	return section("limits", "Limits", bullets("", limits))
}

func madeSection(r *backtest.Report) g.Node {
	vault := fmt.Sprintf("closed: the newest %d months of each horizon are held back", backtest.VaultMonths)
	if r.VaultOpen {
		vault = "open: all months with a known outcome are in"
	}
	t := table{
		caption: "How this test was made",
		class:   "words",
		head:    []string{"What", "Value"},
		rows: [][]cell{
			cells("Forecasts made in", monthName(r.From)+" to "+monthName(r.To)),
			cells("Newest price index", monthName(r.DataAsOf)),
			cells("Method", r.Method),
			cells("Seed", fmt.Sprint(r.Seed)),
			cells("Held-back months", vault),
			cells("Weight of lgbm, xgb, ensemble", list([]string{decimal(r.Weights.LGBM, 2), decimal(r.Weights.XGB, 2), decimal(r.Weights.Ensemble, 2)})),
			cells("Temperature of the probabilities", decimal(r.Calibration.Temperature, 3)),
			cells("Stretch of the intervals", decimal(r.Calibration.Interval, 3)),
		},
	}
	return section("made", "How it was made",
		t.node(),
		para("Base rate: how often each class came true before (climatology), counted over all assets (pooled), over the asset's own past (own), or the asset's own count pulled to the pool (mixed). "+
			"Classes: A keeps at least its purchasing power, B loses up to a tenth, C up to three tenths, D more. M: the multiple of purchasing power. "+
			"RPS, the ranked probability score, and CRPS measure the distance between a forecast distribution and what happened; less is better."),
		para("The same method, data and seed give these figures again, to the last digit: pppq backtest --html FILE."),
	)
}
