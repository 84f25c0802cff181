package api

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pppq/pppq/internal/config"
	"github.com/pppq/pppq/internal/telemetry"
)

// A scope is what a caller must be allowed to do.
type scope int

const (
	// open routes need no key.
	open scope = iota
	// reads need a read key if any keys are set.
	reads
	// administers need an admin key, and are closed while no keys are set.
	administers
)

// work is how much there is to do for one request.
type work int

const (
	// little work needs no place.
	little work = iota
	// quick work is a few forecasts.
	quick
	// long work grows with the body.
	long
	// sized work is quick for a small body, else long.
	sized
)

// A policy says how requests to a route are treated on their way.
type policy struct {
	scope scope
	// body is the most bytes of a body; 0 for none.
	body int64
	// media are the accepted types of the body; nil is JSON.
	media []string
	// cache keeps answers in the model.
	cache bool
	// model answers 503 while no model is in service.
	model bool
	// work says which gate the work goes through.
	work work
	// quiet routes have no line in the access log unless they fail.
	quiet bool
	// receive, if set, reads the body as it arrives, under the same bound; else it
	// is read into memory.
	receive func(*call) error
}

// A route is one method and path template.
type route struct {
	policy
	method, template string
	operation        *huma.Operation
	metrics          *telemetry.Route
	shape            *shape // of the body, nil if there is none
	params           []param
	serve            func(*call)
	// index begins the cache keys of the route.
	index byte
	cost  *cost
}

// policyKey is where an operation's Metadata holds its policy.
const policyKey = "policy"

// adapter lets huma register operations with a Handler.
type adapter struct{ h *Handler }

// Handle implements huma.Adapter.
func (a adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	r := &route{method: op.Method, template: op.Path, operation: op, serve: func(c *call) { handler(c) }}
	r.policy = op.Metadata[policyKey].(policy)
	r.params = paramsOf(a.h.api.OpenAPI().Components.Schemas, op)
	if op.RequestBody != nil {
		if media := op.RequestBody.Content[jsonType]; media != nil {
			r.shape = compile(a.h.api.OpenAPI().Components.Schemas, media.Schema)
		}
	}
	a.h.add(r)
}

// ServeHTTP implements huma.Adapter.
func (a adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.h.ServeHTTP(w, r) }

// enter is the way of a routed request to its handler and back.
func (c *call) enter(r *route) {
	c.route = r
	denied := c.authorize()
	if r.scope != open {
		// Before a refusal too: who guesses keys is slowed down by address.
		if err := c.h.rates.take(c); err != nil {
			c.h.options.Metrics.Shed.WithLabelValues("rate").Inc()
			c.fail(err)
			return
		}
	}
	if denied != nil {
		c.fail(denied)
		return
	}
	if r.model && c.model == nil {
		c.fail(errNoModel)
		return
	}
	if err := c.early(); err != nil {
		c.shed(err)
		return
	}
	if err := c.readBody(); err != nil {
		c.shed(err)
		return
	}
	if r.cache && c.fromCache() {
		return
	}
	place, err := c.atWork()
	if err != nil {
		c.shed(err)
		return
	}
	if place != nil {
		// A large answer is sent from its place, for a while: more work beside it
		// would only make both slower. Who reads slowly does not keep the place.
		if c.out.Len() > maxKept {
			defer time.AfterFunc(holdWhileSending, place.leave).Stop()
			defer place.leave()
		} else {
			place.leave()
		}
	}
	if c.failed == nil && c.out.Len() > maxKept {
		c.failed = c.hold(c.out.Cap())
	}
	switch {
	case c.failed != nil:
		c.shed(c.failed)
	case c.status != 0:
		c.finish()
	}
}

// early refuses long work that there is no place or room for before its body is
// read.
func (c *call) early() error {
	if c.route.work != long {
		return nil
	}
	if c.h.held.full() {
		return busy(0)
	}
	if c.r.ContentLength < 0 {
		return nil
	}
	gate, units := c.gate()
	return gate.full(c.route.cost, units)
}

// shed answers for what was not done, and counts it if the service was full.
func (c *call) shed(err error) {
	if problemOf(err).kind == kindBusy {
		c.h.options.Metrics.Shed.WithLabelValues("busy").Inc()
	}
	c.fail(err)
}

// holdWhileSending is how long a place may be kept while an answer is sent.
const holdWhileSending = 20 * time.Millisecond

// atWork runs the operation at a place of its gate, which the caller has to
// leave; nil without a gate. The error says that there is no place.
func (c *call) atWork() (*place, error) {
	gate, units := c.gate()
	if gate == nil {
		c.run()
		return nil, nil
	}
	place, err := gate.enter(c.r.Context(), c.route.cost, units)
	if err != nil {
		return nil, err
	}
	done := false
	defer func() {
		if !done { // a panic
			place.leave()
		}
	}()
	c.run()
	done = true
	return place, nil
}

// sizedQuick is how large the body of quick work may be.
const sizedQuick = 16 << 10

// gate is where the work goes through, nil for none, and what it grows with: 1
// for a few forecasts, else the size of the body.
func (c *call) gate() (g *gate, units float64) {
	size := max(c.r.ContentLength, int64(c.body.Len()), 1)
	switch w := c.route.work; {
	case w == little:
		return nil, 0
	case w == quick:
		return c.h.short, 1
	case w == sized && size <= sizedQuick:
		return c.h.short, float64(size)
	}
	return c.h.long, float64(size)
}

// run checks the body and lets the operation answer into memory.
func (c *call) run() {
	if p := c.checkParams(); p != nil {
		c.failed = p
		return
	}
	if c.route.shape != nil {
		if p := c.route.shape.check(c.body.Bytes(), ""); p != nil {
			c.failed = p
			return
		}
	}
	if c.h.options.Timeout > c.h.options.BodyTimeout/2 {
		// The server's deadline for the body must not end long work; the error says
		// that the writer has no deadlines, as in tests.
		_ = http.NewResponseController(c.w.ResponseWriter).SetReadDeadline(time.Time{})
	}
	c.ctx = callContext{c.r.Context(), c, time.Now().Add(c.h.options.Timeout)}
	c.route.serve(c)
}

// finish sends the answer in memory, and keeps it if it may be kept.
func (c *call) finish() {
	if c.status == http.StatusOK && len(c.cacheKey) > 0 {
		c.keepAnswer()
	}
	c.send(c.status, nil)
}

// callContext carries the call to handlers that only get a context, and the
// deadline of the work. Operations compute and look at Err between steps; none
// waits, so no timer closes Done at the deadline, which ends with the caller
// alone.
type callContext struct {
	context.Context
	call     *call
	deadline time.Time
}

type callKey struct{}

// Deadline implements context.Context.
func (x callContext) Deadline() (time.Time, bool) { return x.deadline, true }

// Err implements context.Context.
func (x callContext) Err() error {
	if err := x.Context.Err(); err != nil {
		return err
	}
	if !time.Now().Before(x.deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// Value implements context.Context.
func (x callContext) Value(key any) any {
	if key == (callKey{}) {
		return x.call
	}
	return x.Context.Value(key)
}

// readBody reads the body into memory, up to the route's bound, and refuses
// forms of it that the route does not take.
func (c *call) readBody() error {
	r, limit := c.r, c.route.body
	if limit == 0 {
		return nil // passOver deals with one
	}
	for _, coding := range r.Header["Content-Encoding"] {
		if coding != "" && !strings.EqualFold(coding, "identity") {
			return newProblem(kindMediaType, "send the body without Content-Encoding").with("Accept-Encoding", "identity")
		}
	}
	if err := c.mediaType(); err != nil {
		return err
	}
	if r.ContentLength > limit {
		return tooLarge(limit)
	}
	if r.ContentLength < 0 {
		r.Body = http.MaxBytesReader(c.w.ResponseWriter, r.Body, limit)
	}
	if r.ContentLength < 0 || r.ContentLength > smallBody {
		r.Body = arriving{r.Body, c}
	}
	if c.route.receive != nil {
		return c.route.receive(c)
	}
	if n := r.ContentLength; n > 0 && n <= maxKept {
		c.body.Grow(int(n) + 1)
	}
	_, err := c.body.ReadFrom(r.Body)
	c.read = err == nil
	return bodyError(err, limit)
}

// bodyError says why a body could not be read.
func bodyError(err error, limit int64) error {
	var (
		large   *http.MaxBytesError
		problem *Problem
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &problem):
		return problem
	case errors.As(err, &large):
		return tooLarge(limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return newProblem(kindSlowBody, "send the body faster")
	}
	return newProblem(kindMalformed, "the body broke off before its end")
}

func tooLarge(limit int64) error {
	return newProblem(kindTooLarge, "want at most "+bytesText(limit))
}

// mediaType refuses a body that is not declared as what the route takes.
func (c *call) mediaType() error {
	want := c.route.media
	given := c.r.Header["Content-Type"]
	if len(given) == 1 && given[0] == jsonType && want == nil {
		return nil
	}
	if want == nil {
		want = []string{jsonType}
	}
	if len(given) == 0 || len(given) == 1 && given[0] == "" {
		return nil // what is in it decides
	}
	media, params, err := mime.ParseMediaType(given[0])
	if slices.ContainsFunc(given, func(v string) bool { return v != given[0] }) {
		err = errors.New("two types")
	}
	charset := params["charset"]
	for _, w := range want {
		if err == nil && media == w && (charset == "" || strings.EqualFold(charset, "utf-8")) {
			return nil
		}
	}
	return newProblem(kindMediaType, "want Content-Type "+strings.Join(want, " or ")).with("Accept", strings.Join(want, ", "))
}

// authorize finds out who calls and whether they may.
func (c *call) authorize() error {
	keys := c.h.options.Keys
	if c.route.scope == open {
		return nil
	}
	if len(keys) == 0 {
		if c.route.scope == administers {
			return newProblem(kindForbidden, "administration is closed: no API keys are set")
		}
		return nil
	}
	given := credential(c.r.Header)
	if given == "" {
		return newProblem(kindUnauthorized, "send Authorization: Bearer KEY, or X-API-Key: KEY").with("Www-Authenticate", `Bearer realm="pppq"`)
	}
	key := findKey(keys, given)
	if key == nil {
		return newProblem(kindUnauthorized, "the key is not known").with("Www-Authenticate", `Bearer realm="pppq", error="invalid_token"`)
	}
	c.key = key.Name
	if c.route.scope == administers && key.Scope != config.ScopeAdmin {
		return newProblem(kindForbidden, "the key may read but not administer").with("Www-Authenticate", `Bearer realm="pppq", error="insufficient_scope"`)
	}
	return nil
}
