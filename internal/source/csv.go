package source

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pppq/pppq/internal/csvfile"
)

// csvLimits bound a user's file; daily figures of 600 years have 220,000 lines.
var csvLimits = csvfile.Limits{Bytes: 64 << 20, LineBytes: 64 << 10, Lines: 500_000, Fields: 512}

// dateColumns are the accepted names of the column of dates, best first.
var dateColumns = []string{"date", "month", "period", "observation_date", "time", "timestamp"}

// valueColumns and paymentColumns are the accepted names of the column of
// values where nothing else tells which it is, best first.
var (
	valueColumns   = []string{"value", "price", "close", "last", "adjclose"}
	paymentColumns = []string{"dividends", "dividend", "distribution", "income", "payment", "amount", "value"}
)

// A CSV is a user's file of dated figures, daily or monthly, read but not yet
// understood: which column is meant, and how days make a month, Months is told.
//
// Accepted are separators comma, semicolon and tab, CRLF, a byte order mark,
// quotes, Excel's line "sep=;", blank lines, any order of rows, and further
// columns. The first line must be a header with a column of dates.
type CSV struct {
	text      *csvfile.Text
	separator byte
	// skip is the number of lines up to the header, inclusive.
	skip    int
	columns []string
	dates   int
}

// OpenCSV reads the file at path; errors name it as given.
func OpenCSV(path string) (*CSV, error) {
	text, err := csvfile.Load(path, path, csvLimits)
	if err != nil {
		return nil, err
	}
	return newCSV(text)
}

// ReadCSV reads r, which errors call name. The error is a *csvfile.ParseError.
func ReadCSV(r io.Reader, name string) (*CSV, error) {
	text, err := csvfile.Read(r, name, csvLimits)
	if err != nil {
		return nil, err
	}
	return newCSV(text)
}

func newCSV(text *csvfile.Text) (*CSV, error) {
	var problem error
	for _, separator := range []byte{'\t', ';', ','} {
		c := &CSV{text: text, separator: separator}
		rows := text.Rows(separator)
		if !c.header(rows) {
			if problem == nil && rows.Err() != nil {
				problem = rows.Err()
			}
			continue
		}
		for i := range c.columns {
			c.columns[i] = strings.TrimSpace(c.columns[i])
		}
		if c.dates = c.find(dateColumns); c.dates >= 0 && len(c.columns) > 1 {
			return c, nil
		}
	}
	if problem != nil {
		return nil, problem
	}
	return nil, &csvfile.ParseError{File: text.Name, Line: 1, Err: fmt.Errorf(
		"no header: the first line must name a column of dates (%s) and one of values (%s, or the id of the series), "+
			"separated by a comma, a semicolon or a tab", strings.Join(dateColumns, ", "), strings.Join(valueColumns, ", "))}
}

// header reads up to the first line that is neither blank nor "sep=".
func (c *CSV) header(rows *csvfile.Rows) bool {
	for rows.Next() {
		if rows.Blank() || strings.HasPrefix(strings.ToLower(rows.Fields()[0]), "sep=") {
			continue
		}
		c.skip, c.columns = rows.Line(), slices.Clone(rows.Fields())
		return true
	}
	return false
}

// Name is the name that errors use.
func (c *CSV) Name() string { return c.text.Name }

// Columns returns the header without the column of dates.
func (c *CSV) Columns() []string {
	return slices.Delete(slices.Clone(c.columns), c.dates, c.dates+1)
}

// find returns the first column whose name is the earliest of names, -1 if there
// is none.
func (c *CSV) find(names []string) int {
	for _, name := range names {
		if i := slices.IndexFunc(c.columns, func(s string) bool { return sameName(s, name) }); i >= 0 {
			return i
		}
	}
	return -1
}

// sameName compares names of columns without case and without the spaces, dots,
// dashes, underscores and stars that publishers put into them.
func sameName(a, b string) bool {
	strip := strings.NewReplacer(" ", "", "_", "", "-", "", ".", "", "*", "")
	return strings.EqualFold(strip.Replace(a), strip.Replace(b))
}

// IsUsualColumn reports whether name is one of the names by which columns of
// dates and values are found.
func IsUsualColumn(name string) bool {
	return slices.ContainsFunc(slices.Concat(dateColumns, valueColumns, paymentColumns), func(s string) bool { return sameName(s, name) })
}

// valueColumn decides which column is meant: the one asked for, else one that
// bears an id, else one with a usual name, else the only one.
func (c *CSV) valueColumn(o MonthOptions) (int, error) {
	fault := func(err error) error { return &csvfile.ParseError{File: c.text.Name, Line: c.skip, Err: err} }
	usual := valueColumns
	if o.Rule == Sums {
		usual = paymentColumns
	}
	i := -1
	switch {
	case o.Column != "":
		if i = c.find([]string{o.Column}); i < 0 {
			return 0, fault(fmt.Errorf("no column %q; the header has %s", o.Column, strings.Join(c.Columns(), ", ")))
		}
		if i == c.dates {
			return 0, fault(fmt.Errorf("column %q holds the dates", o.Column))
		}
	default:
		if i = c.find(slices.Concat(o.Names, usual)); i == c.dates {
			i = -1
		}
		if i < 0 && len(c.columns) == 2 {
			i = 1 - c.dates
		}
		if i < 0 {
			return 0, fault(fmt.Errorf("which column holds the values? None of %s is named %s; say --column NAME",
				strings.Join(c.Columns(), ", "), strings.Join(usual, ", ")))
		}
	}
	for j := range c.columns {
		if j != i && sameName(c.columns[j], c.columns[i]) {
			return 0, fault(fmt.Errorf("two columns are named %q", c.columns[i]))
		}
	}
	return i, nil
}
