//go:build linux || darwin

package bundle_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pppq/pppq/internal/bundle"
)

// childVariable tells a second process of this test what to do, folderVariable
// where.
const (
	childVariable  = "BUNDLE_TEST_CHILD"
	folderVariable = "BUNDLE_TEST_FOLDER"
)

// TestMain is also the second process.
func TestMain(m *testing.M) {
	if child := os.Getenv(childVariable); child != "" {
		os.Exit(runChild(child))
	}
	os.Exit(m.Run())
}

// runChild is the second process.
func runChild(what string) int {
	f := bundle.Folder{Dir: os.Getenv(folderVariable), Program: program}
	var err error
	switch what {
	case "write":
		err = writeForever(f)
	case "full":
		err = writeWithoutRoom(f)
	case "unprivileged":
		err = writeWithoutRights(f)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func child(t *testing.T, what string, f bundle.Folder) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+what, folderVariable+"="+f.Dir)
	return cmd
}

// writeForever does all that changes a folder, over and over.
func writeForever(f bundle.Folder) error {
	b, _, err := f.LoadCurrent()
	if err != nil {
		return err
	}
	w, err := f.Lock("test child", time.Now())
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for i := 1; ; i++ {
		c := b.Contents()
		c.Created = time.Now()
		v, err := w.Write(c)
		if err != nil {
			return err
		}
		if err := w.Promote(v); err != nil {
			return err
		}
		if i%3 == 0 {
			if _, err := w.Rollback(); err != nil {
				return err
			}
		}
		if _, err := w.Prune(2); err != nil {
			return err
		}
	}
}

// TestKilled ends a writer at 20 random moments: what is in service loads each
// time, and so does every version that has a name.
func TestKilled(t *testing.T) {
	t.Parallel()
	f := folder(t)
	w, err := f.Lock("test", created)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w, 1)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		cmd := child(t, "write", f)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil || line != "ready\n" {
			t.Fatalf("child says %q, %v", line, err)
		}
		time.Sleep(time.Duration(random.IntN(80_000)) * time.Microsecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("the child ended by itself: %v", cmd.ProcessState)
		}

		if _, refused, err := f.LoadCurrent(); err != nil || len(refused) > 0 {
			t.Fatalf("after a kill: %v, %v", refused, err)
		}
		list, err := f.List()
		if err != nil {
			t.Fatal(err)
		}
		inService := 0
		for _, e := range list {
			load(t, f, e.Version)
			if e.InService {
				inService++
			}
		}
		if inService != 1 {
			t.Fatalf("%d versions are in service", inService)
		}
	}
	w = lock(t, f)
	for _, name := range names(t, filepath.Join(f.Dir, "pppq")) {
		if bundle.CheckVersion(name) != nil && !slices.Contains([]string{".lock", "current", "history"}, name) {
			t.Errorf("%s is left after the next writer came", name)
		}
	}
	write(t, w, 1)
}

// writeWithoutRoom tries with files limited to ever more bytes.
func writeWithoutRoom(f bundle.Folder) error {
	b, _, err := f.LoadCurrent()
	if err != nil {
		return err
	}
	w, err := f.Lock("test child", time.Now())
	if err != nil {
		return err
	}
	all := b.Manifest.Files
	slices.SortFunc(all, func(a, b bundle.File) int { return int(a.Size - b.Size) })
	for _, file := range all {
		// Every file of this size and above has no room.
		limit := syscall.Rlimit{Cur: uint64(file.Size - 1), Max: syscall.RLIM_INFINITY & (1<<63 - 1)}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			return err
		}
		if _, err := w.Write(b.Contents()); !errors.Is(err, syscall.EFBIG) {
			return fmt.Errorf("limit %d: got %v, want %w", limit.Cur, err, syscall.EFBIG)
		} else if strings.Contains(err.Error(), "\n") {
			return fmt.Errorf("more than one line: %w", err)
		}
	}
	return w.Close()
}

// TestDiskFull runs out of room in each file.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	f := folder(t)
	w, err := f.Lock("test", created)
	if err != nil {
		t.Fatal(err)
	}
	v := write(t, w, 1)[0]
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if out, err := child(t, "full", f).Output(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := []string{".lock", v, "current", "history"}
	if got := names(t, filepath.Join(f.Dir, "pppq")); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, refused, err := f.LoadCurrent(); err != nil || len(refused) > 0 {
		t.Errorf("got %v, %v", refused, err)
	}
}

// writeWithoutRights tries as a user who may read only; root becomes one first.
func writeWithoutRights(f bundle.Folder) error {
	if os.Getuid() == 0 {
		if err := syscall.Setuid(65534); err != nil {
			return err
		}
	}
	if _, refused, err := f.LoadCurrent(); err != nil || len(refused) > 0 {
		return fmt.Errorf("reading: %v, %w", refused, err)
	}
	for _, dir := range []string{f.Dir, filepath.Join(f.Dir, "new", "folder")} {
		_, err := bundle.Folder{Dir: dir, Program: program}.Lock("test child", created)
		if !errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("%s: got %v, want %w", dir, err, fs.ErrPermission)
		}
		fmt.Println(err)
	}
	return nil
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	f := folder(t)
	w, err := f.Lock("test", created)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w, 1)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(f.Dir, "pppq")
	for _, dir := range []string{filepath.Dir(f.Dir), f.Dir, root} {
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(root, ".lock"), 0o444); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // so that the folder can be removed
		for _, dir := range []string{filepath.Dir(f.Dir), f.Dir, root} {
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Error(err)
			}
		}
	})
	out, err := child(t, "unprivileged", f).Output()
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if err != nil || len(lines) != 2 || !strings.Contains(lines[0], f.Dir) || !strings.Contains(lines[1], f.Dir) {
		t.Fatalf("%v: got\n%swant two lines that name the folder", err, out)
	}
}
