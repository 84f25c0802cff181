// Package stack checks the files of the container stack without Docker: Compose
// files, settings, .dockerignore, manifests. What needs a running stack is in e2e.
package stack

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/pppq/pppq/internal/config"
)

const root = "../.."

// load reads Compose files with the settings of .env.example.
func load(t *testing.T, env map[string]string, files ...string) *types.Project {
	t.Helper()
	p, err := tryLoad(env, files...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func tryLoad(env map[string]string, files ...string) (*types.Project, error) {
	var paths []string
	for _, f := range files {
		paths = append(paths, filepath.Join(root, f))
	}
	var pairs []string
	for name, value := range env {
		pairs = append(pairs, name+"="+value)
	}
	o, err := cli.NewProjectOptions(paths, cli.WithWorkingDirectory(root), cli.WithEnv(pairs), cli.WithInterpolation(true), cli.WithProfiles([]string{"*"}))
	if err != nil {
		return nil, err
	}
	return o.LoadProject(context.Background())
}

func example(t *testing.T) map[string]string {
	t.Helper()
	env, err := dotenv.Read(filepath.Join(root, ".env.example"))
	if err != nil {
		t.Fatal(err)
	}
	if len(env) < 20 {
		t.Fatalf(".env.example: %d variables, want at least 20", len(env))
	}
	return env
}

const prod = "docker-compose.prod.yml"

func TestProductionHardening(t *testing.T) {
	t.Parallel()
	p := load(t, example(t), prod)
	if p.Name != "pppq" || len(p.Services) != 10 {
		t.Fatalf("project %s with %d services, want pppq with 10", p.Name, len(p.Services))
	}
	for name, s := range p.Services {
		limits := types.Resource{}
		if s.Deploy != nil && s.Deploy.Resources.Limits != nil {
			limits = *s.Deploy.Resources.Limits
		}
		switch {
		case !s.ReadOnly, s.Privileged, len(s.CapAdd) > 0, !slices.Equal(s.CapDrop, []string{"ALL"}):
			t.Errorf("%s: read-only %t, privileged %t, capabilities -%v +%v", name, s.ReadOnly, s.Privileged, s.CapDrop, s.CapAdd)
		case !slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}):
			t.Errorf("%s: security options %v", name, s.SecurityOpt)
		case limits.MemoryBytes <= 0, limits.NanoCPUs <= 0, limits.Pids <= 0:
			t.Errorf("%s: limits %+v", name, limits)
		case s.User == "" || strings.HasPrefix(s.User, "0"):
			t.Errorf("%s: user %q", name, s.User)
		case s.Logging == nil || s.Logging.Options["max-size"] == "" || s.Logging.Options["max-file"] == "":
			t.Errorf("%s: log is not bounded", name)
		case (s.HealthCheck == nil) != (name == "nginx-exporter"):
			t.Errorf("%s: health check %v; all but nginx-exporter, whose image holds nothing to probe with, have one", name, s.HealthCheck)
		case s.ContainerName != "":
			t.Errorf("%s: container_name forbids a second replica", name)
		}
		want := "always"
		if name == "pipeline" {
			want = "no"
		}
		if s.Restart != want {
			t.Errorf("%s: restart %s, want %s", name, s.Restart, want)
		}
		for _, port := range s.Ports {
			if name != "nginx" && port.HostIP != "127.0.0.1" {
				t.Errorf("%s publishes %s on %q", name, port.Published, port.HostIP)
			}
		}
		if tag := s.Image[strings.LastIndex(s.Image, "/")+1:]; !strings.Contains(tag, ":") || strings.HasSuffix(tag, ":latest") {
			t.Errorf("%s: image %s is not pinned", name, s.Image)
		}
		for variable, value := range s.Environment {
			if value == nil || *value == "" || strings.Contains(*value, "${") {
				t.Errorf("%s: %s is empty or was not filled in", name, variable)
			}
			if strings.Contains(variable, "PASSWORD") && !strings.HasSuffix(variable, "_FILE") {
				t.Errorf("%s: %s stands in the environment", name, variable)
			}
		}
	}
	for name, internal := range map[string]bool{"edge": false, "app": true, "data": true, "monitor": false, "egress": false} {
		n, ok := p.Networks["pppq-network-"+name]
		if !ok || n.Internal != internal {
			t.Errorf("network pppq-network-%s: there %t, internal %t, want internal %t", name, ok, n.Internal, internal)
		}
	}
	if deps := p.Services["api"].DependsOn; len(deps) != 1 || deps["pipeline"].Condition != "service_completed_successfully" {
		t.Errorf("api waits for %v, want pipeline alone", deps)
	}
	for _, v := range p.Services["api"].Volumes {
		if !v.ReadOnly {
			t.Errorf("api writes into %s", v.Target)
		}
	}
}

func TestHealthTimes(t *testing.T) {
	t.Parallel()
	check := func(file, service, want string) {
		t.Helper()
		h := load(t, example(t), file).Services[service].HealthCheck
		got := h.Interval.String() + " " + h.Timeout.String() + " " + h.StartPeriod.String()
		if got != want {
			t.Errorf("%s, %s: got %s, want %s", file, service, got, want)
		}
		if h.StartInterval != nil {
			t.Errorf("%s, %s: start_interval stops engines below 25", file, service)
		}
	}
	for _, s := range []string{"nginx", "api", "prometheus", "watch"} {
		check(prod, s, "30s 10s 40s")
	}
	check(prod, "mlflow-db", "10s 5s 40s")
	check("docker-compose.dev.yml", "api", "10s 5s 10s")
	quick := load(t, example(t), prod, "docker-compose.engine25.yml")
	for _, s := range []string{"nginx", "api"} {
		if quick.Services[s].HealthCheck.StartInterval == nil {
			t.Errorf("docker-compose.engine25.yml: %s has no start_interval", s)
		}
	}
}

func TestMissingVariable(t *testing.T) {
	t.Parallel()
	if _, err := tryLoad(nil, prod); err == nil || !strings.Contains(err.Error(), "SECRETS_GID") || !strings.Contains(err.Error(), "pppq init production") {
		t.Errorf("without settings: got %v, want an error that names SECRETS_GID and `pppq init production`", err)
	}
}

func TestDevelopmentIsApart(t *testing.T) {
	t.Parallel()
	dev, production := load(t, nil, "docker-compose.dev.yml"), load(t, example(t), prod)
	if dev.Name != "pppq-dev" || dev.Name == production.Name {
		t.Errorf("project %s, want pppq-dev", dev.Name)
	}
	for key, v := range dev.Volumes {
		for _, w := range production.Volumes {
			if v.Name == w.Name {
				t.Errorf("volume %s (%s) is production's too", key, v.Name)
			}
		}
	}
	if _, ok := dev.Services["nginx"]; ok {
		t.Error("development has a proxy")
	}
	for name, s := range dev.Services {
		if s.Restart != "unless-stopped" || s.Deploy != nil && s.Deploy.Resources.Limits != nil {
			t.Errorf("%s: restart %s, deploy %v; want unless-stopped and no limits", name, s.Restart, s.Deploy)
		}
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s publishes %s on %q", name, port.Published, port.HostIP)
			}
		}
	}
	if got := dev.Services["api"].Build.Target; got != "development" {
		t.Errorf("stage %s", got)
	}
}

// Every variable of .env.example is read by the Compose file, every one that
// Compose reads stands there, with the same value as its default, and those that
// are the program's have its default.
func TestSettings(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, prod))
	if err != nil {
		t.Fatal(err)
	}
	env := example(t)
	read := map[string]string{}
	for _, m := range regexp.MustCompile(`\$\{([A-Z0-9_]+)(:[-?][^}]*)?\}`).FindAllStringSubmatch(string(text), -1) {
		read[m[1]] = strings.TrimPrefix(m[2], ":-")
	}
	for name, value := range env {
		fallback, ok := read[name]
		if !ok {
			t.Errorf(".env.example: nothing reads %s", name)
		} else if !strings.HasPrefix(fallback, ":?") && fallback != value {
			t.Errorf("%s: %q in .env.example, %q in %s", name, value, fallback, prod)
		}
	}
	for name := range read {
		if _, ok := env[name]; !ok {
			t.Errorf("%s reads %s, which .env.example does not have", prod, name)
		}
	}
	differ := map[string]bool{"ALLOWED_HOSTS": true, "DRAIN_SECONDS": true, "MLFLOW_DB_USER": true}
	for _, v := range config.Variables() {
		if value, ok := env[v.Name]; ok && value != v.Default && !differ[v.Name] {
			t.Errorf("%s: %q in .env.example, the program's default is %q", v.Name, value, v.Default)
		}
	}
	// What a service is given is read by the program.
	known := map[string]bool{}
	for _, v := range config.Variables() {
		known[v.Name], known[v.Name+"_FILE"] = true, v.Secret
	}
	p := load(t, env, prod)
	for _, service := range []string{"api", "pipeline", "watch"} {
		for name := range p.Services[service].Environment {
			if !known[name] {
				t.Errorf("%s: the program does not read %s", service, name)
			}
		}
	}
}

// The build gets every file that the program is made of, and no other.
func TestDockerignore(t *testing.T) {
	t.Parallel()
	f, err := os.Open(filepath.Join(root, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	patterns, err := ignorefile.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	m, err := patternmatcher.New(patterns)
	if err != nil {
		t.Fatal(err)
	}
	ignored := func(path string) bool {
		t.Helper()
		out, err := m.MatchesOrParentMatches(path)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	cmd := exec.Command("go", "list", "-deps", "-f", `{{if not .Standard}}{{$d := .Dir}}{{range .GoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{end}}`,
		"./cmd/pppq", "./cmd/livereload")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	top, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, path := range strings.Fields(string(out)) {
		rel, err := filepath.Rel(top, path)
		if err != nil || strings.HasPrefix(rel, "..") {
			continue // another module's
		}
		n++
		if ignored(rel) {
			t.Errorf("the build needs %s, and .dockerignore leaves it out", rel)
		}
	}
	if n < 100 {
		t.Fatalf("%d files of the program found, want at least 100", n)
	}
	for _, canary := range []string{".env", ".env.prod", ".git/config", "secrets/mlflow_password", "docker/ssl/private.key", "docker/ssl/certificate.crt", "models/pppq/current",
		"data/series/GOLD.csv", "cmd/pppq/.env.prod", "internal/api/private.key", "internal/x/server.pem", "logs/pppq.log", "pppq", "README.md"} {
		if !ignored(canary) {
			t.Errorf("%s goes into the build", canary)
		}
	}
}
