//go:build unix

package lockfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pppq/pppq/internal/lockfile"
)

// A note that nobody wrote, or that is half written, still gives an answer.
func TestHeldByNobodyKnown(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), ".lock")
	l, err := lockfile.Acquire(path, "pppq up", since)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Release(); err != nil {
			t.Error(err)
		}
	}()
	for _, note := range []string{"", "pid x\n", "pid 1\ncommand a\nsince yesterday\n"} {
		if err := os.WriteFile(path, []byte(note), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := lockfile.Acquire(path, "pppq train", since)
		var held *lockfile.HeldError
		if !errors.As(err, &held) || held.Holder != (lockfile.Holder{}) || !strings.Contains(err.Error(), "another process") {
			t.Errorf("%q: got %v, want a HeldError without a holder", note, err)
		}
	}
}
