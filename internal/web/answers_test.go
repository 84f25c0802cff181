package web

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/pppq/pppq/internal/forecast"
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
