package api

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
)

type historyInput struct {
	Asset string `path:"asset" maxLength:"64" example:"Gold"`
	From  string `query:"from" doc:"First month, YYYY-MM; the first of the record if absent" example:"1990-01"`
	To    string `query:"to" doc:"Last month, YYYY-MM; the newest with both figures if absent"`
	In    string `query:"in" default:"cpi" maxLength:"64" doc:"What purchasing power is counted in: cpi, basket, eggs, milk, bread, gasoline, or the id of an asset"`
	After string `query:"after" doc:"Go on after this month; next in an answer holds it"`
	Limit int    `query:"limit" minimum:"1" maximum:"1200" default:"120" doc:"Most rows of one page"`
}

// A History is what a holding was worth, nominal and real, month by month.
type History struct {
	Asset string `json:"asset"`
	Title string `json:"title"`
	// In is the deflator of every real figure here.
	In   Deflator     `json:"in"`
	From series.Month `json:"from"`
	To   series.Month `json:"to"`
	// Base is the month where both indices are 100.
	Base    series.Month   `json:"base" doc:"Month at which both indices are 100; income is reinvested"`
	Summary HistorySummary `json:"summary"`
	Rows    []HistoryRow   `json:"rows"`
	Next    string         `json:"next,omitempty" doc:"Path of the next page; absent on the last one"`
}

// A Deflator is what purchasing power is counted in.
type Deflator struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// A HistorySummary is about the months from From to To, whatever page is shown;
// nominal and real figures are of the same months.
type HistorySummary struct {
	NominalMultiple *float64 `json:"nominal_multiple" doc:"Value at the end over value at the beginning"`
	RealMultiple    *float64 `json:"real_multiple" doc:"Purchasing power at the end over that at the beginning"`
	NominalAnnual   *float64 `json:"nominal_annual_return"`
	RealAnnual      *float64 `json:"real_annual_return"`
	// WorstDrawdown and UnderWater are of the real index.
	WorstDrawdown     *float64 `json:"worst_real_drawdown" doc:"Deepest fall of purchasing power under its highest so far, as a negative share"`
	LongestUnderWater int      `json:"longest_months_under_water" doc:"Longest time that purchasing power stayed under an earlier high"`
}

// A HistoryRow is one month; null is a missing figure.
type HistoryRow struct {
	Month   series.Month `json:"month"`
	Nominal *float64     `json:"nominal"`
	Real    *float64     `json:"real"`
	// Drawdown is since From.
	Drawdown   *float64 `json:"real_drawdown" doc:"Real index over its highest since from, minus 1"`
	UnderWater int      `json:"months_under_water" doc:"Months since that highest"`
}

type historyOutput struct {
	Body History
}

func (h *Handler) registerHistory() {
	operate(h, huma.Operation{
		OperationID: "asset-history", Method: http.MethodGet, Path: "/api/v1/assets/{asset}/history", Tags: []string{"assets"},
		Summary:     "What a holding was worth, nominal and real",
		Description: "Total-return indices, income reinvested, in any deflator. Pages hold up to limit rows.",
		Errors:      []int{401, 404, 422, 429, 503},
	}, policy{scope: reads, cache: true, model: true}, history)
}

func history(_ context.Context, c *call, in *historyInput) (*historyOutput, error) {
	state, err := c.model.Forecaster.Find(in.Asset)
	if err != nil {
		return nil, err
	}
	all := c.model.Forecaster.History
	own, ok := all.Asset(state.Asset.ID)
	if !ok {
		return nil, newProblem(kindNoForecast, "the model holds no history of this asset")
	}
	deflator, prices, err := deflatorOf(c.model.Forecaster, in.In)
	if err != nil {
		return nil, err
	}
	nominal, real := own.Nominal, own.Real
	if deflator.ID != "cpi" {
		real = quotient(nominal, prices)
	}
	first := firstOfBoth(nominal, real)
	from, to, after, err := bounds(in, first, lastOfBoth(nominal, real), nominal.Last())
	if err != nil {
		return nil, err
	}
	out := History{Asset: state.Asset.ID, Title: state.Asset.Title, In: deflator, From: from, To: to, Base: first, Rows: []HistoryRow{}}
	out.fill(nominal, real, after, in.Limit)
	if last := len(out.Rows) - 1; last >= 0 && out.Rows[last].Month < to {
		out.Next = "/api/v1/assets/" + state.Asset.ID + "/history?" + url.Values{
			"from": {from.String()}, "to": {to.String()}, "in": {deflator.ID}, "limit": {strconv.Itoa(in.Limit)}, "after": {out.Rows[last].Month.String()},
		}.Encode()
	}
	return &historyOutput{Body: out}, nil
}

// fill writes the rows after a month, at most limit, and the summary.
func (out *History) fill(nominal, real series.View, after series.Month, limit int) {
	nominalBase, realBase := nominal.At(out.Base), real.At(out.Base)
	high, highAt := math.NaN(), out.From
	worst := math.NaN()
	for m := out.From; m <= out.To; m++ {
		row := HistoryRow{Month: m, Nominal: number(100 * nominal.At(m) / nominalBase), Real: number(100 * real.At(m) / realBase)}
		if row.Real != nil {
			if !(high > *row.Real) {
				high, highAt = *row.Real, m
			}
			d := *row.Real/high - 1
			row.Drawdown, row.UnderWater = &d, int(m-highAt)
			out.Summary.LongestUnderWater = max(out.Summary.LongestUnderWater, row.UnderWater)
			if !(worst < d) {
				worst = d
			}
		}
		if m > after && len(out.Rows) < limit {
			out.Rows = append(out.Rows, row)
		}
	}
	s := &out.Summary
	s.WorstDrawdown = number(worst)
	s.NominalMultiple, s.NominalAnnual = multiple(nominal, out.From, out.To)
	s.RealMultiple, s.RealAnnual = multiple(real, out.From, out.To)
}

// multiple is an index at the end over the beginning, also as a yearly return;
// nil where a figure is missing or no time passes.
func multiple(v series.View, from, to series.Month) (times, annual *float64) {
	m := v.At(to) / v.At(from)
	if to <= from {
		return number(m), nil
	}
	return number(m), number(power.AnnualReturn(m, int(to-from)))
}

// number is nil for what JSON can't hold.
func number(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

// bounds reads the months of a question. What is absent is from the first to the
// last month with both figures; newest is the last with a nominal one.
func bounds(in *historyInput, first, last, newest series.Month) (from, to, after series.Month, err error) {
	from, to, after = first, last, first-1
	var faults []Fault
	for _, p := range []struct {
		name, text string
		month      *series.Month
	}{{"from", in.From, &from}, {"to", in.To, &to}, {"after", in.After, &after}} {
		if p.text == "" {
			continue
		}
		m, err := series.ParseMonth(p.text)
		if err != nil {
			faults = append(faults, Fault{Parameter: p.name, Detail: "want a month as YYYY-MM"})
			continue
		}
		*p.month = m
	}
	from, to = max(from, first), min(to, newest)
	switch {
	case len(faults) > 0 || from <= to:
	case to < first:
		faults = append(faults, Fault{Parameter: "to", Detail: "want a month from " + first.String() + " on"})
	default:
		faults = append(faults, Fault{Parameter: "from", Detail: "want a month up to to; the record goes from " + first.String() + " to " + newest.String()})
	}
	if len(faults) > 0 {
		return 0, 0, 0, invalid(faults...)
	}
	return from, to, after, nil
}

// deflatorOf finds what purchasing power is to be counted in. The prices of the
// default, the consumer price index, are not looked at.
func deflatorOf(f *forecast.Forecaster, id string) (Deflator, series.View, error) {
	low := strings.ToLower(id)
	if low == "cpi" {
		return Deflator{"cpi", "US consumer prices (CPI-U, all items, not seasonally adjusted)"}, f.History.CPI, nil
	}
	for _, g := range f.History.Goods {
		if low == g.Name {
			return Deflator{g.Name, g.Name + ", " + g.Unit}, g.Prices, nil
		}
	}
	if low == "basket" {
		prices, err := basket(f.History)
		return Deflator{"basket", "a basket of eggs, milk, bread and gasoline: an illustration, some 3 to 5 % of what people buy"}, prices, err
	}
	if s, err := f.Find(id); err == nil {
		if a, ok := f.History.Asset(s.Asset.ID); ok {
			return Deflator{s.Asset.ID, s.Asset.Title + ", income reinvested"}, a.Nominal, nil
		}
	}
	return Deflator{}, series.View{}, invalid(Fault{Parameter: "in", Detail: "want cpi, basket, eggs, milk, bread, gasoline or the id of an asset"})
}

// basketBase is the month whose spending fixes the quantities of the basket.
var basketBase = series.Of(1995, 7)

func basket(h *forecast.History) (series.View, error) {
	var prices []series.View
	var shares []power.Share
	for _, s := range power.DefaultBasket() {
		for _, g := range h.Goods {
			if g.Series == s.Series {
				shares, prices = append(shares, s), append(prices, g.Prices)
			}
		}
	}
	v, err := power.Basket(shares, prices, basketBase)
	if err != nil {
		return v, newProblem(kindNoForecast, "the model holds no complete basket")
	}
	return v, nil
}

// quotient is a over b by month, over the months of a.
func quotient(a, b series.View) series.View {
	out := series.View{First: a.First, Values: make([]float64, len(a.Values))}
	for i, x := range a.Values {
		out.Values[i] = x / b.At(a.First+series.Month(i))
	}
	return out
}

// firstOfBoth is the first month with a figure in both; the first of a if there
// is none.
func firstOfBoth(a, b series.View) series.Month {
	for m := a.First; m <= a.Last(); m++ {
		if !math.IsNaN(a.At(m)) && !math.IsNaN(b.At(m)) {
			return m
		}
	}
	return a.First
}

// lastOfBoth is the last month with a figure in both; the first of a if there is
// none.
func lastOfBoth(a, b series.View) series.Month {
	for m := a.Last(); m > a.First; m-- {
		if !math.IsNaN(a.At(m)) && !math.IsNaN(b.At(m)) {
			return m
		}
	}
	return a.First
}
