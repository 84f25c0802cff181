package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/config"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
	"github.com/pppq/pppq/internal/source"
)

const program = "1.2.3"

// today is the clock of the tests.
var today = time.Date(2026, time.November, 22, 18, 15, 0, 0, time.UTC)

// made is a forecaster trained on the embedded figures with few trees, and a
// report made by hand.
var made = sync.OnceValues(func() (bundle.Contents, error) {
	ctx := context.Background()
	set, err := source.Embedded()
	if err != nil {
		return bundle.Contents{}, err
	}
	p, err := panel.Build(ctx, set, series.BuiltinAssets())
	if err != nil {
		return bundle.Contents{}, err
	}
	core := forecast.NewCoreHistory(p)
	f, _, err := forecast.Build(set, p, core, power.DefaultTiers())
	if err != nil {
		return bundle.Contents{}, err
	}
	training, err := forecast.NewTrainingSet(p, core, f.Tiers)
	if err != nil {
		return bundle.Contents{}, err
	}
	if f.LGBM, err = training.FitSpread(ctx, gbdt.LightGBM, len(training.Examples), 7); err != nil {
		return bundle.Contents{}, err
	}
	if f.XGB, err = training.FitSpread(ctx, gbdt.XGBoost, len(training.Examples), 7); err != nil {
		return bundle.Contents{}, err
	}
	f.Weights = forecast.Weights{LGBM: 1, XGB: 1, Ensemble: 1}
	f.Calibration = forecast.Calibration{Temperature: 1.1, Interval: 0.97}
	f.References = map[forecast.ModelType][]forecast.Reference{
		forecast.Ensemble: {{HorizonYears: 1, RPS: 0.11, Baseline: "climatology_partial", Skill: 0.07, Low: -0.01, High: 0.1, Blocks: 40}},
	}
	data, err := bundle.DescribeData(set)
	return bundle.Contents{Forecaster: f, Report: report(), Data: data, Created: today, NewDataRows: 9}, err
})

// report is a walk-forward report with one horizon and rung.
func report() *backtest.Report {
	return &backtest.Report{
		From: series.Of(1985, 1), To: series.Of(2025, 7), DataAsOf: series.Of(2026, 7), Seed: 7, Method: forecast.Method,
		Assets:      []string{"SP500", "Gold"},
		Rungs:       []backtest.RungInfo{{Name: "ensemble", Title: "mean of both spreads", Served: true}},
		Weights:     forecast.Weights{LGBM: 1, XGB: 1, Ensemble: 1},
		Calibration: forecast.Calibration{Temperature: 1.1, Interval: 0.97},
		Alarms:      []backtest.Alarm{},
		Horizons: []backtest.HorizonReport{{
			Months: 12, Origins: 480, Rows: 3941, Last: series.Of(2025, 7), BestClimatology: "climatology_partial",
			Rungs: []backtest.RungScore{{Rung: "ensemble", RPS: 0.11, Accuracy: 0.62, MacroF1: 0.33, Skill: backtest.Skill{Reference: "climatology_partial", Value: 0.07}}},
		}},
	}
}

// store is a folder of models with one version in service, written once.
var store = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "pppq-api-test-")
	if err != nil {
		return "", err
	}
	return dir, writeModel(bundle.Folder{Dir: dir, Program: program})
})

// writeModel writes a bundle and promotes it.
func writeModel(f bundle.Folder) error {
	c, err := made()
	if err != nil {
		return err
	}
	w, err := f.Lock("test", today)
	if err != nil {
		return err
	}
	defer w.Close()
	v, err := w.Write(c)
	if err != nil {
		return err
	}
	return w.Promote(v)
}

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := store(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// A fixture is a handler with a model, and what it logged.
type fixture struct {
	*Handler
	t testing.TB
}

// setup makes a handler over the shared folder of models; change may be nil.
func setup(t testing.TB, change func(*Options)) *fixture {
	t.Helper()
	return setupPages(t, change, nil)
}

// setupPages is setup with handlers beside the operations.
func setupPages(t testing.TB, change func(*Options), pages map[string]http.Handler) *fixture {
	t.Helper()
	dir, err := store()
	if err != nil {
		t.Fatal(err)
	}
	o := DefaultOptions()
	o.Version, o.Models.Dir, o.DataDir = program, dir, t.TempDir()
	o.Now = func() time.Time { return today }
	o.Log = slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if change != nil {
		change(&o)
	}
	s := NewService(o)
	if o.Models.Dir != "" {
		if _, _, err := s.Reload(); err != nil {
			t.Fatal(err)
		}
	}
	return &fixture{Handler: NewHandler(s, pages), t: t}
}

// testWriter shows warnings and errors with the test that met them.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Logf("%s", strings.TrimSpace(string(b)))
	return len(b), nil
}

// An exchange is what came back.
type exchange struct {
	*httptest.ResponseRecorder
	t testing.TB
}

// do sends a request; header is name, value, name, value ...
func (f *fixture) do(method, target, body string, header ...string) exchange {
	f.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, reader)
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return exchange{w, f.t}
}

// post sends JSON.
func (f *fixture) post(target, body string) exchange {
	f.t.Helper()
	return f.do(http.MethodPost, target, body, "Content-Type", jsonType)
}

func (f *fixture) get(target string, header ...string) exchange {
	f.t.Helper()
	return f.do(http.MethodGet, target, "", header...)
}

// want fails unless the status is as given.
func (x exchange) want(status int) exchange {
	x.t.Helper()
	if x.Code != status {
		x.t.Fatalf("status %d, want %d: %.600s", x.Code, status, x.Body)
	}
	return x
}

// into decodes the body strictly.
func into[T any](x exchange) T {
	x.t.Helper()
	var v T
	if err := json.Unmarshal(x.Body.Bytes(), &v, json.RejectUnknownMembers(true)); err != nil {
		x.t.Fatalf("%v in %.600s", err, x.Body)
	}
	return v
}

// problem checks that the body is a problem of a status and returns it.
func (x exchange) problem(status int) Problem {
	x.t.Helper()
	x.want(status)
	if ct := x.Header().Get("Content-Type"); ct != problemType {
		x.t.Fatalf("Content-Type %q, want %q: %.300s", ct, problemType, x.Body)
	}
	p := into[Problem](x)
	if p.Status != status || p.Type == "" || p.Title == "" || p.RequestID != x.Header().Get("X-Request-Id") || p.RequestID == "" {
		x.t.Fatalf("problem %+v is not complete", p)
	}
	return p
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// testKey makes a key and its line.
func testKey(t testing.TB, name, scope string) (key, line string) {
	t.Helper()
	key, line, err := config.NewAPIKey(name, scope)
	if err != nil {
		t.Fatal(err)
	}
	return key, line
}

func parseKeys(t testing.TB, lines ...string) []config.APIKey {
	t.Helper()
	keys, err := config.ParseAPIKeys(strings.Join(lines, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// copyStore copies the shared folder of models, to be changed.
func copyStore(t testing.TB, to string) string {
	t.Helper()
	dir, err := store()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}
