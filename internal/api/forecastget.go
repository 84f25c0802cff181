package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pppq/pppq/internal/forecast"
)

type forecastInput struct {
	Asset        string  `path:"asset" maxLength:"64" doc:"Id of an asset, without case" example:"Gold"`
	HorizonYears float64 `query:"horizon_years" required:"true" minimum:"1" maximum:"10" multipleOf:"0.25" example:"5"`
	ModelType    string  `query:"model_type" enum:"lgbm,xgb,ensemble" default:"ensemble"`
	Explain      bool    `query:"explain" default:"true"`
	IfNoneMatch  string  `header:"If-None-Match" doc:"Entity tags; 304 if one is that of the answer"`
}

type forecastOutput struct {
	Status       int
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	Body         *forecast.Answer
}

func (h *Handler) registerForecast() {
	operate(h, huma.Operation{
		OperationID: "forecast", Method: http.MethodGet, Path: "/api/v1/forecast/{asset}", Tags: []string{"forecasts"},
		Summary:     "Forecast one asset, as a GET that can be cached",
		Description: "The same answer as /api/v1/predict. Its entity tag changes with the model, the figures behind it, and the question.",
		Errors:      []int{401, 404, 422, 429, 503},
		Responses:   map[string]*huma.Response{"304": {Description: "The caller has this answer"}},
	}, policy{scope: reads, cache: true, model: true, work: quick}, getForecast)
}

func getForecast(_ context.Context, c *call, in *forecastInput) (*forecastOutput, error) {
	state, err := c.model.Forecaster.Find(in.Asset)
	if err != nil {
		return nil, err
	}
	q := forecast.Question{Asset: state.Asset.ID, Months: months(in.HorizonYears), Model: forecast.ModelType(in.ModelType), Explain: in.Explain}
	out := &forecastOutput{
		Status: http.StatusOK,
		// With the month changes what is said of the age of figures.
		ETag: fmt.Sprintf(`"%s-%s-%d-%s-%t-%d"`, c.model.tag, q.Asset, q.Months, q.Model, q.Explain, c.month()),
		// Behind keys, a cache that many share must not answer for the service.
		CacheControl: "public, max-age=60, stale-if-error=86400",
	}
	if len(c.h.options.Keys) > 0 {
		out.CacheControl = "private, max-age=60, stale-if-error=86400"
	}
	if matches(c.r.Header["If-None-Match"], out.ETag) {
		out.Status = http.StatusNotModified
		return out, nil
	}
	out.Body, err = c.answer(q)
	return out, err
}
