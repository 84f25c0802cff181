package api

import (
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/config"
	"github.com/pppq/pppq/internal/telemetry"
)

// Options are everything that a service is made of. DefaultOptions fills what
// has a default.
type Options struct {
	// Version of the program.
	Version string
	// Models is where model versions are kept.
	Models bundle.Folder
	// DataDir holds the ledger of past forecasts, if there is one.
	DataDir string

	Metrics *telemetry.Metrics
	Log     *slog.Logger
	// AccessLog takes one JSON line a request; nil takes none.
	AccessLog *telemetry.Sink
	// Now is the clock.
	Now func() time.Time

	// Address to listen on, host:port.
	Address string
	// Timeout bounds the work on one request.
	Timeout time.Duration
	// HeaderTimeout bounds the arrival of a request's head, BodyTimeout of all of
	// it; IdleTimeout is how long a connection may wait for its next request.
	HeaderTimeout, BodyTimeout, IdleTimeout time.Duration
	// Drain is how long to serve on after /readyz turned false.
	Drain time.Duration
	// H2C accepts HTTP/2 without TLS.
	H2C bool
	// Debug serves the profiler to callers on this machine.
	Debug bool
	// Executable, if set, is a file that ends Serve with ErrReplaced when it is
	// replaced.
	Executable string

	// Cache keeps encoded answers in memory.
	Cache bool
	// MaxInFlight requests are at work at once, 0 for two a thread; MaxQueue more
	// may wait.
	MaxInFlight, MaxQueue int
	// RateLimit is in requests a second for each key or address, 0 is off;
	// RateBurst may come at once, 0 for twice RateLimit.
	RateLimit float64
	RateBurst int

	Keys           []config.APIKey
	AllowedHosts   []string
	CORSOrigins    []string
	TrustedProxies []netip.Prefix
}

// DefaultOptions are those of an unset environment, without outputs.
func DefaultOptions() Options {
	return Options{
		Version: "0.0.0-dev", Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Address: "127.0.0.1:8000", Timeout: 30 * time.Second,
		HeaderTimeout: 10 * time.Second, BodyTimeout: time.Minute, IdleTimeout: 75 * time.Second,
		Cache: true, MaxQueue: 256,
	}
}

// Configure takes over what settings say. Metrics, logs and Executable
// are the caller's.
func (o *Options) Configure(s *config.Settings) {
	o.Address = net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	o.DataDir, o.Models.Dir = s.DataDir, s.ModelsDir
	o.Timeout, o.Drain, o.H2C, o.Debug = s.Timeout, s.Drain, s.H2C, s.Debug
	o.Cache, o.MaxInFlight, o.MaxQueue = s.PredictionCache, s.MaxInFlight, s.MaxQueue
	o.RateLimit, o.RateBurst = s.RateLimit, s.RateBurst
	o.Keys, o.AllowedHosts, o.CORSOrigins, o.TrustedProxies = s.APIKeys, s.AllowedHosts, s.CORSOrigins, s.TrustedProxies
}
