package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/csvfile"
	"github.com/pppq/pppq/internal/lockfile"
	"github.com/pppq/pppq/internal/panel"
)

// lockName is the lock of those who bring the ledger of a data folder up to date.
const lockName = "ledger.lock"

// lockWait is for how long another one is waited for.
const lockWait = 30 * time.Second

// A Keeper brings the ledger up to date.
type Keeper struct {
	// DataDir is where the snapshot goes, and SQLite's file.
	DataDir string
	// URL is that of the database, empty for SQLite in DataDir.
	URL string
	// Models holds the versions whose forecasts are recorded: the one in service,
	// the one before it, and those that could not be recorded when they came.
	Models bundle.Folder
	// Panel builds the panel of all figures known now, for the outcomes.
	Panel func(context.Context) (*panel.Panel, error)
	// Command stands in the lock, as "pppq train".
	Command string
	Now     func() time.Time
}

// Kept says what a Keeper did.
type Kept struct {
	// Versions are those whose forecasts were added now.
	Versions []string
	// Recorded and Scored count new entries.
	Recorded, Scored int
}

func (k Keeper) path(name string) string { return filepath.Join(k.DataDir, name) }

// Behind reports whether something is known to be missing: forecasts that could
// not be recorded, the snapshot, or there the version in service. It does not
// open the database.
func (k Keeper) Behind(inService string) bool {
	if _, err := os.Stat(k.path(pendingName)); err == nil {
		return true
	}
	text, err := csvfile.Load(k.path(SnapshotName), SnapshotName, SnapshotLimits)
	return err != nil || !strings.Contains(text.String(), ","+inService+",")
}

// Update records, scores and exports. What could not be recorded is noted in the
// data folder, and the next Update makes up for it. One thing's error does not
// keep it from the others; all are joined.
func (k Keeper) Update(ctx context.Context) (kept Kept, err error) {
	lock, err := k.lock(ctx)
	if err != nil {
		return Kept{}, err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()

	pending, err := readPending(k.path(pendingName))
	if err != nil {
		return Kept{}, fmt.Errorf("%w; correct the file or remove it", err)
	}
	served, err := k.served()
	missing, keepErr := k.keep(ctx, union(pending, served), &kept)
	return kept, errors.Join(err, keepErr, writePending(k.path(pendingName), missing))
}

// lock waits for the lock of the folder.
func (k Keeper) lock(ctx context.Context) (*lockfile.Lock, error) {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	for {
		lock, err := lockfile.Acquire(k.path(lockName), k.Command, k.Now())
		var held *lockfile.HeldError
		if !errors.As(err, &held) {
			return lock, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// served lists the version in service and the one before it.
func (k Keeper) served() ([]string, error) {
	list, err := k.Models.List()
	var versions []string
	for _, e := range list {
		if e.InService || e.Previous {
			versions = append(versions, e.Version)
		}
	}
	return versions, err
}

// keep does the work on the database and returns the versions that are to be
// tried again.
func (k Keeper) keep(ctx context.Context, due []string, kept *Kept) (missing []string, err error) {
	url := k.URL
	if url == "" {
		url = DefaultURL(k.DataDir)
	}
	l, err := OpenOrCreate(ctx, url)
	if err != nil {
		return due, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()

	var faults []error
	for _, v := range due {
		again, err := k.record(ctx, l, v, kept)
		if err != nil {
			faults = append(faults, err)
		}
		if again {
			missing = append(missing, v)
		}
	}
	p, err := k.Panel(ctx)
	if err == nil {
		kept.Scored, err = l.Score(ctx, PanelOutcomes(p), k.Now())
	}
	if err != nil {
		faults = append(faults, fmt.Errorf("score past forecasts: %w", err))
	}
	return missing, errors.Join(append(faults, l.Export(ctx, k.path(SnapshotName)))...)
}

// record adds the forecasts of a version; again says that it is worth trying
// once more.
func (k Keeper) record(ctx context.Context, l *Ledger, version string, kept *Kept) (again bool, err error) {
	known, err := l.Recorded(ctx, version)
	if known || err != nil {
		return err != nil, err
	}
	b, err := k.Models.Load(version)
	if err != nil {
		return false, fmt.Errorf("the forecasts of this version can't be recorded: %w", err)
	}
	now := k.Now()
	table, err := Table(b, now)
	if err != nil {
		return false, fmt.Errorf("version %s: %w", version, err)
	}
	r, err := l.Record(ctx, table, now)
	if err != nil {
		return true, err
	}
	if r.New > 0 {
		kept.Recorded += r.New
		kept.Versions = append(kept.Versions, version)
	}
	return false, nil
}
