package store

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pppq/pppq/internal/atomicfile"
	"github.com/pppq/pppq/internal/csvfile"
	"github.com/pppq/pppq/internal/series"
)

// seriesHeader names the columns of a series file.
var seriesHeader = []string{"period", "value", "known_from", "retrieved_at", "source"}

// A seriesFile is a series as it stands on disk.
type seriesFile struct {
	series *series.Series
	// text is the file, byte for byte.
	text string
	// retrieved is the newest retrieved_at; zero if every line is without one.
	retrieved time.Time
}

func seriesPath(s *Store, id string) string { return s.path("series", id+".csv") }

// readSeries reads the file of a series.
func (s *Store) readSeries(info series.Info) (*seriesFile, error) {
	path := seriesPath(s, info.ID)
	text, err := csvfile.Load(path, path, limits)
	if err != nil {
		return nil, err
	}
	return parseSeries(text, info)
}

// parseSeries reads a series file. Lines are in the order in which they were
// written: retrieved_at never descends (empty comes first), and lines with the
// same retrieved_at ascend by period, then known_from. The error is a
// *csvfile.ParseError at the first fault.
func parseSeries(text *csvfile.Text, info series.Info) (*seriesFile, error) {
	if err := text.Terminated(); err != nil {
		return nil, err
	}
	rows := text.Rows(',')
	if err := readHeader(rows, seriesHeader); err != nil {
		return nil, err
	}
	f := &seriesFile{text: text.String()}
	var obs []series.Observation
	for rows.Next() {
		o, err := parseObservation(rows)
		if err != nil {
			return nil, err
		}
		if len(obs) > 0 {
			if err := checkOrder(rows, obs[len(obs)-1], o); err != nil {
				return nil, err
			}
		}
		obs = append(obs, o)
		f.retrieved = o.RetrievedAt
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	var err error
	if f.series, err = series.New(info, obs); err != nil {
		line, placed := duplicate(obs)
		return nil, &csvfile.ParseError{File: text.Name, Line: line, Err: cmp.Or(placed, err)}
	}
	return f, nil
}

// duplicate finds the first line that repeats the period and known_from of
// another; line 0 and no error if there is none. The observations are one a line
// below the header.
func duplicate(obs []series.Observation) (line int, err error) {
	type vintage struct {
		period series.Month
		known  series.Date
	}
	lines := make(map[vintage]int)
	for i, o := range obs {
		key := vintage{o.Period, o.KnownFrom}
		if other, ok := lines[key]; ok {
			return i + 2, fmt.Errorf("%s known from %s stands also in line %d", o.Period, o.KnownFrom, other)
		}
		lines[key] = i + 2
	}
	return 0, nil
}

// readHeader insists on the first line.
func readHeader(rows *csvfile.Rows, want []string) error {
	if !rows.Next() {
		return rows.Err()
	}
	if !slices.Equal(rows.Fields(), want) {
		return rows.Fault(0, fmt.Errorf("header is %q, want %q", strings.Join(rows.Fields(), ","), strings.Join(want, ",")))
	}
	return nil
}

func parseObservation(rows *csvfile.Rows) (o series.Observation, err error) {
	fields := rows.Fields()
	if len(fields) != len(seriesHeader) {
		return o, rows.Fault(-1, fmt.Errorf("%d fields, want %d", len(fields), len(seriesHeader)))
	}
	if o.Period, err = series.ParseMonth(fields[0]); err != nil {
		return o, rows.Fault(0, err)
	}
	if o.Value, err = parseValue(fields[1]); err != nil {
		return o, rows.Fault(1, err)
	}
	if o.KnownFrom, err = series.ParseDate(fields[2]); err != nil {
		return o, rows.Fault(2, err)
	}
	if o.KnownFrom < o.Period.Start() {
		return o, rows.Fault(2, fmt.Errorf("known from %s, before %s began", fields[2], o.Period))
	}
	if fields[3] != "" {
		o.RetrievedAt, err = time.Parse(time.RFC3339, fields[3])
		if err != nil || o.RetrievedAt.IsZero() || o.RetrievedAt.UTC().Format(time.RFC3339) != fields[3] {
			return o, rows.Fault(3, fmt.Errorf("time %q: want YYYY-MM-DDTHH:MM:SSZ or nothing", fields[3]))
		}
	}
	if err := series.CheckText(fields[4]); err != nil {
		return o, rows.Fault(4, fmt.Errorf("source: %w", err))
	}
	o.Source = fields[4]
	return o, nil
}

// parseValue reads a finite decimal number.
func parseValue(s string) (float64, error) {
	if strings.Trim(s, "+-.0123456789eE") != "" {
		return 0, fmt.Errorf("value %q is not a number", s)
	}
	v, err := strconv.ParseFloat(s, 64)
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("value %q is out of range", s)
	}
	if err != nil {
		return 0, fmt.Errorf("value %q is not a number", s)
	}
	return v, nil
}

func checkOrder(rows *csvfile.Rows, before, o series.Observation) error {
	switch c := o.RetrievedAt.Compare(before.RetrievedAt); {
	case c > 0:
		return nil
	case c < 0:
		return rows.Fault(3, errors.New("retrieved before the line above: lines must stand in the order in which they were added"))
	case o.Period < before.Period:
		return rows.Fault(0, fmt.Errorf("%s follows %s: months retrieved together must ascend", o.Period, before.Period))
	case o.Period == before.Period && o.KnownFrom < before.KnownFrom:
		return rows.Fault(2, fmt.Errorf("%s known from %s follows %s: vintages must ascend", o.Period, o.KnownFrom, before.KnownFrom))
	}
	return nil
}

// sortAsWritten puts observations into the order of a series file.
func sortAsWritten(obs []series.Observation) {
	slices.SortFunc(obs, func(a, b series.Observation) int {
		return cmp.Or(a.RetrievedAt.Compare(b.RetrievedAt), cmp.Compare(a.Period, b.Period), cmp.Compare(a.KnownFrom, b.KnownFrom))
	})
}

// writeSeries replaces the file of a series by its old text, "" for a new one,
// and the given observations, which it puts in order.
func (s *Store) writeSeries(id, old string, obs []series.Observation) error {
	sortAsWritten(obs)
	return atomicfile.WriteFile(seriesPath(s, id), func(w io.Writer) error {
		c := csv.NewWriter(w)
		if old == "" {
			if err := c.Write(seriesHeader); err != nil {
				return err
			}
		} else if _, err := io.WriteString(w, old); err != nil {
			return err
		}
		for _, o := range obs {
			if err := c.Write(observationRecord(o)); err != nil {
				return err
			}
		}
		c.Flush()
		return c.Error()
	})
}

func observationRecord(o series.Observation) []string {
	retrieved := ""
	if !o.RetrievedAt.IsZero() {
		retrieved = o.RetrievedAt.UTC().Format(time.RFC3339)
	}
	return []string{o.Period.String(), formatValue(o.Value), o.KnownFrom.String(), retrieved, o.Source}
}

// formatValue writes the shortest decimal that reads back to the same bits.
func formatValue(v float64) string {
	if a := math.Abs(v); a != 0 && (a < 1e-7 || a >= 1e15) {
		return strconv.FormatFloat(v, 'e', -1, 64)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// removeSeries removes the file of a series; one that is not there is fine.
func (s *Store) removeSeries(id string) error {
	if err := os.Remove(seriesPath(s, id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
