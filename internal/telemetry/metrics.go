package telemetry

import (
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are all metrics of one process, in a registry of their own.
type Metrics struct {
	registry *prometheus.Registry

	// InFlight counts the requests that are being answered.
	InFlight prometheus.Gauge
	// Panics counts panics that were contained in their request.
	Panics prometheus.Counter
	// Shed counts requests refused because the service was full (reason "busy")
	// or the caller too fast ("rate").
	Shed *prometheus.CounterVec
	// Cache counts look-ups in the answer cache by result, "hit" or "miss".
	Cache *prometheus.CounterVec
	// DroppedLines counts log lines lost because the output did not keep up.
	DroppedLines prometheus.Counter

	requests     *prometheus.CounterVec
	duration     *prometheus.HistogramVec
	requestSize  *prometheus.HistogramVec
	responseSize *prometheus.HistogramVec

	predictions *prometheus.CounterVec
	inference   *prometheus.HistogramVec
	errors      *prometheus.CounterVec
	reloads     *prometheus.CounterVec

	model *modelCollector
}

// nativeFactor is the growth of native histogram buckets: about 10 % wide.
const nativeFactor = 1.1

func histogram(name, help string, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor: nativeFactor, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
	}
}

// NewMetrics registers every metric of the service, those of the Go runtime and
// of the process included. version is the program's.
func NewMetrics(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), model: newModelCollector()}
	r := m.registry
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		r.MustRegister(c)
		return c
	}
	counterVec := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		r.MustRegister(c)
		return c
	}
	histogramVec := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(histogram(name, help, buckets), labels)
		r.MustRegister(h)
		return h
	}
	m.requests = counterVec("http_requests_total", "Requests answered, by route template.", "method", "route", "status")
	seconds := []float64{.00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	bytes := prometheus.ExponentialBuckets(64, 4, 10)
	m.duration = histogramVec("http_request_duration_seconds", "Time from the end of a request's head to the end of its answer.", seconds, "method", "route")
	m.requestSize = histogramVec("http_request_size_bytes", "Size of request bodies as announced or read.", bytes, "method", "route")
	m.responseSize = histogramVec("http_response_size_bytes", "Size of answer bodies.", bytes, "method", "route")
	m.InFlight = prometheus.NewGauge(prometheus.GaugeOpts{Name: "http_requests_in_flight", Help: "Requests being answered now."})
	r.MustRegister(m.InFlight)
	m.Panics = counter("http_request_panics_total", "Panics contained in one request.")
	m.Shed = counterVec("http_requests_shed_total", "Requests refused because the service was full (busy) or the caller too fast (rate).", "reason")
	m.Cache = counterVec("http_answer_cache_lookups_total", "Look-ups in the cache of encoded answers.", "result")
	m.DroppedLines = counter("log_lines_dropped_total", "Log lines lost because the output did not keep up.")

	m.predictions = counterVec("model_predictions_total", "Forecasts given, by model type and predicted class.", "model", "class")
	m.inference = histogramVec("model_inference_duration_seconds", "Time to compute one forecast.",
		[]float64{1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 1e-2}, "model")
	m.errors = counterVec("model_errors_total", "Forecasts that could not be given, by reason.", "reason")
	m.reloads = counterVec("model_reloads_total", "Attempts to put another model into service.", "result")
	for _, result := range []string{"ok", "refused"} {
		m.reloads.WithLabelValues(result)
	}

	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "pppq_build_info", Help: "1 for the running build."}, []string{"version", "revision", "goversion"})
	build.WithLabelValues(version, revision(), runtime.Version()).Set(1)
	r.MustRegister(m.model, build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// revision is the source revision that the build recorded.
func revision() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return "unknown"
}

// Handler serves the metrics as text or protobuf, as the scraper asks.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// SetModel exports the figures of the model in service in place of the last
// one's.
func (m *Metrics) SetModel(f ModelFigures) { m.model.figures.Store(&f) }

// Reload counts an attempt to put another model into service.
func (m *Metrics) Reload(ok bool) {
	if ok {
		m.reloads.WithLabelValues("ok").Inc()
	} else {
		m.reloads.WithLabelValues("refused").Inc()
	}
}

// ModelError counts a forecast that could not be given.
func (m *Metrics) ModelError(reason string) { m.errors.WithLabelValues(reason).Inc() }
