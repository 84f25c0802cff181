package api

import (
	"io"
	"math"
	"runtime/debug"
	"sync/atomic"
)

// maxHeld bounds the bytes of large bodies and answers in memory, whatever the
// limit of the process; smallBody is what a body may have and count nothing.
const (
	maxHeld   = 256 << 20
	smallBody = 4 << 10
)

// held counts the bytes of bodies that arrive and of answers that are sent. Who
// sends or reads slowly keeps no place at work, so nothing else bounds these.
type held struct {
	bytes atomic.Int64
	limit int64
}

// newHeld allows a quarter of the memory limit of the process, which main takes
// from the container.
func newHeld() *held {
	limit := int64(maxHeld)
	if process := debug.SetMemoryLimit(-1); process < math.MaxInt64 {
		limit = min(limit, process/4)
	}
	return &held{limit: limit}
}

// full reports that nothing large may begin.
func (h *held) full() bool { return h.bytes.Load() >= h.limit }

// hold counts bytes to a call until it lets go. The error is a *Problem if there
// is no room for them; a call that is alone always has room.
func (c *call) hold(n int) error {
	c.held += int64(n)
	if all := c.h.held.bytes.Add(int64(n)); all > c.h.held.limit && all > c.held {
		return busy(0)
	}
	return nil
}

// letGo gives back what the call holds.
func (c *call) letGo() {
	c.h.held.bytes.Add(-c.held)
	c.held = 0
}

// An arriving body is counted as it arrives: who only announces one takes no
// room from others. What the route's own reader keeps of it, that one counts.
type arriving struct {
	io.ReadCloser
	call *call
}

// Read implements io.Reader.
func (r arriving) Read(b []byte) (int, error) {
	n, err := r.ReadCloser.Read(b)
	r.call.received += int64(n)
	if r.call.route.receive != nil {
		return n, err
	}
	if full := r.call.hold(n); full != nil {
		return n, full
	}
	return n, err
}
