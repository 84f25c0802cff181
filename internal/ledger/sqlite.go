package ledger

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// sqlite waits half a minute for another writer, takes the write lock when a
// transaction begins, and returns from a commit when it is on the disk. Tables
// are strict: a column holds its own type and nothing else.
var sqlite = &dialect{
	name:   "SQLite",
	types:  [3]string{text: "TEXT", integer: "INTEGER", number: "REAL"},
	strict: " STRICT",
	exists: `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = $1`,
	guard: []string{
		`CREATE TRIGGER pppq_ledger_no_update BEFORE UPDATE ON pppq_ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END`,
		`CREATE TRIGGER pppq_ledger_no_delete BEFORE DELETE ON pppq_ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END`,
	},
}

// createSQLite opens to write; there need be no file yet.
func createSQLite(path string) (*Ledger, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	_, err = os.Stat(abs)
	if errors.Is(err, fs.ErrNotExist) {
		// The driver would only say that it can't open a file.
		_, err = os.Stat(filepath.Dir(abs))
	}
	if err != nil {
		return nil, err
	}
	return connectSQLite(abs, url.Values{
		"_pragma": {"busy_timeout(30000)", "journal_mode(WAL)", "synchronous(FULL)"},
		"_txlock": {"immediate"},
	})
}

func connectSQLite(abs string, options url.Values) (*Ledger, error) {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(abs), RawQuery: options.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", abs, err)
	}
	db.SetMaxOpenConns(1)
	return &Ledger{db: db, dialect: sqlite}, nil
}
