package score

import "math"

// Confusion counts hard forecasts: Confusion[actual][forecast] rows. The zero value is empty and ready to use.
type Confusion [Classes][Classes]int

// Add counts one row. It panics if a class is outside [0, Classes).
func (c *Confusion) Add(actual, forecast int) {
	checkClass(actual)
	checkClass(forecast)
	c[actual][forecast]++
}

// Total returns the number of rows.
func (c *Confusion) Total() int {
	n := 0
	for _, row := range c {
		for _, v := range row {
			n += v
		}
	}
	return n
}

// Absent returns the classes that never came true, in order; nil if each did. They count 0 in MacroF1 and are left out
// of BalancedAccuracy, so a report that shows either names them.
func (c *Confusion) Absent() []int {
	var absent []int
	for k := range Classes {
		if c.actual(k) == 0 {
			absent = append(absent, k)
		}
	}
	return absent
}

// Accuracy returns the share of rows whose class was forecast; NaN if there are no rows.
func (c *Confusion) Accuracy() float64 {
	right := 0
	for k := range Classes {
		right += c[k][k]
	}
	return float64(right) / float64(c.Total()) // 0/0 is NaN
}

// BalancedAccuracy returns the mean recall of the classes that came true; NaN if there are no rows.
func (c *Confusion) BalancedAccuracy() float64 {
	sum, present := 0.0, 0
	for k := range Classes {
		if n := c.actual(k); n > 0 {
			sum += float64(c[k][k]) / float64(n)
			present++
		}
	}
	return sum / float64(present)
}

// F1 returns the harmonic mean of precision and recall of class k, 2*TP/(actual + forecast). A class that neither came
// true nor was forecast has 0.
func (c *Confusion) F1(k int) float64 {
	both := c.actual(k) + c.forecast(k)
	if both == 0 {
		return 0
	}
	return 2 * float64(c[k][k]) / float64(both)
}

// MacroF1 returns the mean of F1 over all four classes, absent ones counting 0; NaN if there are no rows.
func (c *Confusion) MacroF1() float64 {
	if c.Total() == 0 {
		return math.NaN()
	}
	sum := 0.0
	for k := range Classes {
		sum += c.F1(k)
	}
	return sum / Classes
}

// Kappa returns the quadratic-weighted kappa
//
//	1 - sum w_ij O_ij / sum w_ij E_ij,  w_ij = (i-j)^2/9,  E_ij = actual_i * forecast_j / total
//
// 1 is perfect, 0 is what the margins alone would give. It is NaN if the denominator is 0: no rows, or one and the same
// class came true and was forecast in all.
//
// Source: Cohen, Weighted kappa (1968).
func (c *Confusion) Kappa() float64 {
	total := float64(c.Total())
	observed, expected := 0.0, 0.0
	for i := range Classes {
		for j := range Classes {
			w := float64((i - j) * (i - j))
			observed += w * float64(c[i][j])
			expected += w * float64(c.actual(i)) * float64(c.forecast(j)) / total
		}
	}
	if !(expected > 0) {
		return math.NaN()
	}
	return 1 - observed/expected
}

// actual returns how often class k came true.
func (c *Confusion) actual(k int) int {
	n := 0
	for _, v := range c[k] {
		n += v
	}
	return n
}

// forecast returns how often class k was forecast.
func (c *Confusion) forecast(k int) int {
	n := 0
	for i := range Classes {
		n += c[i][k]
	}
	return n
}
