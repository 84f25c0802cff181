package api

import (
	"context"
	"errors"
	"fmt"
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
	begun, finish := make(chan struct{}), make(chan struct{})
	slowly := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-finish
		_, _ = io.WriteString(w, "whole")
	})
	f := setupPages(t, func(o *Options) { o.Drain = 7 * time.Second }, map[string]http.Handler{"GET /slow": slowly})
	draining, drained := make(chan time.Duration), make(chan struct{})
	f.sleep = func(d time.Duration) {
		draining <- d
		<-drained
	}
	r := serve(t, f)
	slow := make(chan string)
	go func() {
		resp, err := http.Get(r.url + "/slow")
		if err != nil {
			slow <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		slow <- string(body) + fmt.Sprint(err)
	}()
	<-begun
	r.stop()
	if d := <-draining; d != 7*time.Second {
		t.Errorf("drains for %v, want DRAIN_SECONDS", d)
	}
	status := func(path string) int {
		resp, err := http.Get(r.url + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if !resp.Close {
			t.Errorf("%s does not end its connection", path)
		}
		return resp.StatusCode
	}
	if got := status("/readyz"); got != 503 {
		t.Errorf("/readyz %d while draining, want 503", got)
	}
	if got := status("/livez"); got != 200 {
		t.Errorf("/livez %d while draining, want 200", got)
	}
	close(drained)
	for {
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			break // the port is closed, and the slow request still runs
		}
		c.Close()
		time.Sleep(time.Millisecond)
	}
	close(finish)
	if got := <-slow; got != "whole<nil>" {
		t.Errorf("a request that ran got %q", got)
	}
	r.end()
}

func TestReplacedExecutableEndsServe(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pppq")
	if err := os.WriteFile(path, []byte("old"), 0o755); err != nil {
		t.Fatal(err)
	}
	r := serve(t, setup(t, func(o *Options) { o.Executable = path }))
	resp, err := http.Get(r.url + "/livez") // the first look is before the first answer
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if err := os.WriteFile(path, []byte("newer"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := <-r.done; !errors.Is(err, ErrReplaced) {
		t.Errorf("got %v, want ErrReplaced", err)
	}
}
