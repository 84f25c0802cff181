package gbdt

import (
	"sync/atomic"
	"testing"
	"time"
)

// Each piece of each job is done once, whether helpers look, sleep, or come too late.
func TestTeam(t *testing.T) {
	t.Parallel()
	for _, threads := range []int{1, 2, 5} {
		m := newTeam(threads)
		for job := range 3000 {
			n := job % 23
			done := make([]int32, n)
			var calls atomic.Int32
			m.run(n, func(i int) {
				calls.Add(1)
				done[i]++ // the race detector sees a piece that two have
				if job%500 == 0 {
					time.Sleep(time.Millisecond)
				}
			})
			if int(calls.Load()) != n {
				t.Fatalf("%d threads: %d calls for %d pieces", threads, calls.Load(), n)
			}
			for i, d := range done {
				if d != 1 {
					t.Fatalf("%d threads: piece %d of %d was done %d times", threads, i, n, d)
				}
			}
			if job%1000 == 999 {
				time.Sleep(20 * time.Millisecond) // helpers fall asleep
			}
		}
		m.close()
	}
}
