package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/pppq/pppq/internal/atomicfile"
	"github.com/pppq/pppq/internal/csvfile"
)

// SnapshotName is the file in the data folder that the service reads.
const SnapshotName = "ledger.csv"

// SnapshotLimits bound what is read of a snapshot, here and by the service.
var SnapshotLimits = csvfile.Limits{Bytes: 64 << 20, LineBytes: 4 << 10, Lines: 500_000, Fields: 64}

// A snapshot has a row for each forecast: all its columns but the kind and the
// hash before, which is that of the entry with the number before. Then come the
// score's, empty while there is none; with those every entry can be put together
// again and the chain can be computed from the file alone.
var (
	forecastColumns = columnsOf(func(c column) bool { return c.kind != kindScore && c.name != "kind" && c.name != "previous_hash" })
	scoreColumns    = columnsOf(func(c column) bool {
		return c.kind == kindScore && c.name != "forecast_entry" || slices.Contains(sharedByScore, c.name)
	})
)

// sharedByScore are the columns that both entries of a row have of their own; a
// prefix sets the score's apart.
var sharedByScore = []string{"entry", "written_at", "hash"}

const scorePrefix = "score_"

// columnsOf returns the places of some columns.
func columnsOf(want func(column) bool) (at []int) {
	for i, c := range columns {
		if want(c) {
			at = append(at, i)
		}
	}
	return at
}

// snapshotHeader are the names of a snapshot's columns.
func snapshotHeader() []string {
	var names []string
	for _, i := range forecastColumns {
		names = append(names, columns[i].name)
	}
	for _, i := range scoreColumns {
		name := columns[i].name
		if slices.Contains(sharedByScore, name) {
			name = scorePrefix + name
		}
		names = append(names, name)
	}
	return names
}

// cells are a line's cells in a snapshot. None holds a comma or a quote.
func (l *Line) cells() []string {
	cells := make([]string, 0, len(forecastColumns)+len(scoreColumns))
	values := l.Forecast.values()
	for _, i := range forecastColumns {
		cells = append(cells, cell(values[i]))
	}
	if l.Score == nil {
		return append(cells, make([]string, len(scoreColumns))...)
	}
	values = l.Score.values()
	for _, i := range scoreColumns {
		cells = append(cells, cell(values[i]))
	}
	return cells
}

// WriteSnapshot writes lines as CSV with a header.
func WriteSnapshot(w io.Writer, lines []Line) error {
	if _, err := io.WriteString(w, strings.Join(snapshotHeader(), ",")+"\n"); err != nil {
		return err
	}
	for i := range lines {
		if _, err := io.WriteString(w, strings.Join(lines[i].cells(), ",")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// Export replaces the snapshot at path by the ledger as it is now, unless it tells
// of entries that the ledger has not, or has otherwise: of those it may be the
// last proof. The error then wraps a *Fault.
func (l *Ledger) Export(ctx context.Context, path string) error {
	lines, err := l.Lines(ctx)
	if err != nil {
		return err
	}
	var fault *Fault
	if _, err := CheckSnapshot(path, lines); errors.As(err, &fault) {
		return fmt.Errorf("%s is left as it was: %w; restore the database from a backup, or move the file away to begin anew", SnapshotName, fault)
	}
	return atomicfile.WriteFile(path, func(w io.Writer) error { return WriteSnapshot(w, lines) })
}

// CheckSnapshot compares the snapshot at path with all lines of the ledger and
// returns how many entries it does not have yet. An older snapshot is fine. The
// error is a *Fault if the snapshot and the ledger say different things, and a
// *csvfile.ParseError if it can't be read; then it wraps fs.ErrNotExist if there
// is none.
func CheckSnapshot(path string, lines []Line) (behind int, err error) {
	text, err := csvfile.Load(path, SnapshotName, SnapshotLimits)
	if err != nil {
		return 0, err
	}
	return checkSnapshot(text, lines)
}

func checkSnapshot(text *csvfile.Text, lines []Line) (behind int, err error) {
	if err := text.Terminated(); err != nil {
		return 0, err
	}
	rows := text.Rows(',')
	rows.Next() // Terminated: there is a line
	if err := rows.Err(); err != nil {
		return 0, err
	}
	header := snapshotHeader()
	if !slices.Equal(rows.Fields(), header) {
		return 0, rows.Fault(-1, errors.New("has not the columns that this program writes; the next `pppq train` writes it anew"))
	}
	n := 0
	for ; rows.Next(); n++ {
		got := rows.Fields()
		if len(got) != len(header) {
			return 0, rows.Fault(-1, fmt.Errorf("%d fields, want %d", len(got), len(header)))
		}
		if n == len(lines) {
			entry, err := strconv.ParseInt(got[0], 10, 64)
			if err != nil {
				return 0, rows.Fault(0, errors.New("want the number of an entry"))
			}
			return 0, &Fault{entry, errors.New("stands in " + SnapshotName + " and not in the database")}
		}
		missing, err := lines[n].compare(header, got)
		if err != nil {
			return 0, err
		}
		behind += missing
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	for _, l := range lines[n:] {
		behind++
		if l.Score != nil {
			behind++
		}
	}
	return behind, nil
}

// compare holds a row of a snapshot against l; missing is 1 if it lacks the
// score only. The error is a *Fault.
func (l *Line) compare(header, got []string) (missing int, err error) {
	want := l.cells()
	entry := l.Forecast.Number
	for i, name := range header {
		if i == len(forecastColumns) {
			if l.Score == nil && got[i] != "" {
				return 0, &Fault{entry, errors.New("has a score in " + SnapshotName + " and none in the database")}
			}
			if l.Score != nil {
				if !slices.ContainsFunc(got[i:], func(s string) bool { return s != "" }) {
					return 1, nil
				}
				entry = l.Score.Number
			}
		}
		if got[i] != want[i] {
			return 0, &Fault{entry, fmt.Errorf("%s is %q in %s and %q in the database", name, got[i], SnapshotName, want[i])}
		}
	}
	return 0, nil
}
