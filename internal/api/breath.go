package api

import (
	"os"
	"sync"
	"time"
)

// breathEvery is how long long work computes at a stretch.
const breathEvery = time.Millisecond

// breathe lets others in, now and then: while every processor computes, Go's
// scheduler looks at the network each 10 ms alone, and who is only to be refused
// would wait for that.
func (c *call) breathe() {
	now := time.Now()
	if now.Sub(c.breath) < breathEvery {
		return
	}
	c.breath = now
	pipe := breath()
	if pipe == nil {
		return // no files are left: others wait until this work is preempted
	}
	// The byte comes when this goroutine rests already, and then through the
	// network poller, behind all that was there before it. A short sleep would rest
	// for a millisecond where nobody else has work, and Gosched looks at no network.
	go pipe.ring()
	pipe.rest()
}

// A turn is a pipe through which work waits until the scheduler saw the network.
type turn struct{ r, w *os.File }

// breath is the pipe of the process, nil if it can't be had.
var breath = sync.OnceValue(func() *turn {
	r, w, err := os.Pipe()
	if err != nil {
		return nil
	}
	return &turn{r, w}
})

// ring writes the byte that one rest waits for.
func (t *turn) ring() { _, _ = t.w.Write([]byte{0}) } // open as long as the process

// rest waits for a byte.
func (t *turn) rest() { _, _ = t.r.Read(make([]byte, 1)) }
