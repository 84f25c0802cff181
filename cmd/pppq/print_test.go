package main

import (
	"strings"
	"testing"
)

// TestProgressLine holds the bar within the terminal, with the time that follows.
func TestProgressLine(t *testing.T) {
	t.Parallel()
	const name = "run the carry core over the past"
	for _, c := range []struct {
		columns int
		want    string
	}{
		{200, name + " [###############...............] 21/42"},
		{80, name + " [###############...............] 21/42"},
		{60, name + " [#####.....] 21/42"},
		{50, name + " 21/42"},
		{30, "run the carry c 21/42"},
		{10, " 21/42"},
	} {
		got := progressLine(name, 21, 42, c.columns)
		if got != c.want {
			t.Errorf("%d columns: got %q, want %q", c.columns, got, c.want)
		}
		if c.columns >= 30 && len(got+"  100.0 s") > c.columns {
			t.Errorf("%d columns: %q and the time take %d", c.columns, got, len(got+"  100.0 s"))
		}
	}
	if got := progressLine("x", 0, 0, 80); !strings.HasSuffix(got, " 0/0") {
		t.Errorf("nothing to do: got %q", got)
	}
}
