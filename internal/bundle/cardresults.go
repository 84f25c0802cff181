package bundle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pppq/pppq/internal/backtest"
)

// interval writes a skill with its interval.
func interval(s backtest.Skill) string {
	text := fmt.Sprintf("%+.3f [%+.3f, %+.3f]", s.Value, s.Low, s.High)
	if s.Difference {
		text += " (difference)"
	}
	return text
}

// optional writes a figure that may be absent.
func optional(x *float64, format string) string {
	if x == nil {
		return "-"
	}
	return fmt.Sprintf(format, *x)
}

func (c *card) results() {
	c.printf("\n## Results\n")
	c.byHorizon()
	c.byRung()
	c.byGroup()
	c.byEra()
	c.reliability()
	c.alarms()
}

func (c *card) byHorizon() {
	c.printf("\n### By horizon, kind \"%s\"\n\n", cell(c.metrics.Rung))
	c.header("horizon", "rows", "last start", "windows without overlap", "blocks", "RPS", "reference", "skill", "skill over the carry core",
		"log loss", "accuracy", "macro-F1", "AUC of loss", "coverage of 50 / 80 / 95 %")
	for i := range c.report.Horizons {
		h := &c.report.Horizons[i]
		s, ok := rungScore(h, c.metrics.Rung)
		if !ok {
			continue
		}
		reference, core, coverage := h.BestClimatology, "-", "-"
		if best, ok := rungScore(h, h.BestClimatology); ok {
			reference = fmt.Sprintf("%s %.4f", h.BestClimatology, best.RPS)
		}
		if s.OverCore != nil {
			core = interval(*s.OverCore)
		}
		if p := s.Coverage; p != nil {
			coverage = fmt.Sprintf("%.2f / %.2f / %.2f", p[0], p[1], p[2])
		}
		c.row(years(h.Months), fmt.Sprint(h.Rows), h.Last.String(), fmt.Sprintf("%.0f", h.EffectiveCases), fmt.Sprint(s.Skill.Blocks),
			fmt.Sprintf("%.4f", s.RPS), reference, interval(s.Skill), core, fmt.Sprintf("%.3f", s.LogLoss),
			fmt.Sprintf("%.2f", s.Accuracy), fmt.Sprintf("%.2f", s.MacroF1), optional(s.AUC, "%.2f"), coverage)
	}
	c.printf("\nMean over these horizons: skill %+.3f, accuracy %.2f, macro-F1 %.2f.\n", c.metrics.RPSSkill, c.metrics.Accuracy, c.metrics.F1)
}

// horizonHeads are the heads of one column a horizon.
func (c *card) horizonHeads() []string {
	var heads []string
	for _, h := range c.report.Horizons {
		heads = append(heads, years(h.Months))
	}
	return heads
}

func (c *card) byRung() {
	c.printf("\n### All kinds of forecast: skill over the best climatology\n\n")
	c.header(append(append([]string{"kind"}, c.horizonHeads()...), "all horizons, over the one it has to beat")...)
	for _, rung := range c.report.Rungs {
		cells := []string{rung.Name}
		for i := range c.report.Horizons {
			text := "-"
			h := &c.report.Horizons[i]
			if s, ok := rungScore(h, rung.Name); ok {
				text = interval(s.Skill)
			}
			if h.BestClimatology == rung.Name {
				text = "the best climatology"
			}
			cells = append(cells, text)
		}
		pooled := "-"
		for _, s := range c.report.Pooled {
			if s.Rung == rung.Name {
				pooled = interval(s) + " over " + s.Reference
			}
		}
		c.row(append(cells, pooled)...)
	}
	f := c.contents.Forecaster
	if f.LGBM == nil {
		c.printf("\nThe carry core alone is served.\n")
		return
	}
	c.printf("\nA kind earns weight if it is better than the one it has to beat, all horizons together:\n\n")
	for _, w := range []struct {
		name   string
		weight float64
	}{{"lgbm", f.Weights.LGBM}, {"xgb", f.Weights.XGB}, {"ensemble", f.Weights.Ensemble}} {
		if w.weight > 0 {
			c.printf("- %s earned its weight.\n", w.name)
		} else {
			c.printf("- %s earned no weight: it was not better.\n", w.name)
		}
	}
}

// groupNames lists the report's groups, or the assets that it reports singly,
// in its order.
func (c *card) groupNames(assets bool) []string {
	var names []string
	for _, h := range c.report.Horizons {
		for _, g := range h.Groups {
			if g.Asset == assets && !slices.Contains(names, g.Group) {
				names = append(names, g.Group)
			}
		}
	}
	return names
}

// groupScore finds the headline rung's score of a group at one horizon.
func (c *card) groupScore(h *backtest.HorizonReport, group string) (*backtest.GroupScore, bool) {
	i := slices.IndexFunc(h.Groups, func(g backtest.GroupScore) bool { return g.Group == group && g.Rung == c.metrics.Rung })
	if i < 0 {
		return nil, false
	}
	return &h.Groups[i], true
}

func (c *card) byGroup() {
	c.printf(`
### By group and asset, kind "%s": skill over each asset's own best climatology

Where the reference is so small that a ratio says nothing the difference of the scores is shown.

`, cell(c.metrics.Rung))
	c.header(append([]string{"group or asset"}, c.horizonHeads()...)...)
	for _, name := range append(c.groupNames(false), c.groupNames(true)...) {
		cells := []string{name}
		for i := range c.report.Horizons {
			text := "-"
			if g, ok := c.groupScore(&c.report.Horizons[i], name); ok {
				text = fmt.Sprintf("%s, %d blocks, coverage %.2f", interval(g.Skill), g.Skill.Blocks, g.Coverage80)
			}
			cells = append(cells, text)
		}
		c.row(cells...)
	}
}

func (c *card) byEra() {
	c.printf("\n### By era: skill over the best climatology, kind \"%s\"\n\n", cell(c.metrics.Rung))
	c.header("horizon", "skill by the month of the forecast")
	for _, h := range c.report.Horizons {
		var eras []string
		for _, e := range h.Eras {
			if e.Rung == c.metrics.Rung {
				eras = append(eras, fmt.Sprintf("%s to %s: %+.3f", e.From, e.To, e.Skill))
			}
		}
		c.row(years(h.Months), strings.Join(eras, "; "))
	}
}

func (c *card) reliability() {
	c.printf("\n### Chance of loss: forecast, and how often it came so\n\n")
	c.header("horizon", "forecast: seen (rows)")
	for _, h := range c.report.Horizons {
		var bins []string
		for _, b := range h.Reliability {
			bins = append(bins, fmt.Sprintf("%.2f: %.2f (%d)", b.Forecast, b.Seen, b.Rows))
		}
		c.row(years(h.Months), strings.Join(bins, "; "))
	}
}

func (c *card) alarms() {
	c.printf("\n### Too good to be true\n\n")
	if len(c.report.Alarms) == 0 {
		c.printf("No result is past the level at which a leak is looked for first.\n")
		return
	}
	c.printf("**These results are past the level at which a leak is looked for first; do not trust them:**\n\n")
	for _, a := range c.report.Alarms {
		c.printf("- %s\n", cell(a.String()))
	}
}

func (c *card) limits() {
	c.printf("\n## Limits\n\n")
	var few []string
	for i := range c.report.Horizons {
		h := &c.report.Horizons[i]
		if s, ok := rungScore(h, c.metrics.Rung); ok && s.Skill.Blocks < fewBlocks {
			few = append(few, fmt.Sprintf("%s (%d blocks)", years(h.Months), s.Skill.Blocks))
		}
	}
	if len(few) > 0 {
		c.printf("- The intervals rest on too few blocks to be relied on at %s.\n", strings.Join(few, ", "))
	}
	for _, name := range c.groupNames(true) {
		c.limitsOf(name)
	}
	c.printf(`- Overlapping windows are not independent cases: the tables print how many windows there are without overlap.
- One country's prices and records. A country that lost wars or its currency would show other base rates.
- The past here holds few ages of rising inflation; much of the test lies in an age of falling yields.
- What pays nothing (metals, oil, coins) is given something between its own past gain and none, and a wide interval; nothing more is known of it.
- Taxes, trading costs and storage are not part of it unless a yearly fee was set.
`)
}

// limitsOf says where an asset's forecasts were not better than its base rate,
// or could not be told to be.
func (c *card) limitsOf(asset string) {
	var lost, open, few []string
	for i := range c.report.Horizons {
		h := &c.report.Horizons[i]
		g, ok := c.groupScore(h, asset)
		if !ok {
			continue
		}
		switch {
		case g.Skill.Value <= 0:
			lost = append(lost, years(h.Months))
		case g.Skill.Low <= 0:
			open = append(open, years(h.Months))
		}
		if s, ok := rungScore(h, c.metrics.Rung); ok && g.Skill.Blocks < fewBlocks && s.Skill.Blocks >= fewBlocks {
			few = append(few, years(h.Months))
		}
	}
	for _, l := range []struct {
		horizons []string
		says     string
	}{
		{lost, "not better than its own base rate at %s"},
		{open, "better than its own base rate at %s, but the interval includes 0"},
		{few, "too few blocks for its own interval at %s"},
	} {
		if len(l.horizons) > 0 {
			c.printf("- %s: "+l.says+".\n", cell(asset), strings.Join(l.horizons, ", "))
		}
	}
}
