package source

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pppq/pppq/internal/csvfile"
	"github.com/pppq/pppq/internal/series"
)

// today is a Monday in a month that has begun and is not over.
var today = series.DateOf(time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC))

func months(in string, o MonthOptions) (Months, error) {
	c, err := ReadCSV(strings.NewReader(in), "f.csv")
	if err != nil {
		return Months{}, err
	}
	if o.Rule == "" {
		o.Rule = Ends
	}
	o.Today = today
	return c.Months(o)
}

// figures writes "2026-09=1.5 2026-10=2".
func figures(m Months) string {
	var all []string
	for _, o := range m.Figures {
		all = append(all, fmt.Sprintf("%s=%v", o.Period, o.Value))
	}
	return strings.Join(all, " ")
}

func TestCSVForms(t *testing.T) {
	t.Parallel()
	const want = "2026-08=1200.5 2026-09=0.25"
	for name, c := range map[string]struct {
		in string
		o  MonthOptions
	}{
		"plain":                        {"date,value\n2026-08,1200.5\n2026-09,0.25\n", MonthOptions{}},
		"no last line end":             {"date,value\n2026-08,1200.5\n2026-09,0.25", MonthOptions{}},
		"mark and CRLF":                {"\ufeffdate,value\r\n2026-08,1200.5\r\n2026-09,0.25\r\n", MonthOptions{}},
		"blank lines":                  {"\n  \ndate,value\n\n2026-08,1200.5\n \n2026-09,0.25\n\n", MonthOptions{}},
		"newest first":                 {"Month,Price\n2026-09,0.25\n2026-08,1200.5\n", MonthOptions{}},
		"semicolon":                    {"date;value\n2026-08;1200,5\n2026-09;0,25\n", MonthOptions{}},
		"semicolon, point":             {"date;value\n2026-08;1200.5\n2026-09;0.25\n", MonthOptions{}},
		"tab":                          {"period\tvalue\n2026-08\t1200,5\n2026-09\t0,25\n", MonthOptions{}},
		"sep line":                     {"sep=;\ndate;value\n2026-08;1200,5\n2026-09;0,25\n", MonthOptions{}},
		"trailing":                     {"date;value\n2026-08;1200,5;\n2026-09;0,25;;\n", MonthOptions{}},
		"quotes":                       {"\"date\",\"value\"\n\"2026-08\",\"1200.5\"\n\"2026-09\",\"0.25\"\n", MonthOptions{}},
		"quoted commas":                {"date,value\n2026-08,\"1200,5\"\n2026-09,\"0,25\"\n", MonthOptions{Decimal: DecimalComma}},
		"exponent":                     {"date,value\n2026-08,1.2005e3\n2026-09,25E-2\n", MonthOptions{}},
		"padded":                       {"date , value\n2026-08 , 1200.5\n 2026-09, +0.25 \n", MonthOptions{}},
		"first of month":               {"observation_date,GOLD\n2026-08-01,1200.5\n2026-09-01,0.25\n", MonthOptions{}},
		"month ends":                   {"date,value\n2026-08-31,1200.5\n2026-09-30,0.25\n", MonthOptions{}},
		"near month ends":              {"date,value\n2026-08-25,1200.5\n2026-09-23,0.25\n", MonthOptions{}},
		"any day, average":             {"date,value\n2026-08-15,1200.5\n2026-09-15,0.25\n", MonthOptions{Rule: Averages}},
		"any day, monthly":             {"date,value\n2026-08-15,1200.5\n2026-09-15,0.25\n", MonthOptions{Rule: Monthly}},
		"compact":                      {"date,value\n20260831,1200.5\n20260930,0.25\n", MonthOptions{}},
		"dotted":                       {"datum;date;value\nx;31.08.2026;1200,5\nx;30.9.2026;0,25\n", MonthOptions{}},
		"month first":                  {"date,value\n8/31/2026,1200.5\n09/30/2026,0.25\n", MonthOptions{}},
		"day first":                    {"date,value\n31/8/2026,1200.5\n30/09/2026,0.25\n", MonthOptions{}},
		"month first told":             {"date,value\n08/01/2026,1200.5\n09/01/2026,0.25\n", MonthOptions{Dates: MonthFirst}},
		"day first told":               {"date,value\n01/08/2026,1200.5\n01/09/2026,0.25\n", MonthOptions{Dates: DayFirst}},
		"midnight":                     {"timestamp,value\n2026-08-31T00:00:00Z,1200.5\n2026-09-30 00:00:00.000+00:00,0.25\n", MonthOptions{}},
		"column told":                  {"date,open,My Close*\n2026-08,1,1200.5\n2026-09,2,0.25\n", MonthOptions{Column: "my close"}},
		"id first":                     {"date,close,GOLD\n2026-08,1,1200.5\n2026-09,2,0.25\n", MonthOptions{Names: []string{"GOLD"}}},
		"close first":                  {"Date,Open,High,Low,Close,Adj Close,Volume\n2026-08-31,1,1,1,1200.5,9,9\n2026-09-30,1,1,1,0.25,9,9\n", MonthOptions{}},
		"only column":                  {"date,VWCE\n2026-08,1200.5\n2026-09,0.25\n", MonthOptions{}},
		"dates second":                 {"value,date\n1200.5,2026-08\n0.25,2026-09\n", MonthOptions{}},
		"said twice":                   {"date,value\n2026-08,1200.5\n2026-08,1200.5\n2026-09,0.25\n", MonthOptions{}},
		"running month":                {"date,value\n2026-08,1200.5\n2026-09,0.25\n2026-11,7\n", MonthOptions{}},
		"running, labelled by its end": {"date,value\n2026-08-31,1200.5\n2026-09-30,0.25\n2026-11-30,7\n", MonthOptions{}},
		"running, twice":               {"date,value\n2026-08-01,1200.5\n2026-09-01,0.25\n2026-11-01,7\n2026-11-20,8\n", MonthOptions{}},
		"missing markers":              {"date,value\n2025-12,.\n2026-01,-\n2026-02,ND\n2026-03,NC\n2026-04,..\n2026-05,…\n2026-06,\n2026-07,null\n2026-08,1200.5\n2026-09,0.25\n2026-10,NaN\n", MonthOptions{}},
	} {
		got, err := months(c.in, c.o)
		if err != nil || figures(got) != want {
			t.Errorf("%s: got %q, %v, want %q", name, figures(got), err, want)
		}
	}
}

func TestCSVRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   string
		o    MonthOptions
		want string
	}{
		"no header":  {"2026-08,1\n2026-09,2\n", MonthOptions{}, "line 1: no header: the first line must name a column of dates (date, month, period, observation_date, time, timestamp) and one of values (value, price, close, last, adjclose, or the id of the series), separated by a comma, a semicolon or a tab"},
		"empty":      {"", MonthOptions{}, "line 1: no header"},
		"one column": {"date\n2026-08\n", MonthOptions{}, "line 1: no header"},
		"html":       {"<!DOCTYPE html>\n<html>\n", MonthOptions{}, "line 1: no header"},
		"binary":     {"PK\x03\x04\x00", MonthOptions{}, "line 1, column 5: a NUL byte"},
		"utf-16":     {"\xff\xfed\x00", MonthOptions{}, "the text is UTF-16; save it as UTF-8"},
		"no rows":    {"date,value\n\n", MonthOptions{}, "f.csv: no rows below the header"},
		"no values":  {"date,value\n2026-08,.\n2026-11,5\n", MonthOptions{}, "f.csv: no figure of a whole month in 2 rows: 1 row missing value, 1 row in the running month"},

		"which column":   {"date,open,high\n2026-08,1,2\n", MonthOptions{}, "line 1: which column holds the values? None of open, high is named value, price, close, last, adjclose; say --column NAME"},
		"unknown column": {"date,value\n2026-08,1\n", MonthOptions{Column: "close"}, `line 1: no column "close"; the header has value`},
		"date column":    {"date,value\n2026-08,1\n", MonthOptions{Column: "Date"}, `line 1: column "Date" holds the dates`},
		"two columns":    {"date,close,Close*\n2026-08,1,2\n", MonthOptions{}, `line 1: two columns are named "close"`},
		"short row":      {"date,open,close\n2026-08,1\n", MonthOptions{}, "line 2: 2 fields, the header has 3"},
		"long row":       {"date,value\n2026-08,1,5\n", MonthOptions{}, "line 2: 3 fields, the header has 2"},
		"footer":         {"date,value\n2026-08,1\nSource: Bank,\n", MonthOptions{}, `line 3, column 1: date "Source: Bank": want YYYY-MM, YYYY-MM-DD, YYYYMMDD, DD.MM.YYYY or MM/DD/YYYY`},
		"open quote":     {"date,value\n2026-08,\"1\n", MonthOptions{}, "line 2, column 9: a quote is opened and not closed on its line"},

		"date":         {"date,value\nAug 2026,1\n", MonthOptions{}, `line 2, column 1: date "Aug 2026"`},
		"year":         {"date,value\n31.08.26,1\n", MonthOptions{}, `line 2, column 1: date "31.08.26"`},
		"no such day":  {"date,value\n2026-02-29,1\n", MonthOptions{}, "line 2, column 1: there is no day 29 of month 2 in 2026"},
		"month 13":     {"date,value\n2026-13,1\n", MonthOptions{}, "line 2, column 1: there is no day 1 of month 13 in 2026"},
		"noon":         {"date,value\n2026-08-31 12:00:00,1\n", MonthOptions{}, `line 2, column 1: date "2026-08-31 12:00:00"`},
		"two forms":    {"date,value\n2026-08-31,1\n20260930,2\n", MonthOptions{}, `line 3, column 1: date "20260930" is written as YYYYMMDD, those above as YYYY-MM-DD: use one form`},
		"ambiguous":    {"date,value\n08/01/2026,1\n09/01/2026,2\n", MonthOptions{}, "line 2, column 1: no date has a day above 12, so that it may be month/day or day/month: say --dates mdy or --dates dmy, or write YYYY-MM-DD"},
		"two orders":   {"date,value\n08/31/2026,1\n30/09/2026,2\n", MonthOptions{}, "line 3, column 1: dates begin with the day here and with the month in line 2, or the other way round"},
		"wrong order":  {"date,value\n08/31/2026,1\n", MonthOptions{Dates: DayFirst}, "there is no day 8 of month 31 in 2026"},
		"future":       {"date,value\n2026-08,1\n2062-09,2\n", MonthOptions{}, "line 3: 2062-09 lies in the future, today is 2026-11-23"},
		"contradicted": {"date,value\n2026-08,1\n2026-08,2\n", MonthOptions{}, "line 3: 2026-08 is given as 2, in line 2 as 1"},
		"day, twice":   {"date,value\n2026-08-31,1\n2026-08-31,2\n", MonthOptions{}, "line 3: 2026-08-31 is given as 2, in line 2 as 1"},

		"word":              {"date,value\n2026-08,one\n", MonthOptions{}, `line 2, column 9: value "one" is not a number; a missing figure is an empty field or one of . - ND NC`},
		"currency":          {"date,value\n2026-08,$5\n", MonthOptions{}, `value "$5" is not a number`},
		"infinite":          {"date,value\n2026-08,inf\n", MonthOptions{}, `value "inf" is not a number`},
		"hexadecimal":       {"date,value\n2026-08,0x10\n", MonthOptions{}, `value "0x10" is not a number`},
		"too large":         {"date,value\n2026-08,1e999\n", MonthOptions{}, `value "1e999" is out of range`},
		"thousands":         {"date,value\n2026-08,\"1,234.5\"\n", MonthOptions{}, `line 2, column 9: value "1,234.5": thousands separators are not understood; write the number without them`},
		"thousands, plain":  {"date,value\n2026-08,\"1,234\"\n", MonthOptions{}, `value "1,234": thousands separators`},
		"thousands, spaces": {"date,value\n2026-08,1 234\n", MonthOptions{}, `value "1 234": thousands separators`},
		"thousands, quote":  {"date;value\n2026-08;1'234.5\n", MonthOptions{}, `value "1'234.5": thousands separators`},
		"thousands, German": {"date;value\n2026-08;1.234,5\n2026-09;7,5\n", MonthOptions{}, `line 2, column 9: value "1.234,5": thousands separators`},
		"two marks":         {"date;value\n2026-08;1,5\n2026-09;1.5\n", MonthOptions{}, `line 3, column 9: value "1.5" has a decimal point, line 2 a comma: write all numbers alike`},
		"either way":        {"date;value\n2026-08;1,234\n2026-09;987\n", MonthOptions{}, `line 2, column 9: value "1,234" can be read two ways, and so can every other one with a comma: say --decimal comma`},
		"not above 0":       {"date,value\n2026-08,0\n", MonthOptions{Bound: AboveZero}, "line 2, column 9: value 0: want above 0"},
		"a huge price":      {"date,value\n2026-08,1e16\n", MonthOptions{Bound: AboveZero}, "line 2, column 9: value 1e+16: want 1e-15 to 1e+15"},
		"a tiny price":      {"date,value\n2026-08,1e-16\n", MonthOptions{Bound: AboveZero}, "line 2, column 9: value 1e-16: want 1e-15 to 1e+15"},
		"a huge payment":    {"date,value\n2026-08,1e16\n", MonthOptions{Bound: NotNegative}, "line 2, column 9: value 1e+16: want 1e-15 to 1e+15"},
		"negative":          {"date,value\n2026-08,-0.1\n", MonthOptions{Bound: NotNegative}, "line 2, column 9: value -0.1: want 0 or above"},

		"daily for monthly": {"date,value\n2026-08-03,1\n2026-08-04,2\n", MonthOptions{Rule: Monthly}, "line 3: a second row of 2026-08: this series takes monthly figures"},
		"half month":        {"date,value\n2026-05-01,1\n2026-06-01,1\n2026-07-01,1\n2026-08-01,1\n2026-08-20,2\n", MonthOptions{}, "line 6: 2026-08 has 2 rows, other months one, dated the first: take out the row that is not the month's"},
		"mid-month prices":  {"date,value\n2026-08-15,1\n2026-09-15,2\n", MonthOptions{}, "no figure of a whole month in 2 rows: 2 months without a value in its last 5 trading days"},
		"overflow":          {"date,value\n2026-08-28,1e308\n2026-08-31,1e308\n", MonthOptions{Rule: Sums}, "line 3: the figures of 2026-08 add up to more than a number holds"},
		"many columns":      {"date" + strings.Repeat(",x", 600) + "\n", MonthOptions{}, "line 1, column 1028: more than 512 fields"},
	} {
		_, err := months(c.in, c.o)
		var parse *csvfile.ParseError
		if !errors.As(err, &parse) || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "f.csv: ") {
			t.Errorf("%s:\n got %v\nwant %s", name, err, c.want)
		}
	}
}

func TestDecimalCommaTold(t *testing.T) {
	t.Parallel()
	got, err := months("date;value\n2026-08;1,234\n2026-09;987\n", MonthOptions{Decimal: DecimalComma})
	if want := "2026-08=1.234 2026-09=987"; err != nil || figures(got) != want {
		t.Errorf("got %q, %v, want %q", figures(got), err, want)
	}
	if _, err := months("date;value\n2026-08;1,234\n", MonthOptions{Decimal: DecimalPoint}); err == nil || !strings.Contains(err.Error(), "thousands separators") {
		t.Errorf("got %v, want thousands separators refused", err)
	}
}

// days writes a row for each Monday to Friday of [from, to], counting up from 1.
func days(t *testing.T, from, to string) (rows string, n int) {
	t.Helper()
	a, err := series.ParseDate(from)
	if err != nil {
		t.Fatal(err)
	}
	b, err := series.ParseDate(to)
	if err != nil {
		t.Fatal(err)
	}
	var s strings.Builder
	for d := a; d <= b; d++ {
		if w := d.Time().Weekday(); w != time.Saturday && w != time.Sunday {
			n++
			fmt.Fprintf(&s, "%s,%d\n", d, n)
		}
	}
	return s.String(), n
}

func TestDailyRows(t *testing.T) {
	t.Parallel()
	august, n := days(t, "2026-08-01", "2026-08-31") // 21 trading days, the last a Monday
	if n != 21 {
		t.Fatalf("got %d trading days, want 21", n)
	}
	for name, c := range map[string]struct {
		rows    string
		rule    MonthRule
		want    string
		skipped []Skipped
	}{
		"end":     {august, Ends, "2026-08=21", nil},
		"average": {august, Averages, "2026-08=11", nil},
		"sum":     {august, Sums, "2026-08=231", nil},
		"end, missing at the end": {
			strings.ReplaceAll(august, "2026-08-31,21", "2026-08-31,."), Ends, "2026-08=20", []Skipped{{SkipMissing, false, 1}},
		},
		"running month": {august + "2026-11-02,5\n2026-11-03,6\n", Ends, "2026-08=21", []Skipped{{SkipRunning, false, 2}}},
		"said twice":    {august + "2026-08-31,21\n", Averages, "2026-08=11", []Skipped{{SkipDuplicate, false, 1}}},
		// Five trading days lie between the 24th and the end of August.
		"end, five days short": {"2026-07-30,1\n2026-07-31,2\n2026-08-20,3\n2026-08-24,4\n", Ends, "2026-07=2 2026-08=4", nil},
		"end, six days short":  {"2026-07-30,1\n2026-07-31,2\n2026-08-20,3\n2026-08-21,4\n", Ends, "2026-07=2", []Skipped{{SkipNoEnd, true, 1}}},
		// 2026-10-31 is a Saturday, so that the 23rd is five trading days short.
		"end before a weekend": {"2026-10-22,1\n2026-10-23,2\n", Ends, "2026-10=2", nil},
	} {
		got, err := months("date,value\n"+c.rows, MonthOptions{Rule: c.rule})
		if err != nil || figures(got) != c.want || !got.Daily {
			t.Errorf("%s: got %q (daily %v), %v, want %q", name, figures(got), got.Daily, err, c.want)
		}
		if diff := cmp.Diff(c.skipped, got.Skipped); diff != "" {
			t.Errorf("%s: skipped (-want +got):\n%s", name, diff)
		}
	}
}

// An average of a part of a month is not the month's.
func TestAveragesNeedTheWholeMonth(t *testing.T) {
	t.Parallel()
	whole, _ := days(t, "2026-07-01", "2026-07-31")
	for name, c := range map[string]struct {
		from, to, hole string
		ok             bool
	}{
		"whole":          {"2026-08-01", "2026-08-31", "", true},
		"five late":      {"2026-08-10", "2026-08-31", "", true},
		"six late":       {"2026-08-11", "2026-08-31", "", false},
		"five early":     {"2026-08-01", "2026-08-24", "", true},
		"six early":      {"2026-08-01", "2026-08-21", "", false},
		"five in a row":  {"2026-08-01", "2026-08-31", "10 11 12 13 14", true},
		"six in a row":   {"2026-08-01", "2026-08-31", "10 11 12 13 14 17", false},
		"six, not a row": {"2026-08-01", "2026-08-31", "10 11 12 14 17 18", true},
	} {
		rows, _ := days(t, c.from, c.to)
		for _, day := range strings.Fields(c.hole) {
			at := strings.Index(rows, "2026-08-"+day)
			end := at + strings.IndexByte(rows[at:], '\n') + 1
			rows = rows[:at] + rows[end:]
		}
		got, err := months("date,value\n"+whole+rows, MonthOptions{Rule: Averages})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if made := len(got.Figures) == 2; made != c.ok || !c.ok && (len(got.Skipped) != 1 || got.Skipped[0].Reason != SkipHoles) {
			t.Errorf("%s: got %q, skipped %v, want a figure of 2026-08: %v", name, figures(got), got.Skipped, c.ok)
		}
	}
}

func TestSumsOfPayments(t *testing.T) {
	t.Parallel()
	got, err := months("Date,Dividends\n2026-03-15,0.5\n2026-03-15,0.25\n2026-03-20,1\n2026-06-15,0.6\n2026-06-15,0.6\n2026-09-15,0\n", MonthOptions{Rule: Sums, Bound: NotNegative})
	if want := "2026-03=1.75 2026-06=0.6 2026-09=0"; err != nil || figures(got) != want {
		t.Errorf("got %q, %v, want %q", figures(got), err, want)
	}
	if diff := cmp.Diff([]Skipped{{SkipDuplicate, false, 1}}, got.Skipped); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
}

func TestTradingDays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		want     int
	}{
		{"2026-11-23", "2026-11-23", 0}, {"2026-11-23", "2026-11-24", 1}, {"2026-11-21", "2026-11-23", 0},
		{"2026-11-01", "2026-12-01", 21}, {"1929-10-01", "1929-11-01", 23}, {"1969-12-29", "1970-01-05", 5},
	} {
		from, _ := series.ParseDate(c.from)
		to, _ := series.ParseDate(c.to)
		if got := tradingDays(from, to); got != c.want {
			t.Errorf("[%s, %s): got %d, want %d", c.from, c.to, got, c.want)
		}
	}
}

func TestUsualColumns(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"Value": true, "adj_close": true, "Dividends": true, "DATE": true, "VWCE": false, "": false} {
		if got := IsUsualColumn(name); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}

// FuzzCSV: what is accepted is months that ascend, are over, and have values
// within the bound, and the rows add up.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{
		"date,value\n2026-08,1200.5\n2026-09,0.25\n",
		"\ufeffsep=;\r\nDatum;Date;Close\r\nx;31.08.2026;1200,5\r\ny;30.09.2026;0,25\r\n",
		"date,value\n8/31/2026,1200.5\n09/30/2026,0.25\n",
		"observation_date\tGOLD\n2026-08-01\t.\n2026-09-01\t7\n",
		"Date,Open,Close\n2026-08-27,1,2\n2026-08-28,3,4\n2026-08-31,null,5\n2026-11-02,1,1\n",
		"timestamp,value\n2026-08-31T00:00:00Z,\"1,234.5\"\n20260930,NaN\n",
		"date;value\n1700-01;1,234\n2299-12;987\n",
		"2026-08,1\n",
	} {
		for _, rule := range []string{string(Ends), string(Averages), string(Monthly), string(Sums)} {
			f.Add([]byte(s), rule, "", "")
		}
	}
	f.Add([]byte("date,value\n08/01/2026,\"1,5\"\n"), string(Ends), string(DayFirst), string(DecimalComma))
	f.Fuzz(func(t *testing.T, in []byte, rule, dates, decimal string) {
		if len(in) > 1<<16 {
			return
		}
		o := MonthOptions{Rule: MonthRule(rule), Bound: AboveZero, Dates: DateOrder(dates), Decimal: DecimalMark(decimal)}
		got, err := months(string(in), o)
		if err != nil {
			var parse *csvfile.ParseError
			if !errors.As(err, &parse) {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		if len(got.Figures) == 0 || len(got.Figures) > got.Rows {
			t.Fatalf("%d months of %d rows", len(got.Figures), got.Rows)
		}
		for i, o := range got.Figures {
			if !(o.Value > 0) || math.IsInf(o.Value, 0) || o.Period >= today.Month() || i > 0 && o.Period <= got.Figures[i-1].Period {
				t.Fatalf("accepted %v", figures(got))
			}
		}
		skipped := 0
		for _, s := range got.Skipped {
			if !s.Months {
				skipped += s.Count
			}
		}
		if skipped >= got.Rows {
			t.Fatalf("%d of %d rows skipped", skipped, got.Rows)
		}
	})
}
