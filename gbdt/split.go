package gbdt

import "math"

// splitRule says which splits are allowed and what they gain.
type splitRule struct {
	family        Family
	scale         scales
	l1, l2        float64
	minGain       float64
	minSumHessian float64
	minRows       int64
	monotone      []int8 // by column; nil: none
	categories    categoryRule
}

// leafSums is what the search needs of a leaf.
type leafSums struct {
	sum  gradPair
	rows int64
	// bounds limit the weights of the leaf and its children; l2 is added to the penalty of the leaf itself.
	bounds bounds
	l2     float64
}

// split is a way to divide a leaf; a slot below 0 means none.
type split struct {
	gain float64
	slot int
	// Values in bins up to bin go left; the bin of missing values goes left if defaultLeft is true. In a categorical
	// split the bins of set go left instead.
	bin         int
	defaultLeft bool
	set         *binSet
	// l2 is added to the penalty of the children.
	l2   float64
	left gradPair
}

// binSet is a set of bins.
type binSet [maxBins / 64]uint64

func (s *binSet) add(bin int)      { s[bin/64] |= 1 << (bin % 64) }
func (s *binSet) has(bin int) bool { return s[bin/64]>>(bin%64)&1 != 0 }

// goesLeft reports where the split sends the rows of a bin.
func (s *split) goesLeft(f *feature, bin int) bool {
	switch {
	case s.set != nil:
		return s.set.has(bin)
	case f.missing && bin == f.values:
		return s.defaultLeft
	}
	return bin <= s.bin
}

// score returns how much a leaf with the sums g and h lowers the loss, in units of G*G/(H+L2).
func (r *splitRule) score(g, h float64) float64 {
	g = r.soften(g)
	return float64(g*g) / (h + r.l2)
}

// weight returns the best value of a leaf, without the learning rate.
func (r *splitRule) weight(leaf leafSums) float64 {
	g, h := r.unpack(leaf.sum)
	return leaf.bounds.clamp(-r.soften(g) / (h + r.l2 + leaf.l2))
}

// soften moves a sum of gradients towards 0 by the penalty L1.
func (r *splitRule) soften(g float64) float64 {
	switch {
	case r.l1 == 0:
		return g
	case g > r.l1:
		return g - r.l1
	case g < -r.l1:
		return g + r.l1
	}
	return 0
}

func (r *splitRule) unpack(p gradPair) (g, h float64) {
	return float64(p.gradient()) / r.scale.gradient, float64(p.hessian()) / r.scale.hessian
}

// leastHessian returns the smallest sum of integer hessians that a child may have. Without counted rows, it stands for
// the least number of rows, too, by their share of the hessians.
func (r *splitRule) leastHessian(leaf leafSums, counted bool) int64 {
	least := int64(1)
	if h := math.Ceil(r.minSumHessian * r.scale.hessian); h < math.MaxUint32 {
		least = max(least, int64(h))
	} else {
		least = math.MaxUint32
	}
	if !counted && r.minRows > 1 { // the share rounded to whole rows
		least = max(least, ((2*r.minRows-1)*leaf.sum.hessian()+2*leaf.rows-1)/(2*leaf.rows))
	}
	return least
}

// find returns the best split of a leaf among the slots; the first of equals. counts has the number of rows in each
// bin of each slot, or is nil where they are to be estimated.
func (r *splitRule) find(d *binned, slots []int, h histogram, counts [][maxBins]int32, leaf leafSums) split {
	best := split{slot: -1, gain: r.minGain}
	g, hessian := r.unpack(leaf.sum)
	parent := r.score(g, hessian)
	if leaf.bounds.finite() {
		parent = r.scoreAt(g, hessian, r.weight(leafSums{sum: leaf.sum, bounds: leaf.bounds}))
	}
	least := r.leastHessian(leaf, counts != nil)
	if leaf.sum.hessian() < 2*least {
		return best
	}
	quick := r.quickScan(leaf, least, parent)
	for _, s := range slots {
		scan := slotScan{rule: r, feature: &d.features[s], sums: h.slot(s), leaf: leaf, least: least, parent: parent, quick: &quick}
		if counts != nil {
			scan.counts = &counts[s]
		}
		if r.monotone != nil {
			scan.direction = r.monotone[scan.feature.column]
		}
		scan.run(&best, s)
	}
	return best
}

// slotScan is the search for the best split of a leaf by one feature.
type slotScan struct {
	rule      *splitRule
	feature   *feature
	sums      *[maxBins]gradPair
	counts    *[maxBins]int32 // nil: the bound on hessians stands for that on rows
	leaf      leafSums
	least     int64
	parent    float64
	direction int8 // in which leaf values may go as the feature grows; 0: either
	quick     *quickScan
}

// run replaces best if the feature has a better split.
func (c *slotScan) run(best *split, slot int) {
	found := split{gain: best.gain, slot: -1}
	switch {
	case c.feature.categories != nil:
		c.runCategories(&found)
	case c.counts == nil && c.rule.l1 == 0 && c.direction == 0 && !c.leaf.bounds.finite():
		c.runQuick(&found)
	default:
		c.runValues(&found)
	}
	if found.slot >= 0 {
		found.slot = slot
		*best = found
	}
}

// seesMissing reports whether a row of the leaf has a missing value, as far as sums and counts can tell.
func (c *slotScan) seesMissing() bool {
	f := c.feature
	return f.missing && (c.sums[f.values] != 0 || c.missingRows() != 0)
}

// lastBin returns the number of splits with the missing values on the right.
func (c *slotScan) lastBin() int {
	if f := c.feature; f.above == f.above { // a threshold can hold all the values
		return f.values
	}
	return c.feature.values - 1
}

// runQuick is runValues for the plain case.
func (c *slotScan) runQuick(best *split) {
	f, q := c.feature, c.quick
	q.start(best.gain)
	found, defaultLeft := false, false
	if c.seesMissing() {
		found = q.scan(c.sums[:c.lastBin()], 0)
		defaultLeft = q.scan(c.sums[:f.values-1], c.sums[f.values])
		found = found || defaultLeft
	} else if found = q.scan(c.sums[:f.values-1], 0); found {
		defaultLeft = 2*q.left.hessian() >= c.leaf.sum.hessian()
	}
	if !found {
		return
	}
	gl, hl := c.rule.unpack(q.left)
	gr, hr := c.rule.unpack(c.leaf.sum - q.left)
	if gain := c.rule.score(gl, hl) + c.rule.score(gr, hr) - c.parent; gain > best.gain {
		*best = split{gain: gain, bin: q.bin, defaultLeft: defaultLeft, left: q.left}
		c.preferHigh(best)
	}
}

// preferHigh moves a split over bins without rows of the leaf, as far as that changes nothing for its rows: of splits
// that are alike LightGBM takes that of the highest threshold, unless missing values go right, XGBoost the lowest.
func (c *slotScan) preferHigh(best *split) {
	if c.rule.family == XGBoost || c.seesMissing() && !best.defaultLeft {
		return
	}
	for b := best.bin + 1; b < c.feature.values-1 && c.sums[b] == 0 && (c.counts == nil || c.counts[b] == 0); b++ {
		best.bin = b
	}
}

// runValues finds the best split by a numerical feature; best has a slot of 0 then.
func (c *slotScan) runValues(best *split) {
	f := c.feature
	if !c.seesMissing() {
		c.scan(best, 0, 0, f.values-1)
		best.defaultLeft = 2*best.left.hessian() >= c.leaf.sum.hessian() // no row says where: with the most
	} else {
		c.scan(best, 0, 0, c.lastBin())
		right := *best
		c.scan(best, c.sums[f.values], c.missingRows(), f.values-1)
		best.defaultLeft = *best != right
	}
	if best.slot >= 0 {
		c.preferHigh(best)
	}
}

func (c *slotScan) missingRows() int64 {
	if c.counts == nil {
		return 0
	}
	return int64(c.counts[c.feature.values])
}

// scan looks at the splits after the bins 0 ... last-1, with the given sums already in the left child. A better one
// replaces best, with a slot of 0.
func (c *slotScan) scan(best *split, left gradPair, leftRows int64, last int) {
	r := c.rule
	for b, p := range c.sums[:last] {
		left += p
		if c.counts != nil {
			leftRows += int64(c.counts[b])
			if leftRows < r.minRows {
				continue
			}
			if c.leaf.rows-leftRows < r.minRows {
				return
			}
		}
		if left.hessian() < c.least {
			continue
		}
		right := c.leaf.sum - left
		if right.hessian() < c.least {
			return
		}
		if gain := c.gain(left, right); gain > best.gain {
			best.gain, best.slot, best.bin, best.left = gain, 0, b, left
		}
	}
}

// gain returns what the division of the leaf gains, minus infinity if the order of the children is not allowed.
func (c *slotScan) gain(left, right gradPair) float64 {
	r := c.rule
	gl, hl := r.unpack(left)
	gr, hr := r.unpack(right)
	if c.direction == 0 && !c.leaf.bounds.finite() {
		return r.score(gl, hl) + r.score(gr, hr) - c.parent
	}
	wl := r.weight(leafSums{sum: left, bounds: c.leaf.bounds})
	wr := r.weight(leafSums{sum: right, bounds: c.leaf.bounds})
	if c.direction > 0 && wl > wr || c.direction < 0 && wl < wr {
		return math.Inf(-1)
	}
	return r.scoreAt(gl, hl, wl) + r.scoreAt(gr, hr, wr) - c.parent
}

// threshold returns the number that the split of feature f compares with.
func (s *split) threshold(f *feature) float64 {
	if s.bin == f.values-1 {
		return f.above
	}
	return f.upper[s.bin]
}

// decision returns the split's byte for Tree.Decision.
func (s *split) decision(f *feature, family Family) uint8 {
	categorical := s.set != nil
	switch {
	case family == XGBoost:
		return Decision(categorical, s.defaultLeft, MissingNone)
	case f.missing:
		return Decision(categorical, s.defaultLeft, MissingNaN)
	}
	return Decision(categorical, !categorical, MissingNone) // as LightGBM writes it; NaN is read as 0
}
