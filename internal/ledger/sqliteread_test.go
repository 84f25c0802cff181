package ledger

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pppq/pppq/internal/usertest"
)

// recordOne makes a ledger with one entry in a folder that others may list, and
// returns its path; the writer stays open until close.
func recordOne(t *testing.T) (path string, writer *Ledger) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := OpenOrCreate(t.Context(), DefaultURL(dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	record(t, l, "20261122T000000Z-aaaa")
	return filepath.Join(dir, Name), l
}

func record(t *testing.T, l *Ledger, version string) {
	t.Helper()
	f, _ := example()
	one := *f.Forecast
	one.Version = version
	if _, err := l.Record(t.Context(), []Forecast{one}, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
}

// verifyFile opens a ledger to read and counts its forecasts.
func verifyFile(t *testing.T, path string) int {
	t.Helper()
	l, err := Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	_, lines, err := l.Verify(t.Context())
	if err := errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	return len(lines)
}

// names lists the files of a ledger's folder.
func names(t *testing.T, path string) string {
	t.Helper()
	files, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		files[i] = filepath.Base(f)
	}
	return strings.Join(files, " ")
}

// Reading changes nothing, leaves no file, and goes on beside a writer.
func TestReadSQLite(t *testing.T) {
	t.Parallel()
	path, writer := recordOne(t)
	if n := verifyFile(t, path); n != 1 {
		t.Errorf("beside a writer: got %d forecasts, want 1", n)
	}
	record(t, writer, "20261122T000000Z-bbbb")
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	if n := verifyFile(t, path); n != 2 {
		t.Errorf("got %d forecasts, want 2", n)
	}
	if got := names(t, path); got != Name {
		t.Errorf("files: got %s, want %s alone", got, Name)
	}
	l, err := Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, _ := example()
	if _, err := l.Record(t.Context(), []Forecast{*f.Forecast}, time.Now()); err == nil {
		t.Error("a ledger that was opened to read took an entry")
	}
}

// Who may not write reads all the same: an auditor, or anyone on a read-only disk.
func TestReadSQLiteWithoutRights(t *testing.T) {
	path, writer := recordOne(t)
	dir := filepath.Dir(path)
	modes := func(folder, file os.FileMode) {
		if err := errors.Join(os.Chmod(dir, folder), os.Chmod(path, file)); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { modes(0o755, 0o644) })
	copied := filepath.Join(t.TempDir(), Name)
	if err := os.Chmod(filepath.Dir(filepath.Dir(copied)), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, end := range []string{"", "-wal"} {
		text, err := os.ReadFile(path + end)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied+end, text, 0o444); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Dir(copied), 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(filepath.Dir(copied), 0o755) })
	t.Run("beside a writer", func(t *testing.T) {
		modes(0o555, 0o444)
		usertest.Ordinary(t)
		if n := verifyFile(t, path); n != 1 {
			t.Errorf("got %d forecasts, want 1", n)
		}
	})
	modes(0o755, 0o644)
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ folder, file os.FileMode }{
		"nothing is writable": {0o555, 0o444}, "the file is": {0o555, 0o666}, "the folder is": {0o777, 0o444},
	} {
		t.Run(name, func(t *testing.T) {
			modes(c.folder, c.file)
			usertest.Ordinary(t)
			if n := verifyFile(t, path); n != 1 {
				t.Errorf("got %d forecasts, want 1", n)
			}
			if got := names(t, path); got != Name {
				t.Errorf("files: got %s, want %s alone", got, Name)
			}
		})
	}
	t.Run("a log of changes", func(t *testing.T) {
		usertest.Ordinary(t)
		if _, err := Open(t.Context(), "sqlite:"+copied); err == nil || !strings.Contains(err.Error(), "the changes in "+copied+"-wal") {
			t.Errorf("got %v, want an error that names the log", err)
		}
	})
	t.Run("no right to read", func(t *testing.T) {
		modes(0o555, 0)
		usertest.Ordinary(t)
		if _, err := Open(t.Context(), "sqlite:"+path); !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v, want an error that names the file", err)
		}
	})
}

// What was read without locks while someone wrote is no verdict.
func TestReadSQLiteWritten(t *testing.T) {
	t.Parallel()
	path, writer := recordOne(t)
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := unlockedSQLite(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if lines, err := l.Lines(t.Context()); err != nil || len(lines) != 1 {
		t.Errorf("got %d lines, %v, want 1", len(lines), err)
	}
	again, err := OpenOrCreate(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	record(t, again, "20261122T000000Z-bbbb")
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Verify(t.Context()); !errors.Is(err, ErrWritten) {
		t.Errorf("Verify: got %v, want ErrWritten", err)
	}
	if _, err := l.Lines(t.Context()); !errors.Is(err, ErrWritten) {
		t.Errorf("Lines: got %v, want ErrWritten", err)
	}
}
