// Package e2e asks a running production stack, over loopback and the docker
// command, for everything that docs/deployment.md promises. test/stack/run.sh
// starts the stack and sets PPPQ_STACK_DIR to its checkout; without it every test
// here is skipped. The tests change the stack and run one after the other.
package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const host = "api.purchasing-power-ml.dev"

// A stack is the one under test.
type stack struct {
	*testing.T
	// dir is its checkout, dev that of the development stack, without settings.
	dir, dev string
	// ports are the settings of .env.prod.
	ports map[string]string
}

func open(t *testing.T) *stack {
	t.Helper()
	dir := os.Getenv("PPPQ_STACK_DIR")
	if dir == "" {
		t.Skip("PPPQ_STACK_DIR is not set: no running stack (test/stack/run.sh starts one)")
	}
	s := &stack{T: t, dir: dir, dev: os.Getenv("PPPQ_STACK_DEV_DIR"), ports: map[string]string{}}
	env, err := os.ReadFile(filepath.Join(dir, ".env.prod"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(env), "\n") {
		if name, value, ok := strings.Cut(line, "="); ok {
			s.ports[name] = value
		}
	}
	return s
}

func (s *stack) https() string { return "https://" + host + ":" + s.ports["HTTPS_PORT"] }
func (s *stack) http() string  { return "http://" + host + ":" + s.ports["HTTP_PORT"] }

// tryIn runs a program in a folder and returns all that it prints.
func tryIn(dir, name string, args ...string) (string, error) {
	// A busy machine compiles the program for minutes.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// try runs a program in the checkout.
func (s *stack) try(name string, args ...string) (string, error) { return tryIn(s.dir, name, args...) }

func (s *stack) runIn(dir, name string, args ...string) string {
	s.Helper()
	out, err := tryIn(dir, name, args...)
	if err != nil {
		s.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(out)
}

func (s *stack) run(name string, args ...string) string {
	s.Helper()
	return s.runIn(s.dir, name, args...)
}

func (s *stack) compose(args ...string) string {
	s.Helper()
	return s.run("docker", append([]string{"compose", "-f", "docker-compose.prod.yml"}, args...)...)
}

// containers of a service, running ones only.
func (s *stack) containers(service string) []string {
	s.Helper()
	return strings.Fields(s.compose("ps", "-q", service))
}

// newClient calls the edge by its name, wherever that name points; its
// certificate is self-signed.
func newClient() *http.Client {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	return &http.Client{
		Timeout: 20 * time.Second,
		Transport: &http.Transport{
			TLSClientConfig:     &tls.Config{InsecureSkipVerify: true},
			DisableCompression:  true,
			MaxIdleConnsPerHost: 64,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				_, port, err := net.SplitHostPort(address)
				if err != nil {
					return nil, err
				}
				return dialer.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

var client = newClient()

// An answer is a response with its body.
type answer struct {
	*http.Response
	body []byte
}

func do(c *http.Client, method, url string, body []byte, header ...string) (*answer, error) {
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	return &answer{resp, b}, err
}

func (s *stack) get(url string, header ...string) *answer {
	s.Helper()
	a, err := do(client, http.MethodGet, url, nil, header...)
	if err != nil {
		s.Fatalf("GET %s: %v", url, err)
	}
	return a
}

// problem checks that an answer is a problem document of its status.
func (s *stack) problem(a *answer, status int) {
	s.Helper()
	var p struct {
		Status int    `json:"status"`
		Title  string `json:"title"`
	}
	if err := json.Unmarshal(a.body, &p); err != nil || a.StatusCode != status || p.Status != status || p.Title == "" || a.Header.Get("Content-Type") != "application/problem+json" {
		s.Errorf("got %d %s %.200s, want %d application/problem+json", a.StatusCode, a.Header.Get("Content-Type"), a.body, status)
	}
}

// eventually asks until ok, for at most limit; it returns how long that took.
func (s *stack) eventually(limit time.Duration, what string, ok func() bool) time.Duration {
	s.Helper()
	start := time.Now()
	for !ok() {
		if time.Since(start) > limit {
			s.Fatalf("not within %v: %s", limit, what)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return time.Since(start)
}

func (s *stack) healthy() bool {
	a, err := do(client, http.MethodGet, s.http()+"/health", nil)
	return err == nil && a.StatusCode == http.StatusOK
}

// unlimited turns the rate limit into a dry run for one test, as an operator
// would, and back.
func (s *stack) unlimited() {
	s.Helper()
	path := filepath.Join(s.dir, "docker/nginx.d/limit.conf")
	before, err := os.ReadFile(path)
	if err != nil {
		s.Fatal(err)
	}
	// Another file takes the name, as editors and sed -i do it.
	set := func(text []byte) {
		next := path + ".next"
		if err := os.WriteFile(next, text, 0o644); err != nil {
			s.Fatal(err)
		}
		if err := os.Rename(next, path); err != nil {
			s.Fatal(err)
		}
		s.reload()
	}
	set(bytes.Replace(before, []byte("limit_req_dry_run off"), []byte("limit_req_dry_run on"), 1))
	s.Cleanup(func() { set(before) })
}

// reload makes nginx read its settings again and waits until new workers serve.
func (s *stack) reload() {
	s.Helper()
	id := s.containers("nginx")[0]
	workers := func() map[string]bool {
		pids := map[string]bool{}
		for _, line := range strings.Split(s.run("docker", "top", id, "-o", "pid,args"), "\n") {
			if pid, args, _ := strings.Cut(strings.TrimSpace(line), " "); strings.Contains(args, "worker process") && !strings.Contains(args, "shutting down") {
				pids[pid] = true
			}
		}
		return pids
	}
	before := workers()
	s.compose("kill", "-s", "HUP", "nginx")
	s.eventually(10*time.Second, "nginx has new workers", func() bool {
		now := workers()
		for pid := range now {
			if before[pid] {
				return false
			}
		}
		return len(now) > 0
	})
	client.CloseIdleConnections() // they are the old workers'
}

// A load is a stream of forecasts, each a POST of its own.
type load struct {
	sent, failed atomic.Int64
	mu           sync.Mutex
	faults       map[string]int
	stop         context.CancelFunc
	running      sync.WaitGroup
}

// start asks with that many callers until end is called.
func (s *stack) start(callers int) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{stop: cancel, faults: map[string]int{}}
	for i := range callers {
		l.running.Go(func() {
			c := newClient()
			for n := 0; ctx.Err() == nil; n++ {
				body := fmt.Sprintf(`{"asset":"Gold","horizon_years":%d.%d}`, 1+(n+i)%9, 25*(n%4))
				a, err := do(c, http.MethodPost, s.https()+"/api/v1/predict", []byte(body))
				l.sent.Add(1)
				switch {
				case err != nil:
					l.fail(err.Error())
				case a.StatusCode != http.StatusOK:
					l.fail(a.Status)
				}
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	return l
}

func (l *load) fail(what string) {
	l.failed.Add(1)
	l.mu.Lock()
	l.faults[what]++
	l.mu.Unlock()
}

func (l *load) end() (sent, failed int64, faults map[string]int) {
	l.stop()
	l.running.Wait()
	return l.sent.Load(), l.failed.Load(), l.faults
}
