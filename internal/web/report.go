package web

import (
	"io"
	"slices"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/pppq/pppq/internal/backtest"
)

// WriteReport writes the walk-forward test as one HTML page that needs nothing
// beside it: style and pictures are inside. The same report gives the same
// bytes. The error is the writer's.
func WriteReport(w io.Writer, r *backtest.Report) error {
	return reportPage(r).writeFile(w)
}

func reportPage(r *backtest.Report) *document {
	return &document{
		title:       "How good are the forecasts? Walk-forward test of pppq, figures to " + monthName(r.DataAsOf),
		description: "Walk-forward test of forecasts of purchasing power: skill, calibration, coverage, what was tried and lost.",
		here:        "/report",
		body: []g.Node{
			h.H1(g.Text("How good are the forecasts?")),
			headlineSection(r),
			contents(r),
			skillSection(r),
			overCoreSection(r),
			reliabilitySection(r),
			coverageSection(r),
			groupSection(r),
			pathSection(r),
			eraSection(r),
			triedSection(r),
			alarmSection(r),
			driftSection(r),
			scoreSection(r),
			limitSection(r),
			madeSection(r),
		},
	}
}

// contents links to the parts of the page.
func contents(r *backtest.Report) g.Node {
	parts := [][2]string{
		{"skill", "Skill by horizon"}, {"boosters", "What the trees add"}, {"reliability", "Reliability"},
		{"coverage", "Intervals"}, {"assets", "By asset"}, {"paths", "Forecast and outcome through time"}, {"eras", "Eras"},
		{"tried", "Tried and lost"}, {"alarms", "Too good to be true?"}, {"scores", "All scores"}, {"limits", "Limits"}, {"made", "How it was made"},
	}
	if len(r.Drift) > 0 {
		parts = slices.Insert(parts, 9, [2]string{"drift", "Drift"})
	}
	items := make(g.Group, 0, len(parts))
	for _, p := range parts {
		items = append(items, h.Li(h.A(h.Href("#"+p[0]), g.Text(p[1]))))
	}
	return h.Nav(h.Class("contents"), h.Aria("label", "Parts of this page"), h.Ul(items))
}

// headlineRung is the kind of forecast whose scores are the headline: the last
// one that is served, or the core where no booster earned weight, since the
// core alone is served then.
func headlineRung(r *backtest.Report) string {
	name := "carry_core"
	if coreAlone(r) {
		return name
	}
	for _, info := range r.Rungs {
		if info.Served {
			name = info.Name
		}
	}
	return name
}

// coreAlone reports whether the boosters were tested and earned no weight.
func coreAlone(r *backtest.Report) bool { return r.Weights.LGBM == 0 && r.Weights.XGB == 0 }

// whose says which kind of forecast reliability and paths are of: a report
// holds them of the ensemble.
func whose(r *backtest.Report) string {
	if coreAlone(r) {
		return "the ensemble, which earned no weight"
	}
	return "what is served"
}

func skillSection(r *backtest.Report) g.Node {
	headline := headlineRung(r)
	shown := []string{"historical_core", "carry_core", "lgbm", "xgb", "ensemble", "logit", "class_trees", "mean_trees"}
	var all []dotRow
	byHorizon := make([][]dotRow, len(r.Horizons))
	for i, hr := range r.Horizons {
		for _, name := range shown {
			if s := find(hr, name); s != nil {
				byHorizon[i] = append(byHorizon[i], rungRow(name, s.Skill, headline))
			}
		}
		all = append(all, byHorizon[i]...)
	}
	lo, hi := dotRange(all, -0.6, 0.6)
	var pictures []g.Node
	t := table{
		caption: "Skill against the best base rate of each horizon, with 90 % interval",
		head:    []string{"Forecast"},
	}
	for i, hr := range r.Horizons {
		title := yearsOf(hr.Months)
		if s := find(hr, headline); s != nil {
			title += " · " + blocksOf(s.Skill)
		}
		pictures = append(pictures, dotPlot{
			title: title, told: toldRows(byHorizon[i]), below: "worse", above: "better than the base rate", axis: "skill",
			rows: byHorizon[i], lo: lo, hi: hi, dashed: unreliable(hr, headline),
		}.node())
		t.head = append(t.head, yearsOf(hr.Months))
	}
	for _, info := range r.Rungs {
		row := cells(rungName(info.Name))
		for _, hr := range r.Horizons {
			row = append(row, skillCell(find(hr, info.Name), func(s *backtest.RungScore) *backtest.Skill { return &s.Skill }))
		}
		t.rows = append(t.rows, row)
	}
	bottom := cells("best base rate")
	blocks := cells("blocks")
	for _, hr := range r.Horizons {
		bottom = append(bottom, cell{text: rungName(hr.BestClimatology)})
		n := none
		if s := find(hr, headline); s != nil {
			n = blocksOf(s.Skill)
		}
		blocks = append(blocks, cell{text: n})
	}
	t.rows = append(t.rows, bottom, blocks)
	return section("skill", "Skill by horizon",
		para("Skill is the part of the base rate's error that a forecast takes away: 0 % is no better than counting how often each outcome came true before, "+
			"100 % would be clairvoyance. The error is the ranked probability score of the four classes, each month counting once. "+
			"A bar is the 90 % interval of a bootstrap that draws whole blocks of months, because windows that overlap are not independent."),
		panels("", "◆ what is served, ○ the carry core alone, • others. Dashed bars: fewer than five blocks fit into the record, so the interval is itself unreliable.", pictures...),
		t.node(),
	)
}

func blocksOf(s backtest.Skill) string {
	text := plural(s.Blocks, "block", "blocks")
	if s.Blocks < fewBlocks {
		text += ", interval unreliable"
	}
	return text
}

func unreliable(hr backtest.HorizonReport, rung string) bool {
	s := find(hr, rung)
	return s != nil && s.Skill.Blocks < fewBlocks
}

// skillCell shows one skill with its interval below it; pick may return nil.
func skillCell(s *backtest.RungScore, pick func(*backtest.RungScore) *backtest.Skill) cell {
	if s == nil {
		return cell{text: none}
	}
	k := pick(s)
	if k == nil || k.Reference == "" || k.Reference == s.Rung {
		return cell{text: none}
	}
	return cell{node: valueAndRange(*k)}
}

func valueAndRange(k backtest.Skill) g.Node {
	return g.Group{g.Text(skillValue(k)), h.Small(g.Text(skillRange(k)))}
}

func overCoreSection(r *backtest.Report) g.Node {
	headline := headlineRung(r)
	over := func(s *backtest.RungScore) *backtest.Skill { return s.OverCore }
	var all []dotRow
	byHorizon := make([][]dotRow, len(r.Horizons))
	for i, hr := range r.Horizons {
		for _, name := range []string{"lgbm", "xgb", "ensemble"} {
			if s := find(hr, name); s != nil && s.OverCore != nil {
				byHorizon[i] = append(byHorizon[i], rungRow(name, *s.OverCore, headline))
			}
		}
		all = append(all, byHorizon[i]...)
	}
	lo, hi := dotRange(all, -0.3, 0.3)
	var pictures []g.Node
	t := table{
		caption: "Skill over the carry core, with 90 % interval; p is the two-sided value of the Diebold-Mariano test, where the horizon allows one",
		head:    []string{"Forecast"},
	}
	for i, hr := range r.Horizons {
		pictures = append(pictures, dotPlot{
			title: yearsOf(hr.Months), told: toldRows(byHorizon[i]), below: "worse", above: "better than the core", axis: "skill over the carry core",
			rows: byHorizon[i], lo: lo, hi: hi, dashed: unreliable(hr, headline),
		}.node())
		t.head = append(t.head, yearsOf(hr.Months))
	}
	for _, info := range r.Rungs {
		row := cells(rungName(info.Name))
		any := false
		for _, hr := range r.Horizons {
			c := skillCell(find(hr, info.Name), over)
			if s := find(hr, info.Name); s != nil && s.OverCore != nil {
				any = true
				if s.OverCore.P != nil {
					c.node = g.Group{c.node, h.Small(g.Text("p = " + decimal(*s.OverCore.P, 2)))}
				}
			}
			row = append(row, c)
		}
		if any {
			t.rows = append(t.rows, row)
		}
	}
	return section("boosters", "What the trees add to the core",
		para("The carry core says where an asset stands: what it yields today, less the inflation expected, and how far such a forecast was off before. "+
			"The boosted trees do not move that centre. They only say how unsure to be, and so they can add little: "+pooledOver(r)),
		panels("", "Skill over the carry core alone. The axis is the same in all pictures, and much finer than the one above.", pictures...),
		t.node(),
	)
}

// pooledOver is what the served trees add over all horizons together.
func pooledOver(r *backtest.Report) string {
	var parts []string
	for _, s := range r.Pooled {
		if s.Rung == "lgbm" || s.Rung == "xgb" || s.Rung == "ensemble" {
			parts = append(parts, rungName(s.Rung)+" "+skillValue(s)+" ("+skillRange(s)+")")
		}
	}
	if len(parts) == 0 {
		return "this test has no figure for them."
	}
	text := "all horizons together " + list(parts) + ", against " + rungName("carry_core") + "."
	if coreAlone(r) {
		text += " That earned them no weight: what is served is the core alone."
	}
	return text
}
