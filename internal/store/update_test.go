package store_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pppq/pppq/internal/series"
	"github.com/pppq/pppq/internal/store"
)

var fund = series.Asset{ID: "Fund", Title: "My fund", Kind: series.Custom, Unit: "share", Price: "FUND", Fee: 0.004}

func apply(t testing.TB, st *store.Store, u store.Update) []store.Merged {
	t.Helper()
	got, err := st.Apply(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func ownUpdate(t testing.TB, at time.Time, first string, values ...float64) store.Update {
	a := fund
	return store.Update{Now: at, Asset: &a, Series: []store.SeriesUpdate{{Info: own, Figures: figures(t, own, first, values...)}}}
}

func TestApplyMakesAnAsset(t *testing.T) {
	t.Parallel()
	st := open(t, small(t))
	u := ownUpdate(t, now, "2026-01", 10, 11)
	got := apply(t, st, u)
	want := []store.Merged{{Series: "FUND", New: true, Added: 2, First: month(t, "2026-01"), Last: month(t, "2026-02"), Months: 2, Trailing: 2}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	all, assets := load(t, st)
	wantAsset := fund
	wantAsset.First = month(t, "2026-01")
	if diff := cmp.Diff(append(series.BuiltinAssets(), wantAsset), assets); diff != "" {
		t.Errorf("assets (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(own, get(t, all, "FUND").Info); diff != "" {
		t.Errorf("catalogue (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("month,CPI,FUND,GOLD\n2026-01,320.1,10,4000\n2026-02,321,11,4100\n2026-03,,,\n2026-04,,,4300.5\n",
		read(t, st, store.ConsolidatedName)); diff != "" {
		t.Errorf("consolidated (-want +got):\n%s", diff)
	}
}

// A user's history is taken as known when it happened, gaps too; what changes is
// known from the day it is changed, each time later than before.
func TestApplyDatesVintages(t *testing.T) {
	t.Parallel()
	st := open(t, small(t))
	apply(t, st, ownUpdate(t, now, "2026-01", 10, math.NaN(), 12))
	got := apply(t, st, ownUpdate(t, now, "2026-01", 10, 11, 12.5, 13))
	want := []store.Merged{{
		Series: "FUND", Added: 2, GapsFilled: []series.Month{month(t, "2026-02")}, Unchanged: 1,
		Revised: []store.Revision{{Month: month(t, "2026-03"), Old: 12, New: 12.5, KnownFrom: "2026-11-23"}},
		First:   month(t, "2026-01"), Last: month(t, "2026-04"), Months: 4, Trailing: 4,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Again within the second, on a clock that went back.
	got = apply(t, st, ownUpdate(t, now.AddDate(0, 0, -3), "2026-03", 12))
	if rev := got[0].Revised[0]; rev.KnownFrom != "2026-11-24" {
		t.Errorf("second revision: known from %s, want the day after the first's, 2026-11-24", rev.KnownFrom)
	}
	if diff := cmp.Diff(`period,value,known_from,retrieved_at,source
2026-01,10,2026-01-31,2026-11-23T09:30:00Z,file of the user's
2026-03,12,2026-03-31,2026-11-23T09:30:00Z,file of the user's
2026-02,11,2026-02-28,2026-11-23T09:30:01Z,file of the user's
2026-03,12.5,2026-11-23,2026-11-23T09:30:01Z,file of the user's
2026-04,13,2026-04-30,2026-11-23T09:30:01Z,file of the user's
2026-03,12,2026-11-24,2026-11-23T09:30:02Z,file of the user's
`, read(t, st, "series", "FUND.csv")); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
	all, _ := load(t, st)
	if got := get(t, all, "FUND").AsOf(month(t, "2026-10")).At(month(t, "2026-03")); got != 12 {
		t.Errorf("2026-03 before its revisions: got %v, want 12", got)
	}
	if got := get(t, all, "FUND").Latest().At(month(t, "2026-03")); got != 12 {
		t.Errorf("2026-03 after its revisions: got %v, want 12", got)
	}
}

func TestApplyFillsAPublishersGapLate(t *testing.T) {
	t.Parallel()
	st := open(t, small(t))
	got := apply(t, st, store.Update{Now: now, Series: []store.SeriesUpdate{{Info: gold, Figures: figures(t, gold, "2026-03", 4200)}}})
	if diff := cmp.Diff([]series.Month{month(t, "2026-03")}, got[0].GapsFilled); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	all, _ := load(t, st)
	for asOf, want := range map[string]float64{"2026-10": math.NaN(), "2026-11": 4200} {
		if got := get(t, all, "GOLD").AsOf(month(t, asOf)).At(month(t, "2026-03")); got != want && (got == got || want == want) {
			t.Errorf("as of %s: got %v, want %v", asOf, got, want)
		}
	}
}

func TestApplyRefuses(t *testing.T) {
	t.Parallel()
	info := func(change func(*series.Info)) series.Info {
		i := own
		change(&i)
		return i
	}
	asset := func(change func(*series.Asset)) *series.Asset {
		a := fund
		change(&a)
		return &a
	}
	for name, c := range map[string]struct {
		info  series.Info
		asset *series.Asset
		is    error
		want  string
	}{
		"sampling":       {info: info(func(i *series.Info) { i.Sampling = series.Average }), is: store.ErrSampling, want: `series FUND holds figures of sampling "end", these are "average"`},
		"program's":      {info: info(func(i *series.Info) { i.ID = "GOLD" }), want: `series GOLD is held already as "Gold": choose another id`},
		"device":         {info: info(func(i *series.Info) { i.ID = "COM1" }), want: "series COM1: the name is taken by the system"},
		"catalogue":      {info: info(func(i *series.Info) { i.ID = "CATALOGUE" }), want: "series CATALOGUE: the name is taken by the system"},
		"title":          {info: info(func(i *series.Info) { i.Title = "a\nb" }), want: "series FUND: title:"},
		"asset built in": {info: own, asset: asset(func(a *series.Asset) { a.ID = "OIL" }), want: "asset OIL is built in"},
		"asset price":    {info: own, asset: asset(func(a *series.Asset) { a.Price = "TIN" }), is: series.ErrUnknownSeries, want: "asset Fund: unknown series TIN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := open(t, small(t))
			apply(t, st, ownUpdate(t, now, "2026-01", 10))
			before := read(t, st, "series", "catalogue.csv") + read(t, st, "series", "FUND.csv")
			_, err := st.Apply(t.Context(), store.Update{Now: now, Asset: c.asset, Series: []store.SeriesUpdate{{Info: c.info, Figures: figures(t, own, "2026-02", 1)}}})
			if err == nil || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if after := read(t, st, "series", "catalogue.csv") + read(t, st, "series", "FUND.csv"); after != before {
				t.Errorf("the folder changed (-before +after):\n%s", cmp.Diff(before, after))
			}
		})
	}
}

func TestApplyDryRun(t *testing.T) {
	t.Parallel()
	st := open(t, small(t))
	u := ownUpdate(t, now, "2026-01", 10)
	u.DryRun = true
	if got := apply(t, st, u); len(got) != 1 || got[0].Added != 1 {
		t.Errorf("got %v, want one added", got)
	}
	if all, assets := load(t, st); len(all.IDs()) != 2 || len(assets) != len(series.BuiltinAssets()) {
		t.Errorf("a dry run wrote %v", all.IDs())
	}
}

// What a killed import of a new asset leaves behind, a series without an asset
// or a file without an entry, does not stop the next one and does not mix with it.
func TestApplyAfterAKilledOne(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string][]string{
		"no asset": {"assets.csv"},
		"no entry": {"assets.csv", filepath.Join("series", "catalogue.csv")},
	} {
		st := open(t, small(t))
		apply(t, st, ownUpdate(t, now, "2025-01", 1, 2, 3))
		for _, file := range remove {
			if err := os.Remove(filepath.Join(st.Dir(), file)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := st.Bootstrap(t.Context(), small(t), now); err != nil {
			t.Fatal(err)
		}
		got := apply(t, st, ownUpdate(t, now, "2026-01", 10, 11))
		if !got[0].New || got[0].Months != 2 {
			t.Errorf("%s: got %+v, want a new series of 2 months", name, got[0])
		}
		all, assets := load(t, st)
		if _, ok := store.FindAsset(assets, "FUND"); !ok || get(t, all, "FUND").First() != month(t, "2026-01") {
			t.Errorf("%s: the asset is not as imported", name)
		}
	}
}

func TestRemoveAsset(t *testing.T) {
	t.Parallel()
	st := open(t, small(t))
	before := map[string]string{}
	for _, f := range []string{"series/GOLD.csv", "series/CPI.csv", "series/catalogue.csv", store.ConsolidatedName} {
		before[f] = read(t, st, filepath.FromSlash(f))
	}
	income := own
	income.ID, income.Sampling, income.Role = "FUND_INCOME", series.Whole, series.RoleIncome
	u := ownUpdate(t, now, "2026-01", 10, 11)
	u.Asset.Income = income.ID
	u.Series = append(u.Series, store.SeriesUpdate{Info: income, Figures: figures(t, income, "2026-01", 0.5)})
	apply(t, st, u)

	got, err := st.RemoveAsset(t.Context(), "fUnD")
	if diff := cmp.Diff([]string{"FUND", "FUND_INCOME"}, got); diff != "" || err != nil {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
	for f, want := range before {
		if diff := cmp.Diff(want, read(t, st, filepath.FromSlash(f))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", f, diff)
		}
	}
	if _, err := os.Stat(filepath.Join(st.Dir(), "series", "FUND.csv")); err == nil {
		t.Error("the file of the series is still there")
	}
	if _, err := st.RemoveAsset(t.Context(), "Fund"); !errors.Is(err, store.ErrUnknownAsset) {
		t.Errorf("again: got %v, want ErrUnknownAsset", err)
	}
	if _, err := st.RemoveAsset(t.Context(), "gold"); err == nil || errors.Is(err, store.ErrUnknownAsset) {
		t.Errorf("built in: got %v, want a refusal", err)
	}
}

// A series that another asset uses, or that is the program's, stays.
func TestRemoveAssetKeepsSharedSeries(t *testing.T) {
	t.Parallel()
	st := open(t, small(t))
	apply(t, st, ownUpdate(t, now, "2026-01", 10, 11))
	write(t, st, read(t, st, "assets.csv")+"Stored,Stored gold,custom,,GOLD,,0.01\nTwin,Twin,custom,,FUND,,0\n", "assets.csv")
	for _, id := range []string{"Stored", "Fund"} {
		if got, err := st.RemoveAsset(t.Context(), id); err != nil || len(got) != 0 {
			t.Errorf("%s: removed %v, %v; want no series", id, got, err)
		}
	}
	if got, err := st.RemoveAsset(t.Context(), "twin"); err != nil || len(got) != 1 {
		t.Errorf("twin: removed %v, %v; want FUND", got, err)
	}
}

func TestParseFee(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]float64{"0": 0, "0.004": 0.004, "0.4%": 0.004, " 12 % ": 0.12, "0.2": 0.2} {
		if got, err := store.ParseFee(in); err != nil || math.Abs(got-want) > 1e-15 {
			t.Errorf("%q: got %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "%", "0.4", "-1%", "21%", "NaN", "1,5%", "x"} {
		if got, err := store.ParseFee(in); err == nil {
			t.Errorf("%q: got %v, want an error", in, got)
		}
	}
}
