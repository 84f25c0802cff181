package api

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// dial opens a connection that ends with the test.
func (r *running) dial() net.Conn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		r.t.Fatal(err)
	}
	return c
}

// raw sends bytes and returns the status and the body of the first answer; 0 if
// the connection ended without one.
func (r *running) raw(text string) (status int, header http.Header, body string) {
	r.t.Helper()
	c := r.dial()
	go func() { _, _ = io.WriteString(c, text) }() // the server may close before it has read all
	return answerOf(c)
}

func answerOf(c net.Conn) (int, http.Header, string) {
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, nil, ""
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, string(body)
}

const predictHead = "POST /api/v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"

// The statuses of requests that no honest client sends. Those that net/http
// refuses by itself are plain text and marked so.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	r := serve(t, f)
	good := `{"asset":"Gold","horizon_years":5}`
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 10<<20))
	z.Close()
	sized := func(body string) string {
		return predictHead + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
	}
	for _, c := range []struct {
		name, text string
		status     int
		byNetHTTP  bool
	}{
		{"honest", sized(good), 200, false},
		{"1 GB announced", predictHead + "Content-Length: 1073741824\r\n\r\n" + good, 413, false},
		{"1 GB in chunks", predictHead + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("10000\r\n"+strings.Repeat(" ", 1<<16)+"\r\n", 200), 413, false},
		{"gzip bomb", predictHead + fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", bomb.Len()) + bomb.String(), 415, false},
		{"two lines of codings", predictHead + "Content-Encoding: identity\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", 415, false},
		{"two types", predictHead + "Content-Type: text/csv\r\nContent-Length: 2\r\n\r\n{}", 415, false},
		{"the same type twice", predictHead + "Content-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(good)) + "\r\n\r\n" + good, 200, false},
		{"two codings", predictHead + "Content-Encoding: identity, gzip\r\nContent-Length: 2\r\n\r\n{}", 415, false},
		{"100,000 headers", "GET /health HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-A: b\r\n", 100000) + "\r\n", 431, true},
		{"one long header", "GET /health HTTP/1.1\r\nHost: x\r\nX-A: " + strings.Repeat("b", 1<<20) + "\r\n\r\n", 431, true},
		{"long address", "GET /health?" + strings.Repeat("a", 9000) + " HTTP/1.1\r\nHost: x\r\n\r\n", 414, false},
		{"very long address", "GET /" + strings.Repeat("a", 1<<20) + " HTTP/1.1\r\nHost: x\r\n\r\n", 431, true},
		{"two lengths", predictHead + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, true},
		{"length and chunks", predictHead + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 422, false},
		{"broken chunk", predictHead + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, false},
		{"negative length", predictHead + "Content-Length: -1\r\n\r\n", 400, true},
		{"unknown transfer coding", predictHead + "Transfer-Encoding: gzip\r\n\r\n", 501, true},
		{"no host", "GET /health HTTP/1.1\r\n\r\n", 400, true},
		{"two hosts", "GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, true},
		{"HTTP/3.0 in text", "GET /health HTTP/3.0\r\nHost: x\r\n\r\n", 505, true},
		{"no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", 400, true},
		{"space in a header's name", "GET /health HTTP/1.1\r\nHost: x\r\nX A: b\r\n\r\n", 400, true},
		{"NUL in a header", "GET /health HTTP/1.1\r\nHost: x\r\nX-A: a\x00b\r\n\r\n", 400, true},
		{"up the tree", "GET /api/v1/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 404, false},
		{"up the tree, escaped", "GET /docs/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 404, false},
		{"double slash", "GET //health HTTP/1.1\r\nHost: x\r\n\r\n", 404, false},
		{"dot", "GET /./health HTTP/1.1\r\nHost: x\r\n\r\n", 404, false},
		{"backslash", "GET /docs\\..\\x HTTP/1.1\r\nHost: x\r\n\r\n", 404, false},
		{"NUL in the path", "GET /api/v1/assets/%00 HTTP/1.1\r\nHost: x\r\n\r\n", 404, false},
		{"broken escape", "GET /api/v1/assets/%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400, true},
		{"broken escape in the query", "GET /api/v1/forecast/Gold?horizon_years=%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400, false},
		{"absolute address", "GET http://elsewhere/health HTTP/1.1\r\nHost: x\r\n\r\n", 200, false},
		{"CONNECT", "CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere:443\r\n\r\n", 404, false},
		{"unknown method", "BREW /api/v1/predict HTTP/1.1\r\nHost: x\r\n\r\n", 405, false},
		{"TRACE", "TRACE /health HTTP/1.1\r\nHost: x\r\n\r\n", 405, false},
		{"body of a GET", "GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 200, false},
		{"expects something", predictHead + "Expect: wonders\r\nContent-Length: 2\r\n\r\n{}", 417, true},
		{"invalid UTF-8", sized("{\"asset\":\"\xff\",\"horizon_years\":5}"), 400, false},
		{"duplicate keys", sized(`{"asset":"Gold","asset":"Oil","horizon_years":5}`), 400, false},
		{"NaN", sized(`{"asset":"Gold","horizon_years":NaN}`), 400, false},
		{"1e999", sized(`{"asset":"Gold","horizon_years":1e999}`), 400, false},
		{"deep", sized(strings.Repeat("[", 30000)), 400, false},
		{"deep objects", sized(strings.Repeat(`{"a":`, 10000)), 400, false},
		{"many keys", sized(`{` + strings.Repeat(`"`+strings.Repeat("k", 5)+`":1,`, 3000) + `"z":1}`), 400, false},
		{"a form", "POST /api/v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b", 415, false},
		{"nonsense as type", "POST /api/v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: ;;;\r\nContent-Length: 2\r\n\r\n{}", 415, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, header, body := r.raw(c.text)
			if status != c.status {
				t.Fatalf("status %d, want %d: %.300s", status, c.status, body)
			}
			if media := header.Get("Content-Type"); status >= 400 && (media == problemType) == c.byNetHTTP {
				t.Errorf("Content-Type %q", media)
			}
			if len(body) > 4096 && status >= 400 {
				t.Errorf("a problem of %d bytes", len(body))
			}
		})
	}
	if panics := f.get("/metrics").Body.String(); !strings.Contains(panics, "http_request_panics_total 0") {
		t.Error("a panic was counted")
	}
	r.end()
}

// A body that comes too slowly is a 408; a head that does is cut off.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	f := setup(t, func(o *Options) { o.HeaderTimeout, o.BodyTimeout = 200*time.Millisecond, 400*time.Millisecond })
	r := serve(t, f)
	for _, target := range []string{"/api/v1/predict", "/api/v1/predict/upload"} {
		media := map[bool]string{true: csvType, false: jsonType}[strings.HasSuffix(target, "upload")]
		status, _, body := r.raw("POST " + target + " HTTP/1.1\r\nHost: x\r\nContent-Type: " + media + "\r\nContent-Length: 100\r\n\r\nasset,horizon_years\n")
		if status != 408 || !strings.Contains(body, "slow-body") {
			t.Errorf("%s: a body that stops: %d %s", target, status, body)
		}
	}
	// net/http answers 400 in plain text, or just closes.
	if status, _, _ := r.raw("GET /health HTTP/1.1\r\nHost: x\r\nX-Slow"); status != 0 && status != 400 {
		t.Errorf("a head that stops: %d", status)
	}
	// One byte at a time is no better.
	c := r.dial()
	go func() {
		for _, b := range []byte("GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: 1234567890\r\n\r\n") {
			time.Sleep(20 * time.Millisecond)
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
		}
	}()
	if status, _, _ := answerOf(c); status != 0 && status != 400 {
		t.Errorf("a head byte by byte: %d", status)
	}
	r.end()
}

// Connections that are half closed, reset, or idle leave nothing behind, and the
// service goes on.
func TestBrokenConnections(t *testing.T) {
	f := setup(t, nil)
	r := serve(t, f)
	// Half closed after the request: the answer still comes.
	c := r.dial()
	fmt.Fprintf(c, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := answerOf(c); status != 200 {
		t.Errorf("half closed: %d", status)
	}
	// Half closed in the middle of a body.
	c = r.dial()
	fmt.Fprint(c, predictHead+"Content-Length: 100\r\n\r\n{")
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := answerOf(c); status != 400 {
		t.Errorf("half closed in the body: %d, want 400", status)
	}
	before := runtime.NumGoroutine()
	for i := range 50 {
		c := r.dial()
		fmt.Fprint(c, predictHead+"Content-Length: "+strconv.Itoa(100+i)+"\r\n\r\n{\"asset\"")
		if err := c.(*net.TCPConn).SetLinger(0); err != nil {
			t.Fatal(err)
		}
		c.Close() // a reset
	}
	for range 1000 {
		if runtime.NumGoroutine() <= before+2 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if after := runtime.NumGoroutine(); after > before+5 {
		t.Errorf("%d goroutines before 50 resets, %d after", before, after)
	}
	if status, _, _ := r.raw("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"); status != 200 {
		t.Errorf("after all that: %d", status)
	}
	if text := f.get("/metrics").Body.String(); strings.Contains(text, `status="5`) {
		t.Error("a broken connection was counted as a fault of the service")
	}
	r.end()
}

// No answer waits for a body that nobody reads: the connection ends after it,
// unless all of the body has arrived.
func TestUnreadBodies(t *testing.T) {
	t.Parallel()
	_, line := testKey(t, "ana", "read")
	f := setup(t, func(o *Options) { o.Keys = parseKeys(t, line) })
	r := serve(t, f)
	for _, c := range []struct {
		head   string
		status int
	}{
		{"GET /livez", 200}, {"GET /health", 200}, {"GET /ping", 200}, {"GET /metrics", 200}, {"GET /docs", 200}, {"POST /api/v1/predict", 401}, {"POST /api/v1/models/reload", 401},
		{"POST /nothing", 404}, {"POST /health", 405}, {"GET /livez?" + strings.Repeat("a", 9000), 414},
	} {
		for _, length := range []string{"Content-Length: 50", "Content-Length: 50\r\nExpect: 100-continue", "Content-Length: 1000000", "Transfer-Encoding: chunked"} {
			began := time.Now()
			conn := r.dial()
			if _, err := io.WriteString(conn, c.head+" HTTP/1.1\r\nHost: x\r\n"+length+"\r\n\r\n1"); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("%.30s, %s: %v", c.head, length, err)
			}
			_, err = io.Copy(io.Discard, resp.Body)
			if took := time.Since(began); err != nil || resp.StatusCode != c.status || took > lingers/2 || !resp.Close {
				t.Errorf("%.30s, %s: %v, %d after %v, closes %t", c.head, length, err, resp.StatusCode, took, resp.Close)
			}
			conn.Close()
		}
		conn := r.dial()
		in := bufio.NewReader(conn)
		for range 3 {
			if _, err := io.WriteString(conn, c.head+" HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatalf("%.30s with a body that is here: %v", c.head, err)
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != c.status || resp.Close {
				t.Errorf("%.30s with a body that is here: %d, %v, closes %t", c.head, resp.StatusCode, err, resp.Close)
			}
		}
	}
	r.end()
}

// Who sends all of a large body before reading still gets the refusal, at
// whatever speed it comes.
func TestRefusalsReachSenders(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.held.limit = 0 // full: batches are refused unread
	r := serve(t, f)
	for i := range 200 {
		body := strings.Repeat(" ", 115<<10)
		if i%40 < 3 {
			body = strings.Repeat(" ", maxBatch)
		}
		c := r.dial()
		head := "POST /api/v1/predict/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
		if i%3 == 1 {
			head += "Connection: close\r\n"
		}
		if _, err := fmt.Fprintf(c, "%sContent-Length: %d\r\n\r\n", head, len(body)); err != nil {
			t.Fatal(err)
		}
		for rest := body; rest != ""; {
			part := rest[:min(len(rest), 16<<10)]
			rest = rest[len(part):]
			if _, err := io.WriteString(c, part); err != nil {
				t.Fatalf("%d: %v", i, err)
			}
			if i%3 == 2 {
				time.Sleep(time.Millisecond)
			}
		}
		if status, _, text := answerOf(c); status != 503 || !strings.Contains(text, "busy") {
			t.Fatalf("%d: status %d %s", i, status, text)
		}
		c.Close()
	}
	r.end()
}

// HTTP/2 without TLS is refused unless asked for.
func TestH2C(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{false, true} {
		f := setup(t, func(o *Options) { o.H2C = on })
		r := serve(t, f)
		client := &http.Client{Transport: &http.Transport{Protocols: new(http.Protocols)}}
		client.Transport.(*http.Transport).Protocols.SetUnencryptedHTTP2(true)
		resp, err := client.Get(r.url + "/livez")
		if on {
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.ProtoMajor != 2 {
				t.Errorf("H2C on: %s", resp.Proto)
			}
			// Connection: close would end the connection, maybe before the answer.
			reused := false
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused }})
			for _, draining := range []bool{false, true} {
				f.draining.Store(draining)
				for range 20 {
					req := must(http.NewRequestWithContext(ctx, "POST", r.url+"/api/v1/predict", strings.NewReader(strings.Repeat(" ", 100<<10))))
					resp, err := client.Do(req)
					if err != nil {
						t.Fatal(err)
					}
					if !reused {
						t.Error("the connection before has ended")
					}
					body, err := io.ReadAll(resp.Body)
					resp.Body.Close()
					if err != nil || resp.StatusCode != 413 || len(body) == 0 || len(resp.Header["Connection"]) > 0 || resp.Close {
						t.Errorf("draining %t: %v, %d, %v", draining, err, resp.StatusCode, resp.Header)
					}
				}
			}
		} else if err == nil && resp.ProtoMajor == 2 {
			t.Error("H2C off: HTTP/2 was spoken")
		}
		client.CloseIdleConnections()
		r.end()
	}
}
