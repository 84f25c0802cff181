package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pppq/pppq/internal/forecast"
)

// A CompareRequest asks for a ranking.
type CompareRequest struct {
	Assets       []string `json:"assets" minItems:"2" maxItems:"10" doc:"Ids of different assets" example:"[\"SP500\",\"Gold\",\"Bills\"]"`
	HorizonYears float64  `json:"horizon_years" minimum:"1" maximum:"10" multipleOf:"0.25" example:"10"`
	ModelType    string   `json:"model_type,omitempty" enum:"lgbm,xgb,ensemble" default:"ensemble"`
}

// TransformSchema says what may be null.
func (CompareRequest) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema { return orNull(s) }

// A Comparison ranks assets by the chance that they keep their purchasing power.
type Comparison struct {
	HorizonYears float64            `json:"horizon_years"`
	ModelType    forecast.ModelType `json:"model_type"`
	RankedBy     string             `json:"ranked_by"`
	Ranking      []Ranked           `json:"ranking"`
}

// A Ranked asset has rank 1 if no other has a better chance; equal chances share
// a rank and keep the order of the question.
type Ranked struct {
	Rank int `json:"rank"`
	// Answer is the full forecast.
	Answer *forecast.Answer `json:"forecast"`
}

type compareInput struct {
	Body CompareRequest
}

type compareOutput struct {
	Body Comparison
}

func (h *Handler) registerCompare() {
	operate(h, huma.Operation{
		OperationID: "compare", Method: http.MethodPost, Path: "/api/v1/compare", Tags: []string{"forecasts"},
		Summary:     "Rank 2 to 10 assets over one horizon",
		Description: "By the probability of keeping purchasing power, then by the median multiple; what is equal in both keeps the order of the question.",
		RequestBody: example(map[string]any{"assets": []string{"SP500", "Gold", "Bills", "Banknotes"}, "horizon_years": 10}),
		Errors:      []int{400, 401, 404, 413, 415, 422, 429, 503},
	}, policy{scope: reads, body: maxPredict, cache: true, model: true, work: quick}, compare)
}

func compare(_ context.Context, c *call, in *compareInput) (*compareOutput, error) {
	r := &in.Body
	one := PredictRequest{HorizonYears: r.HorizonYears, ModelType: r.ModelType}
	q, err := one.question()
	if err != nil {
		return nil, err
	}
	q.Explain = false
	out := Comparison{HorizonYears: r.HorizonYears, ModelType: q.Model, RankedBy: "probability of keeping purchasing power, then median multiple"}
	for i, id := range r.Assets {
		if slices.ContainsFunc(r.Assets[:i], func(s string) bool { return strings.EqualFold(s, id) }) {
			return nil, invalid(at("/assets/"+itoa(i), "this asset is given twice"))
		}
		q.Asset = id
		a, err := c.answer(q)
		if err != nil {
			return nil, within(err, "/assets/"+itoa(i))
		}
		out.Ranking = append(out.Ranking, Ranked{Answer: a})
	}
	c.keep.count = nil // several forecasts; a hit of the cache counts none
	rank(out.Ranking)
	return &compareOutput{Body: out}, nil
}

// rank sorts by the chance of keeping purchasing power, then by the median
// multiple, and numbers the places.
func rank(list []Ranked) {
	better := func(a, b Ranked) int {
		x, y := a.Answer, b.Answer
		return cmp.Or(sign(y.Probabilities.A-x.Probabilities.A), sign(y.Multiple.Median-x.Multiple.Median))
	}
	slices.SortStableFunc(list, better)
	for i := range list {
		list[i].Rank = i + 1
		if i > 0 && better(list[i-1], list[i]) == 0 {
			list[i].Rank = list[i-1].Rank
		}
	}
}

func sign(x float64) int {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// within says where in the body an asset stands that is not known.
func within(err error, pointer string) error {
	p := *problemOf(err)
	if p.kind == kindUnknownAsset || p.kind == kindNoForecast {
		p.Errors = []Fault{at(pointer, strings.ToLower(p.Title[:1])+p.Title[1:])}
	}
	return &p
}
