package bundle_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/series"
)

func card(t *testing.T, c bundle.Contents) string {
	t.Helper()
	f := folder(t)
	v, err := lock(t, f).Write(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(load(t, f, v).ModelCard)
}

// TestModelCard: its figures are those of the report and the forecaster.
func TestModelCard(t *testing.T) {
	t.Parallel()
	c := contents(t)
	text := card(t, c)
	for _, want := range []string{
		"For 9 assets and every horizon",
		"| B_PARTIAL | 0.90 to under 1.00 |",
		"lightgbm.txt (80 trees, grown leaf by leaf)",
		"- Seed: 18446744073709551615\n",
		"- Temperature of the class probabilities: 1.100\n",
		"| Bitcoin | Bitcoin | 2010-07 | 2026-07 | 193 | 16.1 / 3.2 / 1.6 | sufficient / thin / insufficient |",
		"| GOLD | Gold | $ per troy ounce | 1970-01 | 2026-07 | World Bank",
		c.Data.Hash,
		"every month from 1985-01 to 2025-07",
		"3 kinds of forecast were tried",
		"are held back and not part of the test",
		"| 1 year | 3941 | 2025-07 | 328 | 40 | 0.1000 | climatology_partial 0.1200 | +0.100 [+0.050, +0.200] | +0.007 [-0.001, +0.011] (difference) | 0.900 | 0.62 | 0.40 | 0.75 | 0.50 / 0.80 / 0.95 |",
		"| 10 years | 3941 | 2025-07 | 328 | 3 |",
		"Mean over these horizons: skill +0.150, accuracy 0.63, macro-F1 0.40.",
		"| ensemble | +0.100 [+0.050, +0.200] | +0.200 [+0.050, +0.200] | +0.123 [-0.000, +1.000] over carry_core |",
		"| climatology_partial | the best climatology | the best climatology | - |",
		"- lgbm earned its weight.\n- xgb earned no weight: it was not better.\n",
		"| stocks | +0.050 [+0.010, +0.100], 6 blocks, coverage 0.77 |",
		"| 1 year | 1985-01 to 1998-12: +0.062 |",
		"| 1 year | 0.15: 0.16 (394) |",
		"No result is past the level",
		"too few blocks to be relied on at 10 years (3 blocks)",
		"- SP500: not better than its own base rate at 1 year, 10 years.\n- SP500: too few blocks for its own interval at 1 year.\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q", want)
		}
	}
	for _, never := range []string{"NaN", "%!", "+Inf", "baseline"} {
		if strings.Contains(text, never) {
			t.Errorf("contains %q", never)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestModelCardOfBaseline(t *testing.T) {
	t.Parallel()
	c := baseline(t)
	c.Report = report()
	c.Report.VaultOpen = true
	c.Report.Alarms = []backtest.Alarm{{What: "carry_core at 1 years: <skill>", Value: 0.5, Level: 0.15}}
	c.Data.Series = append(slices.Clone(c.Data.Series), bundle.DataSeries{ID: "MINE", Title: "a|b\n<script>", From: series.Of(2000, 1), To: series.Of(2001, 1)})
	text := card(t, c)
	for _, want := range []string{
		"**This is a baseline: the carry core alone.**",
		`### By horizon, kind "carry_core"`,
		"The carry core alone is served.",
		"held back while the method was made, are part of the test",
		"do not trust them:**\n\n- carry_core at 1 years: &lt;skill&gt; is 0.500, above 0.150\n",
		`| MINE | a\|b &lt;script&gt; |`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q", want)
		}
	}
	if strings.Contains(text, "lightgbm") || strings.Contains(text, "earned") {
		t.Error("speaks of boosters")
	}
}

// TestDescribeData: figures decide the hash, when they were fetched does not.
func TestDescribeData(t *testing.T) {
	t.Parallel()
	describe := func(change func(*series.Info, []series.Observation)) bundle.Data {
		t.Helper()
		info := series.Info{ID: "X", Title: "x", Source: "s", Sampling: series.End}
		obs := []series.Observation{
			{Period: series.Of(2000, 1), Value: 1, KnownFrom: series.Of(2000, 2).End()},
			{Period: series.Of(2000, 2), Value: 2, KnownFrom: series.Of(2000, 3).End()},
		}
		change(&info, obs)
		s, err := series.New(info, obs)
		if err != nil {
			t.Fatal(err)
		}
		set, err := series.NewSet(s)
		if err != nil {
			t.Fatal(err)
		}
		d, err := bundle.DescribeData(set)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	plain := describe(func(*series.Info, []series.Observation) {})
	if s := plain.Series; len(s) != 1 || s[0].ID != "X" || s[0].From != series.Of(2000, 1) || s[0].To != series.Of(2000, 2) || len(plain.Hash) != 64 {
		t.Errorf("got %+v", plain)
	}
	for name, c := range map[string]struct {
		change func(*series.Info, []series.Observation)
		same   bool
	}{
		"fetched":  {func(_ *series.Info, o []series.Observation) { o[0].RetrievedAt = created }, true},
		"title":    {func(i *series.Info, _ []series.Observation) { i.Title = "y" }, true},
		"id":       {func(i *series.Info, _ []series.Observation) { i.ID = "Y" }, false},
		"sampling": {func(i *series.Info, _ []series.Observation) { i.Sampling = series.Average }, false},
		"value":    {func(_ *series.Info, o []series.Observation) { o[1].Value = 3 }, false},
		"period":   {func(_ *series.Info, o []series.Observation) { o[0].Period-- }, false},
		"known":    {func(_ *series.Info, o []series.Observation) { o[1].KnownFrom++ }, false},
	} {
		if got := describe(c.change).Hash == plain.Hash; got != c.same {
			t.Errorf("%s: same hash %v, want %v", name, got, c.same)
		}
	}
}
