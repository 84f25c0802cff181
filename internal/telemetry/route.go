package telemetry

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A Route counts the requests of one method and route template. Its metrics are
// looked up once, not for every request.
type Route struct {
	metrics       *Metrics
	method, route string
	duration      prometheus.Observer
	requestSize   prometheus.Observer
	responseSize  prometheus.Observer
	// byStatus holds the counters of statuses 100 to 599.
	byStatus [500]atomic.Pointer[prometheus.Counter]
}

// Route returns the counters of a route; template never holds a raw path.
func (m *Metrics) Route(method, template string) *Route {
	return &Route{
		metrics: m, method: method, route: template,
		duration:     m.duration.WithLabelValues(method, template),
		requestSize:  m.requestSize.WithLabelValues(method, template),
		responseSize: m.responseSize.WithLabelValues(method, template),
	}
}

// Observe counts one answered request; sizes are of bodies, in bytes.
func (r *Route) Observe(status int, d time.Duration, requestSize, responseSize int64) {
	i := min(max(status-100, 0), len(r.byStatus)-1)
	c := r.byStatus[i].Load()
	if c == nil {
		made := r.metrics.requests.WithLabelValues(r.method, r.route, strconv.Itoa(i+100))
		c = &made
		r.byStatus[i].Store(c)
	}
	(*c).Inc()
	r.duration.Observe(d.Seconds())
	r.requestSize.Observe(float64(max(requestSize, 0)))
	r.responseSize.Observe(float64(responseSize))
}

// Predictions counts forecasts of one model type; it is safe for concurrent use.
type Predictions struct {
	inference prometheus.Observer
	classes   map[string]prometheus.Counter
}

// Predictions returns the counters of a model type over the classes it can
// predict.
func (m *Metrics) Predictions(model string, classes []string) *Predictions {
	p := &Predictions{inference: m.inference.WithLabelValues(model), classes: make(map[string]prometheus.Counter, len(classes))}
	for _, c := range classes {
		p.classes[c] = m.predictions.WithLabelValues(model, c)
	}
	return p
}

// Observe counts one forecast; d is the time to compute it, 0 if it was taken
// from a cache and nothing was computed.
func (p *Predictions) Observe(class string, d time.Duration) {
	if c, ok := p.classes[class]; ok {
		c.Inc()
	}
	if d > 0 {
		p.inference.Observe(d.Seconds())
	}
}
