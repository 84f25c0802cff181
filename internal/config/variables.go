package config

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A Variable describes one setting.
type Variable struct {
	// Name in the environment; a flag of that name in lower case, with hyphens,
	// wins over it.
	Name string
	// Default as text; what depends on ENVIRONMENT says so.
	Default string
	// Accepts says which values there are.
	Accepts string
	Help    string
	// Secret values may come from the file that NAME_FILE names and are never
	// shown.
	Secret bool

	set func(*Settings, string) error
}

// Variables are all settings, in the order in which they are listed.
func Variables() []Variable {
	return []Variable{
		{Name: "ENVIRONMENT", Default: Development, Accepts: "development or production",
			Help: "production refuses DEBUG, RELOAD and * in CORS_ORIGINS, and requires ALLOWED_HOSTS",
			set: func(s *Settings, v string) error {
				if v != Development && v != Production {
					return errors.New("want development or production")
				}
				s.Environment = v
				return nil
			}},
		{Name: "DEBUG", Default: "false", Accepts: "true or false", Help: "serve the Go profiler under /debug/pprof/ to callers on this machine",
			set: boolean(func(s *Settings) *bool { return &s.Debug })},
		{Name: "LOG_LEVEL", Default: "INFO", Accepts: "DEBUG, INFO, WARNING (or WARN), ERROR; any case", Help: "lowest level of log lines; the access log is of level INFO",
			set: setLevel},
		{Name: "HOST", Default: "127.0.0.1", Accepts: "an address or a name of this machine", Help: "where to listen; 0.0.0.0 for every address",
			set: func(s *Settings, v string) error {
				if v == "" || strings.ContainsAny(v, " /") {
					return errors.New("want an address or a name")
				}
				s.Host = v
				return nil
			}},
		{Name: "PORT", Default: "8000", Accepts: "0 to 65535; 0 lets the system choose", Help: "port to listen on",
			set: integer(0, 65535, func(s *Settings) *int { return &s.Port })},
		{Name: "WORKERS", Default: "0", Accepts: "0 to 1024", Help: "threads that run Go code; 0 for as many as there are processors",
			set: integer(0, 1024, func(s *Settings) *int { return &s.Workers })},
		{Name: "TIMEOUT", Default: "30", Accepts: "seconds above 0, at most 3600", Help: "time that the work on one request may take",
			set: seconds(0.001, 3600, func(s *Settings) *time.Duration { return &s.Timeout })},
		{Name: "RELOAD", Default: "false", Accepts: "true or false", Help: "start again when the program's own file is replaced, for development",
			set: boolean(func(s *Settings) *bool { return &s.Reload })},
		{Name: "DATA_DIR", Default: "data", Accepts: "a folder", Help: "figures and the ledger of past forecasts; the service only reads",
			set: folder(func(s *Settings) *string { return &s.DataDir })},
		{Name: "MODELS_DIR", Default: "models", Accepts: "a folder", Help: "model versions; the service only reads, but for promote and rollback",
			set: folder(func(s *Settings) *string { return &s.ModelsDir })},
		{Name: "DATABASE_URL", Default: "", Accepts: "postgresql:// or postgres://USER:PASSWORD@HOST/DATABASE, or sqlite:PATH", Help: "database of the ledger of past forecasts, which trainings write and the service never opens; empty: ledger.sqlite in DATA_DIR", Secret: true,
			set: setDatabase},
		{Name: "MLFLOW_DB_USER", Default: "", Accepts: "a name", Help: "user for a DATABASE_URL of PostgreSQL that names none",
			set: func(s *Settings, v string) error { s.databaseUser = v; return nil }},
		{Name: "MLFLOW_DB_PASSWORD", Default: "", Accepts: "any text", Help: "password of MLFLOW_DB_USER", Secret: true,
			set: func(s *Settings, v string) error { s.databasePassword = v; return nil }},
		{Name: "LOG_DIR", Default: "", Accepts: "a folder, or empty", Help: "write the log lines of standard output also to a rotated file there",
			set: func(s *Settings, v string) error { s.LogDir = v; return nil }},
		{Name: "CORS_ORIGINS", Default: "[]", Accepts: `a JSON list of origins, as ["https://app.example.com"], or ["*"]`, Help: "pages of which origins may call the service from a browser",
			set: setOrigins},
		{Name: "ALLOWED_HOSTS", Default: `["*"]`, Accepts: `a JSON list of names, as ["api.example.com","*.example.com"], or ["*"] for any`, Help: "names under which the service may be called; probes and /metrics are exempt",
			set: setHosts},
		{Name: "API_KEYS", Default: "", Accepts: "lines name:scope:sha256hex as `pppq keys new` prints them", Help: "who may call; empty: anyone may read and nobody may administer", Secret: true,
			set: func(s *Settings, v string) (err error) { s.APIKeys, err = ParseAPIKeys(v); return err }},
		{Name: "TRUSTED_PROXIES", Default: "[]", Accepts: `a JSON list of address ranges, as ["10.0.0.0/8"]`, Help: "peers whose X-Forwarded-For is believed",
			set: setProxies},
		{Name: "RATE_LIMIT", Default: "0", Accepts: "0 to 1000000", Help: "requests a second for each key or address; 0 is no limit",
			set: func(s *Settings, v string) (err error) { s.RateLimit, err = number(v, 0, 1e6); return err }},
		{Name: "RATE_BURST", Default: "0", Accepts: "0 to 1000000", Help: "requests that may come at once before RATE_LIMIT holds; 0 for twice RATE_LIMIT",
			set: integer(0, 1e6, func(s *Settings) *int { return &s.RateBurst })},
		{Name: "MAX_IN_FLIGHT", Default: "0", Accepts: "0 to 100000", Help: "requests at work at once; 0 for two for each thread of WORKERS",
			set: integer(0, 100000, func(s *Settings) *int { return &s.MaxInFlight })},
		{Name: "MAX_QUEUE", Default: "256", Accepts: "0 to 100000", Help: "requests that may wait for work; more get 503 at once",
			set: integer(0, 100000, func(s *Settings) *int { return &s.MaxQueue })},
		{Name: "PREDICTION_CACHE", Default: "on", Accepts: "on or off", Help: "keep encoded answers of the model in service in memory (at most 16 MiB)",
			set: func(s *Settings, v string) error {
				if v != "on" && v != "off" {
					return errors.New("want on or off")
				}
				s.PredictionCache = v == "on"
				return nil
			}},
		{Name: "DRAIN_SECONDS", Default: "0; 5 in production", Accepts: "0 to 600", Help: "how long to serve on after /readyz turned false, before the end",
			set: seconds(0, 600, func(s *Settings) *time.Duration { return &s.Drain })},
		{Name: "H2C", Default: "false", Accepts: "true or false", Help: "accept HTTP/2 without TLS, from a proxy that speaks it",
			set: boolean(func(s *Settings) *bool { return &s.H2C })},
	}
}

// defaultOf is the text that stands for an unset variable.
func (v Variable) defaultOf(environment string) string {
	if v.Name == "DRAIN_SECONDS" {
		if environment == Production {
			return "5"
		}
		return "0"
	}
	return v.Default
}

func boolean(field func(*Settings) *bool) func(*Settings, string) error {
	return func(s *Settings, v string) error {
		switch strings.ToLower(v) {
		case "true", "1", "yes", "on":
			*field(s) = true
		case "false", "0", "no", "off":
			*field(s) = false
		default:
			return errors.New("want true or false")
		}
		return nil
	}
}

func integer(low, high int, field func(*Settings) *int) func(*Settings, string) error {
	return func(s *Settings, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < low || n > high {
			return fmt.Errorf("want a whole number from %d to %d", low, high)
		}
		*field(s) = n
		return nil
	}
}

func number(v string, low, high float64) (float64, error) {
	x, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(x) || x < low || x > high {
		return 0, fmt.Errorf("want a number from %g to %g", low, high)
	}
	return x, nil
}

func seconds(low, high float64, field func(*Settings) *time.Duration) func(*Settings, string) error {
	return func(s *Settings, v string) error {
		x, err := number(v, low, high)
		if err != nil {
			return err
		}
		*field(s) = time.Duration(x * float64(time.Second))
		return nil
	}
}

func folder(field func(*Settings) *string) func(*Settings, string) error {
	return func(s *Settings, v string) error {
		if v == "" {
			return errors.New("want a folder")
		}
		*field(s) = v
		return nil
	}
}

func setLevel(s *Settings, v string) error {
	levels := map[string]slog.Level{
		"DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo, "WARNING": slog.LevelWarn, "WARN": slog.LevelWarn, "ERROR": slog.LevelError,
	}
	level, ok := levels[strings.ToUpper(v)]
	if !ok {
		return errors.New("want DEBUG, INFO, WARNING or ERROR")
	}
	s.LogLevel = level
	return nil
}

// list reads a JSON list of texts; nothing is an empty list.
func list(v string) ([]string, error) {
	var out []string
	if strings.TrimSpace(v) == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(v), &out); err != nil {
		return nil, errors.New(`want a JSON list of texts, as ["a","b"]`)
	}
	return out, nil
}

func setOrigins(s *Settings, v string) error {
	origins, err := list(v)
	if err != nil {
		return err
	}
	for _, o := range origins {
		if o == "*" {
			if len(origins) > 1 {
				return errors.New(`"*" must stand alone`)
			}
			continue
		}
		u, err := url.Parse(o)
		if err != nil || u.Scheme == "" || u.Host == "" || o != u.Scheme+"://"+u.Host {
			return fmt.Errorf("%q is not an origin: want scheme://host or scheme://host:port", o)
		}
	}
	s.CORSOrigins = origins
	return nil
}

// setDatabase checks the kind of database alone: who opens it checks the rest.
func setDatabase(s *Settings, v string) error {
	scheme, _, _ := strings.Cut(v, ":")
	if v != "" && scheme != "postgresql" && scheme != "postgres" && scheme != "sqlite" {
		return errors.New("want postgresql://, postgres:// or sqlite:PATH")
	}
	s.DatabaseURL = v
	return nil
}

func setHosts(s *Settings, v string) error {
	hosts, err := list(v)
	if err != nil {
		return err
	}
	for i, h := range hosts {
		name := strings.TrimPrefix(h, "*.")
		if h == "*" && len(hosts) == 1 {
			s.AllowedHosts = nil
			return nil
		}
		_, addrErr := netip.ParseAddr(name)
		if name == "" || strings.ContainsAny(name, "*/ ") || addrErr != nil && strings.Contains(name, ":") {
			return fmt.Errorf("%q is not a host: want a name without port, *.name, or * alone", h)
		}
		hosts[i] = strings.ToLower(h)
	}
	s.AllowedHosts = hosts
	return nil
}

func setProxies(s *Settings, v string) error {
	ranges, err := list(v)
	if err != nil {
		return err
	}
	for _, r := range ranges {
		prefix, err := netip.ParsePrefix(r)
		if err != nil {
			addr, addrErr := netip.ParseAddr(r)
			if addrErr != nil {
				return fmt.Errorf("%q is not a range of addresses: want one as 10.0.0.0/8", r)
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		s.TrustedProxies = append(s.TrustedProxies, prefix.Masked())
	}
	return nil
}

// together checks what only shows when all variables are read.
func (s *Settings) together() (faults []error) {
	if err := s.databaseAccount(); err != nil {
		faults = append(faults, err)
	}
	if s.Environment != Production {
		return faults
	}
	fault := func(name, text string) { faults = append(faults, fmt.Errorf("%s: %s", name, text)) }
	if s.Debug {
		fault("DEBUG", "must be false when ENVIRONMENT is production")
	}
	if s.Reload {
		fault("RELOAD", "must be false when ENVIRONMENT is production")
	}
	if cmp.Or(s.CORSOrigins...) == "*" {
		fault("CORS_ORIGINS", "must name origins when ENVIRONMENT is production")
	}
	if len(s.AllowedHosts) == 0 {
		fault("ALLOWED_HOSTS", "must name hosts when ENVIRONMENT is production")
	}
	return faults
}
