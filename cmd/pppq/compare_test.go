package main

import (
	"strings"
	"testing"

	"github.com/pppq/pppq/internal/forecast"
)

// An asset whose figures are old is marked where it is ranked beside others.
func TestRankedMarksStale(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := printRanked(&b, 1, []*forecast.Answer{{Asset: "New"}, {Asset: "Old", Stale: true}}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[0], "Over 1 year,") {
		t.Fatalf("got %q", b.String())
	}
	for i, stale := range []bool{false, true} {
		if got := strings.HasSuffix(lines[i+2], " (stale)"); got != stale {
			t.Errorf("%q: marked stale %v, want %v", lines[i+2], got, stale)
		}
	}
}
