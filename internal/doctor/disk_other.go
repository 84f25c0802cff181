//go:build !linux && !darwin && !freebsd

package doctor

import (
	"errors"
	"io/fs"
)

// DiskFree is not known on this system.
func DiskFree(path string) (int64, error) {
	return 0, &fs.PathError{Op: "free space of", Path: path, Err: errors.ErrUnsupported}
}
