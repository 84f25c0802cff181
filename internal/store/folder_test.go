package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/pppq/pppq/internal/lockfile"
	"github.com/pppq/pppq/internal/store"
	"github.com/pppq/pppq/internal/usertest"
)

func TestOpenRefusesAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "series"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		"":                         "data folder: no name given",
		file:                       "data folder: " + file + " is a file, want a folder: move it away or choose another folder",
		dir:                        "data folder: " + filepath.Join(dir, "series") + " is a file, want a folder: move it away or choose another folder",
		filepath.Join(file, "sub"): "data folder: stat " + filepath.Join(file, "sub") + ": not a directory",
	} {
		if _, err := store.Open(dir); err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", dir, err, want)
		}
	}
}

func TestLoadOfAnEmptyFolder(t *testing.T) {
	t.Parallel()
	st, err := store.Open(filepath.Join(t.TempDir(), "none"))
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = st.Load(t.Context())
	if !errors.Is(err, store.ErrEmpty) || !strings.Contains(err.Error(), `"pppq up" fills it`) {
		t.Errorf("got %v, want ErrEmpty and what to do", err)
	}
	if _, err := os.Stat(st.Dir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load made the folder: %v", err)
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	st, err := store.Open(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := st.Lock("pppq train", now)
	if err != nil {
		t.Fatal(err)
	}
	var held *lockfile.HeldError
	if _, err := st.Lock("pppq import", now); !errors.As(err, &held) || held.Holder.Command != "pppq train" {
		t.Errorf("got %v, want a HeldError that names pppq train", err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
}

// A folder that can't be written is one clear line, and one that holds all
// figures already needs no writing.
func TestReadOnlyFolder(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs folders with permission bits")
	}
	dir, err := os.MkdirTemp("", "pppq-store")
	if err != nil {
		t.Fatal(err)
	}
	full := filepath.Join(dir, "full")
	st, err := store.Open(full)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Bootstrap(t.Context(), small(t), now); err != nil {
		t.Fatal(err)
	}
	folders := []string{filepath.Join(full, "series"), full, dir}
	for _, d := range folders {
		if err := os.Chmod(d, 0o555); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, d := range folders {
			if err := os.Chmod(d, 0o755); err != nil {
				t.Error(err)
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	usertest.Ordinary(t)

	if _, err := st.Bootstrap(t.Context(), small(t), now); err != nil {
		t.Errorf("a full folder: %v", err)
	}
	if _, _, err := st.Load(t.Context()); err != nil {
		t.Errorf("a full folder: %v", err)
	}
	_, err = st.Apply(t.Context(), store.Update{Now: now, Series: []store.SeriesUpdate{
		{Info: gold, Figures: figures(t, gold, "2026-05", 4400)},
	}})
	gotLine(t, err, "write "+filepath.Join(full, "series", "GOLD.csv")+": permission denied")
	empty, err := store.Open(filepath.Join(dir, "new"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = empty.Bootstrap(t.Context(), small(t), now)
	gotLine(t, err, "data folder "+filepath.Join(dir, "new")+" can't be made: permission denied")
	_, err = empty.Lock("pppq up", now)
	gotLine(t, err, "data folder "+filepath.Join(dir, "new")+" can't be made: permission denied")
}

func gotLine(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
