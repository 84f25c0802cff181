package bundle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/pppq/pppq/internal/atomicfile"
	"github.com/pppq/pppq/internal/lockfile"
)

// temporary is the form of the name of a folder that is being written or
// removed.
var temporary = regexp.MustCompile(`^\.tmp-[0-9a-f]{16}$`)

// A Writer is the one process that may change a Folder, until Close. It is for
// one goroutine.
type Writer struct {
	folder Folder
	lock   *lockfile.Lock
}

// Lock makes the folder if there is none, takes its lock for the running
// command, as "pppq train", and removes what killed writers left. It does not
// wait: the error is a *lockfile.HeldError, which says who holds the lock, if
// another process, or another Writer of this one, does.
func (f Folder) Lock(command string, now time.Time) (*Writer, error) {
	if err := os.MkdirAll(f.root(), 0o755); err != nil {
		return nil, fmt.Errorf("models folder: %w", err)
	}
	if err := atomicfile.SyncDir(f.Dir); err != nil {
		return nil, fmt.Errorf("models folder: %w", err)
	}
	lock, err := lockfile.Acquire(filepath.Join(f.root(), lockName), command, now)
	if err != nil {
		return nil, err
	}
	w := &Writer{folder: f, lock: lock}
	if err := w.clean(); err != nil {
		return nil, errors.Join(fmt.Errorf("remove leftovers of a stopped run: %w", err), lock.Release())
	}
	return w, nil
}

// Close gives the lock back. Closing twice is fine.
func (w *Writer) Close() error { return w.lock.Release() }

// clean removes temporary files and folders, and nothing else.
func (w *Writer) clean() error {
	root := w.folder.root()
	if err := atomicfile.Clean(root); err != nil {
		return err
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() && temporary.MatchString(e.Name()) {
			if err := os.RemoveAll(filepath.Join(root, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// Write puts a new bundle into the folder and returns its version; Promote puts
// it into service. What is written is read back and asked before it gets its
// name. On an error nothing is left behind.
func (w *Writer) Write(c Contents) (version string, err error) {
	all, err := c.encode()
	if err != nil {
		return "", fmt.Errorf("write model: %w", err)
	}
	m, err := newManifest(&c, all)
	if err != nil {
		return "", fmt.Errorf("write model: %w", err)
	}
	m.Program = w.folder.Program
	if err := w.name(m, c.Created); err != nil {
		return "", fmt.Errorf("write model: %w", err)
	}
	if all[manifestName], err = m.encode(); err != nil {
		return "", fmt.Errorf("write model: %w", err)
	}

	root := w.folder.root()
	dir, err := w.makeTemporary()
	if err != nil {
		return "", fmt.Errorf("write model: %w", err)
	}
	renamed := false
	defer func() {
		if !renamed {
			// The lock's next holder removes what can't be removed now.
			_ = os.RemoveAll(dir)
		}
	}()
	for _, f := range append(m.Files, File{Name: manifestName}) {
		b := all[f.Name]
		err := atomicfile.WriteFile(filepath.Join(dir, f.Name), func(out io.Writer) error {
			_, err := out.Write(b)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	// Bit for bit: this is the machine and the program that gave the answers.
	if _, r := load(dir, m.Version, m.Program, 0); r != nil {
		return "", fmt.Errorf("read back what was written: %w", r)
	}
	if err := os.Rename(dir, filepath.Join(root, m.Version)); err != nil {
		return "", fmt.Errorf("write model: %w", err)
	}
	renamed = true
	if err := atomicfile.SyncDir(root); err != nil {
		return "", fmt.Errorf("write model %s: %w", m.Version, err)
	}
	return m.Version, nil
}

// name gives the manifest its version: the time, or the first second after it
// that no version has yet, so that versions sort in the order of writing.
func (w *Writer) name(m *Manifest, created time.Time) error {
	versions, err := w.folder.Versions()
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	for _, v := range versions {
		taken[v[:len(versionTime)]] = true
	}
	created = created.UTC().Truncate(time.Second)
	for taken[created.Format(versionTime)] {
		created = created.Add(time.Second)
	}
	m.Created, m.Version = created, version(created, m.Content)
	return CheckVersion(m.Version)
}

// makeTemporary makes a folder with a temporary name.
func (w *Writer) makeTemporary() (string, error) {
	for {
		dir := filepath.Join(w.folder.root(), fmt.Sprintf(".tmp-%016x", rand.Uint64()))
		err := os.Mkdir(dir, 0o755)
		if !errors.Is(err, fs.ErrExist) {
			return dir, err
		}
	}
}
