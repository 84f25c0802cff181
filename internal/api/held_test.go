package api

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// waitHeld waits until the service holds what is wanted.
func (f *fixture) waitHeld(want func(int64) bool) {
	f.t.Helper()
	for range 2000 {
		if want(f.held.bytes.Load()) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	f.t.Fatalf("the service holds %d bytes", f.held.bytes.Load())
}

// Bodies of senders who stop in the middle take a bounded room: who comes when
// it is taken gets 503 at once, small questions are answered, and the room is
// free again when the senders have gone.
func TestSlowSendersTakeBoundedMemory(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.held.limit = 1 << 20
	r := serve(t, f)
	half := strings.Repeat(" ", 512<<10)
	head := fmt.Sprintf("POST /api/v1/predict/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", 1<<20)
	var slow []net.Conn
	for range 2 {
		c := r.dial()
		slow = append(slow, c)
		if _, err := io.WriteString(c, head+half); err != nil {
			t.Fatal(err)
		}
	}
	f.waitHeld(func(n int64) bool { return n >= 1<<20 })
	status, header, body := r.raw(head + half)
	if status != 503 || header.Get("Retry-After") == "" || !strings.Contains(body, "busy") {
		t.Errorf("a third batch: %d %s", status, body)
	}
	question := `{"asset":"Gold","horizon_years":5}`
	if status, _, body := r.raw(predictHead + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(question), question)); status != 200 {
		t.Errorf("a question meanwhile: %d %s", status, body)
	}
	for _, c := range slow {
		c.Close()
	}
	f.waitHeld(func(n int64) bool { return n == 0 })
	if status, _, _ := r.raw(head + half + half); status != 400 {
		t.Errorf("a batch of blanks afterwards: %d, want 400", status)
	}
	r.end()
}

// Large answers that nobody reads take a bounded room too.
func TestSlowReadersTakeBoundedMemory(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.held.limit = 8 << 20
	r := serve(t, f)
	items := strings.Repeat(`{"asset":"Gold","horizon_years":5},`, maxItems-1) + `{"asset":"Gold","horizon_years":5}`
	batch := fmt.Sprintf("POST /api/v1/predict/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n{\"items\":[%s]}", len(items)+12, items)
	var slow []net.Conn
	refused := false
	for range 12 {
		c := r.dial()
		slow = append(slow, c)
		if err := c.(*net.TCPConn).SetReadBuffer(4096); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, batch); err != nil {
			t.Fatal(err)
		}
		head := make([]byte, len("HTTP/1.1 200"))
		if _, err := io.ReadFull(c, head); err != nil {
			t.Fatal(err)
		}
		refused = refused || strings.HasSuffix(string(head), "503")
	}
	if !refused {
		t.Error("twelve answers of several MB each were made for readers who do not read")
	}
	if n := f.held.bytes.Load(); n > 2*f.held.limit {
		t.Errorf("%d bytes are held, the limit is %d", n, f.held.limit)
	}
	for _, c := range slow {
		c.Close()
	}
	f.waitHeld(func(n int64) bool { return n == 0 })
	if status, _, body := r.raw(batch); status != 200 {
		t.Errorf("afterwards: %d %.300s", status, body)
	}
	r.end()
}

// What an upload asks is counted while it arrives, and given back.
func TestUploadsAreCounted(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	text := "asset,horizon_years\n" + strings.Repeat("Gold,5\n", 2000)
	f.do("POST", "/api/v1/predict/upload", text, "Content-Type", csvType).want(200)
	if n := f.held.bytes.Load(); n != 0 {
		t.Errorf("%d bytes are held after the answer", n)
	}
	f.held.limit = 100 << 10
	f.held.bytes.Store(1)
	if p := f.do("POST", "/api/v1/predict/upload", text, "Content-Type", csvType).problem(503); !strings.HasSuffix(p.Type, "busy") {
		t.Errorf("%s", p.Type)
	}
	if n := f.held.bytes.Load(); n != 1 {
		t.Errorf("%d bytes are held after the refusal", n-1)
	}
}
