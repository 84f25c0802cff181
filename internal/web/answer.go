package web

import (
	"fmt"
	"math"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/forecast"
)

// answerCards shows one card a horizon; lines of same are said elsewhere.
func answerCards(answers []*forecast.Answer, same *shared, r *backtest.Report, now time.Time) g.Node {
	cards := g.Group{}
	for _, a := range answers {
		cards = append(cards, answerCard(a, same, r, now))
	}
	return h.Div(h.Class("answers"), cards)
}

func answerCard(a *forecast.Answer, same *shared, r *backtest.Report, now time.Time) g.Node {
	id := fmt.Sprintf("after-%d-months", monthsOf(a))
	title, worth, buys := "After "+yearsOf(monthsOf(a)), "What is worth 100 $ now", " buy today"
	if forecast.Ended(a.DataAsOf, now) {
		began := monthName(a.DataAsOf)
		title, worth, buys = title+", in "+monthName(a.Until()), "What was worth 100 $ in "+began, " bought in "+began
	}
	return h.Article(h.Class("answer"), h.Aria("labelledby", id),
		h.H3(h.ID(id), g.Text(title)),
		h.P(g.Text("The chance that it keeps its purchasing power is "), h.Strong(g.Text(chance(a.Probabilities.A))), g.Text(", that it loses some "),
			h.Strong(g.Text(chance(a.ProbabilityLoss))), g.Text(". "+worth+" will then buy what "),
			h.Strong(g.Text(dollars(a.Buys.Median))), g.Text(fmt.Sprintf("%s (median); eight in ten times between %s and %s. Real return a year: %s (%s to %s).",
				buys, dollars(a.Buys.P10), dollars(a.Buys.P90), signedPercent(a.AnnualReturn.Median, 1), signed(100*a.AnnualReturn.P10, 1), signedPercent(a.AnnualReturn.P90, 1)))),
		h.P(g.Text("Most likely: "), chip(a.PredictedClass), g.Text(" ("+chance(a.Confidence)+"). Evidence: "+string(a.Evidence)+
			", "+decimal(a.EffectiveWindows, 1)+" windows of this length that do not overlap.")),
		classBar(a.Probabilities),
		classTable(a),
		account(a),
		contributions(a),
		ownLines(a, same),
		reference(a),
		ownScore(a, r),
	)
}

// classTable sets the forecast beside how often each class came true before.
func classTable(a *forecast.Answer) g.Node {
	t := table{
		caption: "Chance of each class, and how often it came true before",
		head:    []string{"Class", "forecast", "in its own past"},
	}
	forecasts := [...]float64{a.Probabilities.A, a.Probabilities.B, a.Probabilities.C, a.Probabilities.D}
	past := [...]float64{a.BaseRate.A, a.BaseRate.B, a.BaseRate.C, a.BaseRate.D}
	for i, c := range tiers() {
		before := none
		if a.BaseRate.Windows > 0 {
			before = percent(past[i], 0)
		}
		t.rows = append(t.rows, cells(c.letter+" · "+c.words, chance(forecasts[i]), before))
	}
	note := "No window of this length is complete in its past."
	if b := a.BaseRate; b.Windows > 0 {
		note = fmt.Sprintf("Base rate from %s to %s: %s windows that do not overlap.", monthName(b.From), monthName(b.To), decimal(b.Windows, 1))
	}
	return g.Group{t.node(), h.P(h.Class("quiet"), g.Text(note))}
}

// account is the core's own explanation: yearly rates that add up.
func account(a *forecast.Answer) g.Node {
	rows := g.Group{}
	for _, p := range a.Core.Parts {
		rows = append(rows, h.Tr(h.Th(h.Scope("row"), g.Text(p.Name)), h.Td(g.Text(signedPercent(p.Rate, 1)))))
	}
	if cut, rate := a.Cut(); cut != "" {
		rows = append(rows, h.Tr(h.Th(h.Scope("row"), g.Text(cut)), h.Td(g.Text(signedPercent(rate, 1)))))
	}
	rows = append(rows, h.Tr(h.Class("total"), h.Th(h.Scope("row"), g.Text("real return expected a year")), h.Td(g.Text(signedPercent(a.Core.CenterUsed, 1)))))
	const caption = "What the centre is made of"
	spread := "The core alone is off by a factor of about " + factor(a.Core.Spread) + " up or down"
	if math.Abs(a.Core.SpreadUsed-a.Core.Spread) > 1e-9 {
		spread += "; the answer reckons with " + factor(a.Core.SpreadUsed)
	}
	return g.Group{
		scrolling(caption, h.Table(h.Caption(g.Text(caption)), h.TBody(rows))),
		h.P(h.Class("quiet"), g.Text("Continuously compounded, so that the lines add up but for rounding. "+spread+".")),
	}
}

// contributions say what the trees used, by family of figures.
func contributions(a *forecast.Answer) g.Node {
	if len(a.Contributions) == 0 {
		return nil
	}
	t := table{
		caption: "What the trees used to say how unsure to be",
		head:    []string{"Figures", "width of the interval", "chance of loss"},
	}
	t.rows = append(t.rows, cells("the core alone", none, percent(a.Core.LossCore, 1)))
	for _, c := range a.Contributions {
		t.rows = append(t.rows, cells(string(c.Family), signedPercent(math.Expm1(c.LnSpread), 1), unit(signed(100*c.Loss, 1), "points")))
	}
	t.rows = append(t.rows, cells("the answer", none, percent(a.ProbabilityLoss, 1)))
	summary := fmt.Sprintf("What the trees used: chance of loss %s by the core alone, %s with them", percent(a.Core.LossCore, 1), percent(a.ProbabilityLoss, 1))
	return h.Details(h.Summary(g.Text(summary)), t.node())
}

// ownLines are strengths, weaknesses and notes of this horizon alone.
func ownLines(a *forecast.Answer, same *shared) g.Node {
	strengths, weaknesses, notes := without(a.Strengths, same.strengths), without(a.Weaknesses, same.weaknesses), without(a.Notes, same.notes)
	if len(strengths)+len(weaknesses)+len(notes) == 0 {
		return nil
	}
	return g.Group{h.H4(g.Text("At this horizon")), bullets("plus", strengths), bullets("minus", weaknesses), bullets("", notes)}
}

// reference is how such forecasts scored.
func reference(a *forecast.Answer) g.Node {
	r := a.Reference
	if r == nil {
		return nil
	}
	text := fmt.Sprintf("Forecasts of this kind over %s, all assets together: skill %s against %s (90%s%% interval %s to %s, %s).",
		yearsOf(int(math.Round(12*r.HorizonYears))), signedPercent(r.Skill, 1), rungName(r.Baseline), nbsp,
		signed(100*r.Low, 1), signedPercent(r.High, 1), plural(r.Blocks, "block", "blocks"))
	return h.P(h.Class("quiet"), g.Text(text))
}

// ownScore is how forecasts of this asset over this horizon scored.
func ownScore(a *forecast.Answer, r *backtest.Report) g.Node {
	if r == nil {
		return nil
	}
	name := headlineRung(r)
	for _, hr := range r.Horizons {
		for _, s := range hr.Groups {
			if hr.Months != monthsOf(a) || s.Group != a.Asset || !s.Asset || s.Rung != name {
				continue
			}
			return h.P(h.Class("quiet"), g.Text(fmt.Sprintf("Of %s alone, against its own base rate: %s (%s, 90%s%% interval %s).",
				a.Asset, judge(s.Skill, s.Windows).words, skillValue(s.Skill), nbsp, skillRange(s.Skill))))
		}
	}
	return nil
}
