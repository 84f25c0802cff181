package api

import (
	"context"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// How long a request may be kept waiting for a place, however short its own work
// is; longer work may wait for a quarter of what it takes.
const (
	quickPatience = 100 * time.Millisecond
	longPatience  = 25 * time.Millisecond
)

// A gate admits requests to work: so many at once, so many more waiting in
// order, and none whose wait would be long beside its own work. The rest is
// told at once when to come again, so that those inside stay quick.
//
// How long the wait would be is reckoned as if all admitted work stood in one
// line: it ends at until, each admission moves until on by its expected
// duration, and each departure by how much longer it took than expected.
type gate struct {
	width, queue int
	patience     time.Duration
	now          func() time.Time

	mu      sync.Mutex
	busy    int
	until   time.Time
	waiting []chan struct{}
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

// A place is a request at work.
type place struct {
	gate     *gate
	cost     *cost
	units    float64
	expected time.Duration
	began    time.Time
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
	if g.busy < g.width {
		return nil
	}
	wait := g.until.Sub(now)
	if len(g.waiting) >= g.queue || wait > max(g.patience, expected/4) {
		return busy(wait)
	}
	return nil
}

// enter waits for a place. The error is a *Problem with Retry-After if there is
// none soon, or that of ctx.
func (g *gate) enter(ctx context.Context, c *cost, units float64) (place, error) {
	p := place{gate: g, cost: c, units: units, expected: c.expect(units)}
	now := g.now()
	g.mu.Lock()
	if g.busy == 0 || g.until.Before(now) {
		g.until = now
	}
	if err := g.refuse(now, p.expected); err != nil {
		g.mu.Unlock()
		return place{}, err
	}
	if g.busy < g.width {
		g.busy++
		g.until = g.until.Add(p.expected / time.Duration(g.width))
		g.mu.Unlock()
		p.began = now
		return p, nil
	}
	turn := make(chan struct{})
	g.waiting = append(g.waiting, turn)
	g.until = g.until.Add(p.expected / time.Duration(g.width))
	g.mu.Unlock()
	select {
	case <-turn:
		p.began = g.now()
		return p, nil
	case <-ctx.Done():
		g.forget(turn, p)
		return place{}, ctx.Err()
	}
}

// leave gives the place to the next in line.
func (p place) leave() {
	took := p.gate.now().Sub(p.began)
	p.cost.learn(p.units, took)
	g := p.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	g.until = g.until.Add((took - p.expected) / time.Duration(g.width))
	g.pass()
}

// pass hands a place on, or frees it.
func (g *gate) pass() {
	if len(g.waiting) == 0 {
		g.busy--
		return
	}
	next := g.waiting[0]
	g.waiting = g.waiting[1:]
	close(next)
}

// forget takes a request out of the line; if its turn came meanwhile, the place
// goes on to the next.
func (g *gate) forget(turn chan struct{}, p place) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.until = g.until.Add(-p.expected / time.Duration(g.width))
	for i, w := range g.waiting {
		if w == turn {
			g.waiting = append(g.waiting[:i:i], g.waiting[i+1:]...)
			return
		}
	}
	g.pass()
}

// atWork is how many places are taken and how many wait.
func (g *gate) atWork() (busy, waiting int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.busy, len(g.waiting)
}

// busy is the problem of a full gate: come again when the line is done.
func busy(wait time.Duration) error {
	return newProblem(kindBusy, "as much as can be done is at work; try again later").with("Retry-After", seconds(wait))
}

// seconds is a duration as Retry-After gives it: whole, at least 1.
func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}
