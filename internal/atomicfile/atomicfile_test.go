package atomicfile_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pppq/pppq/internal/atomicfile"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestWriteFileReplaces(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.csv")
	for _, s := range []string{"one\n", strings.Repeat("two\n", 50_000), ""} {
		if err := atomicfile.WriteFile(path, text(s)); err != nil {
			t.Fatal(err)
		}
		if got := read(t, path); got != s {
			t.Errorf("got %d bytes, want %d", len(got), len(s))
		}
	}
	if diff := cmp.Diff([]string{"a.csv"}, names(t, dir)); diff != "" {
		t.Errorf("folder (-want +got):\n%s", diff)
	}
}

func TestWriteFileKeepsTheOldOnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.csv")
	if err := atomicfile.WriteFile(path, text("old\n")); err != nil {
		t.Fatal(err)
	}
	cause := errors.New("figures ran out")
	err := atomicfile.WriteFile(path, func(w io.Writer) error {
		if err := text(strings.Repeat("half\n", 40_000))(w); err != nil {
			return err
		}
		return cause
	})
	if !errors.Is(err, cause) || !strings.HasPrefix(err.Error(), "write "+path+": ") {
		t.Errorf("got %v, want %v with the path", err, cause)
	}
	if got := read(t, path); got != "old\n" {
		t.Errorf("got %q, want the old content", got)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic of write got lost")
			}
		}()
		err := atomicfile.WriteFile(path, func(io.Writer) error { panic("bug") })
		t.Errorf("returned %v from a panic", err)
	}()
	if diff := cmp.Diff([]string{"a.csv"}, names(t, dir)); diff != "" {
		t.Errorf("folder (-want +got):\n%s", diff)
	}
}

func TestWriteFileRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "folder", "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path string
		want error
	}{
		"no folder":         {filepath.Join(dir, "none", "a"), fs.ErrNotExist},
		"file for a folder": {filepath.Join(dir, "file", "a"), nil},
		"folder for a file": {filepath.Join(dir, "folder"), nil},
		"no name":           {dir + string(filepath.Separator), fs.ErrInvalid},
	} {
		err := atomicfile.WriteFile(c.path, text("x"))
		if err == nil || (c.want != nil && !errors.Is(err, c.want)) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
			continue
		}
		if s := err.Error(); strings.Contains(s, ".tmp-") || strings.Contains(s, "\n") {
			t.Errorf("%s: got %q, want one line without the temporary name", name, s)
		}
	}
	if diff := cmp.Diff([]string{"file", "folder"}, names(t, dir)); diff != "" {
		t.Errorf("folder (-want +got):\n%s", diff)
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keep := []string{".a.csv.tmp-", ".a.csv.tmp-0123456789abcdeX", ".lock", "a.csv.tmp-0123456789abcdef"}
	for _, n := range append(keep, ".a.csv.tmp-0123456789abcdef") {
		if err := os.WriteFile(filepath.Join(dir, n), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := atomicfile.Clean(dir); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(keep, names(t, dir)); diff != "" {
		t.Errorf("folder (-want +got):\n%s", diff)
	}
	if err := atomicfile.Clean(filepath.Join(dir, "none")); err != nil {
		t.Errorf("no folder: %v", err)
	}
}

func ExampleWriteFile() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "current")
	err = atomicfile.WriteFile(path, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "20261122T181500Z-4f2a")
		return err
	})
	if err != nil {
		panic(err)
	}
	b, _ := os.ReadFile(path)
	fmt.Print(string(b))
	// Output: 20261122T181500Z-4f2a
}
