package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A call is one request on its way, from a pool. It is a huma.Context for the
// operations, and its writer is the http.ResponseWriter of all handlers.
type call struct {
	h     *Handler
	r     *http.Request
	w     writer
	route *route
	// model is the one that answers this request, whatever is put into service
	// meanwhile; nil if there is none.
	model *model
	start time.Time
	addr  netip.Addr
	id    [36]byte
	idLen int
	// key is the name of the caller's key, "" without one.
	key string
	// hit says that the answer came from the cache.
	hit bool

	ctx context.Context
	// breath is when long work last let others in.
	breath time.Time
	// rows are what an upload asks.
	rows []uploadRow
	// received counts the bytes of a body whose size was not small and known, held
	// those that the call holds in memory.
	received, held int64
	// arrives is the body as the server gives it, read says that all of it was read
	// or passed over, unread that its end was not here before the answer.
	arrives      io.ReadCloser
	read, unread bool
	// query is the query string as checkParams read it.
	query url.Values
	// failed is what the operation could not do; it goes before what is in out.
	failed error
	body   bytes.Buffer
	reader bytes.Reader
	out    bytes.Buffer
	status int
	// cacheKey is where the answer may be kept; empty for nowhere.
	cacheKey []byte
	// keep is what is known of the answer beside its bytes.
	keep answer
	line []byte
}

// maxKept is how large a buffer may be that goes back to the pool.
const maxKept = 64 << 10

func (c *call) reset(h *Handler, w http.ResponseWriter, r *http.Request) {
	c.h, c.r, c.route, c.model = h, r, nil, h.service.current.Load()
	c.arrives, c.read, c.unread, c.query = r.Body, r.ContentLength == 0, false, nil
	c.start = h.options.Now()
	c.w = writer{ResponseWriter: w, call: c}
	c.addr, c.idLen, c.key, c.hit, c.ctx, c.rows, c.received, c.failed, c.status = netip.Addr{}, 0, "", false, nil, nil, 0, nil, 0
	c.cacheKey, c.keep = c.cacheKey[:0], answer{}
}

// release lets go of what the request held and gives the call back.
func (c *call) release() {
	if c.body.Cap() > maxKept {
		c.body = bytes.Buffer{}
	}
	if c.out.Cap() > maxKept {
		c.out = bytes.Buffer{}
	}
	c.body.Reset()
	c.out.Reset()
	c.reader.Reset(nil)
	h := c.h
	c.letGo()
	c.h, c.r, c.ctx, c.rows, c.failed, c.model, c.route, c.w, c.keep = nil, nil, nil, nil, nil, nil, nil, writer{}, answer{}
	c.arrives, c.query = nil, nil
	h.calls.Put(c)
}

// requestBytes is the size of the body, as announced or, if it was not, as read.
func (c *call) requestBytes() int64 {
	if c.r.ContentLength >= 0 {
		return c.r.ContentLength
	}
	return c.received
}

// now is the clock of the service.
func (c *call) now() time.Time { return c.h.options.Now() }

// A writer counts what is sent and knows its call.
type writer struct {
	http.ResponseWriter
	call   *call
	status int
	sent   int64
}

// WriteHeader implements http.ResponseWriter.
func (w *writer) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
		w.call.passOver()
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *writer) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
		w.call.passOver()
	}
	n, err := w.ResponseWriter.Write(b)
	if w.call.r.Method != http.MethodHead { // the server throws that body away
		w.sent += int64(n)
	}
	return n, err
}

// FlushError implements what http.ResponseController asks for.
func (w *writer) FlushError() error {
	if w.status == 0 {
		w.status = http.StatusOK
		w.call.passOver()
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach the server's writer.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Header values that are the same for many answers. Nobody may change them.
var (
	headerJSON    = []string{jsonType}
	headerProblem = []string{problemType}
	headerNoStore = []string{"no-store"}
)

// fail answers with the problem that an error stands for.
func (c *call) fail(err error) {
	p := *problemOf(err)
	p.RequestID = string(c.id[:c.idLen])
	if strings.HasPrefix(c.r.URL.Path, "/v2/") {
		p.Text = p.words()
	}
	if p.cause != nil {
		level := slog.LevelInfo
		if p.kind == kindBug {
			level = slog.LevelError
		}
		c.h.options.Log.Log(c.r.Context(), level, "request failed", "id", p.RequestID, "error", p.cause.Error())
	}
	if c.w.status != 0 {
		return // an answer has begun; it can't be taken back
	}
	header := c.w.Header()
	for name, values := range p.headers {
		header[name] = values
	}
	delete(header, "Etag")
	header["Content-Type"] = headerProblem
	header["Cache-Control"] = headerNoStore
	c.out.Reset()
	if err := json.MarshalWrite(&c.out, &p, writeOptions); err != nil {
		c.out.Reset() // a problem of texts and numbers always encodes
	}
	c.send(p.Status, nil)
}

// send writes what is in out. length is the Content-Length header if it is known.
func (c *call) send(status int, length []string) {
	header := c.w.Header()
	if status != http.StatusNotModified && status != http.StatusNoContent {
		if length == nil {
			length = []string{strconv.Itoa(c.out.Len())}
		}
		header["Content-Length"] = length
	}
	c.w.WriteHeader(status)
	if c.out.Len() > 0 && status != http.StatusNotModified && status != http.StatusNoContent {
		// A caller that went away is the only error, and nobody is left to tell.
		_, _ = c.w.Write(c.out.Bytes())
	}
}

// writeOptions are how answers are encoded: texts of foreign origin can't make
// an answer fail, and the order of maps is fixed.
var writeOptions = json.JoinOptions(jsontext.AllowInvalidUTF8(true), json.Deterministic(true))

// format is how huma reads and writes JSON here. A body was checked against its
// shape before, so that reading it again needs no second look at names and
// encoding.
var format = huma.Format{
	Marshal: func(w io.Writer, v any) error { return json.MarshalWrite(w, v, writeOptions) },
	Unmarshal: func(b []byte, v any) error {
		return json.Unmarshal(b, v, jsontext.AllowDuplicateNames(true))
	},
}

var _ huma.Context = (*call)(nil)

// Operation implements huma.Context.
func (c *call) Operation() *huma.Operation { return c.route.operation }

// Context implements huma.Context.
func (c *call) Context() context.Context { return c.ctx }

// TLS implements huma.Context.
func (c *call) TLS() *tls.ConnectionState { return c.r.TLS }

// Version implements huma.Context.
func (c *call) Version() huma.ProtoVersion {
	return huma.ProtoVersion{Proto: c.r.Proto, ProtoMajor: c.r.ProtoMajor, ProtoMinor: c.r.ProtoMinor}
}

// Method implements huma.Context.
func (c *call) Method() string { return c.r.Method }

// Host implements huma.Context.
func (c *call) Host() string { return c.r.Host }

// RemoteAddr implements huma.Context.
func (c *call) RemoteAddr() string { return c.r.RemoteAddr }

// URL implements huma.Context.
func (c *call) URL() url.URL { return *c.r.URL }

// Param implements huma.Context.
func (c *call) Param(name string) string { return c.r.PathValue(name) }

// Query implements huma.Context; the query string was read before.
func (c *call) Query(name string) string { return c.query.Get(name) }

// Header implements huma.Context.
func (c *call) Header(name string) string { return c.r.Header.Get(name) }

// EachHeader implements huma.Context.
func (c *call) EachHeader(f func(name, value string)) {
	for name, values := range c.r.Header {
		for _, v := range values {
			f(name, v)
		}
	}
}

// BodyReader implements huma.Context; the body was read before.
func (c *call) BodyReader() io.Reader {
	c.reader.Reset(c.body.Bytes())
	return &c.reader
}

// GetMultipartForm implements huma.Context; no operation takes a form.
func (c *call) GetMultipartForm() (*multipart.Form, error) { return nil, http.ErrNotMultipart }

// SetReadDeadline implements huma.Context; the server sets the deadline.
func (c *call) SetReadDeadline(time.Time) error { return nil }

// SetStatus implements huma.Context; the answer goes out when it is complete.
func (c *call) SetStatus(status int) { c.status = status }

// Status implements huma.Context.
func (c *call) Status() int { return c.status }

// SetHeader implements huma.Context.
func (c *call) SetHeader(name, value string) {
	header := c.w.Header()
	switch {
	case name == "Content-Type" && value == jsonType:
		header["Content-Type"] = headerJSON
	case name == "Content-Type" && value == problemType:
		header["Content-Type"] = headerProblem
	default:
		header.Set(name, value)
	}
}

// AppendHeader implements huma.Context.
func (c *call) AppendHeader(name, value string) { c.w.Header().Add(name, value) }

// BodyWriter implements huma.Context.
func (c *call) BodyWriter() io.Writer { return &c.out }
