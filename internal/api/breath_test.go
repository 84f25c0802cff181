package api

import (
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"
)

// On one processor, two ends of a connection exchange a byte every other breath.
func TestBreatheLetsNetworkIn(t *testing.T) { // it sets the number of processors: not parallel
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		server, err := l.Accept()
		if err != nil {
			return
		}
		defer server.Close()
		_, _ = io.Copy(server, server)
	}()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	trips := make(chan struct{}, 1000)
	go func() {
		for b := []byte{0}; ; trips <- struct{}{} {
			if _, err := client.Write(b); err != nil {
				return
			}
			if _, err := io.ReadFull(client, b); err != nil {
				return
			}
		}
	}()
	<-trips // both are at work
	before := len(trips)
	const breaths = 100
	for range breaths {
		var c call
		for began := time.Now(); time.Since(began) < breathEvery/2; {
		}
		c.breathe()
	}
	if got := len(trips) - before; got < breaths/4 {
		t.Errorf("%d exchanges in %d breaths", got, breaths)
	}
}

// Breaths of many at once all end, and each is noted.
func TestBreathe(t *testing.T) {
	t.Parallel()
	var running sync.WaitGroup
	for range 50 {
		running.Go(func() {
			var c call
			for range 200 {
				c.breath = time.Time{}
				c.breathe()
				if c.breath.IsZero() {
					t.Error("the breath was not noted")
				}
			}
		})
	}
	running.Wait()
}

// BenchmarkBreathe is what long work pays each millisecond.
func BenchmarkBreathe(b *testing.B) {
	var c call
	for b.Loop() {
		c.breath = time.Time{}
		c.breathe()
	}
}
