// Package panel turns series into point-in-time rows: for every asset and
// month, what was known at the end of that month (features), and for every
// horizon what became of a holding (outcomes), each with the month from which
// it was known.
//
// Build moves through time once, month by month, and sees figures through
// cursors that show nothing later than the month they stand at. Nothing is
// filled backwards; missing is NaN.
package panel

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
)

const (
	// MinMonths is how many monthly figures without a gap a row needs at its end.
	MinMonths = 12
	// ScoredAfter is how many months after its first figure an asset's forecasts
	// are tested.
	ScoredAfter = 62
	// HorizonStep is the distance between horizons, in months.
	HorizonStep = 3
	// MinHorizon and MaxHorizon bound the horizons, in months.
	MinHorizon, MaxHorizon = 12, 120
	// NumHorizons is the number of horizons from MinHorizon to MaxHorizon.
	NumHorizons = (MaxHorizon-MinHorizon)/HorizonStep + 1
)

// Horizon returns the i-th horizon in months.
func Horizon(i int) int { return MinHorizon + i*HorizonStep }

// HorizonIndex is the inverse of Horizon; ok is false for a length that is not
// one of the horizons.
func HorizonIndex(months int) (i int, ok bool) {
	i = (months - MinHorizon) / HorizonStep
	return i, months >= MinHorizon && months <= MaxHorizon && Horizon(i) == months
}

// A Row is what was known of one asset at the end of month T. Everything in it
// ends at U, the last month whose price index was known then.
type Row struct {
	T, U series.Month
	// Values has one entry a feature, in the order of Features; NaN is missing.
	Values []float64
}

// Rows are one asset's rows and outcomes.
type Rows struct {
	Asset series.Asset
	// Rows ascend by T. A month without the figures it needs has none.
	Rows []Row
	// first is the month of the first outcome slot.
	first series.Month
	// index is the newest real index, for charts and goods.
	Real, Nominal power.Log
	// lnMultiple[h][t-first] is the outcome of horizon h from month t.
	lnMultiple [NumHorizons][]float64
	// knownAt[e-first] is the month at whose end outcomes that end at e were known.
	knownAt []series.Month
}

// Outcome returns the logarithm of the purchasing-power multiple of a holding
// from month t over horizon h (an index), and the month at whose end it was
// first known. It is NaN and 0 while it is not known. It is the figure as first
// known: a later revision of the sources does not change it.
func (r *Rows) Outcome(t series.Month, h int) (lnMultiple float64, known series.Month) {
	i := int(t - r.first)
	if i < 0 || i >= len(r.lnMultiple[h]) || math.IsNaN(r.lnMultiple[h][i]) {
		return math.NaN(), 0
	}
	return r.lnMultiple[h][i], r.knownAt[i+Horizon(h)]
}

// First is the month of the asset's first figure.
func (r *Rows) First() series.Month { return r.first }

// LastOutcome is the newest month whose outcome over horizon h is known; First-1
// if none is.
func (r *Rows) LastOutcome(h int) series.Month {
	return r.first + series.Month(len(r.lnMultiple[h])) - 1
}

// Index returns the place of the row of month t.
func (r *Rows) Index(t series.Month) (i int, ok bool) {
	return slices.BinarySearchFunc(r.Rows, t, func(row Row, t series.Month) int { return int(row.T - t) })
}

// At returns the row of month t.
func (r *Rows) At(t series.Month) (Row, bool) {
	i, ok := r.Index(t)
	if !ok {
		return Row{}, false
	}
	return r.Rows[i], true
}

// A Panel is all assets' rows. Last is the newest month of any row.
type Panel struct {
	Assets []*Rows
	Last   series.Month
	// CPI is the newest logarithm of the deflator, with its imputed months.
	CPI     power.Log
	Imputed []series.Month
}

// Find returns the rows of an asset; the id must be exact.
func (p *Panel) Find(id string) (*Rows, bool) {
	for _, r := range p.Assets {
		if r.Asset.ID == id {
			return r, true
		}
	}
	return nil, false
}

// Build makes the panel from everything in the set up to the month in which the
// newest figure of the price index became known. The cost is linear in months
// and in assets. The error names the asset or series at fault.
func Build(ctx context.Context, set *series.Set, assets []series.Asset) (*Panel, error) {
	m, err := newMarket(set)
	if err != nil {
		return nil, err
	}
	states := make([]*state, len(assets))
	start := series.Month(math.MaxInt32)
	for i, a := range assets {
		if states[i], err = newState(a, set, m); err != nil {
			return nil, err
		}
		start = min(start, states[i].real.First)
	}
	p := &Panel{Last: m.last}
	for t := start; t <= m.last; t++ {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("build panel: %w", err)
		}
		m.advance(t)
		for _, s := range states {
			s.advance(t)
		}
		m.setMedian(states)
		for _, s := range states {
			if row, ok := s.row(t); ok {
				s.out.Rows = append(s.out.Rows, row)
			}
		}
	}
	for _, s := range states {
		s.out.Real, s.out.Nominal = s.real.Log, s.real.Nominal.Log
		p.Assets = append(p.Assets, s.out)
	}
	p.CPI = m.cpi.Log
	for i := range p.CPI.Values {
		if month := p.CPI.First + series.Month(i); m.cpi.Imputed(month) {
			p.Imputed = append(p.Imputed, month)
		}
	}
	return p, nil
}

// Uniqueness returns the average uniqueness of n labels of length h whose
// origins are n consecutive months: with c[s] the labels alive in month s, the
// mean of 1/c[s] over a label's own months. Without gaps the weights sum to
// (n+h-1)/h, the number of labels that do not overlap.
//
// Source: López de Prado, Advances in Financial Machine Learning (2018), ch. 4.
func Uniqueness(n, h int) []float64 {
	// prefix[s] is the sum of 1/c over the months before s.
	prefix := make([]float64, n+h)
	for s := range n + h - 1 {
		alive := min(s, n-1) - max(0, s-h+1) + 1
		prefix[s+1] = prefix[s] + 1/float64(alive)
	}
	w := make([]float64, n)
	for i := range w {
		w[i] = (prefix[i+h] - prefix[i]) / float64(h)
	}
	return w
}
