package api

import (
	"context"
	"math"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/series"
)

// Asset is everything that is known of one asset today.
type Asset struct {
	AssetLine
	Features []FeatureValue `json:"features" doc:"Its figures of the newest month, as forecasts read them"`
}

// A FeatureValue is a figure and its value; null is missing.
type FeatureValue struct {
	FeatureLine
	Value *float64 `json:"value"`
}

// Quality says how complete and plausible the figures behind an asset are.
type Quality struct {
	Asset string       `json:"asset"`
	From  series.Month `json:"from"`
	To    series.Month `json:"to" doc:"Newest month of its index"`
	// Months counts figures, Missing the months between From and To without one.
	Months  int             `json:"months"`
	Missing []series.Month  `json:"missing" doc:"Months without a figure between the first and the last"`
	Stale   bool            `json:"stale" doc:"Whether newer figures should be out"`
	Unusual []UnusualChange `json:"unusual_changes" doc:"Monthly real changes more than 8 robust standard deviations from the median: true extremes, or faults to look for"`
	Sources []string        `json:"sources"`
	// MonthlyAverage is about the price.
	MonthlyAverage bool `json:"monthly_average" doc:"Whether its price is an average of the month, which moves less than one of a day"`
}

// An UnusualChange is a month whose real return stands out.
type UnusualChange struct {
	Month  series.Month `json:"month"`
	Change float64      `json:"change" doc:"Real change over the month, as a share"`
	Sigmas float64      `json:"robust_sigmas"`
}

// unusualSigmas is how far from the median a change stands out; monthly returns
// have far fatter tails than a normal distribution.
const unusualSigmas = 8

type assetInput struct {
	Asset string `path:"asset" maxLength:"64" example:"Gold"`
}

type assetOutput struct {
	Body Asset
}

type qualityOutput struct {
	Body Quality
}

func (h *Handler) registerQuality() {
	operate(h, huma.Operation{
		OperationID: "asset", Method: http.MethodGet, Path: "/api/v1/assets/{asset}", Tags: []string{"assets"},
		Summary: "One asset and its newest figures", Errors: []int{401, 404, 429, 503},
	}, policy{scope: reads, model: true}, func(_ context.Context, c *call, in *assetInput) (*assetOutput, error) {
		s, err := c.model.Forecaster.Find(in.Asset)
		if err != nil {
			return nil, err
		}
		out := Asset{AssetLine: assetLine(s)}
		for i, f := range featureLines() {
			out.Features = append(out.Features, FeatureValue{FeatureLine: f, Value: number(s.Row.Values[i])})
		}
		return &assetOutput{Body: out}, nil
	})
	operate(h, huma.Operation{
		OperationID: "asset-quality", Method: http.MethodGet, Path: "/api/v1/assets/{asset}/quality", Tags: []string{"assets"},
		Summary: "How complete and plausible its figures are", Errors: []int{401, 404, 429, 503},
	}, policy{scope: reads, cache: true, model: true}, quality)
}

func quality(_ context.Context, c *call, in *assetInput) (*qualityOutput, error) {
	s, err := c.model.Forecaster.Find(in.Asset)
	if err != nil {
		return nil, err
	}
	own, _ := c.model.Forecaster.History.Asset(s.Asset.ID)
	real := own.Real
	q := Quality{
		Asset: s.Asset.ID, From: firstOfBoth(real, real), To: real.Last(), Missing: []series.Month{}, Unusual: []UnusualChange{},
		Stale: forecast.Stale(s.Row.U, c.now()), Sources: s.Sources, MonthlyAverage: s.Row.Values[panel.MonthlyAverage] == 1,
	}
	var changes []float64 // by month from From+1 on, NaN where one is missing
	for m := q.From; m <= q.To; m++ {
		if math.IsNaN(real.At(m)) {
			q.Missing = append(q.Missing, m)
		} else {
			q.Months++
		}
		if m > q.From {
			changes = append(changes, math.Log(real.At(m)/real.At(m-1)))
		}
	}
	center, sigma := robust(changes)
	for i, x := range changes {
		if z := (x - center) / sigma; math.Abs(z) > unusualSigmas && !math.IsInf(z, 0) {
			q.Unusual = append(q.Unusual, UnusualChange{Month: q.From + 1 + series.Month(i), Change: math.Expm1(x), Sigmas: z})
		}
	}
	return &qualityOutput{Body: q}, nil
}

// robust returns the median and the scaled median absolute deviation, which is
// the standard deviation if the values are normal; NaN is skipped, and none
// gives NaN.
//
// Source: Rousseeuw and Croux, "Alternatives to the Median Absolute Deviation" (1993).
func robust(values []float64) (center, sigma float64) {
	middle := func(v []float64) float64 {
		if len(v) == 0 {
			return math.NaN()
		}
		slices.Sort(v)
		return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
	}
	var known []float64
	for _, x := range values {
		if !math.IsNaN(x) {
			known = append(known, x)
		}
	}
	center = middle(known)
	for i := range known {
		known[i] = math.Abs(known[i] - center)
	}
	return center, 1.4826 * middle(known)
}
