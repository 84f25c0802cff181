package gbdt

import (
	"math"
	"slices"
)

// sampleRows is the number of rows from which bins are made when there are more.
const sampleRows = 200_000

// maxRanks is the largest number of values whose ranks are kept: 4 bytes each.
const maxRanks = 1 << 23

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
	if d.Rows() <= sampleRows && d.x.rows*d.x.cols <= maxRanks {
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
	b.fill(d, 0, p.Family, newBinEdges(b.features), threads)
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
type sorter struct{ keys, spare []uint64 }

// distinct returns the values of keys, in ascending order, and how often each stands there.
func (o *sorter) distinct() (values []float64, counts []int) {
	if cap(o.spare) < len(o.keys) {
		o.spare = make([]uint64, cap(o.keys))
	}
	keys := radixSortKeys(o.keys, o.spare[:len(o.keys)])
	for i, k := range keys {
		if i == 0 || k != keys[i-1] {
			values, counts = append(values, keyValue(k)), append(counts, 0)
		}
		counts[len(counts)-1]++
	}
	return values, counts
}

// fill sets the bins of the rows of d, of which the first is row at of b.
func (b *binned) fill(d *Dataset, at int, family Family, edges []binEdges, threads int) {
	parallel(chunks(d.Rows()), threads, func(c int) {
		buf := make([]float64, d.x.cols)
		from, to := chunk(c, d.Rows())
		for i := from; i < to; i++ {
			row := d.x.row(d.sourceRow(i), buf)
			for k, block := range b.blocks {
				word := uint64(0)
				for s := k * binLanes; s < min((k+1)*binLanes, len(b.features)); s++ {
					word |= uint64(edges[s].bin(family, row[b.features[s].column])) << (s % binLanes * 8)
				}
				block[at+i] = word
			}
		}
	})
}

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
	upper   [maxBins]float64 // NaN, which no value passes, after the last
	missing uint8
	// Of a categorical column, else nil:
	feature    *feature
	categories []uint8
}

func newBinEdges(features []feature) []binEdges {
	edges := make([]binEdges, len(features))
	for s := range edges {
		edges[s].set(&features[s])
	}
	return edges
}

func (e *binEdges) set(f *feature) {
	for i := copy(e.upper[:], f.upper); i < maxBins; i++ {
		e.upper[i] = math.NaN()
	}
	if f.missing {
		e.missing = uint8(f.values)
	}
	if f.categories != nil {
		e.feature, e.categories = f, f.categoryBins()
	}
}

// bin returns the bin of x, of which a column without missing values has no NaN.
func (e *binEdges) bin(family Family, x float64) uint8 {
	if e.feature != nil {
		return e.feature.categoryBin(family, e.categories, x)
	}
	if x != x {
		return e.missing
	}
	x = family.normalize(x)
	i := 0
	if family == XGBoost {
		for step := maxBins / 2; step > 0; step /= 2 {
			if j := i + step; e.upper[(j-1)&(maxBins-1)] <= x {
				i = j
			}
		}
		return uint8(i)
	}
	for step := maxBins / 2; step > 0; step /= 2 {
		if j := i + step; e.upper[(j-1)&(maxBins-1)] < x {
			i = j
		}
	}
	return uint8(i)
}
