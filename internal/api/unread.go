package api

import (
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	// hasArrived is how long an answer waits for the end of a body that nobody reads,
	// so that its connection goes on if all of it is here.
	hasArrived = 2 * time.Millisecond
	// maxPassed is the largest such body, as of net/http.
	maxPassed = 256 << 10
	// lingers is how long a caller may go on sending when the answer is out, and
	// maxLinger how much.
	lingers   = 5 * time.Second
	maxLinger = 16 << 20
)

// passOver comes before an answer to a request whose body was not read to its
// end. net/http would wait for that end and send the answer after it, unless the
// connection ends with the answer. HTTP/2 waits for nothing.
func (c *call) passOver() {
	if c.read || c.r.ProtoMajor != 1 {
		return
	}
	c.read = true
	header := c.w.Header()
	control := http.NewResponseController(c.w.ResponseWriter)
	whole := false
	// Reading would ask a caller who expects 100 to send the body.
	if c.r.ContentLength-c.received <= maxPassed && c.r.Header["Expect"] == nil && header["Connection"] == nil &&
		control.SetReadDeadline(time.Now().Add(hasArrived)) == nil {
		n, err := io.CopyN(io.Discard, c.arrives, maxPassed+1)
		whole = n <= maxPassed && errors.Is(err, io.EOF)
	}
	var deadline time.Time
	if !whole {
		header["Connection"] = closing
		c.unread = true
		deadline = time.Now().Add(min(lingers, c.h.options.BodyTimeout))
	}
	_ = control.SetReadDeadline(deadline) // an error says that there are none, as in tests
}

// linger sends what was answered and reads on: a connection that is closed while
// its caller still sends is reset, and the caller may lose the answer.
func linger(w http.ResponseWriter, body io.Reader) {
	if http.NewResponseController(w).Flush() == nil {
		_, _ = io.CopyN(io.Discard, body, maxLinger) // an error ends it too
	}
}
