package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The faults of docs/deployment.md are provoked one by one: each must look as
// the table there says, and what mends it must mend it.
func TestFaults(t *testing.T) {
	s := open(t)
	image, nginx := s.ports["PPPQ_IMAGE"], s.ports["NGINX_IMAGE"]
	table, err := os.ReadFile(filepath.Join(s.dir, "docs/deployment.md"))
	if err != nil {
		t.Fatal(err)
	}
	// row is what the docs say of a fault.
	row := func(fault string) string {
		t.Helper()
		for _, line := range strings.Split(string(table), "\n") {
			if strings.HasPrefix(line, "| "+fault+" |") {
				return line
			}
		}
		t.Fatalf("docs/deployment.md has no fault %q", fault)
		return ""
	}
	// fails runs a command that must fail and must show what the docs name.
	fails := func(t *testing.T, fault, sign string, name string, args ...string) {
		t.Helper()
		out, err := s.try(name, args...)
		if err == nil || !strings.Contains(out, sign) {
			t.Errorf("%s: got %v and\n%s\nwant an error and %q", fault, err, out, sign)
		}
		if !strings.Contains(row(fault), sign) {
			t.Errorf("docs/deployment.md, %s: %q is not what it says there", fault, sign)
		}
	}
	// volume is a new one, filled by a shell script that runs as root.
	volume := func(t *testing.T, name, script string, args ...string) string {
		t.Helper()
		s.run("docker", "volume", "create", name)
		t.Cleanup(func() { s.try("docker", "volume", "rm", "-f", name) })
		s.run("docker", append(append([]string{"run", "--rm", "--user", "0", "-v", name + ":/v"}, args...), nginx, "sh", "-c", script)...)
		return name
	}

	t.Run("port in use", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		fails(t, "port in use", "address already in use", "docker", "run", "--rm", "-p", l.Addr().String()+":8080", nginx, "true")
	})
	t.Run("missing variable", func(t *testing.T) {
		out, err := tryIn(s.dev, "docker", "compose", "-f", "docker-compose.prod.yml", "config", "-q")
		const sign = "required variable SECRETS_GID is missing a value: run `pppq init production` first"
		if err == nil || !strings.Contains(out, sign) || !strings.Contains(row("missing variable"), sign) {
			t.Errorf("without settings: got %v and %s, want %q, here and in the docs", err, out, sign)
		}
	})
	t.Run("volume ownership", func(t *testing.T) {
		v := volume(t, "fault_data", "touch /v/x && chown -R 0:0 /v && chmod 755 /v")
		fails(t, "volume ownership", "permission denied", "docker", "run", "--rm", "-v", v+":/app/data", image, "up", "--once")
		out, err := s.try("docker", "run", "--rm", "-v", v+":/app/data", image, "doctor")
		const mend = "chown -R 65532:65532 /app/data"
		if err == nil || !strings.Contains(out, mend) {
			t.Errorf("doctor does not name %q:\n%s", mend, out)
		}
		s.run("docker", "run", "--rm", "--user", "0", "-v", v+":/v", nginx, "chown", "-R", "65532:65532", "/v")
		s.run("docker", "run", "--rm", "-v", v+":/app/data", image, "dataset", "info")
	})
	t.Run("missing model files", func(t *testing.T) {
		v := volume(t, "fault_none", "chown 65532:65532 /v")
		fails(t, "missing model files", "there is none in /app/models", "docker", "run", "--rm", "-v", v+":/app/models", image, "doctor")
		fails(t, "unhealthy API", "connection refused", "docker", "run", "--rm", "-v", v+":/app/models", image, "healthcheck")
	})
	t.Run("refused model files", func(t *testing.T) {
		v := volume(t, "fault_models", `cp -a /from/. /v/ && for f in /v/pppq/*/lightgbm.txt; do printf x >> "$f"; done`, "-v", "pppq_models:/from:ro")
		fails(t, "refused model files", "manifest.json says", "docker", "run", "--rm", "-v", v+":/app/models", image, "doctor")
		s.run("docker", "run", "--rm", "--cpus", "2", "-v", v+":/app/models", image, "up", "--once")
		if out, _ := s.try("docker", "run", "--rm", "-v", v+":/app/models", image, "doctor"); !strings.Contains(out, "every hash is right") {
			t.Errorf("after a training: %s", out)
		}
	})
	t.Run("memory limit", func(t *testing.T) {
		s.try("docker", "rm", "-f", "pppq-fault")
		t.Cleanup(func() { s.try("docker", "rm", "-f", "pppq-fault") })
		if out, err := s.try("docker", "run", "--name", "pppq-fault", "--memory", "16m", "--memory-swap", "16m", image, "train"); err == nil {
			t.Errorf("training with 16 MB: got no error\n%s", out)
		}
		if code := s.run("docker", "inspect", "-f", "{{.State.ExitCode}}", "pppq-fault"); code != "137" || !strings.Contains(row("memory limit"), "137") {
			t.Errorf("training with 16 MB: exit code %s, want 137, here and in the docs", code)
		}
	})
	t.Run("nginx configuration", func(t *testing.T) {
		path := filepath.Join(s.dir, "docker/nginx.d/http.conf")
		old, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		set := func(text []byte) {
			if err := os.WriteFile(path, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		defer set(old)
		set(append([]byte("limit_reg_zone oops;\n"), old...))
		fails(t, "nginx configuration", "[emerg]", "docker", "compose", "-f", "docker-compose.prod.yml", "exec", "-T", "nginx", "nginx", "-t")
		// Neither a reload nor the fault itself ends an edge that runs.
		s.compose("kill", "-s", "HUP", "nginx")
		time.Sleep(time.Second)
		if !s.healthy() {
			t.Error("a reload with a broken setting stopped the edge")
		}
		set(old)
		s.compose("exec", "-T", "nginx", "nginx", "-t")
	})
	t.Run("certificate", func(t *testing.T) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{host}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-24 * time.Hour)}
		der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		// Under W: an engine elsewhere sees only what it may mount.
		path := filepath.Join(s.dir, "expired.crt")
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
			t.Fatal(err)
		}
		defer os.Remove(path)
		fails(t, "certificate", "ended", "docker", "run", "--rm", "-v", path+":/c.crt:ro", image, "doctor", "--certificate", "/c.crt")
	})
	t.Run("disk", func(t *testing.T) {
		fails(t, "disk", "no space left on device", "docker", "run", "--rm", "--tmpfs", "/app/data:size=64k,uid=65532,gid=65532", image, "up", "--once")
	})
	t.Run("network in use", func(t *testing.T) {
		fails(t, "network in use", "Pool overlaps with other one", "docker", "network", "create", "--subnet", "172.30.238.0/24", "pppq-fault")
	})
}
