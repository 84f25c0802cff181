package api

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A service that ends under load answers whatever reached it: each connection is
// either refused, with nothing sent, or gets its answer. The clients keep their
// connections as a proxy does.
func TestDrainUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	f := setup(t, func(o *Options) { o.Drain = 200 * time.Millisecond })
	r := serve(t, f)
	const question = `{"asset":"Gold","horizon_years":5}`
	request := fmt.Sprintf("POST /api/v1/predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(question), question)
	var answered, lost atomic.Int64
	var clients sync.WaitGroup
	for range 16 {
		clients.Go(func() {
			for {
				c, err := net.Dial("tcp", r.addr)
				if err != nil {
					return
				}
				in := bufio.NewReader(c)
				for closed := false; !closed; {
					if _, err := c.Write([]byte(request)); err != nil {
						lost.Add(1)
						break
					}
					resp, err := http.ReadResponse(in, nil)
					if err != nil || resp.StatusCode != http.StatusOK {
						lost.Add(1)
						break
					}
					if _, err := io.Copy(io.Discard, resp.Body); err != nil {
						lost.Add(1)
						break
					}
					closed = resp.Close
					answered.Add(1)
				}
				c.Close()
			}
		})
	}
	time.Sleep(100 * time.Millisecond)
	r.end()
	clients.Wait()
	if answered.Load() == 0 || lost.Load() > 0 {
		t.Errorf("%d answered, %d lost", answered.Load(), lost.Load())
	}
}
