package forecast

import "math"

// Freedom is the degrees of freedom of the predictive Student-t distribution of
// ln M.
const Freedom = 6

// cdf is the distribution function of Student's t with Freedom = 6 degrees, in
// its closed form for an even number of them (Abramowitz and Stegun 26.7.4).
func cdf(t float64) float64 {
	c2 := Freedom / (t*t + Freedom) // cos^2
	s := t / math.Sqrt(t*t+Freedom)
	if math.IsInf(t, 0) {
		c2, s = 0, math.Copysign(1, t)
	}
	return 0.5 + s/2*(1+c2/2+c2*c2*3/8)
}

// quantile is the inverse of cdf for 0 < p < 1: Newton's steps, kept inside a
// bracket that shrinks.
func quantile(p float64) float64 {
	lo, hi, t := -1e6, 1e6, 0.0
	for range 200 {
		d := cdf(t) - p
		if d < 0 {
			lo = t
		} else {
			hi = t
		}
		// density of Student's t with 6 degrees of freedom
		next := t - d/(0.3827327723098717*math.Pow(1+t*t/Freedom, -3.5))
		if !(next > lo && next < hi) {
			next = (lo + hi) / 2
		}
		if next == t || math.Abs(next-t) <= 1e-16*math.Abs(t) {
			break
		}
		t = next
	}
	return t
}

// Scale is the scale of the Student-t whose standard deviation is SD.
func (n Normal) Scale() float64 { return n.SD * math.Sqrt((Freedom-2.0)/Freedom) }

// CDF is P(ln M <= x).
func (n Normal) CDF(x float64) float64 { return cdf((x - n.Mean) / n.Scale()) }

// Quantile is the p-quantile of ln M, 0 < p < 1.
func (n Normal) Quantile(p float64) float64 { return n.Mean + n.Scale()*quantile(p) }
