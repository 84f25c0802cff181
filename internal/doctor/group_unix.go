//go:build unix

package doctor

import (
	"io/fs"
	"syscall"
)

// groupOf is the numeric group of a file; false where that is not known.
func groupOf(stat fs.FileInfo) (int, bool) {
	if stat == nil {
		return 0, false
	}
	sys, ok := stat.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(sys.Gid), true
}
