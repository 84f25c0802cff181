package web

import (
	"fmt"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/pppq/pppq/internal/backtest"
)

// headlineSection says in plain words what was tested, how, how good it is and
// how sure that is.
func headlineSection(r *backtest.Report) g.Node {
	return h.Section(h.ID("headline"), h.Aria("label", "The result in words"),
		h.P(h.Class("lead"), g.Text(howGood(r))),
		tiles(r),
		h.Dl(h.Class("facts"),
			fact("What was tested", tested(r)),
			fact("How", "As it would have been used: each January everything is fitted anew on the windows whose outcome was known by then, each month "+
				"a forecast is made from the figures published by then, and it is scored once the outcome is known. No forecast saw its own future."),
			fact("How sure", howSure(r)),
			fact("Where it helps", whereItHelps(r)),
			fact("Where it does not", whereItDoesNot(r)),
		),
		alarmNotice(r),
	)
}

func fact(name, text string) g.Node {
	return g.Group{h.Dt(g.Text(name)), h.Dd(g.Text(text))}
}

func howGood(r *backtest.Report) string {
	name := headlineRung(r)
	var parts, doubtful []string
	for _, hr := range r.Horizons {
		if s := find(hr, name); s != nil && !s.Skill.Difference {
			parts = append(parts, percent(s.Skill.Value, 1)+" at "+yearsOf(hr.Months))
			if s.Skill.Low <= 0 {
				doubtful = append(doubtful, yearsOf(hr.Months))
			}
		}
	}
	if len(parts) == 0 {
		return "This test holds no scores."
	}
	text := "How much purchasing power will an asset keep? The forecasts were off by less than the best base rate, which only counts what happened before: by " +
		list(parts) + ". "
	if len(doubtful) > 0 {
		return text + "At " + list(doubtful) + " that cannot be told from no gain at all."
	}
	return text + "That is a gain, and a modest one: most of what decides the outcome is not known today."
}

// tiles show the headline skill of each horizon.
func tiles(r *backtest.Report) g.Node {
	name := headlineRung(r)
	items := g.Group{}
	for _, hr := range r.Horizons {
		s := find(hr, name)
		if s == nil {
			continue
		}
		items = append(items, h.Li(
			h.Span(h.Class("tile-name"), g.Text(yearsOf(hr.Months))),
			h.Strong(g.Text(skillValue(s.Skill))),
			h.Span(g.Text("90"+nbsp+"% interval "+skillRange(s.Skill))),
			h.Span(h.Class("quiet"), g.Text(blocksOf(s.Skill))),
		))
	}
	return g.Group{
		h.P(h.Class("quiet"), g.Text("Skill of what is served ("+rungName(name)+") against the best base rate, all assets together:")),
		h.Ul(h.Class("tiles"), items),
	}
}

func tested(r *backtest.Report) string {
	text := fmt.Sprintf("%s (%s), asked in every month from %s to %s", plural(len(r.Assets), "asset", "assets"), list(r.Assets), monthName(r.From), monthName(r.To))
	var parts []string
	for _, hr := range r.Horizons {
		parts = append(parts, fmt.Sprintf("%s over %s", whole(hr.Rows), yearsOf(hr.Months)))
	}
	text += ". Scored forecasts: " + list(parts) + ". Figures to " + monthName(r.DataAsOf) + ". "
	if r.VaultOpen {
		return text + "The newest months of each horizon, held back while the method was made, are included."
	}
	return text + fmt.Sprintf("The newest %d months of each horizon are held back and not in these scores.", backtest.VaultMonths)
}

func howSure(r *backtest.Report) string {
	name := headlineRung(r)
	var parts, weak []string
	for _, hr := range r.Horizons {
		s := find(hr, name)
		if s == nil {
			continue
		}
		parts = append(parts, fmt.Sprintf("%d at %s", s.Skill.Blocks, yearsOf(hr.Months)))
		if s.Skill.Blocks < fewBlocks {
			weak = append(weak, yearsOf(hr.Months))
		}
	}
	text := "Windows that overlap repeat each other. Blocks of months that do not: " + list(parts) + "."
	if len(weak) > 0 {
		text += " At " + list(weak) + " that is so few that the interval is itself unreliable."
	}
	return text
}

// An assetVerdict collects at which horizons an asset was judged how.
type assetVerdict struct {
	asset                          string
	better, soFar, unclear, losing []string
	short                          []string
}

// verdicts judges the headline forecast for every asset, in the order of the
// report.
func verdicts(r *backtest.Report) []assetVerdict {
	name := headlineRung(r)
	var out []assetVerdict
	place := map[string]int{}
	for _, hr := range r.Horizons {
		for _, s := range hr.Groups {
			if !s.Asset || s.Rung != name {
				continue
			}
			i, ok := place[s.Group]
			if !ok {
				i = len(out)
				place[s.Group] = i
				out = append(out, assetVerdict{asset: s.Group})
			}
			v, years := &out[i], decimal(float64(hr.Months)/12, 0)
			switch {
			case s.Windows < fewWindows:
				v.short = append(v.short, years)
			case s.Skill.Value <= 0:
				v.losing = append(v.losing, years)
			case s.Skill.Low <= 0:
				v.unclear = append(v.unclear, years)
			case s.Skill.Blocks < fewBlocks:
				v.soFar = append(v.soFar, years)
			default:
				v.better = append(v.better, years)
			}
		}
	}
	return out
}

// sentence lists the assets that have horizons of a kind.
func sentence(all []assetVerdict, pick func(assetVerdict) []string) string {
	var parts []string
	for _, v := range all {
		if years := pick(v); len(years) > 0 {
			word := " years"
			if len(years) == 1 && years[0] == "1" {
				word = " year"
			}
			parts = append(parts, v.asset+" ("+strings.Join(years, ", ")+nbsp+strings.TrimSpace(word)+")")
		}
	}
	return list(parts)
}

func whereItHelps(r *backtest.Report) string {
	all := verdicts(r)
	text := "Nowhere is an asset's forecast clearly better than that asset's own base rate."
	if s := sentence(all, func(v assetVerdict) []string { return v.better }); s != "" {
		text = "Better than the asset's own base rate, with the whole interval above zero: " + s + "."
	}
	if s := sentence(all, func(v assetVerdict) []string { return v.soFar }); s != "" {
		text += " The same, but from fewer than five blocks: " + s + "."
	}
	return text
}

func whereItDoesNot(r *backtest.Report) string {
	all := verdicts(r)
	text := "No asset's forecast lost to its own base rate."
	if s := sentence(all, func(v assetVerdict) []string { return v.losing }); s != "" {
		text = "Not better than the asset's own base rate: " + s + ". There, the count of what happened before is the better forecast."
	}
	if s := sentence(all, func(v assetVerdict) []string { return v.unclear }); s != "" {
		text += " Better on average but not clearly so: " + s + "."
	}
	if s := sentence(all, func(v assetVerdict) []string { return v.short }); s != "" {
		text += " Too short a record to judge: " + s + "."
	}
	return text
}

func alarmNotice(r *backtest.Report) g.Node {
	if len(r.Alarms) == 0 {
		return nil
	}
	return notice("strong", plural(len(r.Alarms), "result is", "results are")+" too good to be true. Until someone finds out why, none of these figures should be believed.")
}
