package panel_test

import (
	"context"
	"math"
	"testing"

	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/series"
	"github.com/pppq/pppq/internal/source"
)

func embedded(t testing.TB) *series.Set {
	t.Helper()
	set, err := source.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func build(t testing.TB, set *series.Set) *panel.Panel {
	t.Helper()
	p, err := panel.Build(context.Background(), set, series.BuiltinAssets())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// edit rebuilds every series of a set from edited observations.
func edit(t *testing.T, set *series.Set, f func(id string, o series.Observation) (series.Observation, bool)) *series.Set {
	t.Helper()
	var all []*series.Series
	for _, id := range set.IDs() {
		s, err := set.Get(id)
		if err != nil {
			t.Fatal(err)
		}
		var obs []series.Observation
		for _, o := range s.Observations() {
			if o, keep := f(id, o); keep {
				obs = append(obs, o)
			}
		}
		s, err = series.New(s.Info, obs)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	out, err := series.NewSet(all...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sameUntil fails if anything known at the end of a month up to asOf differs.
func sameUntil(t *testing.T, want, got *panel.Panel, asOf series.Month) {
	t.Helper()
	rows := 0
	for a, w := range want.Assets {
		g := got.Assets[a]
		for _, row := range w.Rows {
			if row.T > asOf {
				break
			}
			other, ok := g.At(row.T)
			if !ok || other.U != row.U {
				t.Fatalf("%s at %s: the row is gone or ends elsewhere", w.Asset.ID, row.T)
			}
			for i, v := range row.Values {
				if math.Float64bits(v) != math.Float64bits(other.Values[i]) {
					t.Fatalf("%s at %s: feature %s: got %v, want %v", w.Asset.ID, row.T, panel.Features()[i].Name, other.Values[i], v)
				}
			}
			rows++
		}
		for h := range panel.NumHorizons {
			for m := w.First(); m <= asOf; m++ {
				ln, known := w.Outcome(m, h)
				if known == 0 || known > asOf {
					continue
				}
				if other, k := g.Outcome(m, h); other != ln || k != known {
					t.Fatalf("%s at %s over %d months: outcome got %v known %s, want %v known %s", w.Asset.ID, m, panel.Horizon(h), other, k, ln, known)
				}
			}
		}
	}
	if rows < 1000 {
		t.Fatalf("compared %d rows, want thousands", rows)
	}
}

// Leakage test (a): what becomes known later, changed or deleted, changes no
// earlier row and no earlier outcome.
func TestLaterFiguresDoNotChangeEarlierRows(t *testing.T) {
	t.Parallel()
	set := embedded(t)
	want := build(t, set)
	for _, asOf := range []series.Month{series.Of(1987, 6), series.Of(2008, 10), series.Of(2025, 10), series.Of(2025, 11)} {
		end := asOf.End()
		for name, f := range map[string]func(string, series.Observation) (series.Observation, bool){
			"changed": func(_ string, o series.Observation) (series.Observation, bool) {
				if o.KnownFrom > end {
					o.Value *= 1.37
				}
				return o, true
			},
			"every second one deleted": func(_ string, o series.Observation) (series.Observation, bool) {
				return o, o.KnownFrom <= end || o.Period%2 == 0
			},
			"published later": func(id string, o series.Observation) (series.Observation, bool) {
				if o.KnownFrom > end {
					o.KnownFrom += 17
				}
				return o, true
			},
		} {
			t.Run(asOf.String()+" "+name, func(t *testing.T) {
				t.Parallel()
				sameUntil(t, want, build(t, edit(t, set, f)), asOf)
			})
		}
	}
}

// A revision leaves earlier rows alone and changes later ones.
func TestRevisionsAreSeenFromTheirDayOn(t *testing.T) {
	t.Parallel()
	set := embedded(t)
	want := build(t, set)
	asOf := series.Of(2010, 6)
	var all []*series.Series
	for _, id := range set.IDs() {
		s, _ := set.Get(id)
		obs := append([]series.Observation(nil), s.Observations()...)
		if id == "CPIAUCNS" || id == "GOLD" || id == "M2SL" {
			for _, o := range s.Observations() {
				if o.Period == series.Of(2009, 3) || o.Period == series.Of(1980, 1) {
					o.Value *= map[string]float64{"CPIAUCNS": 1.01, "GOLD": 1.05, "M2SL": 1.02}[id]
					o.KnownFrom = (asOf + 1).End()
					obs = append(obs, o)
				}
			}
		}
		revised, err := series.New(s.Info, obs)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, revised)
	}
	revised, err := series.NewSet(all...)
	if err != nil {
		t.Fatal(err)
	}
	got := build(t, revised)
	sameUntil(t, want, got, asOf)
	gold, _ := got.Find("Gold")
	was, _ := want.Find("Gold")
	a, _ := gold.At(asOf + 1)
	b, _ := was.At(asOf + 1)
	if a.Values[panel.Vol36] == b.Values[panel.Vol36] {
		t.Error("the month after the revision: the 36-month volatility did not change")
	}
}

// Leakage test (b): data cut off at a month give the same rows before it.
func TestTruncatedDataGiveTheSameRows(t *testing.T) {
	t.Parallel()
	set := embedded(t)
	want := build(t, set)
	for _, asOf := range []series.Month{series.Of(2012, 2), series.Of(2020, 4)} {
		cut := edit(t, set, func(_ string, o series.Observation) (series.Observation, bool) {
			return o, o.KnownFrom <= asOf.End()
		})
		got := build(t, cut)
		if got.Last != asOf {
			t.Errorf("last month: got %s, want %s", got.Last, asOf)
		}
		sameUntil(t, want, got, asOf)
	}
}
