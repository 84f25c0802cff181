package bundle

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// WatchInterval is the distance between two looks of Watch where none is given.
const WatchInterval = 200 * time.Millisecond

// Watch follows the version in service until ctx ends: each interval it looks
// whether current was replaced and, if it names another version than the one
// that serves, loads that beside it and hands it over. serving is the version
// that the caller has, "" for none.
//
// What can't be loaded goes to failed, once, and the caller keeps what it has;
// Watch looks again when current is replaced. Both functions are called by the
// goroutine of Watch, one at a time.
func (f Folder) Watch(ctx context.Context, interval time.Duration, serving string, loaded func(*Bundle), failed func(error)) {
	if interval <= 0 {
		interval = WatchInterval
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var seen fs.FileInfo
	for ctx.Err() == nil {
		if stat, changed := f.changed(seen); changed {
			seen = stat
			serving = f.follow(serving, loaded, failed)
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

// changed looks at current; a file that is gone is no change.
func (f Folder) changed(seen fs.FileInfo) (fs.FileInfo, bool) {
	stat, err := os.Stat(filepath.Join(f.root(), currentName))
	if err != nil {
		return seen, false
	}
	same := seen != nil && os.SameFile(seen, stat) && seen.ModTime().Equal(stat.ModTime()) && seen.Size() == stat.Size()
	return stat, !same
}

// follow loads what current names unless it serves, and returns what serves now.
func (f Folder) follow(serving string, loaded func(*Bundle), failed func(error)) string {
	current, err := f.current()
	switch {
	case errors.Is(err, fs.ErrNotExist): // gone since the look: no other is named
		return serving
	case err != nil:
		failed(err)
		return serving
	case current == serving:
		return serving
	}
	b, err := f.Load(current)
	if err != nil {
		failed(err)
		return serving
	}
	loaded(b)
	return current
}
