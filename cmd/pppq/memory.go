package main

import (
	"os"
	"runtime/debug"

	"github.com/pppq/pppq/internal/cgroup"
)

// limitMemory makes the collector keep below nine tenths of the container's
// memory, so that a small container is collected more often and not killed.
// GOMEMLIMIT wins. The number of threads needs nothing: the runtime follows the
// container's share of processors by itself.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	if limit, ok := cgroup.MemoryLimit(os.DirFS("/")); ok {
		debug.SetMemoryLimit(limit / 10 * 9)
	}
}
