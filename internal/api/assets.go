package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/series"
)

// An AssetLine describes something that can be forecast.
type AssetLine struct {
	ID    string      `json:"id" doc:"Matched without case" example:"Gold"`
	Title string      `json:"title"`
	Kind  series.Kind `json:"kind" doc:"How its return is made: equity, bond, bill, banknote, commodity, coin or custom"`
	Unit  string      `json:"unit,omitempty" doc:"What one of it is"`
	// HasIncome is false for what only a change of price can save.
	HasIncome bool `json:"has_income" doc:"Whether it pays or yields anything"`
	// Fee is a share a year.
	Fee    float64      `json:"fee" doc:"What holding it costs a year, as a share"`
	From   series.Month `json:"from" doc:"First month of its real index" example:"1971-08"`
	To     series.Month `json:"to" doc:"Newest month of its figures that is used" example:"2026-09"`
	Months int          `json:"months" doc:"Monthly figures of its real index"`
	// Evidence is by horizon.
	Evidence []EvidenceLine `json:"evidence" doc:"How many independent windows stand behind a forecast, by horizon"`
	Sources  []string       `json:"sources"`
}

// An EvidenceLine grades the record behind one horizon.
type EvidenceLine struct {
	HorizonYears float64           `json:"horizon_years"`
	Windows      float64           `json:"windows" doc:"Past windows of that length that do not overlap"`
	Evidence     forecast.Evidence `json:"evidence"`
}

// Assets is the list of what can be forecast.
type Assets struct {
	DataAsOf series.Month `json:"data_as_of"`
	Stale    bool         `json:"stale"`
	Assets   []AssetLine  `json:"assets"`
}

type assetsOutput struct {
	Body Assets
}

// tableMonths are the horizons of tables.
var tableMonths = []int{12, 36, 60, 120}

func (h *Handler) registerAssets() {
	operate(h, huma.Operation{
		OperationID: "assets", Method: http.MethodGet, Path: "/api/v1/assets", Tags: []string{"assets"},
		Summary: "What can be forecast", Errors: []int{401, 429, 503},
	}, policy{scope: reads, model: true}, func(_ context.Context, c *call, _ *none) (*assetsOutput, error) {
		out := Assets{DataAsOf: c.model.Manifest.DataAsOf, Stale: c.model.stale(c.now())}
		for i := range c.model.Forecaster.Assets {
			out.Assets = append(out.Assets, assetLine(&c.model.Forecaster.Assets[i]))
		}
		return &assetsOutput{Body: out}, nil
	})
}

func assetLine(s *forecast.AssetState) AssetLine {
	a := AssetLine{
		ID: s.Asset.ID, Title: s.Asset.Title, Kind: s.Asset.Kind, Unit: s.Asset.Unit, HasIncome: s.Asset.HasIncome(), Fee: s.Asset.Fee,
		From: s.BaseFrom, To: s.Row.U, Months: s.Months, Sources: s.Sources,
	}
	for _, m := range tableMonths {
		windows := float64(s.Months) / float64(m)
		a.Evidence = append(a.Evidence, EvidenceLine{HorizonYears: float64(m) / 12, Windows: windows, Evidence: forecast.EvidenceOf(windows)})
	}
	return a
}

// A FeatureLine is one figure that forecasts are made from.
type FeatureLine struct {
	Name   string       `json:"name"`
	Family panel.Family `json:"family"`
	Unit   string       `json:"unit"`
	Help   string       `json:"help"`
}

// featureLines are all figures that a question may replace.
func featureLines() []FeatureLine {
	var out []FeatureLine
	for _, f := range panel.Features() {
		out = append(out, FeatureLine(f))
	}
	return out
}
