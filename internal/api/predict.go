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
	"github.com/pppq/pppq/internal/panel"
)

const (
	// maxPredict bounds the body of one question.
	maxPredict = 64 << 10
	// maxFeature is how far from 0 a feature may be set.
	maxFeature = 1e6
)

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

// A shortName is another name for a feature, and the function of the value
// given that is the feature's.
type shortName struct {
	feature string
	of      func(float64) float64
}

// shortNames are those that people think of first.
var shortNames = map[string]shortName{
	"inflation": {"inflation_12m", func(x float64) float64 { return x }},
	"yield":     {"treasury_yield", func(x float64) float64 { return x }},
	"cape":      {"ln_cape", math.Log},
}

// features resolves short names. The error lists every name that is not known
// and every value that can't be, in order of name.
func features(given map[string]float64) (map[string]float64, error) {
	if len(given) == 0 {
		return nil, nil
	}
	var faults []Fault
	out := make(map[string]float64, len(given))
	for name, x := range given {
		fault := func(detail string) { faults = append(faults, at(shorten("/features/"+escapePointer(name)), detail)) }
		full := name
		if s, ok := shortNames[name]; ok {
			full, x = s.feature, s.of(x)
		}
		if _, err := panel.FeatureIndex(full); err != nil {
			fault("no feature has this name; GET /api/v1/model lists them")
			continue
		}
		if !(math.Abs(x) <= maxFeature) {
			fault("want a number between -1e6 and 1e6, above 0 for cape")
			continue
		}
		if _, twice := out[full]; twice {
			fault("the feature is given by two names")
			continue
		}
		out[full] = x
	}
	if len(faults) == 0 {
		return out, nil
	}
	slices.SortFunc(faults, func(a, b Fault) int { return strings.Compare(*a.Pointer, *b.Pointer) })
	return nil, invalid(faults[:min(len(faults), maxFaults)]...)
}

// answer asks the model in service and counts the forecast.
func (c *call) answer(q forecast.Question) (*forecast.Answer, error) {
	began := time.Now()
	a, err := c.model.Forecaster.Answer(q, c.now())
	if err == nil && !finite(a) {
		err = invalid(at("/features", "with these figures there is no finite forecast"))
	}
	if err != nil {
		c.h.options.Metrics.ModelError(kinds[problemOf(err).kind].name)
		return nil, err
	}
	count := c.h.service.predictions[q.Model]
	count.Observe(a.PredictedClass, time.Since(began))
	c.keep.count, c.keep.class = count, a.PredictedClass
	return a, nil
}

// finite reports whether an answer has only numbers that JSON can hold. Only
// figures that a caller made up can lead beyond them.
func finite(a *forecast.Answer) bool {
	ok := true
	for _, x := range []float64{
		a.Confidence, a.ProbabilityLoss, a.Probabilities.A, a.Probabilities.B, a.Probabilities.C, a.Probabilities.D,
		a.Multiple.Median, a.Multiple.P10, a.Multiple.P90, a.AnnualReturn.Median, a.AnnualReturn.P10, a.AnnualReturn.P90,
		a.Buys.Median, a.Buys.P10, a.Buys.P90, a.Core.Center, a.Core.Spread, a.Core.SpreadUsed, a.Core.LossCore,
	} {
		ok = ok && !math.IsNaN(x) && !math.IsInf(x, 0)
	}
	for _, p := range a.Core.Parts {
		ok = ok && !math.IsNaN(p.Rate) && !math.IsInf(p.Rate, 0)
	}
	for _, x := range a.Contributions {
		ok = ok && !math.IsNaN(x.LnSpread) && !math.IsInf(x.LnSpread, 0) && !math.IsNaN(x.Loss) && !math.IsInf(x.Loss, 0)
	}
	return ok
}
