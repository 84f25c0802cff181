package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
)

// Model says what is in service and how good it is.
type Model struct {
	Version string    `json:"version"`
	Created time.Time `json:"created"`
	Program string    `json:"program" doc:"Version of the program that made it"`
	// Baseline has no boosters.
	Baseline bool         `json:"baseline" doc:"True if it is the core alone, without trained boosters"`
	DataFrom series.Month `json:"data_from"`
	DataAsOf series.Month `json:"data_as_of"`
	Stale    bool         `json:"stale"`
	DataHash string       `json:"data_hash" doc:"sha256 of every figure behind it"`
	Seed     uint64       `json:"seed"`
	Assets   []string     `json:"assets"`
	// Tiers are the lower bounds of A, B and C.
	Tiers       power.Tiers                                 `json:"tiers" doc:"Lower bounds of the first three classes, as multiples of purchasing power"`
	Weights     forecast.Weights                            `json:"weights" doc:"What each booster earned in the test; 0 is not better than the core"`
	Calibration forecast.Calibration                        `json:"calibration"`
	Metrics     bundle.Metrics                              `json:"metrics" doc:"Headline scores of the walk-forward test"`
	References  map[forecast.ModelType][]forecast.Reference `json:"reference_scores" doc:"Scores by model type and horizon, with the baseline they are held against"`
	Evaluation  Evaluation                                  `json:"evaluation"`
	Features    []FeatureLine                               `json:"features" doc:"Figures that forecasts are made from and that a question may replace"`
	Series      []bundle.DataSeries                         `json:"series" doc:"The figures behind it, with source and licence"`
	NotProven   []backtest.Alarm                            `json:"alarms" doc:"Results that are too good to be true; a model with one is not put into service by itself"`
}

// Evaluation is the walk-forward test without its pictures.
type Evaluation struct {
	From     series.Month             `json:"from"`
	To       series.Month             `json:"to"`
	Rungs    []backtest.RungInfo      `json:"rungs"`
	Horizons []backtest.HorizonReport `json:"horizons"`
	Pooled   []backtest.Skill         `json:"pooled"`
}

type modelOutput struct {
	Body Model
}

func (h *Handler) registerModel() {
	operate(h, huma.Operation{
		OperationID: "model", Method: http.MethodGet, Path: "/api/v1/model", Tags: []string{"models"},
		Summary: "What is in service and how good it is", Errors: []int{401, 429, 503},
	}, policy{scope: reads, model: true}, func(_ context.Context, c *call, _ *none) (*modelOutput, error) {
		m, r := c.model.Manifest, c.model.Report
		return &modelOutput{Body: Model{
			Version: m.Version, Created: m.Created, Program: m.Program, Baseline: m.Baseline,
			DataFrom: m.DataFrom, DataAsOf: m.DataAsOf, Stale: c.model.stale(c.now()), DataHash: m.DataHash, Seed: m.Seed,
			Assets: m.Assets, Tiers: m.Tiers, Weights: m.Weights, Calibration: m.Calibration, Metrics: m.Metrics,
			References: c.model.Forecaster.References, Features: featureLines(), Series: c.model.Data.Series, NotProven: r.Alarms,
			Evaluation: Evaluation{From: r.From, To: r.To, Rungs: r.Rungs, Horizons: r.Horizons, Pooled: r.Pooled},
		}}, nil
	})
}
