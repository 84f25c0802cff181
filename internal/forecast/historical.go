package forecast

import (
	"math"

	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/score"
	"github.com/pppq/pppq/internal/series"
)

// A HistoricalWalk is the historical core: the past mean of an asset, shrunk to
// the median over assets, and the past spread of its returns over the horizon.
// It knows nothing of what an asset yields today. It moves forward in time for
// one horizon.
type HistoricalWalk struct {
	panel *panel.Panel
	h     int
	next  []series.Month
	// running moments of ln M over overlapping windows, by asset.
	count, mean, m2 []float64
}

// NewHistoricalWalk starts before any outcome over the h-th horizon.
func NewHistoricalWalk(p *panel.Panel, h int) *HistoricalWalk {
	n := len(p.Assets)
	w := &HistoricalWalk{panel: p, h: h, next: make([]series.Month, n), count: make([]float64, n), mean: make([]float64, n), m2: make([]float64, n)}
	for a, rows := range p.Assets {
		w.next[a] = rows.First()
	}
	return w
}

// Forecast is the forecast of asset a from its row, which must not lie before
// the last one asked for. The long-run spread counts once 3h months of returns
// are known; until then, and in any case for the last 36 months, the monthly
// spread times the root of the months stands in.
func (w *HistoricalWalk) Forecast(a int, row panel.Row) Normal {
	months := panel.Horizon(w.h)
	rows := w.panel.Assets[a]
	for ; w.next[a] <= rows.LastOutcome(w.h); w.next[a]++ {
		ln, known := rows.Outcome(w.next[a], w.h)
		if known > row.T {
			break
		}
		if math.IsNaN(ln) {
			continue
		}
		w.count[a]++
		d := ln - w.mean[a]
		w.mean[a] += d / w.count[a]
		w.m2[a] += d * (ln - w.mean[a])
	}
	h, f := float64(months), row.Values
	n, sd, sd36 := f[panel.HistoryMonths], f[panel.SDLong]/math.Sqrt(12), f[panel.SD36]/math.Sqrt(12)
	long := sd * math.Sqrt(h)
	if n >= 3*h && w.m2[a] > 0 {
		long = math.Sqrt(w.m2[a] / w.count[a])
	}
	s := long
	if sd36 > 0 && long > 0 {
		recent := 0.5 / math.Sqrt(h/12)
		s = math.Exp((1-recent)*math.Log(long) + recent*math.Log(sd36*math.Sqrt(h)))
	}
	s = math.Hypot(s, h*sd/math.Sqrt(n))
	return Normal{Mean: history(f) * h / 12, SD: max(s, minSpread)}
}

// A PersistenceWalk forecasts that the class of the last completed window comes
// again, smoothed by how often each class has followed each other.
type PersistenceWalk struct {
	panel       *panel.Panel
	tiers       power.Tiers
	h           int
	next        []series.Month
	transitions [power.NumClasses]Counts
}

// NewPersistenceWalk starts before any outcome over the h-th horizon.
func NewPersistenceWalk(p *panel.Panel, tiers power.Tiers, h int) *PersistenceWalk {
	w := &PersistenceWalk{panel: p, tiers: tiers, h: h, next: make([]series.Month, len(p.Assets))}
	for a, rows := range p.Assets {
		w.next[a] = rows.First()
	}
	return w
}

// Advance counts every pair of neighbouring windows that was complete at the
// end of month t.
func (w *PersistenceWalk) Advance(t series.Month) {
	h := series.Month(panel.Horizon(w.h))
	for a, rows := range w.panel.Assets {
		for ; w.next[a] <= rows.LastOutcome(w.h); w.next[a]++ {
			ln, known := rows.Outcome(w.next[a], w.h)
			if known > t {
				break
			}
			before, _ := rows.Outcome(w.next[a]-h, w.h)
			if math.IsNaN(ln) || math.IsNaN(before) || rows.Asset.Kind == series.Custom {
				continue
			}
			w.transitions[w.tiers.ClassOfLog(before)][w.tiers.ClassOfLog(ln)]++
		}
	}
}

// Forecast is the forecast of asset a at a row: the shares of what followed the
// class of the window that ended at the row's last known month. Without one, all
// classes are equally likely.
func (w *PersistenceWalk) Forecast(a int, row panel.Row) score.Probs {
	ln, _ := w.panel.Assets[a].Outcome(row.U-series.Month(panel.Horizon(w.h)), w.h)
	if math.IsNaN(ln) {
		return Counts{}.Shares()
	}
	return w.transitions[w.tiers.ClassOfLog(ln)].Shares()
}
