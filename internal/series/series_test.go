package series_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pppq/pppq/internal/series"
)

func month(t *testing.T, s string) series.Month {
	t.Helper()
	m, err := series.ParseMonth(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMonthAndDate(t *testing.T) {
	t.Parallel()
	m := series.Of(2024, time.February)
	if got, want := m.String(), "2024-02"; got != want {
		t.Errorf("String: got %s, want %s", got, want)
	}
	if got, want := m.End().String(), "2024-02-29"; got != want {
		t.Errorf("End: got %s, want %s", got, want)
	}
	if got, want := (m + 11).String(), "2025-01"; got != want {
		t.Errorf("Add: got %s, want %s", got, want)
	}
	if got := m.End().Month(); got != m {
		t.Errorf("End().Month(): got %s, want %s", got, m)
	}
	if got, want := series.Of(1913, time.January).Start().String(), "1913-01-01"; got != want {
		t.Errorf("Start: got %s, want %s", got, want)
	}
	for _, bad := range []string{"", "2024", "2024-13", "2024-00", "24-01", "2024/01", "2024-1 ", "+024-01", "1699-12"} {
		if _, err := series.ParseMonth(bad); err == nil {
			t.Errorf("ParseMonth(%q): got no error", bad)
		}
	}
}

func TestLag(t *testing.T) {
	t.Parallel()
	l, err := series.ParseLag("6; 12 before 1936-01")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := l.String(), "6; 12 before 1936-01"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for period, want := range map[string]string{"1935-12": "1936-12-31", "1936-01": "1936-07-31"} {
		if got := l.KnownFrom(month(t, period)).String(); got != want {
			t.Errorf("KnownFrom(%s): got %s, want %s", period, got, want)
		}
	}
	for _, bad := range []string{"", "-1", "25", "x", "1; 2", "1; 2 before", "1; 2 before 1936"} {
		if _, err := series.ParseLag(bad); err == nil {
			t.Errorf("ParseLag(%q): got no error", bad)
		}
	}
}

func TestAsOfShowsOnlyWhatWasKnown(t *testing.T) {
	t.Parallel()
	jan := month(t, "2020-01")
	obs := func(p series.Month, v float64, known series.Month) series.Observation {
		return series.Observation{Period: p, Value: v, KnownFrom: known.End()}
	}
	s, err := series.New(series.Info{ID: "X"}, []series.Observation{
		obs(jan, 1, jan+1), obs(jan+2, 3, jan+3), obs(jan+1, 2, jan+4), obs(jan, 1.5, jan+4),
	})
	if err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	want := map[series.Month][]float64{jan: nil, jan + 1: {1}, jan + 2: {1}, jan + 3: {1, nan, 3}, jan + 4: {1.5, 2, 3}}
	for m, values := range want {
		if diff := cmp.Diff(values, s.AsOf(m).Values, cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("AsOf(%s) (-want +got):\n%s", m, diff)
		}
	}
	c := s.Cursor()
	for m, want := range []struct {
		changed series.Month
		ok      bool
	}{{0, false}, {jan, true}, {0, false}, {jan + 2, true}, {jan, true}} {
		changed, ok := c.Advance(jan + series.Month(m))
		if changed != want.changed || ok != want.ok {
			t.Errorf("Advance(%s): got %s %v, want %s %v", jan+series.Month(m), changed, ok, want.changed, want.ok)
		}
	}
	if got := s.AsOf(jan + 3).Last(); got != jan+2 {
		t.Errorf("Last: got %s, want %s", got, jan+2)
	}
	if got := s.Latest().At(jan); got != 1.5 {
		t.Errorf("Latest: got %v, want 1.5", got)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	jan := month(t, "2020-01")
	ok := series.Observation{Period: jan, Value: 1, KnownFrom: jan.End()}
	early, nan, far := ok, ok, ok
	early.KnownFrom = jan.Start() - 1
	nan.Value = math.NaN()
	far.Period, far.KnownFrom = jan+series.MaxMonths, (jan + series.MaxMonths).End()
	for name, c := range map[string]struct {
		id  string
		obs []series.Observation
	}{
		"bad id": {"x/../y", []series.Observation{ok}}, "empty": {"X", nil}, "twice": {"X", []series.Observation{ok, ok}},
		"early": {"X", []series.Observation{early}}, "nan": {"X", []series.Observation{nan}}, "far": {"X", []series.Observation{ok, far}},
	} {
		if _, err := series.New(series.Info{ID: c.id}, c.obs); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}
