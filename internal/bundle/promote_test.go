package bundle_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/lockfile"
)

// inService reads the version in service and the one before it.
func inService(t testing.TB, f bundle.Folder) (current, previous string) {
	t.Helper()
	list, err := f.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if e.InService {
			current = e.Version
		}
		if e.Previous {
			previous = e.Version
		}
	}
	return current, previous
}

// TestRollback walks through promotions and rollbacks; letters are versions in
// the order of writing, "<" is a rollback and "!" one that must be refused.
func TestRollback(t *testing.T) {
	t.Parallel()
	f := folder(t)
	w := lock(t, f)
	var versions []string
	for range 4 {
		v, err := w.Write(baseline(t))
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, v)
	}
	if !slices.IsSorted(versions) || len(slices.Compact(slices.Clone(versions))) != 4 {
		t.Fatalf("versions %v do not sort as written", versions)
	}
	name := func(v string) string {
		if v == "" {
			return ""
		}
		return string(rune('A' + slices.Index(versions, v)))
	}
	for _, c := range []struct{ steps, current, previous string }{
		{"A", "A", ""},
		{"A!", "A", ""},
		{"AB", "B", "A"},
		{"AB<", "A", ""},
		{"AB<!", "A", ""},
		{"ABC<", "B", "A"},
		{"ABC<<", "A", ""},
		{"ABC<<!", "A", ""},
		{"ABC<D", "D", "B"},
		{"ABC<D<", "B", "A"},
		{"AAB", "B", "A"},
		{"ABB<", "A", ""},
		{"ABA", "A", "B"},
		{"ABA<", "B", "A"},
		{"ABA<<", "A", ""},
		{"ABCA<<<!", "A", ""},
		{"AB<B", "B", "A"},
		{"AB<B<B<", "A", ""},
	} {
		for _, file := range []string{"current", "history"} {
			if err := os.RemoveAll(filepath.Join(f.Dir, "pppq", file)); err != nil {
				t.Fatal(err)
			}
		}
		for _, step := range c.steps {
			switch step {
			case '<':
				if _, err := w.Rollback(); err != nil {
					t.Fatalf("%s: %v", c.steps, err)
				}
			case '!':
				if v, err := w.Rollback(); !errors.Is(err, bundle.ErrNoPrevious) {
					t.Fatalf("%s: got %s, %v", c.steps, name(v), err)
				}
			default:
				if err := w.Promote(versions[step-'A']); err != nil {
					t.Fatalf("%s: %v", c.steps, err)
				}
			}
		}
		current, previous := inService(t, f)
		if name(current) != c.current || name(previous) != c.previous {
			t.Errorf("%s: got %s before it %s, want %s and %s", c.steps, name(current), name(previous), c.current, c.previous)
		}
	}
}

// TestStoppedPromotion: whatever a killed Promote or Rollback left, what comes
// next is right.
func TestStoppedPromotion(t *testing.T) {
	t.Parallel()
	f := folder(t)
	w := lock(t, f)
	v := write(t, w, 3)
	for _, c := range []struct{ history, current, rollback string }{
		{"ABC", "B", "A"}, // C was to come
		{"ABC", "A", ""},
		{"ABCA", "C", "B"},
		{"", "B", ""},
		{"AC", "B", ""}, // B came from elsewhere
	} {
		var lines strings.Builder
		for _, letter := range c.history {
			lines.WriteString(v[letter-'A'] + "\n")
		}
		put(t, f, "history", lines.String())
		put(t, f, "current", v[c.current[0]-'A']+"\n")
		got, err := w.Rollback()
		if c.rollback == "" && !errors.Is(err, bundle.ErrNoPrevious) {
			t.Errorf("%s at %s: got %s, %v", c.history, c.current, got, err)
		}
		if c.rollback != "" && (err != nil || got != v[c.rollback[0]-'A']) {
			t.Errorf("%s at %s: got %s, %v, want %s", c.history, c.current, got, err, c.rollback)
		}
	}
}

// put writes a file beside the bundles.
func put(t testing.TB, f bundle.Folder, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(f.Dir, "pppq", name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestPromoteRepairs: a good version can always be put into service, and the
// one it replaces can be returned to.
func TestPromoteRepairs(t *testing.T) {
	t.Parallel()
	f := folder(t)
	w := lock(t, f)
	v := write(t, w, 3)
	for name, c := range map[string]struct{ history, current, promote, previous string }{
		"history damaged":       {"garbage", v[0] + "\n", v[1], v[0]},
		"current damaged":       {v[0] + "\n", "garbage", v[1], v[0]},
		"both damaged":          {"x", "x", v[1], ""},
		"same, history damaged": {"x", v[1] + "\n", v[1], ""},
		"current cut off":       {v[0] + "\n", v[1][:9], v[2], v[0]},
	} {
		put(t, f, "history", c.history)
		put(t, f, "current", c.current)
		if err := w.Promote(c.promote); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if current, previous := inService(t, f); current != c.promote || previous != c.previous {
			t.Errorf("%s: got %s before it %q, want %s and %q", name, current, previous, c.promote, c.previous)
		}
	}
}

// TestPromoteVerifies: what does not load is not put into service, by Promote or
// by Rollback.
func TestPromoteVerifies(t *testing.T) {
	t.Parallel()
	f := folder(t)
	w := lock(t, f)
	v := write(t, w, 2)
	path := filepath.Join(f.Dir, "pppq", v[0], "golden.json")
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"promote":  w.Promote(v[0]),
		"rollback": func() error { _, err := w.Rollback(); return err }(),
	} {
		var r *bundle.Refusal
		if !errors.As(err, &r) || r.File != "golden.json" {
			t.Errorf("%s: got %v, want a refusal of golden.json", what, err)
		}
	}
	if err := w.Promote("20000101T000000Z-0000"); err == nil {
		t.Error("a version that does not exist was promoted")
	}
	if current, _ := inService(t, f); current != v[1] {
		t.Errorf("%s is in service, want %s", current, v[1])
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	f := folder(t)
	w := lock(t, f)
	v := write(t, w, 6)
	if err := w.Promote(v[1]); err != nil {
		t.Fatal(err)
	}
	if err := w.Promote(v[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Prune(0); err == nil {
		t.Error("everything may be pruned")
	}
	put(t, f, "notes", "mine\n")
	for _, c := range []struct {
		keep          int
		removed, left []string
	}{
		{9, nil, v},
		{3, v[2:3], []string{v[0], v[1], v[3], v[4], v[5]}},
		{1, v[3:5], []string{v[0], v[1], v[5]}},
		{1, nil, []string{v[0], v[1], v[5]}},
	} {
		removed, err := w.Prune(c.keep)
		if err != nil {
			t.Fatal(err)
		}
		left, err := f.Versions()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(removed, c.removed) || !slices.Equal(left, c.left) {
			t.Errorf("keep %d: removed %v, left %v, want %v and %v", c.keep, removed, left, c.removed, c.left)
		}
	}
	if got, err := w.Rollback(); err != nil || got != v[1] {
		t.Errorf("rollback: got %s, %v, want %s", got, err, v[1])
	}
	// v[5] was in service before v[1] and is still there; v[2] to v[4] are not.
	if got, err := w.Rollback(); err != nil || got != v[5] {
		t.Errorf("rollback: got %s, %v, want %s", got, err, v[5])
	}
	want := []string{".lock", v[0], v[1], v[5], "current", "history", "notes"}
	if got := names(t, filepath.Join(f.Dir, "pppq")); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	put(t, f, "history", "garbage")
	if removed, err := w.Prune(1); err != nil || !slices.Equal(removed, []string{v[0]}) {
		t.Errorf("without a history: removed %v, %v, want %s and the guess kept", removed, err, v[0])
	}
	put(t, f, "current", "garbage")
	if removed, err := w.Prune(1); err == nil {
		t.Errorf("removed %v without knowing what is in service", removed)
	}
	put(t, f, "history", v[1]+"\n")
	if err := os.Remove(filepath.Join(f.Dir, "pppq", "current")); err != nil {
		t.Fatal(err)
	}
	if removed, err := w.Prune(1); err == nil {
		t.Errorf("removed %v though current is gone", removed)
	}
	if err := os.Remove(filepath.Join(f.Dir, "pppq", "history")); err != nil {
		t.Fatal(err)
	}
	if removed, err := w.Prune(1); err != nil || !slices.Equal(removed, []string{v[1]}) {
		t.Errorf("nothing ever in service: removed %v, %v, want %s", removed, err, v[1])
	}
}

// TestLeftovers: the next writer removes what killed ones left, nothing else,
// and no reader looks at it.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	f := folder(t)
	w, err := f.Lock("test", created)
	if err != nil {
		t.Fatal(err)
	}
	v := write(t, w, 1)[0]
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(f.Dir, "pppq")
	half := filepath.Join(root, ".tmp-0123456789abcdef")
	if err := os.CopyFS(half, os.DirFS(filepath.Join(root, v))); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(half, "manifest.json")); err != nil {
		t.Fatal(err)
	}
	put(t, f, ".current.tmp-0123456789abcdef", v)
	keep := []string{".tmp-0123456789abcdeg", ".tmp-0123456789abcdef0", "tmp-0123456789abcdef", ".tmp-", "backup"}
	for _, name := range keep {
		if err := os.Mkdir(filepath.Join(root, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	put(t, f, ".tmp-1123456789abcdef", "a file, not a folder")
	if got, err := f.Versions(); err != nil || !slices.Equal(got, []string{v}) {
		t.Errorf("got %v, %v, want %s", got, err, v)
	}
	lock(t, f)
	want := append([]string{".lock", v, "current", "history", ".tmp-1123456789abcdef"}, keep...)
	slices.Sort(want)
	if got := names(t, root); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSecondWriter(t *testing.T) {
	t.Parallel()
	f := folder(t)
	w := lock(t, f)
	_, err := f.Lock("pppq up", created)
	var held *lockfile.HeldError
	if !errors.As(err, &held) || held.Holder.Command != "test" || held.Holder.PID != os.Getpid() {
		t.Errorf("got %v, want who holds it", err)
	}
	for range 2 {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	lock(t, f)
}

func TestList(t *testing.T) {
	t.Parallel()
	f := folder(t)
	if list, err := f.List(); err != nil || len(list) != 0 {
		t.Errorf("no folder: got %v, %v", list, err)
	}
	v := write(t, lock(t, f), 3)
	if err := os.Truncate(filepath.Join(f.Dir, "pppq", v[0], "manifest.json"), 10); err != nil {
		t.Fatal(err)
	}
	list, err := f.List()
	if err != nil || len(list) != 3 {
		t.Fatalf("got %v, %v", list, err)
	}
	for i, e := range list {
		if e.Version != v[2-i] || e.InService != (i == 0) || e.Previous != (i == 1) {
			t.Errorf("entry %d: got %+v", i, e)
		}
		if bad := i == 2; (e.Err != nil) != bad || (e.Manifest == nil) != bad {
			t.Errorf("entry %d: got manifest %v, %v", i, e.Manifest, e.Err)
		}
	}
}

// TestWatch follows promotions, and what serves beside current, and reports what
// does not load, once.
func TestWatch(t *testing.T) {
	t.Parallel()
	f := folder(t)
	w := lock(t, f)
	v := write(t, w, 3)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	loaded, failed, ended := make(chan string), make(chan error), make(chan struct{})
	var serving atomic.Pointer[string]
	serving.Store(&v[2])
	go func() {
		defer close(ended)
		f.Watch(ctx, time.Millisecond, func() string { return *serving.Load() }, func() error {
			b, refused, err := f.LoadCurrent()
			if len(refused) > 0 {
				err = refused[0]
			}
			if err != nil {
				select {
				case failed <- err:
				case <-ctx.Done():
				}
				return err
			}
			serving.Store(&b.Manifest.Version)
			select {
			case loaded <- b.Manifest.Version:
			case <-ctx.Done():
			}
			return nil
		})
	}()
	next := func(want string) {
		t.Helper()
		select {
		case got := <-loaded:
			if got != want {
				t.Fatalf("loaded %s, want %s", got, want)
			}
		case err := <-failed:
			t.Fatalf("got %v, want %s", err, want)
		case <-ctx.Done():
			t.Fatalf("%s was never loaded", want)
		}
	}
	refused := func(file string) {
		t.Helper()
		select {
		case got := <-loaded:
			t.Fatalf("loaded %s, want a refusal of %s", got, file)
		case err := <-failed:
			var r *bundle.Refusal
			if !errors.As(err, &r) || r.File != file {
				t.Fatalf("got %v, want a refusal of %s", err, file)
			}
		case <-ctx.Done():
			t.Fatalf("%s was never refused", file)
		}
	}
	if err := w.Promote(v[0]); err != nil {
		t.Fatal(err)
	}
	next(v[0])
	if got, err := w.Rollback(); err != nil || got != v[2] {
		t.Fatal(got, err)
	}
	next(v[2])
	if err := os.Remove(filepath.Join(f.Dir, "pppq", v[1], "core.json")); err != nil {
		t.Fatal(err)
	}
	replace(t, f, v[1]+"\n")
	refused("core.json")
	replace(t, f, "garbage\n")
	refused("current")
	replace(t, f, v[2]+"\n") // it serves
	if err := w.Promote(v[0]); err != nil {
		t.Fatal(err)
	}
	next(v[0])
	if err := os.Remove(filepath.Join(f.Dir, "pppq", "current")); err != nil {
		t.Fatal(err)
	}
	if err := w.Promote(v[2]); err != nil {
		t.Fatal(err)
	}
	next(v[2])
	// Somebody else changed what serves, and current never did.
	serving.Store(&v[0])
	next(v[2])
	cancel()
	<-ended
}

// replace replaces current as a writer without manners would.
func replace(t testing.TB, f bundle.Folder, text string) {
	t.Helper()
	put(t, f, "next", text)
	root := filepath.Join(f.Dir, "pppq")
	if err := os.Rename(filepath.Join(root, "next"), filepath.Join(root, "current")); err != nil {
		t.Fatal(err)
	}
}
