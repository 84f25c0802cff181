//go:build unix

package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/telemetry"
)

// twoModels is a folder of models with two versions, the second in service.
func twoModels(t testing.TB) (bundle.Folder, [2]string) {
	t.Helper()
	f := bundle.Folder{Dir: copyStore(t, t.TempDir()), Program: program}
	c := must(made())
	other := *c.Forecaster
	other.Weights = forecast.Weights{LGBM: 1, XGB: 0, Ensemble: 1}
	other.Calibration.Temperature = 1.3
	c.Forecaster, c.Created = &other, today.Add(time.Hour)
	r := *c.Report
	r.Weights, r.Calibration = other.Weights, other.Calibration
	c.Report = &r
	w := must(f.Lock("test", today))
	defer w.Close()
	second := must(w.Write(c))
	if err := w.Promote(second); err != nil {
		t.Fatal(err)
	}
	versions := must(f.Versions())
	if len(versions) != 2 || versions[1] != second {
		t.Fatalf("versions %v", versions)
	}
	return f, [2]string(versions)
}

func promote(t testing.TB, f bundle.Folder, version string) {
	t.Helper()
	w := must(f.Lock("test", today))
	defer w.Close()
	if err := w.Promote(version); err != nil {
		t.Fatal(err)
	}
}

// A mixed load with a swap every few milliseconds: every answer is whole and
// wholly of one version, and none fails.
func TestSwapUnderLoad(t *testing.T) {
	t.Parallel()
	folder, versions := twoModels(t)
	var log lockedBuffer
	sink := must(telemetry.NewSink(&log, "", nil))
	f := setup(t, func(o *Options) {
		o.Models.Dir = folder.Dir
		o.AccessLog, o.Log = sink, telemetry.NewLogger(sink, slog.LevelInfo)
	})
	// What each version answers, asked of it alone.
	questions := map[string]string{
		"POST /api/v1/predict":              `{"asset":"Gold","horizon_years":5,"explain":false}`,
		"GET /api/v1/forecast/Oil":          "",
		"POST /api/v1/predict/batch":        `{"items":[{"asset":"SP500","horizon_years":1,"explain":false},{"asset":"x","horizon_years":1}]}`,
		"POST /v2/models/pppq/infer":        string(must(json.Marshal(inferExample()))),
		"POST /api/v1/compare":              `{"assets":["Gold","Bills"],"horizon_years":3}`,
		"GET /api/v1/model":                 "",
		"POST /api/v1/predict what-if only": `{"asset":"SP500","horizon_years":5,"features":{"cape":20}}`,
	}
	ask := func(name string) exchange {
		method, target, _ := strings.Cut(name, " ")
		target, _, _ = strings.Cut(target, " ")
		if strings.HasPrefix(target, "/api/v1/forecast") {
			target += "?horizon_years=2"
		}
		return f.do(method, target, questions[name], "Content-Type", jsonType)
	}
	var bundles [2]*bundle.Bundle
	want := map[string]map[string]bool{}
	for i, v := range versions {
		bundles[i] = must(folder.Load(v))
		if err := f.service.Put(bundles[i]); err != nil {
			t.Fatal(err)
		}
		for name := range questions {
			if want[name] == nil {
				want[name] = map[string]bool{}
			}
			want[name][ask(name).want(200).Body.String()] = true
		}
	}
	for name, answers := range want {
		if len(answers) != 2 {
			t.Fatalf("%s: both versions answer the same", name)
		}
	}
	stop := make(chan struct{})
	var asked atomic.Int64
	var workers sync.WaitGroup
	for name := range questions {
		workers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				x := ask(name)
				asked.Add(1)
				if x.Code != 200 || !want[name][x.Body.String()] {
					t.Errorf("%s: status %d, a mixture or a failure: %.200s", name, x.Code, x.Body)
					return
				}
			}
		})
	}
	for i := range 40 {
		if err := f.service.Put(bundles[i%2]); err != nil {
			t.Error(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	close(stop)
	workers.Wait()
	if err := sink.Close(); err != nil {
		t.Error(err)
	}
	if asked.Load() < 40 {
		t.Errorf("only %d requests", asked.Load())
	}
	checkAccessLog(t, log.String(), int(asked.Load()))
}

// A lockedBuffer is written by one goroutine and read by another.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// checkAccessLog wants at least n request lines, each valid JSON.
func checkAccessLog(t *testing.T, text string, n int) {
	t.Helper()
	requests := 0
	for line := range strings.Lines(text) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		if v["msg"] == "request" {
			requests++
		}
	}
	if requests < n {
		t.Errorf("%d request lines, want at least %d", requests, n)
	}
}

// The running service follows the folder, refuses what does not hold, and goes
// on with what it has.
func TestWatch(t *testing.T) {
	t.Parallel()
	folder, versions := twoModels(t)
	f := setup(t, func(o *Options) { o.Models.Dir = folder.Dir; o.Log = slog.New(slog.DiscardHandler) })
	r := serve(t, f)
	serving := func() string { return f.service.Bundle().Manifest.Version }
	until := func(what string, ok func() bool) {
		t.Helper()
		for range 6000 {
			if ok() {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("%s: waited for a minute", what)
	}
	if serving() != versions[1] {
		t.Fatalf("serves %s at the start", serving())
	}
	promote(t, folder, versions[0])
	until("promoted version", func() bool { return serving() == versions[0] })

	// A damaged version is refused, counted, and the old one stays.
	path := filepath.Join(folder.Dir, "pppq", versions[1], "lightgbm.txt")
	text := must(os.ReadFile(path))
	if err := os.WriteFile(path, append([]byte("x"), text[1:]...), 0o644); err != nil {
		t.Fatal(err)
	}
	current := filepath.Join(folder.Dir, "pppq", "current")
	if err := os.WriteFile(current+".new", []byte(versions[1]+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(current+".new", current); err != nil {
		t.Fatal(err)
	}
	until("refusal", func() bool {
		return strings.Contains(f.get("/metrics").Body.String(), `model_reloads_total{result="refused"} 1`)
	})
	if serving() != versions[0] {
		t.Errorf("serves %s after a damaged promotion", serving())
	}
	f.get("/readyz").want(200)

	// Repaired, a SIGHUP loads it at once.
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until("SIGHUP", func() bool { return serving() == versions[1] })
	r.end()
}

// administered is a service of two models with the key of an administrator.
func administered(t *testing.T) (f *fixture, folder bundle.Folder, versions [2]string, key string) {
	t.Helper()
	folder, versions = twoModels(t)
	key, line := testKey(t, "boss", "admin")
	f = setup(t, func(o *Options) {
		o.Models.Dir, o.Keys, o.Log = folder.Dir, parseKeys(t, line), slog.New(slog.DiscardHandler)
	})
	return f, folder, versions, key
}

// Whoever changes what is in service, and in whatever order, the service ends
// with what the folder says, never goes back once a change was answered, and
// lists it.
func TestFollowsFolder(t *testing.T) {
	t.Parallel()
	f, folder, versions, key := administered(t)
	r := serve(t, f)
	put := func(version string) InService {
		return into[InService](f.do(http.MethodPost, "/api/v1/models/promote", fmt.Sprintf(`{"version":%q}`, version), "Content-Type", jsonType, "X-API-Key", key).want(200))
	}
	for round := range 12 {
		// The folder changes, a request changes what serves before the watch looks.
		version := versions[round%2]
		promote(t, folder, versions[(round+1)%2])
		time.Sleep(time.Duration(round*17) * time.Millisecond) // before, while and after the watch loads
		if s := put(version); s.Version != version {
			t.Fatalf("round %d: promoted %s, answered %+v", round, version, s)
		}
		if s := put(version); s.Changed {
			t.Errorf("round %d: the same version is a change", round)
		}
		for began := time.Now(); time.Since(began) < 2*bundle.WatchInterval; time.Sleep(time.Millisecond) {
			if got := f.service.version(); got != version {
				t.Fatalf("round %d: %s serves after %s was answered", round, got, version)
			}
		}
		models := into[Versions](f.get("/api/v1/models", "X-API-Key", key).want(200))
		for _, m := range models.Models {
			if m.InService != (m.Version == version) {
				t.Errorf("round %d: %s listed in service %v, %s serves", round, m.Version, m.InService, version)
			}
		}
	}
	// A manifest that is damaged later shows in the list.
	if err := os.WriteFile(filepath.Join(folder.Dir, "pppq", versions[0], "manifest.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 600 {
		if m := into[Versions](f.get("/api/v1/models", "X-API-Key", key).want(200)); !m.Models[1].Readable {
			r.end()
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Error("the damaged manifest is listed as readable")
	r.end()
}

func TestAdministration(t *testing.T) {
	t.Parallel()
	f, folder, versions, key := administered(t)
	post := func(target, body string) exchange {
		return f.do(http.MethodPost, target, body, "Content-Type", jsonType, "X-API-Key", key)
	}
	if s := into[InService](post("/api/v1/models/reload", "").want(200)); s.Version != versions[1] || s.Changed {
		t.Errorf("reload of the same: %+v", s)
	}
	if s := into[InService](post("/api/v1/models/rollback", "").want(200)); s.Version != versions[0] || !s.Changed {
		t.Errorf("rollback: %+v", s)
	}
	post("/api/v1/models/rollback", "").problem(409)
	if s := into[InService](post("/api/v1/models/promote", fmt.Sprintf(`{"version":%q}`, versions[1])).want(200)); s.Version != versions[1] || !s.Changed {
		t.Errorf("promote: %+v", s)
	}
	for body, status := range map[string]int{
		`{"version":"../../etc"}`: 404, `{"version":"20200101T000000Z-aaaa"}`: 404, `{}`: 422, ``: 400, `{"version":5}`: 422,
	} {
		post("/api/v1/models/promote", body).problem(status)
	}
	models := into[Versions](f.get("/api/v1/models", "X-API-Key", key).want(200))
	if len(models.Models) != 2 || models.Models[0].Version != versions[1] || !models.Models[0].InService || !models.Models[1].Previous {
		t.Errorf("models %+v", models)
	}
	// While another process holds the lock nothing changes.
	w := must(folder.Lock("another", today))
	if x := post("/api/v1/models/rollback", ""); x.Header().Get("Retry-After") == "" || x.problem(409).Detail == "" {
		t.Error("a held lock without Retry-After")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	// A damaged version can't be promoted, and the one in service stays.
	path := filepath.Join(folder.Dir, "pppq", versions[0], "core.json")
	if err := os.WriteFile(path, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	p := post("/api/v1/models/promote", fmt.Sprintf(`{"version":%q}`, versions[0])).problem(409)
	if !strings.Contains(p.Detail, "core.json") {
		t.Errorf("the problem does not name the file: %+v", p)
	}
	if !strings.Contains(f.get("/metrics").Body.String(), `model_reloads_total{result="refused"} 1`) {
		t.Error("the refusal is not counted")
	}
	if got := f.service.Bundle().Manifest.Version; got != versions[1] {
		t.Errorf("serves %s", got)
	}
}

// The access log tells who asked for what and how it ended, and holds no key,
// query or body.
func TestAccessLog(t *testing.T) {
	t.Parallel()
	var out lockedBuffer
	sink := must(telemetry.NewSink(&out, "", nil))
	key, line := testKey(t, "reader", "read")
	f := setup(t, func(o *Options) {
		o.AccessLog, o.Log, o.Keys = sink, telemetry.NewLogger(sink, slog.LevelInfo), parseKeys(t, line)
	})
	f.do("POST", "/api/v1/predict?secret=1", `{"asset":"Gold","horizon_years":5}`, "X-API-Key", key, "X-Request-Id", "one").want(422)
	f.do("GET", "/api/v1/assets/a%22%0a%ffb", "", "X-API-Key", key).want(404)
	f.get("/nothing\u2028here").want(404)
	f.get("/health").want(200) // quiet
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	checkAccessLog(t, text, 3)
	for _, secret := range []string{key, "secret", "Gold", "/health"} {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds %q:\n%s", secret, text)
		}
	}
	for _, part := range []string{`"id":"one"`, `"key":"reader"`, `"route":"/api/v1/predict"`, `"status":422`, `"route":"/api/v1/assets/{asset}"`, `"address":"192.0.2.1"`} {
		if !strings.Contains(text, part) {
			t.Errorf("the log has no %s:\n%s", part, text)
		}
	}
	if _, err := io.WriteString(sink, "late\n"); err != nil || strings.Contains(out.String(), "late") {
		t.Error("a closed sink still writes")
	}
}
