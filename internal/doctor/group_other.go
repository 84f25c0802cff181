//go:build !unix

package doctor

import "io/fs"

// groupOf is not known on this system.
func groupOf(fs.FileInfo) (int, bool) { return 0, false }
