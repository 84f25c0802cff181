package gbdt

import (
	"cmp"
	"math"
	"slices"
)

// maxCategory bounds the codes of categories, whose sets are written as bits; larger ones count as missing.
const maxCategory = 1 << 17

// category returns the code of the category that a model of the family sees in x, or -1 for what is in no category:
// missing, negative and too large values.
func (f Family) category(x float64) int32 {
	if f == XGBoost {
		x = float64(float32(x))
		if x < 0 {
			return -1
		}
	}
	if !(x > -1 && x < maxCategory) {
		return -1
	}
	return int32(x)
}

// categoryRule are the limits of categorical splits.
type categoryRule struct {
	smooth, l2 float64
	maxLeft    int
	oneHot     int
	groupRows  int64
}

// findCategories makes the bins of a categorical column: one for each category, the most frequent first, as many as the
// limit allows and with at least MinDataInBin rows but for the first two. All other values share the bin of missing ones,
// which a split never names: they go right in LightGBM models and left in XGBoost models. values and counts are as in
// findBins.
func findCategories(p *Params, column int, values []float64, counts []int, missing int, info *FeatureInfo) feature {
	rows := map[int32]int{}
	for i, x := range values {
		if c := p.Family.category(x); c >= 0 {
			rows[c] += counts[i]
		} else {
			missing += counts[i]
		}
	}
	var codes []int32
	for c, n := range rows {
		if n > 0 {
			codes = append(codes, c)
		}
	}
	slices.SortFunc(codes, func(a, b int32) int { return cmp.Or(rows[b]-rows[a], int(a-b)) })
	keep := len(codes)
	for keep > 2 && rows[codes[keep-1]] < p.MinDataInBin {
		keep--
	}
	if keep > p.MaxBin-1 {
		keep = p.MaxBin - 1 // the bin of all others is one of the limit
	}
	f := feature{column: column, above: math.NaN(), categories: codes[:keep:keep], values: keep}
	f.missing = missing > 0 || keep < len(codes)
	if keep == 0 {
		f.values, f.missing = 1, false
	}
	*info = FeatureInfo{Min: math.NaN(), Max: math.NaN(), Categories: slices.Clone(f.categories)}
	if f.missing {
		info.Categories = append(info.Categories, -1)
	}
	return f
}

// categoryBins returns the bin of each code up to the largest; others have the bin of missing values.
func (f *feature) categoryBins() []uint8 {
	bins := slices.Repeat([]uint8{uint8(f.values)}, int(slices.Max(f.categories))+1)
	for b, c := range f.categories {
		bins[c] = uint8(b)
	}
	return bins
}

// categoryBin returns the bin of x, given categoryBins.
func (f *feature) categoryBin(family Family, bins []uint8, x float64) uint8 {
	c := family.category(x)
	if c < 0 || int(c) >= len(bins) {
		return uint8(f.values)
	}
	return bins[c]
}

// runCategories finds the best division of the categories: one against the others for a few of them, else a run of them
// in the order of their gradients, as LightGBM does. best has a slot of 0 then.
func (c *slotScan) runCategories(best *split) {
	if c.feature.values < c.rule.categories.oneHot {
		c.oneCategory(best)
		return
	}
	c.manyCategories(best)
}

// rows returns the number of rows of the leaf in a bin, estimated by the share of the hessians if it is not counted.
func (c *slotScan) rows(bin int) int64 {
	if c.counts != nil {
		return int64(c.counts[bin])
	}
	share := float64(c.sums[bin].hessian()) * float64(c.leaf.rows) / float64(max(c.leaf.sum.hessian(), 1))
	return int64(share + 0.5)
}

func (c *slotScan) oneCategory(best *split) {
	for b := range c.feature.values {
		c.tryCategories(best, []int{b}, c.sums[b], c.rows(b), 0)
	}
}

func (c *slotScan) manyCategories(best *split) {
	rule := &c.rule.categories
	var order []int
	var ratio [maxBins]float64
	for b := range c.feature.values {
		if c.sums[b] != 0 && float64(c.rows(b)) >= rule.smooth {
			g, h := c.rule.unpack(c.sums[b])
			ratio[b] = g / (h + rule.smooth)
			order = append(order, b)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(ratio[a], ratio[b]) })
	most := min(rule.maxLeft, (len(order)+1)/2)
	for range 2 {
		var sum gradPair
		rows, group := int64(0), int64(0)
		for i := range most {
			b := order[i]
			sum += c.sums[b]
			n := c.rows(b)
			rows += n
			group += n
			if group < rule.groupRows {
				continue
			}
			if c.leaf.rows-rows < rule.groupRows {
				break
			}
			if c.tryCategories(best, order[:i+1], sum, rows, rule.l2) {
				group = 0
			}
		}
		slices.Reverse(order)
	}
}

// tryCategories replaces best if it is better to part the given bins, with the given sums, from the others. It reports
// whether the limits allow that.
func (c *slotScan) tryCategories(best *split, bins []int, sum gradPair, rows int64, l2 float64) bool {
	r, other := c.rule, c.leaf.sum-sum
	if sum.hessian() < c.least || other.hessian() < c.least {
		return false
	}
	if c.counts != nil && (rows < r.minRows || c.leaf.rows-rows < r.minRows) {
		return false
	}
	with := *r
	with.l2 += l2
	part := *c
	part.rule = &with
	gain := part.gain(sum, other)
	if !(gain > best.gain) {
		return true
	}
	*best = split{gain: gain, l2: l2, left: sum, set: new(binSet)}
	if r.family == LightGBM { // the set goes left
		for _, b := range bins {
			best.set.add(b)
		}
		return true
	}
	best.left, best.defaultLeft = other, true
	for b := range c.feature.bins() {
		if !slices.Contains(bins, b) {
			best.set.add(b)
		}
	}
	return true
}

// categorySet returns the bits of the node's set in a file of the family: what goes left for LightGBM, right for
// XGBoost.
func (s *split) categorySet(f *feature, family Family) []uint32 {
	var bits []uint32
	for b, c := range f.categories {
		if s.set.has(b) != (family == LightGBM) {
			continue
		}
		for len(bits) <= int(c/32) {
			bits = append(bits, 0)
		}
		bits[c/32] |= 1 << (c % 32)
	}
	return bits
}
