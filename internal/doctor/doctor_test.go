package doctor

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/config"
	"github.com/pppq/pppq/internal/selfsigned"
	"github.com/pppq/pppq/internal/setup"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func put(t *testing.T, path string, text []byte) string {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, text, 0o640)); err != nil {
		t.Fatal(err)
	}
	return path
}

// find returns the finding of one check.
func find(t *testing.T, found []Finding, check string) Finding {
	t.Helper()
	for _, f := range found {
		if f.Check == check {
			return f
		}
	}
	t.Fatalf("no finding %q in %+v", check, found)
	return Finding{}
}

func subject(t *testing.T) Subject {
	t.Helper()
	dir := t.TempDir()
	return Subject{Settings: &config.Settings{DataDir: dir, ModelsDir: dir}, Models: bundle.Folder{Dir: dir, Program: "1.0.0"}, Now: now}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	certificate := func(t *testing.T, days int, hosts ...string) string {
		cert, _, err := selfsigned.Pair(append(hosts, "a.example.com"), now, time.Duration(days)*24*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return put(t, filepath.Join(t.TempDir(), "c.crt"), cert)
	}
	backup := func(t *testing.T, age time.Duration) string {
		return filepath.Dir(put(t, filepath.Join(t.TempDir(), "last_success"), []byte(strconv.FormatInt(now.Add(-age).Unix(), 10)+"\n")))
	}
	for _, c := range []struct {
		name, check string
		set         func(*testing.T, *Subject)
		want        Status
		detail      string
	}{
		{"no model", "model in service", func(*testing.T, *Subject) {}, Fault, "there is none"},
		{"data folder", "data folder", func(*testing.T, *Subject) {}, OK, "entries"},
		{"no data folder", "data folder", func(_ *testing.T, s *Subject) { s.Settings.DataDir += "/none" }, Fault, "is not there"},
		{"certificate", "certificate", func(t *testing.T, s *Subject) { s.Certificate = certificate(t, 90) }, OK, "a.example.com, holds for 90 days"},
		{"certificate of an address", "certificate", func(t *testing.T, s *Subject) { s.Certificate = certificate(t, 90, "10.0.0.5") }, OK, "for a.example.com, 10.0.0.5, holds"},
		{"certificate near its end", "certificate", func(t *testing.T, s *Subject) { s.Certificate = certificate(t, 20) }, Warning, "ends in 20 days"},
		{"certificate that ended", "certificate", func(t *testing.T, s *Subject) {
			s.Certificate, s.Now = certificate(t, 1), now.Add(48*time.Hour)
		}, Fault, "ended 2026-11-24"},
		{"no certificate", "certificate", func(t *testing.T, s *Subject) { s.Certificate = "/none" }, Fault, "no such file"},
		{"a certificate that is none", "certificate", func(t *testing.T, s *Subject) {
			s.Certificate = put(t, filepath.Join(t.TempDir(), "c"), []byte("no"))
		}, Fault, "want a certificate in PEM form"},
		{"backup", "backup", func(t *testing.T, s *Subject) { s.Backups = backup(t, time.Hour) }, OK, "60 minutes old"},
		{"old backup", "backup", func(t *testing.T, s *Subject) { s.Backups = backup(t, 72*time.Hour) }, Warning, "72 hours old"},
		{"no backup", "backup", func(t *testing.T, s *Subject) { s.Backups = t.TempDir() }, Warning, "there is none"},
		{"a time that is none", "backup", func(t *testing.T, s *Subject) {
			s.Backups = filepath.Dir(put(t, filepath.Join(t.TempDir(), "last_success"), []byte("yesterday")))
		}, Warning, "want seconds since 1970"},
		{"no database", "database", func(t *testing.T, s *Subject) { s.Settings.DatabaseURL = "postgresql://u:hidden@127.0.0.1:1/x" }, Warning, "127.0.0.1"},
		{"a file as database", "database", func(t *testing.T, s *Subject) {
			s.Settings.DatabaseURL = "sqlite:" + put(t, filepath.Join(t.TempDir(), "l"), nil)
		}, OK, "it answers"},
		{"a file as database, from the root", "database", func(t *testing.T, s *Subject) {
			s.Settings.DatabaseURL = "sqlite:///" + put(t, filepath.Join(t.TempDir(), "l"), nil)
		}, OK, "it answers"},
		{"a file as database, from here", "database", func(_ *testing.T, s *Subject) { s.Settings.DatabaseURL = "sqlite:///doctor_test.go" }, OK, "it answers"},
		{"no file as database", "database", func(_ *testing.T, s *Subject) { s.Settings.DatabaseURL = "sqlite:none" }, Warning, "no such file"},
		{"service", "service", func(t *testing.T, s *Subject) { s.Service = serving(t, http.StatusOK) }, OK, "is ready"},
		{"service that is not ready", "service", func(t *testing.T, s *Subject) { s.Service = serving(t, http.StatusServiceUnavailable) }, Fault, "503"},
		{"no service", "service", func(t *testing.T, s *Subject) { s.Service = "http://127.0.0.1:1" }, Fault, "refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := subject(t)
			c.set(t, &s)
			got := find(t, Check(t.Context(), s), c.check)
			if got.Status != c.want || !strings.Contains(got.Detail, c.detail) {
				t.Errorf("got %s: %s, want %s with %q", got.Status, got.Detail, c.want, c.detail)
			}
			if (got.Mend == "") != (got.Status == OK) {
				t.Errorf("%s with mend %q", got.Status, got.Mend)
			}
			if strings.Contains(got.Detail+got.Mend, "hidden") {
				t.Errorf("shows a password: %s", got.Detail)
			}
		})
	}
}

// The step that mends names the certificate that was looked at.
func TestCertificateMend(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/app/ssl/certificate.crt": "in the place of /app/ssl/certificate.crt and its key, or `pppq cert --host NAME --out /app/ssl --replace`",
		"certs/edge.pem":           "in the place of certs/edge.pem and its key; then docker compose",
	} {
		s := subject(t)
		s.Certificate = path
		got := find(t, Check(t.Context(), s), "certificate")
		if !strings.Contains(got.Mend, want) {
			t.Errorf("%s: got %q, want %q", path, got.Mend, want)
		}
	}
}

func serving(t *testing.T, status int) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	t.Cleanup(s.Close)
	return s.URL
}

func TestUnwritable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mode               fs.FileMode
		owner, group, user int
		want               bool
	}{
		{0o755, 0, 0, 65532, true},
		{0o755, 65532, 65532, 65532, false},
		{0o555, 65532, 65532, 65532, true},
		{0o775, 0, 1000, 65532, false},
		{0o755, 0, 1000, 65532, true},
		{0o777, 0, 0, 65532, false},
		{0o700, 1000, 1000, 0, false},
		{0o700, 1000, 1000, -1, false},
	} {
		if got := unwritable(c.mode, c.owner, c.group, c.user, []int{65532, 1000}); got != c.want {
			t.Errorf("%v of %d:%d, for user %d: got %t, want %t", c.mode, c.owner, c.group, c.user, got, c.want)
		}
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	s := subject(t)
	cert, _, err := selfsigned.Pair([]string{"a"}, now, 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	s.Certificate = put(t, filepath.Join(t.TempDir(), "c.crt"), cert)
	s.Backups = filepath.Dir(put(t, filepath.Join(t.TempDir(), "last_success"), []byte("1795430000\n")))
	s.Settings.DatabaseURL = "postgresql://u@127.0.0.1:1/x"
	samples := func(s Subject) string {
		t.Helper()
		w := httptest.NewRecorder()
		Handler(s).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		if w.Code != http.StatusOK {
			t.Fatalf("/metrics: %d %s", w.Code, w.Body)
		}
		return w.Body.String()
	}
	text := samples(s)
	for _, want := range []string{"pppq_backup_last_success_timestamp_seconds 1.79543e+09\n", "pppq_certificate_expiry_timestamp_seconds 1.7955216e+09\n",
		"pppq_database_up 0\n", `pppq_disk_free_bytes{folder="data"} `, "process_resident_memory_bytes "} {
		if !strings.Contains(text, want) {
			t.Errorf("/metrics has no %q:\n%s", want, text)
		}
	}
	// What can't be known has no sample.
	s.Certificate, s.Backups, s.Settings.DatabaseURL = "/none", "/none", ""
	text = samples(s)
	for _, name := range []string{"pppq_backup", "pppq_certificate", "pppq_database"} {
		if strings.Contains(text, name) {
			t.Errorf("/metrics has %s of what is not there", name)
		}
	}
}

// checkout is one that init prepared.
func checkout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	put(t, filepath.Join(dir, setup.EnvExample), []byte("SECRETS_GID=1\nALLOWED_HOSTS=[]\nHTTPS_PORT=8443\nAPP_NETWORK=172.30.238\n"))
	put(t, filepath.Join(dir, setup.EdgeSettings, "http.conf.example"), nil)
	if _, _, err := setup.Production(setup.Plan{Dir: dir, Group: os.Getgid(), Now: now}); err != nil {
		t.Fatal(err)
	}
	return dir
}

type closed struct{ net.Listener }

func (closed) Close() error { return nil }

func TestPreflight(t *testing.T) {
	t.Parallel()
	good := func(t *testing.T) Machine {
		return Machine{
			Dir: checkout(t),
			Run: func(_ context.Context, _ string, args ...string) ([]byte, error) {
				if args[0] == "compose" {
					return []byte("2.40.3\n"), nil
				}
				return []byte("28.5.2\n"), nil
			},
			Listen:   func(string) (net.Listener, error) { return closed{}, nil },
			Networks: []netip.Prefix{netip.MustParsePrefix("192.168.1.0/24")},
		}
	}
	found := Preflight(t.Context(), good(t))
	if Faults(found) > 0 || len(found) < 14 {
		t.Fatalf("a machine that is ready: %+v", found)
	}
	for _, c := range []struct {
		name, check string
		spoil       func(*testing.T, *Machine)
		want        Status
		detail      string
	}{
		{"no engine", "Docker Engine", func(_ *testing.T, m *Machine) {
			m.Run = func(context.Context, string, ...string) ([]byte, error) { return nil, errors.New("not found") }
		}, Fault, "not found"},
		{"old engine", "Docker Engine", func(_ *testing.T, m *Machine) {
			m.Run = func(context.Context, string, ...string) ([]byte, error) { return []byte("20.10.24+dfsg1"), nil }
		}, Warning, "is old"},
		{"old Compose", "Docker Compose", func(_ *testing.T, m *Machine) {
			m.Run = func(context.Context, string, ...string) ([]byte, error) { return []byte("v2.19.1"), nil }
		}, Warning, "is old"},
		{"no settings", "settings", func(_ *testing.T, m *Machine) { os.Remove(filepath.Join(m.Dir, setup.EnvFile)) }, Fault, "no such file"},
		{"a secret that is not there", "secret secrets/mlflow_password", func(_ *testing.T, m *Machine) { os.Remove(filepath.Join(m.Dir, "secrets/mlflow_password")) }, Fault, "not there"},
		{"a secret that the group can't read", "secret secrets/mlflow_password", func(_ *testing.T, m *Machine) {
			os.Chmod(filepath.Join(m.Dir, "secrets/mlflow_password"), 0o600)
		}, Fault, "can't read it"},
		{"a secret that all can read", "secret secrets/mlflow_password", func(_ *testing.T, m *Machine) {
			os.Chmod(filepath.Join(m.Dir, "secrets/mlflow_password"), 0o644)
		}, Warning, "everyone"},
		{"a pair of two", "certificate and key", func(t *testing.T, m *Machine) {
			_, key, err := selfsigned.Pair([]string{"a"}, now, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			put(t, filepath.Join(m.Dir, setup.PrivateKey), key)
		}, Fault, "does not match"},
		{"settings of the edge", "nginx settings", func(_ *testing.T, m *Machine) { os.Remove(filepath.Join(m.Dir, setup.EdgeSettings, "http.conf")) }, Fault, "http.conf"},
		{"a port that is taken", "port 8443", func(_ *testing.T, m *Machine) {
			m.Listen = func(a string) (net.Listener, error) {
				if a == ":8443" {
					return nil, errors.New("address already in use")
				}
				return closed{}, nil
			}
		}, Fault, "in use"},
		{"a network that is taken", "network of the edge and the API", func(_ *testing.T, m *Machine) {
			m.Networks = append(m.Networks, netip.MustParsePrefix("172.30.0.0/16"))
		}, Fault, "172.30.0.0/16"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := good(t)
			c.spoil(t, &m)
			got := find(t, Preflight(t.Context(), m), c.check)
			if got.Status != c.want || !strings.Contains(got.Detail, c.detail) || got.Mend == "" {
				t.Errorf("got %s: %s -> %q, want %s with %q and a way to mend it", got.Status, got.Detail, got.Mend, c.want, c.detail)
			}
		})
	}
}
