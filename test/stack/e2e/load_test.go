package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// ready waits until every container of a service says that it is, sooner than
// the engine asks it.
func (s *stack) ready(service string) {
	s.Helper()
	s.eventually(time.Minute, service+" is ready", func() bool {
		ids := s.containers(service)
		for _, id := range ids {
			if _, err := s.try("docker", "exec", id, "/usr/local/bin/pppq", "healthcheck"); err != nil {
				return false
			}
		}
		return len(ids) > 0
	})
}

// scale sets the number of replicas and waits for them.
func (s *stack) scale(n int) {
	s.Helper()
	s.compose("up", "-d", "--no-recreate", "--scale", fmt.Sprintf("api=%d", n), "api")
	s.ready("api")
}

// What each service takes under load, and that none was killed for it.
func TestResourcesUnderLoad(t *testing.T) {
	s := open(t)
	s.unlimited()
	l := s.start(8)
	begin := time.Now()
	time.Sleep(8 * time.Second)
	stats := s.run("docker", "stats", "--no-stream", "--format", "{{.Name}}\t{{.CPUPerc}} of a processor\t{{.MemUsage}}")
	sent, failed, faults := l.end()
	t.Logf("%.0f forecasts a second from 8 callers; %d requests, %d failed %v", float64(sent)/time.Since(begin).Seconds(), sent, failed, faults)
	seen := 0
	for _, line := range strings.Split(stats, "\n") {
		if strings.HasPrefix(line, "pppq-") {
			seen++
			t.Log(line)
		}
	}
	if seen < 6 || failed > 0 {
		t.Errorf("%d services measured, %d requests failed %v; want 6 and none", seen, failed, faults)
	}
	for _, id := range strings.Fields(s.compose("ps", "-q")) {
		if out := s.run("docker", "inspect", "-f", "{{.Name}} {{.State.OOMKilled}}", id); !strings.HasSuffix(out, " false") {
			t.Errorf("killed for its memory: %s", out)
		}
	}
}

// A replica with half the memory keeps its heap below it and serves.
func TestLimitsAreFollowed(t *testing.T) {
	s := open(t)
	id := s.run("docker", "run", "-d", "--memory", "64m", "--cpus", "0.5", "-v", "pppq_models:/app/models:ro", s.ports["PPPQ_IMAGE"], "serve")
	defer s.try("docker", "rm", "-f", id)
	s.eventually(time.Minute, "a replica with 64 MB serves", func() bool {
		_, err := s.try("docker", "exec", id, "/usr/local/bin/pppq", "healthcheck")
		return err == nil
	})
	out := s.run("docker", "run", "--rm", "--network", "container:"+id, s.ports["NGINX_IMAGE"], "curl", "-fsS", "http://127.0.0.1:8000/metrics")
	metric := func(name string) float64 {
		t.Helper()
		m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(out)
		if m == nil {
			t.Fatalf("no metric %s", name)
		}
		v, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	limit, threads, resident := metric("go_gc_gomemlimit_bytes"), metric("go_sched_gomaxprocs_threads"), metric("process_resident_memory_bytes")
	t.Logf("with 64 MB and half a processor: heap limit %.1f MB, %v threads, %.1f MB resident", limit/1e6, threads, resident/1e6)
	if limit > 0.9*64*(1<<20) || limit < 0.5*64*(1<<20) || threads > 2 || resident > 64*(1<<20) {
		t.Errorf("heap limit %v, threads %v, resident %v; want at most nine tenths of 64 MB, 2 and 64 MB", limit, threads, resident)
	}
}

// After the machine went down and came up the stack serves the same model,
// without a training. From Engine 25 on a container can be probed more often while
// it starts.
func TestRestart(t *testing.T) {
	s := open(t)
	version := func() string {
		a := s.get(s.http() + "/health")
		m := regexp.MustCompile(`"model":"([^"]+)"`).FindSubmatch(a.body)
		if a.StatusCode != http.StatusOK || m == nil {
			t.Fatalf("/health: %s %.300s", a.Status, a.body)
		}
		return string(m[1])
	}
	before := version()
	engine := s.run("docker", "version", "-f", "{{.Server.Version}}")
	for _, files := range [][]string{{"docker-compose.prod.yml"}, {"docker-compose.prod.yml", "docker-compose.engine25.yml"}} {
		if len(files) > 1 && s.engine() < 25 {
			t.Logf("docker-compose.engine25.yml is not tried: this engine is %s", engine)
			continue
		}
		args := []string{"compose"}
		for _, f := range files {
			args = append(args, "-f", f)
		}
		s.compose("down")
		begin := time.Now()
		done := make(chan error, 1)
		go func() {
			_, err := s.try("docker", append(args, "up", "-d", "--wait")...)
			done <- err
		}()
		first := s.eventually(2*time.Minute, "the first answer through the edge", s.healthy)
		if err := <-done; err != nil {
			t.Fatalf("up --wait: %v", err)
		}
		t.Logf("Engine %s, %s: from up to the first answer through the edge %v, to every service healthy %v", engine, strings.Join(files, " and "),
			first.Round(100*time.Millisecond), time.Since(begin).Round(100*time.Millisecond))
		for _, id := range strings.Fields(s.compose("ps", "-q")) {
			if s.run("docker", "inspect", "-f", "{{.Name}} {{if not .State.Health}}{{.State.Status}}{{end}}", id) == "/pppq-nginx-exporter-1 running" {
				continue // it has no health check
			}
			out := s.run("docker", "inspect", "-f", "{{.Name}} {{.State.Health.Status}} {{.State.StartedAt}} {{range .State.Health.Log}}{{.ExitCode}} {{.End.Format \"2006-01-02T15:04:05.999999999Z07:00\"}} {{end}}", id)
			f := strings.Fields(out)
			if len(f) < 5 || f[1] != "healthy" {
				t.Errorf("after up --wait: %s", out)
				continue
			}
			t.Logf("%-18s healthy %v after its start", f[0], sinceStart(t, f[2], f[3:]))
		}
		if after := version(); after != before {
			t.Errorf("model after the restart: got %s, want %s", after, before)
		}
	}
}

// engine is the major version of the Docker engine.
func (s *stack) engine() int {
	s.Helper()
	major, _, _ := strings.Cut(s.run("docker", "version", "-f", "{{.Server.Version}}"), ".")
	n, err := strconv.Atoi(major)
	if err != nil {
		s.Fatal(err)
	}
	return n
}

// sinceStart is how long after its start the first probe of a container passed;
// probes are exit codes and times by turns.
func sinceStart(t *testing.T, start string, probes []string) time.Duration {
	t.Helper()
	began, err := time.Parse(time.RFC3339Nano, start)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(probes); i += 2 {
		if probes[i] != "0" {
			continue
		}
		ended, err := time.Parse(time.RFC3339Nano, probes[i+1])
		if err != nil {
			t.Fatal(err)
		}
		return ended.Sub(began).Round(10 * time.Millisecond)
	}
	t.Fatalf("no probe passed: %q", probes)
	return 0
}
