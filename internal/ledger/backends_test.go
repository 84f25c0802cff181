package ledger_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pppq/pppq/internal/ledger"
	"github.com/pppq/pppq/internal/ledger/ledgertest"
)

// TestMain is also the second process of TestKilled, and ends the server.
func TestMain(m *testing.M) {
	if url := os.Getenv(childVariable); url != "" {
		if err := writeForever(url); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if err := started.Load().Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	ledgertest.Exercise(t, newSQLite)
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	newPostgres(t) // skips here, not in every part
	ledgertest.Exercise(t, newPostgres)
}

// A writer needs no more rights than docs/ledger.md names, and with these the
// database itself keeps the past as it is.
func TestPostgresRights(t *testing.T) {
	t.Parallel()
	db := newPostgres(t)
	ledgertest.Record(t, ledgertest.Open(t, db.URL), 1)
	for _, s := range []string{
		"CREATE ROLE ledger_writer LOGIN PASSWORD 'w'", "GRANT SELECT ON pppq_ledger_schema TO ledger_writer",
		"GRANT SELECT, INSERT ON pppq_ledger TO ledger_writer", "GRANT SELECT, UPDATE ON pppq_ledger_head TO ledger_writer",
	} {
		if _, err := db.SQL.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	u, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("ledger_writer", "w")
	l := ledgertest.Open(t, u.String())
	ledgertest.Record(t, l, 2)
	if scored, err := l.Score(t.Context(), ledgertest.Outcomes, ledgertest.Now); err != nil || scored == 0 {
		t.Errorf("Score: got %d, %v", scored, err)
	}
	ledgertest.Verify(t, l)
	raw, err := sql.Open("pgx", u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, s := range []string{
		"UPDATE pppq_ledger SET p_a = 0", "DELETE FROM pppq_ledger", "TRUNCATE pppq_ledger", "ALTER TABLE pppq_ledger DISABLE TRIGGER USER",
	} {
		if _, err := raw.ExecContext(t.Context(), s); err == nil {
			t.Errorf("%s: the database took it", s)
		}
	}
}

func newSQLite(t *testing.T) ledgertest.Database {
	t.Helper()
	path := filepath.Join(t.TempDir(), "with space and %41", ledger.Name)
	if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	// The plain name must come to the same file as the ledger's URL does.
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(30000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return ledgertest.Database{
		URL: "sqlite:" + path, SQL: db, Unguard: []string{"DROP TRIGGER pppq_ledger_no_update", "DROP TRIGGER pppq_ledger_no_delete"},
	}
}

// server is started by the first test that needs it; started is nil if none did.
var (
	server = sync.OnceValues(func() (*ledgertest.Server, error) {
		s, err := ledgertest.StartServer(context.Background())
		started.Store(s)
		return s, err
	})
	started atomic.Pointer[ledgertest.Server]
)

func newPostgres(t *testing.T) ledgertest.Database {
	t.Helper()
	s, err := server()
	if errors.Is(err, ledgertest.ErrNoServer) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s.New(t)
}
