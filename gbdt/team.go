package gbdt

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A team is a number of goroutines that share pieces of work which come one after another with little between them, as
// those of a tree do: whoever waits for the next piece keeps looking for a while before it sleeps, since waking a
// sleeping thread takes longer than many pieces last. One goroutine at a time gives work.
type team struct {
	helpers []helper
	running sync.WaitGroup
}

// newTeam returns a team of so many goroutines, the one that gives the work included. It must be closed.
func newTeam(threads int) *team {
	t := &team{helpers: make([]helper, threads-1)}
	for i := range t.helpers {
		h := &t.helpers[i]
		h.wake = make(chan struct{}, 1)
		t.running.Go(h.serve)
	}
	return t
}

// close ends the helpers and returns when they have ended.
func (t *team) close() {
	for i := range t.helpers {
		close(t.helpers[i].wake)
	}
	t.running.Wait()
}

// run calls work(0) ... work(n-1), each once, and returns when all calls have returned. Helpers that have not begun when
// nothing is left are not waited for.
func (t *team) run(n int, work func(i int)) {
	helpers := t.helpers[:max(0, min(len(t.helpers), n-1))]
	j := &job{n: int64(n), work: work}
	j.helpers.Store(int32(len(helpers)))
	for i := range helpers {
		helpers[i].give(j)
	}
	j.run()
	for i := range helpers {
		if helpers[i].job.CompareAndSwap(j, nil) {
			j.helpers.Add(-1)
		}
	}
	for spin := 1; j.helpers.Load() > 0; spin++ {
		if spin%looks == 0 {
			runtime.Gosched()
		}
	}
}

// A job is work that is shared.
type job struct {
	n    int64
	work func(i int)
	next atomic.Int64
	// helpers is the number of those that may take or have taken the job, and have not left it.
	helpers atomic.Int32
}

func (j *job) run() {
	for {
		i := j.next.Add(1) - 1
		if i >= j.n {
			return
		}
		j.work(int(i))
	}
}

// A helper waits for jobs and takes part in them.
type helper struct {
	job    atomic.Pointer[job]
	asleep atomic.Bool
	wake   chan struct{} // closed at the end
	_      [64]byte      // the next helper's is another cache line
}

const (
	// looks is how often a goroutine looks for work before it lets others run.
	looks = 64
	// rounds of looks are some tenths of a millisecond.
	lookRounds = 1000
)

func (h *helper) give(j *job) {
	h.job.Store(j)
	if h.asleep.Load() {
		select {
		case h.wake <- struct{}{}:
		default: // it has been told
		}
	}
}

func (h *helper) serve() {
	for {
		j := h.look()
		for j == nil {
			// Whoever gives a job now either sees that the helper sleeps, or is seen.
			h.asleep.Store(true)
			if j = h.take(); j == nil {
				if _, open := <-h.wake; !open {
					return
				}
			}
			h.asleep.Store(false)
			if j == nil {
				j = h.look()
			}
		}
		j.run()
		j.helpers.Add(-1)
	}
}

// look waits for a job for a while.
func (h *helper) look() *job {
	for range lookRounds {
		for range looks {
			if j := h.take(); j != nil {
				return j
			}
		}
		runtime.Gosched()
	}
	return nil
}

func (h *helper) take() *job {
	if j := h.job.Load(); j != nil && h.job.CompareAndSwap(j, nil) {
		return j
	}
	return nil
}
