//go:build unix

package atomicfile_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pppq/pppq/internal/atomicfile"
)

// TestDiskFull runs out of room: a second process whose files may hold 4 KiB.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	const folder = "ATOMICFILE_TEST_DIR"
	if dir := os.Getenv(folder); dir != "" {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: 4096}); err != nil {
			t.Fatal(err)
		}
		err := atomicfile.WriteFile(filepath.Join(dir, "a.csv"), text(strings.Repeat("new\n", 50_000)))
		if !errors.Is(err, syscall.EFBIG) {
			t.Fatalf("got %v, want %v", err, syscall.EFBIG)
		}
		fmt.Println(err)
		return
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "a.csv")
	if err := atomicfile.WriteFile(path, text("old\n")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestDiskFull$")
	cmd.Env = append(os.Environ(), folder+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "write "+path+": file too large\n") {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := read(t, path); got != "old\n" {
		t.Errorf("got %q, want the old content", got)
	}
	if diff := cmp.Diff([]string{"a.csv"}, names(t, dir)); diff != "" {
		t.Errorf("folder (-want +got):\n%s", diff)
	}
}
