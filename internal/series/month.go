package series

import (
	"fmt"
	"time"
)

// A Month is a calendar month, counted from January of year 0, so that
// differences of months are differences of numbers.
type Month int32

// Of returns the month of a year.
func Of(year int, month time.Month) Month { return Month(year*12 + int(month) - 1) }

// ParseMonth reads "YYYY-MM", years 1700 to 2299.
func ParseMonth(s string) (Month, error) {
	if len(s) != 7 || s[4] != '-' {
		return 0, fmt.Errorf("month %q: want YYYY-MM", s)
	}
	year, ok1 := digits(s[:4])
	month, ok2 := digits(s[5:])
	if !ok1 || !ok2 || year < 1700 || year > 2299 || month < 1 || month > 12 {
		return 0, fmt.Errorf("month %q: want YYYY-MM", s)
	}
	return Of(year, time.Month(month)), nil
}

// Year returns the calendar year.
func (m Month) Year() int { return int(m) / 12 }

// Month returns the month of the year.
func (m Month) Month() time.Month { return time.Month(int(m)%12 + 1) }

// String writes the month as "YYYY-MM".
func (m Month) String() string { return string(m.append(nil)) }

func (m Month) append(b []byte) []byte {
	year, month := m.Year(), int(m.Month())
	if year < 0 || year > 9999 {
		return fmt.Appendf(b, "%04d-%02d", year, month)
	}
	return append(b, '0'+byte(year/1000), '0'+byte(year/100%10), '0'+byte(year/10%10), '0'+byte(year%10),
		'-', '0'+byte(month/10), '0'+byte(month%10))
}

// AppendText writes "YYYY-MM"; the zero Month, which stands for "none", is empty.
func (m Month) AppendText(b []byte) ([]byte, error) {
	if m == 0 {
		return b, nil
	}
	return m.append(b), nil
}

// MarshalText is AppendText into new memory.
func (m Month) MarshalText() ([]byte, error) { return m.AppendText(nil) }

// UnmarshalText reads "YYYY-MM" or nothing.
func (m *Month) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*m = 0
		return nil
	}
	v, err := ParseMonth(string(b))
	if err != nil {
		return err
	}
	*m = v
	return nil
}

// Start returns the first day of the month.
func (m Month) Start() Date {
	return DateOf(time.Date(m.Year(), m.Month(), 1, 0, 0, 0, 0, time.UTC))
}

// End returns the last day of the month.
func (m Month) End() Date { return (m + 1).Start() - 1 }

// A Date is a calendar day, counted from 1970-01-01 (which is 0).
type Date int32

// DateOf returns the UTC day of a time.
func DateOf(t time.Time) Date {
	sec := t.Unix()
	day := sec / 86400
	if sec%86400 < 0 {
		day--
	}
	return Date(day)
}

// ParseDate reads "YYYY-MM-DD".
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("date %q: want YYYY-MM-DD", s)
	}
	return DateOf(t), nil
}

// Time returns midnight UTC at the start of the day.
func (d Date) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// Month returns the month that holds the day.
func (d Date) Month() Month { t := d.Time(); return Of(t.Year(), t.Month()) }

// String writes the day as "YYYY-MM-DD".
func (d Date) String() string { return d.Time().Format(time.DateOnly) }

func digits(s string) (int, bool) {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}
