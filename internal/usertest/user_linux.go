package usertest

import (
	"os"
	"runtime"
	"syscall"
	"testing"
)

// Ordinary makes the file system see the test as a user without rights of its
// own, also where root runs it. The test must not be parallel.
func Ordinary(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	// The identity belongs to the thread; the goroutine keeps it to itself, and
	// the thread ends with the test.
	runtime.LockOSThread()
	if err := syscall.Setfsuid(65534); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setfsuid(0); err != nil {
			t.Error(err)
		}
		runtime.UnlockOSThread()
	})
}
