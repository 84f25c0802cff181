package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// Name is the file of a ledger in SQLite within the data folder.
const Name = "ledger.sqlite"

// ErrNone says that there is no ledger yet.
var ErrNone = errors.New("no forecast is on record yet: `pppq train` records those it puts into service")

// DefaultURL is the ledger of a data folder.
func DefaultURL(dataDir string) string { return "sqlite:" + filepath.Join(dataDir, Name) }

var errURL = errors.New("want postgresql://USER:PASSWORD@HOST/DATABASE, postgres:// or sqlite:PATH")

// parseURL returns the path of a SQLite file, empty for PostgreSQL. The error
// shows nothing of the URL, since it may hold a password.
func parseURL(s string) (path string, err error) {
	scheme, rest, ok := strings.Cut(s, ":")
	switch {
	case !ok:
		return "", errURL
	case scheme == "postgresql" || scheme == "postgres":
		u, err := url.Parse(s)
		if err != nil || u.Opaque != "" || !strings.HasPrefix(rest, "//") {
			return "", errURL
		}
		return "", nil
	case scheme != "sqlite":
		return "", errURL
	}
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		if rest, ok = strings.CutPrefix(after, "/"); !ok {
			return "", errors.New("want sqlite:///PATH, or sqlite:////PATH from the root: a SQLite file has no host")
		}
	}
	switch {
	case rest == "" || strings.HasSuffix(rest, "/"):
		return "", errors.New("want sqlite:PATH with the name of a file")
	case strings.HasPrefix(rest, ":memory:"):
		return "", errors.New("a ledger in memory is no record: want sqlite:PATH")
	case strings.ContainsAny(rest, "?#"):
		return "", errors.New("want sqlite:PATH without options")
	}
	return rest, nil
}

// A Ledger is an open database. It is safe for several goroutines, and several
// processes may open the same one: the database puts their writes in order.
type Ledger struct {
	db      *sql.DB
	dialect *dialect
	// written, where set, is an error if someone wrote since the file was opened,
	// which is read without locks.
	written func() error
}

// A dialect is what the two databases say differently.
type dialect struct {
	name string
	// types of columns by columnType.
	types [3]string
	// strict follows a table's columns.
	strict string
	// lock, if any, keeps two programs from changing the schema at once.
	lock string
	// exists counts tables of the name $1.
	exists string
	// isolation of transactions that write.
	isolation sql.IsolationLevel
	// forUpdate makes a reader of the head wait for other writers.
	forUpdate string
	// guard are the statements that make the database refuse changes of entries.
	guard []string
}

// Open opens the ledger at a URL to read it: postgresql://..., postgres://..., or
// sqlite:PATH, also as sqlite:///RELATIVE and sqlite:////ABSOLUTE. A SQLite file and
// its folder need not be writable. The error wraps ErrNone if there is none, and
// ErrNewer if a newer program wrote it. It never shows a password.
func Open(ctx context.Context, url string) (*Ledger, error) { return open(ctx, url, false) }

// OpenOrCreate is Open to read and write. It makes a new ledger where there is
// none, and brings the schema up to date; the folder of a SQLite file must exist.
func OpenOrCreate(ctx context.Context, url string) (*Ledger, error) { return open(ctx, url, true) }

func open(ctx context.Context, url string, create bool) (*Ledger, error) {
	path, err := parseURL(url)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	var l *Ledger
	switch {
	case path == "":
		l, err = openPostgres(url)
	case create:
		l, err = createSQLite(path)
	default:
		l, err = readSQLite(ctx, path)
	}
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	if err := l.migrate(ctx, create); err != nil {
		return nil, errors.Join(fmt.Errorf("ledger in %s: %w", l.dialect.name, lineError{err}), l.db.Close())
	}
	return l, nil
}

// Close ends the connections. Closing twice is fine.
func (l *Ledger) Close() error { return l.db.Close() }

// read runs f. What it found does not count if the file was written to meanwhile.
func (l *Ledger) read(f func() error) error {
	err := f()
	if l.written == nil {
		return err
	}
	if written := l.written(); written != nil {
		return written
	}
	return err
}

// write runs f in a transaction.
func (l *Ledger) write(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := l.db.BeginTx(ctx, &sql.TxOptions{Isolation: l.dialect.isolation})
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after Commit
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}
