//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package lockfile

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A process that forks gives its child a copy of every descriptor for a moment.
func TestReleaseWhileADescriptorIsCopied(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), ".lock")
	l, err := Acquire(path, "pppq up", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	copied, err := syscall.Dup(int(l.f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(copied)
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	l, err = Acquire(path, "pppq train", time.Time{})
	if err != nil {
		t.Fatalf("after Release: %v", err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
}
