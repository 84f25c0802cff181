package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pppq/pppq/internal/forecast"
)

const (
	// maxBatch bounds the body of a batch, maxItems its questions.
	maxBatch = 2 << 20
	maxItems = 1000
)

// A BatchRequest asks many questions at once.
type BatchRequest struct {
	Items []BatchItem `json:"items" minItems:"1" maxItems:"1000" doc:"Questions as of /api/v1/predict; each is answered, or refused, by itself"`
}

// TransformSchema marks that items are checked one by one.
func (BatchRequest) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Properties["items"].Extensions = map[string]any{extensionAlone: true}
	return s
}

// A BatchItem is a question that is not read yet.
type BatchItem struct{ jsontext.Value }

// Schema shows it as what it must be.
func (BatchItem) Schema(r huma.Registry) *huma.Schema { return r.Schema(predictType, true, "") }

// A Batch has one line a question, in order.
type Batch struct {
	Items    []BatchLine `json:"items"`
	Answered int         `json:"answered"`
	Failed   int         `json:"failed"`
}

// A BatchLine is an answer or a problem.
type BatchLine struct {
	Index   int              `json:"index" doc:"Place of the question, from 0"`
	Answer  *forecast.Answer `json:"forecast,omitempty"`
	Problem *Problem         `json:"problem,omitempty" doc:"Why this question has no answer; pointers begin at the question"`
}

type batchInput struct {
	Body BatchRequest
}

func (h *Handler) registerBatch() {
	operate(h, huma.Operation{
		OperationID: "predict-batch", Method: http.MethodPost, Path: "/api/v1/predict/batch", Tags: []string{"forecasts"},
		Summary:     "Forecast up to 1,000 questions",
		Description: "Order is kept. A question that can't be answered carries its own problem and does not touch the others.",
		Responses:   h.answers(reflect.TypeFor[Batch]()), DefaultStatus: http.StatusOK,
		RequestBody: example(map[string]any{"items": []any{examplePredict, map[string]any{"asset": "Bills", "horizon_years": 1, "explain": false}}}),
		Errors:      []int{400, 401, 413, 415, 422, 429, 503},
	}, policy{scope: reads, body: maxBatch, model: true, work: long}, batch)
}

func batch(ctx context.Context, c *call, in *batchInput) (*none, error) {
	return nil, c.writeLines(ctx, len(in.Body.Items), func(i int) (any, bool, error) {
		a, err := c.ask(in.Body.Items[i].Value)
		if err == nil {
			return BatchLine{Index: i, Answer: a}, true, nil
		}
		p := problemOf(err)
		if p.kind == kindBug {
			return nil, false, err
		}
		return BatchLine{Index: i, Problem: p}, false, nil
	})
}

// ask answers one question of many.
func (c *call) ask(text jsontext.Value) (*forecast.Answer, error) {
	if p := c.h.predict.check(text, ""); p != nil {
		return nil, p
	}
	var r PredictRequest
	if err := format.Unmarshal(text, &r); err != nil {
		return nil, err
	}
	q, err := r.question()
	if err != nil {
		return nil, err
	}
	return c.answer(q)
}
