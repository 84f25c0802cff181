package api

import (
	"context"
	"errors"
	"testing"
	"time"
)

// atWork is how many places are taken and how many wait.
func (g *gate) atWork() (busy, waiting int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.working), len(g.waiting)
}

// A clock that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func TestGateBounds(t *testing.T) {
	t.Parallel()
	clk := &clock{today}
	g := newGate(1, 1, quickPatience, clk.now)
	quick := new(cost)
	first, err := g.enter(context.Background(), quick, 1)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan *place)
	go func() {
		p, err := g.enter(context.Background(), quick, 1)
		if err != nil {
			t.Error(err)
		}
		got <- p
	}()
	for {
		if _, waiting := g.atWork(); waiting == 1 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	var p *Problem
	if _, err := g.enter(context.Background(), quick, 1); !errors.As(err, &p) || p.Status != 503 || p.headers.Get("Retry-After") != "1" {
		t.Errorf("with one at work and one waiting: %v", err)
	}
	first.leave()
	second := <-got
	if busy, waiting := g.atWork(); busy != 1 || waiting != 0 {
		t.Errorf("%d at work, %d waiting after the place was handed on", busy, waiting)
	}
	second.leave()
	second.leave()
	if busy, _ := g.atWork(); busy != 0 {
		t.Errorf("%d at work at the end", busy)
	}
}

// Who would wait for longer than a quarter of what its own work takes is told at once
// when to come again.
func TestGateRefusesLongWaits(t *testing.T) {
	t.Parallel()
	clk := &clock{today}
	g := newGate(1, 100, longPatience, clk.now)
	long := new(cost)
	p, err := g.enter(context.Background(), long, 1)
	if err != nil {
		t.Fatal(err)
	}
	clk.at = clk.at.Add(4 * time.Second)
	p.leave()
	if got := long.expect(1); got != 4*time.Second {
		t.Fatalf("4 s of work are learned as %v", got)
	}
	p, err = g.enter(context.Background(), long, 1)
	if err != nil {
		t.Fatal(err)
	}
	var busy *Problem
	if err := g.full(long, 1); !errors.As(err, &busy) || busy.headers.Get("Retry-After") != "4" {
		t.Errorf("4 s before a place, asked early: %v", err)
	}
	if _, err := g.enter(context.Background(), long, 1); !errors.As(err, &busy) || busy.headers.Get("Retry-After") != "4" {
		t.Errorf("4 s before a place: %v", err)
	}
	clk.at = clk.at.Add(3500 * time.Millisecond)
	ctx, cancel := context.WithCancel(context.Background())
	waits := make(chan error)
	go func() {
		_, err := g.enter(ctx, long, 1)
		waits <- err
	}()
	for {
		if _, waiting := g.atWork(); waiting == 1 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	// Who leaves the line takes nothing along.
	cancel()
	if err := <-waits; !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up waiting got %v", err)
	}
	p.leave()
	if busy, waiting := g.atWork(); busy != 0 || waiting != 0 {
		t.Errorf("%d at work, %d waiting at the end", busy, waiting)
	}
	if _, err := g.enter(context.Background(), long, 1); err != nil {
		t.Errorf("an idle gate refuses: %v", err)
	}
}

// A place whose request was held up, by whatever, does not make the line look
// long for those that come after it.
func TestGateForgetsDelays(t *testing.T) {
	t.Parallel()
	clk := &clock{today}
	g := newGate(1, 100, quickPatience, clk.now)
	c := new(cost)
	for range 20 {
		p, err := g.enter(context.Background(), c, 1)
		if err != nil {
			t.Fatal(err)
		}
		clk.at = clk.at.Add(time.Millisecond)
		p.leave()
	}
	p, err := g.enter(context.Background(), c, 1)
	if err != nil {
		t.Fatal(err)
	}
	clk.at = clk.at.Add(10 * time.Second)
	waiter := make(chan *place)
	go func() {
		p, err := g.enter(context.Background(), c, 1)
		if err != nil {
			t.Error(err)
		}
		waiter <- p
	}()
	for {
		if _, waiting := g.atWork(); waiting == 1 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	p.leave()
	if err := g.full(c, 1); err != nil {
		t.Errorf("after a delay of 10 s: %v", err)
	}
	(<-waiter).leave()
	if g.queued != 0 {
		t.Errorf("%v are queued at the end", g.queued)
	}
}

// One request that was held up does not make the next ones look long.
func TestCostIsRobust(t *testing.T) {
	t.Parallel()
	var c cost
	c.learn(1, time.Millisecond)
	c.learn(1, time.Second)
	if got := c.expect(1); got > 1500*time.Microsecond {
		t.Errorf("1 ms and one outlier are expected to take %v", got)
	}
	for range 100 {
		c.learn(10, time.Second)
	}
	if got := c.expect(1); got < 90*time.Millisecond || got > 100*time.Millisecond {
		t.Errorf("100 ms a unit are learned as %v", got)
	}
}

func TestGatesDivide(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ inFlight, short, long int }{{1, 1, 1}, {2, 1, 1}, {3, 2, 1}, {8, 4, 4}} {
		o := Options{MaxInFlight: c.inFlight, MaxQueue: 4, Now: time.Now}
		short, long := newGates(&o)
		if short.width != c.short || long.width != c.long || (short == long) != (c.inFlight == 1) {
			t.Errorf("%d places: %d and %d, want %d and %d", c.inFlight, short.width, long.width, c.short, c.long)
		}
	}
}
