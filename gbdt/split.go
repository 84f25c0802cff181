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
}

// leafSums is what the search needs of a leaf.
type leafSums struct {
	sum  gradPair
	rows int64
}

// split is a way to divide a leaf; a slot below 0 means none.
type split struct {
	gain float64
	slot int
	// Values in bins up to bin go left; the bin of missing values goes left if defaultLeft is true.
	bin         int
	defaultLeft bool
	left        gradPair
}

// score returns how much a leaf with the sums g and h lowers the loss, in units of G*G/(H+L2).
func (r *splitRule) score(g, h float64) float64 {
	g = r.soften(g)
	return float64(g*g) / (h + r.l2)
}

// weight returns the best value of a leaf with the given sums, without the learning rate.
func (r *splitRule) weight(sum gradPair) float64 {
	g, h := r.unpack(sum)
	return -r.soften(g) / (h + r.l2)
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
	if !counted {
		least = max(least, (r.minRows*leaf.sum.hessian()+leaf.rows-1)/leaf.rows)
	}
	return least
}

// find returns the best split of a leaf among the slots; the first of equals. counts has the number of rows in each
// bin of each slot, or is nil where they are to be estimated.
func (r *splitRule) find(d *binned, slots []int, h histogram, counts [][maxBins]int32, leaf leafSums) split {
	best := split{slot: -1, gain: r.minGain}
	g, hessian := r.unpack(leaf.sum)
	parent := r.score(g, hessian)
	least := r.leastHessian(leaf, counts != nil)
	for _, s := range slots {
		scan := slotScan{rule: r, feature: &d.features[s], sums: h.slot(s), leaf: leaf, least: least, parent: parent}
		if counts != nil {
			scan.counts = &counts[s]
		}
		scan.run(&best, s)
	}
	return best
}

// slotScan is the search for the best split of a leaf by one feature.
type slotScan struct {
	rule    *splitRule
	feature *feature
	sums    *[maxBins]gradPair
	counts  *[maxBins]int32 // nil: the bound on hessians stands for that on rows
	leaf    leafSums
	least   int64
	parent  float64
}

// run replaces best if the feature has a better split.
func (c *slotScan) run(best *split, slot int) {
	f := c.feature
	found := split{gain: best.gain, slot: -1}
	if !f.missing || c.sums[f.values] == 0 && c.missingRows() == 0 {
		c.scan(&found, 0, 0, f.values-1)
		found.defaultLeft = 2*found.left.hessian() >= c.leaf.sum.hessian() // no row says where: with the most
	} else {
		last := f.values - 1
		if f.above == f.above { // a threshold can hold all the values
			last = f.values
		}
		c.scan(&found, 0, 0, last)
		right := found
		c.scan(&found, c.sums[f.values], c.missingRows(), f.values-1)
		found.defaultLeft = found != right
	}
	if found.slot >= 0 {
		found.slot = slot
		*best = found
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
		gl, hl := r.unpack(left)
		gr, hr := r.unpack(right)
		if gain := r.score(gl, hl) + r.score(gr, hr) - c.parent; gain > best.gain {
			best.gain, best.slot, best.bin, best.left = gain, 0, b, left
		}
	}
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
	switch {
	case family == XGBoost:
		return Decision(false, s.defaultLeft, MissingNone)
	case f.missing:
		return Decision(false, s.defaultLeft, MissingNaN)
	}
	return Decision(false, true, MissingNone) // as LightGBM writes it; NaN is read as 0
}
