// Package livereload builds a program anew when one of its source files changes.
// The program itself takes its new file over (RELOAD=true); a build that fails
// leaves the old one at work.
package livereload

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"
)

// extensions of files that go into a build; the Go command embeds the others.
var extensions = map[string]bool{".go": true, ".mod": true, ".sum": true, ".css": true, ".html": true, ".js": true, ".csv": true}

// A Snapshot is what the source files looked like at one time.
type Snapshot map[string]stamp

type stamp struct {
	modified time.Time
	size     int64
}

// Look takes a snapshot of the source files under root. Tests, hidden folders
// and testdata are left out. A file that vanishes meanwhile is not in it.
func Look(root fs.FS) (Snapshot, error) {
	s := Snapshot{}
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if path == "." {
				return err
			}
			return nil // it went while we looked
		}
		name := d.Name()
		if d.IsDir() {
			if path != "." && (strings.HasPrefix(name, ".") || name == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		if !extensions[filepath.Ext(name)] || strings.HasPrefix(name, ".") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		if info, err := d.Info(); err == nil {
			s[path] = stamp{info.ModTime(), info.Size()}
		}
		return nil
	})
	return s, err
}

// Changed names a file that differs between two snapshots; empty if none does.
func Changed(before, after Snapshot) string {
	for path, a := range after {
		if b, ok := before[path]; !ok || !b.modified.Equal(a.modified) || b.size != a.size {
			return path
		}
	}
	for path := range before {
		if _, ok := after[path]; !ok {
			return path
		}
	}
	return ""
}

// Follow calls build once and then after every change under root, which it looks
// at each interval, until ctx ends. Say tells people what happens.
func Follow(ctx context.Context, root fs.FS, interval time.Duration, build func(context.Context) error, say func(string)) error {
	seen, err := Look(root)
	if err != nil {
		return err
	}
	attempt := func() {
		start := time.Now()
		if err := build(ctx); err != nil {
			say(fmt.Sprintf("build failed, the old program goes on: %v", err))
			return
		}
		say(fmt.Sprintf("built in %.1f s", time.Since(start).Seconds()))
	}
	attempt()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now, err := Look(root)
		if err != nil {
			say(err.Error())
			continue
		}
		if path := Changed(seen, now); path != "" {
			seen = now
			say(path + " changed")
			attempt()
		}
	}
}
