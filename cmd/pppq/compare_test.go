package main

import (
	"strings"
	"testing"
	"time"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/series"
)

// An asset whose figures are old is marked where it is ranked beside others.
func TestRankedMarksStale(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	now := time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC)
	july, old := series.Of(2026, time.July), series.Of(2003, time.April)
	if err := printRanked(&b, 1, []*forecast.Answer{
		{Asset: "New", HorizonYears: 1, DataAsOf: july}, {Asset: "Old", HorizonYears: 1, DataAsOf: july, Stale: true},
		{Asset: "Ended", HorizonYears: 1, DataAsOf: old, Stale: true},
	}, now); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if len(lines) != 7 || !strings.HasPrefix(lines[0], "Over 1 year,") {
		t.Fatalf("got %q", b.String())
	}
	for i, stale := range []bool{false, true} {
		if got := strings.HasSuffix(lines[i+2], " (stale)"); got != stale {
			t.Errorf("%q: marked stale %v, want %v", lines[i+2], got, stale)
		}
	}
	if !strings.HasSuffix(lines[4], " (ended)") ||
		!strings.HasPrefix(lines[5], "Ended is NOT FROM TODAY: its figures ended in 2003-04, and the time counted here (1 year) begins") {
		t.Errorf("figures that ended: got %q and %q", lines[4], lines[5])
	}
}
