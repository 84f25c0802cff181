package ledger

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pppq/pppq/internal/atomicfile"
	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/csvfile"
)

// pendingName is the file that names the versions, one a line, whose forecasts
// could not be recorded yet. It is there only while there are any.
const pendingName = "ledger.pending"

var pendingLimits = csvfile.Limits{Bytes: 1 << 20, LineBytes: 64, Lines: 10_000, Fields: 1}

// readPending returns the versions in the file at path; none if there is none.
// The error is a *csvfile.ParseError.
func readPending(path string) ([]string, error) {
	text, err := csvfile.Load(path, pendingName, pendingLimits)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parsePending(text)
}

func parsePending(text *csvfile.Text) (versions []string, err error) {
	if err := text.Terminated(); err != nil {
		return nil, err
	}
	rows := text.Rows(',')
	for rows.Next() {
		v := rows.Fields()[0]
		if err := bundle.CheckVersion(v); err != nil {
			return nil, rows.Fault(0, err)
		}
		versions = append(versions, v)
	}
	return versions, rows.Err()
}

// writePending replaces the file at path, or removes it if nothing is pending.
func writePending(path string, versions []string) error {
	if len(versions) > 0 {
		return atomicfile.WriteFile(path, func(w io.Writer) error {
			_, err := io.WriteString(w, strings.Join(versions, "\n")+"\n")
			return err
		})
	}
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", path, err)
	}
	return atomicfile.SyncDir(filepath.Dir(path))
}

// union sorts versions by time, each once.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
