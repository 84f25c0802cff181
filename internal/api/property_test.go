package api

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
)

// A maker makes JSON from a random stream: near to what is right, and not.
type maker struct {
	r *rand.Rand
	b strings.Builder
}

func (m *maker) pick(words ...string) string { return words[m.r.IntN(len(words))] }

func (m *maker) value(depth int) {
	switch n := m.r.IntN(14); {
	case n < 3:
		m.b.WriteString(m.pick("0", "1", "5", "10", "0.25", "-1", "1e3", "1e308", "1e999", "-0", "11", "2.5", "1e-400", "9007199254740993"))
	case n < 7:
		m.b.WriteString(m.pick(`"Gold"`, `"SP500"`, `"five"`, `""`, `"\u0000"`, `"ensemble"`, `"lgbm"`, `"xgb"`, `"\ud800"`, "\"\xff\"", `"😀"`, `"FP64"`, `"features"`))
	case n < 9:
		m.b.WriteString(m.pick("null", "true", "false", "NaN", "Infinity", "nul", "[]", "{}", "1.", "01"))
	case n < 11 && depth < 5:
		m.b.WriteByte('[')
		for i := range m.r.IntN(4) {
			if i > 0 {
				m.b.WriteByte(',')
			}
			m.value(depth + 1)
		}
		m.b.WriteString(m.pick("]", "]", "]", "]", "]", "", "}"))
	case depth < 5:
		m.object(depth + 1)
	default:
		m.b.WriteString("0")
	}
}

func (m *maker) object(depth int) {
	names := []string{
		"asset", "horizon_years", "model_type", "features", "explain", "items", "assets", "inputs", "data", "shape", "datatype", "name", "outputs",
		"parameters", "id", "dataframe_split", "dataframe_records", "instances", "columns", "version", "cape", "bill_rate", "Asset", "", "a/b~c", "\\u0061sset",
	}
	names = append(names, panel.Features()[m.r.IntN(panel.NumFeatures)].Name)
	m.b.WriteByte('{')
	for i := range m.r.IntN(6) {
		if i > 0 {
			m.b.WriteByte(',')
		}
		fmt.Fprintf(&m.b, `"%s":`, names[m.r.IntN(len(names))])
		m.value(depth)
	}
	m.b.WriteString(m.pick("}", "}", "}", "}", "}", "}", ""))
}

// question is a good question with one part spoilt or replaced.
func (m *maker) question() {
	m.b.WriteString(`{"asset":`)
	m.part(`"Gold"`, `"SP500"`, `"Bills"`, `"Bitcoin"`)
	m.b.WriteString(`,"horizon_years":`)
	m.part("1", "5", "10", "2.25")
	if m.r.IntN(2) == 0 {
		m.b.WriteString(`,"features":{`)
		for i := range 1 + m.r.IntN(3) {
			if i > 0 {
				m.b.WriteByte(',')
			}
			fmt.Fprintf(&m.b, `"%s":`, panel.Features()[m.r.IntN(panel.NumFeatures)].Name)
			m.part("0", "1", "-1", "1e6", "-1e6", "0.03", "1e-300", "-1e-300")
		}
		m.b.WriteString("}")
	}
	if m.r.IntN(3) == 0 {
		m.b.WriteString(`,"explain":true`)
	}
	m.b.WriteString("}")
}

func (m *maker) part(good ...string) {
	if m.r.IntN(10) == 0 {
		m.value(3)
		return
	}
	m.b.WriteString(m.pick(good...))
}

// infer is a row of the boosters' columns, sometimes wild.
func (m *maker) infer() {
	fmt.Fprintf(&m.b, `{"inputs":[{"name":"features","datatype":"FP64","shape":[1,%d],"data":[`, forecast.NumSpread)
	for i := range forecast.NumSpread {
		if i > 0 {
			m.b.WriteByte(',')
		}
		m.part("0", "null", "1", "0.3", "-5", "1e12", "1e-300")
	}
	m.b.WriteString("]}]}")
}

// No request gives a 500 or a panic, and every refusal is a whole problem.
func TestNoRequestGives500(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	r := rand.New(rand.NewPCG(1, 2))
	targets := []string{
		"POST /api/v1/predict", "POST /api/v1/predict/batch", "POST /api/v1/compare", "POST /v2/models/pppq/infer", "POST /invocations",
		"POST /api/v1/predict/upload", "POST /api/v1/models/promote",
	}
	status := map[int]int{}
	n := 6000
	if testing.Short() {
		n = 1000
	}
	for i := range n {
		m := &maker{r: r}
		target := targets[i%len(targets)]
		method, path, _ := strings.Cut(target, " ")
		switch k := r.IntN(3); {
		case strings.HasSuffix(path, "infer") && k > 0:
			m.infer()
		case strings.HasSuffix(path, "predict") && k > 0:
			m.question()
		case strings.HasSuffix(path, "batch") && k > 0:
			m.b.WriteString(`{"items":[`)
			m.question()
			m.b.WriteString(`,`)
			m.value(1)
			m.b.WriteString(`]}`)
		default:
			m.value(0)
		}
		media := jsonType
		if strings.HasSuffix(path, "upload") {
			media = csvType
		}
		x := f.do(method, path, m.b.String(), "Content-Type", media)
		status[x.Code]++
		checkAnswer(t, target+" "+m.b.String(), x)
	}
	for i := range n / 4 {
		m := &maker{r: r}
		word := func() string {
			return m.pick("Gold", "gold", "x", "%00", "%ff", "5", "10", "2001-01", "9999-99", "-1", "NaN", "1e999", "true", "cpi", "Bitcoin", "", "%F0%9F%98%80", "12345678901234567890", "a%2Fb", "ensemble")
		}
		path := m.pick("/api/v1/forecast/"+word(), "/api/v1/assets/"+word()+"/history", "/api/v1/assets/"+word()+"/quality", "/api/v1/assets/"+word(), "/api/v1/track-record", "/api/v1/models", "/"+word(), "/v2/models/"+word())
		var query []string
		for range r.IntN(4) {
			query = append(query, m.pick("horizon_years", "model_type", "explain", "from", "to", "in", "limit", "after", "offset", "asset", "scored", "x")+"="+word())
		}
		target := path + "?" + strings.Join(query, m.pick("&", "&", "&", ";", "&&"))
		req, err := http.NewRequest(http.MethodGet, target, nil)
		if err != nil {
			continue
		}
		req.RequestURI = target
		w := httptest.NewRecorder()
		f.ServeHTTP(w, req)
		status[w.Code]++
		checkAnswer(t, target, exchange{w, t})
		_ = i
	}
	for _, want := range []int{200, 400, 404, 422} {
		if status[want] < 20 {
			t.Errorf("only %d answers of status %d: %v", status[want], want, status)
		}
	}
}

// checkAnswer fails on a fault of the service and on a refusal that is none of ours.
func checkAnswer(t testing.TB, request string, x exchange) {
	t.Helper()
	if x.Code >= 500 || x.Code == 0 {
		t.Fatalf("%q: status %d: %.500s", request, x.Code, x.Body)
	}
	if x.Code >= 400 {
		p := x.problem(x.Code)
		if strings.Contains(x.Body.String(), "goroutine") || strings.Contains(p.Detail, "json:") || strings.Contains(p.Detail, "strconv") {
			t.Fatalf("%q: the problem tells of the inside: %s", request, x.Body)
		}
		return
	}
	if strings.HasPrefix(x.Header().Get("Content-Type"), jsonType) && !jsontext.Value(x.Body.Bytes()).IsValid() {
		t.Fatalf("%q: the answer is not JSON: %.300s", request, x.Body)
	}
}

func fuzzBody(f *testing.F, target string, seeds ...string) {
	x := setup(f, func(o *Options) { o.Cache = false })
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
		r.Header.Set("Content-Type", jsonType)
		w := httptest.NewRecorder()
		x.ServeHTTP(w, r)
		checkAnswer(t, body, exchange{w, t})
	})
}

func FuzzPredict(f *testing.F) {
	fuzzBody(f, "/api/v1/predict", `{"asset":"Gold","horizon_years":5,"model_type":"xgb","features":{"cape":20},"explain":true}`, `{`, `{"asset":"\u0041","horizon_years":1e0}`)
}

func FuzzBatch(f *testing.F) {
	fuzzBody(f, "/api/v1/predict/batch", `{"items":[{"asset":"Gold","horizon_years":5},1,{}]}`)
}

func FuzzInfer(f *testing.F) {
	fuzzBody(f, "/v2/models/pppq/infer",
		`{"id":"1","parameters":{"model_type":"lgbm","x":[1]},"inputs":[{"name":"features","datatype":"FP64","shape":[1,27],"data":[[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,null,0.1,0.3,0.3,5,0,0,1]]}],"outputs":[{"name":"class"}]}`)
}

func FuzzInvocations(f *testing.F) {
	fuzzBody(f, "/invocations", `{"dataframe_split":{"columns":["asset","horizon_years"],"data":[["Gold",5]]}}`, `{"instances":[{"core_mean":0.1,"core_sd":0.3}]}`, `{"inputs":[[0,1]]}`, `{"dataframe_records":[{"asset":"Gold","horizon_years":5,"cape":3}]}`)
}

func FuzzQuery(f *testing.F) {
	x := setup(f, func(o *Options) { o.Cache = false })
	f.Add("Gold", "horizon_years=5&model_type=xgb&explain=false")
	f.Add("%ff", "from=1990-01&in=gold&limit=3&after=2000-01")
	f.Fuzz(func(t *testing.T, asset, query string) {
		for _, path := range []string{"/api/v1/forecast/" + asset, "/api/v1/assets/" + asset + "/history", "/api/v1/track-record"} {
			r, err := http.NewRequest(http.MethodGet, path+"?"+query, nil)
			if err != nil {
				continue
			}
			r.RequestURI = r.URL.RequestURI()
			w := httptest.NewRecorder()
			x.ServeHTTP(w, r)
			checkAnswer(t, path+"?"+query, exchange{w, t})
		}
	})
}
