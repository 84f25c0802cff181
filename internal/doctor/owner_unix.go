//go:build unix

package doctor

import (
	"io/fs"
	"syscall"
)

// ownerOf is the numeric user and group of a file; false where they are not known.
func ownerOf(stat fs.FileInfo) (user, group int, ok bool) {
	if stat == nil {
		return 0, 0, false
	}
	sys, ok := stat.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(sys.Uid), int(sys.Gid), true
}
