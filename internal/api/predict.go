package api

import (
	"context"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pppq/pppq/internal/forecast"
)

// maxPredict bounds the body of one question.
const maxPredict = 64 << 10

// A PredictRequest is one question.
type PredictRequest struct {
	Asset        string  `json:"asset" minLength:"1" maxLength:"64" doc:"Id of an asset, without case; GET /api/v1/assets lists them" example:"Gold"`
	HorizonYears float64 `json:"horizon_years" minimum:"1" maximum:"10" multipleOf:"0.25" doc:"How long it is held" example:"5"`
	ModelType    string  `json:"model_type,omitempty" enum:"lgbm,xgb,ensemble" default:"ensemble" doc:"Whose spread is used: the leaf-wise booster's, the depth-wise booster's, or both"`
	// Features replace figures.
	Features map[string]float64 `json:"features,omitempty" maxProperties:"100" doc:"What if: figures to replace, by name (GET /api/v1/model lists them; inflation, yield and cape are short names). The answer is then hypothetical"`
	Explain  *bool              `json:"explain,omitempty" doc:"Add what moved the spread, by family of features; true unless features is given"`
}

// TransformSchema says what may be null.
func (PredictRequest) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema { return orNull(s) }

type predictInput struct {
	Body PredictRequest
}

type predictOutput struct {
	Body *forecast.Answer
}

var predictType = reflect.TypeFor[PredictRequest]()

// examplePredict is the question of the reference.
var examplePredict = map[string]any{"asset": "Gold", "horizon_years": 5, "model_type": "ensemble"}

func (h *Handler) registerPredict() {
	schemas := h.api.OpenAPI().Components.Schemas
	h.predict = compile(schemas, schemas.Schema(predictType, true, ""))
	operate(h, huma.Operation{
		OperationID: "predict", Method: http.MethodPost, Path: "/api/v1/predict", Tags: []string{"forecasts"},
		Summary:     "Forecast one asset over one horizon",
		RequestBody: example(examplePredict),
		Errors:      []int{400, 401, 404, 413, 415, 422, 429, 503},
	}, policy{scope: reads, body: maxPredict, cache: true, model: true, work: quick},
		func(_ context.Context, c *call, in *predictInput) (*predictOutput, error) {
			q, err := in.Body.question()
			if err != nil {
				return nil, err
			}
			a, err := c.answer(q)
			if err != nil {
				return nil, err
			}
			return &predictOutput{Body: a}, nil
		})
}

// example is a request body with an example; huma fills in the schema.
func example(v any) *huma.RequestBody {
	return &huma.RequestBody{Content: map[string]*huma.MediaType{jsonType: {Example: v}}}
}

// question turns a checked request into a question.
func (r *PredictRequest) question() (forecast.Question, error) {
	q := forecast.Question{
		Asset: r.Asset, Months: months(r.HorizonYears), Model: forecast.ModelType(r.ModelType),
		Explain: len(r.Features) == 0,
	}
	if q.Model == "" {
		q.Model = forecast.Ensemble
	}
	if r.Explain != nil {
		q.Explain = *r.Explain
	}
	var err error
	q.Features, err = features(r.Features)
	return q, err
}

// months is a checked horizon in months.
func months(years float64) int { return int(math.Round(years * 12)) }

// features resolves short names. The error lists every name that is not known
// and every value that can't be, in order of name.
func features(given map[string]float64) (map[string]float64, error) {
	if len(given) == 0 {
		return nil, nil
	}
	out, wrong := forecast.Features(given)
	if len(wrong) == 0 {
		return out, nil
	}
	var faults []Fault
	for _, w := range wrong {
		detail := w.Reason
		if detail == forecast.UnknownFeature {
			detail = "no feature has this name; GET /api/v1/model lists them"
		}
		faults = append(faults, at(shorten(fieldPointer(w.Field)), detail))
	}
	slices.SortFunc(faults, func(a, b Fault) int { return strings.Compare(*a.Pointer, *b.Pointer) })
	return nil, invalid(faults[:min(len(faults), maxFaults)]...)
}

// answer asks the model in service and counts the forecast.
func (c *call) answer(q forecast.Question) (*forecast.Answer, error) {
	began := time.Now()
	a, err := c.model.Forecaster.Answer(q, c.now())
	if err != nil {
		c.h.options.Metrics.ModelError(kinds[problemOf(err).kind].name)
		return nil, err
	}
	count := c.h.service.predictions[q.Model]
	count.Observe(a.PredictedClass, time.Since(began))
	c.keep.count, c.keep.class = count, a.PredictedClass
	return a, nil
}
