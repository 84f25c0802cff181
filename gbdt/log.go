package gbdt

import "math"

// log64 returns the natural logarithm of x with an error of about 1e-15 relative. Unlike math.Log it gives the same
// bits on every machine.
func log64(x float64) float64 {
	if !(x > 0) || math.IsInf(x, 1) {
		return math.Log(x) // NaN or an infinity
	}
	m, e := math.Frexp(x) // m in [1/2, 1)
	if m < math.Sqrt2/2 {
		m *= 2
		e--
	}
	// log(m) = 2*artanh(s), |s| <= 0.1716: the series' next term is below 2^-56 of the sum.
	s := (m - 1) / (m + 1)
	s2 := s * s
	sum := 0.0
	for n := 21.0; n >= 3; n -= 2 {
		sum = float64((1/n + sum) * s2)
	}
	const ln2High, ln2Low = 6.93147180369123816490e-01, 1.90821492927058770002e-10 // e*ln2High is exact
	return float64(float64(e)*ln2High) + (float64(2*s) + (float64(2*s*sum) + float64(float64(e)*ln2Low)))
}
