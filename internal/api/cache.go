package api

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/pppq/pppq/internal/telemetry"
)

const (
	// cacheEntries and cacheBytes bound the answers that one model keeps.
	cacheEntries = 4096
	cacheBytes   = 16 << 20
	// cacheKey and cacheValue bound one of them.
	cacheKey   = 4 << 10
	cacheValue = 64 << 10
)

// An answer is an encoded 200.
type answer struct {
	body []byte
	// length is the Content-Length header, etag and control are headers too, nil
	// if absent.
	length, etag, control []string
	// month is the month in which it is true: whether figures are stale changes
	// with it.
	month int
	// count and class say how a forecast is counted; count is nil for others.
	count *telemetry.Predictions
	class string
}

// size is what an entry holds in memory, about.
func (a *answer) size(key string) int { return len(key) + len(a.body) + 256 }

// answers keep the encoded answers of one model: the newer half, and the older
// half, which goes when the newer one is full. What is asked for again moves to
// the newer half, so it stays. Only what is asked for a second time is kept:
// questions that come once, as most what-ifs, push nothing out and cost nothing.
type answers struct {
	seed maphash.Seed
	// asked remembers the hashes of questions; a newer one takes the place of an
	// older one.
	asked        [2 * cacheEntries]atomic.Uint64
	mu           sync.RWMutex
	young, old   map[string]*answer
	bytes, limit int // of young; each half has half of the bounds
}

func newAnswers() *answers {
	return &answers{seed: maphash.MakeSeed(), young: map[string]*answer{}, old: map[string]*answer{}, limit: cacheBytes / 2}
}

// get returns the answer of a key, nil if there is none.
func (c *answers) get(key []byte) *answer {
	c.mu.RLock()
	a, ok := c.young[string(key)]
	if ok {
		c.mu.RUnlock()
		return a
	}
	a, ok = c.old[string(key)]
	c.mu.RUnlock()
	if ok {
		c.put(string(key), a)
		return a
	}
	return nil
}

// again notes that a question was asked and reports whether it was before.
func (c *answers) again(key []byte) bool {
	hash := maphash.Bytes(c.seed, key) | 1
	return c.asked[(hash>>1)%uint64(len(c.asked))].Swap(hash) == hash
}

// put keeps an answer under a key.
func (c *answers) put(key string, a *answer) {
	n := a.size(key)
	if len(key) > cacheKey || len(a.body) > cacheValue {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if last, ok := c.young[key]; ok {
		c.bytes -= last.size(key)
	} else if len(c.young) >= cacheEntries/2 || c.bytes+n > c.limit {
		c.old, c.young, c.bytes = c.young, map[string]*answer{}, 0
	}
	c.young[key] = a
	c.bytes += n
}
