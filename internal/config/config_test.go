package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// env is a source of variables; the files are those of NAME_FILE.
func env(vars map[string]string, files map[string]string) Source {
	return Source{
		Env: func(name string) (string, bool) { v, ok := vars[name]; return v, ok },
		ReadFile: func(path string) ([]byte, error) {
			if text, ok := files[path]; ok {
				return []byte(text), nil
			}
			return nil, errors.New("no such file")
		},
	}
}

var hash = strings.Repeat("ab", 32)

func TestDefaults(t *testing.T) {
	t.Parallel()
	s, err := Load(env(nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	want := &Settings{
		Environment: Development, LogLevel: slog.LevelInfo, Host: "127.0.0.1", Port: 8000, Timeout: 30 * time.Second,
		DataDir: "data", ModelsDir: "models", MaxQueue: 256, PredictionCache: true, CORSOrigins: []string{},
	}
	s.values = nil
	if diff := cmp.Diff(want, s, cmp.AllowUnexported(Settings{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Every variable reaches its field.
func TestEveryVariable(t *testing.T) {
	t.Parallel()
	vars := map[string]string{
		"ENVIRONMENT": "production", "DEBUG": "no", "LOG_LEVEL": "warn", "HOST": "0.0.0.0", "PORT": "0", "WORKERS": "3", "TIMEOUT": "2.5",
		"RELOAD": "0", "DATA_DIR": "/d", "MODELS_DIR": "/m", "LOG_DIR": "/l", "CORS_ORIGINS": `["https://a.b:8443"]`,
		"ALLOWED_HOSTS": `["API.example.com","*.example.org","::1"]`, "API_KEYS_FILE": "/keys", "DATABASE_URL_FILE": "/url", "TRUSTED_PROXIES": `["10.1.2.3/8","192.0.2.1"]`,
		"MLFLOW_DB_USER": "m", "MLFLOW_DB_PASSWORD_FILE": "/pw", "RATE_LIMIT": "1.5", "RATE_BURST": "7", "MAX_IN_FLIGHT": "4", "MAX_QUEUE": "5", "PREDICTION_CACHE": "off", "DRAIN_SECONDS": "0.5", "H2C": "true",
	}
	s, err := Load(env(vars, map[string]string{"/keys": "# people\nana:read:" + hash + "\nbob:admin:" + hash + "\n\n", "/url": "postgres://u:" + hash + "@h/d\n", "/pw": "x"}))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range Variables() {
		if _, ok := vars[v.Name]; !ok && !v.Secret {
			t.Errorf("%s is not tried here", v.Name)
		}
	}
	var sum [32]byte
	for i := range sum {
		sum[i] = 0xab
	}
	want := &Settings{
		Environment: Production, LogLevel: slog.LevelWarn, Host: "0.0.0.0", Workers: 3, Timeout: 2500 * time.Millisecond,
		DataDir: "/d", ModelsDir: "/m", DatabaseURL: "postgres://u:" + hash + "@h/d", LogDir: "/l", CORSOrigins: []string{"https://a.b:8443"},
		AllowedHosts:   []string{"api.example.com", "*.example.org", "::1"},
		APIKeys:        []APIKey{{"ana", ScopeRead, sum}, {"bob", ScopeAdmin, sum}},
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32")},
		RateLimit:      1.5, RateBurst: 7, MaxInFlight: 4, MaxQueue: 5, Drain: 500 * time.Millisecond, H2C: true,
	}
	values := s.Values()
	s.values = nil
	if diff := cmp.Diff(want, s, cmp.AllowUnexported(Settings{}), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(values) != len(Variables()) {
		t.Errorf("%d values listed of %d", len(values), len(Variables()))
	}
	for _, v := range values {
		if v.Secret && (v.Value != "(set)" || v.From != "file") {
			t.Errorf("%s listed as %q from %s", v.Name, v.Value, v.From)
		}
		if strings.Contains(fmt.Sprintf("%v", v), hash) {
			t.Errorf("%s shows a secret", v.Name)
		}
	}
}

func TestProductionDefaults(t *testing.T) {
	t.Parallel()
	s, err := Load(env(map[string]string{"ENVIRONMENT": "production", "ALLOWED_HOSTS": `["a"]`, "LOG_DIR": "", "PORT": ""}, nil))
	if err != nil {
		t.Fatal(err)
	}
	if s.Drain != 5*time.Second || s.Port != 8000 {
		t.Errorf("drain %v, port %d", s.Drain, s.Port)
	}
}

// Every fault is one line that names its variable, and all are reported at once.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, value, want string
	}{
		{"ENVIRONMENT", "staging", "want development or production"},
		{"DEBUG", "maybe", "want true or false"},
		{"LOG_LEVEL", "LOUD", "want DEBUG, INFO, WARNING or ERROR"},
		{"HOST", "a b", "want an address or a name"},
		{"PORT", "70000", "want a whole number from 0 to 65535"},
		{"PORT", "eight", "want a whole number"},
		{"WORKERS", "-1", "want a whole number"},
		{"TIMEOUT", "0", "want a number from 0.001 to 3600"},
		{"TIMEOUT", "NaN", "want a number"},
		{"RATE_LIMIT", "1e999", "want a number"},
		{"CORS_ORIGINS", "https://a.b", "want a JSON list"},
		{"CORS_ORIGINS", `["https://a.b/path"]`, "is not an origin"},
		{"CORS_ORIGINS", `["*","https://a.b"]`, "must stand alone"},
		{"ALLOWED_HOSTS", `["a:80"]`, "is not a host"},
		{"ALLOWED_HOSTS", `["*","a"]`, "is not a host"},
		{"ALLOWED_HOSTS", `["https://a"]`, "is not a host"},
		{"TRUSTED_PROXIES", `["10.0.0.0/33"]`, "is not a range"},
		{"PREDICTION_CACHE", "true", "want on or off"},
		{"API_KEYS", "ana:read", "line 1: want name:scope:sha256hex"},
		{"API_KEYS", "ana:read:" + hash + "\nana:read:" + hash, "line 2: the name is given twice"},
		{"API_KEYS", "ana:root:" + hash, "line 1: want scope"},
		{"API_KEYS", "a b:read:" + hash, "line 1: want a name"},
		{"API_KEYS", "ana:read:secretsecret", "line 1: want 64 hexadecimal digits"},
		{"API_KEYS_FILE", "/nothing", "read API_KEYS_FILE: no such file"},
		{"DATABASE_URL", "mysql://u:secretsecret@h/d", "want postgresql://"},
		{"DATABASE_URL", "secretsecret", "want postgresql://"},
		{"MAX_QUEUE", "x", "want a whole number"},
		{"H2C", "2", "want true or false"},
		{"DRAIN_SECONDS", "601", "want a number from 0 to 600"},
	} {
		_, err := Load(env(map[string]string{c.name: c.value}, nil))
		if err == nil || !strings.HasPrefix(err.Error(), strings.TrimSuffix(c.name, "_FILE")+": ") || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s=%q: %v, want one line with %q", c.name, c.value, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "secretsecret") {
			t.Errorf("the error shows a secret: %v", err)
		}
	}
	_, err := Load(env(map[string]string{"PORT": "x", "DEBUG": "x", "API_KEYS": "x", "API_KEYS_FILE": "y"}, nil))
	if err == nil || len(strings.Split(err.Error(), "\n")) != 3 || !strings.Contains(err.Error(), "both API_KEYS and API_KEYS_FILE are set") {
		t.Errorf("three faults give %v", err)
	}
}

func TestProductionRefuses(t *testing.T) {
	t.Parallel()
	_, err := Load(env(map[string]string{"ENVIRONMENT": "production", "DEBUG": "1", "RELOAD": "1", "CORS_ORIGINS": `["*"]`, "ALLOWED_HOSTS": `["*"]`}, nil))
	if err == nil {
		t.Fatal("taken")
	}
	var names []string
	for _, line := range strings.Split(err.Error(), "\n") {
		name, _, _ := strings.Cut(line, ":")
		names = append(names, name)
	}
	if want := []string{"DEBUG", "RELOAD", "CORS_ORIGINS", "ALLOWED_HOSTS"}; !slices.Equal(names, want) {
		t.Errorf("faults of %v, want %v", names, want)
	}
}

func TestFlagsWin(t *testing.T) {
	t.Parallel()
	src := env(map[string]string{"PORT": "1", "LOG_DIR": "/l"}, nil)
	src.Flag = func(name string) (string, bool) {
		v, ok := map[string]string{"PORT": "2", "LOG_DIR": ""}[name]
		return v, ok
	}
	s, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	if s.Port != 2 || s.LogDir != "" {
		t.Errorf("port %d, log folder %q", s.Port, s.LogDir)
	}
}

func TestWorkersIsTheNumberOfThreads(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	(&Settings{Workers: before + 1}).Apply()
	if got := runtime.GOMAXPROCS(0); got != before+1 {
		t.Errorf("%d threads, want %d", got, before+1)
	}
	(&Settings{}).Apply()
	if got := runtime.GOMAXPROCS(0); got != before+1 {
		t.Errorf("WORKERS=0 changed the threads to %d", got)
	}
}

func TestNewAPIKey(t *testing.T) {
	t.Parallel()
	key, line, err := NewAPIKey("ana", ScopeAdmin)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ParseAPIKeys(line)
	if err != nil || len(keys) != 1 || keys[0].Name != "ana" || keys[0].Scope != ScopeAdmin || strings.Contains(line, key) {
		t.Errorf("%v, %v", keys, err)
	}
	if again, _, _ := NewAPIKey("ana", ScopeAdmin); again == key {
		t.Error("two keys are the same")
	}
	for _, bad := range [][2]string{{"a b", ScopeRead}, {"", ScopeRead}, {"a", "root"}} {
		if _, _, err := NewAPIKey(bad[0], bad[1]); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}
