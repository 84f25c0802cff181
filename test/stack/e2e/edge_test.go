package e2e

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestHealthAndRedirect(t *testing.T) {
	s := open(t)
	for _, url := range []string{s.http() + "/health", s.https() + "/health", s.https() + "/readyz"} {
		if a := s.get(url); a.StatusCode != http.StatusOK {
			t.Errorf("GET %s: got %s, want 200", url, a.Status)
		}
	}
	a := s.get(s.http() + "/api/v1/assets?x=1")
	if want := "https://" + host + "/api/v1/assets?x=1"; a.StatusCode != http.StatusPermanentRedirect || a.Header.Get("Location") != want {
		t.Errorf("port 80: got %s to %q, want 308 to %q", a.Status, a.Header.Get("Location"), want)
	}
	s.problem(s.get(s.https()+"/metrics"), http.StatusNotFound)
	if a := s.get("http://127.0.0.1:" + s.ports["PROMETHEUS_PORT"] + "/-/healthy"); a.StatusCode != http.StatusOK {
		t.Errorf("Prometheus: got %s", a.Status)
	}
	if out := s.compose("exec", "-T", "nginx", "nginx", "-t"); strings.Contains(out, "warn") || strings.Contains(out, "emerg") {
		t.Errorf("nginx -t: %s", out)
	}
	s.compose("exec", "-T", "nginx", "curl", "-fsS", "http://api:8000/health")
	s.compose("exec", "-T", "mlflow-db", "pg_isready")
	s.compose("exec", "-T", "api", "pppq", "healthcheck")
	if log := s.compose("logs", "--no-log-prefix", "nginx"); strings.Contains(log, `"path":"/health"`) || !strings.Contains(log, `"path":"/metrics"`) {
		t.Error("the edge's log has /health, or not even /metrics")
	}
}

// Files whose names hold their content's hash are kept for good, by callers and
// by the edge.
func TestStaticFiles(t *testing.T) {
	s := open(t)
	s.unlimited()
	files := regexp.MustCompile(`/static/[A-Za-z0-9._/-]+`).FindAllString(string(s.get(s.https()+"/").body), -1)
	if len(files) == 0 {
		t.Fatal("the page names no static file")
	}
	for _, file := range files {
		s.get(s.https() + file)
		a := s.get(s.https() + file)
		if a.StatusCode != http.StatusOK || !strings.Contains(a.Header.Get("Cache-Control"), "immutable") || a.Header.Get("X-Cache-Status") != "HIT" {
			t.Errorf("%s: %s, Cache-Control %q, cache %q; want 200, immutable, HIT", file, a.Status, a.Header.Get("Cache-Control"), a.Header.Get("X-Cache-Status"))
		}
	}
}

// handshake tries one TLS configuration against the edge.
func (s *stack) handshake(c *tls.Config) (tls.ConnectionState, error) {
	c.InsecureSkipVerify = true
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", "127.0.0.1:"+s.ports["HTTPS_PORT"], c)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	return conn.ConnectionState(), nil
}

// The certificate that init makes is of an ECDSA key, with which the suites of
// RSA keys can't be chosen; TestCertificateReload tries those.
func TestTLS(t *testing.T) {
	s := open(t)
	for _, c := range []struct {
		name string
		conf *tls.Config
		ok   bool
	}{
		{"TLS 1.3", &tls.Config{ServerName: host, MinVersion: tls.VersionTLS13}, true},
		{"TLS 1.2", &tls.Config{ServerName: host, MaxVersion: tls.VersionTLS12}, true},
		{"ECDSA AES128 GCM", suite(tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256), true},
		{"ECDSA AES256 GCM", suite(tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384), true},
		{"ECDSA ChaCha20", suite(tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256), true},
		{"ECDSA CBC", suite(tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA), false},
		{"RSA key exchange", suite(tls.TLS_RSA_WITH_AES_128_GCM_SHA256), false},
		{"RSA CBC", suite(tls.TLS_RSA_WITH_AES_128_CBC_SHA), false},
		{"3DES", suite(tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA), false},
		{"TLS 1.1", &tls.Config{ServerName: host, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
		{"hybrid key exchange", &tls.Config{ServerName: host, CurvePreferences: []tls.CurveID{tls.X25519MLKEM768}}, true},
		{"P-521", &tls.Config{ServerName: host, CurvePreferences: []tls.CurveID{tls.CurveP521}}, false},
		{"another name", &tls.Config{ServerName: "example.com"}, false},
		{"no name", &tls.Config{}, false},
	} {
		state, err := s.handshake(c.conf)
		if (err == nil) != c.ok {
			t.Errorf("%s: got error %v, want ok %t", c.name, err, c.ok)
		}
		t.Logf("%-20s ok %t %s %s %v", c.name, err == nil, tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite), err)
	}
	_, err := s.handshake(&tls.Config{ServerName: "example.com"})
	if err == nil || !strings.Contains(err.Error(), "unrecognized name") {
		t.Errorf("another name: got %v, want the alert unrecognized name", err)
	}
}

func suite(id uint16) *tls.Config {
	return &tls.Config{ServerName: host, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{id}}
}

func TestBurst(t *testing.T) {
	s := open(t)
	time.Sleep(3 * time.Second) // an earlier test's requests are forgotten
	var mu sync.Mutex
	got := map[int]int{}
	var refusal *answer
	start := time.Now()
	var all sync.WaitGroup
	for range 60 {
		all.Go(func() {
			a, err := do(client, http.MethodGet, s.https()+"/api/v1/assets", nil)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			got[a.StatusCode]++
			if a.StatusCode == http.StatusTooManyRequests {
				refusal = a
			}
		})
	}
	all.Wait()
	took := time.Since(start)
	most := 21 + int(10*took.Seconds()) + 1
	t.Logf("60 requests in %v: %v", took, got)
	if got[200] < 20 || got[200] > most || got[200]+got[429] != 60 {
		t.Fatalf("60 requests in %v: got %v, want 21 to %d answers and the rest 429", took, got, most)
	}
	s.problem(refusal, http.StatusTooManyRequests)
	if refusal.Header.Get("Retry-After") == "" {
		t.Error("429: no Retry-After")
	}
	for range 60 {
		if a := s.get(s.https() + "/health"); a.StatusCode != http.StatusOK {
			t.Fatalf("/health after the burst: %s", a.Status)
		}
	}
}

// The edge lets through what the API takes, and no more.
func TestUploadSize(t *testing.T) {
	s := open(t)
	time.Sleep(3 * time.Second) // an earlier test's requests are forgotten
	file := func(size int) []byte {
		const header, row = "asset,horizon_years\n", "Gold,5"
		line := row + strings.Repeat(" ", 249-len(row)) + "\n"
		return []byte(header + strings.Repeat(line, (size-len(header))/len(line)))
	}
	upload := func(size int) *answer {
		a, err := do(client, http.MethodPost, s.https()+"/api/v1/predict/upload", file(size), "Content-Type", "text/csv")
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if a := upload(9 << 20); a.StatusCode != http.StatusOK {
		t.Errorf("9 MiB: %s %.300s", a.Status, a.body)
	}
	large := upload(11 << 20)
	s.problem(large, http.StatusRequestEntityTooLarge)
	if !strings.Contains(string(large.body), "10 MiB") {
		t.Errorf("11 MiB: %s, want it to name the limit", large.body)
	}
}

func TestHeadersEverywhere(t *testing.T) {
	s := open(t)
	time.Sleep(3 * time.Second)
	large := make([]byte, 9<<20)
	post, err := do(client, http.MethodPost, s.https()+"/api/v1/predict", large)
	if err != nil {
		t.Fatal(err)
	}
	s.problem(post, http.StatusRequestEntityTooLarge)
	answers := map[string]*answer{"200": s.get(s.https() + "/api/v1/assets"), "page": s.get(s.https() + "/"), "docs": s.get(s.https() + "/docs"),
		"404 of the edge": s.get(s.https() + "/metrics"), "404 of the API": s.get(s.https() + "/nothing"), "413": post}
	var refused *answer
	for range 40 {
		if a := s.get(s.https() + "/api/v1/assets"); a.StatusCode == http.StatusTooManyRequests {
			refused = a
		}
	}
	if refused == nil {
		t.Fatal("40 requests in a row: none was refused")
	}
	answers["429"] = refused
	for name, a := range answers {
		for header, want := range map[string]string{"Strict-Transport-Security": "max-age=63072000", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "no-referrer", "Server": "nginx", "X-Request-Id": "", "Content-Security-Policy": ""} {
			values := a.Header.Values(header)
			if len(values) != 1 || want != "" && values[0] != want || values[0] == "" {
				t.Errorf("%s: %s is %q, want one value %q", name, header, values, want)
			}
		}
	}
}

func TestCacheKeepsCallersApart(t *testing.T) {
	s := open(t)
	s.unlimited()
	status := func(url string, header ...string) string {
		a := s.get(url, header...)
		if a.StatusCode != http.StatusOK {
			t.Fatalf("GET %s: %s", url, a.Status)
		}
		return a.Header.Get("X-Cache-Status")
	}
	for i, credential := range [][2]string{{"Authorization", "Bearer alice"}, {"X-API-Key", "alice"}, {"Cookie", "session=alice"}} {
		url := fmt.Sprintf("%s/api/v1/forecast/Gold?model_type=xgb&horizon_years=%d.0%s", s.https(), 2+i, fresh())
		// Alice first: what she gets must not be there for who comes next.
		for _, want := range []struct {
			who    string
			header []string
			status []string
		}{
			{"alice", credential[:], []string{"BYPASS"}},
			{"bob", []string{credential[0], strings.Replace(credential[1], "alice", "bob", 1)}, []string{"BYPASS"}},
			{"nobody", nil, []string{"MISS", "EXPIRED"}},
			{"nobody again", nil, []string{"HIT"}},
			{"alice again", credential[:], []string{"BYPASS"}},
		} {
			got := status(url, want.header...)
			t.Logf("%-13s %-12s %s", credential[0], want.who, got)
			if !contains(want.status, got) {
				t.Errorf("%s, %s: cache %s, want %v", credential[0], want.who, got, want.status)
			}
		}
	}
	// An answer that names no age is never kept.
	for range 2 {
		if got := status(s.https() + "/api/v1/assets"); got != "" {
			t.Errorf("/api/v1/assets: cache %s, want none", got)
		}
	}
}

// fresh are zeros for the end of a number, so that an address differs from
// those of earlier runs, which the cache may have kept.
func fresh() string { return strings.Repeat("0", int(time.Now().Unix()%900)) }

func contains(all []string, x string) bool {
	for _, a := range all {
		if a == x {
			return true
		}
	}
	return false
}

// Two bodies that begin alike and are larger than the edge's buffer get two
// answers.
func TestTwoLargeBodies(t *testing.T) {
	s := open(t)
	s.unlimited()
	batch := func(last string) []byte {
		return []byte(`{"items":[` + strings.Repeat(`{"asset":"Gold","horizon_years":5},`, 900) + `{"asset":"` + last + `","horizon_years":5}]}`)
	}
	var bodies [2][]byte
	for i, last := range []string{"Gold", "Oil"} {
		body := batch(last)
		if len(body) < 30_000 {
			t.Fatalf("body of %d bytes is too small to show anything", len(body))
		}
		a, err := do(client, http.MethodPost, s.https()+"/api/v1/predict/batch", body)
		if err != nil {
			t.Fatal(err)
		}
		if a.StatusCode != http.StatusOK {
			t.Fatalf("batch: %s %.300s", a.Status, a.body)
		}
		bodies[i] = a.body
	}
	t.Logf("two bodies of 30 kB that differ at the end: answers of %d and %d bytes, equal %t", len(bodies[0]), len(bodies[1]), bytes.Equal(bodies[0], bodies[1]))
	if bytes.Equal(bodies[0], bodies[1]) {
		t.Error("two bodies got the same answer")
	}
}

func TestNotModifiedThroughGzip(t *testing.T) {
	s := open(t)
	s.unlimited()
	url := s.https() + "/api/v1/forecast/Silver?horizon_years=3"
	a := s.get(url, "Accept-Encoding", "gzip")
	etag := a.Header.Get("ETag")
	if a.Header.Get("Content-Encoding") != "gzip" || !strings.HasPrefix(etag, "W/") || !strings.Contains(a.Header.Get("Vary"), "Accept-Encoding") {
		t.Fatalf("got encoding %q, ETag %q, Vary %q; want gzip, a weak tag, Accept-Encoding", a.Header.Get("Content-Encoding"), etag, a.Header.Get("Vary"))
	}
	r, err := gzip.NewReader(bytes.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil || !bytes.Contains(plain, []byte(`"Silver"`)) {
		t.Fatalf("unpacked: %.100s, %v", plain, err)
	}
	t.Logf("%d bytes as %d", len(plain), len(a.body))
	if b := s.get(url, "Accept-Encoding", "gzip", "If-None-Match", etag); b.StatusCode != http.StatusNotModified {
		t.Errorf("with If-None-Match %s: got %s, want 304", etag, b.Status)
	}
}

func TestOneMissForManyCallers(t *testing.T) {
	s := open(t)
	s.unlimited()
	// The same question in words that were not used before.
	url := s.https() + "/api/v1/forecast/Copper?explain=false&horizon_years=7.25" + fresh()
	var mu sync.Mutex
	got := map[string]int{}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			a, err := do(client, http.MethodGet, url, nil)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			got[a.Header.Get("X-Cache-Status")]++
			mu.Unlock()
		})
	}
	all.Wait()
	t.Logf("50 at once: %v", got)
	if got["MISS"]+got["EXPIRED"] != 1 || got["HIT"] != 49 {
		t.Errorf("50 at once: got %v, want one miss", got)
	}
}

func TestForgedAddressAndRequestID(t *testing.T) {
	s := open(t)
	s.unlimited()
	a := s.get(s.https()+"/api/v1/assets", "X-Forwarded-For", "203.0.113.77", "X-Real-IP", "203.0.113.77", "X-Request-Id", "forged-by-a-caller")
	id := a.Header.Get("X-Request-Id")
	if id == "" || id == "forged-by-a-caller" {
		t.Fatalf("request id %q", id)
	}
	for _, service := range []string{"api", "nginx"} {
		var line string
		s.eventually(5*time.Second, service+"'s log has the request "+id, func() bool {
			for _, l := range strings.Split(s.compose("logs", "--no-log-prefix", "--tail", "500", service), "\n") {
				if strings.Contains(l, id) {
					line = l
				}
			}
			return line != ""
		})
		if strings.Contains(line, "203.0.113.77") {
			t.Errorf("%s believes a forged address: %s", service, line)
		}
	}
}

// After the API went: the edge lives, says so as JSON, serves what it has kept;
// after it came back: so does the edge, by itself.
func TestEdgeWithoutAPI(t *testing.T) {
	s := open(t)
	s.unlimited()
	kept := s.https() + "/api/v1/forecast/Oil?horizon_years=2"
	s.get(kept)
	s.compose("stop", "-t", "20", "api")
	s.problem(s.get(s.http()+"/health"), http.StatusBadGateway)
	// An address that went a moment ago answers nothing instead of refusing.
	for _, path := range []string{"/health", "/api/v1/assets"} {
		a := s.get(s.https() + path)
		if a.StatusCode != http.StatusBadGateway && a.StatusCode != http.StatusGatewayTimeout {
			t.Errorf("GET %s without API: got %s, want 502 or 504", path, a.Status)
		}
		s.problem(a, a.StatusCode)
	}
	a := s.get(s.https() + "/api/v1/assets")
	if a.Header.Get("Strict-Transport-Security") == "" || a.Header.Get("Retry-After") == "" {
		t.Errorf("502: headers %v", a.Header)
	}
	s.compose("exec", "-T", "nginx", "curl", "-fsS", "http://127.0.0.1:8081/livez")
	time.Sleep(time.Minute) // max-age of a forecast
	if a := s.get(kept); a.StatusCode != http.StatusOK || a.Header.Get("X-Cache-Status") != "STALE" && a.Header.Get("X-Cache-Status") != "UPDATING" {
		t.Errorf("a kept forecast: got %s, cache %s, want 200 STALE", a.Status, a.Header.Get("X-Cache-Status"))
	}
	// A new edge starts though there is no address behind its name.
	s.compose("up", "-d", "--force-recreate", "--no-deps", "nginx")
	s.eventually(20*time.Second, "an edge without API starts", func() bool {
		_, err := s.try("docker", "compose", "-f", "docker-compose.prod.yml", "exec", "-T", "nginx", "curl", "-fsS", "http://127.0.0.1:8081/livez")
		return err == nil
	})
	client.CloseIdleConnections()
	s.problem(s.get(s.http()+"/health"), http.StatusBadGateway)
	s.compose("start", "api")
	s.ready("api")
	took := s.eventually(8*time.Second, "the edge answers again", s.healthy)
	t.Logf("an edge that started without API answers %v after the API is ready", took.Round(time.Millisecond))
}

// Challenges of certificate authorities are answered from docker/acme, and
// nothing beside them.
func TestChallenge(t *testing.T) {
	s := open(t)
	dir := filepath.Join(s.dir, "docker/acme/.well-known/acme-challenge")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte("answer"), 0o644); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(filepath.Join(s.dir, "docker/acme/.well-known"))
	if a := s.get(s.http() + "/.well-known/acme-challenge/token"); a.StatusCode != http.StatusOK || string(a.body) != "answer" {
		t.Errorf("challenge: %s %.100s", a.Status, a.body)
	}
	s.problem(s.get(s.http()+"/.well-known/acme-challenge/other"), http.StatusNotFound)
}

// A caller who does not finish its headers is cut off.
func TestSlowCaller(t *testing.T) {
	s := open(t)
	conn, err := tls.Dial("tcp", "127.0.0.1:"+s.ports["HTTPS_PORT"], &tls.Config{ServerName: host, InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("POST /api/v1/predict HTTP/1.1\r\nHost: " + host + "\r\nContent-Le")); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	_, err = io.Copy(io.Discard, conn)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.Fatal("a caller with half a header holds its connection for a minute")
	}
	t.Logf("half a header: cut off after %v", time.Since(start).Round(100*time.Millisecond))
}

// The edge listens on IPv6 too.
func TestIPv6(t *testing.T) {
	s := open(t)
	id := s.containers("nginx")[0]
	s.run("docker", "network", "create", "--internal", "--ipv6", "--subnet", "fd6a:9c1f:20::/64", "pppq-test-ipv6")
	defer s.try("docker", "network", "rm", "pppq-test-ipv6")
	s.run("docker", "network", "connect", "pppq-test-ipv6", id)
	defer s.try("docker", "network", "disconnect", "-f", "pppq-test-ipv6", id)
	address := s.run("docker", "inspect", "-f", `{{(index .NetworkSettings.Networks "pppq-test-ipv6").GlobalIPv6Address}}`, id)
	out := s.run("docker", "run", "--rm", "--network", "pppq-test-ipv6", s.ports["NGINX_IMAGE"], "curl", "-gsS", "-o", "/dev/null", "-w", "%{http_code} %{remote_ip}", "http://["+address+"]:8080/health")
	if want := "200 " + address; out != want {
		t.Errorf("GET http://[%s]:8080/health: got %q, want %q", address, out, want)
	}
}

// A POST that a replica may have begun is never given to another one: of each
// POST that the edge's log shows with several replicas, none but the last one
// was ever connected.
func (s *stack) postedOnce() {
	s.Helper()
	repeated := 0
	for _, line := range strings.Split(s.compose("logs", "--no-log-prefix", "--tail", "20000", "nginx"), "\n") {
		var l struct {
			Method   string `json:"method"`
			Upstream string `json:"upstream"`
			Connect  string `json:"upstream_connect_seconds"`
		}
		if json.Unmarshal([]byte(line), &l) != nil || l.Method != http.MethodPost || !strings.Contains(l.Upstream, ", ") {
			continue
		}
		repeated++
		times := strings.Split(l.Connect, ", ")
		for _, connected := range times[:len(times)-1] {
			if connected != "-" {
				s.Errorf("a POST went to two replicas: %s", line)
			}
		}
	}
	s.Logf("%d POSTs were given to another replica, none after one had taken it", repeated)
}
