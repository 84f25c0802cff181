package gbdt

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// threadCount returns the number of goroutines to use where n are asked for: GOMAXPROCS if n is below 1.
func threadCount(n int) int {
	if n < 1 {
		return runtime.GOMAXPROCS(0)
	}
	return n
}

// parallel calls work(0) ... work(n-1), each once, on up to threads goroutines, and waits for them. The calls must not
// depend on one another. With one thread they run in order on the caller's goroutine.
func parallel(n, threads int, work func(i int)) {
	threads = min(threads, n)
	if threads <= 1 {
		for i := range n {
			work(i)
		}
		return
	}
	var next atomic.Int64
	run := func() {
		for {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			work(i)
		}
	}
	var wg sync.WaitGroup
	for range threads - 1 {
		wg.Go(run)
	}
	run()
	wg.Wait()
}

// chunkRows is the number of rows that one piece of parallel work over rows holds. Sums over rows are made within a
// chunk first and then over the chunks in order, so that they do not depend on the number of threads.
const chunkRows = 4096

// chunks returns the number of chunks of n rows.
func chunks(n int) int { return (n + chunkRows - 1) / chunkRows }

// chunk returns the half-open range of rows of chunk i of n rows.
func chunk(i, n int) (from, to int) { return i * chunkRows, min((i+1)*chunkRows, n) }
