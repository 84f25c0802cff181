package score

import (
	"fmt"
	"math"
)

// A Comparison is a test of equal accuracy on a series of monthly figures.
type Comparison struct {
	// Mean of the monthly figures, in their units.
	Mean float64
	// Statistic is Mean over its standard error, with the small-sample factor where the test has one.
	Statistic float64
	// PValue of the test's hypothesis, two-sided for DieboldMariano, one-sided for ClarkWest.
	PValue float64
	// Months is the number of figures, LagMonths the truncation of the Newey-West variance.
	Months, LagMonths int
}

// DieboldMariano tests whether the mean of monthly score differences d (score minus reference, oldest first, no gaps)
// is zero. horizonMonths = h makes neighbouring differences overlap:
//
//	DM = mean(d) / sqrt(V/n) * sqrt((n + 1 - 2h + h(h-1)/n) / n)
//	V = g_0 + 2 sum_{j=1}^{h-1} (1 - j/h) g_j,  g_j the autocovariance at lag j with divisor n
//
// A negative statistic favours the forecast. The p-value is two-sided, from Student's t with n-1 degrees of freedom.
// The error wraps ErrTooFew if h > n/4 (report the bootstrap alone), ErrUndefined if d is constant, ErrMissing for a
// NaN or an infinity and ErrShape for h < 1. For nested models use ClarkWest.
//
// Sources: Diebold & Mariano, Comparing predictive accuracy (1995); Newey & West (1987); Harvey, Leybourne & Newbold,
// Testing the equality of prediction mean squared errors (1997).
func DieboldMariano(d []float64, horizonMonths int) (Comparison, error) {
	c, err := neweyWestTest(d, horizonMonths)
	if err != nil {
		return Comparison{}, fmt.Errorf("diebold-mariano: %w", err)
	}
	n, h := float64(c.Months), float64(horizonMonths)
	c.Statistic *= math.Sqrt((n + 1 - 2*h + h*(h-1)/n) / n)
	c.PValue = studentTTail(c.Statistic, n-1)
	return c, nil
}

// ClarkWestTerm returns the adjusted loss difference of one row, in squared units of y, for an outcome y, the forecast
// of the smaller model and that of the larger one that nests it:
//
//	(y - small)^2 - ( (y - large)^2 - (small - large)^2 )
//
// With y = 0 or 1 and probabilities it serves the binary Brier score. Average the terms over the assets of a month
// before ClarkWest.
func ClarkWestTerm(y, small, large float64) float64 {
	s, l, d := y-small, y-large, small-large
	return s*s - (l*l - d*d)
}

// ClarkWest tests whether the mean of monthly adjusted differences (ClarkWestTerm, oldest first, no gaps) is above zero,
// that is, whether the larger model would forecast better were its parameters known. The p-value is one-sided from the
// normal distribution; the variance is Newey-West's with lag h-1, h = horizonMonths. Errors as for DieboldMariano.
//
// Source: Clark & West, Approximately normal tests for equal predictive accuracy in nested models (2007).
func ClarkWest(adjusted []float64, horizonMonths int) (Comparison, error) {
	c, err := neweyWestTest(adjusted, horizonMonths)
	if err != nil {
		return Comparison{}, fmt.Errorf("clark-west: %w", err)
	}
	c.PValue = 0.5 * math.Erfc(c.Statistic/math.Sqrt2)
	return c, nil
}

// neweyWestTest returns the mean of d over its Newey-West standard error with lag h-1.
func neweyWestTest(d []float64, h int) (Comparison, error) {
	n := len(d)
	if h < 1 {
		return Comparison{}, fmt.Errorf("%w: horizon of %d months", ErrShape, h)
	}
	if 4*h > n {
		return Comparison{}, fmt.Errorf("%w: horizon of %d months needs %d months, have %d", ErrTooFew, h, 4*h, n)
	}
	if err := checkFinite("difference", d); err != nil {
		return Comparison{}, err
	}
	mean, scale := 0.0, 0.0
	for _, v := range d {
		mean += v
		scale = max(scale, math.Abs(v))
	}
	mean /= float64(n)
	variance := 0.0
	for lag := range h {
		g := 0.0
		for t := lag; t < n; t++ {
			g += (d[t] - mean) * (d[t-lag] - mean)
		}
		weight := 1.0
		if lag > 0 {
			weight = 2 * (1 - float64(lag)/float64(h))
		}
		variance += weight * g / float64(n)
	}
	// Bartlett weights keep the variance from being negative, up to rounding.
	if !(variance > 1e-24*scale*scale) {
		return Comparison{}, fmt.Errorf("%w: the differences do not vary", ErrUndefined)
	}
	return Comparison{
		Mean:      mean,
		Statistic: mean / math.Sqrt(variance/float64(n)),
		Months:    n,
		LagMonths: h - 1,
	}, nil
}
