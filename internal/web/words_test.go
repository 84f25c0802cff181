package web

import (
	"math"
	"strings"
	"testing"

	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
)

func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ got, want string }{
		{decimal(1234567.891, 2), "1,234,567.89"},
		{decimal(-1234, 0), "-1,234"},
		{decimal(999.96, 1), "1,000.0"},
		{decimal(-0.004, 2), "0.00"},
		{decimal(math.NaN(), 2), none},
		{decimal(math.Inf(-1), 0), none},
		{signed(0.04, 1), "0.0"},
		{signed(0.06, 1), "+0.1"},
		{signed(-2, 0), "-2"},
		{percent(0.126, 0), "13 %"},
		{percent(math.NaN(), 0), none},
		{signedPercent(-0.0123, 1), "-1.2 %"},
		{chance(0), "0 %"},
		{chance(0.004), "< 1 %"},
		{chance(0.996), "> 99 %"},
		{chance(1), "100 %"},
		{chance(0.5), "50 %"},
		{times(1.1018), "1.10×"},
		{times(0.0714), "0.071×"},
		{times(1413.2), "1,410×"},
		{times(math.Inf(1)), none},
		{between(forecast.Range{P10: 0.5, P90: 12.34}), "0.50–12.3×"},
		{dollars(110.2), "110 $"},
		{dollars(11296), "11,300 $"},
		{dollars(5), "5 $"},
		{dollars(0.0712), "0.071 $"},
		{dollars(60_512_345), "60.5 million $"},
		{axisDollars(1e8), "100 mln $"},
		{dollars(math.NaN()), none},
		{plural(1, "block", "blocks"), "1 block"},
		{plural(1200, "block", "blocks"), "1,200 blocks"},
		{yearsOf(12), "1 year"},
		{yearsOf(18), "1.5 years"},
		{yearsOf(15), "1.25 years"},
		{yearsOf(120), "10 years"},
		{monthName(series.Of(2026, 7)), "July 2026"},
		{monthName(0), none},
		{list([]string{"a", "b", "c"}), "a, b and c"},
		{list([]string{"a"}), "a"},
		{list(nil), ""},
	} {
		want := c.want
		if strings.HasPrefix(want, "-") {
			want = minus + want[1:]
		}
		if got := strings.ReplaceAll(c.got, nbsp, " "); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestEveryClassHasWords(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for i, c := range tiers() {
		if want := power.Class(i).String(); !strings.HasPrefix(want, c.letter+"_") || c.words == "" || c.class == "tier-none" || seen[c.words] {
			t.Errorf("class %s is shown as %+v", want, c)
		}
		seen[c.words] = true
	}
	if got := tierOf("E_UNKNOWN"); got.letter != "E_UNKNOWN" || got.class != "tier-none" {
		t.Errorf("an unknown class is shown as %+v", got)
	}
	for _, windows := range []float64{7, 3, 1} {
		if e := forecast.EvidenceOf(windows); evidenceMeaning(e) == "" {
			t.Errorf("evidence %s has no meaning in words", e)
		}
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		skill   backtest.Skill
		windows float64
		want    string
	}{
		"clear":            {backtest.Skill{Value: 0.1, Low: 0.05, High: 0.2, Blocks: 7}, 20, "better"},
		"few blocks":       {backtest.Skill{Value: 0.1, Low: 0.05, High: 0.2, Blocks: 3}, 9, "better so far, interval unreliable"},
		"interval over 0":  {backtest.Skill{Value: 0.1, Low: -0.05, High: 0.2, Blocks: 7}, 20, "not clearly better"},
		"nothing":          {backtest.Skill{Value: 0, Low: -0.05, High: 0.2, Blocks: 7}, 20, "not better"},
		"below":            {backtest.Skill{Value: -0.1, Low: -0.3, High: 0.2, Blocks: 7}, 20, "not better"},
		"all below":        {backtest.Skill{Value: -0.1, Low: -0.3, High: -0.01, Blocks: 7}, 20, "worse"},
		"great, no record": {backtest.Skill{Value: 0.67, Low: 0.66, High: 0.68, Blocks: 2}, 0.1, "too short a record to judge"},
	} {
		if got := judge(c.skill, c.windows).words; got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"Gold", "Gold"},
		{"a\x00b\x1b[31m\u202ec\xff", "a·b·[31m·c·"},
		{strings.Repeat("ß", 100), strings.Repeat("ß", 64) + "…"},
	} {
		if got := printable(c[0]); got != c[1] {
			t.Errorf("printable(%q) = %q, want %q", c[0], got, c[1])
		}
	}
}
