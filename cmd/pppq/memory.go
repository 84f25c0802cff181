package main

import (
	"math"
	"os"
	"runtime/debug"

	"github.com/pppq/pppq/internal/cgroup"
)

const (
	// anyMemory leaves memory to the container alone.
	anyMemory = math.MaxInt64
	// trainMemory is what a walk-forward test keeps its memory near: the models of
	// all Januaries live at once, and garbage beside them would double that.
	trainMemory = 360 << 20
)

// limitMemory makes the collector keep near the given number of bytes, and
// below nine tenths of the container's memory, so that a small container is
// collected more often and not killed. GOMEMLIMIT wins. It is no hard limit. The
// number of threads needs nothing: the runtime follows the container's share of
// processors by itself.
func limitMemory(bytes int64) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	if limit, ok := cgroup.MemoryLimit(os.DirFS("/")); ok {
		bytes = min(bytes, limit/10*9)
	}
	debug.SetMemoryLimit(bytes)
}
