package web

import (
	"fmt"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/series"
)

func reliabilitySection(r *backtest.Report) g.Node {
	var pictures []g.Node
	for _, hr := range r.Horizons {
		if lines := lossLines(r, hr); len(lines) > 0 {
			pictures = append(pictures, reliabilityChart(hr.Months, lines))
		}
	}
	t := table{
		caption: "Calibration of the probability of loss",
		head: []string{"Horizon", "loss", "seen", "mean gap (ECE)", "gap expected of a perfect forecast", "recalibration slope (1 is perfect)", "intercept (0 is perfect)",
			"area under the curve (AUC)"},
	}
	name := headlineRung(r)
	for _, hr := range r.Horizons {
		if s := find(hr, name); s != nil {
			t.rows = append(t.rows, cells(yearsOf(hr.Months), "any loss", lossSeen(hr), unit(decimal(100*s.ECE, 1), "points"), unit(optional(s.ECEExpected, 100, 1), "points"),
				optional(s.Slope, 1, 2), optional(s.Intercept, 1, 2), optional(s.AUC, 1, 2)))
		}
		for _, d := range r.DeepLosses {
			if d.Months == hr.Months && d.Rung == name {
				t.rows = append(t.rows, cells(yearsOf(hr.Months), deeper(d.Below), percent(d.Seen, 0), unit(decimal(100*d.ECE, 1), "points"), unit(decimal(100*d.ECEExpected, 1), "points"),
					optional(d.Slope, 1, 2), optional(d.Intercept, 1, 2), none))
			}
		}
	}
	return section("reliability", "When it says 30 %, does it happen in 30 %?",
		para("Each point is a tenth or more of the forecasts, those with about the same probability of a loss of purchasing power: any at all, or a deep one. On the dotted line "+
			"losses came as often as forecast; above it more often. Even a perfect forecast strays from the line by chance, and at long horizons by a lot: the table says how far."),
		panels("narrow", "Probability of loss forecast (across) and share of holdings that then lost as much (up), for "+whose(r)+".", pictures...),
		t.node(),
		h.Details(h.Summary(g.Text("The points as figures")), reliabilityTable(r)),
	)
}

// lossSeen is the share of all outcomes that were a loss.
func lossSeen(h backtest.HorizonReport) string {
	rows, seen := 0, 0.0
	for _, b := range h.Reliability {
		rows += b.Rows
		seen += b.Seen * float64(b.Rows)
	}
	if rows == 0 {
		return none
	}
	return percent(seen/float64(rows), 0)
}

// optional writes a figure that may be absent.
func optional(v *float64, factor float64, digits int) string {
	if v == nil {
		return none
	}
	return decimal(*v*factor, digits)
}

func coverageSection(r *backtest.Report) g.Node {
	name := headlineRung(r)
	rungs := []string{"carry_core"}
	if name != "carry_core" {
		rungs = append(rungs, name)
	}
	stretch := r.Calibration.Interval
	var pictures []g.Node
	for level := range coverageLevels {
		pictures = append(pictures, coverageChart(r, level, rungs, name))
	}
	return section("coverage", "Do the intervals hold what they promise?",
		para("An 80 % interval should hold 80 % of what then happens, no less and no more. Points left of the line are intervals that are too narrow, right of it too wide."),
		panels("", "◆ what is served ("+rungName(name)+"), ○ the carry core alone.", pictures...),
		coverageTable(r),
		coverageByPart(r, name),
		g.If(stretch != 0 && stretch != 1, para("Because of this, the intervals that are served now are stretched by the factor "+decimal(stretch, 3)+
			", learned from past forecasts; the line \"calibrated\" shows what such a stretch would have done.")),
	)
}

func groupSection(r *backtest.Report) g.Node {
	name := headlineRung(r)
	var pictures []g.Node
	var order []backtest.GroupScore // the first score of each group, in order
	seen := map[string]bool{}
	differences := false
	for _, hr := range r.Horizons {
		var rows []dotRow
		few := false
		for _, s := range hr.Groups {
			if s.Rung != name {
				continue
			}
			if !seen[s.Group] {
				seen[s.Group] = true
				order = append(order, s)
			}
			differences = differences || s.Skill.Difference
			if s.Windows < fewWindows {
				continue
			}
			class := "other"
			if !s.Asset {
				class = "core"
			}
			rows = append(rows, dotRow{label: s.Group, skill: s.Skill, class: class})
			few = few || s.Skill.Blocks < fewBlocks
		}
		lo, hi := dotRange(rows, -0.5, 0.75)
		pictures = append(pictures, dotPlot{
			title: yearsOf(hr.Months), told: toldRows(rows), below: "worse", above: "better than own base rate", axis: "skill",
			rows: rows, lo: min(lo, -0.5), hi: max(hi, 0.75), dashed: few && unreliable(hr, name),
		}.node())
	}
	note := "○ groups, • single assets. Arrows: the interval goes on outside the picture. Dashed: fewer than five blocks. Fewer than two windows: not drawn."
	if differences {
		note += " † the base rate's own error is so small that a ratio says nothing: the figure is the difference of scores (RPS)."
	}
	return section("assets", "Asset by asset",
		para("Here every asset is compared with the best base rate of its own, which is a harder test than the pooled headline. "+
			"Where the figure is zero or less, counting what happened before was the better forecast, and the table says so."),
		panels("", note, pictures...),
		groupTable(r, order, name),
		h.Details(h.Summary(g.Text("Scores, windows and coverage by asset and group")), groupScores(r)),
	)
}

// groupTable has one line a group or asset; the mark and the words say the same
// as the colour.
func groupTable(r *backtest.Report, order []backtest.GroupScore, name string) g.Node {
	t := table{
		caption: "Skill against the asset's own best base rate, by asset and group, with 90 % interval",
		class:   "verdicts",
		head:    []string{"Asset or group"},
	}
	for _, hr := range r.Horizons {
		t.head = append(t.head, yearsOf(hr.Months))
	}
	for _, own := range order {
		label := cell{text: own.Group}
		if !own.Asset {
			label = cell{node: h.Em(g.Text(own.Group)), class: "group"}
		}
		row := []cell{label}
		for _, hr := range r.Horizons {
			row = append(row, groupCell(hr, own.Group, name))
		}
		t.rows = append(t.rows, row)
	}
	return t.node()
}

func groupCell(hr backtest.HorizonReport, group, name string) cell {
	for _, s := range hr.Groups {
		if s.Group != group || s.Rung != name {
			continue
		}
		v := judge(s.Skill, s.Windows)
		return cell{class: v.class, node: g.Group{
			h.Span(h.Class("mark"), h.Aria("hidden", "true"), g.Text(v.mark)), g.Text(" " + skillValue(s.Skill)),
			h.Small(g.Text(skillRange(s.Skill))),
			h.Small(g.Text(v.words)),
		}}
	}
	return cell{text: none}
}

// groupScores lists what the verdicts rest on.
func groupScores(r *backtest.Report) g.Node {
	t := table{
		caption: "Scores by asset and group; the base rate is each asset's own best one",
		class:   "dense",
		head:    []string{"Asset or group", "horizon", "forecast", "forecasts", "windows that do not overlap", "blocks", "RPS", "RPS of the base rate", "skill", "90 % interval", "inside 80 %"},
	}
	for _, hr := range r.Horizons {
		for _, s := range hr.Groups {
			t.rows = append(t.rows, cells(s.Group, yearsOf(hr.Months), rungName(s.Rung), whole(s.Rows), decimal(s.Windows, 1), whole(s.Skill.Blocks),
				decimal(s.RPS, 4), decimal(s.Climatology, 4), skillValue(s.Skill), skillRange(s.Skill), percent(s.Coverage80, 0)))
		}
	}
	return t.node()
}

func pathSection(r *backtest.Report) g.Node {
	nodes := []g.Node{
		para("The line is the probability of losing purchasing power as it was forecast in each month. The orange strip on top marks months after which a holding did " +
			"lose; the blue strip at the bottom marks those after which it kept its purchasing power; no strip: not known yet. " +
			"A useful line is high under the upper strip and low over the lower one."),
	}
	for _, hr := range r.Horizons {
		var pictures []g.Node
		from, to := series.Month(0), series.Month(0)
		for _, p := range r.Paths {
			if p.Months != hr.Months {
				continue
			}
			if from == 0 || p.From < from {
				from = p.From
			}
			to = max(to, p.From+series.Month(len(p.Loss)))
		}
		for _, p := range r.Paths {
			if p.Months == hr.Months {
				pictures = append(pictures, pathChart(p, from, to))
			}
		}
		if len(pictures) > 0 {
			nodes = append(nodes, h.H3(g.Text("Over "+yearsOf(hr.Months))),
				panels("", "Probability of loss over "+yearsOf(hr.Months)+" by month of the forecast, of "+whose(r)+". Figures on top count the months whose outcome is known.", pictures...))
		}
	}
	return section("paths", "Forecast and outcome through time", nodes...)
}

func eraSection(r *backtest.Report) g.Node {
	t := table{
		caption: "Skill against the best base rate, by era of the forecast",
		head:    []string{"Era", "Forecast"},
	}
	type key struct {
		from series.Month
		rung string
	}
	var order []key
	seen := map[key]bool{}
	last := map[series.Month]series.Month{}
	for _, hr := range r.Horizons {
		t.head = append(t.head, yearsOf(hr.Months))
		for _, e := range hr.Eras {
			if k := (key{e.From, e.Rung}); !seen[k] {
				seen[k] = true
				order = append(order, k)
			}
			last[e.From] = max(last[e.From], e.To)
		}
	}
	for _, k := range order {
		row := cells(fmt.Sprintf("%d to %d", k.from.Year(), last[k.from].Year()), rungName(k.rung))
		for _, hr := range r.Horizons {
			c := cell{text: none}
			for _, e := range hr.Eras {
				if e.From == k.from && e.Rung == k.rung {
					c = cell{text: signedPercent(e.Skill, 1)}
					if e.Skill <= 0 {
						c.class = "worse"
					}
				}
			}
			row = append(row, c)
		}
		t.rows = append(t.rows, row)
	}
	return section("eras", "In which times did it work?",
		para("A skill that comes from one era alone may be luck. Eras are cut by the month of the forecast; the last one ends earlier for longer horizons."),
		t.node(),
	)
}
