package api

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
)

// rowOf is what the boosters see of a question.
func rowOf(t testing.TB, f *forecast.Forecaster, asset string, months int) forecast.SpreadRow {
	t.Helper()
	s := must(f.Find(asset))
	h, _ := panel.HorizonIndex(months)
	rate, _ := forecast.Center(s.Asset.Kind, s.Row.Values, months)
	core := forecast.Normal{Mean: rate * float64(months) / 12, SD: forecast.Spread(s.Asset.Kind, s.Row.Values, s.Errors[h], months)}
	var row forecast.SpreadRow
	row.Fill(s.Asset.Kind, s.Row.Values, core, months)
	return row
}

func jsonRow(row forecast.SpreadRow) []any {
	var out []any
	for _, x := range row {
		if math.IsNaN(x) {
			out = append(out, nil)
		} else {
			out = append(out, x)
		}
	}
	return out
}

// Both protocols give the probabilities that predict gives for the same row.
func TestProtocolsAgreeWithPredict(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	forecaster := f.service.Bundle().Forecaster
	for _, asset := range []string{"SP500", "Treasury10"} {
		for _, model := range forecast.ModelTypes {
			want := into[forecast.Answer](f.post("/api/v1/predict", fmt.Sprintf(`{"asset":%q,"horizon_years":5,"model_type":%q}`, asset, model)).want(200))
			row := jsonRow(rowOf(t, forecaster, asset, 60))
			body := must(json.Marshal(map[string]any{
				"id": "a1", "parameters": map[string]any{"model_type": model, "priority": 1},
				"inputs": []any{map[string]any{"name": "features", "datatype": "FP64", "shape": []int{2, forecast.NumSpread}, "data": []any{row, row}}},
			}))
			got := into[InferAnswer](f.post("/v2/models/pppq/infer", string(body)).want(200))
			if got.Name != "pppq" || got.Version != want.ModelVersion || got.ID != "a1" || len(got.Outputs) != 2 {
				t.Fatalf("answer %+v", got)
			}
			p := want.Probabilities
			for i, x := range append([]float64{p.A, p.B, p.C, p.D}, p.A, p.B, p.C, p.D) {
				if d := math.Abs(got.Outputs[0].Data[i].(float64) - x); d > 1e-15 {
					t.Errorf("%s %s: probability %d is %v, predict gives %v", asset, model, i, got.Outputs[0].Data[i], x)
				}
			}
			if fmt.Sprint(got.Outputs[0].Shape, got.Outputs[1].Shape, got.Outputs[1].Data) != fmt.Sprint([]int{2, 4}, []int{2}, []any{want.PredictedClass, want.PredictedClass}) {
				t.Errorf("outputs %+v", got.Outputs)
			}
			if model != forecast.Ensemble {
				continue
			}
			type scores struct {
				Predictions []struct {
					Class       string           `json:"class"`
					Probability forecast.Classes `json:"probability"`
				} `json:"predictions"`
			}
			for _, form := range []any{
				map[string]any{"instances": []any{row}},
				map[string]any{"inputs": []any{row}},
				map[string]any{"dataframe_split": map[string]any{"columns": spreadNames(), "data": []any{row}}},
			} {
				s := into[scores](f.post("/invocations", string(must(json.Marshal(form)))).want(200))
				if len(s.Predictions) != 1 || s.Predictions[0].Probability != p || s.Predictions[0].Class != want.PredictedClass {
					t.Errorf("%v gives %+v, want %+v", form, s, p)
				}
			}
		}
	}
}

func TestInvocationsOfQuestions(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	type short struct {
		Predictions []ShortAnswer `json:"predictions"`
	}
	s := into[short](f.post("/invocations", `{"dataframe_records":[{"asset":"gold","horizon_years":5,"model_type":"lgbm"},{"asset":"SP500","horizon_years":10,"cape":12,"bill_rate":null}]}`).want(200))
	if len(s.Predictions) != 2 || s.Predictions[0].Asset != "Gold" || s.Predictions[0].ModelType != forecast.LGBM || s.Predictions[0].Hypothetical || !s.Predictions[1].Hypothetical {
		t.Errorf("got %+v", s)
	}
	for body, want := range map[string]string{
		`{"dataframe_records":[{"asset":"gold","horizon_years":5},{"asset":"gold","horizon_years":50}]}`: "422 /dataframe_records/1/horizon_years",
		`{"dataframe_split":{"columns":["asset","horizon_years"],"data":[["golt",5]]}}`:                  "404 /dataframe_split/data/0",
		`{"dataframe_split":{"columns":["asset"],"data":[["gold",5]]}}`:                                  "422 /dataframe_split/data/0",
		`{"instances":[{"core_mean":0.1}]}`:                                                              "422 /instances/0/core_sd",
		`{"instances":[{"core_mean":0.1,"core_sd":0.3,"what":1}]}`:                                       "422 /instances/0/what",
		`{"instances":[5]}`:                 "422 /instances/0",
		`{"instances":[[1,2]]}`:             "422 /instances/0",
		`{"instances":[],"inputs":[[1,2]]}`: "422 ",
		`{}`:                                "422 ",
		`{"dataframe_records":[]}`:          "422 ",
		`{"dataframe_records":"x"}`:         "422 /dataframe_records",
		`{"instances":[5],"inputs":[5]}`:    "422 ",
		`{"dataframe_split":{"columns":["asset","asset","horizon_years"],"data":[["gold","oil",5]]}}`:           "422 /dataframe_split/columns/1",
		`{"dataframe_split":{"columns":["asset","horizon_years","cape"],"data":[["gold",5,20],["gold",5,-1]]}}`: "422 /dataframe_split/data/1/2",
		`{"dataframe_split":{"columns":["core_mean","core_sd"],"data":[[0.1,-1]]}}`:                             "422 /dataframe_split/data/0/1",
		`{"dataframe_split":{"columns":["asset"],"data":[["gold"]]}}`:                                           "422 /dataframe_split/data/0",
		`{"dataframe_records":[{"asset":"gold","horizon_years":5}],"params":{"model_type":"best"}}`:             "422 /params/model_type",
		`{"dataframe_records":[{"asset":"gold","horizon_years":5,"features":{"cape":20},"yield":0.1}]}`:         "422 /dataframe_records/0/yield",
		`{"dataframe_records":[{"asset":1e999}]}`:                                                               "400 /dataframe_records/0/asset",
		`x`: "400 ",
	} {
		x := f.post("/invocations", body)
		p := x.problem(x.Code)
		got := fmt.Sprint(p.Status, " ")
		if len(p.Errors) > 0 {
			got += *p.Errors[0].Pointer
		}
		if got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	s = into[short](f.post("/invocations", `{"dataframe_records":[{"asset":"gold","horizon_years":5},{"asset":"gold","horizon_years":5,"model_type":"lgbm"}],"params":{"model_type":"xgb","other":1}}`).want(200))
	if s.Predictions[0].ModelType != forecast.XGB || s.Predictions[1].ModelType != forecast.LGBM {
		t.Errorf("params.model_type: got %+v", s)
	}
	if got := f.get("/ping").want(200).Body.String(); got != "\n" {
		t.Errorf("/ping %q", got)
	}
	if got := f.get("/version").want(200).Body.String(); got != mlflowVersion {
		t.Errorf("/version %q", got)
	}
}

func TestInferRefuses(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	row := strings.TrimSuffix(strings.Repeat("0,", forecast.NumSpread), ",")
	good := strings.Replace(row, "0", "0", 1)
	cells := strings.Split(good, ",")
	cells[forecast.SpreadCoreSD] = "0.3"
	good = strings.Join(cells, ",")
	input := func(name, datatype, shape, data string) string {
		return fmt.Sprintf(`{"inputs":[{"name":%q,"datatype":%q,"shape":%s,"data":[%s]}]}`, name, datatype, shape, data)
	}
	f.post("/v2/models/pppq/infer", input("features", "FP64", "[1,27]", good)).want(200)
	for body, pointer := range map[string]string{
		input("features", "FP64", "[1,27]", row):                    fmt.Sprint("/inputs/0/data/", forecast.SpreadCoreSD),
		input("features", "FP64", "[2,27]", good+","+row):           fmt.Sprint("/inputs/0/data/", forecast.NumSpread+forecast.SpreadCoreSD),
		input("features", "FP64", "[2,27]", "["+good+"],["+row+"]"): fmt.Sprint("/inputs/0/data/1/", forecast.SpreadCoreSD),
		input("x", "FP64", "[1,27]", good):                          "/inputs/0/name",
		input("features", "FP32", "[1,27]", good):                   "/inputs/0/datatype",
		input("features", "FP64", "[2,27]", good):                   "/inputs/0/data",
		input("features", "FP64", "[27]", good):                     "/inputs/0/shape",
		input("features", "FP64", "[1,26]", good):                   "/inputs/0/shape",
		input("features", "FP64", "[1,27,1]", good):                 "/inputs/0/shape",
		input("features", "FP64", "[-1,27]", good):                  "/inputs/0/shape",
		input("features", "FP64", "[1e9,27]", good):                 "/inputs/0/shape",
		input("features", "FP64", "[1,27]", `"a"`):                  "/inputs/0/data/0",
		input("features", "FP64", "[1,27]", "1e13,"+row):            "/inputs/0/data",
		`{"inputs":[]}`:            "/inputs",
		`{"inputs":{}}`:            "/inputs",
		`{}`:                       "/inputs",
		`{"inputs":[{}],"what":1}`: "/inputs/0/name",
		`{"what":1}`:               "/what",
		`[]`:                       "",
		`{"parameters":{"model_type":"x"},"inputs":[]}`:                                                      "/parameters/model_type",
		strings.Replace(input("features", "FP64", "[1,27]", good), "}]}", `}],"outputs":[{"name":"x"}]}`, 1): "/outputs/0/name",
	} {
		p := f.post("/v2/models/pppq/infer", body).problem(422)
		if len(p.Errors) == 0 || *p.Errors[0].Pointer != pointer || !strings.Contains(p.Text, strings.TrimPrefix(pointer+": ", ": ")+p.Errors[0].Detail) {
			t.Errorf("%.200s: %+v, want a fault at %q", body, p, pointer)
		}
	}
	for _, body := range []string{"", "x", `{"inputs":[],"inputs":[]}`, input("features", "FP64", "[1,27]", "NaN"), input("features", "FP64", "[1,27]", "1e999"), `{} {}`} {
		f.post("/v2/models/pppq/infer", body).problem(400)
	}
	if p := f.post("/v2/models/pppq/infer", `{"inputs":NaN}`).problem(400); !strings.HasPrefix(p.Text, "the body is not valid JSON at byte 10") {
		t.Errorf("error %q does not say what is wrong", p.Text)
	}
	if p := f.post("/v2/models/pppq/infer", `{"parameters":{"model_type":""},"inputs":[]}`).problem(422); *p.Errors[0].Pointer != "/parameters/model_type" {
		t.Errorf("an empty model_type: %+v", p.Errors)
	}
	// null is absent where a member is optional.
	plain := f.post("/v2/models/pppq/infer", input("features", "FP64", "[1,27]", good)).want(200).Body.String()
	for _, more := range []string{`"id":null,"parameters":null,"outputs":null,`, `"parameters":{"model_type":null},"outputs":[],`} {
		body := strings.Replace(input("features", "FP64", "[1,27]", good), `{"inputs":[{`, `{`+more+`"inputs":[{"parameters":null,`, 1)
		if got := f.post("/v2/models/pppq/infer", body).want(200).Body.String(); got != plain {
			t.Errorf("%s: %s", more, got)
		}
	}
	f.post("/v2/models/pppq/infer", `{"inputs":null}`).problem(422)
	only := into[InferAnswer](f.post("/v2/models/pppq/infer", strings.Replace(input("features", "FP64", "[1,27]", good), "}]}", `}],"outputs":[{"name":"class"}]}`, 1)).want(200))
	if len(only.Outputs) != 1 || only.Outputs[0].Name != "class" {
		t.Errorf("asked for class alone, got %+v", only.Outputs)
	}
}

// Rows of the boosters' columns are counted and timed at both doors.
func TestInferenceIsTimed(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	row := must(json.Marshal(inferExample()["inputs"].([]any)[0].(map[string]any)["data"]))
	f.post("/invocations", fmt.Sprintf(`{"instances":[%s,%s]}`, row, row)).want(200)
	f.post("/v2/models/pppq/infer", string(must(json.Marshal(inferExample())))).want(200)
	if text := f.get("/metrics").Body.String(); !strings.Contains(text, `model_inference_duration_seconds_count{model="ensemble"} 3`) {
		t.Error("not all of 3 rows were timed")
	}
}

func TestInferenceProbes(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	for path, part := range map[string]string{
		"/v2": `"name":"pppq"`, "/v2/health/live": `"live":true`, "/v2/health/ready": `"ready":true`, "/v2/models/pppq/ready": `"ready":true`,
		"/v2/models/pppq": fmt.Sprintf(`"shape":[-1,%d]`, forecast.NumSpread),
	} {
		if body := f.get(path).want(200).Body.String(); !strings.Contains(body, part) {
			t.Errorf("%s: %s", path, body)
		}
	}
	empty := setup(t, func(o *Options) { o.Models.Dir = "" })
	empty.get("/v2/health/ready").want(503)
	empty.get("/v2/models/pppq").problem(503)
	empty.get("/ping").want(503)
}
