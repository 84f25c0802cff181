package setup

import (
	"crypto/tls"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pppq/pppq/internal/selfsigned"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// checkout makes a folder with the templates.
func checkout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, EnvExample), "# words\nSECRETS_GID=1000\nALLOWED_HOSTS=[\"a\"]\nWORKERS=0\n")
	write(t, filepath.Join(dir, EdgeSettings, "server.conf.example"), "server_name "+DefaultHost+" localhost;\n")
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestProduction(t *testing.T) {
	t.Parallel()
	dir := checkout(t)
	written, linked, err := Production(Plan{Dir: dir, Hosts: []string{"pp.example.com", "pp.example.org"}, Group: os.Getgid(), Now: now})
	if err != nil || !linked {
		t.Fatalf("Production: got linked %t, error %v, want true, none", linked, err)
	}
	slices.Sort(written)
	want := []string{".env.prod", "docker/nginx.d/server.conf", Certificate, PrivateKey, "secrets/api_keys", "secrets/grafana_password", "secrets/mlflow_password"}
	if !slices.Equal(written, want) {
		t.Errorf("written: got %v, want %v", written, want)
	}
	env := read(t, dir, EnvLink)
	for _, line := range []string{`ALLOWED_HOSTS=["pp.example.com","pp.example.org","localhost"]`, "WORKERS=0", "# words"} {
		if !strings.Contains(env, line+"\n") {
			t.Errorf("%s: got %q, want a line %q", EnvLink, env, line)
		}
	}
	if got := read(t, dir, "docker/nginx.d/server.conf"); got != "server_name pp.example.com pp.example.org localhost;\n" {
		t.Errorf("server.conf: got %q", got)
	}
	if _, err := tls.LoadX509KeyPair(filepath.Join(dir, Certificate), filepath.Join(dir, PrivateKey)); err != nil {
		t.Errorf("pair: %v", err)
	}
	a, b := read(t, dir, "secrets/mlflow_password"), read(t, dir, "secrets/grafana_password")
	if len(strings.TrimSpace(a)) != 32 || a == b || strings.Contains(env, strings.TrimSpace(a)) {
		t.Errorf("passwords: want two of 32 characters that stand in no settings, got lengths %d, %d, equal %t", len(a), len(b), a == b)
	}
	for name, mode := range map[string]fs.FileMode{
		EnvFile: 0o640, PrivateKey: 0o640, Certificate: 0o640, "secrets/mlflow_password": 0o640, "secrets/api_keys": 0o640,
		"secrets": 0o750 | fs.ModeDir, "docker/ssl": 0o750 | fs.ModeDir, "docker/nginx.d/server.conf": 0o644,
	} {
		stat, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if stat.Mode() != mode {
			t.Errorf("mode of %s: got %v, want %v", name, stat.Mode(), mode)
		}
	}
}

func TestProductionNamesEachHostOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ hosts, want []string }{
		{nil, []string{DefaultHost, "localhost"}},
		{[]string{"localhost"}, []string{"localhost"}},
		{[]string{"Localhost", "a.example.com", "A.example.com"}, []string{"localhost", "a.example.com"}},
	} {
		dir := checkout(t)
		if _, _, err := Production(Plan{Dir: dir, Hosts: c.hosts, Group: os.Getgid(), Now: now}); err != nil {
			t.Fatal(err)
		}
		if got, want := read(t, dir, "docker/nginx.d/server.conf"), "server_name "+strings.Join(c.want, " ")+";\n"; got != want {
			t.Errorf("server.conf for %q: got %q, want %q", c.hosts, got, want)
		}
		if got, want := read(t, dir, EnvFile), `ALLOWED_HOSTS=["`+strings.Join(c.want, `","`)+`"]`; !strings.Contains(got, want+"\n") {
			t.Errorf("%s for %q: got %q, want a line %q", EnvFile, c.hosts, got, want)
		}
		pair, err := tls.LoadX509KeyPair(filepath.Join(dir, Certificate), filepath.Join(dir, PrivateKey))
		if err != nil {
			t.Fatal(err)
		}
		if got := selfsigned.Hosts(pair.Leaf); !slices.Equal(got, c.want) {
			t.Errorf("certificate for %q: got %q, want %q", c.hosts, got, c.want)
		}
	}
}

func TestProductionKeepsWhatStands(t *testing.T) {
	t.Parallel()
	dir := checkout(t)
	write(t, filepath.Join(dir, PrivateKey), "mine")
	written, _, err := Production(Plan{Dir: dir, Group: os.Getgid(), Now: now})
	if !errors.Is(err, ErrExists) || !strings.Contains(err.Error(), PrivateKey) || len(written) > 0 {
		t.Fatalf("Production over a key: got %v, %v, want ErrExists naming %s and nothing written", written, err, PrivateKey)
	}
	if _, err := os.Lstat(filepath.Join(dir, EnvFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: got %v, want that it is not there", EnvFile, err)
	}
	if got := read(t, dir, PrivateKey); got != "mine" {
		t.Errorf("key: got %q, want the old one", got)
	}
}

func TestProductionKeepsDotEnv(t *testing.T) {
	t.Parallel()
	dir := checkout(t)
	write(t, filepath.Join(dir, EnvLink), "MINE=1\n")
	if _, linked, err := Production(Plan{Dir: dir, Group: os.Getgid(), Now: now}); err != nil || linked {
		t.Fatalf("Production beside .env: got linked %t, %v, want false, no error", linked, err)
	}
	if got := read(t, dir, EnvLink); got != "MINE=1\n" {
		t.Errorf(".env: got %q, want the old one", got)
	}
}

func TestProductionRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, want string
		plan       func(dir string) Plan
	}{
		{"elsewhere", "run this in the checkout", func(string) Plan { return Plan{Dir: t.TempDir()} }},
		{"a host that is none", "not a host", func(dir string) Plan { return Plan{Dir: dir, Hosts: []string{"a; b"}} }},
		{"a template without variable", "want one line SECRETS_GID=", func(dir string) Plan {
			write(t, filepath.Join(dir, EnvExample), "ALLOWED_HOSTS=\n")
			return Plan{Dir: dir}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, _, err := Production(c.plan(checkout(t))); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}
