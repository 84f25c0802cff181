package api

import (
	"context"
	"math"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// How long a request may be kept waiting for a place, however short its own work
// is; longer work may wait for a quarter of what it takes.
const (
	quickPatience = 100 * time.Millisecond
	longPatience  = 10 * time.Millisecond
)

// A gate admits requests to work: so many at once, so many more waiting in
// order, and none whose wait would be long beside its own work. The rest is
// told at once when to come again, so that those inside stay quick.
type gate struct {
	width, queue int
	patience     time.Duration
	now          func() time.Time

	mu      sync.Mutex
	working []*place
	waiting []*place
	// queued is the expected duration of all that wait.
	queued time.Duration
}

func newGate(width, queue int, patience time.Duration, now func() time.Time) *gate {
	return &gate{width: width, queue: queue, patience: patience, now: now}
}

// A cost learns what a unit of work of one route takes.
type cost struct {
	// bits of a float64: seconds a unit, 0 while unknown.
	bits atomic.Uint64
}

// expect is the expected duration of so many units.
func (c *cost) expect(units float64) time.Duration {
	return time.Duration(units * math.Float64frombits(c.bits.Load()) * 1e9)
}

// learn moves the mean an eighth of the way to what was seen; one that took far
// longer, because something else held the processor, counts as four times the
// mean.
func (c *cost) learn(units float64, took time.Duration) {
	seen, mean := took.Seconds()/units, math.Float64frombits(c.bits.Load())
	if mean == 0 {
		mean = seen
	}
	seen = min(seen, 4*mean)
	c.bits.Store(math.Float64bits(mean + (seen-mean)/8)) // a lost update is one sample less
}

// A place is a request at work, or on its way there.
type place struct {
	gate     *gate
	cost     *cost
	units    float64
	expected time.Duration
	// turn is closed when a waiting request may begin.
	turn  chan struct{}
	began time.Time
	left  atomic.Bool
}

// full reports, as enter would, that there is no place soon, for a request whose
// body is not read yet.
func (g *gate) full(c *cost, units float64) error {
	now, expected := g.now(), c.expect(units)
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refuse(now, expected)
}

// refuse is the problem of a request that can't wait; nil if there is a place or
// room in the line.
func (g *gate) refuse(now time.Time, expected time.Duration) error {
	if len(g.working) < g.width {
		return nil
	}
	wait := g.queued
	for _, p := range g.working {
		wait += max(0, p.expected-now.Sub(p.began))
	}
	wait /= time.Duration(g.width)
	if len(g.waiting) >= g.queue || wait > max(g.patience, expected/4) {
		return busy(wait)
	}
	return nil
}

// enter waits for a place. The error is a *Problem with Retry-After if there is
// none soon, or that of ctx.
func (g *gate) enter(ctx context.Context, c *cost, units float64) (*place, error) {
	p := &place{gate: g, cost: c, units: units, expected: c.expect(units)}
	now := g.now()
	g.mu.Lock()
	if err := g.refuse(now, p.expected); err != nil {
		g.mu.Unlock()
		return nil, err
	}
	if len(g.working) < g.width {
		p.began = now
		g.working = append(g.working, p)
		g.mu.Unlock()
		return p, nil
	}
	p.turn = make(chan struct{})
	g.waiting = append(g.waiting, p)
	g.queued += p.expected
	g.mu.Unlock()
	select {
	case <-p.turn:
		return p, nil
	case <-ctx.Done():
		g.forget(p)
		return nil, ctx.Err()
	}
}

// leave gives the place to the next in line; a second time it does nothing.
func (p *place) leave() {
	if p.left.Swap(true) {
		return
	}
	g := p.gate
	now := g.now()
	p.cost.learn(p.units, now.Sub(p.began))
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pass(p, now)
}

// pass takes a place away and gives it to the first that waits.
func (g *gate) pass(p *place, now time.Time) {
	i := slices.Index(g.working, p)
	if len(g.waiting) == 0 {
		g.working = slices.Delete(g.working, i, i+1)
		return
	}
	next := g.waiting[0]
	g.waiting = slices.Delete(g.waiting, 0, 1)
	g.queued -= next.expected
	next.began = now
	g.working[i] = next
	close(next.turn)
}

// forget takes a request out of the line; if its turn came meanwhile, the place
// goes on to the next.
func (g *gate) forget(p *place) {
	now := g.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.waiting, p); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
		g.queued -= p.expected
		return
	}
	g.pass(p, now)
}

// busy is the problem of a full gate: come again when the line is done.
func busy(wait time.Duration) error {
	return newProblem(kindBusy, "as much as can be done is at work; try again later").with("Retry-After", seconds(wait))
}

// seconds is a duration as Retry-After gives it: whole, at least 1.
func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}
