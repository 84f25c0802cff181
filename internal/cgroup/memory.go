// Package cgroup reads the limits that a container runs under.
package cgroup

import (
	"io/fs"
	"math"
	"strconv"
	"strings"
)

// files hold the memory limit under version 2 and version 1 of control groups,
// as a process inside a container sees them.
var files = []string{"sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"}

// MemoryLimit is the memory in bytes that this process and what runs beside it
// in its container may take. It is false where there is no limit or none can be
// read. Root is the root of the file system.
//
// Source: Linux kernel, Documentation/admin-guide/cgroup-v2.rst and
// cgroup-v1/memory.rst; version 1 says "no limit" with a number near 2^63.
func MemoryLimit(root fs.FS) (bytes int64, ok bool) {
	for _, name := range files {
		text, err := fs.ReadFile(root, name)
		if err != nil {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err != nil || n <= 0 || n > math.MaxInt64/2 {
			return 0, false
		}
		return n, true
	}
	return 0, false
}
