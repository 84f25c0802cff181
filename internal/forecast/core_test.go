package forecast_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
	"github.com/pppq/pppq/internal/source"
)

// fixture is the panel of the embedded figures with the core's history.
var fixture = sync.OnceValues(func() (f struct {
	set  *series.Set
	p    *panel.Panel
	core *forecast.CoreHistory
}, err error,
) {
	if f.set, err = source.Embedded(); err != nil {
		return f, err
	}
	if f.p, err = panel.Build(nilContext{}, f.set, series.BuiltinAssets()); err != nil {
		return f, err
	}
	f.core = forecast.NewCoreHistory(f.p)
	return f, nil
})

// nilContext never ends; the fixture outlives every test's own context.
type nilContext struct{}

func (nilContext) Deadline() (time.Time, bool) { return time.Time{}, false }
func (nilContext) Done() <-chan struct{}       { return nil }
func (nilContext) Err() error                  { return nil }
func (nilContext) Value(any) any               { return nil }

// twin is the carry core written down again, plainly, from the figures alone
// and by whole passes over them: no cursor, no running sums, no panel.
type twin struct {
	t     *testing.T
	views map[string]series.View
}

func (w twin) at(id string, m series.Month) float64 { return w.views[id].At(m) }

// cpi imputes a single missing month.
func (w twin) cpi(m series.Month) float64 {
	if v := w.at("CPIAUCNS", m); !math.IsNaN(v) {
		return v
	}
	return math.Sqrt(w.at("CPIAUCNS", m-1) * w.at("CPIAUCNS", m+1))
}

// real is the monthly log real return of month s.
func (w twin) real(a series.Asset, s series.Month) float64 {
	gross := 1.0
	switch a.Kind {
	case series.Bond:
		gross = 1 + power.BondReturn(w.at("GS10", s-1)/100, w.at("GS10", s)/100)
	case series.Bill:
		gross = 1 + power.BillReturn(w.at("TB3MS", s-1)/100)
	case series.Equity:
		d := w.at("SP500_DIVIDEND", min(s, w.views["SP500_DIVIDEND"].Last()))
		gross = 1 + power.EquityReturn(w.at("SP500", s-1), w.at("SP500", s), d)
	case series.Commodity, series.Coin:
		gross = w.at(a.Price, s) / w.at(a.Price, s-1)
	}
	return math.Log(gross) - math.Log(w.cpi(s)/w.cpi(s-1))
}

func (w twin) returns(a series.Asset, u series.Month) []float64 {
	var r []float64
	for s := a.First + 1; s <= u; s++ {
		r = append(r, w.real(a, s))
	}
	return r
}

func meanSD(r []float64) (mean, sd float64) {
	for _, x := range r {
		mean += x / float64(len(r))
	}
	for _, x := range r {
		sd += (x - mean) * (x - mean) / float64(len(r))
	}
	return mean, math.Sqrt(sd)
}

func (w twin) history(a series.Asset, u series.Month) float64 {
	var means []float64
	for _, b := range series.BuiltinAssets() {
		if r := w.returns(b, u); len(r) > 60 {
			m, _ := meanSD(r)
			means = append(means, m)
		}
	}
	sort.Float64s(means)
	median := 0.0 // before any asset has 60 months
	if k := len(means); k > 0 {
		median = (means[(k-1)/2] + means[k/2]) / 2
	}
	r := w.returns(a, u)
	own, _ := meanSD(r)
	n := float64(len(r))
	return 12 * (n*own + 180*median) / (n + 180)
}

func (w twin) rate(a series.Asset, u series.Month, h float64) float64 {
	rev := func(now, mean, phi float64) float64 {
		return mean + (now-mean)*(1-math.Pow(phi, h))/(h*(1-phi))
	}
	pi := rev(math.Log(w.cpi(u)/w.cpi(u-12)), math.Log(w.cpi(u)/w.cpi(u-120))/10, 0.98)
	switch a.Kind {
	case series.Banknote:
		return -pi
	case series.Bill:
		sum, n := 0.0, 0.0
		for s := u - 119; s <= u; s++ {
			if v := w.at("TB3MS", s); !math.IsNaN(v) {
				sum, n = sum+math.Log(1+v/100), n+1
			}
		}
		return rev(math.Log(1+w.at("TB3MS", u)/100), sum/n, 0.99) - pi
	case series.Bond:
		return math.Log(1+w.at("GS10", u)/100) - pi
	case series.Equity:
		end := min(u-6, w.views["SP500_EARNINGS"].Last())
		e := 0.0
		for s := end - 119; s <= end; s++ {
			e += w.at("SP500_EARNINGS", s) / w.cpi(s) / 120
		}
		cape := w.at("SP500", u) / w.cpi(u) / e
		return 0.5*math.Log(1+1/cape) + 0.5*w.history(a, u)
	case series.Commodity:
		return 0.5 * w.history(a, u)
	}
	return w.history(a, u)
}

func (w twin) forecast(a series.Asset, t series.Month, months int) forecast.Normal {
	h := float64(months)
	u := t - 1
	january := series.Of(t.Year(), 1)
	step := series.Month(3)
	if months > 24 {
		step = 6
	}
	var squares []float64
	for o := a.First + 61; o+series.Month(months)+1 <= january; o += step {
		ln := 0.0
		for s := o + 1; s <= o+series.Month(months); s++ {
			ln += w.real(a, s)
		}
		e := ln - w.rate(a, o-1, h)*h/12
		squares = append(squares, e*e)
	}
	yielding := a.Kind == series.Bill || a.Kind == series.Bond || a.Kind == series.Banknote
	sum, weights := 0.0, 0.0
	for i, q := range squares {
		x := 1.0
		if yielding {
			x = math.Pow(0.5, float64(len(squares)-1-i)*float64(step)/240)
		}
		sum, weights = sum+x*q, weights+x
	}
	r := w.returns(a, u)
	n := float64(len(r))
	_, sd := meanSD(r)
	_, sd36 := meanSD(r[max(0, len(r)-36):])
	s := sd * math.Sqrt(h)
	if len(squares)*int(step) >= 3*months {
		rms := math.Sqrt(sum / weights)
		if a.Kind == series.Bill || a.Kind == series.Banknote {
			s = rms
		} else {
			k := n / h / (n/h + 5)
			s = math.Exp(k*math.Log(rms) + (1-k)*math.Log(s))
		}
	}
	s *= math.Pow(sd36/sd, 0.5/math.Sqrt(h/12))
	if !yielding {
		s = math.Sqrt(s*s + (h*sd/math.Sqrt(n))*(h*sd/math.Sqrt(n)))
	}
	return forecast.Normal{Mean: w.rate(a, u, h) * h / 12, SD: s}
}

// The panel and its running sums must give what the plain form gives. The
// months are such that the twin needs no care for figures published late: the
// newest dividends are held in both.
func TestCoreAgainstPlainTwin(t *testing.T) {
	t.Parallel()
	f, err := fixture()
	if err != nil {
		t.Fatal(err)
	}
	w := twin{t, map[string]series.View{}}
	for _, id := range f.set.IDs() {
		s, err := f.set.Get(id)
		if err != nil {
			t.Fatal(err)
		}
		w.views[id] = s.Latest()
	}
	compared := 0
	for a, rows := range f.p.Assets {
		for _, c := range []struct {
			at     series.Month
			months int
		}{{series.Of(1990, 3), 12}, {series.Of(2005, 11), 36}, {series.Of(2016, 10), 120}, {series.Of(2026, 8), 60}} {
			i := slices.IndexFunc(rows.Rows, func(r panel.Row) bool { return r.T == c.at })
			if i < 0 {
				continue
			}
			h, _ := panel.HorizonIndex(c.months)
			got, want := f.core.At(a, h, i), w.forecast(rows.Asset, c.at, c.months)
			// Dividends of the last three months are not known at the origin and held
			// in the panel: their growth is a few parts in 10^6 of the index. Those and
			// earnings from before 1936 were known a year late, which the twin does not
			// follow: it moves the first of the errors that the spread is taken from.
			mean, sd := 1e-9, 1e-9
			if rows.Asset.Kind == series.Equity {
				mean, sd = 2e-5, 5e-4
			}
			if math.Abs(got.Mean-want.Mean) > mean || math.Abs(got.SD-want.SD) > sd {
				t.Errorf("%s at %s over %d months: got %+v, want %+v", rows.Asset.ID, c.at, c.months, got, want)
			}
			compared++
		}
	}
	if compared < 30 {
		t.Errorf("compared %d forecasts, want at least 30", compared)
	}
}

func baseline(t testing.TB) *forecast.Forecaster {
	t.Helper()
	f, err := fixture()
	if err != nil {
		t.Fatal(err)
	}
	b, skipped, err := forecast.Build(f.set, f.p, f.core, power.DefaultTiers())
	if err != nil || len(skipped) > 0 {
		t.Fatalf("Build: skipped %v, %v", skipped, err)
	}
	return b
}

func TestAnswerAddsUp(t *testing.T) {
	t.Parallel()
	b := baseline(t)
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for i := range b.Assets {
		for h := range panel.NumHorizons {
			months := panel.Horizon(h)
			a, err := b.Answer(forecast.Question{Asset: b.Assets[i].Asset.ID, Months: months, Model: forecast.Ensemble, Explain: true}, now)
			if err != nil {
				t.Fatal(err)
			}
			p := a.Probabilities
			if sum := p.A + p.B + p.C + p.D; math.Abs(sum-1) > 1e-12 {
				t.Errorf("%s over %d: probabilities sum to %v", a.Asset, months, sum)
			}
			if math.Abs(a.ProbabilityLoss-(1-p.A)) > 1e-12 {
				t.Errorf("%s over %d: P(loss) %v, P(A) %v", a.Asset, months, a.ProbabilityLoss, p.A)
			}
			if !(a.Multiple.P10 < a.Multiple.Median && a.Multiple.Median < a.Multiple.P90) {
				t.Errorf("%s over %d: interval %+v", a.Asset, months, a.Multiple)
			}
			sum := 0.0
			for _, part := range a.Core.Parts {
				sum += part.Rate
			}
			if math.Abs(sum-a.Core.Center) > 1e-15 {
				t.Errorf("%s over %d: parts sum to %v, centre %v", a.Asset, months, sum, a.Core.Center)
			}
			if want := power.AnnualReturn(a.Multiple.Median, months); a.AnnualReturn.Median != want {
				t.Errorf("%s over %d: annual %v, want %v", a.Asset, months, a.AnnualReturn.Median, want)
			}
			if a.Buys.Median != 100*a.Multiple.Median || !a.Stale || a.DataAsOf != series.Of(2026, 7) {
				t.Errorf("%s over %d: buys %v, stale %v, as of %s", a.Asset, months, a.Buys, a.Stale, a.DataAsOf)
			}
			if len(a.Goods) != 4 || a.Goods[0].Now == nil || a.Goods[0].YearAgo == nil {
				t.Errorf("%s: goods %+v", a.Asset, a.Goods)
			}
		}
	}
}

// An asset that moved so much that no number holds its interval has no forecast,
// where a model could not be written with one.
func TestNoFiniteInterval(t *testing.T) {
	t.Parallel()
	b := baseline(t)
	i := slices.IndexFunc(b.Assets, func(s forecast.AssetState) bool { return s.Asset.ID == "Gold" })
	b.Assets[i].Row.Values = slices.Clone(b.Assets[i].Row.Values)
	b.Assets[i].Row.Values[panel.SDLong] = 500
	if a, err := b.Answer(forecast.Question{Asset: "Gold", Months: 120, Model: forecast.Ensemble}, time.Now()); !errors.Is(err, forecast.ErrNoRow) {
		t.Errorf("got %+v, %v, want no forecast", a, err)
	}
}

// What is said of the highest value holds: silver's was in 1980, out of the ten
// years that are looked at.
func TestHighestValueInWords(t *testing.T) {
	t.Parallel()
	b := baseline(t)
	a, err := b.Answer(forecast.Question{Asset: "Silver", Months: 60, Model: forecast.Ensemble}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	silver, _ := b.History.Asset("Silver")
	now, top := silver.Real.At(a.DataAsOf), 0.0
	for m := a.DataAsOf - 119; m <= a.DataAsOf; m++ {
		top = max(top, silver.Real.At(m))
	}
	want := fmt.Sprintf("now %.0f %% under its highest real value of the last ten years, reached 6 months ago", 100*(1-now/top))
	if !slices.Contains(a.Weaknesses, want) {
		t.Errorf("got %q, want %q among them", a.Weaknesses, want)
	}
}

// What the families of features did adds up to the difference between the core
// and the answer, also where a temperature corrects the probabilities.
func TestContributionsAddUp(t *testing.T) {
	t.Parallel()
	f, err := fixture()
	if err != nil {
		t.Fatal(err)
	}
	training, err := forecast.NewTrainingSet(f.p, f.core, power.DefaultTiers())
	if err != nil {
		t.Fatal(err)
	}
	b := baseline(t)
	b.Weights = forecast.Weights{LGBM: 1, XGB: 1, Ensemble: 1}
	n := training.Known(f.p.Last)
	if b.LGBM, err = training.FitSpread(t.Context(), gbdt.LightGBM, n, 1); err != nil {
		t.Fatal(err)
	}
	if b.XGB, err = training.FitSpread(t.Context(), gbdt.XGBoost, n, 1); err != nil {
		t.Fatal(err)
	}
	for _, b.Calibration.Temperature = range []float64{1, 1.3} {
		for i := range b.Assets {
			for _, model := range forecast.ModelTypes {
				q := forecast.Question{Asset: b.Assets[i].Asset.ID, Months: 24, Model: model, Explain: true}
				a, err := b.Answer(q, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				spread, loss := math.Log(a.Core.Spread), a.Core.LossCore
				for _, c := range a.Contributions {
					spread, loss = spread+c.LnSpread, loss+c.Loss
				}
				// Float32 sums of the depth-wise booster leave some 1e-7.
				if math.Abs(spread-math.Log(a.Core.SpreadUsed)) > 1e-6 || math.Abs(loss-a.ProbabilityLoss) > 1e-6 {
					t.Errorf("%s, %s, temperature %v: contributions lead to ln spread %.8f and P(loss) %.8f, the answer has %.8f and %.8f", a.Asset, model,
						b.Calibration.Temperature, spread, loss, math.Log(a.Core.SpreadUsed), a.ProbabilityLoss)
				}
			}
		}
	}
}

// Without income and with thin evidence the centre is halved, or set to nothing
// gained, and the spread widened.
func TestThinEvidence(t *testing.T) {
	t.Parallel()
	b := baseline(t)
	for _, c := range []struct {
		months   int
		evidence forecast.Evidence
		mean, sd float64
		cut      string
	}{
		{36, forecast.Sufficient, 1, 1, ""}, {60, forecast.Thin, 0.5, 1.25, "halved: thin evidence"},
		{120, forecast.Insufficient, 0, 1.5, "set to nothing: no evidence"},
	} {
		a, err := b.Answer(forecast.Question{Asset: "bitcoin", Months: c.months, Model: forecast.LGBM}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if a.Evidence != c.evidence {
			t.Errorf("%d months: evidence %s, want %s", c.months, a.Evidence, c.evidence)
		}
		if want := math.Exp(c.mean * a.Core.Center * float64(c.months) / 12); math.Abs(a.Multiple.Median/want-1) > 1e-12 {
			t.Errorf("%d months: median %v, want %v", c.months, a.Multiple.Median, want)
		}
		if want := c.sd * a.Core.Spread; math.Abs(a.Core.SpreadUsed/want-1) > 1e-12 {
			t.Errorf("%d months: spread %v, want %v", c.months, a.Core.SpreadUsed, want)
		}
		if want := math.Log(a.Multiple.Median) * 12 / float64(c.months); math.Abs(a.Core.CenterUsed-want) > 1e-12 {
			t.Errorf("%d months: centre used %v, want %v", c.months, a.Core.CenterUsed, want)
		}
		if words, rate := a.Cut(); words != c.cut || math.Abs(a.Core.Center+rate-a.Core.CenterUsed) > 1e-12 {
			t.Errorf("%d months: %q takes %v to %v, want %q and %v", c.months, words, rate, a.Core.Center+rate, c.cut, a.Core.CenterUsed)
		}
	}
}

func TestQuestionsThatCannotBeAnswered(t *testing.T) {
	t.Parallel()
	b := baseline(t)
	ok := forecast.Question{Asset: "gold", Months: 60, Model: forecast.Ensemble}
	for name, c := range map[string]struct {
		edit  func(*forecast.Question)
		field string
	}{
		"horizon":  {func(q *forecast.Question) { q.Months = 61 }, "horizon_years"},
		"zero":     {func(q *forecast.Question) { q.Months = 0 }, "horizon_years"},
		"model":    {func(q *forecast.Question) { q.Model = "best" }, "model_type"},
		"feature":  {func(q *forecast.Question) { q.Features = map[string]float64{"luck": 1} }, "features/luck"},
		"infinite": {func(q *forecast.Question) { q.Features = map[string]float64{"inflation_12m": math.Inf(1)} }, "features/inflation_12m"},
	} {
		q := ok
		c.edit(&q)
		_, err := b.Answer(q, time.Now())
		var invalid *forecast.InvalidValue
		if !errors.As(err, &invalid) || invalid.Field != c.field {
			t.Errorf("%s: got %v, want an invalid %s", name, err, c.field)
		}
	}
	for name, c := range map[string]struct {
		features map[string]float64
		field    string
	}{
		"unbounded":    {map[string]float64{"treasury_yield": 100}, "features"},
		"short":        {map[string]float64{"yield": 1e6}, "features"},
		"two names":    {map[string]float64{"inflation": 0.1, "inflation_12m": 0.1}, "features/inflation_12m"},
		"no logarithm": {map[string]float64{"cape": 0}, "features/cape"},
	} {
		_, err := b.Answer(forecast.Question{Asset: "Treasury10", Months: 120, Model: forecast.LGBM, Features: c.features}, time.Now())
		var invalid *forecast.InvalidValue
		if !errors.As(err, &invalid) || invalid.Field != c.field {
			t.Errorf("%s: got %v, want an invalid %s", name, err, c.field)
		}
	}
	for id, near := range map[string]string{"golf": "Gold", "sp": "SP500", "treasury": "Treasury10", "bitcoins": "Bitcoin"} {
		q := ok
		q.Asset = id
		_, err := b.Answer(q, time.Now())
		var unknown *forecast.UnknownAsset
		if !errors.As(err, &unknown) || !slices.Contains(unknown.Near, near) {
			t.Errorf("%s: got %v, want an unknown asset near %s", id, err, near)
		}
	}
}

// What-if: a higher inflation today lowers what banknotes and bonds keep, and
// the answer says that it is hypothetical.
func TestOverrides(t *testing.T) {
	t.Parallel()
	b := baseline(t)
	q := forecast.Question{Asset: "Banknotes", Months: 24, Model: forecast.Ensemble}
	plain, err := b.Answer(q, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	q.Features = map[string]float64{"inflation_12m": 0.12}
	what, err := b.Answer(q, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if !(what.Multiple.Median < plain.Multiple.Median) || !what.Hypothetical || plain.Hypothetical {
		t.Errorf("at 12 %% inflation: median %v after %v, hypothetical %v", what.Multiple.Median, plain.Multiple.Median, what.Hypothetical)
	}
	q.Features = map[string]float64{"inflation": 0.12}
	if short, err := b.Answer(q, time.Now()); err != nil || short.Multiple != what.Multiple {
		t.Errorf("by its short name: %v, want %v, %v", short, what.Multiple, err)
	}
	again, err := b.Answer(forecast.Question{Asset: "Banknotes", Months: 24, Model: forecast.Ensemble}, time.Now())
	if err != nil || again.Multiple != plain.Multiple {
		t.Errorf("a question changed the forecaster: %v after %v, %v", again.Multiple, plain.Multiple, err)
	}
}

// An answer from figures that ended long ago says first that its years begin
// there; one from figures that are only late does not.
func TestEnded(t *testing.T) {
	t.Parallel()
	b := baseline(t)
	s := &b.Assets[slices.IndexFunc(b.Assets, func(s forecast.AssetState) bool { return s.Asset.ID == "Gold" })]
	s.Asset.Kind = series.Custom
	at := func(year int, m time.Month) time.Time { return time.Date(year, m, 15, 0, 0, 0, 0, time.UTC) }
	s.Row.U = series.Of(2003, time.April)
	for _, c := range []struct {
		now   time.Time
		first string
	}{
		{at(2004, time.November), ""},
		{at(2004, time.December), "its figures ended in 2003-04, and the time counted here (5 years) begins there, not today: 1.7 years of it are already past"},
		{at(2008, time.March), "its figures ended in 2003-04, and the time counted here (5 years) begins there, not today: 4.9 years of it are already past"},
		{at(2026, time.November), "its figures ended in 2003-04, and the time counted here (5 years) begins there, not today: it was over in 2008-04, " +
			"and this says nothing of the years from today on"},
	} {
		a, err := b.Answer(forecast.Question{Asset: "Gold", Months: 60, Model: forecast.Ensemble}, c.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Weaknesses[0]; strings.HasPrefix(got, "its figures ended") != (c.first != "") || c.first != "" && got != c.first {
			t.Errorf("at %s: first weakness %q, want %q", c.now, got, c.first)
		}
		if late := slices.ContainsFunc(a.Notes, func(l string) bool { return strings.Contains(l, "are stale") }); late != (c.first == "") {
			t.Errorf("at %s: called stale %v", c.now, late)
		}
		if want := "no payouts are on record: only a change of its price can keep its purchasing power"; !slices.Contains(a.Weaknesses, want) {
			t.Errorf("an own asset without payouts: %q", a.Weaknesses)
		}
	}
}

func TestCompareRanks(t *testing.T) {
	t.Parallel()
	b := baseline(t)
	q := forecast.Question{Months: 120, Model: forecast.Ensemble}
	ranked, err := b.Compare([]string{"Banknotes", "sp500", "Gold", "Bills"}, q, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(ranked); i++ {
		if ranked[i].Probabilities.A > ranked[i-1].Probabilities.A {
			t.Errorf("rank %d is better than rank %d", i+1, i)
		}
	}
	if ranked[3].Asset != "Banknotes" {
		t.Errorf("last: got %s, want Banknotes", ranked[3].Asset)
	}
	for _, bad := range [][]string{{"Gold"}, {"Gold", "gold"}, slices.Repeat([]string{"Gold"}, 11)} {
		if _, err := b.Compare(bad, q, time.Now()); err == nil {
			t.Errorf("Compare(%v): got no error", bad)
		}
	}
}

func BenchmarkAnswer(b *testing.B) {
	f := baseline(b)
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Answer(forecast.Question{Asset: "Gold", Months: 60, Model: forecast.Ensemble}, now); err != nil {
			b.Fatal(err)
		}
	}
}
