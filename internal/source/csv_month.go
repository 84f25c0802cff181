package source

import (
	"fmt"
	"math"
	"slices"

	"github.com/pppq/pppq/internal/csvfile"
	"github.com/pppq/pppq/internal/series"
)

// A MonthRule says how the rows of a month make its figure.
type MonthRule string

const (
	// Ends takes the last figure of the month, at most MaxTradingDays before its end.
	Ends MonthRule = "end"
	// Averages takes the mean of the month's figures, which must leave no more
	// than MaxTradingDays in a row without one.
	Averages MonthRule = "average"
	// Monthly takes rows that are monthly already and refuses others.
	Monthly MonthRule = "monthly"
	// Sums adds up payments; a month without a row has no figure.
	Sums MonthRule = "sum"
)

// MaxTradingDays (Monday to Friday) may lack a figure at the end of a month, and
// for an average anywhere in it.
const MaxTradingDays = 5

// A Bound says which values are accepted.
type Bound string

const (
	AnyValue    Bound = ""
	AboveZero   Bound = "above 0"
	NotNegative Bound = "0 or above"
)

// minPrice and maxPrice bound bounded values: quotients of them stay numbers.
const minPrice, maxPrice = 1e-15, 1e15

func (b Bound) check(v float64) error {
	switch {
	case b == AnyValue:
	case b == AboveZero && v <= 0 || b == NotNegative && v < 0:
		return fmt.Errorf("value %v: want %s", v, b)
	case v > maxPrice || b == AboveZero && v < minPrice:
		return fmt.Errorf("value %v: want %v to %v, in another unit if need be", v, minPrice, maxPrice)
	}
	return nil
}

// MonthOptions say how a file becomes monthly figures.
type MonthOptions struct {
	Rule  MonthRule
	Bound Bound
	// Column names the column of values; empty: one of Names, or a usual name.
	Column string
	// Names are ids that may head the column.
	Names   []string
	Dates   DateOrder
	Decimal DecimalMark
	// Today is the day of reading: its month is running and gets no figure, and
	// later months are refused.
	Today series.Date
}

// A SkipReason says why a row or a month gave no figure.
type SkipReason string

const (
	SkipMissing   SkipReason = "missing value"
	SkipRunning   SkipReason = "in the running month"
	SkipDuplicate SkipReason = "said twice, with the same value"
	SkipNoEnd     SkipReason = "without a value in its last 5 trading days"
	SkipHoles     SkipReason = "with more than 5 trading days in a row without a value"
)

// Skipped counts what gave no figure.
type Skipped struct {
	Reason SkipReason `json:"reason"`
	// Months is set if Count counts months and not rows.
	Months bool `json:"months"`
	Count  int  `json:"count"`
}

// Months is what a file says, a figure a month, oldest first.
type Months struct {
	// Figures have Period and Value; the rest is for the caller to say.
	Figures []series.Observation
	// Rows below the header, without blank lines.
	Rows int
	// Daily is set if months were made from several rows.
	Daily   bool
	Column  string
	Skipped []Skipped
}

// Months makes monthly figures. The error is a *csvfile.ParseError: a cell that
// can't be read, a day said twice with two values, a month in the future, or no
// month at all.
func (c *CSV) Months(o MonthOptions) (Months, error) {
	column, err := c.valueColumn(o)
	if err != nil {
		return Months{}, err
	}
	all, form, err := c.rows(column, o)
	if err != nil {
		return Months{}, err
	}
	m := Months{Rows: len(all), Column: c.columns[column]}
	if last := all[len(all)-1]; last.day.Month() > o.Today.Month() {
		return Months{}, c.fault(last.line, 0, fmt.Errorf("%s lies in the future, today is %s", dayName(last.day, form), o.Today))
	}
	kept, err := c.keep(all, form, o, &m)
	if err != nil {
		return Months{}, err
	}
	if err := c.make(kept, form, o, &m); err != nil {
		return Months{}, err
	}
	if len(m.Figures) == 0 {
		return Months{}, &csvfile.ParseError{File: c.text.Name, Err: fmt.Errorf("no figure of a whole month in %d rows%s", m.Rows, m.why())}
	}
	return m, nil
}

// keep drops rows that say nothing: of the running month, without a value, or
// said twice.
func (c *CSV) keep(all []csvRow, form dateForm, o MonthOptions, m *Months) ([]csvRow, error) {
	running := o.Today.Month()
	var kept []csvRow
	for _, row := range all {
		switch {
		case row.day.Month() >= running:
			m.skip(SkipRunning, false, 1)
			continue
		case row.value != row.value:
			m.skip(SkipMissing, false, 1)
			continue
		}
		if n := len(kept); n > 0 && kept[n-1].day == row.day {
			if kept[n-1].value == row.value {
				m.skip(SkipDuplicate, false, 1)
				continue
			}
			if o.Rule != Sums {
				return nil, c.fault(max(row.line, kept[n-1].line), 0, fmt.Errorf("%s is given as %v, in line %d as %v",
					dayName(row.day, form), row.value, min(row.line, kept[n-1].line), kept[n-1].value))
			}
		}
		kept = append(kept, row)
	}
	return kept, nil
}

// make turns rows in the order of their days into figures.
func (c *CSV) make(rows []csvRow, form dateForm, o MonthOptions, m *Months) error {
	months := slices.Collect(byMonth(rows))
	daily, err := c.daily(months)
	if err != nil {
		return err
	}
	m.Daily = daily
	if daily && o.Rule == Monthly {
		second := months[slices.IndexFunc(months, func(g []csvRow) bool { return len(g) > 1 })][1]
		return c.fault(second.line, 0, fmt.Errorf("a second row of %s: this series takes monthly figures", second.day.Month()))
	}
	labelled := form == formMonth || !slices.ContainsFunc(months, func(g []csvRow) bool { return g[0].day != g[0].day.Month().Start() })
	for _, rows := range months {
		month := rows[0].day.Month()
		last := rows[len(rows)-1]
		value := last.value
		switch {
		case o.Rule == Sums:
			value = 0
			for _, row := range rows {
				value += row.value
			}
		case !daily && (labelled || o.Rule != Ends):
			// A monthly row stands for its month, on whatever day it is dated.
		case o.Rule == Averages:
			if value = mean(rows); holes(rows) > MaxTradingDays {
				m.skip(SkipHoles, true, 1)
				continue
			}
		case tradingDays(last.day+1, month.End()+1) > MaxTradingDays:
			m.skip(SkipNoEnd, true, 1)
			continue
		}
		if math.IsInf(value, 0) {
			return c.fault(last.line, 0, fmt.Errorf("the figures of %s add up to more than a number holds", month))
		}
		m.Figures = append(m.Figures, series.Observation{Period: month, Value: value})
	}
	return nil
}

// byMonth yields the rows of each month in turn.
func byMonth(rows []csvRow) func(yield func([]csvRow) bool) {
	return func(yield func([]csvRow) bool) {
		for start := 0; start < len(rows); {
			end := start + 1
			for end < len(rows) && rows[end].day.Month() == rows[start].day.Month() {
				end++
			}
			if !yield(rows[start:end]) {
				return
			}
			start = end
		}
	}
}

// daily reports whether months have several rows. A file that is monthly but for
// an odd month, as one with a half-finished month at its end, is refused.
func (c *CSV) daily(months [][]csvRow) (bool, error) {
	several, firsts := 0, 0
	var odd []csvRow
	for _, rows := range months {
		if len(rows) > 1 {
			several++
			odd = rows
		} else if rows[0].day == rows[0].day.Month().Start() {
			firsts++
		}
	}
	if several > 0 && firsts >= 3 && firsts > len(months)/2 {
		return false, c.fault(odd[1].line, 0, fmt.Errorf("%s has %d rows, other months one, dated the first: take out the row that is not the month's",
			odd[0].day.Month(), len(odd)))
	}
	return several > 0, nil
}

func mean(rows []csvRow) float64 {
	sum := 0.0
	for _, row := range rows {
		sum += row.value
	}
	return sum / float64(len(rows))
}

// holes returns the longest stretch of trading days of the month without a row.
func holes(rows []csvRow) int {
	month := rows[0].day.Month()
	from, longest := month.Start(), 0
	for _, row := range rows {
		longest = max(longest, tradingDays(from, row.day))
		from = row.day + 1
	}
	return max(longest, tradingDays(from, month.End()+1))
}

// tradingDays counts Mondays to Fridays in [from, to).
func tradingDays(from, to series.Date) int {
	n := 0
	for d := from; d < to; d++ {
		if weekday := ((d+3)%7 + 7) % 7; weekday < 5 { // day 0 was a Thursday
			n++
		}
	}
	return n
}

func dayName(d series.Date, form dateForm) string {
	if form == formMonth {
		return d.Month().String()
	}
	return d.String()
}

func (m *Months) skip(reason SkipReason, months bool, n int) {
	for i := range m.Skipped {
		if m.Skipped[i].Reason == reason {
			m.Skipped[i].Count += n
			return
		}
	}
	m.Skipped = append(m.Skipped, Skipped{Reason: reason, Months: months, Count: n})
}

// why lists what was skipped, for an error.
func (m *Months) why() string {
	s := ""
	for i, k := range m.Skipped {
		sep := ", "
		if i == 0 {
			sep = ": "
		}
		s += sep + k.String()
	}
	return s
}

// String is a count and its reason, as "12 rows missing value".
func (k Skipped) String() string {
	what := "row"
	if k.Months {
		what = "month"
	}
	if k.Count != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s %s", k.Count, what, k.Reason)
}
