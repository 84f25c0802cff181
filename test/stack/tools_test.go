package stack

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pppq/pppq/internal/setup"
)

// tool finds a program, in the folder PPPQ_TOOLS or on the path.
func tool(t *testing.T, name string) string {
	t.Helper()
	if dir := os.Getenv("PPPQ_TOOLS"); dir != "" {
		return filepath.Join(dir, name)
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is neither in PPPQ_TOOLS nor on the path (test/stack/tools.sh gets it)", name)
	}
	return path
}

// The edge's configuration loads, with the settings and the pair that init
// makes, and nginx has nothing to say about it.
func TestNginxLoads(t *testing.T) {
	nginx := tool(t, "nginx")
	dir := t.TempDir()
	copyFile := func(from, to string) {
		text, err := os.ReadFile(filepath.Join(root, from))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, to)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	copyFile(".env.example", ".env.example")
	for _, name := range []string{"http", "limit", "server", "tls"} {
		copyFile("docker/nginx.d/"+name+".conf.example", "docker/nginx.d/"+name+".conf.example")
	}
	if _, _, err := setup.Production(setup.Plan{Dir: dir, Hosts: []string{"a.example.com", "b.example.com"}, Group: os.Getgid(), Now: time.Now()}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docker/nginx.conf"))
	if err != nil {
		t.Fatal(err)
	}
	mime := filepath.Join(dir, "mime.types")
	conf := strings.NewReplacer("/etc/nginx/nginx.d", dir+"/docker/nginx.d", "/etc/nginx/ssl", dir+"/docker/ssl", "/etc/nginx/mime.types", mime,
		"/var/cache/nginx/pppq", dir+"/cache", "/tmp/", dir+"/").Replace(string(text))
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(mime, []byte("types { text/html html; }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	loads := func(what string) {
		t.Helper()
		out, err := exec.Command(nginx, "-t", "-c", path).CombinedOutput()
		if err != nil || strings.Contains(string(out), "[warn]") || strings.Contains(string(out), "[emerg]") {
			t.Errorf("nginx -t, %s: %v\n%s", what, err, out)
		}
	}
	loads("as init makes it")
	// The lines for a load balancer in front, which stand there as comments.
	settings := filepath.Join(dir, "docker/nginx.d/http.conf")
	old, err := os.ReadFile(settings)
	if err != nil {
		t.Fatal(err)
	}
	trusting := strings.NewReplacer("#set_real_ip_from", "set_real_ip_from", "#real_ip", "real_ip").Replace(string(old))
	if strings.Count(trusting, "\nreal_ip_") != 2 {
		t.Fatal("http.conf has no lines for a load balancer")
	}
	if err := os.WriteFile(settings, []byte(trusting), 0o644); err != nil {
		t.Fatal(err)
	}
	loads("behind a load balancer")
}

func TestPrometheusRules(t *testing.T) {
	promtool := tool(t, "promtool")
	for _, args := range [][]string{{"check", "config", "docker/prometheus.yml"}, {"check", "rules", "docker/rules/pppq.rules.yml", "docker/rules/stack.rules.yml"},
		{"test", "rules", "docker/rules/pppq.test.yml", "docker/rules/stack.test.yml"}} {
		cmd := exec.Command(promtool, args...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "FAILED") {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// Every alert has a case in its test file, and a page in the docs.
func TestEveryAlertIsTested(t *testing.T) {
	t.Parallel()
	docs, err := os.ReadFile(filepath.Join(root, "docs/deployment.md"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, name := range []string{"pppq", "stack"} {
		rules, err1 := os.ReadFile(filepath.Join(root, "docker/rules", name+".rules.yml"))
		tests, err2 := os.ReadFile(filepath.Join(root, "docker/rules", name+".test.yml"))
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		for _, line := range strings.Split(string(rules), "\n") {
			_, alert, ok := strings.Cut(line, "- alert: ")
			if !ok {
				continue
			}
			n++
			if !strings.Contains(string(tests), "alertname: "+alert) {
				t.Errorf("%s.test.yml does not try %s", name, alert)
			}
			if !strings.Contains(string(docs), alert) {
				t.Errorf("docs/deployment.md does not speak of %s", alert)
			}
		}
	}
	if n < 15 {
		t.Fatalf("%d alerts found, want at least 15", n)
	}
}
