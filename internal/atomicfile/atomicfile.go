// Package atomicfile replaces files so that a reader, or a process killed at any
// instant, finds either the old content or the new one and never a part.
//
// A file is written under a temporary name in the folder of its target, synced,
// and renamed over the target; then the folder is synced. A killed process can
// leave a temporary file behind, which Clean removes.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"syscall"
)

// temporary is the form of a temporary name: a dot, the name of the target, a
// mark and a random number.
var temporary = regexp.MustCompile(`^\..+\.tmp-[0-9a-f]{16}$`)

// WriteFile replaces path by what write produces; mode 0644 less the umask. The
// folder must exist. On any error, also one from write, the old file stays as it
// was and nothing is left behind; the error names path.
//
// A symbolic link at path is itself replaced, not the file it points to.
func WriteFile(path string, write func(io.Writer) error) (err error) {
	f, err := create(path)
	if err != nil {
		return problem(path, "", err)
	}
	name := f.Name()
	renamed := false
	defer func() {
		if !renamed {
			err = problem(path, name, errors.Join(err, closed(f.Close())))
			if removeErr := os.Remove(name); removeErr != nil {
				err = errors.Join(err, fmt.Errorf("leaves a temporary file: %w", removeErr))
			}
		}
	}()
	w := bufio.NewWriterSize(f, 1<<16)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(name, path); err != nil {
		return err
	}
	renamed = true
	return SyncDir(filepath.Dir(path))
}

// create opens a new temporary file beside path.
func create(path string) (*os.File, error) {
	dir, base := filepath.Split(path)
	if base == "" || base == "." || base == ".." {
		return nil, fs.ErrInvalid
	}
	for {
		name := fmt.Sprintf("%s.%s.tmp-%016x", dir, base, rand.Uint64())
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// problem says that path was not written; an operating system's error that
// names the temporary file keeps only its reason.
func problem(path, temporary string, err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) && (temporary == "" || pathErr.Path == temporary) {
		err = pathErr.Err
	}
	var linkErr *os.LinkError
	if errors.As(err, &linkErr) {
		err = linkErr.Err
	}
	return fmt.Errorf("write %s: %w", path, err)
}

// Full reports whether an error says that a file can't grow: the disk, or what of
// it the user may take, is full.
func Full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// closed hides the error of closing a second time.
func closed(err error) error {
	if errors.Is(err, fs.ErrClosed) {
		return nil
	}
	return err
}

// SyncDir makes the names in a folder durable. Where the system or its file
// system has no such operation it does nothing.
func SyncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, d.Close())
}

// Clean removes the temporary files that killed writers left in a folder; not
// in folders beneath it. Only who holds the folder's lock may call it, since it
// can't tell a dead writer's file from a living one's. A folder that does not
// exist is clean.
func Clean(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Type().IsRegular() && temporary.MatchString(e.Name()) {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
