package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	reader, readLine := testKey(t, "reader", "read")
	admin, adminLine := testKey(t, "boss", "admin")
	f := setup(t, func(o *Options) { o.Keys = parseKeys(t, readLine, adminLine); o.Models.Dir = copyStore(t, t.TempDir()) })
	body := `{"asset":"Gold","horizon_years":5}`
	for _, c := range []struct {
		name, method, target, body string
		header                     []string
		status                     int
		challenge                  string
	}{
		{"no key", "POST", "/api/v1/predict", body, nil, 401, `Bearer realm="pppq"`},
		{"wrong key", "POST", "/api/v1/predict", body, []string{"Authorization", "Bearer nope"}, 401, `Bearer realm="pppq", error="invalid_token"`},
		{"another scheme", "POST", "/api/v1/predict", body, []string{"Authorization", "Basic " + reader}, 401, `Bearer realm="pppq"`},
		{"another scheme beside the key", "POST", "/api/v1/predict", body, []string{"Authorization", "Basic dTpw", "X-API-Key", reader}, 200, ""},
		{"a wrong key beside the key", "POST", "/api/v1/predict", body, []string{"Authorization", "Bearer nope", "X-API-Key", reader}, 401, `Bearer realm="pppq", error="invalid_token"`},
		{"reader", "POST", "/api/v1/predict", body, []string{"Authorization", "Bearer " + reader}, 200, ""},
		{"reader again", "POST", "/api/v1/predict", body, []string{"Authorization", "Bearer " + reader}, 200, ""},
		{"reader a third time, from the cache", "POST", "/api/v1/predict", body, []string{"Authorization", "bearer " + reader}, 200, ""},
		{"no key for what is in the cache", "POST", "/api/v1/predict", body, nil, 401, `Bearer realm="pppq"`},
		{"header of its own", "POST", "/api/v1/predict", body, []string{"X-API-Key", reader}, 200, ""},
		{"admin reads", "GET", "/api/v1/assets", "", []string{"X-API-Key", admin}, 200, ""},
		{"reader administers", "POST", "/api/v1/models/reload", "", []string{"X-API-Key", reader}, 403, `Bearer realm="pppq", error="insufficient_scope"`},
		{"nobody administers", "POST", "/api/v1/models/reload", "", nil, 401, `Bearer realm="pppq"`},
		{"admin administers", "POST", "/api/v1/models/reload", "", []string{"X-API-Key", admin}, 200, ""},
		{"v2 needs one", "GET", "/v2/models/pppq", "", nil, 401, `Bearer realm="pppq"`},
		{"probes need none", "GET", "/health", "", nil, 200, ""},
		{"metrics need none", "GET", "/metrics", "", nil, 200, ""},
		{"the reference needs none", "GET", "/docs", "", nil, 200, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := f.do(c.method, c.target, c.body, c.header...)
			x.t = t
			x.want(c.status)
			if got := x.Header().Get("WWW-Authenticate"); got != c.challenge {
				t.Errorf("challenge %q, want %q", got, c.challenge)
			}
			if c.status >= 400 {
				x.problem(c.status)
			}
		})
	}
	if p := setup(t, nil).do("POST", "/api/v1/models/rollback", "").problem(403); p.Detail == "" {
		t.Error("closed administration without a reason")
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	f := setup(t, func(o *Options) { o.AllowedHosts = []string{"api.example.com", "*.example.org", "::1"} })
	for host, status := range map[string]int{
		"api.example.com": 200, "API.Example.com:8000": 200, "api.example.com.": 200, "a.example.org": 200, "a.b.example.org:80": 200, "[::1]:8000": 200,
		"example.org": 421, "evil.com": 421, "api.example.com.evil.com": 421, "": 421, "notexample.org": 421,
	} {
		if got := f.get("/api/v1/assets", "Host", host).Code; got != status {
			t.Errorf("host %q: %d, want %d", host, got, status)
		}
		for _, path := range []string{"/health", "/livez", "/readyz", "/metrics", "/ping", "/v2/health/live", "/v2/health/ready", "/v2/models/pppq/ready"} {
			if got := f.get(path, "Host", host).Code; got != 200 {
				t.Errorf("%s at host %q: %d, want 200", path, host, got)
			}
		}
	}
	f.get("/api/v1/assets", "Host", "evil.com").problem(421)
}

func TestCORS(t *testing.T) {
	t.Parallel()
	f := setup(t, func(o *Options) { o.CORSOrigins = []string{"https://app.example.com"} })
	good := f.get("/api/v1/assets", "Origin", "https://app.example.com").want(200).Header()
	if good.Get("Access-Control-Allow-Origin") != "https://app.example.com" || good.Get("Vary") != "Origin" || good.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("headers %v", good)
	}
	for _, origin := range []string{"https://evil.com", "http://app.example.com", "https://app.example.com.evil.com", "null"} {
		h := f.get("/api/v1/assets", "Origin", origin).want(200).Header()
		if h.Get("Access-Control-Allow-Origin") != "" || h.Get("Vary") != "Origin" {
			t.Errorf("origin %s: %v", origin, h)
		}
	}
	pre := f.do(http.MethodOptions, "/api/v1/predict", "", "Origin", "https://app.example.com", "Access-Control-Request-Method", "POST").want(204).Header()
	if !strings.Contains(pre.Get("Access-Control-Allow-Methods"), "POST") || !strings.Contains(pre.Get("Access-Control-Allow-Headers"), "Content-Type") {
		t.Errorf("preflight %v", pre)
	}
	if h := f.post("/api/v1/predict", "{").Header(); h.Get("Vary") != "Origin" {
		t.Error("a problem does not vary by origin")
	}
	// Pages may read what comes before routing, too.
	strict := setup(t, func(o *Options) {
		o.CORSOrigins, o.AllowedHosts = []string{"https://app.example.com"}, []string{"api.example.com"}
	})
	for _, c := range []struct {
		target, host string
		status       int
	}{{"//x", "api.example.com", 404}, {"/nothing", "api.example.com", 404}, {"/health?" + strings.Repeat("a", 9000), "api.example.com", 414}, {"/api/v1/assets", "evil.com", 421}} {
		x := strict.get(c.target, "Host", c.host, "Origin", "https://app.example.com")
		x.problem(c.status)
		if x.Header().Get("Access-Control-Allow-Origin") != "https://app.example.com" || x.Header().Get("Vary") != "Origin" {
			t.Errorf("%d: headers %v", c.status, x.Header())
		}
	}
	any := setup(t, func(o *Options) { o.CORSOrigins = []string{"*"} })
	if got := any.get("/health", "Origin", "https://x.y").Header().Get("Access-Control-Allow-Origin"); got != "*" {
		t.Errorf("any origin gives %q", got)
	}
	if got := setup(t, nil).get("/health", "Origin", "https://x.y").Header().Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("without CORS_ORIGINS an origin gets %q", got)
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	for _, x := range []exchange{
		f.get("/health"), f.get("/nothing"), f.post("/api/v1/predict", "{"), f.get("/docs"), f.get("/metrics"),
		f.post("/api/v1/predict", `{"asset":"Gold","horizon_years":5}`), f.post("/api/v1/predict", `{"asset":"Gold","horizon_years":5}`),
	} {
		if got := x.Header().Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("X-Content-Type-Options %q", got)
		}
		if !strings.Contains(x.Header().Get("Content-Security-Policy"), "default-src 'none'") || x.Header().Get("X-Request-Id") == "" || x.Header().Get("Cache-Control") == "" && x.Code != 200 {
			t.Errorf("headers %v", x.Header())
		}
	}
}

func TestHeadersOfPages(t *testing.T) {
	t.Parallel()
	f := setupPages(t, nil, map[string]http.Handler{"GET /{$}": http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})})
	for _, path := range []string{"/", "/docs"} {
		header := f.get(path).want(200).Header()
		for name, want := range map[string]string{"X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin"} {
			if got := header.Get(name); got != want {
				t.Errorf("%s: %s %q, want %q", path, name, got, want)
			}
		}
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	if got := f.get("/health", "X-Request-Id", "abc-DEF_1.2").Header().Get("X-Request-Id"); got != "abc-DEF_1.2" {
		t.Errorf("a plain id came back as %q", got)
	}
	seen := map[string]bool{}
	for _, given := range []string{"", "has space", `"quote`, strings.Repeat("x", 37), "new\nline", "ü"} {
		got := f.get("/health", "X-Request-Id", given).Header().Get("X-Request-Id")
		if len(got) != 32 || !plainID(got) || seen[got] {
			t.Errorf("for %q the id is %q", given, got)
		}
		seen[got] = true
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	f := setup(t, func(o *Options) {
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	})
	for _, c := range []struct{ peer, forwarded, want string }{
		{"192.0.2.1:5", "1.2.3.4", "192.0.2.1"},
		{"10.0.0.1:5", "1.2.3.4", "1.2.3.4"},
		{"10.0.0.1:5", "6.6.6.6, 1.2.3.4, 10.9.9.9", "1.2.3.4"},
		{"10.0.0.1:5", "", "10.0.0.1"},
		{"10.0.0.1:5", "what, 10.0.0.2", "10.0.0.2"},
		{"10.0.0.1:5", "10.0.0.3, 10.0.0.2", "10.0.0.3"},
		{"[::ffff:10.0.0.1]:5", "2001:db8::1", "2001:db8::1"},
		{"[fd00::1]:5", "fe80::1%\"x", "fe80::1"},
		{"nonsense", "1.2.3.4", "invalid IP"},
		{"10.0.0.1:5", "9.9.9.3:1234", "9.9.9.3"},
		{"10.0.0.1:5", "6.6.6.6, [2001:db8::3]:1, 10.0.0.2:80", "2001:db8::3"},
		{"10.0.0.1:5", "[2001:db8::3]", "2001:db8::3"},
		{"10.0.0.1:5", "[9.9.9.3]", "10.0.0.1"},
		{"10.0.0.1:5", "[2001:db8::3", "10.0.0.1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.peer
		r.Header.Set("X-Forwarded-For", c.forwarded)
		if got := f.address(r).String(); got != c.want {
			t.Errorf("peer %s, X-Forwarded-For %q: %s, want %s", c.peer, c.forwarded, got, c.want)
		}
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	now := today
	key, line := testKey(t, "a", "read")
	f := setup(t, func(o *Options) {
		o.RateLimit, o.RateBurst, o.Now = 2, 3, func() time.Time { return now }
		o.Keys = nil
	})
	get := func(f *fixture, header ...string) exchange { return f.get("/api/v1/assets", header...) }
	for i := range 3 {
		x := get(f).want(200)
		if got := x.Header().Get("RateLimit"); !strings.HasPrefix(got, fmt.Sprintf(`"default";r=%d;`, 2-i)) {
			t.Errorf("RateLimit %q after %d", got, i+1)
		}
		if got := x.Header().Get("RateLimit-Policy"); got != `"default";q=3;w=2` {
			t.Errorf("RateLimit-Policy %q", got)
		}
	}
	x := get(f)
	x.problem(429)
	if x.Header().Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", x.Header().Get("Retry-After"))
	}
	f.get("/health").want(200) // probes are not limited
	now = now.Add(500 * time.Millisecond)
	get(f).want(200)
	get(f).want(429)
	// By key, whatever the address.
	k := setup(t, func(o *Options) {
		o.RateLimit, o.RateBurst, o.Now, o.Keys = 1, 1, func() time.Time { return now }, parseKeys(t, line)
	})
	get(k, "X-API-Key", key).want(200)
	get(k, "X-API-Key", key).want(429)
}

// A flood of addresses costs bounded memory, and callers that come again are
// still known.
// Who guesses keys is slowed down by address; who has one is not held up by that.
func TestRateLimitOfWrongKeys(t *testing.T) {
	t.Parallel()
	key, line := testKey(t, "ana", "read")
	f := setup(t, func(o *Options) { o.RateLimit, o.RateBurst, o.Keys = 1, 2, parseKeys(t, line) })
	for i, want := range []int{401, 401, 429, 429} {
		if got := f.get("/api/v1/assets", "X-API-Key", "guess").Code; got != want {
			t.Errorf("guess %d: status %d, want %d", i+1, got, want)
		}
	}
	f.get("/api/v1/assets", "X-API-Key", key).want(200)
}

func TestRatesForget(t *testing.T) {
	t.Parallel()
	now := today
	r := newRates(1, 2, func() time.Time { return now })
	addr := netip.MustParseAddr("10.0.0.0")
	for range maxBuckets + 100 {
		addr = addr.Next()
		r.tokens(caller{addr: addr})
	}
	if len(r.buckets) > maxBuckets {
		t.Errorf("%d buckets, want at most %d", len(r.buckets), maxBuckets)
	}
	now = now.Add(time.Hour)
	r.tokens(caller{addr: netip.MustParseAddr("11.0.0.1")})
	if len(r.buckets) > maxBuckets {
		t.Errorf("%d buckets after an hour", len(r.buckets))
	}
	a, b := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::ffff:2")
	if subnet(a) != subnet(b) || subnet(a) == subnet(netip.MustParseAddr("2001:db8:0:1::1")) {
		t.Error("an IPv6 caller is a /64")
	}
}

func TestProfilerIsLocal(t *testing.T) {
	t.Parallel()
	f := setup(t, func(o *Options) { o.Debug = true })
	from := func(peer string, header ...string) int {
		r := httptest.NewRequest("GET", "/debug/pprof/goroutine", nil)
		r.RemoteAddr = peer
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		return w.Code
	}
	if got := from("127.0.0.1:9"); got != 200 {
		t.Errorf("from this machine: %d", got)
	}
	if got := from("192.0.2.1:9"); got != 404 {
		t.Errorf("from elsewhere: %d", got)
	}
	for _, name := range []string{"X-Forwarded-For", "X-Real-IP", "Forwarded"} {
		if got := from("127.0.0.1:9", name, "1.2.3.4"); got != 404 {
			t.Errorf("through a proxy that sends %s: %d", name, got)
		}
	}
	for _, name := range []string{"nope", "cmdline", "symbol"} {
		r := httptest.NewRequest("GET", "/debug/pprof/"+name, nil)
		r.RemoteAddr = "127.0.0.1:9"
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		exchange{w, t}.problem(404)
	}
	setup(t, nil).get("/debug/pprof/goroutine").problem(404)
}
