package bundle

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/power"
)

// fewBlocks is the number of blocks under which an interval is itself
// unreliable.
const fewBlocks = 5

// A card is a model card in the making. Everything in it comes from the
// contents; it holds no version, time, duration or path.
type card struct {
	bytes.Buffer
	contents *Contents
	report   *backtest.Report
	metrics  Metrics
}

// modelCard writes MODEL_CARD.md.
func modelCard(contents *Contents) ([]byte, error) {
	metrics, err := headline(contents)
	if err != nil {
		return nil, err
	}
	c := &card{contents: contents, report: contents.Report, metrics: metrics}
	c.what()
	c.figures()
	c.test()
	c.results()
	c.limits()
	c.use()
	return c.Bytes(), nil
}

func (c *card) printf(format string, args ...any) { fmt.Fprintf(&c.Buffer, format, args...) }

// row writes one line of a table.
func (c *card) row(cells ...string) {
	c.WriteString("|")
	for _, s := range cells {
		c.WriteString(" " + cell(s) + " |")
	}
	c.WriteString("\n")
}

// header writes the head of a table.
func (c *card) header(cells ...string) {
	c.row(cells...)
	c.WriteString(strings.Repeat("| --- ", len(cells)) + "|\n")
}

// cell makes foreign text safe inside a table of Markdown: one line, no markup
// of tables or HTML.
func cell(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	return strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;").Replace(s)
}

func years(months int) string {
	if months == 12 {
		return "1 year"
	}
	return fmt.Sprintf("%g years", float64(months)/12)
}

func (c *card) what() {
	f := c.contents.Forecaster
	c.printf(`# Model card: what is left of purchasing power

## What it is

For %d assets and every horizon from 1 to 10 years in steps of a quarter, this model forecasts the purchasing-power
multiple: what a holding can buy at the end, over what it can buy today, at United States consumer prices, with income
reinvested, before taxes and costs. Its forecast is a probability distribution. From it are read the probabilities of four
classes, the same for every asset and horizon, a median and an 80 %% interval:

`, len(f.Assets))
	c.header("class", "multiple")
	for k := range power.NumClasses {
		var bounds string
		switch k {
		case 0:
			bounds = fmt.Sprintf("%.2f or more", f.Tiers[0])
		case power.NumClasses - 1:
			bounds = fmt.Sprintf("under %.2f", f.Tiers[k-1])
		default:
			bounds = fmt.Sprintf("%.2f to under %.2f", f.Tiers[k], f.Tiers[k-1])
		}
		c.row(power.Class(k).String(), bounds)
	}
	c.printf(`
The centre of the distribution comes from what the asset yields today and from inflation as it is expected to return to
its mean (the carry core); what yields nothing is given half of its own real history, a coin or a user's own series all of
it. The width comes from the errors that the same rule made in the past.
`)
	if f.LGBM == nil {
		c.printf("\n**This is a baseline: the carry core alone.** No trained model is part of it.\n")
	} else {
		c.printf(`
Two ensembles of boosted trees correct the width, not the centre: lightgbm.txt (%d trees, grown leaf by leaf) and
xgboost.json (%d trees, grown level by level). Both load in the libraries whose formats they have.
`, len(f.LGBM.Model.Trees), len(f.XGB.Model.Trees))
	}
	c.printf("\n- Method: %s\n- Seed: %d\n", cell(c.report.Method), c.report.Seed)
	c.printf("- Temperature of the class probabilities: %s\n", correction(f.Calibration.Temperature))
	c.printf("- Stretch of the intervals: %s\n", correction(f.Calibration.Interval))
}

// correction says what a calibration does; 0 and 1 are none.
func correction(x float64) string {
	if x == 0 || x == 1 {
		return "none; a correction did not improve the test, or was not tried"
	}
	return fmt.Sprintf("%.3f", x)
}

func (c *card) figures() {
	f := c.contents.Forecaster
	c.printf("\n## Figures behind it\n\n")
	c.header("asset", "what it is", "figures from", "to", "months", "windows without overlap, 1 / 5 / 10 years", "evidence, 1 / 5 / 10 years")
	for _, s := range f.Assets {
		var windows, evidence []string
		for _, months := range []int{12, 60, 120} {
			n := float64(s.Months) / float64(months)
			windows = append(windows, fmt.Sprintf("%.1f", n))
			evidence = append(evidence, string(forecast.EvidenceOf(n)))
		}
		c.row(s.Asset.ID, s.Asset.Title, s.Asset.First.String(), s.Row.U.String(), fmt.Sprint(s.Months),
			strings.Join(windows, " / "), strings.Join(evidence, " / "))
	}
	c.printf("\n")
	c.header("series", "title", "unit", "from", "to", "source", "licence")
	for _, d := range c.contents.Data.Series {
		c.row(d.ID, d.Title, d.Unit, d.From.String(), d.To.String(), d.Source, d.Licence)
	}
	c.printf("\nsha256 of all figures, their months and the days from which they were known: `%s`\n", cell(c.contents.Data.Hash))
}

func (c *card) test() {
	r := c.report
	c.printf(`
## How it was tested

A walk forward through time: at every month from %s to %s each forecast was made from what was known then, by models that
were fitted each January on the windows whose outcome was known by then. Nothing was tested on rows it was fitted on.
The figures reach to %s. %d kinds of forecast were tried, from dull to clever:

`, r.From, r.To, r.DataAsOf, len(r.Rungs))
	c.header("kind", "what it is", "has to beat", "served")
	for _, rung := range r.Rungs {
		served := ""
		if rung.Served {
			served = "yes"
		}
		c.row(rung.Name, rung.Title, rung.Below, served)
	}
	c.printf(`
The main score is the ranked probability score (RPS; 0 is perfect), each month counting once. Skill is 1 less the RPS over
that of a reference, on the same rows; above 0 is better than the reference. The reference of a horizon is its best
climatology: how often each class came true in the past, as known at the time. Intervals hold 90 %% and come from a block
bootstrap over months with blocks as long as the horizon; with fewer than %d blocks they are themselves unreliable.
`, fewBlocks)
	if r.VaultOpen {
		c.printf("The newest %d start months of each horizon, held back while the method was made, are part of the test.\n", backtest.VaultMonths)
	} else {
		c.printf("The newest %d start months of each horizon are held back and not part of the test.\n", backtest.VaultMonths)
	}
}

func (c *card) use() {
	c.printf(`
## Meant for

Comparing how well assets kept, and may keep, purchasing power over years; seeing how wide the range of outcomes is and how
little is known about some of them; teaching. The probabilities and the interval are the product, not the letter of the
class.

## Not meant for

Trading, market timing, or any single decision about money without other advice; horizons under 1 or over 10 years; other
currencies or other countries' prices; houses, single stocks or anything that is not in the table of assets. It is not
financial advice.
`)
}

// rungScore finds a rung's scores at one horizon.
func rungScore(h *backtest.HorizonReport, rung string) (*backtest.RungScore, bool) {
	i := slices.IndexFunc(h.Rungs, func(s backtest.RungScore) bool { return s.Rung == rung })
	if i < 0 {
		return nil, false
	}
	return &h.Rungs[i], true
}
