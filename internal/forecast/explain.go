package forecast

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
)

// notCovered is part of every answer.
const notCovered = "Taxes, trading costs and storage (unless a fee was set), other currencies and other countries' prices: " +
	"the record behind this is one country's."

// Answer answers a question; now only decides whether the figures count as
// stale. Errors are *UnknownAsset, *InvalidValue, or wrap ErrNoRow.
func (f *Forecaster) Answer(q Question, now time.Time) (*Answer, error) {
	v, err := f.resolve(q)
	if err != nil {
		return nil, err
	}
	s := v.state
	p := f.Calibration.Calibrate(Probabilities(v.served, f.Tiers))
	class := power.Class(0)
	for c := range p {
		if p[c] > p[class] {
			class = power.Class(c)
		}
	}
	a := &Answer{
		Asset: s.Asset.ID, Title: s.Asset.Title, HorizonYears: float64(q.Months) / 12, ModelType: q.Model,
		PredictedClass: class.String(), Confidence: p[class],
		Probabilities: Classes{p[0], p[1], p[2], p[3]}, ProbabilityLoss: 1 - p[0],
		EffectiveWindows: v.windows, Evidence: v.evidence,
		DataAsOf: s.Row.U, Stale: Stale(s.Row.U, now), Hypothetical: len(q.Features) > 0,
		ModelVersion: f.Version, Sources: s.Sources, NotCovered: notCovered,
		Reference: f.reference(s.Asset.ID, q.Model, q.Months),
	}
	a.Multiple, a.AnnualReturn, a.Buys = f.ranges(v.served, q.Months)
	a.BaseRate = s.baseRate(v.h)
	rate, parts := Center(s.Asset.Kind, v.values, q.Months)
	a.Core = Account{
		Center: rate, CenterUsed: v.used, Parts: parts, Spread: v.core.SD, SpreadUsed: v.served.SD,
		LossCore:      f.loss(v.core),
		BoosterWeight: f.Weights.Of(q.Model),
	}
	if q.Explain {
		a.Contributions = f.contributions(&v, q)
	}
	a.Goods = []GoodsLine{}
	if f.History != nil {
		a.Goods = f.History.Compare(s.Asset.ID, s.Row.U)
	}
	switch {
	case finite(a):
	case a.Hypothetical:
		return nil, &InvalidValue{"features", "with these figures there is no finite forecast"}
	default:
		return nil, fmt.Errorf("%w for %s over %d months: its figures moved too much for an interval", ErrNoRow, s.Asset.ID, q.Months)
	}
	f.inWords(a, &v, q, now)
	return a, nil
}

// Stale reports whether figures of month u are older than their lag of one
// month, and one month more, at a moment.
func Stale(u series.Month, now time.Time) bool {
	return series.DateOf(now).Month()-u > 2
}

// endedMonths past the last complete month figures are no longer late: a check
// of the data folder calls them a fault (store.Check).
const endedMonths = 18

// Ended reports whether figures of month u are so old that at a moment a
// forecast from them is not one from today.
func Ended(u series.Month, now time.Time) bool {
	return series.DateOf(now).Month()-1-u > endedMonths
}

// Until is the month in which the years of an answer end.
func (a *Answer) Until() series.Month {
	return a.DataAsOf + series.Month(math.Round(12*a.HorizonYears))
}

// Past says of an answer from figures that ended how much of its years is over
// at a moment.
func (a *Answer) Past(now time.Time) string {
	years := fmt.Sprintf("%g years", a.HorizonYears)
	if a.HorizonYears == 1 {
		years = "1 year"
	}
	line := fmt.Sprintf("its figures ended in %s, and the time counted here (%s) begins there, not today: ", a.DataAsOf, years)
	if gone := series.DateOf(now).Month() - a.DataAsOf; a.Until() > series.DateOf(now).Month() {
		return line + fmt.Sprintf("%.1f years of it are already past", float64(gone)/12)
	}
	return line + fmt.Sprintf("it was over in %s, and this says nothing of the years from today on", a.Until())
}

func (f *Forecaster) ranges(n Normal, months int) (multiple, annual, buys Range) {
	stretch := f.Calibration.Interval
	if stretch == 0 {
		stretch = 1
	}
	n.SD *= stretch
	multiple = Range{Median: math.Exp(n.Mean), P10: math.Exp(n.Quantile(0.1)), P90: math.Exp(n.Quantile(0.9))}
	each := func(g func(float64) float64) Range {
		return Range{Median: g(multiple.Median), P10: g(multiple.P10), P90: g(multiple.P90)}
	}
	annual = each(func(m float64) float64 { return power.AnnualReturn(m, months) })
	buys = each(func(m float64) float64 { return 100 * m })
	return multiple, annual, buys
}

func (s *AssetState) baseRate(h int) BaseRate {
	c := s.Base[h]
	total := c.Total()
	b := BaseRate{Windows: total / float64(panel.Horizon(h))}
	if total == 0 {
		return b
	}
	b.Classes = Classes{c[0] / total, c[1] / total, c[2] / total, c[3] / total}
	b.From, b.To = s.BaseFrom, s.Row.U
	return b
}

// reference is the score at the tested horizon nearest to the question's, the
// shorter one of two, with the asset's own.
func (f *Forecaster) reference(asset string, m ModelType, months int) *Reference {
	var best *Reference
	for i, r := range f.References[m] {
		if best == nil || math.Abs(r.HorizonYears*12-float64(months)) < math.Abs(best.HorizonYears*12-float64(months)) {
			best = &f.References[m][i]
		}
	}
	if best == nil {
		return nil
	}
	r := *best
	r.Assets = nil
	for i := range best.Assets {
		if best.Assets[i].Asset == asset {
			r.Own = &best.Assets[i]
		}
	}
	return &r
}

// contributions shares out what the boosters did, by feature family. TreeSHAP
// values of ln v add up exactly; the change of P(loss) is shared in proportion
// to them, which is the path on which all of them grow together.
func (f *Forecaster) contributions(v *view, q Question) []Contribution {
	boosters := f.boosters(q.Model)
	if !v.learned || len(boosters) == 0 {
		return nil
	}
	var row SpreadRow
	row.Fill(v.state.Asset.Kind, v.values, v.core, q.Months)
	var phi [NumSpread + 1]float64
	for _, b := range boosters {
		for i, x := range b.Contributions(&row) {
			phi[i] += x / float64(len(boosters))
		}
	}
	lossOf := func(ln float64) float64 {
		n := v.core
		n.SD *= math.Exp(ln)
		return f.loss(n)
	}
	perUnit := 0.0 // change of P(loss) for each unit of ln spread
	if math.Abs(v.lnSpread) > 1e-9 {
		perUnit = (lossOf(v.lnSpread) - lossOf(0)) / v.lnSpread
	} else {
		const d = 1e-6
		perUnit = (lossOf(d) - lossOf(-d)) / (2 * d)
	}
	var out []Contribution
	add := func(family panel.Family, x float64) {
		i := slices.IndexFunc(out, func(c Contribution) bool { return c.Family == family })
		if i < 0 {
			i = len(out)
			out = append(out, Contribution{Family: family})
		}
		out[i].LnSpread += x
		out[i].Loss += x * perUnit
	}
	for i, feature := range SpreadFeatures() {
		add(feature.Family, phi[i])
	}
	slices.SortStableFunc(out, func(a, b Contribution) int {
		return cmp.Compare(math.Abs(b.LnSpread), math.Abs(a.LnSpread))
	})
	add("average case", phi[NumSpread])
	return out
}

// Contributions are the booster's TreeSHAP values of LnSpread, one a column, the
// average case last; they add up to LnSpread.
func (b *Booster) Contributions(row *SpreadRow) [NumSpread + 1]float64 {
	var phi [NumSpread + 1]float64
	if err := b.predictor.Contributions(phi[:], row[:]); err != nil {
		panic("forecast: booster of another shape: " + err.Error()) // NewBooster checked it
	}
	phi[NumSpread] -= math.Log(b.MeanTarget)
	for i := range phi {
		phi[i] *= dampen
	}
	return phi
}

// inWords fills strengths, weaknesses and notes from the figures.
func (f *Forecaster) inWords(a *Answer, v *view, q Question, now time.Time) {
	good := func(format string, args ...any) { a.Strengths = append(a.Strengths, fmt.Sprintf(format, args...)) }
	bad := func(format string, args ...any) { a.Weaknesses = append(a.Weaknesses, fmt.Sprintf(format, args...)) }
	note := func(format string, args ...any) { a.Notes = append(a.Notes, fmt.Sprintf(format, args...)) }
	a.Strengths, a.Weaknesses, a.Notes = []string{}, []string{}, []string{}
	x, s := v.values, v.state

	ended := Ended(a.DataAsOf, now)
	last, at, since := "over the last five years", "now", "ago"
	if ended {
		bad("%s", a.Past(now))
		last, at, since = fmt.Sprintf("over the five years to %s", a.DataAsOf), fmt.Sprintf("in %s", a.DataAsOf), "before"
	}
	years := fmt.Sprintf("%g-year", a.HorizonYears)
	if b := a.BaseRate; b.Windows > 0 {
		line := fmt.Sprintf("kept its purchasing power in %.0f %% of all %s windows since %s", 100*b.A, years, b.From)
		if b.A >= 0.5 {
			good("%s", line)
		} else {
			bad("%s", line)
		}
	}
	if s.Asset.HasIncome() || s.Asset.Kind == series.Banknote {
		if a.Core.Center >= 0 {
			good("expected to earn %.1f %% a year more than inflation", 100*math.Expm1(a.Core.Center))
		} else {
			bad("expected to earn %.1f %% a year less than inflation", -100*math.Expm1(a.Core.Center))
		}
	} else if s.Asset.Kind == series.Custom {
		bad("no payouts are on record: only a change of its price can keep its purchasing power")
	} else {
		bad("pays nothing: only a change of its price can keep its purchasing power")
	}
	if r := x[panel.Return60]; !math.IsNaN(r) {
		change := 100 * math.Expm1(5*r)
		if change >= 0 {
			good("gained %.0f %% of purchasing power %s", change, last)
		} else {
			bad("lost %.0f %% of purchasing power %s", -change, last)
		}
	}
	if d := x[panel.WorstDrawdown]; d <= -0.2 {
		bad("once stood %.0f %% under its highest real value of the ten years before", -100*d)
	}
	if d := x[panel.Drawdown]; d <= -0.1 {
		bad("%s %.0f %% under its highest real value of the last ten years, reached %.0f months %s", at, -100*d, x[panel.UnderWater], since)
	}
	switch a.Evidence {
	case Sufficient:
		good("its record holds %.1f windows of this length that do not overlap", a.EffectiveWindows)
	case Thin:
		bad("thin evidence: its record holds only %.1f windows of this length that do not overlap", a.EffectiveWindows)
	default:
		bad("no evidence to speak of: its record holds %.1f windows of this length", a.EffectiveWindows)
	}
	if !v.learned && !s.Asset.HasIncome() && s.Asset.Kind != series.Banknote && a.Evidence == Thin {
		note("because the evidence is thin the centre was halved and the spread widened by a quarter")
	}
	if !v.learned && !s.Asset.HasIncome() && s.Asset.Kind != series.Banknote && a.Evidence == Insufficient {
		note("because there is no evidence for so long a time the centre was set to no real gain and the spread widened by half")
	}
	if v.learned && a.Core.BoosterWeight == 0 && q.Model != Ensemble {
		note("the spread of model %s was not better than the core in the walk-forward test", q.Model)
	}
	if f.LGBM == nil {
		note("baseline: the core alone, no trained model is in service")
	}
	if s.Asset.Kind == series.Coin {
		note("price only; the record joins several exchanges, from 2026-02 in USDT")
	}
	if x[panel.MonthlyAverage] == 1 {
		note("its price is the average of each month, which moves less than the price on a day")
	}
	if a.Stale && !ended {
		note("the figures are stale: newer ones than %s should be out", a.DataAsOf)
	}
	if a.Hypothetical {
		note("hypothetical: some figures were replaced by the question")
	}
	if r := a.Reference; r != nil && r.Own != nil {
		switch {
		case r.Own.Skill <= 0:
			bad("tested by itself at %g years, such forecasts of it were no better than its own base rate", r.HorizonYears)
		case r.Own.Low <= 0:
			note("tested by itself at %g years, such forecasts of it were not clearly better than its own base rate", r.HorizonYears)
		default:
			good("tested by itself at %g years, such forecasts of it beat its own base rate", r.HorizonYears)
		}
	}
	if r := a.Reference; r != nil && r.Blocks < 5 {
		note("the score at %g years rests on %d blocks: its interval is itself unreliable", r.HorizonYears, r.Blocks)
	}
}
