package web

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/series"
)

// TestOverviewFigures compares the closing table with the answers.
func TestOverviewFigures(t *testing.T) {
	t.Parallel()
	m := loadModel(t)
	_, page := newSite(m).ask(t, "GET", "/")
	var closing *element
	for caption, table := range mustParse(t, page).tables() {
		if strings.HasPrefix(caption, "Asset by horizon") {
			closing = table
		}
	}
	if closing == nil {
		t.Fatal("no closing table")
	}
	rows := closing.rows()
	if len(rows) != 9*4 {
		t.Fatalf("%d rows, want 36", len(rows))
	}
	for i, row := range rows {
		asset, months := m.Forecaster.Assets[i/4].Asset, shownHorizons[i%4]
		if i%4 == 0 {
			if row[0] != asset.ID+asset.Title {
				t.Errorf("row %d is of %q, want %s", i, row[0], asset.ID)
			}
			row = row[1:]
		}
		a, err := m.Forecaster.Answer(forecast.Question{Asset: asset.ID, Months: months, Model: forecast.Ensemble}, today)
		if err != nil {
			t.Fatal(err)
		}
		percentage := fmt.Sprintf("%.0f %%", 100*a.Probabilities.A)
		if a.Probabilities.A < 0.01 {
			percentage = "< 1 %"
		}
		for k, want := range []string{yearsOf(months), typed(percentage), a.PredictedClass[:1] + " · " + tierOf(a.PredictedClass).words,
			times(a.Multiple.Median), between(a.Multiple)} {
			if row[k] != want {
				t.Errorf("%s at %d months: got %q, want %q", asset.ID, months, row[k], want)
			}
		}
		if got := row[len(row)-1]; got != string(a.Evidence) {
			t.Errorf("%s at %d months: evidence %q, want %q", asset.ID, months, got, a.Evidence)
		}
	}
}

// TestAssetFigures compares an asset's page with its answers.
func TestAssetFigures(t *testing.T) {
	t.Parallel()
	m := loadModel(t)
	_, page := newSite(m).ask(t, "GET", "/assets/Treasury10")
	root := mustParse(t, page)
	cards := root.all("article")
	if len(cards) != 4 {
		t.Fatalf("%d cards, want 4", len(cards))
	}
	for i, months := range shownHorizons {
		a, err := m.Forecaster.Answer(forecast.Question{Asset: "Treasury10", Months: months, Model: forecast.Ensemble, Explain: true}, today)
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Contributions) == 0 || len(a.Core.Parts) != 2 {
			t.Fatalf("answer without contributions or parts: %+v", a)
		}
		text := cards[i].text
		wants := []string{
			"After " + yearsOf(months), typed(fmt.Sprintf("%.0f %%", 100*a.Probabilities.A)), typed(fmt.Sprintf("%.0f $", a.Buys.Median)),
			typed(fmt.Sprintf("between %.0f $ and %.0f $", a.Buys.P10, a.Buys.P90)), string(a.Evidence),
			typed(fmt.Sprintf("%.0f %%", 100*a.BaseRate.A)), typed(fmt.Sprintf("yield%+.1f %%", 100*a.Core.Parts[0].Rate)),
			typed(fmt.Sprintf("inflation expected%+.1f %%", 100*a.Core.Parts[1].Rate)),
			typed(fmt.Sprintf("the core alone%s%.1f %%", none, 100*a.Core.LossCore)), typed(fmt.Sprintf("the answer%s%.1f %%", none, 100*a.ProbabilityLoss)),
		}
		for _, c := range a.Contributions {
			points := fmt.Sprintf("%+.1f", 100*c.Loss)
			if math.Abs(100*c.Loss) < 0.05 {
				points = "0.0"
			}
			wants = append(wants, typed(points+" points"))
		}
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("the card of %d months does not say %q", months, want)
			}
		}
		for _, line := range append(append(a.Strengths, a.Weaknesses...), a.Notes...) {
			if !strings.Contains(root.text, line) {
				t.Errorf("the page does not say %q", line)
			}
		}
	}
	goods := root.tables()["What a holding that is worth 100 $ now buys, and what the same holding bought before"]
	if goods == nil || len(goods.rows()) != 4 {
		t.Fatal("no table of four goods")
	}
	a, err := m.Forecaster.Answer(forecast.Question{Asset: "Treasury10", Months: 12, Model: forecast.Ensemble}, today)
	if err != nil {
		t.Fatal(err)
	}
	for i, g := range a.Goods {
		want := fmt.Sprintf("%.1f"+nbsp+"%s%s", g.FiveYearsAgo.Units, g.Unit, monthName(g.FiveYearsAgo.Month))
		if got := goods.rows()[i][3]; got != want {
			t.Errorf("%s five years ago: got %q, want %q", g.Good, got, want)
		}
	}
	for _, want := range append(a.Sources, a.NotCovered, m.Version) {
		if !strings.Contains(root.text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// TestOwnVerdict wants it said plainly where forecasts of an asset were no
// better than its base rate.
func TestOwnVerdict(t *testing.T) {
	t.Parallel()
	m := loadModel(t)
	for asset, want := range map[string]string{
		"Gold":      "the forecasts were not clearly better over 10 years; not better over 1, 2, 3 and 5 years.",
		"Bills":     "the forecasts were better over 1, 2, 3 and 5 years; better so far, from few cases, over 10 years.",
		"Bitcoin":   "the forecasts were not better over 1, 2 and 3 years. The record is too short to judge them over 5 and 10 years.",
		"Tulips":    "Forecasts of it were not tested, so nothing is known of how good they are.",
		"Banknotes": "the forecasts were not clearly better over 3 and 5 years; not better over 1, 2 and 10 years.",
	} {
		if got := strings.ReplaceAll(ownVerdict(m.Report, asset), nbsp, " "); !strings.HasSuffix(got, want) {
			t.Errorf("%s: got %q, want %q at the end", asset, got, want)
		}
	}
}

// TestNoForecast shows an asset whose figures do not suffice.
func TestNoForecast(t *testing.T) {
	t.Parallel()
	m := loadModel(t)
	state := &m.Forecaster.Assets[4]
	state.Row.Values = append([]float64(nil), state.Row.Values...)
	for i := range state.Row.Values {
		state.Row.Values[i] = math.NaN()
	}
	s := newSite(m)
	_, page := s.ask(t, "GET", "/assets/"+state.Asset.ID)
	root := checkMarkup(t, page, false)
	if !strings.Contains(root.text, "There is no forecast for this asset") {
		t.Errorf("the page says %q", root.text)
	}
	_, page = s.ask(t, "GET", "/")
	if root := checkMarkup(t, page, false); strings.Count(root.text, "no forecast: too few figures") != 4 {
		t.Error("the overview does not say four times that there is no forecast")
	}
}

// TestWeakCells wants answers with little evidence marked among the others, in
// words, and the marks explained.
func TestWeakCells(t *testing.T) {
	t.Parallel()
	m := loadModel(t)
	_, page := newSite(m).ask(t, "GET", "/")
	root := checkMarkup(t, page, false)
	glance := root.tables()["Probability of keeping at least all of its purchasing power, and the most likely class"]
	if glance == nil {
		t.Fatal("no table at a glance")
	}
	for i, row := range glance.rows() {
		for k, months := range shownHorizons {
			a, err := m.Forecaster.Answer(forecast.Question{Asset: m.Forecaster.Assets[i].Asset.ID, Months: months, Model: forecast.Ensemble}, today)
			if err != nil {
				t.Fatal(err)
			}
			thin, no := strings.HasSuffix(row[k+1], "thin evidence"), strings.HasSuffix(row[k+1], "no evidence")
			if thin != (a.Evidence == forecast.Thin) || no != (a.Evidence == forecast.Insufficient) {
				t.Errorf("%s at %d months: %q for evidence %s", a.Asset, months, row[k+1], a.Evidence)
			}
		}
	}
	for _, want := range []string{"thin evidence: the record holds only two to five", "no evidence: the record holds not even two"} {
		if !strings.Contains(root.text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// TestCutShown wants the account of a centre to end in the rate that is used.
func TestCutShown(t *testing.T) {
	t.Parallel()
	m := loadModel(t)
	_, page := newSite(m).ask(t, "GET", "/assets/Bitcoin")
	cards := mustParse(t, page).all("article")
	for i, step := range []string{"", "", "halved: thin evidence", "set to nothing: no evidence"} {
		a, err := m.Forecaster.Answer(forecast.Question{Asset: "Bitcoin", Months: shownHorizons[i], Model: forecast.Ensemble}, today)
		if err != nil {
			t.Fatal(err)
		}
		want := "real return expected a year" + signedPercent(a.Core.CenterUsed, 1)
		if step != "" {
			want = step + signedPercent(a.Core.CenterUsed-a.Core.Center, 1) + want
		}
		if !strings.Contains(cards[i].text, want) {
			t.Errorf("the card of %d months does not say %q", shownHorizons[i], want)
		}
		if step == "" && (strings.Contains(cards[i].text, "halved:") || strings.Contains(cards[i].text, "set to nothing")) {
			t.Errorf("the card of %d months has a step", shownHorizons[i])
		}
	}
}

// TestOlderFigures wants the month of its own figures told of an asset whose
// figures end before those of others.
func TestOlderFigures(t *testing.T) {
	t.Parallel()
	said := func(e *element) string { return strings.ReplaceAll(e.text, nbsp, " ") }
	for _, c := range []struct {
		to                    series.Month
		now                   time.Time
		mark, banner, heading string
	}{
		{series.Of(2003, time.April), today, "not from today: figures ended in April 2003", "the figures of Gold ended in April 2003", "After 5 years, in April 2008"},
		{series.Of(2026, time.May), fresh, "figures to May 2026 only", "they end in May 2026", "After 5 years"},
	} {
		m := loadModel(t)
		m.Forecaster.Assets[4].Row.U = c.to
		s := newSite(m)
		s.now = c.now
		_, page := s.ask(t, "GET", "/")
		home := checkMarkup(t, page, false)
		if got := strings.Count(said(home), c.mark); got != 2 {
			t.Errorf("the overview says %d times %q, want twice", got, c.mark)
		}
		if !strings.Contains(said(home), "Figures to July 2026 unless marked") {
			t.Error("the overview gives one month for all")
		}
		_, page = s.ask(t, "GET", "/assets/Gold")
		own := checkMarkup(t, page, false)
		for _, want := range []string{c.banner, c.heading} {
			if !strings.Contains(said(own), want) {
				t.Errorf("the page of Gold does not say %q", want)
			}
		}
		if ended := c.mark[:3] == "not"; strings.Contains(said(own), "in July 2026") || ended == strings.Contains(said(own), "buy today") {
			t.Errorf("the page of Gold speaks of July 2026 or, ended %v, of today", ended)
		}
	}
}
