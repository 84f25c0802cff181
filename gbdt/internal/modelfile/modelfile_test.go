package modelfile

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadAllBound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		max  int64
		fits bool
	}{{9, false}, {10, true}, {11, true}, {1<<63 - 1, true}} {
		for name, r := range map[string]io.Reader{
			"sized":   strings.NewReader("0123456789"),
			"unsized": io.MultiReader(strings.NewReader("01234"), strings.NewReader("56789")),
		} {
			got, err := ReadAll(r, c.max)
			if c.fits && (err != nil || string(got) != "0123456789") {
				t.Errorf("%s, limit %d: got %q, %v", name, c.max, got, err)
			}
			if !c.fits && !errors.Is(err, ErrTooLarge) {
				t.Errorf("%s, limit %d: got %v, want ErrTooLarge", name, c.max, err)
			}
		}
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "m")
	if _, err := Load(path, 10); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent file: got %v", err)
	}
	if err := os.WriteFile(path, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := Load(path, 10); err != nil || string(got) != "0123456789" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := Load(path, 9); !errors.Is(err, ErrTooLarge) {
		t.Errorf("limit 9: got %v, want ErrTooLarge", err)
	}
}

func TestSave(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "m")
	put := func(s string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
	}
	pass := func([]byte) error { return nil }
	if err := Save(path, put("old"), pass); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}

	wrong := errors.New("wrong")
	for name, err := range map[string]error{
		"refused by check": Save(path, put("new"), func(b []byte) error {
			if !bytes.Equal(b, []byte("new")) {
				t.Errorf("check saw %q", b)
			}
			return wrong
		}),
		"broken write": Save(path, func(w io.Writer) error { _, _ = io.WriteString(w, "ne"); return wrong }, pass),
	} {
		if !errors.Is(err, wrong) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	want(t, folder, path, "old")

	if err := Save(path, put("new"), pass); err != nil {
		t.Fatal(err)
	}
	want(t, folder, path, "new")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("permissions: got %v, %v, want 0600 as before", info.Mode(), err)
	}
	if err := Save(filepath.Join(folder, "absent", "m"), put("x"), pass); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent folder: got %v", err)
	}
}

// want checks the content of path and that nothing else is in the folder.
func want(t *testing.T, folder, path, content string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != content {
		t.Errorf("got %q, %v, want %q", got, err, content)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
		t.Errorf("folder holds %v, %v, want one file", entries, err)
	}
}
