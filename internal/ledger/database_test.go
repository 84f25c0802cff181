package ledger

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestURL(t *testing.T) {
	t.Parallel()
	for url, path := range map[string]string{
		"sqlite:ledger.sqlite":             "ledger.sqlite",
		"sqlite:/var/lib/pppq/l.sqlite":    "/var/lib/pppq/l.sqlite",
		"sqlite:///data/ledger.sqlite":     "data/ledger.sqlite",
		"sqlite:////var/lib/l.sqlite":      "/var/lib/l.sqlite",
		"postgres://u:p@h/d":               "",
		"postgresql://u:p@h:1/d?x=y":       "",
		"postgresql://h/d":                 "",
		DefaultURL("data"):                 filepath.Join("data", Name),
		"sqlite:with space and %41.sqlite": "with space and %41.sqlite",
	} {
		if got, err := parseURL(url); got != path || err != nil {
			t.Errorf("%s: got %q, %v, want %q", url, got, err, path)
		}
	}
	const secret = "hunter2"
	for _, url := range []string{
		"", "hunter2", "data/ledger.sqlite", "sqlite", "sqlite:", "sqlite:///", "sqlite://host/hunter2", "sqlite:dir/", "sqlite::memory:",
		"sqlite:///:memory:", "sqlite:a?mode=hunter2", "mysql://u:hunter2@h/d", "postgres:hunter2", "postgres:u:hunter2@h/d", "POSTGRES://u:hunter2@h/d",
		"postgresql://u:hunter2@h:port/d", "postgresql://u:hunter2%zz@h/d", "postgresql+psycopg2://u:hunter2@h/d", "http://hunter2/d",
	} {
		_, err := parseURL(url)
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %v, want an error without %s", url, err, secret)
		}
		if _, err := OpenOrCreate(t.Context(), url); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("OpenOrCreate(%s): got %v, want an error without %s", url, err, secret)
		}
	}
}

// No server answers, or the URL is refused by the driver: an error comes soon and
// does not show the password.
func TestNoServer(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgresql://u:hunter2@127.0.0.1:1/d", "postgresql://u:hunter2@127.0.0.1:1/d?sslmode=hunter2", "postgresql://u:hunter2@127.0.0.1:1/d?connect_timeout=hunter2",
	} {
		_, err := Open(t.Context(), url)
		if err == nil || strings.ContainsAny(err.Error(), "\n\t") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v, want an error of one line without the password", err)
		}
	}
}

func TestSQLiteFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Open(t.Context(), DefaultURL(dir)); !errors.Is(err, ErrNone) {
		t.Errorf("no file: got %v, want ErrNone", err)
	}
	if _, err := OpenOrCreate(t.Context(), DefaultURL(filepath.Join(dir, "none"))); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("no folder: got %v, want an error that names it", err)
	}
	l, err := OpenOrCreate(t.Context(), DefaultURL(dir))
	if err != nil {
		t.Fatal(err)
	}
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "30000"} {
		var got string
		if err := l.db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", pragma, got, err, want)
		}
	}
	// Closing folds the log of changes into the one file.
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if files, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(files) != 1 {
		t.Errorf("files: got %q, %v, want %s alone", files, err, Name)
	}
}

// A table of an older schema is brought up to date; here there is only the first.
func TestMigrateTwice(t *testing.T) {
	t.Parallel()
	l, err := OpenOrCreate(t.Context(), DefaultURL(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.migrate(t.Context(), true); err != nil {
		t.Errorf("migrate again: %v", err)
	}
	f, _ := example()
	if _, err := l.Record(t.Context(), []Forecast{*f.Forecast}, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	if version, err := l.schemaVersion(t.Context(), l.db); err != nil || version != len(migrations) {
		t.Errorf("got version %d, %v, want %d", version, err, len(migrations))
	}
}
