package api

import (
	"sync"
	"testing"
	"time"
)

// Breaths of many at once all end, and each is noted.
func TestBreathe(t *testing.T) {
	t.Parallel()
	var running sync.WaitGroup
	for range 50 {
		running.Go(func() {
			var c call
			for range 200 {
				c.breath = time.Time{}
				c.breathe()
				if c.breath.IsZero() {
					t.Error("the breath was not noted")
				}
			}
		})
	}
	running.Wait()
}

// BenchmarkBreathe is what long work pays each millisecond.
func BenchmarkBreathe(b *testing.B) {
	var c call
	for b.Loop() {
		c.breath = time.Time{}
		c.breathe()
	}
}
