package bundle

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pppq/pppq/internal/atomicfile"
)

// Names beside the bundles.
const (
	currentName = "current"
	servedName  = "history"
	lockName    = ".lock"
)

// maxServed is how many entries history keeps.
const maxServed = 100

// current returns the version that current names. The error is a *Refusal; it
// wraps fs.ErrNotExist if there is no such file.
func (f Folder) current() (string, error) {
	names, err := f.readNames(currentName, 1)
	if err != nil {
		return "", err
	}
	if len(names) != 1 {
		return "", refuse("", currentName, errors.New("is empty"))
	}
	return names[0], nil
}

// history returns the versions put into service, oldest first. What stands
// after the last one in service was prepared or rolled back.
func (f Folder) history() ([]string, error) { return f.readNames(servedName, maxServed) }

// readNames reads a file of at most limit versions, one a line.
func (f Folder) readNames(name string, limit int) ([]string, error) {
	b, err := readFile(filepath.Join(f.root(), name), int64(limit*(len(versionTime)+6)))
	if err != nil {
		return nil, refuse("", name, err)
	}
	var names []string
	for line := range strings.Lines(string(b)) {
		v, ended := strings.CutSuffix(line, "\n")
		err := CheckVersion(v)
		if err == nil && !ended {
			err = errors.New("the last line is cut off")
		}
		if err != nil {
			return nil, refuse("", name, fmt.Errorf("line %d: %w", len(names)+1, err))
		}
		names = append(names, v)
	}
	return names, nil
}

// writeNames replaces such a file.
func (f Folder) writeNames(name string, versions ...string) error {
	return atomicfile.WriteFile(filepath.Join(f.root(), name), func(w io.Writer) error {
		for _, v := range versions {
			if _, err := io.WriteString(w, v+"\n"); err != nil {
				return err
			}
		}
		return nil
	})
}

// upTo returns the part of a history that ends with the last entry of current;
// all of it if current is not there.
func upTo(served []string, current string) []string {
	for i, v := range slices.Backward(served) {
		if v == current {
			return served[:i+1]
		}
	}
	return served
}

// previous returns the version that was in service before current and is still
// there, "" if there is none.
func (f Folder) previous(current string) (string, error) {
	served, err := f.history()
	if err != nil {
		return "", err
	}
	versions, err := f.Versions()
	if err != nil {
		return "", err
	}
	if !slices.Contains(served, current) {
		return "", nil
	}
	for _, v := range slices.Backward(upTo(served, current)) {
		if v != current && slices.Contains(versions, v) {
			return v, nil
		}
	}
	return "", nil
}
