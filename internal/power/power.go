// Package power does the arithmetic of purchasing power: what an asset returned
// in a month, what money bought, and their quotient, the real total-return
// index. All figures are US dollars and US prices.
//
// Returns are never subtracted from each other: a purchasing-power multiple is
// a quotient of two indices.
package power

import "math"

// Multiple returns the purchasing-power multiple of a holding whose nominal
// total-return index went from n0 to n1 while the deflator went from d0 to d1:
// (n1/d1) / (n0/d0). It is 1 when purchasing power is exactly kept.
func Multiple(n0, n1, d0, d1 float64) float64 { return (n1 / d1) / (n0 / d0) }

// AnnualReturn restates a multiple over a number of months as a real return a
// year: multiple^(12/months) - 1.
func AnnualReturn(multiple float64, months int) float64 {
	return math.Pow(multiple, 12/float64(months)) - 1
}

// BondReturn is the one-month total return of a ten-year Treasury bought at par
// with coupon c and sold a month later when the ten-year par yield is y. Both
// are shares a year (0.04 is 4 %) with semiannual compounding; the roll down
// the curve over one month is ignored.
//
// Source: present value of a par bond at its next coupon period; compare
// Swinkels, "Treasury Bond Return Data Starting in 1962" (2019).
func BondReturn(c, y float64) float64 {
	if math.Abs(y) < 1e-9 {
		return 10 * c
	}
	v := 1 / (1 + y/2)
	v20 := math.Pow(v, 20)
	return math.Pow(1+y/2, 1.0/6)*((c/y)*(1-v20)+v20) - 1
}

// BillReturn is the return of one month of 91-day Treasury bills bought at
// discount rate d (share a year, bank discount basis of 360 days).
func BillReturn(d float64) float64 {
	price := 1 - d*91/360
	return math.Pow(1/price, 30.4375/91) - 1
}

// EquityReturn is the one-month total return of a share index that went from
// price prev to price, with dividend12 the trailing twelve-month dividends per
// share: a twelfth of them is received and reinvested.
func EquityReturn(prev, price, dividend12 float64) float64 {
	return (price+dividend12/12)/prev - 1
}
