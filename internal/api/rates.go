package api

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// maxBuckets bounds the callers that are remembered at once.
const maxBuckets = 1 << 16

// rates give every key, or address without one, a bucket of tokens: a request
// takes one, time puts them back.
type rates struct {
	rate, burst float64
	// policy is the RateLimit-Policy header.
	policy []string
	now    func() time.Time

	mu      sync.Mutex
	buckets map[caller]*bucket
}

// A caller is who a bucket belongs to.
type caller struct {
	key  string
	addr netip.Addr
}

type bucket struct {
	tokens float64
	at     time.Time
}

// newRates returns nil for no limit.
func newRates(rate float64, burst int, now func() time.Time) *rates {
	if rate <= 0 {
		return nil
	}
	b := float64(burst)
	if burst == 0 {
		b = math.Max(1, 2*rate)
	}
	policy := fmt.Sprintf(`"default";q=%.0f;w=%.0f`, b, math.Max(1, math.Ceil(b/rate)))
	return &rates{rate: rate, burst: b, policy: []string{policy}, now: now, buckets: map[caller]*bucket{}}
}

// take takes a token for a call and sets the RateLimit headers; the error is a
// 429 problem if there is none.
func (r *rates) take(c *call) error {
	if r == nil {
		return nil
	}
	who := caller{key: c.key}
	if who.key == "" {
		who.addr = subnet(c.addr)
	}
	left := r.tokens(who)
	header := c.w.Header()
	header["Ratelimit-Policy"] = r.policy
	header["Ratelimit"] = []string{`"default";r=` + strconv.Itoa(int(math.Max(0, left))) + ";t=" + strconv.Itoa(int(math.Ceil((r.burst-math.Max(0, left))/r.rate)))}
	if left >= 0 {
		return nil
	}
	wait := time.Duration(-left / r.rate * 1e9)
	return newProblem(kindTooFast, "slow down: see the RateLimit headers").with("Retry-After", seconds(wait))
}

// tokens takes one token and returns what is left; below 0 there was none, and
// its absolute value is what was missing.
func (r *rates) tokens(who caller) float64 {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.buckets[who]
	if b == nil {
		if len(r.buckets) >= maxBuckets {
			r.sweep(now)
		}
		b = &bucket{tokens: r.burst, at: now}
		r.buckets[who] = b
	}
	b.tokens = math.Min(r.burst, b.tokens+now.Sub(b.at).Seconds()*r.rate)
	b.at = now
	if b.tokens < 1 {
		return b.tokens - 1
	}
	b.tokens--
	return b.tokens
}

// sweep forgets callers whose buckets are full again, and of the others as many
// as leave an eighth of the room free: a flood of addresses costs bounded memory
// and, on average, little time.
func (r *rates) sweep(now time.Time) {
	full := time.Duration(r.burst / r.rate * 1e9)
	for who, b := range r.buckets {
		if now.Sub(b.at) >= full {
			delete(r.buckets, who)
		}
	}
	for who := range r.buckets {
		if len(r.buckets) <= maxBuckets/8*7 {
			return
		}
		delete(r.buckets, who)
	}
}

// subnet is what counts as one caller: an IPv4 address, or the /64 that one
// IPv6 subscriber has.
func subnet(a netip.Addr) netip.Addr {
	if a.Is6() && !a.Is4In6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}
