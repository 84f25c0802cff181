package web

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/forecast"
)

func renderReport(t testing.TB, r *backtest.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteReport(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReportMarkup(t *testing.T) {
	page := renderReport(t, loadReport(t))
	root := checkMarkup(t, page, true)
	if n := len(page); n > 1<<20 {
		t.Errorf("report has %d bytes, want at most 1 MiB", n)
	}
	if got := len(root.all("svg")); got != 5+5+5+3+5+5+45 {
		t.Errorf("%d pictures, want 73", got)
	}
	csp := ""
	for _, m := range root.all("meta") {
		if m.attrs["http-equiv"] == "Content-Security-Policy" {
			csp = m.attrs["content"]
		}
	}
	if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "style-src 'sha256-") {
		t.Errorf("policy of the file is %q", csp)
	}
}

func TestReportIsDeterministic(t *testing.T) {
	a, b := renderReport(t, loadReport(t)), renderReport(t, loadReport(t))
	if !bytes.Equal(a, b) {
		t.Error("the same report gave two pages")
	}
}

// typed turns plain typing into what pages show: true minus signs, spaces that
// do not break.
func typed(s string) string {
	return strings.NewReplacer("-", minus, " %", nbsp+"%", " RPS", nbsp+"RPS", " points", nbsp+"points", " $", nbsp+"$").Replace(s)
}

// plainSkill writes a skill independently of skillValue and skillRange.
func plainSkill(s backtest.Skill) (value, interval string) {
	plus := func(text string) string {
		if strings.Trim(text, "+-0.") == "" {
			return strings.TrimLeft(text, "+-")
		}
		return text
	}
	if s.Difference {
		return typed(plus(fmt.Sprintf("%+.4f", s.Value)) + " RPS"),
			typed(plus(fmt.Sprintf("%+.4f", s.Low)) + " to " + plus(fmt.Sprintf("%+.4f", s.High)) + " RPS")
	}
	return typed(plus(fmt.Sprintf("%+.1f", 100*s.Value)) + " %"),
		typed(plus(fmt.Sprintf("%+.1f", 100*s.Low)) + " to " + plus(fmt.Sprintf("%+.1f", 100*s.High)) + " %")
}

// TestReportFigures compares tables of the page with the report, field by field.
func TestReportFigures(t *testing.T) {
	r := loadReport(t)
	tables := mustParse(t, renderReport(t, r)).tables()
	rows := func(caption string) [][]string {
		t.Helper()
		table := tables[caption]
		if table == nil {
			t.Fatalf("no table %q", caption)
		}
		return table.rows()
	}
	same := func(where, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %q, want %q", where, got, want)
		}
	}

	skills := rows("Skill against the best base rate of each horizon, with 90 % interval")
	for i, info := range r.Rungs {
		same("name", skills[i][0], rungName(info.Name))
		for k, hr := range r.Horizons {
			want := none
			if s := hr.Rungs[i]; s.Rung != hr.BestClimatology {
				value, interval := plainSkill(s.Skill)
				want = value + interval
			}
			same(fmt.Sprintf("skill of %s at %d months", info.Name, hr.Months), skills[i][k+1], want)
		}
	}
	blocks := skills[len(r.Rungs)+1]
	same("blocks at 1 year", blocks[1], "40"+nbsp+"blocks")
	same("blocks at 10 years", blocks[5], "3"+nbsp+"blocks, interval unreliable")

	groups := rows("Skill against the asset's own best base rate, by asset and group, with 90 % interval")
	seen := 0
	for _, row := range groups {
		for k, hr := range r.Horizons {
			for _, s := range hr.Groups {
				if s.Group != row[0] || s.Rung != "ensemble" {
					continue
				}
				seen++
				value, interval := plainSkill(s.Skill)
				if !strings.Contains(row[k+1], " "+value+interval) {
					t.Errorf("%s at %d months: got %q, want %q and %q in it", s.Group, hr.Months, row[k+1], value, interval)
				}
				lost := s.Skill.Value <= 0 && s.Windows >= 2
				if says := strings.Contains(row[k+1], "not better") || strings.Contains(row[k+1], "worse"); says != lost {
					t.Errorf("%s at %d months: skill %v, but the page says %q", s.Group, hr.Months, s.Skill.Value, row[k+1])
				}
			}
		}
	}
	if seen != 13*5 {
		t.Errorf("%d groups and horizons, want 65", seen)
	}

	points := rows("Forecast and seen share of losses, by horizon")
	i := 0
	for _, hr := range r.Horizons {
		shown := map[string][]backtest.ReliabilityBin{"any loss": hr.Reliability}
		for _, d := range r.DeepLosses {
			if d.Months == hr.Months && d.Rung == "ensemble" {
				shown[fmt.Sprintf("more than %.0f %%", 100*(1-d.Below))] = d.Bins
			}
		}
		for _, loss := range []string{"any loss", "more than 10 %", "more than 30 %"} {
			if len(shown[loss]) == 0 {
				t.Errorf("no points of %s at %d months", loss, hr.Months)
			}
			for _, b := range shown[loss] {
				same("loss", points[i][1], typed(loss))
				same("forecast", points[i][2], typed(fmt.Sprintf("%.1f %%", 100*b.Forecast)))
				same("seen", points[i][3], typed(fmt.Sprintf("%.1f %%", 100*b.Seen)))
				same("rows", points[i][5], whole(b.Rows))
				i++
			}
		}
	}
	if i != len(points) {
		t.Errorf("%d points on the page, %d in the report", len(points), i)
	}

	inside := rows("Share of outcomes inside the 50, 80 and 95 % intervals")
	for _, row := range inside {
		for k, hr := range r.Horizons {
			for _, s := range hr.Rungs {
				if rungName(s.Rung) == row[0] {
					same("coverage of "+s.Rung, row[k+1], typed(fmt.Sprintf("%.0f / %.0f / %.0f %%", 100*s.Coverage[0], 100*s.Coverage[1], 100*s.Coverage[2])))
				}
			}
		}
	}
	parts := rows("Share of outcomes inside the 50, 80 and 95 % intervals by group of assets and by inflation, and independent windows")
	if len(parts) != 4+3 {
		t.Errorf("%d groups and ranges of inflation, want 7", len(parts))
	}
	told := 0
	for _, row := range parts {
		for k, hr := range r.Horizons {
			for _, c := range r.Coverage {
				if c.Months == hr.Months && c.Rung == "ensemble" && partName(c) == row[0] {
					told++
					want := typed(fmt.Sprintf("%.0f / %.0f / %.0f %%", 100*c.Coverage[0], 100*c.Coverage[1], 100*c.Coverage[2]))
					if !strings.HasPrefix(row[k+1], want) {
						t.Errorf("coverage of %s at %d months: got %q, want %q", c.Name, hr.Months, row[k+1], want)
					}
				}
			}
		}
	}
	if told != 7*5 {
		t.Errorf("%d coverages of parts found, want 35", told)
	}
	if len(inside) != 7 {
		t.Errorf("%d kinds of forecast with intervals, want 7", len(inside))
	}
	for _, hr := range r.Horizons {
		scores := rows("Scores of probabilities at " + yearsOf(hr.Months))
		for i, s := range hr.Rungs {
			same("RPS", scores[i][1], fmt.Sprintf("%.4f", s.RPS))
			same("log loss", scores[i][3], fmt.Sprintf("%.3f", s.LogLoss))
			same("Brier", scores[i][6], fmt.Sprintf("%.3f", s.Brier))
		}
		classes := rows("Scores of classes and intervals at " + yearsOf(hr.Months))
		for i, s := range hr.Rungs {
			same("accuracy", classes[i][1], typed(fmt.Sprintf("%.1f %%", 100*s.Accuracy)))
			same("macro-F1", classes[i][4], fmt.Sprintf("%.3f", s.MacroF1))
		}
	}
}

func TestReportWords(t *testing.T) {
	r := loadReport(t)
	text := mustParse(t, renderReport(t, r)).text
	for _, id := range r.Assets {
		if !strings.Contains(text, id) {
			t.Errorf("asset %s is not on the page", id)
		}
	}
	for _, want := range []string{
		typed("by 7.1 % at 1"), typed("and 19.6 % at 10"), "January" + nbsp + "1985", "July" + nbsp + "2026", "Seed1", "carry-1 spread-1",
		"Gold (1, 2, 3, 5" + nbsp + "years)", "Too short a record to judge: Bitcoin (5, 10" + nbsp + "years)",
		"No result of this test is above its level", "lost: not served", "open: all months with a known outcome are in",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}

	r.VaultOpen = false
	r.Alarms = []backtest.Alarm{{What: "ensemble at 5 years: macro-F1", Value: 0.61, Level: 0.5}}
	r.Horizons[0].Rungs[11].Skill.Low = -0.01
	text = mustParse(t, renderReport(t, r)).text
	for _, want := range []string{
		"1" + nbsp + "result is too good to be true", "ensemble at 5 years: macro-F1", "0.610", "0.500",
		"closed: the newest 36 months of each horizon are held back", "At 1" + nbsp + "year that cannot be told from no gain at all",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("with an alarm and a closed vault the page does not say %q", want)
		}
	}
}

// TestReportOfTheCoreAlone wants the core to be the headline where the boosters
// earned no weight.
func TestReportOfTheCoreAlone(t *testing.T) {
	r := loadReport(t)
	r.Weights = forecast.Weights{}
	text := checkMarkup(t, renderReport(t, r), true).text
	for _, want := range []string{
		"Skill of what is served (carry core)", typed("by 6.8 % at 1"), "That earned them no weight: what is served is the core alone",
		"for the ensemble, which earned no weight.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// TestReportOfDrift names what is unlike its past and counts the rest.
func TestReportOfDrift(t *testing.T) {
	r := loadReport(t)
	calm := backtest.DriftReading{Measure: "ks", Value: 0.2, P95: 0.5, P99: 0.6, State: "none"}
	r.Drift = []backtest.Drift{
		{Feature: "inflation_12m", Readings: []backtest.DriftReading{calm, {Measure: "psi", Value: 2.5, P95: 1.5, P99: 2, State: "raised"}}},
		{Asset: "Gold", Feature: "vol_12m", Readings: []backtest.DriftReading{calm, {Measure: "wasserstein", Value: 1.7, P95: 1.5, P99: 2, State: "warn"}}},
	}
	root := checkMarkup(t, renderReport(t, r), true)
	rows := root.tables()["Figures that are further from their past than in 95 % of all windows before"].rows()
	if len(rows) != 2 || rows[0][1] != "the economy" || rows[0][6] != "alarm" || rows[1][1] != "Gold" || rows[1][6] != "look" || rows[1][3] != "1.70" {
		t.Errorf("got %q", rows)
	}
	if want := "Of 4" + nbsp + "readings 2" + nbsp + "are above the 95th percentile of their past, of them 1 above the 99th"; !strings.Contains(root.text, want) {
		t.Errorf("the page does not say %q", want)
	}
	r.Drift = nil
	if text := checkMarkup(t, renderReport(t, r), true).text; strings.Contains(text, "Drift") {
		t.Error("a report without drift has a part for it")
	}
}

// TestReportOfAnyShape renders reports that lack things; none may panic or
// break the page.
func TestReportOfAnyShape(t *testing.T) {
	whole := loadReport(t)
	bare := *whole
	bare.Horizons = []backtest.HorizonReport{{Months: 18, Rungs: []backtest.RungScore{{Rung: "ensemble"}}}}
	odd := *whole
	odd.Paths = []backtest.Path{{Asset: "Gold", Months: 12}, {Asset: "Oil", Months: 12, From: 24000, Loss: []int16{-1, 500, -1}, Outcome: []int8{-1, 7}}}
	for name, r := range map[string]*backtest.Report{"empty": {}, "bare": &bare, "odd": &odd} {
		t.Run(name, func(t *testing.T) { checkMarkup(t, renderReport(t, r), true) })
	}
}

func BenchmarkReport(b *testing.B) {
	r := loadReport(b)
	b.ReportAllocs()
	for b.Loop() {
		renderReport(b, r)
	}
}
