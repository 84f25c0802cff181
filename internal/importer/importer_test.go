package importer_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pppq/pppq/internal/csvfile"
	"github.com/pppq/pppq/internal/importer"
	"github.com/pppq/pppq/internal/series"
	"github.com/pppq/pppq/internal/source"
	"github.com/pppq/pppq/internal/store"
)

var now = time.Date(2026, time.November, 23, 9, 30, 0, 0, time.UTC)

func month(t testing.TB, s string) series.Month {
	t.Helper()
	m, err := series.ParseMonth(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// open makes a folder with some of the embedded figures, which end in 2026-07 for
// GOLD, in 2026-08 for BTC and lack 2025-10 in CPIAUCNS.
func open(t *testing.T) *store.Store {
	t.Helper()
	embedded, err := source.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	var some []*series.Series
	for _, id := range []string{"BREAD", "BTC", "CPIAUCNS", "EGGS", "GOLD", "TB3MS"} {
		s, err := embedded.Get(id)
		if err != nil {
			t.Fatal(err)
		}
		some = append(some, s)
	}
	reference, err := series.NewSet(some...)
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Bootstrap(t.Context(), reference, now); err != nil {
		t.Fatal(err)
	}
	return st
}

func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func run(t *testing.T, st *store.Store, o importer.Options) importer.Result {
	t.Helper()
	if o.Now.IsZero() {
		o.Now = now
	}
	r, err := importer.Run(t.Context(), st, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func load(t *testing.T, st *store.Store) (*series.Set, []series.Asset) {
	t.Helper()
	set, assets, err := st.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return set, assets
}

func latest(t *testing.T, st *store.Store, id, m string) float64 {
	t.Helper()
	set, _ := load(t, st)
	s, err := set.Get(id)
	if err != nil {
		t.Fatal(err)
	}
	return s.Latest().At(month(t, m))
}

func text(t *testing.T, r importer.Result) string {
	t.Helper()
	var b strings.Builder
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestExtendASeries(t *testing.T) {
	t.Parallel()
	const figures = "2026-06,%v\n2026-07,4000\n2026-08,4100\n2026-09,.\n2026-10,4300\n2026-11,9\n"
	for name, c := range map[string]struct {
		file, header string
		o            importer.Options
	}{
		"told":            {"x.csv", "date,value", importer.Options{Series: "gold"}},
		"told by asset":   {"x.csv", "date,value", importer.Options{Series: "Gold"}},
		"by the header":   {"x.csv", "date,GOLD", importer.Options{}},
		"by the file":     {"gold.csv", "date,value", importer.Options{}},
		"with a sampling": {"gold.csv", "date,value", importer.Options{Sampling: series.Average}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := open(t)
			june := latest(t, st, "GOLD", "2026-06")
			c.o.File = file(t, c.file, c.header+"\n"+fmt.Sprintf(figures, june))
			r := run(t, st, c.o)
			if r.Asset != "" || r.Price.Merged.Added != 2 || r.Price.Merged.Unchanged != 1 || len(r.Price.Merged.Revised) != 1 {
				t.Errorf("got %+v", r)
			}
			for m, want := range map[string]float64{"2026-06": june, "2026-07": 4000, "2026-08": 4100, "2026-10": 4300} {
				if got := latest(t, st, "GOLD", m); got != want {
					t.Errorf("%s: got %v, want %v", m, got, want)
				}
			}
			set, _ := load(t, st)
			gold, err := set.Get("GOLD")
			if err != nil {
				t.Fatal(err)
			}
			// By the lag of one month for a new month, from the day of import for a change.
			if got := gold.AsOf(month(t, "2026-09")); got.Last() != month(t, "2026-08") || got.At(month(t, "2026-07")) == 4000 {
				t.Errorf("as of 2026-09: newest %s, 2026-07 %v", got.Last(), got.At(month(t, "2026-07")))
			}
			if got := gold.AsOf(month(t, "2026-11")).At(month(t, "2026-07")); got != 4000 {
				t.Errorf("as of 2026-11: 2026-07 is %v, want 4000", got)
			}
			again := run(t, st, c.o)
			if m := again.Price.Merged; m.Added+len(m.Revised) != 0 || m.Unchanged != 4 {
				t.Errorf("again: got %+v, want all unchanged", m)
			}
		})
	}
}

func TestResultText(t *testing.T) {
	t.Parallel()
	st := open(t)
	path := file(t, "gold.csv", "date,value\n2026-07,4000\n2026-08,4100\n2026-09,.\n2026-10,4300\n2026-11,9\n")
	july := latest(t, st, "GOLD", "2026-07")
	got := text(t, run(t, st, importer.Options{File: path, DryRun: true}))
	want := fmt.Sprintf(`dry run: nothing is written
GOLD: 2 added, 1 revised, 0 unchanged; now 681 months, 1970-01 to 2026-10
  read      monthly rows 5, column "value" of %s
  made      months 3, 2026-07 to 2026-10, sampling "average"
  skipped   1 row missing value
  skipped   1 row in the running month
  revised   2026-07: %v to 4000, known from 2026-11-23
`, path, july)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := latest(t, st, "GOLD", "2026-07"); got != july {
		t.Errorf("the dry run wrote %v", got)
	}

	path = file(t, "fund.csv", "date,value\n2026-08,10\n2026-09,11\n2026-10,12\n")
	pays := file(t, "pays.csv", "date,dividend\n2023-03-15,0.5\n")
	got = text(t, run(t, st, importer.Options{File: path, ID: "Fund", IncomeFile: pays}))
	want = fmt.Sprintf(`FUND: 3 added, 0 revised, 0 unchanged; now 3 months, 2026-08 to 2026-10
  read      monthly rows 3, column "value" of %s
  made      months 3, 2026-08 to 2026-10, sampling "end"
FUND_INCOME: 1 added, 0 revised, 0 unchanged; now 1 month, 2023-03 to 2023-03
  read      monthly rows 1, column "dividend" of %s
  made      months 1, 2023-03 to 2023-03, sampling "month"
asset Fund: too short to be forecast, too short to be scored
  note      a forecast needs the last 12 months without a gap; there are 3
  note      the walk-forward test needs 62 months; there are 3
  note      income ends 2023-03 and the price 2026-10: the time after counts as without income
`, path, pays)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// monthly writes n months that end with 2026-10.
func monthly(n int) string {
	var b strings.Builder
	b.WriteString("date;value\r\n")
	for i := range n {
		fmt.Fprintf(&b, "%s;%d,5\r\n", series.Of(2026, time.October)-series.Month(n-1-i), 100+i)
	}
	return b.String()
}

func TestOwnAsset(t *testing.T) {
	t.Parallel()
	st := open(t)
	fee := 0.004
	r := run(t, st, importer.Options{
		File: file(t, "f.csv", monthly(62)), ID: "World_ETF", Title: "World shares", Unit: "share", Fee: &fee,
		IncomeFile: file(t, "i.csv", "date,amount\n2022-03-15,0.5\n2022-06-15,0.6\n2026-09-15,0.7\n"),
	})
	if !r.CanForecast || !r.CanScore || !r.Price.Merged.New || r.Asset != "World_ETF" || len(r.Notes) != 0 {
		t.Errorf("got %+v", r)
	}
	set, assets := load(t, st)
	got, _ := store.FindAsset(assets, "world_etf")
	want := series.Asset{
		ID: "World_ETF", Title: "World shares", Kind: series.Custom, Unit: "share", Price: "WORLD_ETF",
		Income: "WORLD_ETF_INCOME", First: month(t, "2021-09"), Fee: 0.004,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("asset (-want +got):\n%s", diff)
	}
	income, err := set.Get("WORLD_ETF_INCOME")
	if err != nil {
		t.Fatal(err)
	}
	if v := income.Latest(); v.At(month(t, "2022-06")) != 0.6 || !math.IsNaN(v.At(month(t, "2022-05"))) {
		t.Errorf("income: got %v in 2022-06 and %v in 2022-05, want 0.6 and none", v.At(month(t, "2022-06")), v.At(month(t, "2022-05")))
	}
	price, err := set.Get("WORLD_ETF")
	if err != nil {
		t.Fatal(err)
	}
	// A user's history counts as known when it happened.
	if got := price.AsOf(month(t, "2022-01")).Last(); got != month(t, "2022-01") {
		t.Errorf("newest price as of 2022-01: got %s", got)
	}

	// Extended in another case, with a new title, the rest kept.
	r = run(t, st, importer.Options{File: file(t, "f.csv", monthly(70)), ID: "world_etf", Title: "World"})
	if m := r.Price.Merged; r.Asset != "World_ETF" || m.Added != 8 || m.Unchanged != 0 || len(m.Revised) != 62 || m.Months != 70 {
		t.Errorf("got %+v", r)
	}
	if s := text(t, r); !strings.Contains(s, "revised   57 more; the largest change of all: ") ||
		!strings.Contains(s, `to correct the whole past run "pppq dataset remove World_ETF" and import it anew`) {
		t.Errorf("got %s", s)
	}
	_, assets = load(t, st)
	got, _ = store.FindAsset(assets, "World_ETF")
	want.Title, want.First = "World", month(t, "2021-01")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("asset (-want +got):\n%s", diff)
	}
}

func TestSampling(t *testing.T) {
	t.Parallel()
	var daily strings.Builder
	daily.WriteString("Date,Close\n")
	for d := month(t, "2026-09").Start(); d <= month(t, "2026-10").End(); d++ {
		fmt.Fprintf(&daily, "%s,%d\n", d, 60000+int(d-month(t, "2026-09").Start()))
	}
	path := file(t, "daily.csv", daily.String())
	for name, c := range map[string]struct {
		o      importer.Options
		series string
		want   float64
		err    error
	}{
		"ends of a series of ends":         {importer.Options{Series: "Bitcoin"}, "BTC", 60060, nil},
		"averages of a series of averages": {importer.Options{Series: "GOLD"}, "GOLD", 60045, nil},
		"own, ends":                        {importer.Options{ID: "Mine"}, "MINE", 60060, nil},
		"own, averages":                    {importer.Options{ID: "Mine", Sampling: series.Average}, "MINE", 60045, nil},
		"averages for ends":                {importer.Options{Series: "BTC", Sampling: series.Average}, "", 0, store.ErrSampling},
		"ends for averages":                {importer.Options{Series: "GOLD", Sampling: series.End}, "", 0, store.ErrSampling},
		"ends for an index":                {importer.Options{Series: "CPIAUCNS", Sampling: series.End}, "", 0, store.ErrSampling},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := open(t)
			c.o.File, c.o.Now = path, now
			r, err := importer.Run(t.Context(), st, c.o)
			if !errors.Is(err, c.err) {
				t.Fatalf("got %v, want %v", err, c.err)
			}
			if err != nil {
				return
			}
			if got := latest(t, st, c.series, "2026-10"); got != c.want || !r.Price.Daily {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
	// What an own asset began with, it keeps.
	st := open(t)
	run(t, st, importer.Options{File: path, ID: "Mine", Sampling: series.Average})
	if _, err := importer.Run(t.Context(), st, importer.Options{File: path, ID: "Mine", Sampling: series.End, Now: now}); !errors.Is(err, store.ErrSampling) {
		t.Errorf("got %v, want ErrSampling", err)
	}
	if r := run(t, st, importer.Options{File: path, ID: "Mine"}); r.Price.Sampling != series.Average || r.Price.Merged.Unchanged != 2 {
		t.Errorf("without a sampling: got %+v", r.Price)
	}
}

func TestPublishersGap(t *testing.T) {
	t.Parallel()
	st := open(t)
	r := run(t, st, importer.Options{File: file(t, "CPIAUCNS.csv", "date,value\n2025-10,324.5\n")})
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "known from the day of this import") {
		t.Errorf("notes: got %v", r.Notes)
	}
	set, _ := load(t, st)
	cpi, err := set.Get("CPIAUCNS")
	if err != nil {
		t.Fatal(err)
	}
	for asOf, known := range map[string]bool{"2026-10": false, "2026-11": true} {
		if got := cpi.AsOf(month(t, asOf)).At(month(t, "2025-10")); known != (got == 324.5) {
			t.Errorf("as of %s: got %v", asOf, got)
		}
	}
}

func TestConsolidatedCanBeImported(t *testing.T) {
	t.Parallel()
	st := open(t)
	path := filepath.Join(st.Dir(), store.ConsolidatedName)
	if _, err := importer.Run(t.Context(), st, importer.Options{File: path, Now: now}); !errors.Is(err, importer.ErrUsage) || !strings.Contains(err.Error(), "say which with --series ID") {
		t.Errorf("got %v, want to be asked which", err)
	}
	r := run(t, st, importer.Options{File: path, Series: "GOLD"})
	if m := r.Price.Merged; r.Price.Column != "GOLD" || m.Unchanged != 679 || m.Added != 0 {
		t.Errorf("got %+v", r.Price)
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	good := file(t, "x.csv", "date,value\n2026-09,5\n")
	fee := 0.5
	for name, c := range map[string]struct {
		o    importer.Options
		is   error
		want string
	}{
		"no file":        {importer.Options{}, importer.ErrUsage, "no file given"},
		"both":           {importer.Options{File: good, Series: "GOLD", ID: "Mine"}, importer.ErrUsage, "give one of them"},
		"neither":        {importer.Options{File: good}, importer.ErrUsage, "or --id ID --title TITLE for an asset of your own; known are BREAD, BTC, CPIAUCNS, EGGS, GOLD, TB3MS; your own assets are Held"},
		"unknown":        {importer.Options{File: good, Series: "TIN"}, importer.ErrUsage, `unknown series "TIN"; known are BREAD, `},
		"banknotes":      {importer.Options{File: good, Series: "Banknotes"}, importer.ErrUsage, `unknown series "Banknotes"`},
		"built in":       {importer.Options{File: good, ID: "gold"}, importer.ErrUsage, "asset gold is built in: extend its figures with --series"},
		"series":         {importer.Options{File: good, ID: "Eggs"}, importer.ErrUsage, "EGGS is a series of the program's: extend it with --series EGGS"},
		"income series":  {importer.Options{File: good, ID: "Held_Income"}, importer.ErrUsage, "asset Held_Income would share the series HELD_INCOME with Held"},
		"column's name":  {importer.Options{File: good, ID: "Price"}, importer.ErrUsage, `asset id "Price" is a usual name of a column`},
		"id":             {importer.Options{File: good, ID: "9x"}, importer.ErrUsage, `asset id "9x": want letters`},
		"device":         {importer.Options{File: good, ID: "nul"}, nil, "the name is taken by the system"},
		"title":          {importer.Options{File: good, ID: "Mine", Title: "a\tb"}, nil, "holds a control character"},
		"sampling":       {importer.Options{File: good, ID: "Mine", Sampling: series.Whole}, importer.ErrUsage, `sampling "month": want end or average`},
		"dates":          {importer.Options{File: good, ID: "Mine", Dates: "ymd"}, importer.ErrUsage, `dates "ymd": want mdy or dmy`},
		"decimal":        {importer.Options{File: good, ID: "Mine", Decimal: "dot"}, importer.ErrUsage, `decimal "dot": want point or comma`},
		"fee":            {importer.Options{File: good, ID: "Mine", Fee: &fee}, importer.ErrUsage, "fee 0.5: want a yearly share from 0 to 0.2"},
		"fee, series":    {importer.Options{File: good, Series: "GOLD", Fee: new(float64)}, importer.ErrUsage, "--title, --unit and --fee go with an asset of your own"},
		"income, series": {importer.Options{File: good, Series: "GOLD", IncomeFile: good}, importer.ErrUsage, "--income goes with an asset of your own"},
		"missing file":   {importer.Options{File: "none.csv", ID: "Mine"}, os.ErrNotExist, "none.csv: no such file or directory"},
		"missing income": {importer.Options{File: good, ID: "Mine", IncomeFile: "none.csv"}, os.ErrNotExist, "none.csv: no such file or directory"},
		"price 0":        {importer.Options{File: file(t, "x.csv", "date,value\n2026-09,0\n"), ID: "Mine"}, nil, "line 2, column 9: value 0: want above 0"},
		"income below 0": {importer.Options{File: good, ID: "Mine", IncomeFile: file(t, "i.csv", "date,amount\n2026-09-01,-1\n")}, nil, "line 2, column 12: value -1: want 0 or above"},
		"daily index":    {importer.Options{File: file(t, "x.csv", "date,value\n2026-09-01,1\n2026-09-02,1\n"), Series: "CPIAUCNS"}, nil, "line 3: a second row of 2026-09: this series takes monthly figures"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := open(t)
			run(t, st, importer.Options{
				File: file(t, "h.csv", "date,value\n2026-09,5\n"), ID: "Held", IncomeFile: file(t, "i.csv", "date,value\n2026-09,5\n"),
			})
			before := listing(t, st)
			c.o.Now = now
			_, err := importer.Run(t.Context(), st, c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if usage := errors.Is(err, importer.ErrUsage); usage != (c.is == importer.ErrUsage) {
				t.Errorf("wrong usage is %v for %v", usage, err)
			}
			if diff := cmp.Diff(before, listing(t, st)); diff != "" {
				t.Errorf("the folder changed (-before +after):\n%s", diff)
			}
		})
	}
}

// A rate may be 0 or less, and faults have the place in the user's file.
func TestRates(t *testing.T) {
	t.Parallel()
	st := open(t)
	run(t, st, importer.Options{File: file(t, "TB3MS.csv", "date,value\n2026-10,-0.25\n")})
	if got := latest(t, st, "TB3MS", "2026-10"); got != -0.25 {
		t.Errorf("got %v, want -0.25", got)
	}
	_, err := importer.Run(t.Context(), st, importer.Options{File: file(t, "TB3MS.csv", "date,value\n2026-10,4.x\n"), Now: now})
	var parse *csvfile.ParseError
	if !errors.As(err, &parse) || parse.Line != 2 || parse.Column != 9 {
		t.Errorf("got %v, want line 2, column 9", err)
	}
}

// listing is every file and its content.
func listing(t *testing.T, st *store.Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"*", "series/*"} {
		names, err := filepath.Glob(filepath.Join(st.Dir(), pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if b, err := os.ReadFile(name); err == nil {
				all[name] = string(b)
			}
		}
	}
	return all
}
