package api

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pppq/pppq/internal/config"
	"github.com/pppq/pppq/internal/telemetry"
)

// load reads settings from variables alone.
func load(t testing.TB, vars map[string]string) *config.Settings {
	t.Helper()
	s, err := config.Load(config.Source{Env: func(name string) (string, bool) { v, ok := vars[name]; return v, ok }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// withEnv makes a handler whose options come from variables.
func withEnv(t testing.TB, vars map[string]string) *fixture {
	t.Helper()
	return setup(t, func(o *Options) {
		models, data := o.Models.Dir, o.DataDir
		o.Configure(load(t, vars))
		if vars["MODELS_DIR"] == "" {
			o.Models.Dir = models
		}
		if vars["DATA_DIR"] == "" {
			o.DataDir = data
		}
	})
}

func TestTimeoutEndsWork(t *testing.T) {
	t.Parallel()
	f := withEnv(t, map[string]string{"TIMEOUT": "0.001"})
	items := `{"items":[` + strings.TrimSuffix(strings.Repeat(`{"asset":"Gold","horizon_years":5},`, 1000), ",") + `]}`
	x := f.post("/api/v1/predict/batch", items)
	if p := x.problem(503); p.Type != "urn:pppq:problem:deadline" || x.Header().Get("Retry-After") == "" {
		t.Errorf("got %+v", p)
	}
}

// With one place and no queue a second question is refused while the first one
// is at work, and probes are not.
func TestMaxInFlight(t *testing.T) {
	t.Parallel()
	f := withEnv(t, map[string]string{"MAX_IN_FLIGHT": "1", "MAX_QUEUE": "0"})
	held, err := f.short.enter(context.Background(), new(cost), 1)
	if err != nil {
		t.Fatal(err)
	}
	const body = `{"asset":"Gold","horizon_years":5}`
	x := f.post("/api/v1/predict", body)
	if p := x.problem(503); p.Type != "urn:pppq:problem:busy" || x.Header().Get("Retry-After") != "1" {
		t.Errorf("got %+v, Retry-After %q", p, x.Header().Get("Retry-After"))
	}
	f.get("/health").want(200)
	f.get("/api/v1/assets").want(200)
	held.leave()
	f.post("/api/v1/predict", body).want(200)
	if text := f.get("/metrics").Body.String(); !strings.Contains(text, `http_requests_shed_total{reason="busy"} 1`) {
		t.Error("the refusal is not counted")
	}
}

func TestPredictionCache(t *testing.T) {
	t.Parallel()
	for value, hits := range map[string]string{"on": "3", "off": "0"} {
		f := withEnv(t, map[string]string{"PREDICTION_CACHE": value})
		var bodies []string
		for range 5 {
			bodies = append(bodies, f.post("/api/v1/predict", `{"asset":"Gold","horizon_years":5}`).want(200).Body.String())
		}
		for _, b := range bodies {
			if b != bodies[0] {
				t.Errorf("PREDICTION_CACHE=%s: answers differ", value)
			}
		}
		text := f.get("/metrics").Body.String()
		if !strings.Contains(text, `http_answer_cache_lookups_total{result="hit"} `+hits) {
			t.Errorf("PREDICTION_CACHE=%s: want %s hits", value, hits)
		}
		if !strings.Contains(text, `model_predictions_total{class="A_PRESERVER",model="ensemble"} 5`) {
			t.Errorf("PREDICTION_CACHE=%s: five forecasts are not counted as five", value)
		}
	}
}

// LOG_LEVEL decides about the access log, LOG_DIR about the file.
func TestLogSettings(t *testing.T) {
	t.Parallel()
	for level, want := range map[string]string{"info": "200 404 503", "warning": "503", "ERROR": "503"} {
		dir := t.TempDir()
		s := load(t, map[string]string{"LOG_LEVEL": level, "LOG_DIR": dir})
		sink := must(telemetry.NewSink(nil, s.LogDir, nil))
		f := setup(t, func(o *Options) {
			o.AccessLog, o.Log, o.Models.Dir = sink, telemetry.NewLogger(sink, s.LogLevel), ""
		})
		f.get("/docs").want(200)
		f.get("/nothing").want(404)
		f.get("/api/v1/model").want(503)
		if err := sink.Close(); err != nil {
			t.Fatal(err)
		}
		text := string(must(os.ReadFile(filepath.Join(dir, telemetry.LogFile))))
		var got []string
		for line := range strings.Lines(text) {
			if _, rest, ok := strings.Cut(line, `"status":`); ok {
				got = append(got, rest[:3])
			}
		}
		if list := strings.Join(got, " "); list != want {
			t.Errorf("LOG_LEVEL=%s: statuses %s in the log, want %s", level, list, want)
		}
	}
}

// What settings say arrives in the options.
func TestConfigure(t *testing.T) {
	t.Parallel()
	o := DefaultOptions()
	o.Configure(load(t, map[string]string{
		"HOST": "::1", "PORT": "9", "TIMEOUT": "7", "DATA_DIR": "/d", "MODELS_DIR": "/m", "DEBUG": "true", "H2C": "true", "DRAIN_SECONDS": "3",
		"CORS_ORIGINS": `["https://a.b"]`, "ALLOWED_HOSTS": `["a.b"]`, "TRUSTED_PROXIES": `["10.0.0.0/8"]`, "RATE_LIMIT": "2", "RATE_BURST": "5",
		"MAX_IN_FLIGHT": "6", "MAX_QUEUE": "8", "PREDICTION_CACHE": "off", "API_KEYS": "a:read:" + strings.Repeat("00", 32),
	}))
	if o.Address != "[::1]:9" || o.Timeout != 7*time.Second || o.DataDir != "/d" || o.Models.Dir != "/m" || !o.Debug || !o.H2C || o.Drain != 3*time.Second ||
		len(o.CORSOrigins) != 1 || len(o.AllowedHosts) != 1 || len(o.TrustedProxies) != 1 || o.RateLimit != 2 || o.RateBurst != 5 ||
		o.MaxInFlight != 6 || o.MaxQueue != 8 || o.Cache || len(o.Keys) != 1 {
		t.Errorf("got %+v", o)
	}
}

// A panic is contained in its request, counted and logged, and the next request
// is answered; half an answer is cut off.
func TestPanics(t *testing.T) {
	t.Parallel()
	half := false
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if half {
			_, _ = w.Write([]byte("half"))
		}
		panic("no such thing")
	})
	f := setupPages(t, func(o *Options) { o.Log = slog.New(slog.DiscardHandler) }, map[string]http.Handler{"GET /broken": page})
	p := f.get("/broken").problem(500)
	if strings.Contains(p.Detail, "no such thing") {
		t.Errorf("the caller learns of the inside: %+v", p)
	}
	if text := f.get("/metrics").Body.String(); !strings.Contains(text, "http_request_panics_total 1") || !strings.Contains(text, `route="/broken",status="500"} 1`) {
		t.Error("the panic is not counted")
	}
	half = true
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("after half an answer: %v, want an aborted connection", p)
		}
		f.get("/livez").want(200)
	}()
	f.get("/broken")
}
