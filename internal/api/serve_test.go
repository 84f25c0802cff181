package api

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A running service and how to end it.
type running struct {
	t    *testing.T
	url  string
	addr string
	stop context.CancelFunc
	done chan error
}

// serve runs a fixture on a port of the system's choice.
func serve(t *testing.T, f *fixture) *running {
	t.Helper()
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{t: t, url: "http://" + l.Addr().String(), addr: l.Addr().String(), stop: cancel, done: make(chan error, 1)}
	go func() { r.done <- Serve(ctx, f.service, f.Handler, l) }()
	t.Cleanup(cancel)
	return r
}

// end waits for a calm end.
func (r *running) end() {
	r.t.Helper()
	r.stop()
	if err := <-r.done; err != nil {
		r.t.Errorf("serve: %v", err)
	}
}

func TestTakenPort(t *testing.T) {
	t.Parallel()
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = Listen(l.Addr().String())
	if err == nil || !strings.Contains(err.Error(), "is taken") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want one line that says the port is taken", err)
	}
}

// While a service drains it is not ready but goes on answering, and a request
// that runs is finished.
func TestDrain(t *testing.T) {
	t.Parallel()
	slowly := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		time.Sleep(500 * time.Millisecond)
		_, _ = io.WriteString(w, "whole")
	})
	f := setupPages(t, func(o *Options) { o.Drain = 300 * time.Millisecond }, map[string]http.Handler{"GET /slow": slowly})
	r := serve(t, f)
	slow, err := http.Get(r.url + "/slow")
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Body.Close()
	r.stop()
	status := func(path string) int {
		resp, err := http.Get(r.url + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for i := 0; !f.draining.Load(); i++ {
		time.Sleep(time.Millisecond)
	}
	if got := status("/readyz"); got != 503 {
		t.Errorf("/readyz %d while draining, want 503", got)
	}
	if got := status("/livez"); got != 200 {
		t.Errorf("/livez %d while draining, want 200", got)
	}
	if body, err := io.ReadAll(slow.Body); err != nil || string(body) != "whole" {
		t.Errorf("a request that ran got %q, %v", body, err)
	}
	r.end()
	if c, err := net.Dial("tcp", r.addr); err == nil {
		c.Close()
		t.Error("the port is open after the end")
	}
}

func TestReplacedExecutableEndsServe(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pppq")
	if err := os.WriteFile(path, []byte("old"), 0o755); err != nil {
		t.Fatal(err)
	}
	r := serve(t, setup(t, func(o *Options) { o.Executable = path }))
	time.Sleep(50 * time.Millisecond) // the first look
	if err := os.WriteFile(path, []byte("newer"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := <-r.done; !errors.Is(err, ErrReplaced) {
		t.Errorf("got %v, want ErrReplaced", err)
	}
}
