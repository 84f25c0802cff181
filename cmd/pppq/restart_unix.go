//go:build unix

package main

import (
	"os"
	"syscall"
)

// restart replaces this process by the program's new file, with the same
// arguments and environment.
func restart(executable string) error {
	return syscall.Exec(executable, os.Args, os.Environ())
}
