package power

import (
	"fmt"
	"math"

	"github.com/pppq/pppq/internal/series"
)

const (
	// MaxHeldIncome is for how many months after its last known figure trailing
	// income is held at that figure, marked imputed.
	MaxHeldIncome = 18
	// MaxHeldRate is for how many months a missing rate or yield is carried on.
	MaxHeldRate = 3
)

// A NominalIndex follows an asset through time and keeps the logarithm of its
// nominal total-return index, 0 at the asset's first month: income reinvested,
// before tax, after the asset's own fee.
type NominalIndex struct {
	Log
	Asset         series.Asset
	price, income *series.Cursor
	// until is how far time has moved: banknotes have no figures to say it.
	until series.Month
}

// NewNominalIndex finds the asset's series in the set and starts before the
// first figure was known.
func NewNominalIndex(a series.Asset, set *series.Set) (*NominalIndex, error) {
	x := &NominalIndex{Log: Log{First: a.First}, Asset: a}
	if a.Fee < 0 || a.Fee >= 1 {
		return nil, fmt.Errorf("asset %s: fee %v: want a share of the holding a year, 0 <= fee < 1", a.ID, a.Fee)
	}
	if a.Kind == series.Banknote {
		return x, nil
	}
	s, err := set.Get(a.Price)
	if err != nil {
		return nil, fmt.Errorf("asset %s: %w", a.ID, err)
	}
	if a.Kind != series.Bond && a.Kind != series.Bill {
		if err := checkPositive(s); err != nil {
			return nil, fmt.Errorf("asset %s: %w", a.ID, err)
		}
	}
	x.price = s.Cursor()
	if x.First == 0 {
		x.First = s.First()
	}
	if a.Income != "" {
		if s, err = set.Get(a.Income); err != nil {
			return nil, fmt.Errorf("asset %s: %w", a.ID, err)
		}
		x.income = s.Cursor()
	}
	return x, nil
}

// Advance moves to the end of month m and returns the earliest month whose
// value appeared or changed.
func (x *NominalIndex) Advance(m series.Month) (changed series.Month, ok bool) {
	before := x.until
	x.until = m
	if x.price == nil {
		if m < x.First {
			return 0, false
		}
		changed, ok = max(before+1, x.First), true
	} else {
		changed, ok = x.price.Advance(m)
		if x.income != nil {
			if c, incomeOK := x.income.Advance(m); incomeOK && (!ok || c < changed) {
				changed, ok = c, true
			}
		}
	}
	if !ok {
		return 0, false
	}
	changed = max(changed, x.First)
	keep := int(changed - x.First)
	if keep > len(x.Values) {
		keep = len(x.Values)
		changed = x.First + series.Month(keep)
	}
	x.Values = x.Values[:keep]
	end := m
	if x.price != nil {
		end = x.price.Last()
	}
	for s := changed; s <= end; s++ {
		x.Values = append(x.Values, x.value(s))
	}
	return changed, true
}

// value returns the logarithm of the index at month s from the ones before it.
func (x *NominalIndex) value(s series.Month) float64 {
	var ln float64
	switch x.Asset.Kind {
	case series.Banknote:
	case series.Bond, series.Bill:
		ln = x.rolled(s)
	default:
		ln = x.priced(s)
	}
	if x.Asset.Fee > 0 {
		ln += x.feeSince(s)
	}
	return ln
}

// rolled adds one month's return of a holding that is renewed each month.
func (x *NominalIndex) rolled(s series.Month) float64 {
	now, before := x.rate(s)/100, x.rate(s-1)/100
	if s == x.First {
		return 0 * now // NaN if the first rate is missing
	}
	r := 0.0
	if x.Asset.Kind == series.Bond {
		r = BondReturn(before, now)
	} else {
		r = BillReturn(before) + 0*now
	}
	return x.without(s-1) + math.Log1p(r)
}

// rate returns the rate of month s, the last known one for a short gap.
func (x *NominalIndex) rate(s series.Month) float64 {
	for k := series.Month(0); k <= MaxHeldRate; k++ {
		if v := x.price.At(s - k); !math.IsNaN(v) {
			return v
		}
	}
	return math.NaN()
}

// priced chains from the last month that had a price; income of months without
// one is counted when the price returns.
func (x *NominalIndex) priced(s series.Month) float64 {
	p := x.price.At(s)
	if s == x.First || math.IsNaN(p) {
		return 0 * p
	}
	prev := s - 1
	paid := x.paid(s)
	for prev >= x.First && math.IsNaN(x.price.At(prev)) {
		paid += x.paid(prev)
		prev--
	}
	if prev < x.First {
		return 0
	}
	return x.without(prev) + math.Log((p+paid)/x.price.At(prev))
}

// paid is what one unit pays in month s: a twelfth of trailing income, held for
// at most MaxHeldIncome months past its last known figure, or the month's own
// payment of a custom asset.
func (x *NominalIndex) paid(s series.Month) float64 {
	if x.income == nil {
		return 0
	}
	if x.Asset.Kind == series.Custom {
		if v := x.income.At(s); !math.IsNaN(v) {
			return v
		}
		return 0
	}
	return Held(x.income.View, s) / 12
}

// Held is the figure of month s of a trailing sum, or the last one before it
// that is at most MaxHeldIncome months older; NaN if there is none.
func Held(v series.View, s series.Month) float64 {
	for k := series.Month(0); k <= MaxHeldIncome; k++ {
		if x := v.At(s - k); !math.IsNaN(x) {
			return x
		}
	}
	return math.NaN()
}

func (x *NominalIndex) feeSince(s series.Month) float64 {
	return float64(s-x.First) / 12 * math.Log1p(-x.Asset.Fee)
}

// without is the stored value of month s before the fee.
func (x *NominalIndex) without(s series.Month) float64 {
	v := x.Values[s-x.First]
	if x.Asset.Fee > 0 {
		v -= x.feeSince(s)
	}
	return v
}

// A RealIndex is a nominal index restated in constant purchasing power:
// ln R = ln N - ln D, for the months where both are known. Its deflator is
// shared by all assets and advanced by whoever owns it.
type RealIndex struct {
	Log
	Nominal  *NominalIndex
	deflator *Deflator
}

// NewRealIndex joins a nominal index with a deflator.
func NewRealIndex(n *NominalIndex, d *Deflator) *RealIndex {
	return &RealIndex{Log: Log{First: n.First}, Nominal: n, deflator: d}
}

// Advance moves the nominal index to the end of month m and joins it with the
// deflator, which must have been moved to m and reported deflatorChanged. It
// returns the earliest month whose real value appeared or changed.
func (x *RealIndex) Advance(m, deflatorChanged series.Month, deflatorOK bool) (changed series.Month, ok bool) {
	changed, ok = x.Nominal.Advance(m)
	if deflatorOK && (!ok || deflatorChanged < changed) {
		changed, ok = deflatorChanged, true
	}
	if !ok {
		return 0, false
	}
	changed = min(max(changed, x.First), x.First+series.Month(len(x.Values)))
	x.Values = x.Values[:changed-x.First]
	end := min(x.Nominal.First+series.Month(len(x.Nominal.Values))-1, x.deflator.Last())
	for s := changed; s <= end; s++ {
		x.Values = append(x.Values, x.Nominal.At(s)-x.deflator.At(s))
	}
	return changed, changed <= end
}
