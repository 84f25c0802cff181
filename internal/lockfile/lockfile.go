// Package lockfile lets one process at a time write to a folder.
//
// The lock is the operating system's own on an open file, so it ends with the
// process, however that ends; the file itself stays and says who holds it, or
// held it last. Two folders on one machine, and two processes of one user, are
// what it is for: not every network file system keeps such locks.
package lockfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/pppq/pppq/internal/atomicfile"
)

// A Lock is held until Release, or until the process ends.
type Lock struct {
	f *os.File
}

// A Holder is the process that holds a lock.
type Holder struct {
	PID     int
	Command string
	Since   time.Time
}

// A HeldError says that another process holds the lock.
type HeldError struct {
	Path string
	// Holder is zero if the lock was taken a moment ago and does not say yet by whom.
	Holder Holder
}

func (e *HeldError) Error() string {
	if e.Holder.PID == 0 {
		return fmt.Sprintf("%s is locked by another process; try again when it has ended", e.Path)
	}
	return fmt.Sprintf("%s is locked by process %d (%s) since %s; wait for it to end, or stop it, and try again",
		e.Path, e.Holder.PID, e.Holder.Command, e.Holder.Since.UTC().Format("2006-01-02 15:04:05 UTC"))
}

// Acquire takes the lock at path for the running process, which it describes
// there as command (one line, as "pppq train") since now. The folder must
// exist. It does not wait: the error is a *HeldError if another process, or
// another Lock of this one, holds it.
func Acquire(path, command string, now time.Time) (*Lock, error) {
	f, err := open(path)
	if errors.Is(err, errHeld) {
		return nil, &HeldError{Path: path, Holder: holder(path)}
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	command = strings.Join(strings.Fields(command), " ")
	note := fmt.Sprintf("pid %d\ncommand %s\nsince %s\n", os.Getpid(), command, now.UTC().Format(time.RFC3339))
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(note), 0)
	}
	if err != nil && !atomicfile.Full(err) { // on a full disk the lock holds without its note
		return nil, fmt.Errorf("lock %s: %w", path, errors.Join(reason(err), f.Close()))
	}
	return &Lock{f: f}, nil
}

// Release gives the lock back. The file stays: removing it would let two
// processes lock two files of one name. Releasing twice is fine.
func (l *Lock) Release() error {
	if l.f == nil {
		return nil
	}
	f := l.f
	l.f = nil
	return errors.Join(f.Truncate(0), unlock(f), f.Close())
}

// reason strips the operation and the name from an operating system's error.
func reason(err error) error {
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// holder reads what the holder wrote of itself; zero if that can't be read.
func holder(path string) Holder {
	f, err := os.Open(path)
	if err != nil {
		return Holder{}
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return Holder{}
	}
	var h Holder
	for line := range strings.Lines(string(b)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch key {
		case "pid":
			h.PID, err = strconv.Atoi(value)
		case "command":
			h.Command = value
		case "since":
			h.Since, err = time.Parse(time.RFC3339, value)
		}
		if err != nil {
			return Holder{}
		}
	}
	return h
}
