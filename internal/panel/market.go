package panel

import (
	"math"
	"slices"

	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
)

// maxAge is for how many months past its period a monthly figure of the economy
// stands in for newer ones that are not known.
const maxAge = 3

// basketBase is the base month of the basket of goods: the first with all four
// prices, fixed so that no later figure moves it.
var basketBase = series.Of(1995, 7)

// A market is what all assets share at one moment: the deflator, rates,
// valuation, money, activity and goods.
type market struct {
	last    series.Month // newest month that can have rows
	u       series.Month // last month whose price index is known now
	cpi     *power.Deflator
	changed series.Month
	moved   bool // the deflator changed, from month changed on

	bill, yield, yield2, funds *series.Cursor
	m2, production, jobless    *series.Cursor
	price, earnings, dividend  *series.Cursor
	goods                      [4]*series.Cursor
	basket                     []power.Share

	shared  [NumFeatures]float64 // the features that are the same for every asset
	medians float64              // median of the built-in assets' mean monthly returns
	means   []float64

	equities, gold *state
	bills          *state
}

func newMarket(set *series.Set) (*market, error) {
	cpi, err := set.Get(power.DeflatorSeries)
	if err != nil {
		return nil, err
	}
	m := &market{basket: power.DefaultBasket()}
	if m.cpi, err = power.NewDeflator(cpi); err != nil {
		return nil, err
	}
	for _, o := range cpi.Observations() {
		m.last = max(m.last, o.KnownFrom.Month())
	}
	for id, c := range map[string]**series.Cursor{
		"TB3MS": &m.bill, "GS10": &m.yield, "GS2": &m.yield2, "FEDFUNDS": &m.funds, "M2SL": &m.m2, "INDPRO": &m.production,
		"UNRATE": &m.jobless, "SP500": &m.price, "SP500_EARNINGS": &m.earnings, "SP500_DIVIDEND": &m.dividend,
		m.basket[0].Series: &m.goods[0], m.basket[1].Series: &m.goods[1], m.basket[2].Series: &m.goods[2], m.basket[3].Series: &m.goods[3],
	} {
		s, err := set.Get(id)
		if err != nil {
			return nil, err
		}
		*c = s.Cursor()
	}
	return m, nil
}

func (m *market) advance(t series.Month) {
	m.changed, m.moved = m.cpi.Advance(t)
	m.u = m.cpi.Last()
	for _, c := range []*series.Cursor{
		m.bill, m.yield, m.yield2, m.funds, m.m2, m.production, m.jobless, m.price, m.earnings, m.dividend,
		m.goods[0], m.goods[1], m.goods[2], m.goods[3],
	} {
		c.Advance(t)
	}
	m.fill()
}

// inflation is the log change of the price index over the 12 months to s.
func (m *market) inflation(s series.Month) float64 { return m.cpi.At(s) - m.cpi.At(s-12) }

func (m *market) fill() {
	f, u := &m.shared, m.u
	for i := range f {
		f[i] = math.NaN()
	}
	f[Inflation12] = m.inflation(u)
	back := min(u-m.cpi.First, 120)
	if back > 0 {
		f[Inflation120] = (m.cpi.At(u) - m.cpi.At(u-back)) * 12 / float64(back)
	}
	f[InflationChange] = m.inflation(u) - m.inflation(u-12)
	f[Inflation36], _ = meanSD(36, 36, func(k int) float64 { return m.inflation(u - series.Month(k)) })
	_, f[InflationSD] = meanSD(60, 60, func(k int) float64 { return m.inflation(u - series.Month(k)) })

	lnRate := func(c *series.Cursor, s series.Month) float64 { return math.Log1p(c.At(s) / 100) }
	f[BillRate] = lnRate(m.bill, u)
	f[BillRate120], _ = meanSD(120, 1, func(k int) float64 { return lnRate(m.bill, u-series.Month(k)) })
	f[RealBill] = f[BillRate] - f[Inflation12]
	f[FundsChange] = m.funds.At(u) - m.funds.At(u-12)
	f[TreasuryYield] = lnRate(m.yield, u)
	f[RealYield] = f[TreasuryYield] - f[Inflation12]
	f[TermSpread] = f[TreasuryYield] - f[BillRate]
	f[Slope] = m.yield.At(u) - m.yield2.At(u)
	f[LnCAPE] = m.lnCAPE()

	if s, ok := newest(m.m2, u); ok {
		f[M2Growth] = math.Log(m.m2.At(s) / m.m2.At(s-12))
		f[RealM2Growth] = f[M2Growth] - m.inflation(s)
	}
	if s, ok := newest(m.production, u); ok {
		f[ProductionGrowth] = math.Log(m.production.At(s) / m.production.At(s-12))
	}
	if s, ok := newest(m.jobless, u); ok {
		f[UnemploymentChange] = m.jobless.At(s) - m.jobless.At(s-12)
		low := math.NaN()
		for k := series.Month(0); k < 36; k++ {
			if v := m.jobless.At(s - k); !(v >= low) && !math.IsNaN(v) {
				low = v
			}
		}
		f[UnemploymentAboveLow] = m.jobless.At(s) - low
	}
}

// lnCAPE is ln of the S&P's real price at u over the mean real earnings of the
// 120 months to u-6, or to the newest known ones if those are older, by at most
// power.MaxHeldIncome months.
func (m *market) lnCAPE() float64 {
	end := min(m.u-6, m.earnings.Last())
	if end < m.u-6-power.MaxHeldIncome {
		return math.NaN()
	}
	sum := 0.0
	for k := range series.Month(120) {
		sum += power.Held(m.earnings.View, end-k) / math.Exp(m.cpi.At(end-k))
	}
	return math.Log(m.price.At(m.u)) - m.cpi.At(m.u) - math.Log(sum/120)
}

// basketCost is the logarithm of the basket's cost at month s, 0 at its base.
func (m *market) basketCost(s series.Month) float64 {
	cost := 0.0
	for i, g := range m.goods {
		cost += m.basket[i].Part / g.At(basketBase) * g.At(s)
	}
	return math.Log(cost)
}

// setMedian takes the median of the mean monthly returns of the built-in assets
// that have more than 60 of them. A user's asset never moves another's forecast.
func (m *market) setMedian(all []*state) {
	m.means = m.means[:0]
	for _, s := range all {
		if mean, ok := s.meanForMedian(); ok && s.asset.Kind != series.Custom {
			m.means = append(m.means, mean)
		}
	}
	m.medians = median(m.means)
}

// medianWith is the median with one asset's own mean added to the others'.
func (m *market) medianWith(mean float64) float64 {
	return median(append(slices.Clone(m.means), mean))
}

// median sorts values; an even count gives the mean of the middle two, none NaN.
func median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// newest returns the newest month up to u with a figure not older than maxAge.
func newest(c *series.Cursor, u series.Month) (series.Month, bool) {
	for s := u; s >= u-maxAge; s-- {
		if !math.IsNaN(c.At(s)) {
			return s, true
		}
	}
	return 0, false
}

// meanSD returns mean and standard deviation (divisor n) of at(0) ... at(n-1),
// skipping NaN; both are NaN if fewer than least values are there.
func meanSD(n, least int, at func(int) float64) (mean, sd float64) {
	sum, count := 0.0, 0
	for k := range n {
		if v := at(k); !math.IsNaN(v) {
			sum += v
			count++
		}
	}
	if count < least || count == 0 {
		return math.NaN(), math.NaN()
	}
	mean = sum / float64(count)
	sq := 0.0
	for k := range n {
		if v := at(k); !math.IsNaN(v) {
			sq += (v - mean) * (v - mean)
		}
	}
	return mean, math.Sqrt(sq / float64(count))
}
