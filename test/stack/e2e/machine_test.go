package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The preflight finds nothing wrong with the machine that runs the stack, and
// names what mends a checkout that was not prepared or a secret that no
// container can read.
func TestPreflight(t *testing.T) {
	s := open(t)
	program := os.Getenv("PPPQ_PROGRAM")
	if program == "" {
		t.Skip("PPPQ_PROGRAM is not set: no pppq outside of containers (test/stack/run.sh has one)")
	}
	out, err := s.try(program, "doctor", "--before-up")
	if err != nil || strings.Contains(out, "fault ") {
		t.Errorf("the machine of the running stack: %v\n%s", err, out)
	}
	t.Logf("pppq doctor --before-up:\n%s", out)
	out, err = tryIn(s.dev, program, "doctor", "--before-up")
	if err == nil || !strings.Contains(out, "-> pppq init production") {
		t.Errorf("a checkout without settings: %v\n%s", err, out)
	}
	secret := filepath.Join(s.dir, "secrets/grafana_password")
	if err := os.Chmod(secret, 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(secret, 0o640)
	out, err = s.try(program, "doctor", "--before-up")
	if want := "-> chgrp " + s.ports["SECRETS_GID"] + " secrets/grafana_password && chmod 640 secrets/grafana_password"; err == nil || !strings.Contains(out, want) {
		t.Errorf("a secret of mode 600: %v\n%s\nwant %q", err, out, want)
	}
	// A second init writes nothing.
	before, err := os.ReadFile(filepath.Join(s.dir, "secrets/mlflow_password"))
	if err != nil {
		t.Fatal(err)
	}
	out, err = s.try(program, "init", "production")
	after, readErr := os.ReadFile(filepath.Join(s.dir, "secrets/mlflow_password"))
	if err == nil || readErr != nil || string(before) != string(after) || !strings.Contains(out, "nothing was written") {
		t.Errorf("a second init: %v %v\n%s", err, readErr, out)
	}
}

// The client of Docker itself takes the file for Swarm.
func TestSwarmFile(t *testing.T) {
	s := open(t)
	if out, err := s.try("docker", "stack", "config", "--help"); err != nil || !strings.Contains(out, "--compose-file") {
		t.Skip("docker stack config is not known to this client (older than 25): the file for Swarm is read by Compose alone")
	}
	out := s.run("docker", "stack", "config", "-c", "deploy/swarm.yml")
	for _, want := range []string{"order: start-first", "failure_action: rollback", "endpoint_mode: dnsrr", "external: true"} {
		if !strings.Contains(out, want) {
			t.Errorf("docker stack config: no %q in\n%s", want, out)
		}
	}
}

// The probe of the image asks where the service listens: any port, either
// family, one address or all.
func TestHealthcheck(t *testing.T) {
	s := open(t)
	for _, c := range []struct{ host, port string }{{"0.0.0.0", "8000"}, {"127.0.0.1", "9000"}, {"::1", "9001"}, {"::", "9002"}} {
		id := s.run("docker", "run", "-d", "--sysctl", "net.ipv6.conf.all.disable_ipv6=0", "-e", "HOST="+c.host, "-e", "PORT="+c.port, "-v", "pppq_models:/app/models:ro", s.ports["PPPQ_IMAGE"], "serve")
		out := ""
		for range 100 {
			var err error
			if out, err = s.try("docker", "exec", id, "/usr/local/bin/pppq", "healthcheck"); err == nil {
				out = "ready"
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if out != "ready" {
			t.Errorf("HOST %s, PORT %s: %s\n%s", c.host, c.port, out, s.run("docker", "logs", "--tail", "5", id))
		}
		s.run("docker", "rm", "-f", id)
	}
}
