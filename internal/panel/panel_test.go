package panel_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
)

func TestUniqueness(t *testing.T) {
	t.Parallel()
	want := []float64{0.6111, 0.3889, 0.3333, 0.3333, 0.3889, 0.6111}
	for i, w := range panel.Uniqueness(6, 3) {
		if math.Abs(w-want[i]) > 5e-5 {
			t.Errorf("Uniqueness(6, 3)[%d]: got %.4f, want %.4f", i, w, want[i])
		}
	}
	for _, c := range []struct {
		n, h int
		sum  float64
	}{{6, 3, 2.6667}, {120, 12, 10.9167}, {1, 12, 1}, {5, 60, 64.0 / 60}} {
		sum := 0.0
		for _, w := range panel.Uniqueness(c.n, c.h) {
			sum += w
		}
		if math.Abs(sum-c.sum) > 5e-5 {
			t.Errorf("sum of Uniqueness(%d, %d): got %.4f, want %.4f", c.n, c.h, sum, c.sum)
		}
	}
}

func TestHorizons(t *testing.T) {
	t.Parallel()
	for i := range panel.NumHorizons {
		if got, ok := panel.HorizonIndex(panel.Horizon(i)); got != i || !ok {
			t.Errorf("HorizonIndex(Horizon(%d)): got %d, %v", i, got, ok)
		}
	}
	for _, bad := range []int{0, 9, 11, 13, 121, 123, -12} {
		if _, ok := panel.HorizonIndex(bad); ok {
			t.Errorf("HorizonIndex(%d): got ok", bad)
		}
	}
}

// The price index of 2025-10 was never published: at the end of November the
// newest known is September's; in December October is imputed.
func TestMissingMonthOfThePriceIndex(t *testing.T) {
	t.Parallel()
	p := build(t, embedded(t))
	gold, _ := p.Find("Gold")
	october := series.Of(2025, 10)
	for m, u := range map[series.Month]series.Month{october: october - 1, october + 1: october - 1, october + 2: october + 1} {
		if row, ok := gold.At(m); !ok || row.U != u {
			t.Errorf("row at %s: ends at %s, want %s", m, row.U, u)
		}
	}
	h, _ := panel.HorizonIndex(12)
	if _, known := gold.Outcome(october-12, h); known != october+2 {
		t.Errorf("outcome that ends in 2025-10: known at %s, want 2025-12", known)
	}
	if len(p.Imputed) != 1 || p.Imputed[0] != october {
		t.Errorf("imputed months: got %v, want 2025-10", p.Imputed)
	}
}

// The outcome is the quotient of two real indices, known a month after its end.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	set := embedded(t)
	p := build(t, set)
	gold, _ := p.Find("Gold")
	price, _ := set.Get("GOLD")
	cpi, _ := set.Get("CPIAUCNS")
	from, h := series.Of(1990, 5), 60
	i, _ := panel.HorizonIndex(h)
	ln, known := gold.Outcome(from, i)
	to := from + series.Month(h)
	v, d := price.Latest(), cpi.Latest()
	want := power.Multiple(v.At(from), v.At(to), d.At(from), d.At(to))
	if got := math.Exp(ln); math.Abs(got-want) > 1e-12 {
		t.Errorf("multiple of gold from %s: got %v, want %v", from, got, want)
	}
	if known != to+1 {
		t.Errorf("known: got %s, want %s", known, to+1)
	}
	if _, known := gold.Outcome(p.Last, i); known != 0 {
		t.Errorf("an outcome of the future is known at %s", known)
	}
}

// Rates of classes over all windows, against those that docs/method.md states
// for these figures.
func TestBaseRates(t *testing.T) {
	t.Parallel()
	p := build(t, embedded(t))
	h, _ := panel.HorizonIndex(120)
	for id, want := range map[string][4]float64{
		"SP500": {87, 3, 8, 2}, "Treasury10": {72, 7, 18, 3}, "Bills": {55, 20, 18, 8}, "Gold": {57, 3, 18, 22}, "Banknotes": {0, 0, 61, 39},
	} {
		rows, _ := p.Find(id)
		var share [4]float64
		n := 0.0
		for m := rows.First(); m <= rows.LastOutcome(h); m++ {
			ln, _ := rows.Outcome(m, h)
			share[power.DefaultTiers().ClassOfLog(ln)]++
			n++
		}
		for c := range share {
			if got := 100 * share[c] / n; math.Abs(got-want[c]) > 0.75 {
				t.Errorf("%s, class %s: got %.1f %%, want %v %%", id, power.Class(c), got, want[c])
			}
		}
	}
}

func TestUserAsset(t *testing.T) {
	t.Parallel()
	set := embedded(t)
	start := series.Of(2024, 1)
	var obs, paid []series.Observation
	for i := range series.Month(31) {
		if i == 5 {
			continue // a gap: the index bridges it
		}
		m := start + i
		obs = append(obs, series.Observation{Period: m, Value: 100 + float64(i), KnownFrom: m.End()})
		paid = append(paid, series.Observation{Period: m, Value: 0.5, KnownFrom: m.End()})
	}
	price, err := series.New(series.Info{ID: "FUND", Sampling: series.End}, obs)
	if err != nil {
		t.Fatal(err)
	}
	income, err := series.New(series.Info{ID: "FUND_INCOME", Sampling: series.Whole}, paid)
	if err != nil {
		t.Fatal(err)
	}
	all := []*series.Series{price, income}
	for _, id := range set.IDs() {
		s, _ := set.Get(id)
		all = append(all, s)
	}
	with, err := series.NewSet(all...)
	if err != nil {
		t.Fatal(err)
	}
	assets := append(series.BuiltinAssets(), series.Asset{ID: "Fund", Kind: series.Custom, Price: "FUND", Income: "FUND_INCOME", Fee: 0.012})
	p, err := panel.Build(t.Context(), with, assets)
	if err != nil {
		t.Fatal(err)
	}
	plain := build(t, set)
	sameUntil(t, plain, &panel.Panel{Assets: p.Assets[:9]}, plain.Last)
	fund, _ := p.Find("Fund")
	if got, want := fund.Rows[0].U, start+5+panel.MinMonths; got != want {
		t.Errorf("first row ends at %s, want %s: %d figures without a gap", got, want, panel.MinMonths)
	}
	want := 0.0
	for i := 1; i < 31; i++ {
		if i == 5 {
			continue
		}
		prev, pay := float64(100+i-1), 0.5
		if i == 6 {
			prev, pay = 104, 0.5
		}
		want += math.Log((100 + float64(i) + pay) / prev)
	}
	want += 30.0 / 12 * math.Log(1-0.012)
	if got := fund.Nominal.At(start + 30); math.Abs(got-want) > 1e-12 {
		t.Errorf("nominal index: got %v, want %v", got, want)
	}
}

// BenchmarkBuild shows the cost against the number of assets: it is linear.
func BenchmarkBuild(b *testing.B) {
	set := embedded(b)
	for _, copies := range []int{1, 2, 4} {
		var assets []series.Asset
		for c := range copies {
			for _, a := range series.BuiltinAssets() {
				if c > 0 {
					a.ID = fmt.Sprintf("%s%d", a.ID, c)
				}
				assets = append(assets, a)
			}
		}
		b.Run(fmt.Sprintf("assets=%d", len(assets)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := panel.Build(b.Context(), set, assets); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
