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

// quantile is the inverse of cdf for 0 < p < 1, by bisection to full precision.
func quantile(p float64) float64 {
	lo, hi := -1e4, 1e4
	for range 200 {
		mid := (lo + hi) / 2
		if mid == lo || mid == hi {
			break
		}
		if cdf(mid) < p {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

// scale is the scale of a Student-t whose standard deviation is sd.
func scale(sd float64) float64 { return sd * math.Sqrt((Freedom-2.0)/Freedom) }

// CDF is P(ln M <= x).
func (n Normal) CDF(x float64) float64 { return cdf((x - n.Mean) / scale(n.SD)) }

// Quantile is the p-quantile of ln M, 0 < p < 1.
func (n Normal) Quantile(p float64) float64 { return n.Mean + scale(n.SD)*quantile(p) }
