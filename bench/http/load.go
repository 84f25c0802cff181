package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A request is what is sent, ready to be written.
type request struct {
	text []byte
	// digits is the place of six digits that are another number each time, so that
	// no cache can help; 0 for none.
	digits int
}

// sixDigits stands in a body where digits are to vary.
const sixDigits = "100000"

func newRequest(method, path, host, key, body string) request {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nX-Api-Key: %s\r\n", method, path, host, key)
	if body != "" {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	fmt.Fprintf(&b, "\r\n%s", body)
	return request{text: b.Bytes(), digits: max(0, bytes.Index(b.Bytes(), []byte(sixDigits)))}
}

// serial numbers the requests that vary.
var serial atomic.Int64

// next is the text of the next request, in a buffer of the caller.
func (q request) next(buffer []byte) []byte {
	if q.digits == 0 {
		return q.text
	}
	buffer = append(buffer[:0], q.text...)
	n := serial.Add(1) % 900000
	copy(buffer[q.digits:], strconv.FormatInt(100000+n, 10))
	return buffer
}

// A conn sends one request after another.
type conn struct {
	net.Conn
	r      *bufio.Reader
	buffer []byte
}

func dial(address string) (*conn, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, r: bufio.NewReaderSize(c, 16<<10)}, nil
}

var errStatus = errors.New("status is not 200")

// do sends a request and reads the answer away; with into its body is kept.
func (c *conn) do(q request, into *bytes.Buffer) error {
	text := q.next(c.buffer)
	if q.digits > 0 {
		c.buffer = text
	}
	if _, err := c.Write(text); err != nil {
		return err
	}
	status, length, chunked := 0, -1, false
	for line := 0; ; line++ {
		b, err := c.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		b = bytes.TrimRight(b, "\r\n")
		switch {
		case line == 0 && len(b) > 12:
			status, _ = strconv.Atoi(string(b[9:12]))
		case len(b) > 16 && bytes.EqualFold(b[:15], []byte("Content-Length:")):
			length, err = strconv.Atoi(string(bytes.TrimSpace(b[15:])))
		case len(b) > 18 && bytes.EqualFold(b[:18], []byte("Transfer-Encoding:")):
			chunked = true
		}
		if err != nil {
			return err
		}
		if len(b) == 0 {
			break
		}
	}
	if chunked || length < 0 {
		return errors.New("the generator reads answers with Content-Length alone")
	}
	if into != nil {
		into.Reset()
		if _, err := io.CopyN(into, c.r, int64(length)); err != nil {
			return err
		}
	} else if _, err := c.r.Discard(length); err != nil {
		return err
	}
	if status != 200 {
		return fmt.Errorf("%w but %d", errStatus, status)
	}
	return nil
}

// closedLoop keeps every connection busy and returns the requests a second.
func closedLoop(ctx context.Context, address string, q request, connections int, d time.Duration) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var done atomic.Int64
	errs := make(chan error, connections)
	began := time.Now()
	for range connections {
		go func() {
			c, err := dial(address)
			if err != nil {
				errs <- err
				return
			}
			defer c.Close()
			for ctx.Err() == nil {
				if err := c.do(q, nil); err != nil {
					errs <- err
					return
				}
				done.Add(1)
			}
			errs <- nil
		}()
	}
	var err error
	for range connections {
		err = errors.Join(err, <-errs)
	}
	return float64(done.Load()) / time.Since(began).Seconds(), err
}

// latencies are sorted, in milliseconds; first is that of the first request.
type latencies struct {
	ms     []float64
	first  float64
	failed int
}

func (l *latencies) at(p float64) float64 {
	if len(l.ms) == 0 {
		return 0
	}
	return l.ms[min(len(l.ms)-1, int(p*float64(len(l.ms))))]
}

// openLoop sends at a fixed rate, whatever comes back, over as many connections
// as it takes, and measures from when each request was due.
func openLoop(ctx context.Context, address string, q request, rate int, d time.Duration) (*latencies, error) {
	const most = 256
	due := make(chan time.Time, rate)
	var mu sync.Mutex
	var out latencies
	var workers sync.WaitGroup
	var idle atomic.Int64
	worker := func(c *conn) {
		defer workers.Done()
		defer func() { c.Close() }()
		var own []float64
		failed := 0
		for at := range due {
			idle.Add(-1)
			if err := c.do(q, nil); err != nil {
				failed++
				c.Close()
				if next, err := dial(address); err == nil {
					c = next
				}
			} else {
				own = append(own, float64(time.Since(at).Microseconds())/1e3)
			}
			idle.Add(1)
		}
		mu.Lock()
		defer mu.Unlock()
		out.ms = append(out.ms, own...)
		out.failed += failed
	}
	started := 0
	start := func() error {
		c, err := dial(address)
		if err != nil {
			return err
		}
		started++
		idle.Add(1)
		workers.Add(1)
		go worker(c)
		return nil
	}
	began := time.Now()
	step := time.Second / time.Duration(rate)
	var err error
	for i := 0; ctx.Err() == nil && err == nil; i++ {
		at := began.Add(time.Duration(i) * step)
		if at.Sub(began) >= d {
			break
		}
		if wait := time.Until(at); wait > 200*time.Microsecond {
			time.Sleep(wait)
		}
		if idle.Load() <= 0 && started < most {
			err = start()
		}
		due <- at
	}
	close(due)
	workers.Wait()
	slices.Sort(out.ms)
	return &out, err
}
