package api

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pppq/pppq/internal/forecast"
)

func TestPredict(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	a := into[forecast.Answer](f.post("/api/v1/predict", `{"asset":"gold","horizon_years":5}`).want(200))
	if a.Asset != "Gold" || a.HorizonYears != 5 || a.ModelType != forecast.Ensemble || a.ModelVersion == "" || a.Hypothetical {
		t.Errorf("answer is of another question: %+v", a)
	}
	p := a.Probabilities
	if sum := p.A + p.B + p.C + p.D; math.Abs(sum-1) > 1e-12 {
		t.Errorf("probabilities sum to %v", sum)
	}
	if len(a.Contributions) == 0 || len(a.Goods) != 4 || len(a.Sources) == 0 {
		t.Errorf("contributions %d, goods %d, sources %d: want some, 4, some", len(a.Contributions), len(a.Goods), len(a.Sources))
	}
}

func TestPredictChoices(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	plain := into[forecast.Answer](f.post("/api/v1/predict", `{"asset":"SP500","horizon_years":1.25,"model_type":"lgbm","explain":false}`).want(200))
	if plain.Contributions != nil || plain.HorizonYears != 1.25 || plain.ModelType != forecast.LGBM {
		t.Errorf("got %+v", plain)
	}
	for _, features := range []string{`{"ln_cape":2.302585092994046}`, `{"cape":10}`} {
		cheap := into[forecast.Answer](f.post("/api/v1/predict", `{"asset":"SP500","horizon_years":10,"features":`+features+`}`).want(200))
		if !cheap.Hypothetical || cheap.Contributions != nil {
			t.Errorf("%s: hypothetical %v, contributions %v", features, cheap.Hypothetical, cheap.Contributions)
		}
		dear := into[forecast.Answer](f.post("/api/v1/predict", `{"asset":"SP500","horizon_years":10}`).want(200))
		if cheap.Multiple.Median <= dear.Multiple.Median {
			t.Errorf("%s: a CAPE of 10 gives median %v, today's %v", features, cheap.Multiple.Median, dear.Multiple.Median)
		}
	}
	f.post("/api/v1/predict", `{"asset":"SP500","horizon_years":10,"features":{"cape":20},"explain":true,"model_type":null}`).want(200)
}

// The bodies of issue and life, with the status and the places of the faults.
func TestPredictRefuses(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	for _, c := range []struct {
		name, body string
		status     int
		pointers   string
	}{
		{"empty body", "", 400, ""},
		{"white space", " \n", 400, ""},
		{"broken", `{"asset":"Gold",`, 400, "?"},
		{"NaN", `{"asset":"Gold","horizon_years":NaN}`, 400, "?"},
		{"no JSON", "asset=Gold", 400, "?"},
		{"two values", `{"asset":"Gold","horizon_years":5}{}`, 400, "?"},
		{"duplicate name", `{"asset":"Gold","asset":"Oil","horizon_years":5}`, 400, "/asset"},
		{"duplicate name after another", `{"asset":"Gold","horizon_years":5,"asset":"x"}`, 400, "/asset"},
		{"duplicate name inside what is not known", `{"x":{"a":1,"a":2}}`, 400, "/x/a"},
		{"invalid UTF-8", "{\"asset\":\"Go\xffld\",\"horizon_years\":5}", 400, "?"},
		{"lone surrogate", `{"asset":"\ud800","horizon_years":5}`, 400, "?"},
		{"byte order mark", "\ufeff{}", 400, "?"},
		{"beyond float64", `{"asset":"Gold","horizon_years":1e999}`, 400, "?"},
		{"beyond float64 elsewhere", `{"asset":1e999,"horizon_years":5}`, 400, "?"},
		{"deep", `{"asset":` + deep + `}`, 400, "?"},
		{"nothing", `{}`, 422, "/asset /horizon_years"},
		{"a list", `[]`, 422, ""},
		{"null", `null`, 422, ""},
		{"zero years", `{"asset":"Gold","horizon_years":0}`, 422, "/horizon_years"},
		{"eleven years", `{"asset":"Gold","horizon_years":11}`, 422, "/horizon_years"},
		{"off the steps", `{"asset":"Gold","horizon_years":1.1}`, 422, "/horizon_years"},
		{"years as text", `{"asset":"Gold","horizon_years":"five"}`, 422, "/horizon_years"},
		{"null for what is needed", `{"asset":null,"horizon_years":5}`, 422, "/asset"},
		{"unknown model type", `{"asset":"Gold","horizon_years":5,"model_type":"oracle"}`, 422, "/model_type"},
		{"unknown name", `{"asset":"Gold","horizon_years":5,"horizon":5}`, 422, "/horizon"},
		{"name in another case", `{"Asset":"Gold","horizon_years":5}`, 422, "/Asset /asset"},
		{"empty asset", `{"asset":"","horizon_years":5}`, 422, "/asset"},
		{"unknown features", `{"asset":"Gold","horizon_years":5,"features":{"z~a/b":1,"a":2}}`, 422, "/features/a /features/z~0a~1b"},
		{"feature too large", `{"asset":"Gold","horizon_years":5,"features":{"bill_rate":1e7}}`, 422, "/features/bill_rate"},
		{"cape below 0", `{"asset":"SP500","horizon_years":5,"features":{"cape":-1}}`, 422, "/features/cape"},
		{"feature by two names", `{"asset":"SP500","horizon_years":5,"features":{"cape":20,"ln_cape":3}}`, 422, "?"},
		{"feature that is no number", `{"asset":"Gold","horizon_years":5,"features":{"bill_rate":"x"}}`, 422, "/features/bill_rate"},
		{"beyond a finite forecast", `{"asset":"Bills","horizon_years":10,"features":{"bill_rate":1000000}}`, 422, "/features"},
		{"unknown asset", `{"asset":"Golt","horizon_years":5}`, 404, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := f.post("/api/v1/predict", c.body)
			x.t = t
			p := x.problem(c.status)
			var got []string
			for _, e := range p.Errors {
				if e.Detail == "" || e.Pointer == nil {
					t.Errorf("fault without place or words: %+v", e)
					continue
				}
				got = append(got, *e.Pointer)
			}
			slices.Sort(got)
			if list := strings.TrimSpace(strings.Join(got, " ")); c.pointers != "?" && list != c.pointers {
				t.Errorf("faults at %q, want %q", list, c.pointers)
			}
		})
	}
}

func TestUnknownAssetNamesNearOnes(t *testing.T) {
	t.Parallel()
	p := setup(t, nil).post("/api/v1/predict", `{"asset":"Golt","horizon_years":5}`).problem(404)
	if !slices.Contains(p.Near, "Gold") || p.Type != "urn:pppq:problem:unknown-asset" {
		t.Errorf("near %q of type %s, want Gold among them", p.Near, p.Type)
	}
	if strings.Contains(p.Detail, "Golt") {
		t.Errorf("the detail echoes the request: %q", p.Detail)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	c := into[Comparison](f.post("/api/v1/compare", `{"assets":["Banknotes","sp500","Gold"],"horizon_years":10}`).want(200))
	if len(c.Ranking) != 3 {
		t.Fatalf("%d ranked, want 3", len(c.Ranking))
	}
	for i, r := range c.Ranking {
		if i > 0 && r.Answer.Probabilities.A > c.Ranking[i-1].Answer.Probabilities.A {
			t.Errorf("rank %d has a better chance than the one before it", r.Rank)
		}
		if r.Rank != i+1 {
			t.Errorf("rank %d at place %d", r.Rank, i)
		}
	}
	for body, pointer := range map[string]string{
		`{"assets":["Gold"],"horizon_years":10}`:                 "/assets",
		`{"assets":["Gold","GOLD"],"horizon_years":10}`:          "/assets/1",
		`{"assets":["Gold",5],"horizon_years":10}`:               "/assets/1",
		`{"assets":"Gold","horizon_years":10}`:                   "/assets",
		`{"assets":["Gold","Oil"],"horizon_years":10,"top":"1"}`: "/top",
	} {
		if p := f.post("/api/v1/compare", body).problem(422); len(p.Errors) != 1 || *p.Errors[0].Pointer != pointer {
			t.Errorf("%s: %+v, want a fault at %s", body, p.Errors, pointer)
		}
	}
	for assets, want := range map[string]string{
		`"Gld","Slver"`:                      "404 /assets/0 no such asset /assets/1 no such asset",
		`"Gld","Gold","gold"`:                "404 /assets/0 no such asset /assets/2 this asset is given twice",
		`"Gold","gold","Slver","GOLD","Oil"`: "422 /assets/1 this asset is given twice /assets/2 no such asset /assets/3 this asset is given twice",
	} {
		x := f.post("/api/v1/compare", `{"assets":[`+assets+`],"horizon_years":10}`)
		p := x.problem(x.Code)
		got := itoa(p.Status)
		for _, fault := range p.Errors {
			got += " " + *fault.Pointer + " " + fault.Detail
		}
		if got != want {
			t.Errorf("%s: %s, want %s", assets, got, want)
		}
	}
	if p := f.post("/api/v1/compare", `{"assets":["Gld","Slver"],"horizon_years":10}`).problem(404); !slices.Contains(p.Near, "Gold") || !slices.Contains(p.Near, "Silver") {
		t.Errorf("near %v", p.Near)
	}
	if p := f.post("/api/v1/compare", `{"assets":["Gold","Plutonium"],"horizon_years":10}`).problem(404); len(p.Errors) != 1 || *p.Errors[0].Pointer != "/assets/1" {
		t.Errorf("unknown asset: %+v", p)
	}
}

// All forecasts of a comparison count, whether it is computed or not.
func TestCompareIsCounted(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	for i := range 5 {
		f.post("/api/v1/compare", `{"assets":["SP500","Gold","Bills","Banknotes"],"horizon_years":10}`).want(200)
		counted := 0
		for line := range strings.Lines(f.get("/metrics").Body.String()) {
			if strings.HasPrefix(line, `model_predictions_total{`) && strings.Contains(line, `model="ensemble"`) {
				n, err := strconv.Atoi(line[strings.LastIndexByte(line, ' ')+1 : len(line)-1])
				if err != nil {
					t.Fatal(err)
				}
				counted += n
			}
		}
		if counted != 4*(i+1) {
			t.Errorf("%d forecasts are counted after %d comparisons of 4", counted, i+1)
		}
	}
}

// What is equal keeps the order of the question and shares a rank.
func TestRankKeepsTies(t *testing.T) {
	t.Parallel()
	ranked := func(asset string, keeps, median float64) Ranked {
		return Ranked{Answer: &forecast.Answer{Asset: asset, Probabilities: forecast.Classes{A: keeps}, Multiple: forecast.Range{Median: median}}}
	}
	list := []Ranked{ranked("d", 0.4, 1), ranked("b", 0.5, 1), ranked("c", 0.5, 1), ranked("a", 0.5, 2), ranked("e", 0.4, 1)}
	rank(list)
	got := ""
	for _, r := range list {
		got += r.Answer.Asset + itoa(r.Rank) + " "
	}
	if want := "a1 b2 c2 d4 e4 "; got != want {
		t.Errorf("ranking %s, want %s", got, want)
	}
}

func TestNoModel(t *testing.T) {
	t.Parallel()
	f := setup(t, func(o *Options) { o.Models.Dir = "" })
	h := into[Health](f.get("/health").want(503))
	if h.Status != "unhealthy" || h.Version != program || h.Reason == "" {
		t.Errorf("health %+v", h)
	}
	f.get("/livez").want(200)
	f.get("/readyz").want(503)
	for _, target := range []string{"/api/v1/assets", "/api/v1/model"} {
		if p := f.get(target).problem(503); p.Type != "urn:pppq:problem:no-model" {
			t.Errorf("%s: %+v", target, p)
		}
	}
	if x := f.post("/api/v1/predict", `{"asset":"Gold","horizon_years":5}`); x.Header().Get("Retry-After") == "" || x.problem(503).Detail == "" {
		t.Errorf("503 without Retry-After")
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	h := into[Health](f.get("/health").want(200))
	if h.Status != "healthy" || h.Version != program || h.Data == nil || h.Data.AsOf == 0 || h.Model == "" {
		t.Errorf("health %+v", h)
	}
	f.get("/readyz").want(200)
	body := f.get("/metrics").want(200).Body.String()
	for _, name := range []string{
		"pppq_new_data_rows 9", "pppq_model_f1_score 0.33", "pppq_model_accuracy 0.62", "pppq_model_rps_skill 0.07",
		"pppq_model_info{version=", "pppq_dataset_as_of_timestamp_seconds", "pppq_pipeline_last_success_timestamp_seconds", "pppq_build_info{",
		`http_requests_total{method="GET",route="/health",status="200"} 1`, "http_requests_in_flight 1",
		`model_reloads_total{result="ok"} 1`, `model_reloads_total{result="refused"} 0`, "go_goroutines", "process_resident_memory_bytes",
	} {
		if !strings.Contains(body, name) {
			t.Errorf("metrics without %s", name)
		}
	}
}

func TestAssetsAndModel(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	assets := into[Assets](f.get("/api/v1/assets").want(200))
	if len(assets.Assets) != 9 || assets.Assets[0].ID != "SP500" || len(assets.Assets[0].Evidence) != 4 {
		t.Errorf("assets %+v", assets)
	}
	m := into[Model](f.get("/api/v1/model").want(200))
	if m.Version == "" || len(m.Features) == 0 || len(m.Series) == 0 || m.Metrics.Accuracy != 0.62 {
		t.Errorf("model %+v", m)
	}
}

func TestUnmatched(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.get("/nothing").problem(404)
	f.get("/api/v1/predict/").problem(404)
	f.get("//api/v1/assets").problem(404)
	f.get("/api/../api/v1/assets").problem(404)
	f.get("/api/v1/assets?x=1").problem(422)
	x := f.get("/api/v1/predict")
	x.problem(405)
	if allow := x.Header().Get("Allow"); allow != "OPTIONS, POST" {
		t.Errorf("Allow %q", allow)
	}
	if allow := f.do(http.MethodOptions, "/api/v1/assets", "").want(204).Header().Get("Allow"); allow != "GET, HEAD, OPTIONS" {
		t.Errorf("Allow %q", allow)
	}
	f.do(http.MethodHead, "/api/v1/assets", "").want(200)
}
