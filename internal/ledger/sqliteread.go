package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// ErrWritten is wrapped where a file was written to while it was read without
// locks: what was read may be half of the old and half of the new.
var ErrWritten = errors.New("was written to while it was read: run the command again")

// readSQLite opens to read. SQLite's locks lie in files beside the database, which
// whoever may not write can't make; where no writer has made them, nobody is
// writing, and the file is read without them.
func readSQLite(ctx context.Context, path string) (*Ledger, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(abs); errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNone
	} else if err != nil {
		return nil, err
	}
	var refused error
	if logged(abs) || canOpen(abs, os.O_RDWR) == nil {
		var l *Ledger
		if l, refused = lockedSQLite(ctx, abs); !noRights(refused) {
			return l, refused
		}
	}
	if err := canOpen(abs, os.O_RDONLY); err != nil {
		return nil, err
	}
	l, err := unlockedSQLite(abs)
	if err == nil && logged(abs) {
		err = errors.Join(fmt.Errorf("only who may write there can read the changes in %s-wal: run the command as the user who trains, "+
			"or on a copy of both files in a folder of your own: %w", abs, cmp.Or(refused, ErrWritten)), l.Close())
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

// lockedSQLite reads beside writers; of the files that this takes none stays.
func lockedSQLite(ctx context.Context, abs string) (*Ledger, error) {
	l, err := connectSQLite(abs, url.Values{"_pragma": {"busy_timeout(30000)", "query_only(1)"}})
	if err != nil {
		return nil, err
	}
	if _, err := l.schemaVersion(ctx, l.db); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", abs, err), l.Close())
	}
	return l, nil
}

// unlockedSQLite reads a file that nobody writes, and notices if someone does.
func unlockedSQLite(abs string) (*Ledger, error) {
	seen, err := os.Stat(abs)
	if err != nil {
		return nil, err
	}
	l, err := connectSQLite(abs, url.Values{"mode": {"ro"}, "immutable": {"1"}})
	if err != nil {
		return nil, err
	}
	l.written = func() error {
		now, err := os.Stat(abs)
		if err == nil && (!os.SameFile(seen, now) || seen.Size() != now.Size() || !seen.ModTime().Equal(now.ModTime())) {
			err = fmt.Errorf("%s %w", abs, ErrWritten)
		}
		return err
	}
	return l, nil
}

// logged reports whether a log of changes lies beside a database: a writer is at
// work, or was killed.
func logged(path string) bool {
	_, err := os.Stat(path + "-wal")
	return err == nil
}

// canOpen tries to open a file that no connection of this process has open: closing
// it here would end their locks.
func canOpen(path string, flag int) error {
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// noRights reports whether SQLite could not make or write the files beside the
// database.
func noRights(err error) bool {
	var e *driver.Error
	if !errors.As(err, &e) {
		return false
	}
	primary := e.Code() & 0xff
	return primary == codes.SQLITE_READONLY || primary == codes.SQLITE_CANTOPEN
}
