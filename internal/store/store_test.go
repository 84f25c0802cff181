package store_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

var gold = series.Info{
	ID: "GOLD", Title: "Gold", Unit: "$ per troy ounce", Frequency: "monthly", Sampling: series.Average,
	Lag: series.Lag{Months: 1}, Source: "World Bank, Pink Sheet", Licence: "CC BY 4.0", Role: series.RoleAsset,
}

var cpi = series.Info{
	ID: "CPI", Title: "Consumer prices", Unit: "index", Frequency: "monthly", Sampling: series.Whole,
	Lag: series.Lag{Months: 1}, Source: "Bureau", Licence: "public domain", Role: series.RoleDeflator,
}

var own = series.Info{
	ID: "FUND", Title: "My fund", Unit: "$ per share", Frequency: "monthly", Sampling: series.End,
	Source: "file of the user's", Licence: store.LicenceOwn, Role: series.RoleAsset,
}

// figures makes observations from first on, NaN being none, known by the lag.
func figures(t testing.TB, info series.Info, first string, values ...float64) []series.Observation {
	t.Helper()
	var obs []series.Observation
	for i, v := range values {
		if v == v {
			m := month(t, first) + series.Month(i)
			obs = append(obs, series.Observation{Period: m, Value: v, KnownFrom: info.Lag.KnownFrom(m), Source: info.Source})
		}
	}
	return obs
}

func set(t testing.TB, all map[*series.Info][]series.Observation) *series.Set {
	t.Helper()
	var list []*series.Series
	for info, obs := range all {
		s, err := series.New(*info, obs)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	result, err := series.NewSet(list...)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// small is a reference of two series: gold of 2026-01 to 2026-04 without
// 2026-03, and consumer prices of two months.
func small(t testing.TB) *series.Set {
	t.Helper()
	return set(t, map[*series.Info][]series.Observation{
		&gold: figures(t, gold, "2026-01", 4000, 4100, math.NaN(), 4300.5),
		&cpi:  figures(t, cpi, "2026-01", 320.1, 321),
	})
}

func open(t testing.TB, reference *series.Set) *store.Store {
	t.Helper()
	st, err := store.Open(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Bootstrap(t.Context(), reference, now); err != nil {
		t.Fatal(err)
	}
	return st
}

func load(t testing.TB, st *store.Store) (*series.Set, []series.Asset) {
	t.Helper()
	all, assets, err := st.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all, assets
}

func get(t testing.TB, all *series.Set, id string) *series.Series {
	t.Helper()
	s, err := all.Get(id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func read(t testing.TB, st *store.Store, names ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(append([]string{st.Dir()}, names...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t testing.TB, st *store.Store, content string, names ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(append([]string{st.Dir()}, names...)...), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestBootstrapOfTheEmbeddedFigures(t *testing.T) {
	t.Parallel()
	reference, err := source.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	st := open(t, reference)
	all, assets := load(t, st)
	if diff := cmp.Diff(reference.IDs(), all.IDs()); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
	for _, id := range reference.IDs() {
		want, got := get(t, reference, id), get(t, all, id)
		if diff := cmp.Diff(want.Info, got.Info); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
		if diff := cmp.Diff(want.Observations(), got.Observations()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
	if diff := cmp.Diff(series.BuiltinAssets(), assets); diff != "" {
		t.Errorf("assets (-want +got):\n%s", diff)
	}
	lines := strings.Split(strings.TrimSpace(read(t, st, store.ConsolidatedName)), "\n")
	if got, want := lines[0], "month,"+strings.Join(reference.IDs(), ","); got != want {
		t.Errorf("header: got %s, want %s", got, want)
	}
	if got, want := len(lines)-1, int(month(t, "2026-09")-month(t, "1913-01"))+1; got != want {
		t.Errorf("got %d months, want %d: every one from the oldest to the newest figure", got, want)
	}
}

func TestFilesOnDisk(t *testing.T) {
	t.Parallel()
	st := open(t, small(t))
	for name, want := range map[string]string{
		"series/GOLD.csv": `period,value,known_from,retrieved_at,source
2026-01,4000,2026-02-28,,"World Bank, Pink Sheet"
2026-02,4100,2026-03-31,,"World Bank, Pink Sheet"
2026-04,4300.5,2026-05-31,,"World Bank, Pink Sheet"
`,
		"series/catalogue.csv": `id,title,unit,frequency,sampling,lag,source,licence,role
CPI,Consumer prices,index,monthly,month,1,Bureau,public domain,deflator
GOLD,Gold,$ per troy ounce,monthly,average,1,"World Bank, Pink Sheet",CC BY 4.0,asset
`,
		store.ConsolidatedName: `month,CPI,GOLD
2026-01,320.1,4000
2026-02,321,4100
2026-03,,
2026-04,,4300.5
`,
	} {
		if diff := cmp.Diff(want, read(t, st, filepath.FromSlash(name))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestBootstrapAgainWritesNothing(t *testing.T) {
	t.Parallel()
	st := open(t, small(t))
	type file struct {
		content string
		changed time.Time
	}
	state := func() map[string]file {
		all := map[string]file{}
		for _, name := range []string{"series/GOLD.csv", "series/CPI.csv", "series/catalogue.csv", store.ConsolidatedName} {
			stat, err := os.Stat(filepath.Join(st.Dir(), filepath.FromSlash(name)))
			if err != nil {
				t.Fatal(err)
			}
			all[name] = file{read(t, st, filepath.FromSlash(name)), stat.ModTime()}
		}
		return all
	}
	before := state()
	got, err := st.Bootstrap(t.Context(), small(t), now.AddDate(0, 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(store.Bootstrapped{}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, state(), cmp.AllowUnexported(file{})); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// A newer program carries more figures: new months by their lag, a gap and a
// revision from the day they came in, and nothing that the folder knew and
// replaced. What could be known before stays as it was.
func TestBootstrapOfNewerFigures(t *testing.T) {
	t.Parallel()
	st := open(t, small(t))
	before := read(t, st, "series", "GOLD.csv")
	// The user replaces January's figure; the program's old one must not come back.
	_, err := st.Apply(t.Context(), store.Update{Now: now, Series: []store.SeriesUpdate{
		{Info: gold, Figures: figures(t, gold, "2026-01", 4001)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	newer := gold
	newer.Title = "Gold, London"
	later := now.AddDate(0, 2, 0)
	got, err := st.Bootstrap(t.Context(), set(t, map[*series.Info][]series.Observation{
		&newer: figures(t, gold, "2025-12", 3900, 4000, 4150, 4200, 4300.5, 4400),
		&cpi:   figures(t, cpi, "2026-01", 320.1, 321),
	}), later)
	if err != nil {
		t.Fatal(err)
	}
	want := store.Bootstrapped{Added: 3, Revised: 1, Changed: []store.Merged{{
		Series: "GOLD", Added: 3, GapsFilled: []series.Month{month(t, "2026-03")}, Unchanged: 2,
		Revised: []store.Revision{{Month: month(t, "2026-02"), Old: 4100, New: 4150, KnownFrom: "2027-01-23"}},
		First:   month(t, "2025-12"), Last: month(t, "2026-05"), Months: 6, Trailing: 6,
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	after := read(t, st, "series", "GOLD.csv")
	if wantFile := before + `2026-01,4001,2026-11-23,2026-11-23T09:30:00Z,"World Bank, Pink Sheet"
2025-12,3900,2026-01-31,2027-01-23T09:30:00Z,"World Bank, Pink Sheet"
2026-02,4150,2027-01-23,2027-01-23T09:30:00Z,"World Bank, Pink Sheet"
2026-03,4200,2027-01-23,2027-01-23T09:30:00Z,"World Bank, Pink Sheet"
2026-05,4400,2026-06-30,2027-01-23T09:30:00Z,"World Bank, Pink Sheet"
`; after != wantFile {
		t.Errorf("file (-want +got):\n%s", cmp.Diff(wantFile, after))
	}
	all, _ := load(t, st)
	s := get(t, all, "GOLD")
	if s.Title != newer.Title {
		t.Errorf("title: got %q, want the program's new one", s.Title)
	}
	if diff := cmp.Diff([]float64{3900, 4001, 4150, 4200, 4300.5, 4400}, s.Latest().Values); diff != "" {
		t.Errorf("newest vintages (-want +got):\n%s", diff)
	}
	// At the end of 2026-05 nothing of what came in later was known.
	view := s.AsOf(month(t, "2026-05"))
	for m, want := range map[string]float64{"2026-01": 4000, "2026-02": 4100, "2026-03": math.NaN(), "2026-04": 4300.5} {
		if got := view.At(month(t, m)); got != want && (got == got || want == want) {
			t.Errorf("%s as of 2026-05: got %v, want %v", m, got, want)
		}
	}
}

func TestBootstrapRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*series.Info)
		want   string
	}{
		"own series":     {func(i *series.Info) { i.Licence = store.LicenceOwn }, "GOLD is a series of your own and now also one of the program's"},
		"other sampling": {func(i *series.Info) { i.Sampling = series.End }, `GOLD holds figures of sampling "end", the program's are "average"`},
	} {
		held := gold
		c.change(&held)
		st := open(t, set(t, map[*series.Info][]series.Observation{&held: figures(t, held, "2026-01", 1, 2)}))
		before := read(t, st, "series", "GOLD.csv")
		_, err := st.Bootstrap(t.Context(), small(t), now)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
		if got := read(t, st, "series", "GOLD.csv"); got != before {
			t.Errorf("%s: the file changed", name)
		}
	}
}

func TestBootstrapAfterTheCatalogueWasLost(t *testing.T) {
	t.Parallel()
	st := open(t, small(t))
	_, err := st.Apply(t.Context(), store.Update{Now: now, Series: []store.SeriesUpdate{
		{Info: gold, Figures: figures(t, gold, "2026-05", 4400)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	before := read(t, st, "series", "GOLD.csv")
	if err := os.Remove(filepath.Join(st.Dir(), "series", "catalogue.csv")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := st.Load(t.Context()); !errors.Is(err, store.ErrEmpty) {
		t.Fatalf("Load without a catalogue: got %v, want ErrEmpty", err)
	}
	if _, err := st.Bootstrap(t.Context(), small(t), now); err != nil {
		t.Fatal(err)
	}
	if got := read(t, st, "series", "GOLD.csv"); got != before {
		t.Errorf("the imported figure is lost (-want +got):\n%s", cmp.Diff(before, got))
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	st := open(t, small(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := st.Load(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Load: got %v", err)
	}
	if _, err := st.Bootstrap(ctx, small(t), now); !errors.Is(err, context.Canceled) {
		t.Errorf("Bootstrap: got %v", err)
	}
}
