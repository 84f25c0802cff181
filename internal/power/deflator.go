package power

import (
	"fmt"
	"math"

	"github.com/pppq/pppq/internal/series"
)

// DeflatorSeries is the id of the default deflator: CPI-U, all items, not
// seasonally adjusted.
const DeflatorSeries = "CPIAUCNS"

// A Log is a run of logarithms of an index by month, NaN where it is missing.
type Log struct {
	First  series.Month
	Values []float64
}

// At returns the value of month m, NaN if it is missing or outside.
func (l Log) At(m series.Month) float64 {
	return series.View(l).At(m)
}

// Last returns the newest month with a value, First-1 if there is none.
func (l Log) Last() series.Month {
	for i := len(l.Values) - 1; i >= 0; i-- {
		if !math.IsNaN(l.Values[i]) {
			return l.First + series.Month(i)
		}
	}
	return l.First - 1
}

// A Deflator follows a price index through time and keeps its logarithm. A
// single missing month between two known ones is their geometric mean, from the
// moment both are known; it counts as imputed.
type Deflator struct {
	Log
	cursor *series.Cursor
}

// NewDeflator starts before the first figure was known. Values that are not
// positive are an error.
func NewDeflator(s *series.Series) (*Deflator, error) {
	if err := checkPositive(s); err != nil {
		return nil, err
	}
	return &Deflator{Log: Log{First: s.First()}, cursor: s.Cursor()}, nil
}

// Advance moves to the end of month m and returns the earliest month whose
// value appeared or changed.
func (d *Deflator) Advance(m series.Month) (changed series.Month, ok bool) {
	changed, ok = d.cursor.Advance(m)
	if !ok {
		return 0, false
	}
	from := int(changed - d.First)
	if from > 0 && math.IsNaN(d.cursor.Values[from-1]) {
		changed, from = changed-1, from-1 // a gap before it may be filled now
	}
	raw := d.cursor.Values
	d.Values = d.Values[:min(from, len(d.Values))]
	for i := len(d.Values); i < len(raw); i++ {
		v := math.Log(raw[i])
		if d.imputed(i) {
			v = (math.Log(raw[i-1]) + math.Log(raw[i+1])) / 2
		}
		d.Values = append(d.Values, v)
	}
	return changed, true
}

// Imputed reports whether the value of month m is the mean of its neighbours.
func (d *Deflator) Imputed(m series.Month) bool { return d.imputed(int(m - d.First)) }

func (d *Deflator) imputed(i int) bool {
	raw := d.cursor.Values
	return i > 0 && i+1 < len(raw) && math.IsNaN(raw[i]) && !math.IsNaN(raw[i-1]) && !math.IsNaN(raw[i+1])
}

// A Share is a good in a basket and its part of spending at the base month.
type Share struct {
	Series string
	Part   float64
}

// DefaultBasket is four goods with the spending shares of the base month. They
// are some 3 to 5 % of what the price index covers and swing far more than it:
// the basket illustrates, it does not measure the cost of living.
func DefaultBasket() []Share {
	return []Share{{"EGGS", 0.25}, {"MILK", 0.25}, {"BREAD", 0.20}, {"GASOLINE", 0.30}}
}

// Basket returns the Lowe index of goods with fixed quantities, 1 at month
// base: the cost of what the shares bought then. prices has one view a share.
// Months that miss a price are NaN. The error says which price of the base
// month is missing, or that the shares do not sum to 1.
//
// Source: IMF et al., Consumer Price Index Manual (2020), Lowe index.
func Basket(shares []Share, prices []series.View, base series.Month) (series.View, error) {
	sum := 0.0
	for _, s := range shares {
		sum += s.Part
	}
	if math.Abs(sum-1) > 1e-9 {
		return series.View{}, fmt.Errorf("basket: shares sum to %v, want 1", sum)
	}
	first, last := base, base
	for i, p := range prices {
		if b := p.At(base); math.IsNaN(b) || b <= 0 {
			return series.View{}, fmt.Errorf("basket: no price of %s in the base month %s", shares[i].Series, base)
		}
		first, last = min(first, p.First), max(last, p.Last())
	}
	out := series.View{First: first, Values: make([]float64, last-first+1)}
	for m := first; m <= last; m++ {
		cost := 0.0
		for i, p := range prices {
			cost += shares[i].Part / p.At(base) * p.At(m)
		}
		out.Values[m-first] = cost
	}
	return out, nil
}

func checkPositive(s *series.Series) error {
	for _, o := range s.Observations() {
		if o.Value <= 0 {
			return fmt.Errorf("series %s: %s is %v: a price must be above 0", s.ID, o.Period, o.Value)
		}
	}
	return nil
}
