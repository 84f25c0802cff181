package forecast

import (
	"fmt"
	"math"

	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
)

// Build makes a core-only forecaster from a panel: the newest row of each
// asset, the core refitted at the last January, base rates and histories. Assets
// that are too young to have a row are left out and named in skipped.
func Build(set *series.Set, p *panel.Panel, core *CoreHistory, tiers power.Tiers) (f *Forecaster, skipped []string, err error) {
	f = &Forecaster{Tiers: tiers, Calibration: Calibration{Temperature: 1, Interval: 1}, References: map[ModelType][]Reference{}}
	for _, rows := range p.Assets {
		if len(rows.Rows) == 0 {
			skipped = append(skipped, rows.Asset.ID)
			continue
		}
		row := rows.Rows[len(rows.Rows)-1]
		s := AssetState{
			Asset: rows.Asset, Row: row, Months: monthsOf(rows.Real, row.U),
			Errors: core.Core(row.T).Errors[rows.Asset.ID], BaseFrom: rows.First(),
		}
		for h := range panel.NumHorizons {
			for t := rows.First(); t <= rows.LastOutcome(h); t++ {
				if ln, _ := rows.Outcome(t, h); !math.IsNaN(ln) {
					s.Base[h][tiers.ClassOfLog(ln)]++
				}
			}
		}
		if s.Sources, err = sources(set, rows.Asset); err != nil {
			return nil, nil, err
		}
		f.Assets = append(f.Assets, s)
	}
	f.History, err = newHistory(set, p)
	return f, skipped, err
}

// monthsOf counts the figures of the real index up to month u.
func monthsOf(real power.Log, u series.Month) int {
	n := 0
	for i, v := range real.Values {
		if real.First+series.Month(i) <= u && !math.IsNaN(v) {
			n++
		}
	}
	return n
}

// sources names the publishers of an asset's figures and of the deflator.
func sources(set *series.Set, a series.Asset) ([]string, error) {
	var out []string
	for _, id := range []string{a.Price, a.Income, a.Earnings, power.DeflatorSeries} {
		if id == "" {
			continue
		}
		s, err := set.Get(id)
		if err != nil {
			return nil, fmt.Errorf("asset %s: %w", a.ID, err)
		}
		line := fmt.Sprintf("%s, figures to %s: %s (%s)", id, s.Latest().Last(), s.Source, s.Licence)
		if s.Sampling == series.Trailing12 {
			line += "; later months hold the last figure"
		}
		out = append(out, line)
	}
	return out, nil
}

func newHistory(set *series.Set, p *panel.Panel) (*History, error) {
	cpi, err := set.Get(power.DeflatorSeries)
	if err != nil {
		return nil, err
	}
	h := &History{CPI: cpi.Latest()}
	for _, g := range Goods() {
		s, err := set.Get(g.Series)
		if err != nil {
			return nil, err
		}
		g.Prices = s.Latest()
		h.Goods = append(h.Goods, g)
	}
	for _, rows := range p.Assets {
		h.Assets = append(h.Assets, AssetHistory{ID: rows.Asset.ID, Nominal: level(rows.Nominal), Real: level(rows.Real)})
	}
	return h, nil
}

// level turns a logarithm into an index that is 100 at its first figure.
func level(l power.Log) series.View {
	v := series.View{First: l.First, Values: make([]float64, len(l.Values))}
	base := math.NaN()
	for i, ln := range l.Values {
		if math.IsNaN(base) {
			base = ln
		}
		v.Values[i] = 100 * math.Exp(ln-base)
	}
	return v
}
