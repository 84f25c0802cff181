package ledger_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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
