package backtest

import (
	"math"
	"testing"
)

func TestRegimeOf(t *testing.T) {
	t.Parallel()
	for rate, want := range map[float64]string{
		-0.02: "under 2 %", 0.0199: "under 2 %", 0.0201: "2 to 4 %", 0.0399: "2 to 4 %", 0.0401: "from 4 %", 0.09: "from 4 %",
	} {
		if got := regimes[regimeOf(math.Log1p(rate))]; got != want {
			t.Errorf("inflation %v: got %q, want %q", rate, got, want)
		}
	}
}

// What is parted by group or by regime adds up to the whole, and the deeper the
// loss, the rarer.
func TestCalibrationAddsUp(t *testing.T) {
	t.Parallel()
	r := releaseReport(t)
	if want := 2 * 2 * len(r.Horizons); len(r.DeepLosses) != want {
		t.Errorf("%d deep losses, want %d: two bounds, two rungs", len(r.DeepLosses), want)
	}
	for _, h := range r.Horizons {
		for _, name := range []string{"carry_core", "ensemble"} {
			whole := h.Rung(name)
			rows, inside := map[string]int{}, map[string][3]float64{}
			for _, c := range r.Coverage {
				if c.Months != h.Months || c.Rung != name {
					continue
				}
				if !(c.Low80 <= c.Coverage[1] && c.Coverage[1] <= c.High80) || c.Blocks < 1 {
					t.Errorf("%s at %d months, %s: coverage %v, interval %v to %v of %d blocks", name, h.Months, c.Name, c.Coverage[1], c.Low80, c.High80, c.Blocks)
				}
				rows[c.By] += c.Rows
				sum := inside[c.By]
				for i, v := range c.Coverage {
					sum[i] += v * float64(c.Rows)
				}
				inside[c.By] = sum
			}
			for _, by := range []string{"assets", "inflation"} {
				if rows[by] != h.Rows {
					t.Errorf("%s at %d months by %s: %d rows, want %d", name, h.Months, by, rows[by], h.Rows)
				}
				for i, v := range inside[by] {
					if got := v / float64(h.Rows); math.Abs(got-whole.Coverage[i]) > 1e-9 {
						t.Errorf("%s at %d months by %s: coverage %v of level %v, want %v", name, h.Months, by, got, levels[i], whole.Coverage[i])
					}
				}
			}
			more := 1.0
			for _, d := range r.DeepLosses {
				if d.Months != h.Months || d.Rung != name {
					continue
				}
				if d.Seen >= more || d.ECEExpected <= 0 || d.ECEExpected >= 0.2 {
					t.Errorf("%s at %d months, M < %v: seen %v after %v, expected ECE %v", name, h.Months, d.Below, d.Seen, more, d.ECEExpected)
				}
				more = d.Seen
				n, seen := 0, 0.0
				for _, b := range d.Bins {
					n += b.Rows
					seen += b.Seen * float64(b.Rows)
				}
				if n != h.Rows || math.Abs(seen/float64(n)-d.Seen) > 1e-9 {
					t.Errorf("%s at %d months, M < %v: %d rows in bins that saw %v, want %d and %v", name, h.Months, d.Below, n, seen/float64(n), h.Rows, d.Seen)
				}
			}
		}
	}
}
