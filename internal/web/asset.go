package web

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/series"
)

// assetPage is everything that is said about one asset. The error is
// *forecast.UnknownAsset.
func assetPage(m *Model, id string, now time.Time) (*document, error) {
	state, err := m.Forecaster.Find(id)
	if err != nil {
		return nil, err
	}
	asset := state.Asset
	var answers []*forecast.Answer
	var missing []string
	for _, months := range shownHorizons {
		a, why := ask(m, id, months, true, now)
		if a == nil {
			missing = append(missing, yearsOf(months)+": "+why)
			continue
		}
		answers = append(answers, a)
	}
	d := &document{
		title:       asset.Title + ": will it keep its purchasing power? · pppq",
		description: "Chance, interval, reasons and track record of " + asset.Title + " over one to ten years.",
		here:        assetPath(id),
		body: []g.Node{
			h.Nav(h.Aria("label", "Assets"), assetLinks(assetIDs(m), id)),
			h.H1(g.Text(asset.Title)),
		},
	}
	if len(answers) == 0 {
		d.body = append(d.body, notice("strong", "There is no forecast for this asset: figures that it needs are missing."), bullets("", missing))
		return d, nil
	}
	same := newShared(answers)
	d.body = append(d.body,
		h.P(h.Class("lead"), g.Text(lead(asset, pick(answers, 60), now))),
		g.Iff(m.Report != nil, func() g.Node { return para(ownVerdict(m.Report, id)) }),
		banners(m, asset.ID, state.Row.U, now),
		bullets("", missing),
		fanSection(m, state, now),
		section("answers", "The answers", answerCards(answers, same, m.Report, now)),
		alwaysSection(same),
		goodsSection(answers[0]),
		historySection(m, id),
		trackSection(m.Report, id),
		sourceSection(m, answers[0]),
	)
	return d, nil
}

// pick returns the answer of a horizon, the last one if there is none.
func pick(answers []*forecast.Answer, months int) *forecast.Answer {
	for _, a := range answers {
		if monthsOf(a) == months {
			return a
		}
	}
	return answers[len(answers)-1]
}

func lead(asset series.Asset, a *forecast.Answer, now time.Time) string {
	put := asset.ID
	if forecast.Ended(a.DataAsOf, now) {
		put += " in " + monthName(a.DataAsOf) + ", not today,"
	}
	return fmt.Sprintf("100 $ of purchasing power put into %s become about %s after %s, and with a chance of eight in ten between %s and %s. "+
		"The chance that it keeps all of it is %s.",
		put, dollars(a.Buys.Median), yearsOf(monthsOf(a)), dollars(a.Buys.P10), dollars(a.Buys.P90), chance(a.Probabilities.A))
}

// fanSection shows the past ten years and the next ten.
func fanSection(m *Model, state *forecast.AssetState, now time.Time) g.Node {
	f := &fan{title: state.Asset.ID + ": what is worth 100 $ now", from: state.Row.U}
	caption, today := "What 100 $ of purchasing power then buys, in today's dollars", "today's purchasing power"
	if forecast.Ended(state.Row.U, now) {
		end := monthName(state.Row.U)
		f.title, f.now = state.Asset.ID+": what was worth 100 $ in "+end, end
		caption, today = "What 100 $ of purchasing power then buys, in dollars of "+end, "the purchasing power of "+end
	}
	if m.Forecaster.History != nil {
		if own, ok := m.Forecaster.History.Asset(state.Asset.ID); ok {
			f.past = own.Real
		}
	}
	for i := range panel.NumHorizons {
		if a, _ := ask(m, state.Asset.ID, panel.Horizon(i), false, now); a != nil {
			f.answers = append(f.answers, a)
		}
	}
	if len(f.answers) == 0 {
		return nil
	}
	t := table{
		caption: caption,
		head:    []string{"After", "median", "one in ten below", "one in ten above", "real return a year, median", "80 % interval", "evidence"},
	}
	steps := ""
	if a := f.answers[len(f.answers)-1]; !state.Asset.HasIncome() && state.Asset.Kind != series.Banknote && a.Evidence != f.answers[0].Evidence {
		steps = " Steps come where the record becomes too short: the centre is then pulled towards no gain and the interval widened."
	}
	for _, a := range f.answers {
		if monthsOf(a)%12 == 0 {
			t.rows = append(t.rows, cells(yearsOf(monthsOf(a)), dollars(a.Buys.Median), dollars(a.Buys.P10), dollars(a.Buys.P90),
				signedPercent(a.AnnualReturn.Median, 1), signed(100*a.AnnualReturn.P10, 1)+" to "+signedPercent(a.AnnualReturn.P90, 1), string(a.Evidence)))
		}
	}
	return section("fan", "Where it came from, where it may go",
		h.Figure(f.node(wideFrame), f.node(narrowFrame),
			h.FigCaption(g.Text("Left of the dotted line: what the same holding was worth, in "+today+". Right of it: the median and the 80"+nbsp+
				"% interval of the forecast. The horizontal line is "+today+"."+steps))),
		t.node(),
	)
}

func goodsSection(a *forecast.Answer) g.Node {
	if len(a.Goods) == 0 {
		return nil
	}
	t := table{
		caption: "What a holding that is worth 100 $ now buys, and what the same holding bought before",
		head:    []string{"Good", "now", "one year before", "five years before"},
	}
	for _, line := range a.Goods {
		row := cells(line.Good)
		for _, c := range []*forecast.GoodsCount{line.Now, line.YearAgo, line.FiveYearsAgo} {
			if c == nil {
				row = append(row, cell{text: "no price"})
				continue
			}
			row = append(row, cell{node: g.Group{g.Text(unit(decimal(c.Units, 1), line.Unit)), h.Small(g.Text(monthName(c.Month)))}})
		}
		t.rows = append(t.rows, row)
	}
	return section("goods", "In eggs, milk, bread and gasoline",
		para("Four goods are no cost of living: they swing far more than all prices together. They make the figures something to picture."), t.node())
}

func historySection(m *Model, id string) g.Node {
	if m.Forecaster.History == nil {
		return nil
	}
	own, ok := m.Forecaster.History.Asset(id)
	if !ok {
		return nil
	}
	r := newRecord(own)
	if r == nil {
		return nil
	}
	return section("history", "The whole record",
		para(r.words()),
		h.Figure(r.node(wideFrame), r.node(narrowFrame),
			h.FigCaption(g.Text("Solid: real, after consumer prices. Dashed: nominal, in dollars of the day. Both start at 100 $, income reinvested, on a logarithmic axis: equal steps are equal percentages. "+
				"Below: how far the real value stood under its highest so far."))),
	)
}

// ownVerdict sums up how past forecasts of an asset did.
func ownVerdict(r *backtest.Report, id string) string {
	all := verdicts(r)
	i := slices.IndexFunc(all, func(v assetVerdict) bool { return v.asset == id })
	if i < 0 {
		return "Forecasts of it were not tested, so nothing is known of how good they are."
	}
	var parts []string
	add := func(years []string, words string) {
		if len(years) == 1 && years[0] == "1" {
			parts = append(parts, words+" over 1"+nbsp+"year")
		} else if len(years) > 0 {
			parts = append(parts, words+" over "+list(years)+nbsp+"years")
		}
	}
	v := all[i]
	add(v.better, "better")
	add(v.soFar, "better so far, from few cases,")
	add(v.unclear, "not clearly better")
	add(v.losing, "not better")
	text := ""
	if len(parts) > 0 {
		text = "Tested on the past, and compared with merely counting what became of " + id + " before, the forecasts were " + strings.Join(parts, "; ") + "."
	}
	parts = nil
	add(v.short, "The record is too short to judge them")
	if len(parts) > 0 {
		text = strings.TrimSpace(text + " " + parts[0] + ".")
	}
	return text
}

// trackSection says how past forecasts of this asset did.
func trackSection(r *backtest.Report, id string) g.Node {
	if r == nil {
		return nil
	}
	name := headlineRung(r)
	t := table{
		caption: "Forecasts of " + id + " in the walk-forward test, against the best base rate of its own",
		class:   "verdicts",
		head:    []string{"Over", "skill", "90 % interval", "verdict", "windows that do not overlap", "inside the 80 % interval"},
	}
	var pictures []g.Node
	for _, hr := range r.Horizons {
		for _, s := range hr.Groups {
			if !s.Asset || s.Group != id || s.Rung != name {
				continue
			}
			v := judge(s.Skill, s.Windows)
			words := v.words
			if s.Skill.Blocks < fewBlocks && s.Windows >= fewWindows {
				words += " (" + plural(s.Skill.Blocks, "block", "blocks") + ")"
			}
			t.rows = append(t.rows, []cell{
				{text: yearsOf(hr.Months)}, {text: skillValue(s.Skill)}, {text: skillRange(s.Skill)},
				{text: v.mark + " " + words, class: v.class}, {text: decimal(s.Windows, 1)}, {text: percent(s.Coverage80, 0)},
			})
		}
		for _, p := range r.Paths {
			if p.Asset == id && p.Months == hr.Months && slices.Contains(shownHorizons, p.Months) {
				pictures = append(pictures, pathChartOver(p))
			}
		}
	}
	if len(t.rows) == 0 && len(pictures) == 0 {
		return section("track", "How good were past forecasts of it?", para("This asset was not part of the walk-forward test, so nothing is known of that."))
	}
	return section("track", "How good were past forecasts of it?",
		para("Every forecast of the test was made from what was known in its month. Where the verdict is “not better” or “worse”, counting what happened before was the better forecast."),
		g.Iff(len(t.rows) > 0, t.node),
		g.If(len(pictures) > 0, panels("", "Line: probability of loss as forecast in each month. Orange strip on top: a holding from that month lost purchasing power. Blue strip at the bottom: it did not. No strip: not known yet.", pictures...)),
		h.P(h.A(h.Href("/report"), g.Text("The whole test"))),
	)
}

func sourceSection(m *Model, a *forecast.Answer) g.Node {
	return section("sources", "Figures and sources",
		bullets("", a.Sources),
		para("Not covered: "+a.NotCovered),
		h.P(h.Class("quiet"), g.Text("Figures to "+monthName(a.DataAsOf)+". Model "+m.Version+".")),
	)
}

// shared are lines that every answer has, so that they are said once.
type shared struct {
	strengths, weaknesses, notes []string
}

func newShared(answers []*forecast.Answer) *shared {
	common := func(of func(*forecast.Answer) []string) []string {
		var out []string
		for _, line := range of(answers[0]) {
			if !slices.ContainsFunc(answers, func(a *forecast.Answer) bool { return !slices.Contains(of(a), line) }) {
				out = append(out, line)
			}
		}
		return out
	}
	return &shared{
		strengths:  common(func(a *forecast.Answer) []string { return a.Strengths }),
		weaknesses: common(func(a *forecast.Answer) []string { return a.Weaknesses }),
		notes:      common(func(a *forecast.Answer) []string { return a.Notes }),
	}
}

// without returns the lines that are not among those said once.
func without(lines, said []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return slices.Contains(said, l) })
}

func alwaysSection(s *shared) g.Node {
	if len(s.strengths)+len(s.weaknesses)+len(s.notes) == 0 {
		return nil
	}
	return section("always", "At every horizon",
		h.Div(h.Class("two"),
			g.Iff(len(s.strengths) > 0, func() g.Node { return h.Div(h.H3(g.Text("Strengths")), bullets("plus", s.strengths)) }),
			g.Iff(len(s.weaknesses) > 0, func() g.Node { return h.Div(h.H3(g.Text("Weaknesses")), bullets("minus", s.weaknesses)) }),
		),
		g.Iff(len(s.notes) > 0, func() g.Node { return g.Group{h.H3(g.Text("To be kept in mind")), bullets("", s.notes)} }),
	)
}

// factor is the multiple that one standard deviation of ln M stands for.
func factor(sd float64) string { return times(math.Exp(sd)) }
