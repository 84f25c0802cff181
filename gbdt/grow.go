package gbdt

// grower makes trees, one after another. It belongs to one goroutine at a time.
type grower struct {
	params  *Params
	data    *binned
	threads int

	// rows are the rows of the sample, those of a leaf side by side; spare is room to sort them.
	rows, spare []int32
	leaves      []growLeaf
	free        []histogram // histograms to use again

	// Of the present tree:
	rule   splitRule
	pairs  []gradPair // of all rows of the data
	slots  []int
	blocks []int // that hold the slots
	tree   *grownTree
}

// growLeaf is a leaf of a growing tree: the rows[from:to].
type growLeaf struct {
	from, to int
	sum      gradPair
	depth    int
	id       int32 // the number an XGBoost file gives it
	parent   int32 // inner node, -1 for the root
	sums     histogram
	best     split
}

func (l *growLeaf) leafSums() leafSums { return leafSums{l.sum, int64(l.to - l.from)} }

// grownTree is a tree with what training needs of it beside the model: leaf i has the rows that rowsOf(i) returns.
type grownTree struct {
	Tree
	splits []split
	grower *grower // holds the rows until it grows its next tree
}

// rowsOf returns the sampled rows of a leaf.
func (t *grownTree) rowsOf(leaf int) []int32 {
	l := &t.grower.leaves[leaf]
	return t.grower.rows[l.from:l.to]
}

// treeInput is what one tree is grown from.
type treeInput struct {
	pairs []gradPair // a pair for each row of the data
	scale scales
	rows  []int32 // the sample, ascending
	slots []int   // the features that the tree may use, ascending
}

func newGrower(p *Params, d *binned, threads int) *grower {
	return &grower{params: p, data: d, threads: threads}
}

// grow returns a tree whose leaf values are the best ones times the learning rate.
func (g *grower) grow(in treeInput) *grownTree {
	p := g.params
	g.rule = splitRule{
		family: p.Family, scale: in.scale, l1: p.L1, l2: p.L2,
		minGain: p.MinGain, minSumHessian: p.MinSumHessian, minRows: int64(p.MinDataInLeaf),
	}
	g.pairs, g.slots = in.pairs, in.slots
	g.blocks = g.blocks[:0]
	for _, s := range in.slots {
		if b := s / lanes; len(g.blocks) == 0 || g.blocks[len(g.blocks)-1] != b {
			g.blocks = append(g.blocks, b)
		}
	}
	g.rows = append(g.rows[:0], in.rows...)
	if cap(g.spare) < len(g.rows) {
		g.spare = make([]int32, len(g.rows))
	}
	g.tree = &grownTree{grower: g}
	root := growLeaf{to: len(g.rows), parent: -1}
	for _, r := range g.rows {
		root.sum += in.pairs[r]
	}
	g.leaves = append(g.leaves[:0], root)
	if g.mayGrow(&g.leaves[0]) {
		l := &g.leaves[0]
		l.sums = g.newHistogram()
		l.sums.build(g.data, g.blocks, g.pairs, g.rows, g.threads)
		g.search(l)
	}
	for {
		i := g.next()
		if i < 0 {
			break
		}
		g.split(i)
	}
	g.finish()
	return g.tree
}

// mayGrow reports whether the limits let the leaf be split, and one more leaf be had.
func (g *grower) mayGrow(l *growLeaf) bool {
	p := g.params
	return (p.MaxLeaves == 0 || len(g.leaves) < p.MaxLeaves) && len(g.leaves) < maxLeavesLimit &&
		(p.MaxDepth == 0 || l.depth < p.MaxDepth) && l.to-l.from >= 2*p.MinDataInLeaf && len(g.slots) > 0
}

// search sets the best split of a leaf with sums, which are given back if there is none.
func (g *grower) search(l *growLeaf) {
	l.best = g.rule.find(g.data, g.slots, l.sums, nil, l.leafSums())
	if l.best.slot < 0 {
		g.drop(l)
	}
}

// next returns the leaf to be split next, or -1.
func (g *grower) next() int {
	if g.params.MaxLeaves > 0 && len(g.leaves) >= g.params.MaxLeaves || len(g.leaves) >= maxLeavesLimit {
		return -1
	}
	best := -1
	for i := range g.leaves {
		l := &g.leaves[i]
		if l.sums == nil {
			continue
		}
		if best >= 0 {
			b := &g.leaves[best]
			if g.params.Growth == LeafWise && l.best.gain <= b.best.gain || g.params.Growth == DepthWise && l.id > b.id {
				continue
			}
		}
		best = i
	}
	return best
}

// split divides leaf i by its best split, or sets another one if that would leave a child too few rows.
func (g *grower) split(i int) {
	l := &g.leaves[i]
	f := &g.data.features[l.best.slot]
	middle := g.partition(l, f)
	if min(middle-l.from, l.to-middle) < g.params.MinDataInLeaf {
		l.best = g.rule.find(g.data, g.slots, l.sums, g.countRows(l), l.leafSums())
		if l.best.slot < 0 {
			g.drop(l)
		}
		return
	}
	node := g.addNode(i, f)
	best, parent := l.best, *l
	left := growLeaf{from: parent.from, to: middle, sum: best.left, depth: parent.depth + 1, id: 2*node + 1, parent: node}
	right := growLeaf{from: middle, to: parent.to, sum: parent.sum - best.left, depth: parent.depth + 1, id: 2*node + 2, parent: node}
	g.leaves[i] = left
	g.leaves = append(g.leaves, right)
	g.histograms(&g.leaves[i], &g.leaves[len(g.leaves)-1], parent.sums)
}

// histograms gives the two children of a leaf their histograms and best splits, as far as they may grow. It takes over
// that of the parent: the larger child's is the parent's less the smaller child's.
func (g *grower) histograms(a, b *growLeaf, parent histogram) {
	if a.to-a.from > b.to-b.from {
		a, b = b, a // a is the smaller
	}
	if !g.mayGrow(a) && !g.mayGrow(b) {
		g.free = append(g.free, parent)
		return
	}
	a.sums = g.newHistogram()
	a.sums.build(g.data, g.blocks, g.pairs, g.rows[a.from:a.to], g.threads)
	b.sums = parent
	if g.mayGrow(b) {
		b.sums.subtract(a.sums, g.data, g.slots)
		g.search(b)
	} else {
		g.drop(b)
	}
	if g.mayGrow(a) {
		g.search(a)
	} else {
		g.drop(a)
	}
}

// partition moves the rows of the leaf that its best split sends left before the others, each part in the order it
// had, and returns where the second part begins.
func (g *grower) partition(l *growLeaf, f *feature) int {
	var goesLeft [maxBins]uint8
	for b := range l.best.bin + 1 {
		goesLeft[b] = 1
	}
	if f.missing {
		goesLeft[f.values] = 0
		if l.best.defaultLeft {
			goesLeft[f.values] = 1
		}
	}
	words, shift := g.data.blocks[l.best.slot/lanes], l.best.slot%lanes*8
	rows, spare := g.rows[l.from:l.to], g.spare[:l.to-l.from]
	left, right := 0, 0
	for _, r := range rows { // without a branch: each row is written to both sides, and one of them moves on
		to := int(goesLeft[uint8(words[r]>>(shift&63))])
		rows[left] = r
		spare[right] = r
		left += to
		right += 1 - to
	}
	copy(rows[left:], spare[:right])
	return l.from + left
}

// countRows returns the number of rows in each bin of each slot of the leaf.
func (g *grower) countRows(l *growLeaf) [][maxBins]int32 {
	counts := make([][maxBins]int32, len(g.data.features))
	for _, s := range g.slots {
		for _, r := range g.rows[l.from:l.to] {
			counts[s][g.data.bin(s, r)]++
		}
	}
	return counts
}

// addNode makes leaf i an inner node and returns its number.
func (g *grower) addNode(i int, f *feature) int32 {
	t, l := g.tree, &g.leaves[i]
	node := int32(len(t.Left))
	if l.parent >= 0 {
		if t.Left[l.parent] == ^int32(i) {
			t.Left[l.parent] = node
		} else {
			t.Right[l.parent] = node
		}
	}
	t.Feature = append(t.Feature, int32(f.column))
	t.Threshold = append(t.Threshold, l.best.threshold(f))
	t.Decision = append(t.Decision, l.best.decision(f, g.params.Family))
	t.Left = append(t.Left, ^int32(i))
	t.Right = append(t.Right, ^int32(len(g.leaves)))
	value := g.rule.weight(l.sum)
	if g.params.Family == LightGBM {
		value *= g.params.LearningRate
	}
	_, h := g.rule.unpack(l.sum)
	t.InternalValue = append(t.InternalValue, value)
	t.InternalWeight = append(t.InternalWeight, h)
	t.InternalCount = append(t.InternalCount, int32(l.to-l.from))
	t.Gain = append(t.Gain, l.best.gain)
	if g.params.Family == XGBoost {
		t.InnerID = append(t.InnerID, l.id)
	}
	t.splits = append(t.splits, l.best)
	return node
}

// finish sets what a tree says of its leaves. A tree without a split adds 0.
func (g *grower) finish() {
	t := g.tree
	t.Shrinkage = g.params.LearningRate
	for i := range g.leaves {
		l := &g.leaves[i]
		weight := 0.0
		if len(t.Left) > 0 {
			weight = g.rule.weight(l.sum)
		}
		_, h := g.rule.unpack(l.sum)
		t.LeafValue = append(t.LeafValue, g.params.Family.leafValue(weight*g.params.LearningRate))
		t.LeafWeight = append(t.LeafWeight, h)
		t.LeafCount = append(t.LeafCount, int32(l.to-l.from))
		if g.params.Family == XGBoost {
			t.LeafID = append(t.LeafID, l.id)
			t.LeafBaseWeight = append(t.LeafBaseWeight, weight)
		}
		if l.sums != nil {
			g.drop(l)
		}
	}
}

// leafValue returns the value that a leaf of the family's trees can hold nearest to x.
func (f Family) leafValue(x float64) float64 {
	if f == XGBoost {
		return float64(float32(x))
	}
	return x
}

// newHistogram returns a histogram that holds anything.
func (g *grower) newHistogram() histogram {
	if n := len(g.free); n > 0 {
		h := g.free[n-1]
		g.free = g.free[:n-1]
		return h
	}
	return make(histogram, len(g.data.blocks))
}

// drop gives the leaf's histogram back: it will not be split.
func (g *grower) drop(l *growLeaf) {
	g.free = append(g.free, l.sums)
	l.sums = nil
}

// leafOf returns the leaf that row i of the data reaches.
func (t *grownTree) leafOf(d *binned, i int32) int {
	node := int32(0)
	for node >= 0 && len(t.splits) > 0 {
		s := &t.splits[node]
		f := &d.features[s.slot]
		bin := int(d.bin(s.slot, i))
		left := bin <= s.bin
		if f.missing && bin == f.values {
			left = s.defaultLeft
		}
		if left {
			node = t.Left[node]
		} else {
			node = t.Right[node]
		}
	}
	if len(t.splits) == 0 {
		return 0
	}
	return int(^node)
}
