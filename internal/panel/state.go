package panel

import (
	"math"
	"slices"

	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
)

// A state follows one asset through time: its real index and what is computed
// from it step by step, so that a month costs the same at any age.
type state struct {
	asset   series.Asset
	market  *market
	real    *power.RealIndex
	average float64 // 1 if the price is an average of the month
	steps   []step
	sorted  []float64 // ln R so far in ascending order, for the expanding median
	out     *Rows
	lastU   series.Month
}

// A step holds the running figures of one month of the index.
type step struct {
	r float64 // monthly log real return; NaN at the first month and around gaps
	// count, mean and m2 are Welford's running moments of r.
	count    int
	mean, m2 float64
	// run is how many months up to this one have a figure without a gap.
	run int
	// sums for the line through ln R against months since the first figure.
	n, sx, sy, sxx, sxy, syy float64
	// drawdown against the highest ln R of 120 months, and months since then.
	drawdown   float64
	underWater int
}

func newState(a series.Asset, set *series.Set, m *market) (*state, error) {
	n, err := power.NewNominalIndex(a, set)
	if err != nil {
		return nil, err
	}
	s := &state{asset: a, market: m, real: power.NewRealIndex(n, m.cpi)}
	s.asset.First = n.First
	s.out = &Rows{Asset: s.asset, first: n.First}
	if a.Price != "" {
		price, err := set.Get(a.Price)
		if err != nil {
			return nil, err
		}
		if price.Sampling == series.Average && a.Kind != series.Bond && a.Kind != series.Bill {
			s.average = 1
		}
	}
	switch a.ID {
	case "SP500":
		m.equities = s
	case "Gold":
		m.gold = s
	case "Bills":
		m.bills = s
	}
	return s, nil
}

func (s *state) advance(t series.Month) {
	changed, ok := s.real.Advance(t, s.market.changed, s.market.moved)
	if !ok {
		return
	}
	s.recompute(int(changed - s.real.First))
	u := s.real.Last()
	s.recordOutcomes(t, u)
	s.lastU = max(s.lastU, u)
}

// recompute renews the running figures from month number i on.
func (s *state) recompute(i int) {
	ln := s.real.Values
	if i < len(s.steps) || len(s.sorted) != i {
		s.sorted = slices.Clone(ln[:i])
		s.sorted = slices.DeleteFunc(s.sorted, math.IsNaN)
		slices.Sort(s.sorted)
	}
	s.steps = s.steps[:i]
	for ; i < len(ln); i++ {
		var p step
		if i > 0 {
			p = s.steps[i-1]
		}
		p.r = math.NaN()
		if i > 0 {
			p.r = ln[i] - ln[i-1]
		}
		if !math.IsNaN(p.r) {
			p.count++
			d := p.r - p.mean
			p.mean += d / float64(p.count)
			p.m2 += d * (p.r - p.mean)
		}
		p.drawdown, p.underWater, p.run = math.NaN(), 0, p.run+1
		if y := ln[i]; math.IsNaN(y) {
			p.run = 0
		} else {
			x := float64(i)
			p.n, p.sx, p.sy = p.n+1, p.sx+x, p.sy+y
			p.sxx, p.sxy, p.syy = p.sxx+x*x, p.sxy+x*y, p.syy+y*y
			high := y
			for k := 0; k < 120 && k <= i; k++ {
				if v := ln[i-k]; v > high {
					high, p.underWater = v, k
				}
			}
			p.drawdown = math.Expm1(y - high)
			at, _ := slices.BinarySearch(s.sorted, y)
			s.sorted = slices.Insert(s.sorted, at, y)
		}
		s.steps = append(s.steps, p)
	}
}

// recordOutcomes writes down, as first known at the end of month t, every
// outcome whose last month is newly known.
func (s *state) recordOutcomes(t, u series.Month) {
	o, ln := s.out, s.real.Log
	for e := max(s.lastU+1, o.first); e <= u; e++ {
		for len(o.knownAt) <= int(e-o.first) {
			o.knownAt = append(o.knownAt, t)
		}
		for h := range NumHorizons {
			from := int(e-o.first) - Horizon(h)
			if from < 0 {
				break
			}
			for len(o.lnMultiple[h]) < from {
				o.lnMultiple[h] = append(o.lnMultiple[h], math.NaN())
			}
			o.lnMultiple[h] = append(o.lnMultiple[h], ln.At(e)-ln.Values[from])
		}
	}
}

func (s *state) meanForMedian() (mean float64, ok bool) {
	i := int(s.market.u - s.real.First)
	if i < 0 || i >= len(s.steps) || s.steps[i].count <= 60 {
		return 0, false
	}
	return s.steps[i].mean, true
}

// row returns the features at the end of month t, if the asset has figures of the
// last MinMonths months whose price index is known.
func (s *state) row(t series.Month) (Row, bool) {
	u := s.market.u
	i := int(u - s.real.First)
	if i < 0 || i >= len(s.steps) || s.steps[i].run < MinMonths {
		return Row{}, false
	}
	f := slices.Clone(s.market.shared[:])
	s.history(f, i)
	s.trailing(f, u)
	s.goods(f, u)
	s.volatility(f, i)
	s.shape(f, i)
	s.dependence(f, i)
	return Row{T: t, U: u, Values: f}, true
}

func (s *state) history(f []float64, i int) {
	p := s.steps[i]
	f[HistoryMonths] = float64(p.count)
	f[MeanReturn] = 12 * p.mean
	f[MedianReturn] = 12 * s.market.medians
	if mean, ok := s.meanForMedian(); ok && s.asset.Kind == series.Custom {
		f[MedianReturn] = 12 * s.market.medianWith(mean)
	}
	f[SDLong] = math.Sqrt(12 * p.m2 / float64(p.count))
	_, sd := s.returns(i, 36, min(36, p.count))
	f[SD36] = math.Sqrt(12) * sd
	f[MonthlyAverage] = s.average
	switch s.asset.Kind {
	case series.Equity:
		f[DividendYield] = s.market.dividend.At(min(s.market.u-3, s.market.dividend.Last())) / s.market.price.At(s.market.u)
	case series.Commodity, series.Coin:
		n := len(s.sorted)
		f[PriceToMedian] = s.real.Values[i] - (s.sorted[(n-1)/2]+s.sorted[n/2])/2
	}
}

// returns is meanSD of the last n monthly returns to month number i.
func (s *state) returns(i, n, least int) (mean, sd float64) {
	return meanSD(n, least, func(k int) float64 { return s.rAt(i - k) })
}

func (s *state) rAt(i int) float64 {
	if i < 0 || i >= len(s.steps) {
		return math.NaN()
	}
	return s.steps[i].r
}

func (s *state) trailing(f []float64, u series.Month) {
	over := func(x *state, k series.Month) float64 { return x.real.At(u) - x.real.At(u-k) }
	f[Return12] = over(s, 12)
	f[Return36] = over(s, 36) / 3
	f[Return60] = over(s, 60) / 5
	f[Return120] = over(s, 120) / 10
	if b := s.market.bills; b != nil && b != s {
		f[Excess12] = over(s, 12) - over(b, 12)
		f[Excess60] = over(s, 60) - over(b, 60)
	}
}

func (s *state) goods(f []float64, u series.Month) {
	n := s.real.Nominal
	over := func(k series.Month) float64 { return n.At(u) - n.At(u-k) }
	m := s.market
	if at, ok := newestBasket(m, u); ok {
		f[Basket12] = over(12) - (m.basketCost(at) - m.basketCost(at-12))
		f[Basket60] = over(60) - (m.basketCost(at) - m.basketCost(at-60))
	}
	for k, g := range m.goods {
		if at, ok := newest(g, u); ok {
			f[Eggs12+k] = over(12) - math.Log(g.At(at)/g.At(at-12))
		}
	}
}

// newestBasket is the newest month not older than maxAge with all four prices.
func newestBasket(m *market, u series.Month) (series.Month, bool) {
	for s := u; s >= u-maxAge; s-- {
		if !math.IsNaN(m.basketCost(s)) {
			return s, true
		}
	}
	return 0, false
}

func (s *state) volatility(f []float64, i int) {
	_, sd12 := s.returns(i, 12, 10)
	_, sd36 := s.returns(i, 36, 30)
	_, sd120 := s.returns(i, 120, 100)
	scale := math.Sqrt(12)
	if s.average == 1 {
		scale *= math.Sqrt(1.5)
	}
	f[Vol12], f[Vol36] = scale*sd12, scale*sd36
	f[VolRatio] = ratio(sd12, sd120)
	mean, _ := meanSD(36, 30, func(k int) float64 {
		r := min(s.rAt(i-k), 0)
		return r * r
	})
	f[Downside36] = scale * math.Sqrt(mean)
}

// shape fills what the form of the index says: drawdown, trend, momentum.
func (s *state) shape(f []float64, i int) {
	p, ln := s.steps[i], s.real.Values
	f[Drawdown], f[UnderWater] = p.drawdown, float64(p.underWater)
	worst := 0.0
	for k := 0; k < 120 && k <= i; k++ {
		worst = min(worst, nanTo0(s.steps[i-k].drawdown))
	}
	f[WorstDrawdown] = worst
	if p.n >= 120 {
		sxx, sxy, syy := p.sxx-p.sx*p.sx/p.n, p.sxy-p.sx*p.sy/p.n, p.syy-p.sy*p.sy/p.n
		slope := sxy / sxx
		residual := ln[i] - p.sy/p.n - slope*(float64(i)-p.sx/p.n)
		f[TrendDistance] = ratio(residual, math.Sqrt(max(0, syy-slope*sxy)/p.n))
	}
	if i >= 12 {
		f[Momentum] = ln[i-1] - ln[i-12]
	}
	if i >= 9 {
		mean, _ := meanSD(10, 10, func(k int) float64 { return math.Exp(ln[i-k] - ln[i]) })
		f[PriceToMean10] = -math.Log(mean)
	}
}

func (s *state) dependence(f []float64, i int) {
	u, m := s.market.u, s.market
	f[InflationBeta] = s.inflationBeta(u)
	if m.equities != nil && m.equities != s {
		f[CorrEquities] = s.correlation(m.equities, u, i)
	}
	if m.gold != nil && m.gold != s {
		f[CorrGold] = s.correlation(m.gold, u, i)
	}
}

// inflationBeta is the slope over 120 months of 12-month real returns on the
// 12-month change of 12-month inflation, times k/(k+60) with k months; at least
// 24 are needed.
func (s *state) inflationBeta(u series.Month) float64 {
	var k, sx, sy, sxx, sxy float64
	for j := range series.Month(120) {
		x := s.market.inflation(u-j) - s.market.inflation(u-j-12)
		y := s.real.At(u-j) - s.real.At(u-j-12)
		if math.IsNaN(x) || math.IsNaN(y) {
			continue
		}
		k, sx, sy, sxx, sxy = k+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	if k < 24 {
		return math.NaN()
	}
	return ratio(sxy-sx*sy/k, sxx-sx*sx/k) * k / (k + 60)
}

// correlation of the monthly returns over 60 months; at least 36 pairs.
func (s *state) correlation(other *state, u series.Month, i int) float64 {
	var k, sx, sy, sxx, sxy, syy float64
	at := int(u - other.real.First)
	for j := range 60 {
		x, y := s.rAt(i-j), other.rAt(at-j)
		if math.IsNaN(x) || math.IsNaN(y) {
			continue
		}
		k, sx, sy, sxx, sxy, syy = k+1, sx+x, sy+y, sxx+x*x, sxy+x*y, syy+y*y
	}
	if k < 36 {
		return math.NaN()
	}
	return ratio(sxy-sx*sy/k, math.Sqrt((sxx-sx*sx/k)*(syy-sy*sy/k)))
}

// ratio is a/b, NaN where b is 0 or not a number.
func ratio(a, b float64) float64 {
	if !(b > 0) {
		return math.NaN()
	}
	return a / b
}

func nanTo0(x float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return x
}
