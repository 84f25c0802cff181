package score

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestOwnHistoryWindows(t *testing.T) {
	t.Parallel()
	var calls []string
	measure := func(before, recent []float64) float64 {
		calls = append(calls, fmt.Sprint(before, recent))
		return recent[len(recent)-1]
	}
	current, past, err := OwnHistory([]float64{1, 2, 3, 4, 5, 6}, 2, 2, measure)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"[1 2] [3 4]", "[1 2 3] [4 5]", "[1 2 3 4] [5 6]"}
	if !slices.Equal(calls, want) {
		t.Errorf("windows: got %v, want %v", calls, want)
	}
	if current != 6 || !slices.Equal(past, []float64{4, 5}) {
		t.Errorf("got %v after %v, want 6 after [4 5]", current, past)
	}
	if _, past, err := OwnHistory([]float64{1, 2, 3, 4}, 2, 2, measure); err != nil || len(past) != 0 {
		t.Errorf("no past: got %v, %v", past, err)
	}
	if _, _, err := OwnHistory([]float64{1, 2, 3}, 2, 2, measure); !errors.Is(err, ErrTooFew) {
		t.Errorf("short: got %v, want ErrTooFew", err)
	}
	if _, _, err := OwnHistory([]float64{1, 2, 3}, 0, 2, measure); !errors.Is(err, ErrShape) {
		t.Errorf("window 0: got %v, want ErrShape", err)
	}
}

func TestRateAgainst(t *testing.T) {
	t.Parallel()
	past := []float64{math.NaN()}
	for i := range 101 {
		past = append(past, float64(100-i)) // 0..100: the percentiles are 95 and 99
	}
	for _, c := range []struct {
		current float64
		want    Alarm
	}{{50, AlarmNone}, {95, AlarmNone}, {95.5, AlarmWarn}, {99, AlarmWarn}, {99.5, AlarmRaised}, {math.Inf(1), AlarmRaised}, {math.NaN(), AlarmUnknown}} {
		got, p95, p99 := RateAgainst(past, c.current)
		if got != c.want {
			t.Errorf("%v: got %v, want %v", c.current, got, c.want)
		}
		if c.want != AlarmUnknown {
			near(t, "95th", p95, 95, 1e-12)
			near(t, "99th", p99, 99, 1e-12)
		}
	}
	if got, p95, _ := RateAgainst(past[:20], 1000); got != AlarmUnknown || !math.IsNaN(p95) {
		t.Errorf("19 known readings: got %v, %v; want unknown", got, p95)
	}
	if got, _, _ := RateAgainst(past[:21], 1000); got != AlarmRaised {
		t.Errorf("20 known readings: got %v, want raised", got)
	}
}

func TestAlarmNames(t *testing.T) {
	t.Parallel()
	for a, want := range map[Alarm]string{AlarmUnknown: "unknown", AlarmNone: "none", AlarmWarn: "warn", AlarmRaised: "raised", 8: "Alarm(8)"} {
		if a.String() != want {
			t.Errorf("got %q, want %q", a.String(), want)
		}
	}
}

// A shift of one standard deviation in the last five years must stand out of a stationary history, and five years
// without one must not, although they read above the habitual limit of 0.1.
func TestAlarmSeesShift(t *testing.T) {
	t.Parallel()
	r := newRand(62)
	steady, shift := make([]float64, 600), make([]float64, 600)
	for i := range shift {
		steady[i] = r.NormFloat64()
		shift[i] = steady[i]
		if i >= 540 {
			shift[i]++
		}
	}
	psi := func(before, recent []float64) float64 {
		v, _, err := BinnedPSI(before, recent, 10)
		if err != nil {
			t.Error(err)
		}
		return v
	}
	for _, c := range []struct {
		name string
		x    []float64
		want Alarm
	}{{"steady", steady, AlarmNone}, {"shift", shift, AlarmRaised}} {
		current, past, err := OwnHistory(c.x, 60, 120, psi)
		if err != nil {
			t.Fatal(err)
		}
		got, p95, p99 := RateAgainst(past, current)
		if got != c.want || current < 0.1 {
			t.Errorf("%s: got %v (reading %v, percentiles %v and %v), want %v above 0.1", c.name, got, current, p95, p99, c.want)
		}
	}
}
