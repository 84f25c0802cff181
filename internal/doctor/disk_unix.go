//go:build linux || darwin || freebsd

package doctor

import (
	"io/fs"
	"syscall"
)

// DiskFree is how many bytes a user without special rights can still write
// where path is.
func DiskFree(path string) (int64, error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(path, &stat); err != nil {
		return 0, &fs.PathError{Op: "free space of", Path: path, Err: err}
	}
	return int64(stat.Bavail) * int64(stat.Bsize), nil
}
