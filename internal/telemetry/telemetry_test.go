package telemetry

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// Every metric is there with the names and labels that rules and dashboards
// use, and the set is clean by the rules of promtool check metrics.
func TestMetrics(t *testing.T) {
	t.Parallel()
	m := NewMetrics("1.2.3")
	half, rows := 0.5, 9.0
	m.SetModel(ModelFigures{
		Version: "v1", Accuracy: &half, MacroF1: &half, RPSSkill: &half, NewDataRows: &rows,
		DataAsOf: time.Unix(1e9, 5e8), PipelineSuccess: time.Unix(2e9, 0),
	})
	r := m.Route("POST", "/api/v1/predict")
	r.Observe(200, 2*time.Millisecond, 100, 2000)
	r.Observe(200, 2*time.Millisecond, 100, 2000)
	r.Observe(422, time.Millisecond, 10, 200)
	m.Predictions("ensemble", []string{"A_PRESERVER"}).Observe("A_PRESERVER", 20*time.Microsecond)
	m.ModelError("unknown-asset")
	m.Reload(true)
	m.Reload(false)
	m.Shed.WithLabelValues("busy").Inc()
	m.Cache.WithLabelValues("hit").Inc()
	text := scrape(t, m)
	for _, line := range []string{
		`http_requests_total{method="POST",route="/api/v1/predict",status="200"} 2`,
		`http_requests_total{method="POST",route="/api/v1/predict",status="422"} 1`,
		`http_request_duration_seconds_bucket{method="POST",route="/api/v1/predict",le="0.0025"} 3`,
		`http_request_size_bytes_sum{method="POST",route="/api/v1/predict"} 210`,
		`http_response_size_bytes_sum{method="POST",route="/api/v1/predict"} 4200`,
		`http_requests_in_flight 0`,
		`model_predictions_total{class="A_PRESERVER",model="ensemble"} 1`,
		`model_inference_duration_seconds_count{model="ensemble"} 1`,
		`model_errors_total{reason="unknown-asset"} 1`,
		`model_reloads_total{result="ok"} 1`,
		`model_reloads_total{result="refused"} 1`,
		`pppq_new_data_rows 9`, `pppq_model_f1_score 0.5`, `pppq_model_accuracy 0.5`, `pppq_model_rps_skill 0.5`,
		`pppq_model_info{version="v1"} 1`, `pppq_dataset_as_of_timestamp_seconds 1.0000000005e+09`,
		`pppq_pipeline_last_success_timestamp_seconds 2e+09`, `pppq_build_info{`, `go_goroutines`, `process_cpu_seconds_total`,
	} {
		if !strings.Contains(text, line) {
			t.Errorf("no line %s", line)
		}
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// A second model's figures replace the first one's; what it does not have is not
// shown.
func TestModelFiguresAreReplaced(t *testing.T) {
	t.Parallel()
	m := NewMetrics("1.2.3")
	if text := scrape(t, m); strings.Contains(text, "pppq_model_") {
		t.Error("figures without a model")
	}
	half := 0.5
	m.SetModel(ModelFigures{Version: "v1", Accuracy: &half, DataAsOf: time.Unix(1e9, 0)})
	m.SetModel(ModelFigures{Version: "v2"})
	text := scrape(t, m)
	if strings.Contains(text, "v1") || strings.Contains(text, "pppq_model_accuracy") || strings.Contains(text, "as_of") || !strings.Contains(text, `pppq_model_info{version="v2"} 1`) {
		t.Errorf("got:\n%s", text)
	}
}

// A stuck writer blocks until it is let go.
type stuck struct {
	release chan struct{}
	mu      sync.Mutex
	b       bytes.Buffer
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.release
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

// While the output is stuck nobody waits, memory is bounded, and what is lost is
// counted; what was taken is written whole when the output goes on.
func TestSinkDoesNotWait(t *testing.T) {
	t.Parallel()
	out := &stuck{release: make(chan struct{})}
	lost := 0
	s, err := NewSink(out, "", func() { lost++ })
	if err != nil {
		t.Fatal(err)
	}
	line := bytes.Repeat([]byte("x"), 1023)
	line = append(line, '\n')
	const lines = 3 * maxWaiting / 1024
	for range lines {
		s.Append(line)
	}
	if lost == 0 || lost > lines {
		t.Errorf("%d of %d lines lost with a stuck output", lost, lines)
	}
	if cap(s.waiting) > 4*maxWaiting {
		t.Errorf("%d bytes wait", cap(s.waiting))
	}
	close(out.release)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	if got := out.b.Len() / 1024; got != lines-lost {
		t.Errorf("%d lines written, want %d", got, lines-lost)
	}
}

func TestSinkRotates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := NewSink(nil, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	log := NewLogger(s, slog.LevelInfo)
	log.Debug("not this")
	log.Info("this", "n", 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, LogFile))
	if err != nil || !strings.Contains(string(text), `"msg":"this","n":1`) || strings.Contains(string(text), "not this") {
		t.Errorf("%v: %q", err, text)
	}
	r, err := openRotated(filepath.Join(dir, "big.log"))
	if err != nil {
		t.Fatal(err)
	}
	half := bytes.Repeat([]byte("0123456789abcde\n"), rotateAt/32+1)
	for range 2*keepFiles + 3 {
		if err := r.write(half); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.f.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "big.log*"))
	if err != nil || len(files) != keepFiles+1 {
		t.Errorf("%d files, want %d: %v", len(files), keepFiles+1, files)
	}
	for _, f := range files {
		if stat, err := os.Stat(f); err != nil || stat.Size() > rotateAt {
			t.Errorf("%s: %v, %v", f, stat.Size(), err)
		}
	}
	if _, err := NewSink(nil, filepath.Join(dir, "nothing", "here"), nil); err == nil || !strings.Contains(err.Error(), "make it") {
		t.Errorf("a folder that is not there: %v", err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestSinkReportsFaults(t *testing.T) {
	t.Parallel()
	s, err := NewSink(broken{}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Append([]byte("x\n"))
	if err := s.Close(); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
}

var someTime = time.Unix(1e9, 0)
