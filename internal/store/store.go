// Package store keeps the monthly figures on disk, with every vintage.
//
//	<dir>/final_consolidated_dataset.csv   one row a month, one column a series: the newest vintages
//	<dir>/assets.csv                       the user's own assets
//	<dir>/series/catalogue.csv             what each series is
//	<dir>/series/<ID>.csv                  period,value,known_from,retrieved_at,source
//	<dir>/.lock                            who is writing
//
// Start with Open, then Bootstrap, then Load. Figures are only ever added: a
// changed figure is a further line with a later known_from, and the lines before
// it stay byte for byte. Each file is replaced as a whole, in an order in which
// every state between two replacements loads, so that a process killed at any
// instant loses at most what it had not finished.
//
// Methods that write expect the caller to hold Lock.
package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/pppq/pppq/internal/csvfile"
	"github.com/pppq/pppq/internal/lockfile"
	"github.com/pppq/pppq/internal/series"
)

// ErrEmpty is wrapped by the error of Load for a folder without figures.
var ErrEmpty = errors.New("no figures yet")

// LicenceOwn is the licence entry of the user's own series; it tells them from
// the program's.
const LicenceOwn = "the user's own"

// limits of the store's own files: 16 MiB hold more than 150,000 vintages.
var limits = csvfile.Limits{Bytes: 16 << 20, LineBytes: 2048, Lines: 400_000, Fields: 16}

// A Store is a folder of figures. It holds nothing in memory and is safe for
// concurrent readers; one process at a time may write.
type Store struct {
	dir string
}

// Open names the folder. It need not exist, the first write makes it; what does
// exist must be a folder.
func Open(dir string) (*Store, error) {
	if dir == "" {
		return nil, errors.New("data folder: no name given")
	}
	s := &Store{dir: dir}
	for _, d := range []string{s.dir, s.path("series")} {
		stat, err := os.Stat(d)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, fmt.Errorf("data folder: %w", err)
		case !stat.IsDir():
			return nil, fmt.Errorf("data folder: %s is a file, want a folder: move it away or choose another folder", d)
		}
	}
	return s, nil
}

// Dir returns the folder's name as given.
func (s *Store) Dir() string { return s.dir }

// Lock takes the folder's writer lock for command, as "pppq import", since now.
// It makes the folder if need be. The error is a *lockfile.HeldError if another
// process holds it.
func (s *Store) Lock(command string, now time.Time) (*lockfile.Lock, error) {
	if err := s.makeDirs(); err != nil {
		return nil, err
	}
	return lockfile.Acquire(s.path(".lock"), command, now)
}

// Load reads every series of the catalogue, and the assets: the built-in ones,
// then the user's own by id. Series files that the catalogue does not name are
// passed over, as an interrupted import may leave one. The error wraps ErrEmpty
// if there is no catalogue, and is a *csvfile.ParseError if a file is damaged.
func (s *Store) Load(ctx context.Context) (*series.Set, []series.Asset, error) {
	infos, err := s.catalogue()
	if err != nil {
		return nil, nil, err
	}
	if len(infos) == 0 {
		return nil, nil, fmt.Errorf("data folder %s: %w; \"pppq up\" fills it from the figures in the program", s.dir, ErrEmpty)
	}
	all := make([]*series.Series, 0, len(infos))
	for _, info := range infos {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		f, err := s.readSeries(info)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, f.series)
	}
	set, err := series.NewSet(all...)
	if err != nil {
		return nil, nil, err
	}
	own, err := s.ownAssets(set)
	if err != nil {
		return nil, nil, err
	}
	return set, slices.Concat(series.BuiltinAssets(), own), nil
}

// path joins names to the folder.
func (s *Store) path(names ...string) string {
	return filepath.Join(slices.Concat([]string{s.dir}, names)...)
}

// makeDirs makes the folder and the folder of series.
func (s *Store) makeDirs() error {
	if err := os.MkdirAll(s.path("series"), 0o755); err != nil {
		return fmt.Errorf("data folder %s can't be made: %w", s.dir, reason(err))
	}
	return nil
}

// reason strips the operation and the name from an operating system's error.
func reason(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
