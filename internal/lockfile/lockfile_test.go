package lockfile_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pppq/pppq/internal/lockfile"
)

var since = time.Date(2026, time.November, 23, 10, 15, 0, 0, time.UTC)

// TestMain is also the other process: told a path, it takes the lock there,
// says so and waits for its end.
func TestMain(m *testing.M) {
	path := os.Getenv("LOCKFILE_TEST_PATH")
	if path == "" {
		os.Exit(m.Run())
	}
	if _, err := lockfile.Acquire(path, "pppq train", since); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("locked")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func TestHeldInOneProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), ".lock")
	l, err := lockfile.Acquire(path, "pppq up\n--once", since)
	if err != nil {
		t.Fatal(err)
	}
	_, err = lockfile.Acquire(path, "pppq train", since)
	var held *lockfile.HeldError
	if !errors.As(err, &held) {
		t.Fatalf("got %v, want a HeldError", err)
	}
	want := lockfile.Holder{PID: os.Getpid(), Command: "pppq up --once", Since: since}
	if diff := cmp.Diff(want, held.Holder); diff != "" {
		t.Errorf("holder (-want +got):\n%s", diff)
	}
	for range 2 {
		if err := l.Release(); err != nil {
			t.Fatal(err)
		}
	}
	l, err = lockfile.Acquire(path, "pppq train", since)
	if err != nil {
		t.Fatalf("after Release: %v", err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
}

func TestHeldByAnotherProcessUntilItIsKilled(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), ".lock")
	other := exec.Command(os.Args[0])
	other.Env = append(os.Environ(), "LOCKFILE_TEST_PATH="+path)
	stdin, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		t.Fatalf("the other process said %q, %v", line, err)
	}
	_, err = lockfile.Acquire(path, "pppq import", since)
	want := fmt.Sprintf("%s is locked by process %d (pppq train) since 2026-11-23 10:15:00 UTC; wait for it to end, or stop it, and try again",
		path, other.Process.Pid)
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := other.Wait(); err == nil {
		t.Error("the killed process ended well")
	}
	l, err := lockfile.Acquire(path, "pppq import", since)
	if err != nil {
		t.Fatalf("after the holder was killed: %v", err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
}

func TestAcquireRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "none", ".lock")} {
		_, err := lockfile.Acquire(path, "pppq up", since)
		var held *lockfile.HeldError
		if err == nil || errors.As(err, &held) || !strings.HasPrefix(err.Error(), "lock "+path+": ") {
			t.Errorf("%s: got %v, want the reason why it can't be locked", path, err)
		}
	}
}
