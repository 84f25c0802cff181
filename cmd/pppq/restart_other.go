//go:build !unix

package main

import "fmt"

// restart is not possible where a process cannot be replaced.
func restart(executable string) error {
	return fmt.Errorf("%s was replaced: start it again", executable)
}
