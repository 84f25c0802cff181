package livereload

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"
)

func at(second int) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte("x"), ModTime: time.Unix(int64(second), 0)}
}

func TestChanged(t *testing.T) {
	t.Parallel()
	base := func() fstest.MapFS {
		return fstest.MapFS{"a.go": at(1), "web/style.css": at(1), "a_test.go": at(1), "web/testdata/x.go": at(1), ".git/x.go": at(1), "notes.md": at(1)}
	}
	for _, c := range []struct {
		name   string
		change func(fstest.MapFS)
		want   string
	}{
		{"nothing", func(fstest.MapFS) {}, ""},
		{"code", func(f fstest.MapFS) { f["a.go"] = at(2) }, "a.go"},
		{"an embedded file", func(f fstest.MapFS) { f["web/style.css"] = at(2) }, "web/style.css"},
		{"a new file", func(f fstest.MapFS) { f["b.go"] = at(1) }, "b.go"},
		{"a file less", func(f fstest.MapFS) { delete(f, "a.go") }, "a.go"},
		{"size alone", func(f fstest.MapFS) { f["a.go"] = &fstest.MapFile{Data: []byte("xy"), ModTime: time.Unix(1, 0)} }, "a.go"},
		{"a test", func(f fstest.MapFS) { f["a_test.go"] = at(2) }, ""},
		{"testdata", func(f fstest.MapFS) { f["web/testdata/x.go"] = at(2) }, ""},
		{"a hidden folder", func(f fstest.MapFS) { f[".git/x.go"] = at(2) }, ""},
		{"words", func(f fstest.MapFS) { f["notes.md"] = at(2) }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			files := base()
			before, err := Look(files)
			if err != nil {
				t.Fatal(err)
			}
			c.change(files)
			after, err := Look(files)
			if err != nil {
				t.Fatal(err)
			}
			if got := Changed(before, after); got != c.want {
				t.Errorf("Changed: got %q, want %q", got, c.want)
			}
		})
	}
}

func TestFollow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		files := fstest.MapFS{"a.go": at(1)}
		var builds int
		var said []string
		var mu sync.Mutex
		done := make(chan error)
		go func() {
			done <- Follow(ctx, files, 500*time.Millisecond, func(context.Context) error {
				mu.Lock()
				defer mu.Unlock()
				if builds++; builds == 2 {
					return errors.New("syntax error")
				}
				return nil
			}, func(s string) { said = append(said, s) })
		}()
		count := func(want int) {
			t.Helper()
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if builds != want {
				t.Fatalf("builds: got %d, want %d", builds, want)
			}
		}
		count(1)
		files["a.go"] = at(2)
		count(2)
		files["a.go"] = at(3)
		count(3)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		text := strings.Join(said, "\n")
		if !strings.Contains(text, "build failed, the old program goes on: syntax error") || strings.Count(text, "a.go changed") != 2 {
			t.Errorf("said: %s", text)
		}
	})
}
