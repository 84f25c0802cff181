// Package ledgertest holds what tests of the ledger share: one suite for both
// databases, made-up forecasts, and a PostgreSQL server that lives for a test.
package ledgertest

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/ledger"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/score"
	"github.com/pppq/pppq/internal/series"
)

// ErrNoServer is wrapped where no PostgreSQL server can be started; the error
// says what is missing.
var ErrNoServer = errors.New("no PostgreSQL server to test with")

// Now is the clock of the suite, Origin the month at whose end its forecasts
// begin.
var (
	Now    = time.Date(2026, time.November, 22, 18, 15, 0, 0, time.UTC)
	Origin = series.Of(2026, time.October)
)

// Version is the name of the n-th made-up model version.
func Version(n int) string {
	return Now.Add(time.Duration(n)*time.Second).Format("20060102T150405Z") + fmt.Sprintf("-%04x", n%0x10000)
}

// Forecasts are what the n-th version says of three assets: two horizons, three
// model types. Every seventh has no base rate.
func Forecasts(n int) []ledger.Forecast {
	var all []ledger.Forecast
	for _, asset := range []string{"Gold", "Bills", "Own_1"} {
		for _, months := range []int{12, 120} {
			for _, model := range forecast.ModelTypes {
				// Digits that no short decimal number has.
				x := 1 / (3 + float64(len(all)) + float64(n)/7)
				f := ledger.Forecast{
					Key:    ledger.Key{DataMonth: Origin - 1, Asset: asset, Months: months, Model: model, Version: Version(n)},
					Origin: Origin, DataHash: strings.Repeat("0123456789abcdef", 4), Baseline: n%2 == 1, Tiers: power.DefaultTiers(),
					Probs: score.Probs{x, x / 2, x / 3, 1 - (x + x/2 + x/3)}, Loss: 1 - x,
					Median: 1 - x/7, P10: x, P90: 2 + x, Evidence: forecast.Thin,
				}
				if len(all)%7 != 6 {
					f.Base, f.BaseWindows = score.Probs{0.1 + 0.2, 0.25, 0.25, 1 - (0.1 + 0.2 + 0.5)}, 41.0/12
				}
				all = append(all, f)
			}
		}
	}
	return all
}

// Outcomes are known at Origin+13 for horizons of a year, and not for others;
// the multiples of the assets differ.
func Outcomes(asset string, origin series.Month, months int) (float64, series.Month) {
	if months != 12 {
		return math.NaN(), 0
	}
	return math.Log(map[string]float64{"Gold": 1.25, "Bills": 0.95, "Own_1": 0.5}[asset]), origin + series.Month(months) + 1
}

// Open opens a ledger and closes it when the test ends.
func Open(t testing.TB, url string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.OpenOrCreate(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// Record adds the forecasts of some versions.
func Record(t testing.TB, l *ledger.Ledger, versions ...int) {
	t.Helper()
	for _, n := range versions {
		want := Forecasts(n)
		got, err := l.Record(t.Context(), want, Now)
		if err != nil {
			t.Fatal(err)
		}
		if got.New != len(want) {
			t.Fatalf("Record of version %d: got %+v, want %d new", n, got, len(want))
		}
	}
}

// Verify checks the chain and returns its lines.
func Verify(t testing.TB, l *ledger.Ledger) (ledger.Head, []ledger.Line) {
	t.Helper()
	head, lines, err := l.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return head, lines
}
