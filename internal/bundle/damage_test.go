package bundle_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/bundle"
)

// TestDamage cuts, flips and lengthens every file at random places: each time
// the bundle is refused with the file's name.
func TestDamage(t *testing.T) {
	t.Parallel()
	f := folder(t)
	v := write(t, lock(t, f), 1)[0]
	all := files(t, f, v)
	if len(all) != 11 {
		t.Fatalf("%d files", len(all))
	}
	random := rand.New(rand.NewPCG(3, 4))
	for name, b := range all {
		path := filepath.Join(f.Dir, "pppq", v, name)
		refused := func(how string) {
			t.Helper()
			_, err := f.Load(v)
			var r *bundle.Refusal
			if !errors.As(err, &r) || r.File != name || r.Version != v || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s, %s: got %v, want a refusal of it in one line", name, how, err)
			}
		}
		put := func(b []byte) {
			t.Helper()
			if err := os.WriteFile(path, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for range 12 {
			at := random.IntN(len(b))
			flipped := bytes.Clone(b)
			flipped[at] ^= 1 << random.IntN(8)
			put(flipped)
			refused("a bit flipped")
			put(b[:at])
			refused("cut off")
			half := make([]byte, len(b)) // the rest never reached the disk
			copy(half, b[:at])
			put(half)
			if !bytes.Equal(half, b) {
				refused("half written")
			}
		}
		for how, b := range map[string][]byte{
			"a byte too many": append(bytes.Clone(b), '\n'), "empty": nil, "of another kind": []byte("{}\n"),
		} {
			put(b)
			refused(how)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		refused("missing")
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		refused("a folder")
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		put(b)
		load(t, f, v)
	}
}

func TestUnknownFile(t *testing.T) {
	t.Parallel()
	f := folder(t)
	v := write(t, lock(t, f), 1)[0]
	dir := filepath.Join(f.Dir, "pppq", v)
	for _, extra := range []string{"notes.txt", ".core.json.tmp-0123456789abcdef", "Core.json2"} {
		path := filepath.Join(dir, extra)
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := f.Load(v)
		var r *bundle.Refusal
		if !errors.As(err, &r) || r.File != extra {
			t.Errorf("%s: got %v, want a refusal of it", extra, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "core.json"), filepath.Join(dir, "x")); err == nil {
		if err := os.Rename(filepath.Join(dir, "x"), filepath.Join(dir, "latest.csv")); err != nil {
			t.Fatal(err)
		}
		_, err := f.Load(v)
		var r *bundle.Refusal
		if !errors.As(err, &r) || r.File != "latest.csv" {
			t.Errorf("symbolic link: got %v, want a refusal of latest.csv", err)
		}
	}
}

// TestRenamed: a bundle under another version's name is refused, and names that
// are no versions never reach the disk.
func TestRenamed(t *testing.T) {
	t.Parallel()
	f := folder(t)
	v := write(t, lock(t, f), 1)[0]
	other := "20261123T000000Z" + v[16:]
	root := filepath.Join(f.Dir, "pppq")
	if err := os.Rename(filepath.Join(root, v), filepath.Join(root, other)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Load(other); err == nil || !strings.Contains(err.Error(), "manifest.json: is of version "+v) {
		t.Errorf("got %v", err)
	}
	if _, err := f.Load(v); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "no such version") {
		t.Errorf("gone: got %v", err)
	}
	for _, bad := range []string{"", "..", "../pppq/" + other, other + "/", "20261322T181500Z-4f2a", "20261122T181500Z-4F2A", "20261122t181500z-4f2a", "20261122T181500Z-4f2ag"} {
		if err := bundle.CheckVersion(bad); err == nil {
			t.Errorf("%q passes for a version", bad)
		}
		if _, err := f.Load(bad); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: got %v", bad, err)
		}
		if _, err := f.Show(bad); err == nil {
			t.Errorf("%q is shown", bad)
		}
	}
}

// TestFallback: where the version in service is damaged the last good one
// serves.
func TestFallback(t *testing.T) {
	t.Parallel()
	f := folder(t)
	w := lock(t, f)
	if _, refused, err := f.LoadCurrent(); !errors.Is(err, bundle.ErrNone) || len(refused) > 0 {
		t.Errorf("no models: got %v, %v", refused, err)
	}
	v := write(t, w, 3)
	unproven, err := w.Write(contents(t))
	if err != nil {
		t.Fatal(err)
	}
	serves := func(what, want string, files ...string) {
		t.Helper()
		b, refused, err := f.LoadCurrent()
		if err != nil || b.Manifest.Version != want {
			t.Fatalf("%s: got %v, want %s", what, err, want)
		}
		var got []string
		for _, r := range refused {
			got = append(got, r.File)
		}
		if !slices.Equal(got, files) {
			t.Errorf("%s: refused %v, want %v", what, refused, files)
		}
	}
	damage := func(elem ...string) {
		t.Helper()
		path := filepath.Join(append([]string{f.Dir, "pppq"}, elem...)...)
		if err := os.Truncate(path, 7); err != nil {
			t.Fatal(err)
		}
	}
	serves("whole", v[2])
	damage(v[2], "core.json")
	serves("one damaged", v[1], "core.json")
	damage(v[1], "history.csv")
	serves("two damaged", v[0], "core.json", "history.csv")
	damage("current")
	serves("and current", v[0], "current", "core.json", "history.csv")
	damage("history")
	serves("and the history", unproven, "current")
	if err := os.Remove(filepath.Join(f.Dir, "pppq", "current")); err != nil {
		t.Fatal(err)
	}
	serves("current gone", unproven, "current")
	damage(unproven, "golden.json")
	damage(v[0], "lightgbm.txt")
	b, refused, err := f.LoadCurrent()
	if b != nil || !errors.Is(err, bundle.ErrNone) || len(refused) != 5 || !strings.Contains(err.Error(), "pppq train") {
		t.Errorf("all damaged: got %v, %v", refused, err)
	}
}

// TestFallbackAlarms: what was never in service and raised alarms does not stand
// in.
func TestFallbackAlarms(t *testing.T) {
	t.Parallel()
	f := folder(t)
	w := lock(t, f)
	c := contents(t)
	c.Report = report()
	c.Report.Alarms = []backtest.Alarm{{What: "skill", Value: 0.9, Level: 0.1}}
	v, err := w.Write(c)
	if err != nil {
		t.Fatal(err)
	}
	if b, refused, err := f.LoadCurrent(); b != nil || !errors.Is(err, bundle.ErrNone) || len(refused) != 2 {
		t.Errorf("got %v, %v", refused, err)
	}
	if err := w.Promote(v); err != nil {
		t.Fatal(err)
	}
	if b, refused, err := f.LoadCurrent(); err != nil || len(refused) > 0 || b.Manifest.Alarms != 1 {
		t.Errorf("promoted all the same: got %v, %v", refused, err)
	}
}
