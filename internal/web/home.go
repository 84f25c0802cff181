package web

import (
	"fmt"
	"slices"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
)

// shownHorizons are the horizons, in months, that pages speak about.
var shownHorizons = []int{12, 36, 60, 120}

// ask returns the model's own answer; nil where it has none, with the reason.
func ask(m *Model, asset string, months int, explain bool, now time.Time) (*forecast.Answer, string) {
	a, err := m.Forecaster.Answer(forecast.Question{Asset: asset, Months: months, Model: forecast.Ensemble, Explain: explain}, now)
	if err != nil {
		return nil, err.Error()
	}
	return a, ""
}

// homePage is the overview: what every asset is likely to keep.
func homePage(m *Model, now time.Time) *document {
	answers := make([][]*forecast.Answer, len(m.Forecaster.Assets))
	for i, s := range m.Forecaster.Assets {
		for _, months := range shownHorizons {
			a, _ := ask(m, s.Asset.ID, months, false, now)
			answers[i] = append(answers[i], a)
		}
	}
	return &document{
		title:       "What keeps its purchasing power? · pppq",
		description: "The chance that stocks, bonds, bills, gold and more keep their purchasing power over one to ten years, with intervals and a track record.",
		here:        "/",
		body: []g.Node{
			h.H1(g.Text("What keeps its purchasing power?")),
			h.P(h.Class("lead"), g.Text("Of 100 dollars of purchasing power put into an asset today, how much is left after some years, how sure is that, and why? "+
				"Figures to "+monthName(m.DataAsOf)+unless(m)+", after consumer prices of the United States, income reinvested.")),
			banners(m, "", m.DataAsOf, now),
			section("glance", "The chance that it keeps its purchasing power", glance(m, answers, now), legend(m.Forecaster.Tiers), weakLegend(answers)),
			section("closing", "All of it in figures", closing(m, answers, now), evidenceLegend()),
			section("trust", "How far can this be trusted?", trust(m)...),
		},
	}
}

// banners say what a reader must know first of figures to a month: those of one
// asset, or of all if it is empty.
func banners(m *Model, asset string, to series.Month, now time.Time) g.Node {
	out := g.Group{}
	switch {
	case asset != "" && forecast.Ended(to, now):
		out = append(out, notice("strong", "Not from today: the figures of "+asset+" ended in "+monthName(to)+
			". Every answer here counts its years from then, so they are partly or wholly past."))
	case forecast.Stale(to, now):
		out = append(out, notice("strong", "The figures are stale: they end in "+monthName(to)+", and newer ones should be out. Read every answer as one from then."))
	}
	if m.Forecaster.LGBM == nil {
		out = append(out, notice("", "Baseline: the carry core alone answers, no trained model is in service. To train one, run: pppq train"))
	}
	return out
}

// glance is the overview at a glance: one field an asset and horizon.
func glance(m *Model, answers [][]*forecast.Answer, now time.Time) g.Node {
	t := table{
		caption: "Probability of keeping at least all of its purchasing power, and the most likely class",
		class:   "glance",
		head:    []string{"Asset"},
	}
	for _, months := range shownHorizons {
		t.head = append(t.head, yearsOf(months))
	}
	for i, s := range m.Forecaster.Assets {
		row := []cell{{node: g.Group{assetLink(s.Asset), older(m, s.Row.U, now)}}}
		for _, a := range answers[i] {
			if a == nil {
				row = append(row, cell{text: none})
				continue
			}
			class, words := shade(a.Probabilities.A), weakWords(a.Evidence)
			if words != "" {
				class = "weak " + string(a.Evidence)
			}
			row = append(row, cell{class: class, node: g.Group{
				h.Strong(g.Text(chance(a.Probabilities.A))), chip(a.PredictedClass), g.If(words != "", h.Small(g.Text(words))),
			}})
		}
		t.rows = append(t.rows, row)
	}
	return t.node()
}

func assetLink(a series.Asset) g.Node {
	return h.A(h.Href(assetPath(a.ID)), h.Title(a.Title), g.Text(a.ID))
}

// weakWords mark an answer with little evidence; empty for others.
func weakWords(e forecast.Evidence) string {
	switch e {
	case forecast.Thin:
		return "thin evidence"
	case forecast.Insufficient:
		return "no evidence"
	}
	return ""
}

// weakLegend says what the marks of little evidence mean, where there are any.
func weakLegend(answers [][]*forecast.Answer) g.Node {
	items := g.Group{}
	for _, l := range []struct {
		grade forecast.Evidence
		means string
	}{
		{forecast.Thin, "the record holds only two to five stretches of this length that do not overlap"},
		{forecast.Insufficient, "the record holds not even two of them: hardly more than a guess"},
	} {
		if slices.ContainsFunc(slices.Concat(answers...), func(a *forecast.Answer) bool { return a != nil && a.Evidence == l.grade }) {
			items = append(items, h.Li(h.Strong(g.Text(weakWords(l.grade))), g.Text(": "+l.means)))
		}
	}
	if len(items) == 0 {
		return nil
	}
	return g.Group{
		para("A dashed field without colour rests on little evidence. Do not read its chance as you read the others:"),
		h.Ul(h.Class("legend"), h.Aria("label", "What the marks of little evidence mean"), items),
	}
}

// older marks an asset whose figures end before those of others.
func older(m *Model, to series.Month, now time.Time) g.Node {
	switch {
	case to >= m.DataAsOf:
		return nil
	case forecast.Ended(to, now):
		return h.Small(h.Class("older"), g.Text("not from today: figures ended in "+monthName(to)))
	}
	return h.Small(h.Class("older"), g.Text("figures to "+monthName(to)+" only"))
}

// unless follows the month of the newest figures where not all reach it.
func unless(m *Model) string {
	if slices.ContainsFunc(m.Forecaster.Assets, func(s forecast.AssetState) bool { return s.Row.U < m.DataAsOf }) {
		return " unless marked"
	}
	return ""
}

// shade names the background of a probability.
func shade(p float64) string { return fmt.Sprintf("p%d", 1+min(int(5*p), 4)) }

// chip shows a class; its words are hidden where there is no room.
func chip(class string) g.Node {
	t := tierOf(class)
	return h.Span(h.Class("chip "+t.class), g.Text(t.letter), g.If(t.words != "", h.Span(g.Text(" · "+t.words))))
}

// legend says what the classes mean.
func legend(bounds power.Tiers) g.Node {
	items := g.Group{}
	for i, t := range tiers() {
		text := ""
		switch {
		case i == 0:
			text = fmt.Sprintf("100 $ then buy what %s buy today, or more", dollars(100*bounds[0]))
		case i < len(bounds):
			text = fmt.Sprintf("100 $ then buy what %s to %s buy today", dollars(100*bounds[i]), dollars(100*bounds[i-1]))
		default:
			text = fmt.Sprintf("100 $ then buy less than %s buy today", dollars(100*bounds[len(bounds)-1]))
		}
		items = append(items, h.Li(h.Span(h.Class("chip "+t.class), g.Text(t.letter+" · "+t.words)), g.Text(" "+text)))
	}
	return g.Group{
		h.Ul(h.Class("legend"), h.Aria("label", "What the classes mean"), items),
		h.P(h.Class("quiet"), g.Text("The letter is only the most likely of four classes. The chance and the interval say more.")),
	}
}

// closing is the table of all answers, one body an asset.
func closing(m *Model, answers [][]*forecast.Answer, now time.Time) g.Node {
	const pictureHead = "from ¼× to 4×, line at 1×"
	const caption = "Asset by horizon: probability of keeping purchasing power, most likely class, multiple of purchasing power, evidence"
	head := g.Group{}
	for _, s := range []string{"Asset", "after", "keeps it", "class", "median multiple", "80 % interval", pictureHead, "evidence"} {
		class := ""
		switch {
		case s == "class", s == "evidence":
			class = "left"
		case s == pictureHead:
			class = "picture"
		}
		head = append(head, h.Th(h.Scope("col"), g.If(class != "", h.Class(class)), g.Text(s)))
	}
	bodies := g.Group{}
	for i, s := range m.Forecaster.Assets {
		rows := g.Group{}
		for k, months := range shownHorizons {
			var fields g.Group
			if k == 0 {
				fields = append(fields, h.Th(h.Scope("rowgroup"), h.RowSpan(fmt.Sprint(len(shownHorizons))), assetLink(s.Asset), h.Small(g.Text(s.Asset.Title)), older(m, s.Row.U, now)))
			}
			rows = append(rows, h.Tr(append(fields, answerFields(months, answers[i][k])...)))
		}
		bodies = append(bodies, h.TBody(rows))
	}
	return scrolling(caption, h.Table(h.Class("closing"), h.Caption(g.Text(caption+". Figures to "+monthName(m.DataAsOf)+unless(m)+".")), h.THead(h.Tr(head)), bodies))
}

func answerFields(months int, a *forecast.Answer) g.Group {
	if a == nil {
		return g.Group{h.Td(g.Text(yearsOf(months))), h.Td(h.ColSpan("6"), h.Class("left"), g.Text("no forecast: too few figures"))}
	}
	return g.Group{
		h.Td(g.Text(yearsOf(months))),
		h.Td(h.Strong(g.Text(chance(a.Probabilities.A)))),
		h.Td(h.Class("left"), chip(a.PredictedClass)),
		h.Td(g.Text(times(a.Multiple.Median))),
		h.Td(g.Text(between(a.Multiple))),
		h.Td(h.Class("picture"), rangeBar(a.Multiple)),
		h.Td(h.Class("left"), g.Text(string(a.Evidence))),
	}
}

func evidenceLegend() g.Node {
	items := g.Group{}
	for _, e := range []forecast.Evidence{forecast.Sufficient, forecast.Thin, forecast.Insufficient} {
		items = append(items, h.Li(h.Strong(g.Text(string(e))), g.Text(": "+evidenceMeaning(e))))
	}
	return g.Group{
		para("A multiple of 1.10× means that what buys 100 $ worth of goods today will then buy what 110 $ buy today. With a chance of eight in ten it lies inside the 80" + nbsp + "% interval."),
		h.Ul(h.Class("legend"), h.Aria("label", "What the evidence grades mean"), items),
	}
}

// trust sums up the walk-forward test.
func trust(m *Model) []g.Node {
	if m.Report == nil {
		return []g.Node{para("The model in service holds no walk-forward test, so nothing is known of how good these answers are.")}
	}
	return []g.Node{
		para(howGood(m.Report)),
		para(whereItDoesNot(m.Report)),
		h.P(h.A(h.Href("/report"), g.Text("How that was tested, with all scores and pictures"))),
		h.P(h.Class("quiet"), g.Text("Model "+m.Version+", figures from "+monthName(m.DataFrom)+" to "+monthName(m.DataAsOf)+".")),
	}
}
