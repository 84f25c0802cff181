package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// What a service that is not ours, or busy, answers. The client is tried against
// the real service in internal/api.
func TestOtherAnswers(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/model", func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			w.Header().Set("Content-Type", "application/problem+json")
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(503)
			fmt.Fprint(w, `{"title":"busy","status":503}`)
			return
		}
		fmt.Fprint(w, `{"version":"v1","what":"a newer service adds this"}`)
	})
	mux.HandleFunc("GET /api/v1/assets", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(502)
		fmt.Fprint(w, "<html>bad gateway</html>")
	})
	mux.HandleFunc("POST /api/v1/predict", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "not JSON") })
	server := httptest.NewServer(mux)
	defer server.Close()
	c, err := New(server.URL+"/", Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	began := time.Now()
	m, err := c.Model(ctx)
	if err != nil || m.Version != "v1" || asked.Load() != 2 || time.Since(began) < time.Second {
		t.Errorf("%+v, %v after %d requests in %v: want a second one after a second", m, err, asked.Load(), time.Since(began))
	}
	var p *Problem
	if _, err := c.Assets(ctx); !errors.As(err, &p) || p.Status != 502 {
		t.Errorf("a gateway's page: %v", err)
	}
	if _, err := c.Predict(ctx, Question{}); err == nil || errors.As(err, &p) && p.Status == 200 {
		t.Errorf("no JSON: %v", err)
	}
	asked.Store(0)
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := c.Model(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting past the deadline: %v", err)
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "localhost:8000", "ftp://x", "http://", "http://%zz", "/x"} {
		if _, err := New(bad, Options{}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestProblemInWords(t *testing.T) {
	t.Parallel()
	p := &Problem{Title: "No", Status: 422, Detail: "d", Errors: []Fault{{Pointer: "/a", Detail: "x"}, {Parameter: "b", Detail: "y"}}, Near: []string{"Gold"}}
	for _, part := range []string{"No (422): d", "/a: x", "b: y", "near: Gold"} {
		if !strings.Contains(p.Error(), part) {
			t.Errorf("%q has no %q", p, part)
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for address, good := range map[string]bool{
		"http://host": true, "https://host:8000/": true, "https://host/under/a/path": true, "http://[::1]:8000": true,
		"": false, "host": false, "host:8000": false, "ftp://host": false, "http://": false,
		"http://host?x=1": false, "http://host/?": false, "http://host/#a": false, "http://host#": false,
	} {
		if _, err := New(address, Options{}); (err == nil) != good {
			t.Errorf("%s: %v", address, err)
		}
	}
}
