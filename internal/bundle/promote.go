package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/pppq/pppq/internal/atomicfile"
)

// ErrNoPrevious is wrapped by Rollback where no version was in service before.
var ErrNoPrevious = errors.New("no version was in service before")

// Promote puts a version into service after loading it. A version that is in
// service already stays so.
//
// The history is written first and current last: history says what was before a
// version, current alone says what is in service.
func (w *Writer) Promote(version string) error {
	f := w.folder
	if _, err := f.Load(version); err != nil {
		return fmt.Errorf("promote: %w", err)
	}
	// A damaged current or history must not keep a good version out: the history
	// then begins anew with what is known.
	current, currentErr := f.current()
	served, err := f.history()
	switch {
	case currentErr == nil && err == nil && current == version && slices.Contains(served, current):
		return nil
	case currentErr == nil && slices.Contains(served, current):
		served = upTo(served, current)
	case currentErr == nil && current != version:
		served = []string{current}
	case currentErr == nil || err != nil:
		served = nil
	}
	served = append(served, version)
	served = served[max(0, len(served)-maxServed):]
	if err := f.writeNames(servedName, served...); err != nil {
		return fmt.Errorf("promote: %w", err)
	}
	if err := f.writeNames(currentName, version); err != nil {
		return fmt.Errorf("promote: %w", err)
	}
	return nil
}

// Rollback puts the version that was in service before into service again and
// returns it. Rolling back again goes one further step back, never forward:
// after promoting A, B and C it gives B, then A, then ErrNoPrevious; a version
// promoted in between comes after the one that is then in service. Versions that
// were pruned are passed over; one that does not load is an error, and Promote
// can name another.
func (w *Writer) Rollback() (version string, err error) {
	f := w.folder
	current, err := f.current()
	if err != nil {
		return "", fmt.Errorf("roll back: %w", err)
	}
	served, err := f.history()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("roll back: %w", err)
	}
	version, err = f.previous(current)
	if version == "" || err != nil {
		return "", fmt.Errorf("roll back from %s: %w", current, ErrNoPrevious)
	}
	if _, err := f.Load(version); err != nil {
		return "", fmt.Errorf("roll back: %w", err)
	}
	// Drop what was rolled back earlier, so that the last entry of the version
	// that comes into service is the right one.
	if kept := upTo(served, current); len(kept) < len(served) {
		if err := f.writeNames(servedName, kept...); err != nil {
			return "", fmt.Errorf("roll back: %w", err)
		}
	}
	if err := f.writeNames(currentName, version); err != nil {
		return "", fmt.Errorf("roll back: %w", err)
	}
	return version, nil
}

// Prune removes all versions but the newest keep (at least 1), the one in
// service and the one before it, and returns what it removed. It refuses to
// choose while it can't be read which one is in service.
func (w *Writer) Prune(keep int) (removed []string, err error) {
	f := w.folder
	if keep < 1 {
		return nil, fmt.Errorf("prune: keep %d, want at least 1", keep)
	}
	current, err := f.current()
	served, _ := f.history() // a damaged one is looked at below
	if err != nil && (len(served) > 0 || !errors.Is(err, fs.ErrNotExist)) {
		return nil, fmt.Errorf("prune: %w", err)
	}
	versions, err := f.Versions()
	if err != nil {
		return nil, fmt.Errorf("prune: %w", err)
	}
	previous, err := f.previous(current)
	if i := slices.Index(versions, current); err != nil && i > 0 {
		previous = versions[i-1] // the history is lost: the best guess
	}
	for _, v := range versions[:max(0, len(versions)-keep)] {
		if v == current || v == previous {
			continue
		}
		if err := w.remove(v); err != nil {
			return removed, fmt.Errorf("prune: %w", err)
		}
		removed = append(removed, v)
	}
	return removed, nil
}

// remove takes a version's name away before its files, so that no reader meets
// half of it.
func (w *Writer) remove(version string) error {
	dir, err := w.makeTemporary()
	if err != nil {
		return err
	}
	root := w.folder.root()
	if err := os.Rename(filepath.Join(root, version), filepath.Join(dir, version)); err != nil {
		return errors.Join(err, os.Remove(dir))
	}
	if err := atomicfile.SyncDir(root); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}
