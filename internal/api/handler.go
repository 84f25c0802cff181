package api

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// A Handler answers every request to a Service.
type Handler struct {
	service *Service
	options *Options
	mux     *http.ServeMux
	api     huma.API
	calls   sync.Pool
	routes  []*route
	// methods lists what each path template takes.
	methods map[string][]string
	// short and long are the gates of quick answers and of work that can take
	// thousands of forecasts.
	short, long *gate
	rates       *rates
	held        *held
	notFound    *route
	// predict is the shape of one question.
	predict             *shape
	draining            atomic.Bool
	cacheHit, cacheMiss prometheus.Counter
	sleep               func(time.Duration)
}

// NewHandler makes the handler of a service. pages are handlers of their own
// beside the operations, by ServeMux pattern, as "GET /{$}"; a read key is needed
// for them if keys are set.
func NewHandler(s *Service, pages map[string]http.Handler) *Handler {
	o := &s.options
	h := &Handler{service: s, options: o, mux: http.NewServeMux(), methods: map[string][]string{}, sleep: time.Sleep}
	h.calls.New = func() any { return new(call) }
	h.short, h.long = newGates(o)
	h.cacheHit, h.cacheMiss = o.Metrics.Cache.WithLabelValues("hit"), o.Metrics.Cache.WithLabelValues("miss")
	h.rates = newRates(o.RateLimit, o.RateBurst, o.Now)
	h.held = newHeld()
	h.api = huma.NewAPI(openAPI(o.Version), adapter{h})
	h.notFound = &route{method: "", template: "", metrics: o.Metrics.Route("other", "unmatched")}
	h.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { h.unmatched(w) })
	h.register()
	for pattern, page := range pages {
		h.page(pattern, page)
	}
	for template, methods := range h.methods {
		h.mux.HandleFunc(template, func(w http.ResponseWriter, _ *http.Request) { h.otherMethod(w, template, methods) })
	}
	return h
}

// newGates divides MaxInFlight: half of the places are for long work, so that
// quick answers never wait for it.
func newGates(o *Options) (short, long *gate) {
	width := o.MaxInFlight
	if width == 0 {
		width = 2 * runtime.GOMAXPROCS(0)
	}
	if width == 1 {
		one := newGate(1, o.MaxQueue, quickPatience, o.Now)
		return one, one
	}
	return newGate(width-width/2, o.MaxQueue-o.MaxQueue/2, quickPatience, o.Now), newGate(width/2, o.MaxQueue/2, longPatience, o.Now)
}

// random is 64 random bits for a request id.
func (h *Handler) random() uint64 { return rand.Uint64() }

// add registers a route.
func (h *Handler) add(r *route) {
	r.metrics = h.options.Metrics.Route(r.method, r.template)
	r.cost = new(cost)
	r.index = byte(len(h.routes))
	h.routes = append(h.routes, r)
	h.methods[r.template] = append(h.methods[r.template], r.method)
	h.mux.HandleFunc(r.method+" "+r.template, func(w http.ResponseWriter, req *http.Request) {
		c := w.(*writer).call
		c.r = req // with the values of the path
		c.enter(r)
	})
}

// plain registers a handler that is not typed: it writes its own answer, or
// leaves it in out with a status.
func (h *Handler) plain(method, template string, p policy, serve func(*call)) {
	h.add(&route{policy: p, method: method, template: template, serve: serve})
}

// page registers a handler from outside under a ServeMux pattern.
func (h *Handler) page(pattern string, page http.Handler) {
	method, template, found := strings.Cut(pattern, " ")
	if !found {
		method, template = http.MethodGet, pattern
	}
	h.plain(method, template, policy{scope: reads}, func(c *call) {
		pageHeaders(c.w.Header())
		page.ServeHTTP(&c.w, c.r.WithContext(c.ctx))
	})
}

// closing is the header that ends a connection after the answer.
var closing = []string{"close"}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := h.calls.Get().(*call)
	c.reset(h, w, r)
	h.options.Metrics.InFlight.Inc()
	defer c.end()
	if h.draining.Load() && r.ProtoMajor == 1 { // HTTP/2 would lose the answer
		w.Header()["Connection"] = closing
	}
	if c.guard() {
		h.mux.ServeHTTP(&c.w, r)
	}
}

// end contains a panic, counts the request, writes its log line, and gives the
// call back.
func (c *call) end() {
	p := recover()
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		defer panic(p) // a handler that cuts its answer off on purpose
	} else if p != nil {
		c.h.options.Metrics.Panics.Inc()
		c.h.options.Log.Error("panic in a request", "id", string(c.id[:c.idLen]), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		if c.w.status != 0 {
			defer panic(http.ErrAbortHandler) // half an answer must not look whole
		} else {
			c.fail(newProblem(kindBug, "this is a bug; the log has it under the request id"))
		}
	}
	if c.route == nil {
		c.route = c.h.notFound
	}
	took := c.now().Sub(c.start)
	c.route.metrics.Observe(c.w.status, took, c.requestBytes(), c.w.sent)
	c.h.options.Metrics.InFlight.Dec()
	c.logAccess(took)
	w, body := c.w.ResponseWriter, c.arrives
	// Where the size is not known, the answer ends when this returns.
	sending := c.unread && p == nil && w.Header()["Content-Length"] != nil
	c.release()
	if sending {
		linger(w, body)
	}
}

// unmatched answers for paths without a route.
func (h *Handler) unmatched(w http.ResponseWriter) {
	w.(*writer).call.fail(newProblem(kindNotFound, "no operation has this path; /docs lists them"))
}

// otherMethod answers for methods that a path does not take.
func (h *Handler) otherMethod(w http.ResponseWriter, template string, methods []string) {
	c := w.(*writer).call
	allow := slices.Clone(methods)
	if slices.Contains(allow, http.MethodGet) {
		allow = append(allow, http.MethodHead)
	}
	allow = append(allow, http.MethodOptions)
	slices.Sort(allow)
	list := strings.Join(allow, ", ")
	if c.r.Method == http.MethodOptions {
		c.w.Header().Set("Allow", list)
		c.send(http.StatusNoContent, nil)
		return
	}
	c.fail(newProblem(kindMethod, "want "+list).with("Allow", list))
}
