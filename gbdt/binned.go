package gbdt

import (
	"math"
	"math/bits"
	"slices"
)

// sampleRows is the number of rows from which bins are made when there are more.
const sampleRows = 200_000

// maxRanks is the largest number of values whose ranks are kept, 4 bytes each, for the many subsets that a table may
// have; wholeRanks is that for a table which is used whole.
const (
	maxRanks   = 1 << 23
	wholeRanks = 1 << 20
)

// binned is a dataset in bins.
type binned struct {
	rows     int
	features []feature // in order of columns; slot s is lane s%binLanes of block s/binLanes
	// blocks[b][i] holds the bins of row i in binLanes features, the first in the low byte.
	blocks [][]uint64
	// infos has an entry for each column of the matrix.
	infos []FeatureInfo
}

// bin returns the bin of row i in slot s.
func (d *binned) bin(s int, i int32) uint8 {
	return uint8(d.blocks[s/binLanes][i] >> (s % binLanes * 8))
}

// newBinned puts the rows of d into bins. Columns of which the rows show one value or none are left out.
func newBinned(d *Dataset, p *Params) *binned {
	limit := maxRanks
	if d.rows == nil {
		limit = wholeRanks
	}
	if d.Rows() <= sampleRows && d.x.rows*d.x.cols <= limit {
		return binByRank(d, p)
	}
	return binByValue(d, p)
}

// setFeatures keeps the features of more than one bin, given for all columns, and makes room for the rows.
func (b *binned) setFeatures(found []feature) {
	for j := range found {
		if found[j].bins() > 1 {
			b.features = append(b.features, found[j])
		} else {
			b.infos[j] = FeatureInfo{Min: math.NaN(), Max: math.NaN()}
		}
	}
	b.blocks = make([][]uint64, (len(b.features)+binLanes-1)/binLanes)
	for i := range b.blocks {
		b.blocks[i] = make([]uint64, b.rows)
	}
}

// binByRank bins a dataset through the ranks of its columns: a table holds the bin of each rank.
func binByRank(d *Dataset, p *Params) *binned {
	threads := threadCount(p.Threads)
	cols := d.columns.get(threads)
	b := &binned{rows: d.Rows(), infos: make([]FeatureInfo, len(cols))}
	found, tables := make([]feature, len(cols)), make([][]uint8, len(cols))
	parallel(len(cols), threads, func(j int) {
		c := &cols[j]
		counts := make([]int, len(c.values)+1)
		if d.rows == nil {
			for _, r := range c.ranks {
				counts[r]++
			}
		} else {
			for _, i := range d.rows {
				counts[c.ranks[i]]++
			}
		}
		found[j] = findBins(p, j, c.values, counts[:len(c.values)], counts[len(c.values)], &b.infos[j])
		tables[j] = make([]uint8, len(c.values)+1)
		found[j].tabulate(tables[j], p.Family, c.values)
	})
	b.setFeatures(found)
	parallel(len(b.blocks), threads, func(i int) {
		dst := b.blocks[i]
		for s := i * binLanes; s < min((i+1)*binLanes, len(b.features)); s++ {
			column, shift := b.features[s].column, s%binLanes*8
			ranks, table := cols[column].ranks, tables[column]
			if d.rows == nil {
				for i, r := range ranks {
					dst[i] |= uint64(table[r]) << shift
				}
				continue
			}
			for i, r := range d.rows {
				dst[i] |= uint64(table[ranks[r]]) << shift
			}
		}
	})
	return b
}

// binByValue bins a dataset of any size with little memory beside the bins: edges come from a sample of the rows,
// spread evenly, and a search finds the bin of each value. Whether a column has missing values, and its smallest and
// largest value, come from all rows.
func binByValue(d *Dataset, p *Params) *binned {
	threads := threadCount(p.Threads)
	b := &binned{rows: d.Rows()}
	ranges := columnRanges(d, p.Family, threads)
	sample := b.sample(p)
	at := func(i, j int) float64 { return d.x.At(d.sourceRow(sample[i]), j) }
	b.findFeatures(p, columnSample{len(sample), at}, ranges, threads)
	b.fill(d, 0, p.Family, newBinEdges(b.features, p.Family), threads)
	return b
}

// findFeatures makes the features from a sample of rows of the columns, and the ranges of all rows' values.
func (b *binned) findFeatures(p *Params, sample columnSample, ranges []columnRange, threads int) {
	found := make([]feature, len(ranges))
	b.infos = make([]FeatureInfo, len(ranges))
	threads = min(threads, len(ranges))
	sorters := make(chan *sorter, threads)
	for range threads {
		sorters <- new(sorter)
	}
	parallel(len(found), threads, func(j int) {
		o := <-sorters
		defer func() { sorters <- o }()
		o.keys = o.keys[:0]
		for i := range sample.rows {
			if v := sample.at(i, j); v == v {
				o.keys = append(o.keys, orderedKey(v))
			}
		}
		distinct, counts := o.distinct()
		f := findBins(p, j, distinct, counts, ranges[j].missing, &b.infos[j])
		if f.categories == nil {
			f.above = aboveAll(p.Family, ranges[j].high)
			b.infos[j] = FeatureInfo{Min: ranges[j].low, Max: ranges[j].high}
		} else if sample.rows < b.rows && !f.missing { // another row may have a category that the sample does not
			f.missing = true
			b.infos[j].Categories = append(b.infos[j].Categories, -1)
		}
		found[j] = f
	})
	b.setFeatures(found)
}

// columnSample is a sample of the rows of a table.
type columnSample struct {
	rows int
	at   func(i, j int) float64 // the value in row i of the sample, column j
}

// sorter puts values in order; its memory serves one column after another.
type sorter struct {
	keys, spare []uint64
	values      []float64
	counts      []int
}

// distinct returns the values of keys, in ascending order, and how often each stands there. They hold until the next
// call.
func (o *sorter) distinct() (values []float64, counts []int) {
	if cap(o.spare) < len(o.keys) {
		o.spare = make([]uint64, cap(o.keys))
	}
	o.values, o.counts = o.values[:0], o.counts[:0]
	keys := radixSortKeys(o.keys, o.spare[:len(o.keys)])
	for i, k := range keys {
		if i == 0 || k != keys[i-1] {
			o.values, o.counts = append(o.values, keyValue(k)), append(o.counts, 0)
		}
		o.counts[len(o.counts)-1]++
	}
	return o.values, o.counts
}

// fillRows is the number of rows whose values are put into bins column by column.
const fillRows = 256

// fill sets the bins of the rows of d, of which the first is row at of b.
func (b *binned) fill(d *Dataset, at int, family Family, edges []binEdges, threads int) {
	parallel(chunks(d.Rows()), threads, func(c int) {
		var keys [fillRows]uint64
		from, to := chunk(c, d.Rows())
		for ; from < to; from += fillRows {
			end := min(from+fillRows, to)
			for s := range b.features {
				column, words := b.features[s].column, b.blocks[s/binLanes][at+from:at+end]
				if e := &edges[s]; e.categories != nil {
					for i := range words {
						x := d.x.At(d.sourceRow(from+i), column)
						words[i] |= uint64(b.features[s].categoryBin(family, e.categories, x)) << (s % binLanes * 8)
					}
				} else {
					d.keys(keys[:len(words)], from, column, family)
					e.add(words, keys[:len(words)], s%binLanes*8)
				}
			}
		}
	})
}

// keys sets dst to the orderedKeys of the column's values from row from on, as the family sees them: XGBoost's rounded
// to float32; what LightGBM takes for 0 is up to the edges. Missing values have the largest key.
func (d *Dataset) keys(dst []uint64, from, column int, family Family) {
	x := d.x
	for i := range dst {
		at := (from+i)*x.cols + column
		if d.rows != nil {
			at = int(d.rows[from+i])*x.cols + column
		}
		var v float64
		if x.f64 == nil {
			v = float64(x.f32[at])
		} else if v = x.f64[at]; family == XGBoost {
			v = float64(float32(v))
		}
		key := math.Float64bits(v + 0) // no -0
		key ^= uint64(int64(key)>>63) | 1<<63
		if v != v {
			key = missingKey
		}
		dst[i] = key
	}
}

// missingKey is above the key of every number.
const missingKey = math.MaxUint64 - 1

// sample returns at most sampleRows rows, ascending, spread evenly.
func (b *binned) sample(p *Params) []int {
	rows := make([]int, min(sampleRows, b.rows))
	random := newRandom(p.Seed, streamBinning)
	for i := range rows {
		rows[i] = i
		if b.rows > sampleRows {
			u := (float64(i) + random.float64()) / sampleRows
			rows[i] = min(int(u*float64(b.rows)), b.rows-1)
		}
	}
	return rows
}

// columnRange is the smallest and largest value of a column and its number of missing ones.
type columnRange struct {
	low, high float64
	missing   int
}

func columnRanges(d *Dataset, family Family, threads int) []columnRange {
	rows, cols := d.Rows(), d.x.cols
	empty := columnRange{low: math.Inf(1), high: math.Inf(-1)}
	parts := make([][]columnRange, chunks(rows))
	parallel(len(parts), threads, func(c int) {
		part := slices.Repeat([]columnRange{empty}, cols)
		buf := make([]float64, cols)
		from, to := chunk(c, rows)
		for i := from; i < to; i++ {
			for j, x := range d.x.row(d.sourceRow(i), buf) {
				r := &part[j]
				if x != x {
					r.missing++
					continue
				}
				if x < r.low {
					r.low = x
				}
				if x > r.high {
					r.high = x
				}
			}
		}
		parts[c] = part
	})
	total := slices.Repeat([]columnRange{empty}, cols)
	for _, part := range parts {
		mergeRanges(total, part)
	}
	for j := range total {
		total[j].low, total[j].high = family.normalize(total[j].low)+0, family.normalize(total[j].high)+0
	}
	return total
}

func mergeRanges(dst, more []columnRange) {
	for j, r := range more {
		dst[j] = columnRange{min(dst[j].low, r.low), max(dst[j].high, r.high), dst[j].missing + r.missing}
	}
}

// binEdges finds bins of values without a branch that depends on the value.
type binEdges struct {
	// below[i] is the largest key in bin i; MaxUint64, which no key passes, from the last bin on. If the feature has a
	// bin for missing values, the keys of all numbers end before it.
	below [maxBins]uint64
	// categories are the bins of the codes of a categorical column, else nil.
	categories []uint8
}

func newBinEdges(features []feature, family Family) []binEdges {
	edges := make([]binEdges, len(features))
	for s := range edges {
		edges[s].set(&features[s], family)
	}
	return edges
}

func (e *binEdges) set(f *feature, family Family) {
	if f.categories != nil {
		e.categories = f.categoryBins()
		return
	}
	for i := range e.below {
		e.below[i] = math.MaxUint64
	}
	for i, u := range f.upper {
		switch {
		case family == XGBoost: // u itself is in the next bin
			e.below[i] = orderedKey(u) - 1
		case u >= 0 && u <= zeroThreshold: // all that is taken for 0 is in the bin
			e.below[i] = orderedKey(zeroThreshold)
		case u < 0 && u >= -zeroThreshold:
			e.below[i] = orderedKey(-zeroThreshold) - 1
		default:
			e.below[i] = orderedKey(u)
		}
	}
	if f.missing {
		e.below[f.values-1] = missingKey - 1
	}
}

// add sets the lane at shift of each word, which is 0, to the bin of the key at its place.
func (e *binEdges) add(words, keys []uint64, shift int) {
	keys = keys[:len(words)]
	for i, key := range keys {
		var b, less uint64
		for step := uint64(maxBins / 2); step > 0; step /= 2 {
			_, less = bits.Sub64(e.below[(b+step-1)&(maxBins-1)], key, 0)
			b += step & -less
		}
		words[i] |= b << (shift & 63)
	}
}
