package series

import (
	"fmt"
	"strconv"
	"strings"
)

// A Lag is the rule for when a period's figure becomes known: at the end of the
// month that lies Months after it. Periods before EarlierUntil (exclusive), if
// that is set, wait Earlier months instead.
type Lag struct {
	Months       int
	Earlier      int
	EarlierUntil Month
}

// KnownFrom returns the day from which the figure of a period is usable.
func (l Lag) KnownFrom(period Month) Date {
	if period < l.EarlierUntil {
		return (period + Month(l.Earlier)).End()
	}
	return (period + Month(l.Months)).End()
}

// String writes the rule as in a catalogue: "6" or "6; 12 before 1936-01".
func (l Lag) String() string {
	if l.EarlierUntil == 0 {
		return strconv.Itoa(l.Months)
	}
	return fmt.Sprintf("%d; %d before %s", l.Months, l.Earlier, l.EarlierUntil)
}

// ParseLag reads what String writes. Lags go from 0 to 24 months.
func ParseLag(s string) (Lag, error) {
	head, rest, two := strings.Cut(s, ";")
	var l Lag
	var err error
	if l.Months, err = lagMonths(head); err != nil {
		return Lag{}, err
	}
	if !two {
		return l, nil
	}
	n, month, ok := strings.Cut(rest, "before")
	if !ok {
		return Lag{}, fmt.Errorf("lag %q: want months, or \"months; months before YYYY-MM\"", s)
	}
	if l.Earlier, err = lagMonths(n); err != nil {
		return Lag{}, err
	}
	l.EarlierUntil, err = ParseMonth(strings.TrimSpace(month))
	return l, err
}

func lagMonths(s string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 0 || n > 24 {
		return 0, fmt.Errorf("lag %q: want 0 to 24 months", strings.TrimSpace(s))
	}
	return n, nil
}
