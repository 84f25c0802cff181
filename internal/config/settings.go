package config

import (
	"log/slog"
	"net/netip"
	"runtime"
	"time"
)

// Environments.
const (
	Development = "development"
	Production  = "production"
)

// Settings are the checked settings of one process. Variables says what each
// means and what it is by default.
type Settings struct {
	Environment string
	Debug       bool
	LogLevel    slog.Level

	Host    string
	Port    int
	Workers int
	// Timeout bounds the work on one request.
	Timeout time.Duration
	Reload  bool

	DataDir, ModelsDir, LogDir string
	// DatabaseURL of the ledger; empty for a file in DataDir.
	DatabaseURL string

	// CORSOrigins are exact origins, or "*" alone.
	CORSOrigins []string
	// AllowedHosts are names without port, "*.example.com" for every name under
	// one; empty allows any.
	AllowedHosts   []string
	APIKeys        []APIKey
	TrustedProxies []netip.Prefix

	// RateLimit is in requests a second for each key or address, 0 is off.
	RateLimit float64
	RateBurst int
	// MaxInFlight is 0 for twice as many as there are threads.
	MaxInFlight int
	MaxQueue    int

	PredictionCache bool
	Drain           time.Duration
	H2C             bool

	// databaseUser and databasePassword go into DatabaseURL.
	databaseUser, databasePassword string

	values []Value
}

// A Value is one variable as it was read.
type Value struct {
	Variable
	// Value is the text as given or the default; a secret shows "(set)" or "".
	Value string
	// From is "default", "environment", "file" or "flag".
	From string
}

// Values lists every variable in the order of Variables, secrets hidden.
func (s *Settings) Values() []Value { return s.values }

// Apply sets what belongs to the process as a whole: WORKERS is the number of
// threads that run Go code.
func (s *Settings) Apply() {
	if s.Workers > 0 {
		runtime.GOMAXPROCS(s.Workers)
	}
}
