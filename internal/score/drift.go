package score

import (
	"fmt"
	"math"
	"slices"
)

// PSI returns the population stability index sum (a-e) ln(a/e) of the shares actual against the shares expected of the
// same bins, each summing to 1. It is 0 for equal shares, has no unit, and is +Inf if a bin is empty on one side only (a
// bin empty on both adds 0). By habit 0.1 is called a shift and 0.25 a large one; see PSIWithoutDrift before believing it.
// The error wraps ErrShape for differing or zero lengths or a negative share, ErrMissing for NaN.
func PSI(expected, actual []float64) (float64, error) {
	if len(expected) != len(actual) || len(expected) == 0 {
		return 0, fmt.Errorf("%w: %d expected shares, %d actual", ErrShape, len(expected), len(actual))
	}
	if err := checkFinite("expected", expected); err != nil {
		return 0, err
	}
	if err := checkFinite("actual", actual); err != nil {
		return 0, err
	}
	sum := 0.0
	for i, e := range expected {
		a := actual[i]
		switch {
		case e < 0 || a < 0:
			return 0, fmt.Errorf("%w: negative share in bin %d", ErrShape, i)
		case e == a:
		default:
			sum += (a - e) * math.Log(a/e)
		}
	}
	return sum, nil
}

// PSIWithoutDrift returns the mean PSI of two independent samples of n and m rows from one distribution over so many
// equally filled bins: (bins-1)(1/n + 1/m). A reading near it is no drift.
//
// Source: Yurdakul, Statistical properties of population stability index (2018).
func PSIWithoutDrift(bins, n, m int) float64 {
	return float64(bins-1) * (1/float64(n) + 1/float64(m))
}

// BinnedPSI returns the PSI of recent against reference over bins of equal mass of the reference, with 1/2 added to each
// count so that it stays finite, and the number of bins used. Equal reference values share a bin, so there may be fewer
// than asked; NaN has a bin of its own if there is any. Bin i holds edge[i-1] < x <= edge[i]. Infinities are values like
// any other. The error wraps ErrTooFew if either sample is empty and ErrShape for bins < 1.
func BinnedPSI(reference, recent []float64, bins int) (psi float64, used int, err error) {
	if bins < 1 {
		return 0, 0, fmt.Errorf("%w: %d bins", ErrShape, bins)
	}
	if len(reference) == 0 || len(recent) == 0 {
		return 0, 0, fmt.Errorf("%w: %d reference rows, %d recent", ErrTooFew, len(reference), len(recent))
	}
	bins = min(bins, len(reference))
	known := sortedKnown(reference)
	var edges []float64 // upper edges of all bins but the last
	for b := 1; b < bins && len(known) > 0; b++ {
		e := known[max(b*len(known)/bins, 1)-1]
		if e < known[len(known)-1] && (len(edges) == 0 || e > edges[len(edges)-1]) {
			edges = append(edges, e)
		}
	}
	missing := len(known) < len(reference) || slices.ContainsFunc(recent, math.IsNaN)
	used = len(edges) + 1
	if missing {
		used++
	}
	shares := func(x []float64) []float64 {
		out := make([]float64, used)
		for i := range out {
			out[i] = 0.5
		}
		for _, v := range x {
			if math.IsNaN(v) {
				out[used-1]++
				continue
			}
			i, _ := slices.BinarySearch(edges, v)
			out[i]++
		}
		for i := range out {
			out[i] /= float64(len(x)) + 0.5*float64(used)
		}
		return out
	}
	psi, err = PSI(shares(reference), shares(recent))
	return psi, used, err
}

// Wasserstein1 returns the first Wasserstein distance of two samples, the area between their distribution functions, in
// their units; divide by the training standard deviation to compare features. NaN are left out; with nothing left on one
// side it is NaN.
func Wasserstein1(a, b []float64) float64 {
	area := 0.0
	previous := math.NaN()
	ok := walkCDFs(a, b, func(x, f, g float64) {
		if f != g {
			area += math.Abs(f-g) * (x - previous)
		}
		previous = x
	})
	if !ok {
		return math.NaN()
	}
	return area
}

// KolmogorovSmirnov returns the largest difference of the distribution functions of two samples, in [0, 1]. There is no
// p-value: it would need independent rows. NaN are left out; with nothing left on one side it is NaN.
func KolmogorovSmirnov(a, b []float64) float64 {
	largest := 0.0
	ok := walkCDFs(a, b, func(_, f, g float64) { largest = max(largest, math.Abs(f-g)) })
	if !ok {
		return math.NaN()
	}
	return largest
}

// walkCDFs calls visit at each distinct value x, ascending, with the shares of a and of b below x. It reports false if
// a or b has no value.
func walkCDFs(a, b []float64, visit func(x, f, g float64)) bool {
	a, b = sortedKnown(a), sortedKnown(b)
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		var x float64
		if j == len(b) || i < len(a) && a[i] <= b[j] {
			x = a[i]
		} else {
			x = b[j]
		}
		visit(x, float64(i)/float64(len(a)), float64(j)/float64(len(b)))
		for i < len(a) && a[i] == x {
			i++
		}
		for j < len(b) && b[j] == x {
			j++
		}
	}
	return true
}

// sortedKnown returns a sorted copy of x without its NaNs.
func sortedKnown(x []float64) []float64 {
	out := make([]float64, 0, len(x))
	for _, v := range x {
		if !math.IsNaN(v) {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return out
}
