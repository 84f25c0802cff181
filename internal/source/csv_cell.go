package source

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pppq/pppq/internal/series"
)

// A DateOrder says how to read dates with slashes.
type DateOrder string

const (
	// OrderByFile finds the order out from days above 12, and refuses a file that has none.
	OrderByFile DateOrder = ""
	// MonthFirst reads 03/04/2026 as 4 March.
	MonthFirst DateOrder = "mdy"
	// DayFirst reads 03/04/2026 as 3 April.
	DayFirst DateOrder = "dmy"
)

// A DecimalMark says how numbers are written.
type DecimalMark string

const (
	// DecimalByFile takes a comma for the decimal mark in files whose separator
	// is a semicolon or a tab, if every number agrees.
	DecimalByFile DecimalMark = ""
	DecimalPoint  DecimalMark = "point"
	DecimalComma  DecimalMark = "comma"
)

// A dateForm is a way to write dates; a file has one.
type dateForm int

const (
	formMonth dateForm = iota + 1
	formISO
	formCompact
	formDotted
	formSlashed
)

var dateForms = map[dateForm]string{
	formMonth: "YYYY-MM", formISO: "YYYY-MM-DD", formCompact: "YYYYMMDD", formDotted: "DD.MM.YYYY", formSlashed: "MM/DD/YYYY",
}

func (f dateForm) String() string { return dateForms[f] }

// A cellDate is a date as written; for formSlashed, first and second are still
// to be told apart, for formMonth there is no day.
type cellDate struct {
	year, first, second int
}

// parseDate reads a date in any of the forms. A time of midnight may follow an
// ISO date.
func parseDate(s string) (cellDate, dateForm, error) {
	bad := fmt.Errorf("date %q: want YYYY-MM, YYYY-MM-DD, YYYYMMDD, DD.MM.YYYY or MM/DD/YYYY", s)
	var d cellDate
	var form dateForm
	var parts []string
	switch {
	case len(s) == 7 && s[4] == '-':
		form, parts = formMonth, []string{s[:4], s[5:], "1"}
	case len(s) >= 10 && s[4] == '-' && s[7] == '-':
		if !midnight(s[10:]) {
			return d, 0, bad
		}
		form, parts = formISO, []string{s[:4], s[5:7], s[8:10]}
	case len(s) == 8 && strings.Trim(s, "0123456789") == "":
		form, parts = formCompact, []string{s[:4], s[4:6], s[6:]}
	default:
		if p := strings.Split(s, "."); len(p) == 3 {
			form, parts = formDotted, []string{p[2], p[1], p[0]}
		} else if p := strings.Split(s, "/"); len(p) == 3 {
			form, parts = formSlashed, []string{p[2], p[0], p[1]}
		} else {
			return d, 0, bad
		}
	}
	var ok [3]bool
	d.year, ok[0] = smallNumber(parts[0], 4, 4)
	d.first, ok[1] = smallNumber(parts[1], 1, 2)
	d.second, ok[2] = smallNumber(parts[2], 1, 2)
	if ok != [3]bool{true, true, true} || d.year < 1700 || d.year > 2299 {
		return d, 0, bad
	}
	return d, form, nil
}

// midnight reports whether what follows a date says nothing of the time of day.
func midnight(s string) bool {
	if s == "" {
		return true
	}
	if s[0] != 'T' && s[0] != ' ' {
		return false
	}
	s = strings.TrimSuffix(strings.TrimSuffix(s[1:], "Z"), "+00:00")
	clock, fraction, _ := strings.Cut(s, ".")
	return (clock == "00:00:00" || clock == "00:00") && strings.Trim(fraction, "0") == ""
}

func smallNumber(s string, minLen, maxLen int) (int, bool) {
	if len(s) < minLen || len(s) > maxLen || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// day returns the calendar day; dayFirst matters for formSlashed only.
func (d cellDate) day(form dateForm, dayFirst bool) (series.Date, error) {
	month, day := d.first, d.second
	if form == formSlashed && dayFirst {
		month, day = day, month
	}
	t := time.Date(d.year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if month < 1 || month > 12 || t.Day() != day || t.Month() != time.Month(month) {
		return 0, fmt.Errorf("there is no day %d of month %d in %d", day, month, d.year)
	}
	return series.DateOf(t), nil
}

// isMissing reports whether a cell says that there is no figure.
func isMissing(s string) bool {
	switch strings.ToLower(s) {
	case "", ".", "-", "nd", "nc", "..", "…", "null", "nan", "na", "n/a", "#n/a":
		return true
	}
	return false
}

// parseNumber reads a plain decimal number with the mark '.' or ','.
func parseNumber(s string, mark byte) (float64, error) {
	plain := s
	if mark == ',' {
		if strings.Contains(s, ".") {
			return 0, thousands(s)
		}
		plain = strings.ReplaceAll(s, ",", ".")
	}
	if strings.Count(plain, ".") > 1 || strings.ContainsAny(plain, ",' \u00a0\u202f") {
		if strings.Trim(plain, "+-.,'0123456789 \u00a0\u202f") == "" {
			return 0, thousands(s)
		}
		return 0, notNumber(s)
	}
	if strings.Trim(plain, "+-.0123456789eE") != "" {
		return 0, notNumber(s)
	}
	v, err := strconv.ParseFloat(plain, 64)
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("value %q is out of range", s)
	}
	if err != nil {
		return 0, notNumber(s)
	}
	return v, nil
}

func thousands(s string) error {
	return fmt.Errorf("value %q: thousands separators are not understood; write the number without them", s)
}

func notNumber(s string) error {
	return fmt.Errorf("value %q is not a number; a missing figure is an empty field or one of . - ND NC .. … null NaN", s)
}
