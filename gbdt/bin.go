package gbdt

import (
	"math"
	"slices"
)

// maxBins is the largest number of bins of a feature: a bin's number fits a byte.
const maxBins = 256

// binLanes is the number of features whose bins share one word.
const binLanes = 8

// feature is a column that training uses, in bins.
type feature struct {
	// column is the number of the column.
	column int
	// upper[i] separates the bins i and i+1 by the family's rule: bin i holds x with upper[i-1] < x <= upper[i]
	// (LightGBM) or upper[i-1] <= x < upper[i] (XGBoost). Its length is values-1.
	upper []float64
	// values is the number of bins of values; a bin for missing values comes after them if missing is true.
	values  int
	missing bool
	// above is a threshold that sends all values left; it is NaN if there is none.
	above float64
	// categories has the code of each bin of a categorical column; nil for a numerical one.
	categories []int32
}

// bins returns the number of all bins.
func (f *feature) bins() int {
	if f.missing {
		return f.values + 1
	}
	return f.values
}

// tabulate sets table to the bins of the values, which ascend, and of NaN after them.
func (f *feature) tabulate(table []uint8, family Family, values []float64) {
	if f.categories != nil {
		bins := f.categoryBins()
		for r, x := range values {
			table[r] = f.categoryBin(family, bins, x)
		}
		table[len(values)] = uint8(f.values)
		return
	}
	bin := 0
	for r, x := range values {
		x = family.normalize(x)
		for bin < len(f.upper) && !family.left(x, f.upper[bin]) {
			bin++
		}
		table[r] = uint8(bin)
	}
	if f.missing {
		table[len(values)] = uint8(f.values)
	}
}

// left reports whether a numerical node sends the number x, normalized, left at threshold t.
func (f Family) left(x, t float64) bool {
	if f == XGBoost {
		return x < t
	}
	return x <= t
}

// findBins makes the bins of a column from its distinct values, ascending, each with its number of rows (0 is
// possible), and the number of rows with a missing value. Values that the family does not tell apart count as one.
// It sets the smallest and largest value in info.
func findBins(p *Params, column int, values []float64, counts []int, missing int, info *FeatureInfo) feature {
	if slices.Contains(p.CategoricalFeatures, column) {
		return findCategories(p, column, values, counts, missing, info)
	}
	f := feature{column: column, missing: missing > 0, above: math.NaN()}
	seen, rows := make([]float64, 0, len(values)), make([]int, 0, len(values))
	for i, x := range values {
		x = p.Family.normalize(x) + 0 // no -0
		switch {
		case counts[i] == 0:
		case len(seen) > 0 && seen[len(seen)-1] == x:
			rows[len(rows)-1] += counts[i]
		default:
			seen, rows = append(seen, x), append(rows, counts[i])
		}
	}
	if len(seen) == 0 {
		f.values, f.missing = 1, false // no value, nothing to tell apart
		return f
	}
	info.Min, info.Max = seen[0], seen[len(seen)-1]
	f.above = aboveAll(p.Family, info.Max)
	limit := p.MaxBin
	if f.missing {
		limit--
	}
	var cuts []int
	if p.Family == XGBoost {
		cuts = cutEvenly(rows, limit, p.MinDataInBin)
	} else {
		cuts = cutAroundZero(seen, rows, limit, p.MinDataInBin)
	}
	for _, last := range cuts {
		if t, ok := threshold(p.Family, seen[last], seen[last+1]); ok {
			f.upper = append(f.upper, t)
		}
	}
	f.values = len(f.upper) + 1
	return f
}

// cutAroundZero divides ascending values, of which rows holds the number of rows, into at most limit bins and returns the
// last value of each bin but the last, as LightGBM does it: the value 0 has a bin of its own, which counts even if no row
// has it, and the values below it get their share of the others.
func cutAroundZero(values []float64, rows []int, limit, minRows int) []int {
	below, _ := slices.BinarySearch(values, 0)
	above := below
	if above < len(values) && values[above] == 0 {
		above++
	}
	sum := func(rows []int) (n int) {
		for _, r := range rows {
			n += r
		}
		return n
	}
	var cuts []int
	if below > 0 {
		low, high := sum(rows[:below]), sum(rows[above:])
		cuts = cutBins(rows[:below], max(1, int(float64(low)/float64(low+high)*float64(limit-1))), minRows)
		if below < len(values) {
			cuts = append(cuts, below-1)
		}
	}
	limit -= 1 + len(cuts)
	if above == 0 && limit == 1 {
		limit = 2 // rather than one bin for all
	}
	if above == len(values) || limit < 1 {
		return cuts
	}
	if above > below {
		cuts = append(cuts, above-1)
	}
	for _, last := range cutBins(rows[above:], limit, minRows) {
		cuts = append(cuts, above+last)
	}
	return cuts
}

// cutBins divides values, of which rows holds the number of rows, into at most limit bins with at least minRows rows
// each (but for the last), and returns the last value of each bin but the last. Few values get a bin each; of many,
// those with more rows than an average bin get a bin of their own and the others are spread evenly.
func cutBins(rows []int, limit, minRows int) []int {
	total := 0
	for _, n := range rows {
		total += n
	}
	var cuts []int
	in := 0 // rows in the present bin
	if len(rows) <= limit {
		for i, n := range rows[:len(rows)-1] {
			in += n
			if in >= minRows {
				cuts = append(cuts, i)
				in = 0
			}
		}
		return cuts
	}
	limit = max(1, min(limit, total/minRows))
	large := float64(total) / float64(limit)
	restRows, restBins := total, limit // of the values that are not large
	for _, n := range rows {
		if float64(n) >= large {
			restRows -= n
			restBins--
		}
	}
	mean := float64(restRows) / float64(max(restBins, 1))
	for i, n := range rows[:len(rows)-1] {
		isLarge, nextLarge := float64(n) >= large, float64(rows[i+1]) >= large
		if !isLarge {
			restRows -= n
		}
		in += n
		if isLarge || float64(in) >= mean || nextLarge && float64(in) >= max(1, mean/2) {
			cuts = append(cuts, i)
			if len(cuts) == limit-1 {
				break
			}
			in = 0
			if !isLarge {
				restBins--
				mean = float64(restRows) / float64(max(restBins, 1))
			}
		}
	}
	return cuts
}

// cutEvenly is cutBins as XGBoost does it: of many values those begin a bin that hold the rows at equal distances, from
// the end of the first value's rows to the start of the last value's. Where values with many rows hold several of those,
// the last value gets a bin of its own.
func cutEvenly(rows []int, limit, minRows int) []int {
	total := 0
	for _, n := range rows {
		total += n
	}
	limit = max(1, min(limit, total/minRows))
	last := len(rows) - 1
	if len(rows) <= limit {
		return cutBins(rows, limit, minRows)
	}
	var cuts []int
	before := make([]int64, len(rows)+1) // before[i]: the rows of the values below value i
	for i, n := range rows {
		before[i+1] = before[i] + int64(n)
	}
	start := int64(0) // the rows before the present bin
	cut := func(value int) {
		if before[value]-start >= int64(minRows) {
			cuts = append(cuts, value-1)
			start = before[value]
		}
	}
	span, value := before[last]-before[1], 1
	for k := int64(1); k < int64(limit); k++ {
		for before[value+1]*int64(limit) <= before[1]*int64(limit)+k*span {
			value++
		}
		cut(value)
	}
	if len(cuts) < limit-1 {
		cut(last)
	}
	return cuts
}

// threshold returns the number with which the family separates the neighbours a < b: half-way, or next to 0 if that is
// between or one of them, with a <= t < b for LightGBM; b for XGBoost, whose rule is a < t <= b. It is finite; false if
// there is no such number.
func threshold(family Family, a, b float64) (float64, bool) {
	if family == XGBoost {
		if math.IsInf(b, 1) {
			return math.MaxFloat32, a < math.MaxFloat32
		}
		return b, true
	}
	t := float64(a/2) + float64(b/2) + 0 // no -0
	switch {
	case a < 0 && b == 0:
		t = -zeroThreshold
	case a <= 0 && b > 0:
		t = zeroThreshold
	}
	if !(a <= t && t < b) || !isFinite(t) {
		t = a
	}
	if math.IsInf(t, -1) {
		t = math.Nextafter(b, math.Inf(-1))
	}
	return t, isFinite(t) && a <= t && t < b
}

// aboveAll returns a threshold that sends every value up to high left, or NaN if the family's files hold none.
func aboveAll(family Family, high float64) float64 {
	if family == XGBoost {
		if high < math.MaxFloat32 {
			return math.MaxFloat32
		}
		return math.NaN()
	}
	if high <= 1e300 {
		return 1e300
	}
	return math.NaN()
}
