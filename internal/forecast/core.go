package forecast

import (
	"math"

	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/series"
)

// Constants of the carry core: textbook values, set before any figure was
// scored and not tuned.
const (
	// historyWeight is the weight, in months, of the cross-asset median in an
	// asset's own mean return.
	historyWeight = 180
	// inflationPersistence and billPersistence are per month.
	inflationPersistence, billPersistence = 0.98, 0.99
	// errorsFrom is how many months after its first figure an asset's forecasts
	// count as past errors.
	errorsFrom = 61
	// halfLife, in months, of the past errors of assets that yield.
	halfLife = 240
	// errorWeight, in windows, of the return's own spread against past errors.
	errorWeight = 5
)

// yields reports whether an asset's own rate fixes its return: bills, Treasury
// bonds and banknotes.
func yields(k series.Kind) bool {
	return k == series.Bill || k == series.Bond || k == series.Banknote
}

// A Part is one line of the account of a centre: a yearly log rate and what it
// stands for. Parts add up to the centre.
type Part struct {
	Name string  `json:"name"`
	Rate float64 `json:"rate"`
}

// revert is the average over the next months of a rate that returns from now
// to mean with monthly persistence phi.
func revert(now, mean, phi float64, months int) float64 {
	h := float64(months)
	return mean + (now-mean)*(1-math.Pow(phi, h))/(h*(1-phi))
}

// ExpectedInflation is the yearly log rate of inflation expected over the next
// months, from a row's features.
func ExpectedInflation(f []float64, months int) float64 {
	return revert(f[panel.Inflation12], f[panel.Inflation120], inflationPersistence, months)
}

// history is the asset's own mean yearly log real return, shrunk to the median
// over assets.
func history(f []float64) float64 {
	n, median := f[panel.HistoryMonths], f[panel.MedianReturn]
	if math.IsNaN(median) {
		median = 0
	}
	if n == 0 {
		return median
	}
	return (n*f[panel.MeanReturn] + historyWeight*median) / (n + historyWeight)
}

// Center is the carry core's yearly log real return over the next months and
// the parts that it is the sum of. It is NaN where a figure it needs is missing.
func Center(kind series.Kind, f []float64, months int) (rate float64, parts []Part) {
	switch kind {
	case series.Banknote:
		parts = []Part{{"inflation expected", -ExpectedInflation(f, months)}}
	case series.Bill:
		bill := revert(f[panel.BillRate], f[panel.BillRate120], billPersistence, months)
		parts = []Part{{"bill rate expected", bill}, {"inflation expected", -ExpectedInflation(f, months)}}
	case series.Bond:
		parts = []Part{{"yield", f[panel.TreasuryYield]}, {"inflation expected", -ExpectedInflation(f, months)}}
	case series.Equity:
		parts = []Part{
			{"half the real earnings yield (1/CAPE)", 0.5 * math.Log1p(math.Exp(-f[panel.LnCAPE]))},
			{"half its own real history", 0.5 * history(f)},
		}
	case series.Commodity:
		parts = []Part{
			{"half nothing: what yields nothing keeps its real value at best", 0},
			{"half its own real history", 0.5 * history(f)},
		}
	default:
		parts = []Part{{"its own real history", history(f)}}
	}
	for _, p := range parts {
		rate += p.Rate
	}
	return rate, parts
}

// Errors sums up a rule's own past errors at one horizon.
type Errors struct {
	// RMS is the root mean square of the errors of ln M.
	RMS float64 `json:"rms"`
	// Origins is how many errors it is taken over.
	Origins int `json:"origins"`
}

// spacing is the distance between the origins of past errors, in months.
func spacing(months int) int {
	if months <= 24 {
		return 3
	}
	return 6
}

// Spread is the standard deviation of ln M over the next months, from a row's
// features and the rule's own past errors.
func Spread(kind series.Kind, f []float64, e Errors, months int) float64 {
	h := float64(months)
	n, sd := f[panel.HistoryMonths], f[panel.SDLong]/math.Sqrt(12)
	s := sd * math.Sqrt(h)
	if enough := e.Origins*spacing(months) >= 3*months && e.RMS > 0; enough {
		if kind == series.Bill || kind == series.Banknote {
			s = e.RMS
		} else {
			m := n / h
			w := m / (m + errorWeight)
			s = math.Exp(w*math.Log(e.RMS) + (1-w)*math.Log(s))
		}
	}
	s *= recent(f, h)
	if !yields(kind) {
		s = math.Hypot(s, h*sd/math.Sqrt(n))
	}
	return max(s, minSpread)
}

// minSpread keeps a series that hardly moves from a certainty nobody has.
const minSpread = 1e-3

// recent is how much more the last 36 months moved than the whole history,
// weaker the longer the horizon.
func recent(f []float64, h float64) float64 {
	r := f[panel.SD36] / f[panel.SDLong]
	if !(r > 0) {
		return 1
	}
	return math.Pow(r, 0.5/math.Sqrt(h/12))
}

// A Core is the carry core as refitted at one January: per asset and horizon
// the past errors it takes its spread from.
type Core struct {
	// Fitted is the month at which the errors were taken.
	Fitted series.Month                         `json:"fitted"`
	Errors map[string][panel.NumHorizons]Errors `json:"errors"`
}

// Normal is the centre and spread of ln M over a horizon; the predictive
// distribution is a Student-t scaled to that standard deviation.
type Normal struct {
	Mean, SD float64
}

// A CoreHistory is what the carry core said at every row of a panel, each from
// what was known then: the errors it used are renewed each January.
type CoreHistory struct {
	panel *panel.Panel
	// at[a][h][i] is the forecast of row i of asset a.
	at [][panel.NumHorizons][]Normal
	// fitted[a][h] has one entry a January, from the year of the first row on.
	fitted [][panel.NumHorizons][]Errors
	years  []int
}

// NewCoreHistory runs the carry core over all rows. The cost is linear in rows.
func NewCoreHistory(p *panel.Panel) *CoreHistory {
	c := &CoreHistory{
		panel: p, at: make([][panel.NumHorizons][]Normal, len(p.Assets)),
		fitted: make([][panel.NumHorizons][]Errors, len(p.Assets)), years: make([]int, len(p.Assets)),
	}
	for a, rows := range p.Assets {
		if len(rows.Rows) == 0 {
			continue
		}
		c.years[a] = rows.Rows[0].T.Year()
		for h := range panel.NumHorizons {
			c.run(a, rows, h)
		}
	}
	return c
}

func (c *CoreHistory) run(a int, rows *panel.Rows, h int) {
	months := panel.Horizon(h)
	out := make([]Normal, len(rows.Rows))
	kind := rows.Asset.Kind
	weigh := 1.0
	if yields(kind) {
		weigh = math.Pow(0.5, float64(spacing(months))/halfLife)
	}
	var (
		e             Errors
		sum, weights  float64
		next          = 0 // next row that may become an error
		year, newYear = c.years[a] - 1, 0
	)
	for i, row := range rows.Rows {
		if newYear = row.T.Year(); newYear != year {
			for year < newYear {
				year++
				january := series.Of(year, 1)
				for ; next < i; next++ {
					t := rows.Rows[next].T
					since := int(t-rows.First()) - errorsFrom
					if since < 0 || since%spacing(months) != 0 {
						continue
					}
					ln, known := rows.Outcome(t, h)
					if known == 0 && t+series.Month(months) >= january || known > january {
						break
					}
					if math.IsNaN(ln) {
						continue
					}
					d := ln - out[next].Mean
					sum, weights = sum*weigh+d*d, weights*weigh+1
					e.Origins++
					e.RMS = math.Sqrt(sum / weights)
				}
				c.fitted[a][h] = append(c.fitted[a][h], e)
			}
		}
		rate, _ := Center(kind, row.Values, months)
		out[i] = Normal{Mean: rate * float64(months) / 12, SD: Spread(kind, row.Values, e, months)}
	}
	c.at[a][h] = out
}

// At is the forecast of row i of asset a at the h-th horizon.
func (c *CoreHistory) At(a, h, i int) Normal { return c.at[a][h][i] }

// Core returns the core as it stood at the January of month t's year.
func (c *CoreHistory) Core(t series.Month) *Core {
	core := &Core{Fitted: series.Of(t.Year(), 1), Errors: map[string][panel.NumHorizons]Errors{}}
	for a, rows := range c.panel.Assets {
		var all [panel.NumHorizons]Errors
		for h := range all {
			if k := min(t.Year()-c.years[a], len(c.fitted[a][h])-1); k >= 0 {
				all[h] = c.fitted[a][h][k]
			}
		}
		core.Errors[rows.Asset.ID] = all
	}
	return core
}
