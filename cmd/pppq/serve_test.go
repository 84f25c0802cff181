package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pppq/pppq/internal/config"
)

// served is a service that runs inside the test, with trained models.
type served struct {
	address, models string
	// stop ends it as Ctrl-C would, and returns the exit code and its log.
	stop func() (code int, log string)
}

// startService runs "pppq serve" on a port that the system chooses.
func startService(t *testing.T) *served {
	t.Helper()
	r, err := trained()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := r.copyTo(dir); err != nil {
		t.Fatal(err)
	}
	s := &served{models: filepath.Join(dir, "models")}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	notes, write := io.Pipe()
	var log bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		code := run(ctx, []string{"serve", "--port", "0", "--models-dir", s.models, "--data-dir", filepath.Join(dir, "data")}, &log, write)
		write.Close()
		ended <- code
	}()
	line, err := bufio.NewReader(notes).ReadString('\n')
	m := regexp.MustCompile(`serves on http://(\S+) `).FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("no address in %q (%v)", line, err)
	}
	go io.Copy(io.Discard, notes)
	s.address = m[1]
	s.stop = func() (int, string) {
		cancel()
		code := <-ended
		return code, log.String()
	}
	return s
}

// ask sends a request and returns status, content type and body.
func (s *served) ask(t *testing.T, method, path, body string) (int, string, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Content-Type"), answer
}

// TestServe asks a service what people and programs ask first, sends it what is
// wrong, and ends it.
func TestServe(t *testing.T) {
	t.Parallel()
	s := startService(t)

	t.Run("health", func(t *testing.T) {
		status, _, body := s.ask(t, "GET", "/health", "")
		var health struct{ Status, Version, Model string }
		if err := json.Unmarshal(body, &health); err != nil || status != 200 || health.Status != "healthy" || health.Version != programVersion() {
			t.Errorf("got %d %s (%v)", status, body, err)
		}
	})
	t.Run("same answer as the command line", func(t *testing.T) {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), []string{"predict", "Gold", "--horizon", "5", "--json", "--models-dir", s.models}, &stdout, &stderr); code != exitDone {
			t.Fatalf("exit code %d: %s", code, stderr.String())
		}
		type answer struct {
			Confidence    float64            `json:"confidence"`
			Probabilities map[string]float64 `json:"probability_breakdown"`
			Multiple      map[string]float64 `json:"multiple"`
			Version       string             `json:"model_version"`
		}
		var line, http answer
		if err := json.Unmarshal(stdout.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		status, _, body := s.ask(t, "POST", "/api/v1/predict", `{"asset":"Gold","horizon_years":5,"model_type":"ensemble"}`)
		if err := json.Unmarshal(body, &http); err != nil || status != 200 {
			t.Fatalf("got %d %s (%v)", status, body, err)
		}
		if fmt.Sprint(line) != fmt.Sprint(http) || len(http.Probabilities) != 4 || http.Version == "" {
			t.Errorf("command line %v\nHTTP %v", line, http)
		}
	})
	t.Run("the command line asks the service", func(t *testing.T) {
		answer := func(args ...string) (int, string) {
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), append([]string{"predict", "gold", "--horizon", "5"}, args...), &stdout, &stderr)
			return code, stdout.String() + stderr.String()
		}
		code, there := answer("--server", "http://"+s.address)
		if _, here := answer("--models-dir", s.models); code != exitDone || there != here {
			t.Errorf("exit code %d, the service says\n%s\nhere it is\n%s", code, there, here)
		}
		if code, text := answer("--server", "http://"+s.address, "--model-type", "best"); code != exitUsage || !strings.Contains(text, "/model_type") {
			t.Errorf("unknown model type: exit code %d, %s", code, text)
		}
		if code, text := answer("--server", "gopher://x"); code != exitUsage || !strings.Contains(text, "--server") {
			t.Errorf("no address: exit code %d, %s", code, text)
		}
	})
	t.Run("compare", func(t *testing.T) {
		status, _, body := s.ask(t, "POST", "/api/v1/compare", `{"assets":["SP500","Gold","Bills","Banknotes"],"horizon_years":10}`)
		if status != 200 || !json.Valid(body) || !bytes.Contains(body, []byte("Banknotes")) {
			t.Errorf("got %d %s", status, body)
		}
	})
	for path, want := range map[string]string{
		"/": "<!doctype html>", "/api/v1/assets": "Treasury10", "/metrics": "pppq_model_rps_skill ", "/livez": "", "/readyz": "",
	} {
		t.Run("GET "+path, func(t *testing.T) {
			if status, _, body := s.ask(t, "GET", path, ""); status != 200 || !strings.Contains(string(body), want) {
				t.Errorf("got %d %.200s, want %q in it", status, body, want)
			}
		})
	}
	for _, c := range []struct {
		name, body string
		status     int
		says       string
	}{
		{"empty body", "", 400, ""},
		{"broken JSON", `{"asset":"Gold",`, 400, ""},
		{"a literal NaN", `{"asset":"Gold","horizon_years":NaN}`, 400, ""},
		{"a number beyond all numbers", `{"asset":"Gold","horizon_years":1e999}`, 400, ""},
		{"no fields", `{}`, 422, "/asset"},
		{"horizon 0", `{"asset":"Gold","horizon_years":0}`, 422, "/horizon_years"},
		{"horizon 11", `{"asset":"Gold","horizon_years":11}`, 422, "/horizon_years"},
		{"horizon in words", `{"asset":"Gold","horizon_years":"five"}`, 422, "/horizon_years"},
		{"unknown model", `{"asset":"Gold","horizon_years":5,"model_type":"catboost"}`, 422, "/model_type"},
		{"unknown asset", `{"asset":"Godl","horizon_years":5}`, 404, `"near":["Gold"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, kind, body := s.ask(t, "POST", "/api/v1/predict", c.body)
			if status != c.status || kind != "application/problem+json" || !json.Valid(body) || !strings.Contains(string(body), c.says) {
				t.Errorf("got %d, %s, %s; want %d with %q", status, kind, body, c.status, c.says)
			}
		})
	}
	t.Run("taken port", func(t *testing.T) {
		_, port, _ := strings.Cut(s.address, ":")
		for _, command := range []string{"serve", "up"} {
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), []string{command, "--port", port, "--models-dir", t.TempDir(), "--data-dir", t.TempDir()}, &stdout, &stderr)
			want := fmt.Sprintf("pppq: %s is taken: stop what listens there, or choose another port with PORT or --port\n", s.address)
			if code != exitFailed || stderr.String() != want {
				t.Errorf("%s: exit code %d, %q; want %d, %q", command, code, stderr.String(), exitFailed, want)
			}
		}
	})

	code, log := s.stop()
	if code != exitDone {
		t.Errorf("stopped with exit code %d", code)
	}
	for _, line := range strings.Split(strings.TrimSpace(log), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("log line is not JSON: %s", line)
		}
	}
	if !strings.Contains(log, `"route":"/api/v1/predict"`) {
		t.Errorf("no request in the log:\n%s", log)
	}
}

// TestFirstRun reads what "pppq up --once" printed from nothing.
func TestFirstRun(t *testing.T) {
	t.Parallel()
	r, err := trained()
	if err != nil {
		t.Fatal(err)
	}
	if r.stderr != "" {
		t.Errorf("standard error: %s", r.stderr)
	}
	if err := plain(r.stdout); err != nil {
		t.Error(err)
	}
	for _, want := range []string{
		"Walk-forward test, origins 1985-01 to ", "(model " + r.version + ")", "asset", "P(keeps)", "class", "median", "80 % interval", "evidence", "figures to",
	} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("no %q in\n%s", want, r.stdout)
		}
	}
	for _, asset := range []string{"SP500", "Treasury10", "Bills", "Banknotes", "Gold", "Silver", "Copper", "Oil", "Bitcoin"} {
		line := regexp.MustCompile(`(?m)^` + asset + ` +(1|3|5|10) +[0-9]+ % +[ABCD]_[A-Z]+ +[0-9.]+ +[0-9.]+ to [0-9.]+ +(sufficient|thin|insufficient) +20[0-9]{2}-[0-9]{2}`)
		if n := len(line.FindAllString(r.stdout, -1)); n != 4 {
			t.Errorf("%s stands %d times in the table, want 4", asset, n)
		}
	}
}

// With keys, pages need one, and no cache that many share may keep them.
func TestPagesBehindKeys(t *testing.T) {
	key, line, err := config.NewAPIKey("ana", config.ScopeRead)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("API_KEYS", line)
	s := startService(t)
	for path, want := range map[string]string{"/": "private, max-age=60", "/report": "private, max-age=60", "/api/v1/forecast/Gold?horizon_years=5": "private, max-age=60, stale-if-error=86400"} {
		for _, given := range []string{"", key} {
			r, err := http.NewRequest("GET", "http://"+s.address+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			status := http.StatusUnauthorized
			if given != "" {
				r.Header.Set("X-API-Key", given)
				status = http.StatusOK
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if got := resp.Header.Get("Cache-Control"); resp.StatusCode != status || given != "" && got != want {
				t.Errorf("%s: %s, Cache-Control %q, want %d and %q", path, resp.Status, got, status, want)
			}
		}
	}
	if code, log := s.stop(); code != 0 {
		t.Errorf("exit code %d: %s", code, log)
	}
}

// A file of keys that holds none opens the service: in production it says so.
func TestServeWithoutKeysSaysSo(t *testing.T) {
	keys := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(keys, []byte("# none yet\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"ENVIRONMENT": config.Production, "ALLOWED_HOSTS": `["127.0.0.1"]`, "API_KEYS_FILE": keys, "DRAIN_SECONDS": "0",
	} {
		t.Setenv(name, value)
	}
	if line := firstLogLine(t); !strings.Contains(line, `"level":"WARN"`) || !strings.Contains(line, "API_KEYS holds no key") {
		t.Errorf("first line of the log is %q", line)
	}
}

// A service without a model says so when it starts, and what to do.
func TestServeWithoutModelSaysSo(t *testing.T) {
	t.Parallel()
	if line := firstLogLine(t); !strings.Contains(line, `"level":"WARN"`) || !strings.Contains(line, "no model is in service: `pppq train` makes one") {
		t.Errorf("first line of the log is %q", line)
	}
}

// firstLogLine is what a service in an empty folder says first; it ends after it.
func firstLogLine(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	logs, write := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"serve", "--port", "0", "--models-dir", t.TempDir()}, write, io.Discard)
		write.Close()
	}()
	line, err := bufio.NewReader(logs).ReadString('\n')
	if err != nil {
		t.Error(err)
	}
	cancel()
	io.Copy(io.Discard, logs)
	if code := <-ended; code != exitDone {
		t.Errorf("exit code %d, want %d", code, exitDone)
	}
	return line
}
