package api

import (
	"errors"
	"maps"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pppq/pppq/internal/forecast"
)

// A frame is the body of /invocations: exactly one of its forms.
type frame struct {
	Split *struct {
		Columns []string           `json:"columns"`
		Index   jsontext.Value     `json:"index"`
		Data    [][]jsontext.Value `json:"data"`
	} `json:"dataframe_split"`
	Records   []map[string]jsontext.Value `json:"dataframe_records"`
	Instances []jsontext.Value            `json:"instances"`
	Inputs    []jsontext.Value            `json:"inputs"`
	Params    map[string]jsontext.Value   `json:"params"`
}

// An InvocationsRequest shows in the OpenAPI document what frame reads.
type InvocationsRequest struct {
	Split     *SplitFrame      `json:"dataframe_split,omitempty"`
	Records   []map[string]any `json:"dataframe_records,omitempty" doc:"Rows by name"`
	Instances []any            `json:"instances,omitempty" doc:"Rows by name, or lists of the boosters' columns"`
	Inputs    []any            `json:"inputs,omitempty" doc:"As instances"`
	Params    map[string]any   `json:"params,omitempty" doc:"model_type is lgbm, xgb or ensemble, for rows that name none; others are passed over"`
}

// A SplitFrame is a frame whose names stand once.
type SplitFrame struct {
	Columns []string `json:"columns"`
	Index   any      `json:"index,omitempty" doc:"Passed over"`
	Data    [][]any  `json:"data"`
}

// Invocations has one prediction a row: a short forecast, or class and
// probability.
type Invocations struct {
	Predictions []any `json:"predictions" doc:"A short forecast for a question; class and probability for a row of the boosters' columns"`
}

// anything is the shape of JSON that is strict, whatever it holds.
var anything = &shape{}

func (h *Handler) registerInvocations() {
	tags := []string{"protocols"}
	p := policy{scope: reads, body: maxRowBody, model: true, work: sized}
	h.describe(huma.Operation{
		OperationID: "invocations", Method: http.MethodPost, Path: "/invocations", Tags: tags,
		Summary: "MLflow scoring: forecasts for the rows of a frame",
		Description: "dataframe_split, dataframe_records, instances or inputs. Rows with asset and horizon_years are questions as of /api/v1/predict; " +
			"rows of the boosters' columns (lists, or records by name) give class probabilities as /v2/models/pppq/infer does.",
		RequestBody: h.body(reflect.TypeFor[InvocationsRequest](), map[string]any{"dataframe_split": map[string]any{
			"columns": []string{"asset", "horizon_years"}, "data": []any{[]any{"Gold", 5}, []any{"Bills", 1}},
		}}),
		Responses: h.answers(reflect.TypeFor[Invocations]()),
	}, p)
	h.plain(http.MethodPost, "/invocations", p, (*call).invocations)
	text := func(path, id, summary, body string, statuses map[string]string, serve func(*call) int) {
		h.describe(huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Tags: tags, Summary: summary, Responses: texts(statuses)}, policy{scope: open})
		h.plain(http.MethodGet, path, policy{scope: open, quiet: true}, func(c *call) {
			c.w.Header()["Content-Type"] = []string{textType + "; charset=utf-8"}
			c.status = serve(c)
			c.out.WriteString(body)
		})
	}
	text("/ping", "ping", "MLflow scoring: whether requests may be sent", "\n", map[string]string{"200": "OK", "503": "Send requests elsewhere"}, func(c *call) int {
		if c.model == nil || h.draining.Load() {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	})
	text("/version", "mlflow-version", "MLflow scoring: the version of MLflow whose protocol this is", mlflowVersion, map[string]string{"200": "OK"}, func(*call) int { return http.StatusOK })
}

// invocations answers /invocations. As with MLflow, one wrong row refuses all.
func (c *call) invocations() {
	rows, model, err := parseFrame(c.body.Bytes())
	if err != nil {
		c.failed = err
		return
	}
	out := Invocations{Predictions: make([]any, 0, len(rows))}
	for _, row := range rows {
		if err := c.ctx.Err(); err != nil {
			c.failed = err
			return
		}
		c.breathe()
		p, err := c.predictRow(row, model)
		if err != nil {
			c.failed = row.place(err)
			return
		}
		out.Predictions = append(out.Predictions, p)
	}
	c.json(http.StatusOK, out)
}

// A frameRow is a row of a frame: by name, or as a list of the boosters' columns.
type frameRow struct {
	pointer string
	// columns are the names of the cells, if the row is a list of a split frame.
	columns []string
	named   map[string]jsontext.Value
	list    []jsontext.Value
}

// parseFrame reads the rows of any form, and whose spread is used; the error is
// a *Problem.
func parseFrame(body []byte) ([]frameRow, forecast.ModelType, error) {
	if p := anything.check(body, ""); p != nil {
		return nil, "", p
	}
	var f frame
	if err := json.Unmarshal(body, &f, json.RejectUnknownMembers(true)); err != nil {
		var semantic *json.SemanticError
		pointer := ""
		if errors.As(err, &semantic) {
			pointer = shorten(string(semantic.JSONPointer))
		}
		return nil, "", invalid(at(pointer, "want dataframe_split, dataframe_records, instances or inputs, in the form that MLflow's clients send"))
	}
	forms := 0
	for _, given := range []bool{f.Split != nil, f.Records != nil, f.Instances != nil, f.Inputs != nil} {
		if given {
			forms++
		}
	}
	if forms != 1 {
		return nil, "", invalid(at("", "want exactly one of dataframe_split, dataframe_records, instances and inputs"))
	}
	model := forecast.Ensemble
	if v, ok := f.Params["model_type"]; ok {
		if err := json.Unmarshal(v, &model); err != nil || !slices.Contains(forecast.ModelTypes, model) {
			return nil, "", invalid(at("/params/model_type", wantModel))
		}
	}
	rows, err := f.rows()
	if err == nil && (len(rows) == 0 || len(rows) > maxInferRows) {
		err = invalid(at("", "want 1 to 10000 rows"))
	}
	return rows, model, err
}

// rows reads the one form that is given.
func (f *frame) rows() ([]frameRow, error) {
	var rows []frameRow
	if f.Split != nil {
		for i, name := range f.Split.Columns {
			if slices.Contains(f.Split.Columns[:i], name) {
				return nil, invalid(at("/dataframe_split/columns/"+itoa(i), "the name stands twice"))
			}
		}
		for i, cells := range f.Split.Data {
			pointer := "/dataframe_split/data/" + itoa(i)
			if len(cells) != len(f.Split.Columns) {
				return nil, invalid(at(pointer, "want as many cells as there are columns"))
			}
			row := frameRow{pointer: pointer, columns: f.Split.Columns, named: map[string]jsontext.Value{}}
			for k, name := range f.Split.Columns {
				row.named[name] = cells[k]
			}
			rows = append(rows, row)
		}
	}
	for i, r := range f.Records {
		rows = append(rows, frameRow{pointer: "/dataframe_records/" + itoa(i), named: r})
	}
	name, values := "/instances/", f.Instances
	if values == nil {
		name, values = "/inputs/", f.Inputs
	}
	for i, v := range values {
		row := frameRow{pointer: name + itoa(i)}
		var err error
		switch v.Kind() {
		case '{':
			err = json.Unmarshal(v, &row.named)
		case '[':
			err = json.Unmarshal(v, &row.list)
		default:
			err = errors.New("neither")
		}
		if err != nil {
			return nil, invalid(at(row.pointer, "want an object or a list"))
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// predictRow answers a question, or classifies a row of the boosters' columns.
func (c *call) predictRow(row frameRow, model forecast.ModelType) (any, error) {
	if _, question := row.named["asset"]; question {
		text, err := json.Marshal(questionOf(row.named, model), writeOptions)
		if err != nil {
			return nil, err
		}
		a, err := c.ask(text)
		if err != nil {
			return nil, err
		}
		return short(a), nil
	}
	cells := row.list
	names := spreadNames()
	if row.named != nil {
		cells = make([]jsontext.Value, len(names))
		for _, name := range slices.Sorted(maps.Keys(row.named)) {
			i := slices.Index(names, name)
			if i < 0 {
				return nil, invalid(at("/"+escapePointer(name), "want asset and horizon_years, or the boosters' columns"))
			}
			cells[i] = row.named[name]
		}
	}
	if len(cells) != len(names) {
		return nil, invalid(at("", "want as many cells as the boosters have columns"))
	}
	var in forecast.SpreadRow
	for i, v := range cells {
		in[i] = math.NaN()
		if v == nil || v.Kind() == 'n' {
			continue
		}
		if err := json.Unmarshal(v, &in[i]); err != nil {
			return nil, invalid(at(cell(row, names, i), "want a number"))
		}
	}
	began := time.Now()
	p, err := classify(c.model.Forecaster, model, &in)
	var wrong *rowError
	if errors.As(err, &wrong) {
		return nil, invalid(at(cell(row, names, wrong.column), wrong.reason))
	}
	if err != nil {
		return nil, err
	}
	class := likeliest(p).String()
	c.h.service.predictions[model].Observe(class, time.Since(began))
	return struct {
		Class         string           `json:"class"`
		Probabilities forecast.Classes `json:"probability"`
	}{class, forecast.Classes{A: p[0], B: p[1], C: p[2], D: p[3]}}, nil
}

// cell points to a column of a row.
func cell(row frameRow, names []string, i int) string {
	if row.named != nil {
		return "/" + names[i]
	}
	return "/" + itoa(i)
}

// questionOf turns a flat row into a question: names that are not the question's
// own are features, and null is not replaced.
func questionOf(named map[string]jsontext.Value, model forecast.ModelType) map[string]any {
	q, features := map[string]any{"explain": false, "model_type": model}, map[string]any{}
	for name, v := range named {
		switch name {
		case "asset", "horizon_years", "model_type", "explain", "features":
			q[name] = v
		default:
			if v.Kind() != 'n' {
				features[name] = v
			}
		}
	}
	switch {
	case len(features) == 0:
	case q["features"] == nil:
		q["features"] = features
	default: // two places for figures: those beside are refused as unknown
		maps.Copy(q, features)
	}
	return q
}

// spreadNames are the boosters' columns in order.
func spreadNames() []string {
	var names []string
	for _, f := range forecast.SpreadFeatures() {
		names = append(names, f.Name)
	}
	return names
}

// place puts the row's place before the places of an error's faults.
func (row *frameRow) place(err error) error {
	p := *problemOf(err)
	p.Errors = slices.Clone(p.Errors)
	for i, f := range p.Errors {
		if f.Pointer == nil {
			continue
		}
		name := strings.TrimPrefix(*f.Pointer, "/features")
		if row.columns != nil && name != "" {
			if k := slices.IndexFunc(row.columns, func(c string) bool { return "/"+escapePointer(c) == name }); k >= 0 {
				name = "/" + itoa(k)
			} else { // a column that is not there, so the name is one of ours
				f.Detail, name = name[1:]+" "+f.Detail, ""
			}
		}
		p.Errors[i] = at(shorten(row.pointer+name), f.Detail)
	}
	if len(p.Errors) == 0 {
		p.Errors = []Fault{at(row.pointer, "in this row")}
	}
	return &p
}
