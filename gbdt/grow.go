package gbdt

import "sync/atomic"

// grower makes trees, one after another. It belongs to one goroutine at a time.
type grower struct {
	params       *Params
	data         *binned
	interactions *interactions
	threads      int
	team         *team // nil for goroutines that come and go

	// rows are the rows of the sample, those of a leaf side by side; spare is room to sort them.
	rows, spare []int32
	leaves      []growLeaf
	free        []histogram // histograms to use again

	// Of the present tree:
	rule   splitRule
	rate   float64
	pairs  []gradPair // of all rows of the data
	blocks []int      // that hold the slots
	tree   *grownTree
}

// growLeaf is a leaf of a growing tree: the rows[from:to], ascending.
type growLeaf struct {
	from, to int
	sum      gradPair
	depth    int
	id       int32 // the number an XGBoost file gives it
	parent   int32 // inner node, -1 for the root
	slots    []int // that it may be split by
	groups   []int // of interactions that are left to it, nil for all
	bounds   bounds
	l2       float64
	sums     histogram
	best     split
}

func (l *growLeaf) leafSums() leafSums {
	return leafSums{sum: l.sum, rows: int64(l.to - l.from), bounds: l.bounds, l2: l.l2}
}

// grownTree is a tree with what training needs of it beside the model: leaf i has the rows that rowsOf(i) returns.
type grownTree struct {
	Tree
	splits []split
	grower *grower // holds the rows until it grows its next tree
}

// rowsOf returns the sampled rows of a leaf, ascending.
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
	rate  float64 // the learning rate
}

func newGrower(p *Params, d *binned, threads int) *grower {
	return &grower{params: p, data: d, threads: threads, interactions: newInteractions(p, d)}
}

// parallel is the function of that name, by the grower's team if it has one.
func (g *grower) parallel(n, threads int, work func(i int)) {
	if g.team == nil || threads == 1 {
		parallel(n, threads, work)
		return
	}
	g.team.run(n, work)
}

// grow returns a tree whose leaf values are the best ones times the learning rate.
func (g *grower) grow(in treeInput) *grownTree {
	p := g.params
	g.rule = splitRule{
		family: p.Family, scale: in.scale, l1: p.L1, l2: p.L2,
		minGain: p.MinGain, minSumHessian: p.MinSumHessian, minRows: int64(p.MinDataInLeaf), monotone: p.MonotoneConstraints,
		categories: categoryRule{
			smooth: p.CatSmooth, l2: p.CatL2, maxLeft: p.MaxCatThreshold, oneHot: p.MaxCatToOneHot, groupRows: int64(p.MinDataPerGroup),
		},
	}
	g.pairs, g.rate = in.pairs, in.rate
	g.blocks = g.blocks[:0]
	for _, s := range in.slots {
		if b := s / binLanes; len(g.blocks) == 0 || g.blocks[len(g.blocks)-1] != b {
			g.blocks = append(g.blocks, b)
		}
	}
	g.rows = append(g.rows[:0], in.rows...)
	if cap(g.spare) < len(g.rows) {
		g.spare = make([]int32, len(g.rows))
	}
	g.tree = &grownTree{grower: g}
	g.leaves = append(g.leaves[:0], growLeaf{to: len(g.rows), parent: -1, slots: in.slots, bounds: noBounds})
	root := &g.leaves[0]
	if g.mayGrow(root) {
		root.sums = g.build(g.rows)
		for i, p := range root.sums.slot(in.slots[0]) {
			if i < g.data.features[in.slots[0]].bins() {
				root.sum += p
			}
		}
		g.search(root)
	} else {
		for _, r := range g.rows {
			root.sum += in.pairs[r]
		}
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
		(p.MaxDepth == 0 || l.depth < p.MaxDepth) && l.to-l.from >= 2*p.MinDataInLeaf && len(l.slots) > 0
}

// searchBins is the number of bins that are worth a goroutine to search.
const searchBins = 4096

// search sets the best split of leaves with sums, which are given back where there is none.
func (g *grower) search(leaves ...*growLeaf) {
	threads := g.threads
	if n := len(leaves) * len(leaves[0].slots); n*g.params.MaxBin < searchBins {
		threads = 1
	}
	parts := 1 // of the slots of a leaf; the best of the parts' best is the best of all
	if threads > len(leaves) {
		parts = threads
	}
	found := make([]split, len(leaves)*parts)
	g.parallel(len(found), threads, func(i int) {
		l, n := leaves[i/parts], len(leaves[i/parts].slots)
		found[i] = g.rule.find(g.data, l.slots[i%parts*n/parts:(i%parts+1)*n/parts], l.sums, nil, l.leafSums())
	})
	for i, l := range leaves {
		l.best = found[i*parts]
		for _, f := range found[i*parts+1 : (i+1)*parts] {
			if f.slot >= 0 && (l.best.slot < 0 || f.gain > l.best.gain) {
				l.best = f
			}
		}
		if l.best.slot < 0 {
			g.drop(l)
		}
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
		g.rejoin(l, middle)
		l.best = g.rule.find(g.data, l.slots, l.sums, g.countRows(l), l.leafSums())
		if l.best.slot < 0 {
			g.drop(l)
		}
		return
	}
	node := g.addNode(i, f)
	best, parent := l.best, *l
	left := parent.child(parent.from, middle, best.left, 2*node+1, node)
	right := parent.child(middle, parent.to, parent.sum-best.left, 2*node+2, node)
	left.bounds, right.bounds = g.rule.childBounds(f.column, left.leafSums(), right.leafSums(), parent.bounds)
	if g.interactions != nil {
		left.groups, left.slots = g.interactions.after(best.slot, parent.groups, parent.slots)
		right.groups, right.slots = left.groups, left.slots
	}
	g.leaves[i] = left
	g.leaves = append(g.leaves, right)
	g.histograms(&g.leaves[i], &g.leaves[len(g.leaves)-1], parent.sums)
}

// child returns a child of l that has the given rows, sums, number and parent.
func (l *growLeaf) child(from, to int, sum gradPair, id, parent int32) growLeaf {
	return growLeaf{
		from: from, to: to, sum: sum, depth: l.depth + 1, id: id, parent: parent, slots: l.slots, bounds: l.bounds, l2: l.best.l2,
	}
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
	a.sums, b.sums = g.build(g.rows[a.from:a.to]), parent
	var grow []*growLeaf
	if g.mayGrow(b) {
		b.sums.subtract(a.sums, g.data, b.slots)
		grow = append(grow, b)
	} else {
		g.drop(b)
	}
	if g.mayGrow(a) {
		grow = append(grow, a)
	} else {
		g.drop(a)
	}
	g.search(grow...)
}

// buildWords is the number of words that are worth a goroutine to add.
const buildWords = 1 << 13

// buildPieces is about how many pieces a goroutine takes, so that one that was held up does not keep the others waiting.
const buildPieces = 8

// build returns the histogram of the rows. Several goroutines take pieces of them as they come; the sums are integers, so
// it does not show who added what.
func (g *grower) build(rows []int32) histogram {
	workers := max(1, min(g.threads, len(rows)*len(g.blocks)/buildWords))
	sums := make([]histogram, workers)
	for i := range sums {
		sums[i] = g.newHistogram()
	}
	if workers == 1 {
		sums[0].clear(g.blocks)
		sums[0].add(g.data, g.blocks, g.pairs, rows, len(rows))
		return sums[0]
	}
	piece := max(1, len(rows)/(workers*buildPieces*gatherRows)) * gatherRows
	var next atomic.Int64
	g.parallel(workers, workers, func(i int) {
		sums[i].clear(g.blocks)
		for {
			to := int(next.Add(int64(piece)))
			from := to - piece
			if from >= len(rows) {
				return
			}
			sums[i].add(g.data, g.blocks, g.pairs, rows[from:min(to, len(rows))], len(rows))
		}
	})
	for _, h := range sums[1:] {
		sums[0].merge(h, g.blocks)
		g.free = append(g.free, h)
	}
	return sums[0]
}

// partitionRows is the number of rows that are worth a goroutine to divide.
const partitionRows = 1 << 14

// partition moves the rows of the leaf that its best split sends left before the others, each part in the order it
// had, and returns where the second part begins.
func (g *grower) partition(l *growLeaf, f *feature) int {
	var left [maxBins]uint8
	for b := range f.bins() {
		if l.best.goesLeft(f, b) {
			left[b] = 1
		}
	}
	words, shift := g.data.blocks[l.best.slot/binLanes], l.best.slot%binLanes*8
	rows, spare := g.rows[l.from:l.to], g.spare[:l.to-l.from]
	parts := max(1, min(g.threads, len(rows)/partitionRows))
	lefts := make([]int, parts) // of each part
	g.parallel(parts, g.threads, func(i int) {
		from, to := i*len(rows)/parts, (i+1)*len(rows)/parts
		lefts[i] = divideRows(rows[from:to], spare[from:to], words, shift, &left)
	})
	middle := 0
	for i, n := range lefts {
		from := i * len(rows) / parts
		copy(rows[middle:], rows[from:from+n])
		middle += n
	}
	end := middle
	for i, n := range lefts {
		from, to := i*len(rows)/parts, (i+1)*len(rows)/parts
		end += copy(rows[end:], spare[from:to-n])
	}
	return l.from + middle
}

// rejoin undoes partition, which has returned middle: the rows ascend again.
func (g *grower) rejoin(l *growLeaf, middle int) {
	left, right := g.spare[:copy(g.spare, g.rows[l.from:middle])], g.rows[middle:l.to]
	for to := l.from; len(left) > 0; to++ { // what is left of right then stands where it belongs
		if len(right) > 0 && right[0] < left[0] {
			g.rows[to], right = right[0], right[1:]
		} else {
			g.rows[to], left = left[0], left[1:]
		}
	}
}

// divideRows moves the rows that go left to the front of rows and the others to the front of spare, each in order, and
// returns the number of the former.
func divideRows(rows, spare []int32, words []uint64, shift int, goesLeft *[maxBins]uint8) int {
	spare = spare[:len(rows)]
	left := 0
	for i, r := range rows { // without a branch: each row is written to both sides, and one of them moves on
		rows[left] = r
		spare[i-left] = r
		left += int(goesLeft[uint8(words[r]>>(shift&63))])
	}
	return left
}

// countRows returns the number of rows in each bin of each slot of the leaf.
func (g *grower) countRows(l *growLeaf) [][maxBins]int32 {
	counts := make([][maxBins]int32, len(g.data.features))
	for _, s := range l.slots {
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
	if l.best.set != nil {
		t.Threshold = append(t.Threshold, float64(max(len(t.CatBoundaries)-1, 0)))
		t.addCategorySet(l.best.categorySet(f, g.params.Family))
	} else {
		t.Threshold = append(t.Threshold, l.best.threshold(f))
	}
	t.Decision = append(t.Decision, l.best.decision(f, g.params.Family))
	t.Left = append(t.Left, ^int32(i))
	t.Right = append(t.Right, ^int32(len(g.leaves)))
	value := g.rule.weight(l.leafSums())
	if g.params.Family == LightGBM {
		value *= g.rate
	}
	_, h := g.rule.unpack(l.sum)
	stored := g.params.Family.stored
	t.InternalValue = append(t.InternalValue, stored(value))
	t.InternalWeight = append(t.InternalWeight, stored(h))
	t.InternalCount = append(t.InternalCount, int32(l.to-l.from))
	t.Gain = append(t.Gain, stored(l.best.gain))
	if g.params.Family == XGBoost {
		t.InnerID = append(t.InnerID, l.id)
	}
	t.splits = append(t.splits, l.best)
	return node
}

// addCategorySet adds a set of categories, as Tree.CatBits holds it.
func (t *Tree) addCategorySet(bits []uint32) {
	if t.CatBoundaries == nil {
		t.CatBoundaries = []int32{0}
	}
	t.CatBits = append(t.CatBits, bits...)
	t.CatBoundaries = append(t.CatBoundaries, int32(len(t.CatBits)))
}

// finish sets what a tree says of its leaves. A tree without a split adds 0.
func (g *grower) finish() {
	t, stored := g.tree, g.params.Family.stored
	t.Shrinkage = g.rate
	for i := range g.leaves {
		l := &g.leaves[i]
		weight := 0.0
		if len(t.Left) > 0 {
			weight = g.rule.weight(l.leafSums())
		}
		_, h := g.rule.unpack(l.sum)
		t.LeafValue = append(t.LeafValue, stored(weight*g.rate))
		t.LeafWeight = append(t.LeafWeight, stored(h))
		t.LeafCount = append(t.LeafCount, int32(l.to-l.from))
		if g.params.Family == XGBoost {
			t.LeafID = append(t.LeafID, l.id)
			t.LeafBaseWeight = append(t.LeafBaseWeight, stored(weight))
		}
		if l.sums != nil {
			g.drop(l)
		}
	}
}

// stored returns the number nearest to x that the family's trees hold: float32 in XGBoost.
func (f Family) stored(x float64) float64 {
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
		if s.goesLeft(&d.features[s.slot], int(d.bin(s.slot, i))) {
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
