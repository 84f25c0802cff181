package source

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pppq/pppq/internal/csvfile"
	"github.com/pppq/pppq/internal/series"
)

// A csvRow is one figure of a file; value is NaN if it is missing.
type csvRow struct {
	day   series.Date
	value float64
	line  int32
}

// cell is a row before the file's form of dates and numbers is known.
type cell struct {
	date                    cellDate
	value                   string
	line, dateAt, valueAt   int32
	missing, comma, decimal bool
}

// rows reads every row of the file, ordered by day, then line. Blank lines are
// no rows. The forms of dates and numbers are those of the whole file.
func (c *CSV) rows(column int, o MonthOptions) (all []csvRow, form dateForm, err error) {
	cells, form, err := c.cells(column)
	if err != nil {
		return nil, 0, err
	}
	dayFirst := o.Dates == DayFirst
	if form == formSlashed && o.Dates == OrderByFile {
		if dayFirst, err = c.slashOrder(cells); err != nil {
			return nil, 0, err
		}
	}
	mark, err := c.decimalMark(cells, o.Decimal)
	if err != nil {
		return nil, 0, err
	}
	all = make([]csvRow, 0, len(cells))
	for _, cell := range cells {
		row := csvRow{value: math.NaN(), line: cell.line}
		if row.day, err = cell.date.day(form, dayFirst); err != nil {
			return nil, 0, c.fault(cell.line, cell.dateAt, err)
		}
		if !cell.missing {
			if row.value, err = parseNumber(cell.value, mark); err == nil {
				err = o.Bound.check(row.value)
			}
			if err != nil {
				return nil, 0, c.fault(cell.line, cell.valueAt, err)
			}
		}
		all = append(all, row)
	}
	slices.SortFunc(all, func(a, b csvRow) int { return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.line, b.line)) })
	return all, form, nil
}

// cells reads dates and the texts of values.
func (c *CSV) cells(column int) ([]cell, dateForm, error) {
	var cells []cell
	var form dateForm
	rows := c.text.Rows(c.separator)
	for rows.Next() {
		if rows.Line() <= c.skip || rows.Blank() {
			continue
		}
		fields := rows.Fields()
		if extra := len(fields) - len(c.columns); extra < 0 || strings.Join(fields[len(c.columns):], "") != "" {
			return nil, 0, rows.Fault(-1, fmt.Errorf("%d fields, the header has %d", len(fields), len(c.columns)))
		}
		date, f, err := parseDate(strings.TrimSpace(fields[c.dates]))
		if err != nil {
			return nil, 0, rows.Fault(c.dates, err)
		}
		if form != 0 && f != form {
			return nil, 0, rows.Fault(c.dates, fmt.Errorf("date %q is written as %s, those above as %s: use one form", fields[c.dates], f, form))
		}
		form = f
		value := strings.TrimSpace(fields[column])
		cells = append(cells, cell{
			date: date, value: value,
			line: int32(rows.Line()), dateAt: int32(rows.Column(c.dates)), valueAt: int32(rows.Column(column)),
			missing: isMissing(value), comma: strings.Contains(value, ","), decimal: strings.Contains(value, "."),
		})
	}
	if err := rows.Err(); err != nil {
		return nil, 0, err
	}
	if len(cells) == 0 {
		return nil, 0, &csvfile.ParseError{File: c.text.Name, Err: errors.New("no rows below the header")}
	}
	return cells, form, nil
}

func (c *CSV) fault(line, column int32, err error) error {
	return &csvfile.ParseError{File: c.text.Name, Line: int(line), Column: int(column), Err: err}
}

// slashOrder finds out whether dates with slashes begin with the day.
func (c *CSV) slashOrder(cells []cell) (dayFirst bool, err error) {
	var day, month *cell
	for i := range cells {
		switch d := cells[i].date; {
		case d.first > 12 && day == nil:
			day = &cells[i]
		case d.second > 12 && month == nil:
			month = &cells[i]
		}
	}
	switch {
	case day != nil && month != nil:
		late, early := day, month
		if late.line < early.line {
			late, early = early, late
		}
		return false, c.fault(late.line, late.dateAt, fmt.Errorf("dates begin with the day here and with the month in line %d, or the other way round", early.line))
	case day == nil && month == nil:
		return false, c.fault(cells[0].line, cells[0].dateAt, errors.New(
			"no date has a day above 12, so that it may be month/day or day/month: say --dates mdy or --dates dmy, or write YYYY-MM-DD"))
	}
	return day != nil, nil
}

// decimalMark finds out how numbers are written.
func (c *CSV) decimalMark(cells []cell, asked DecimalMark) (byte, error) {
	switch {
	case asked == DecimalComma:
		return ',', nil
	case asked == DecimalPoint || c.separator == ',':
		return '.', nil
	}
	var first *cell
	decides := false
	for i := range cells {
		cell := &cells[i]
		if cell.missing || !cell.comma {
			continue
		}
		if first == nil {
			first = cell
		}
		decides = decides || !maybeThousands(cell.value)
	}
	if first == nil {
		return '.', nil
	}
	for _, cell := range cells {
		if !cell.missing && cell.decimal {
			if cell.comma {
				return 0, c.fault(cell.line, cell.valueAt, thousands(cell.value))
			}
			return 0, c.fault(cell.line, cell.valueAt, fmt.Errorf(
				"value %q has a decimal point, line %d a comma: write all numbers alike, without thousands separators", cell.value, first.line))
		}
	}
	if !decides {
		return 0, c.fault(first.line, first.valueAt, fmt.Errorf(
			"value %q can be read two ways, and so can every other one with a comma: say --decimal comma if it is a decimal mark, else take the thousands separators out", first.value))
	}
	return ',', nil
}

// maybeThousands reports whether the only comma of a number could part
// thousands: "1,234", not "0,234" or "1234,567" or "1,2".
func maybeThousands(s string) bool {
	head, tail, _ := strings.Cut(strings.TrimLeft(s, "+-"), ",")
	return len(tail) == 3 && len(head) >= 1 && len(head) <= 3 && head[0] != '0'
}
