package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/series"
)

// Deps are what a handler needs.
type Deps struct {
	// Current returns the model in service, nil if there is none. It is called
	// once a request and must not wait.
	Current func() *Model
	// Now is the clock; it decides what is stale.
	Now func() time.Time
	// Private keeps pages out of caches that many share: not everyone may see them.
	Private bool
}

const (
	contentPolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	// pageCache is how long a page may be shown without asking again.
	pageCache        = "public, max-age=60"
	privatePageCache = "private, max-age=60"
	// staticCache is for what has a hash of its content in its name.
	staticCache = "public, max-age=31536000, immutable"
	// shelfBytes is how much memory rendered pages may take.
	shelfBytes = 32 << 20
)

// NewHandler serves the pages for people: GET / with the overview, GET /report
// with the walk-forward test, GET /assets/{asset}, and the style sheet under
// /static/. It answers every path, with a page that says so where there is
// nothing; without a model all pages are 503.
func NewHandler(deps Deps) http.Handler {
	s := &server{deps: deps, cache: pageCache, style: newPage("text/css; charset=utf-8", []byte(styleSheet))}
	if deps.Private {
		s.cache = privatePageCache
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page(func(m *Model, now time.Time, _ string) (*document, error) { return homePage(m, now), nil }))
	mux.HandleFunc("GET /report", s.page(func(m *Model, _ time.Time, _ string) (*document, error) {
		if m.Report == nil {
			return nil, errNoReport
		}
		return reportPage(m.Report), nil
	}))
	mux.HandleFunc("GET /assets/{asset}", s.asset)
	mux.HandleFunc("GET "+stylePath(), func(w http.ResponseWriter, r *http.Request) { s.style.serve(w, r, staticCache) })
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) { s.notFound(w, r.URL.Path, nil) })
	return secured(mux)
}

var errNoReport = errors.New("the model in service has no walk-forward report")

// secured sets the headers that every answer has.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

type server struct {
	deps  Deps
	style *page
	// cache is the Cache-Control of pages.
	cache string
	shelf atomic.Pointer[shelf]
}

// A page is a body that is ready to be sent.
type page struct {
	body      []byte
	mediaType string
	etag      string
}

func newPage(mediaType string, body []byte) *page {
	sum := sha256.Sum256(body)
	return &page{body: body, mediaType: mediaType, etag: `"` + hex.EncodeToString(sum[:12]) + `"`}
}

// serve sends a page, or 304 to who has it.
func (p *page) serve(w http.ResponseWriter, r *http.Request, cache string) {
	h := w.Header()
	h.Set("Content-Type", p.mediaType)
	h.Set("Cache-Control", cache)
	h.Set("ETag", p.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.body))
}

// A shelf holds the rendered pages of one model in one month, since the month
// decides what is stale. It drops the oldest page when it is full.
type shelf struct {
	model Model
	month series.Month

	mu    sync.Mutex
	pages map[string]*page
	order []string
	bytes int
}

// shelfOf returns the shelf of a model, a new one if it is not the last one's.
// Two requests may make one each; the later one stays, nothing is lost.
func (s *server) shelfOf(m *Model, now time.Time) *shelf {
	month := series.DateOf(now).Month()
	if old := s.shelf.Load(); old != nil && old.model == *m && old.month == month {
		return old
	}
	made := &shelf{model: *m, month: month, pages: map[string]*page{}}
	s.shelf.Store(made)
	return made
}

func (s *shelf) get(path string) *page {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pages[path]
}

func (s *shelf) put(path string, p *page) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.pages[path]; ok || len(p.body) > shelfBytes {
		return
	}
	for s.bytes+len(p.body) > shelfBytes {
		s.bytes -= len(s.pages[s.order[0]].body)
		delete(s.pages, s.order[0])
		s.order = s.order[1:]
	}
	s.pages[path] = p
	s.order = append(s.order, path)
	s.bytes += len(p.body)
}

// page serves what render makes of the model, rendered once per model. No
// request waits for another one's rendering.
func (s *server) page(render func(m *Model, now time.Time, path string) (*document, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		m := s.deps.Current()
		if m == nil || m.Forecaster == nil {
			s.noModel(w)
			return
		}
		now := s.deps.Now()
		pages := s.shelfOf(m, now)
		if p := pages.get(r.URL.Path); p != nil {
			p.serve(w, r, s.cache)
			return
		}
		d, err := render(m, now, r.URL.Path)
		if errors.Is(err, errNoReport) {
			s.send(w, http.StatusNotFound, messagePage("No report", "The model in service holds no walk-forward report.", "pppq train makes a model that has one.", nil))
			return
		}
		if err != nil {
			s.send(w, http.StatusInternalServerError, messagePage("That did not work", "This page could not be made.", "", nil))
			return
		}
		var b bytes.Buffer
		if err := d.write(&b); err != nil {
			http.Error(w, "this page could not be made", http.StatusInternalServerError)
			return
		}
		p := newPage("text/html; charset=utf-8", b.Bytes())
		pages.put(r.URL.Path, p)
		p.serve(w, r, s.cache)
	}
}

// asset serves the page of one asset under its own spelling, so that there are
// no more pages than assets.
func (s *server) asset(w http.ResponseWriter, r *http.Request) {
	m := s.deps.Current()
	if m == nil || m.Forecaster == nil {
		s.noModel(w)
		return
	}
	id := r.PathValue("asset")
	state, err := m.Forecaster.Find(id)
	var unknown *forecast.UnknownAsset
	switch {
	case errors.As(err, &unknown):
		near := unknown.Near
		if len(near) == 0 {
			near = assetIDs(m)
		}
		s.notFound(w, id, near)
	case err != nil:
		s.send(w, http.StatusInternalServerError, messagePage("That did not work", "This page could not be made.", "", nil))
	case state.Asset.ID != id:
		http.Redirect(w, r, assetPath(state.Asset.ID), http.StatusMovedPermanently)
	default:
		s.page(func(m *Model, now time.Time, _ string) (*document, error) { return assetPage(m, id, now) })(w, r)
	}
}

func assetIDs(m *Model) []string {
	ids := make([]string, 0, len(m.Forecaster.Assets))
	for _, a := range m.Forecaster.Assets {
		ids = append(ids, a.Asset.ID)
	}
	return ids
}

func (s *server) notFound(w http.ResponseWriter, what string, near []string) {
	s.send(w, http.StatusNotFound, messagePage("Nothing here", "There is no page for “"+printable(what)+"”.", "", near))
}

func (s *server) noModel(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "30")
	s.send(w, http.StatusServiceUnavailable, messagePage("No model is in service", "There is nothing to forecast with yet.", "Run: pppq train", nil))
}

// send sends a page that is not kept anywhere.
func (s *server) send(w http.ResponseWriter, status int, d *document) {
	var b bytes.Buffer
	if err := d.write(&b); err != nil {
		http.Error(w, http.StatusText(status), status)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// An error here means that the reader is gone; there is nobody to tell.
	_, _ = w.Write(b.Bytes())
}
