package web

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// A site is a handler whose model and clock a test may change.
type site struct {
	http.Handler
	model *Model
	now   time.Time
}

func newSite(m *Model) *site {
	s := &site{model: m, now: today}
	s.Handler = NewHandler(Deps{Current: func() *Model { return s.model }, Now: func() time.Time { return s.now }})
	return s
}

func (s *site) ask(t testing.TB, method, path string, headers ...string) (*http.Response, []byte) {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), body
}

func TestPages(t *testing.T) {
	t.Parallel()
	s := newSite(loadModel(t))
	paths := []string{"/", "/report"}
	for _, a := range s.model.Forecaster.Assets {
		paths = append(paths, "/assets/"+a.Asset.ID)
	}
	if len(paths) != 11 {
		t.Fatalf("%d pages, want 11", len(paths))
	}
	for _, path := range paths {
		t.Run(strings.ReplaceAll(path, "/", "_"), func(t *testing.T) {
			r, body := s.ask(t, "GET", path)
			if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "text/html; charset=utf-8" || r.Header.Get("Cache-Control") != pageCache {
				t.Errorf("%s: %s, headers %v", path, r.Status, r.Header)
			}
			root := checkMarkup(t, body, false)
			for _, a := range root.all("a") {
				if to := a.attrs["href"]; strings.HasPrefix(to, "/") && to != referencePath {
					if r, _ := s.ask(t, "GET", to); r.StatusCode != http.StatusOK {
						t.Errorf("%s links to %s, which is %s", path, to, r.Status)
					}
				}
			}
			again, same := s.ask(t, "GET", path)
			if !bytes.Equal(body, same) || again.Header.Get("ETag") != r.Header.Get("ETag") {
				t.Errorf("%s is another page the second time", path)
			}
			if _, other := newSite(s.model).ask(t, "GET", path); !bytes.Equal(body, other) {
				t.Errorf("%s is another page when it is rendered again", path)
			}
			head, empty := s.ask(t, "HEAD", path)
			if head.StatusCode != http.StatusOK || len(empty) != 0 || head.Header.Get("ETag") != r.Header.Get("ETag") {
				t.Errorf("HEAD %s: %s, %d bytes", path, head.Status, len(empty))
			}
			if not, _ := s.ask(t, "GET", path, "If-None-Match", r.Header.Get("ETag")); not.StatusCode != http.StatusNotModified {
				t.Errorf("%s with its ETag: %s, want 304", path, not.Status)
			}
		})
	}
}

// Where not everyone may see a page, a cache that many share keeps none.
func TestPrivatePages(t *testing.T) {
	t.Parallel()
	m := loadModel(t)
	s := &site{model: m, now: today, Handler: NewHandler(Deps{Current: func() *Model { return m }, Now: func() time.Time { return today }, Private: true})}
	for path, want := range map[string]string{"/": privatePageCache, "/report": privatePageCache, "/assets/Gold": privatePageCache, stylePath(): staticCache} {
		for range 2 { // rendered, and from the shelf
			if r, _ := s.ask(t, "GET", path); r.Header.Get("Cache-Control") != want {
				t.Errorf("%s: Cache-Control %q, want %q", path, r.Header.Get("Cache-Control"), want)
			}
		}
	}
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, method, path string
		without            string // what is missing
		status             int
		header, value      string
		says               string
	}{
		{"near name", "GET", "/assets/gld", "", 404, "Cache-Control", "no-store", "Gold"},
		{"no near name", "GET", "/assets/xyzzyplugh", "", 404, "", "", "Treasury10"},
		{"case", "GET", "/assets/tREASURY10", "", 301, "Location", "/assets/Treasury10", ""},
		{"hostile name", "GET", "/assets/%3Cscript%3Ealert(1)%3C%2Fscript%3E", "", 404, "", "", "&lt;script&gt;"},
		{"long name", "GET", "/assets/" + strings.Repeat("a", 4000), "", 404, "", "", "aaa…"},
		{"unknown page", "GET", "/nope", "", 404, "", "", "/nope"},
		{"unknown file", "GET", "/static/style-000000000000.css", "", 404, "", "", ""},
		{"unknown page without a model", "GET", "/nope", "model", 404, "", "", ""},
		{"wrong method", "POST", "/", "", 405, "Allow", "GET, HEAD", ""},
		{"no model", "GET", "/", "model", 503, "Retry-After", "30", "Run: pppq train"},
		{"no model, report", "GET", "/report", "model", 503, "Cache-Control", "no-store", ""},
		{"no model, asset", "GET", "/assets/Gold", "model", 503, "", "", ""},
		{"no report", "GET", "/report", "report", 404, "", "", "pppq train"},
		{"no report, overview", "GET", "/", "report", 200, "", "", "nothing is known of how good"},
		{"no report, asset", "GET", "/assets/Gold", "report", 200, "", "", "Gold"},
		{"no history", "GET", "/assets/Gold", "history", 200, "", "", "The answers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(loadModel(t))
			switch c.without {
			case "model":
				s.model = nil
			case "report":
				s.model.Report = nil
			case "history":
				s.model.Forecaster.History = nil
			}
			r, body := s.ask(t, c.method, c.path)
			if r.StatusCode != c.status {
				t.Fatalf("%s %s: %s, want %d", c.method, c.path, r.Status, c.status)
			}
			if c.header != "" && r.Header.Get(c.header) != c.value {
				t.Errorf("%s is %q, want %q", c.header, r.Header.Get(c.header), c.value)
			}
			if !bytes.Contains(body, []byte(c.says)) {
				t.Errorf("the page does not say %q", c.says)
			}
			for name, want := range map[string]string{"Content-Security-Policy": contentPolicy, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY"} {
				if got := r.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if c.status >= 400 && c.status != 405 || c.status == 200 {
				checkMarkup(t, body, false)
			}
		})
	}
}

func TestStyleSheet(t *testing.T) {
	t.Parallel()
	s := newSite(nil)
	_, page := s.ask(t, "GET", "/")
	path := ""
	for _, l := range mustParse(t, page).all("link") {
		if l.attrs["rel"] == "stylesheet" {
			path = l.attrs["href"]
		}
	}
	r, body := s.ask(t, "GET", path)
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "text/css; charset=utf-8" || r.Header.Get("Cache-Control") != staticCache {
		t.Errorf("%s: %s, headers %v", path, r.Status, r.Header)
	}
	if string(body) != styleSheet {
		t.Error("the style sheet is not what is embedded")
	}
	for _, bad := range []string{"url(", "@import", "http:", "https:", "</style"} {
		if strings.Contains(styleSheet, bad) {
			t.Errorf("the style sheet holds %s", bad)
		}
	}
}

// TestRenderedPagesFollowTheModel checks that another model, or another month,
// gives another page, and that the shelf of the old one is gone.
func TestRenderedPagesFollowTheModel(t *testing.T) {
	t.Parallel()
	s := newSite(loadModel(t))
	_, stale := s.ask(t, "GET", "/")
	if !bytes.Contains(stale, []byte("The figures are stale")) {
		t.Error("figures of July in November are not called stale")
	}
	s.now = fresh
	_, good := s.ask(t, "GET", "/")
	if bytes.Contains(good, []byte("stale")) {
		t.Error("figures of July are called stale on the first of September")
	}
	other := *s.model
	other.Version = "20270101T000000Z-0000"
	s.model = &other
	if _, page := s.ask(t, "GET", "/"); !bytes.Contains(page, []byte(other.Version)) {
		t.Error("the page of the old model is still shown")
	}
	baseline := *s.model.Forecaster
	baseline.LGBM, baseline.XGB = nil, nil
	s.model = NewModel(&baseline, s.model.Report)
	if _, page := s.ask(t, "GET", "/"); !bytes.Contains(page, []byte("Baseline: the carry core alone answers")) {
		t.Error("a baseline is not called so")
	}
}

func TestShelfIsBounded(t *testing.T) {
	t.Parallel()
	s := &shelf{pages: map[string]*page{}}
	for i := range 20 {
		s.put(fmt.Sprint(i), newPage("text/html", make([]byte, shelfBytes/4)))
		s.put(fmt.Sprint(i), newPage("text/html", make([]byte, shelfBytes/4)))
		if s.bytes > shelfBytes || len(s.pages) > 4 || len(s.order) != len(s.pages) {
			t.Fatalf("after %d pages the shelf holds %d pages, %d bytes", i+1, len(s.pages), s.bytes)
		}
		if s.get(fmt.Sprint(i)) == nil {
			t.Fatalf("page %d is not on the shelf", i)
		}
	}
	if s.get("15") != nil {
		t.Error("an old page was kept")
	}
	s.put("huge", newPage("text/html", make([]byte, shelfBytes+1)))
	if s.get("huge") != nil || len(s.pages) != 4 {
		t.Error("a page that is larger than the shelf drove out the others")
	}
}

// TestConcurrentReaders is for the race detector: many readers while the model
// changes.
func TestConcurrentReaders(t *testing.T) {
	t.Parallel()
	a := loadModel(t)
	b := *a
	b.Version = "another"
	var mu sync.Mutex
	n := 0
	h := NewHandler(Deps{Now: func() time.Time { return today }, Current: func() *Model {
		mu.Lock()
		defer mu.Unlock()
		if n++; n%3 == 0 {
			return &b
		}
		return a
	}})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, path := range []string{"/", "/assets/Gold", "/", "/assets/nope", "/assets/Bills"} {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
				if w.Code != 200 && w.Code != 404 {
					t.Errorf("%s: %d", path, w.Code)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkPages(b *testing.B) {
	m := loadModel(b)
	for _, path := range []string{"/", "/assets/Gold"} {
		b.Run("render"+path, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				newSite(m).ask(b, "GET", path)
			}
		})
	}
	s := newSite(m)
	b.Run("kept", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.ask(b, "GET", "/assets/Gold")
		}
	})
}
