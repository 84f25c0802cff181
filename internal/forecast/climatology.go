package forecast

import (
	"math"

	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/score"
	"github.com/pppq/pppq/internal/series"
)

// Counts are numbers of past windows by class.
type Counts [power.NumClasses]float64

// Shares are the counts as probabilities, one half added to each class.
func (c Counts) Shares() score.Probs {
	var p score.Probs
	total := 0.0
	for _, n := range c {
		total += n + 0.5
	}
	for i, n := range c {
		p[i] = (n + 0.5) / total
	}
	return p
}

// Total is the number of windows, overlapping ones included.
func (c Counts) Total() float64 { return c[0] + c[1] + c[2] + c[3] }

// A Climatology is how often each class came true, as known at one month.
type Climatology struct {
	Months int
	// ByAsset has one entry an asset of the panel.
	ByAsset []Counts
	Pool    Counts
}

// Pooled is the forecast that is the same for every asset.
func (c *Climatology) Pooled() score.Probs { return c.Pool.Shares() }

// Asset is the forecast from an asset's own windows.
func (c *Climatology) Asset(a int) score.Probs { return c.ByAsset[a].Shares() }

// Partial pulls the asset's own shares to the pool with the weight of two
// windows: (n*p_asset + 2*p_pool)/(n+2), n = labels/horizon.
func (c *Climatology) Partial(a int) score.Probs {
	n := c.ByAsset[a].Total() / float64(c.Months)
	own, pool := c.Asset(a), c.Pooled()
	for i := range own {
		own[i] = (n*own[i] + 2*pool[i]) / (n + 2)
	}
	return own
}

// A ClimatologyWalk renews climatologies as time moves forward; a step costs the
// outcomes that became known since the last one.
type ClimatologyWalk struct {
	panel *panel.Panel
	tiers power.Tiers
	h     int
	next  []series.Month
	now   Climatology
}

// NewClimatologyWalk starts before any outcome over the h-th horizon.
func NewClimatologyWalk(p *panel.Panel, tiers power.Tiers, h int) *ClimatologyWalk {
	w := &ClimatologyWalk{panel: p, tiers: tiers, h: h, next: make([]series.Month, len(p.Assets))}
	w.now = Climatology{Months: panel.Horizon(h), ByAsset: make([]Counts, len(p.Assets))}
	for a, rows := range p.Assets {
		w.next[a] = rows.First()
	}
	return w
}

// Advance adds every outcome that was known at the end of month t, which must
// not lie before the last one, and returns the climatology, valid until the next
// call.
func (w *ClimatologyWalk) Advance(t series.Month) *Climatology {
	for a, rows := range w.panel.Assets {
		for ; w.next[a] <= rows.LastOutcome(w.h); w.next[a]++ {
			ln, known := rows.Outcome(w.next[a], w.h)
			if known > t {
				break
			}
			if math.IsNaN(ln) {
				continue
			}
			class := w.tiers.ClassOfLog(ln)
			w.now.ByAsset[a][class]++
			if rows.Asset.Kind != series.Custom {
				w.now.Pool[class]++
			}
		}
	}
	return &w.now
}
