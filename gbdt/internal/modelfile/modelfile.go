// Package modelfile holds what the readers and writers of model files share: reading with a bound, and replacing a file
// in one step.
package modelfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
)

// ErrTooLarge is wrapped by errors about input that exceeds a limit.
var ErrTooLarge = errors.New("exceeds the limit")

// ReadAll reads r to its end. It gives up with an error that wraps ErrTooLarge once more than maxBytes have come, so
// memory stays within a small multiple of what was really sent.
func ReadAll(r io.Reader, maxBytes int64) ([]byte, error) {
	var buf bytes.Buffer
	if l, ok := r.(interface{ Len() int }); ok && int64(l.Len()) <= maxBytes {
		buf.Grow(l.Len() + bytes.MinRead)
	}
	maxBytes = min(maxBytes, math.MaxInt64-1)
	n, err := buf.ReadFrom(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, err
	}
	if n > maxBytes {
		return nil, fmt.Errorf("file %w of %d bytes", ErrTooLarge, maxBytes)
	}
	return buf.Bytes(), nil
}

// Load opens path and reads it as ReadAll does.
func Load(path string, maxBytes int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if size := info.Size(); size > maxBytes {
		return nil, fmt.Errorf("file of %d bytes %w of %d", size, ErrTooLarge, maxBytes)
	} else if info.Mode().IsRegular() {
		return ReadAll(sized{f, int(size)}, maxBytes)
	}
	return ReadAll(f, maxBytes)
}

// sized tells ReadAll how much is to come.
type sized struct {
	io.Reader
	n int
}

func (s sized) Len() int { return s.n }

// Save replaces the file at path by what write produces, or leaves it as it was: the bytes go to a temporary file in
// the same folder, are synced, read back and given to check, and only then take the name. A new file has the
// permissions of the one it replaces, else 0644.
func Save(path string, write func(io.Writer) error, check func(written []byte) error) (err error) {
	mode := os.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	renamed := false
	defer func() {
		if !renamed {
			f.Close() // closing twice does no harm
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	written, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	if err := check(written); err != nil {
		return fmt.Errorf("check what was written: %w", err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	renamed = true
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes a rename last through a loss of power. Windows cannot sync folders.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
