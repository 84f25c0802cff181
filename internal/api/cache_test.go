package api

import (
	"fmt"
	"testing"
)

// The bounds hold whatever comes; what is asked for again stays.
func TestCacheBounds(t *testing.T) {
	t.Parallel()
	c := newAnswers()
	hot := []byte("hot")
	c.put(string(hot), &answer{body: []byte("x")})
	kept := &answer{body: make([]byte, 10_000)}
	for i := range 3 * cacheEntries {
		c.put(fmt.Sprint("key ", i), kept)
		if i%400 == 0 && c.get(hot) == nil {
			t.Fatalf("what is asked for again is gone after %d others", i)
		}
		if n := len(c.young) + len(c.old); n > cacheEntries {
			t.Fatalf("%d entries, want at most %d", n, cacheEntries)
		}
	}
	bytes := 0
	for _, half := range []map[string]*answer{c.young, c.old} {
		for key, a := range half {
			bytes += a.size(key)
		}
	}
	if bytes > cacheBytes {
		t.Errorf("%d bytes, want at most %d", bytes, cacheBytes)
	}
	c.put("large", &answer{body: make([]byte, cacheValue+1)})
	if c.get([]byte("large")) != nil {
		t.Error("an answer above the bound is kept")
	}
}

// Only what is asked for a second time is kept.
func TestCacheDoor(t *testing.T) {
	t.Parallel()
	c := newAnswers()
	if c.again([]byte("a")) || c.again([]byte("b")) {
		t.Error("the first question counts as asked before")
	}
	if !c.again([]byte("a")) || !c.again([]byte("b")) {
		t.Error("the second question counts as new")
	}
}
