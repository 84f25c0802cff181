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
	if p := c.unknownAssets(r.Assets); p != nil {
		return nil, p
	}
	var refused *Problem
	var classes []string
	for i, id := range r.Assets {
		q.Asset = id
		a, err := c.answer(q)
		if err != nil {
			p := within(err, "/assets/"+itoa(i))
			if p.kind != kindNoForecast {
				return nil, p
			}
			refused = refused.and(p)
			continue
		}
		out.Ranking = append(out.Ranking, Ranked{Answer: a})
		classes = append(classes, a.PredictedClass)
	}
	if refused != nil {
		return nil, refused
	}
	c.keep.class = strings.Join(classes, " ") // all are counted when the cache answers
	rank(out.Ranking)
	return &compareOutput{Body: out}, nil
}

// unknownAssets is the problem of names that are not known or given twice; nil if
// there are none. Its kind is that of the first.
func (c *call) unknownAssets(assets []string) *Problem {
	var all *Problem
	for i, id := range assets {
		pointer := "/assets/" + itoa(i)
		if slices.ContainsFunc(assets[:i], func(s string) bool { return strings.EqualFold(s, id) }) {
			all = all.and(invalid(at(pointer, "this asset is given twice")))
		} else if _, err := c.model.Forecaster.Find(id); err != nil {
			p := within(err, pointer)
			c.h.options.Metrics.ModelError(kinds[p.kind].name)
			all = all.and(p)
		}
	}
	return all
}

// and adds the faults of another problem; p may be nil.
func (p *Problem) and(other *Problem) *Problem {
	if p == nil {
		return other
	}
	p.Errors = append(p.Errors, other.Errors...)
	for _, name := range other.Near {
		if !slices.Contains(p.Near, name) {
			p.Near = append(slices.Clip(p.Near), name)
		}
	}
	return p
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
func within(err error, pointer string) *Problem {
	p := *problemOf(err)
	if p.kind == kindUnknownAsset || p.kind == kindNoForecast {
		p.Errors = []Fault{at(pointer, strings.ToLower(p.Title[:1])+p.Title[1:])}
	}
	return &p
}
