package bundle

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// WatchInterval is the distance between two looks of Watch where none is given.
const WatchInterval = 200 * time.Millisecond

// Watch follows the version in service until ctx ends: whenever current names
// another version than the one that serving returns, "" for none, it calls
// change, which is to load what current names by then. Whoever else changes what
// serves meanwhile is thus followed too.
//
// After an error of change the caller keeps what it has; Watch calls it again
// when current is replaced. Both functions are called by the goroutine of Watch.
func (f Folder) Watch(ctx context.Context, interval time.Duration, serving func() string, change func() error) {
	if interval <= 0 {
		interval = WatchInterval
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var failed fs.FileInfo // what current was when it could not be followed
	for ctx.Err() == nil {
		stat, err := os.Stat(filepath.Join(f.root(), currentName))
		if err == nil && !sameFile(failed, stat) && f.differs(serving()) {
			failed = nil
			if change() != nil {
				failed = stat
			}
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

// differs reports whether current names another version than the one that serves,
// or can't be read; one that is gone names none.
func (f Folder) differs(serving string) bool {
	current, err := f.current()
	return !errors.Is(err, fs.ErrNotExist) && (err != nil || current != serving)
}

// sameFile reports whether a file was not replaced or written to; seen may be
// nil.
func sameFile(seen, now fs.FileInfo) bool {
	return seen != nil && os.SameFile(seen, now) && seen.ModTime().Equal(now.ModTime()) && seen.Size() == now.Size()
}

// Stamp is another text whenever what List says may have changed: a version, its
// manifest, or which of them is in service.
func (f Folder) Stamp() string {
	versions, err := f.Versions()
	if err != nil {
		return ""
	}
	paths := []string{currentName, servedName}
	for _, v := range versions {
		paths = append(paths, filepath.Join(v, manifestName))
	}
	var stamp []byte
	for _, p := range paths {
		stamp = append(stamp, p...)
		if stat, err := os.Stat(filepath.Join(f.root(), p)); err == nil {
			stamp = stat.ModTime().AppendFormat(append(stamp, ' '), time.RFC3339Nano)
			stamp = strconv.AppendInt(append(stamp, ' '), stat.Size(), 10)
		}
		stamp = append(stamp, '\n')
	}
	return string(stamp)
}
