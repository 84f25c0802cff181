//go:build !linux

package usertest

import (
	"os"
	"testing"
)

// Ordinary skips the test where root runs it: only Linux can drop its rights for
// a thread.
func Ordinary(t testing.TB) {
	t.Helper()
	if os.Geteuid() == 0 {
		t.Skip("needs a user other than root, or Linux's setfsuid")
	}
}
