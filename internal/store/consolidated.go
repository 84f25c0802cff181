package store

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/pppq/pppq/internal/atomicfile"
	"github.com/pppq/pppq/internal/series"
)

// ConsolidatedName is the file of all newest figures in a data folder.
const ConsolidatedName = "final_consolidated_dataset.csv"

// WriteConsolidated writes the newest vintage of every figure as a wide table:
// the header "month" and the ids in alphabetical order, then one line a month
// without a gap from the oldest figure to the newest. A missing figure is empty.
func WriteConsolidated(w io.Writer, set *series.Set) error {
	views := make([]series.View, 0, len(set.IDs()))
	var first, last series.Month
	header := []string{"month"}
	for i, id := range set.IDs() {
		s, err := set.Get(id)
		if err != nil {
			return err
		}
		header = append(header, id)
		views = append(views, s.Latest())
		if i == 0 {
			first, last = s.First(), s.Last()
		}
		first, last = min(first, s.First()), max(last, s.Last())
	}
	c := csv.NewWriter(w)
	if err := c.Write(header); err != nil {
		return err
	}
	record := make([]string, len(header))
	for m := first; m <= last && len(views) > 0; m++ {
		record[0] = m.String()
		for i, view := range views {
			record[i+1] = ""
			if v := view.At(m); v == v {
				record[i+1] = formatValue(v)
			}
		}
		if err := c.Write(record); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// WriteSeries writes the newest vintage of a series as "period,value" lines,
// which an import reads back; a missing month has no line.
func WriteSeries(w io.Writer, s *series.Series) error {
	c := csv.NewWriter(w)
	if err := c.Write([]string{"period", "value"}); err != nil {
		return err
	}
	view := s.Latest()
	for m := view.First; m <= view.Last(); m++ {
		if v := view.At(m); v == v {
			if err := c.Write([]string{m.String(), formatValue(v)}); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}

// WriteVintages writes every vintage of a series in the form of its file in the
// data folder, oldest known first.
func WriteVintages(w io.Writer, s *series.Series) error {
	c := csv.NewWriter(w)
	if err := c.Write(seriesHeader); err != nil {
		return err
	}
	for _, o := range s.Observations() {
		if err := c.Write(observationRecord(o)); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// dropConsolidated removes the wide table, which the next writer makes anew.
func (s *Store) dropConsolidated() error {
	if err := os.Remove(s.path(ConsolidatedName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// rebuildConsolidated reads everything back and refreshes the wide table.
func (s *Store) rebuildConsolidated(ctx context.Context) error {
	set, _, err := s.Load(ctx)
	if err != nil {
		return err
	}
	return s.refreshConsolidated(set)
}

// refreshConsolidated writes the wide table unless it stands there already, as
// after a kill between two writes it may not.
func (s *Store) refreshConsolidated(set *series.Set) error {
	var b bytes.Buffer
	if err := WriteConsolidated(&b, set); err != nil {
		return err
	}
	path := s.path(ConsolidatedName)
	if same, err := holdsBytes(path, b.Bytes()); same || err != nil {
		return err
	}
	return atomicfile.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(b.Bytes())
		return err
	})
}

// holdsBytes reports whether the file at path has just this content.
func holdsBytes(path string, want []byte) (bool, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	got, err := io.ReadAll(io.LimitReader(f, int64(len(want))+1))
	return bytes.Equal(got, want), err
}
