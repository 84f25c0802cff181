package gbdt

import (
	"math"
	"slices"
	"sync"
)

// compiled is the form of a model's trees that answers rows quickly. A tree whose nodes all compare numbers becomes an
// array of 64-bit words that a row's ranks (see ranker) lead through without a branch, children side by side. All other
// trees (categories, linear leaves, thresholds that are NaN, too many nodes, thresholds or features) are walked node by
// node. Either way the leaf is the same, and so are the sums.
//
// The word of an inner node holds, from the highest bit on, in 16 bits each
//
//	the place of the left child in the tree; the right one follows it
//	65535 - r, where the node sends ranks above r right
//	0
//	8 * the column of the rank
//
// so that word + rank<<32 has the next place in its highest bits. A leaf's word has its own place, 0, the leaf's number
// and 0: it leads to itself.
type compiled struct {
	ranks *ranker
	trees []compiledTree
	// words are the nodes of all trees, with tableSize words of padding, or, if compact, compactWords; they and the
	// depths of the trees are there once needWords has been called.
	words     []uint64
	wordsOnce sync.Once
	source    []walkTree
	// compact says that the trees are so few and small that the padding would be most of the memory: their arrays are
	// shorter, at the price of an instruction for each node.
	compact bool
	// leaves are the leaf values of all trees of a LightGBM model, narrowLeaves those of an XGBoost model, multiplied by
	// the tree's weight.
	leaves       []float64
	narrowLeaves []float32
	// rows is the form for single rows.
	rows rowForm
	// tests has, for each inner node of the trees that words hold, tree after tree, the column in the high and the number
	// of the threshold in the low 16 bits.
	tests []uint32
	// slow says that some trees are walked node by node.
	slow bool
}

type compiledTree struct {
	// walk is nil for a tree that words hold.
	walk   *walkTree
	output int32
	// word is the place of the root, leaf that of the first of numLeaves leaf values.
	word, leaf, numLeaves int32
	// test is the place of the first of the tests.
	test  int32
	depth int32
}

const (
	childShift = 48
	leafShift  = 16
	// innerMask has the bits that are 0 in a leaf's word and not all 0 in another.
	innerMask = 0xffff << rankShift
	// compactWords is the length of the array that starts with a tree in a compact form, compactRowWords with a run.
	compactWords    = 1 << 8
	compactRowWords = rowTrees * compactWords
	// maxColumns is the number of columns that 16 bits tell apart.
	maxColumns = tableSize / groupRows
	// maxLeaves keeps places in words and leaves within 32 bits.
	maxLeaves = math.MaxInt32 / 4
)

// compiler is what compile needs while it works.
type compiler struct {
	*compiled
	family Family
	// thresholds are the keys by feature, rules the rules in use.
	thresholds [][]uint64
	rules      [][missingRules]bool
	// ranked has the ranked features by number.
	ranked []*rankedFeature
	queue  []layoutNode
}

// layoutNode is a node of a tree (c < 0: leaf ^c).
type layoutNode struct{ tree, c int32 }

// compile prepares the trees. A single row is looked at for early stop after stops[i] trees; stops ascends.
func compile(family Family, features int, trees []walkTree, stops []int) *compiled {
	c := &compiler{compiled: &compiled{trees: make([]compiledTree, len(trees)), source: trees}, family: family}
	leaves := 0
	for i := range trees {
		w := &trees[i]
		c.trees[i] = compiledTree{output: int32(w.tree.Output), leaf: int32(leaves), numLeaves: int32(len(w.tree.LeafValue))}
		if w.fitsWords() {
			leaves += len(w.tree.LeafValue)
		} else {
			c.trees[i].walk = w
		}
	}
	if leaves > maxLeaves || !c.rank(features, trees) {
		c.ranks = &ranker{family: family}
		for i := range trees {
			c.trees[i].walk = &trees[i]
		}
	}
	c.slow = slices.ContainsFunc(c.trees, func(t compiledTree) bool { return t.walk != nil })
	if family == LightGBM {
		c.leaves = make([]float64, 0, leaves)
	} else {
		c.narrowLeaves = make([]float32, 0, leaves)
	}
	for i := range trees {
		if c.trees[i].walk != nil {
			continue
		}
		w := &trees[i]
		if family == LightGBM {
			c.leaves = append(c.leaves, w.tree.LeafValue...)
			continue
		}
		for _, v := range w.tree.LeafValue {
			c.narrowLeaves = append(c.narrowLeaves, float32(w.weight*float32(v)))
		}
	}
	c.fillTests(trees)
	c.compact = c.isCompact(trees)
	at := int32(0)
	for i := range trees {
		if t := &c.trees[i]; t.walk == nil {
			t.word = at
			at += int32(2*len(trees[i].nodes) + 1)
		}
	}
	c.layOutRows(trees, stops)
	return c.compiled
}

// isCompact reports whether a compact form does for the trees: they are small, there are not many, and words of 32 bits
// hold them.
func (c *compiler) isCompact(trees []walkTree) bool {
	total := 0
	for i := range trees {
		if c.trees[i].walk != nil {
			continue
		}
		words := 2*len(trees[i].nodes) + 1
		if words > compactWords {
			return false
		}
		total += words
	}
	return total <= tableSize/2 && c.fitsRows()
}

// fitsWords reports whether words can hold the tree.
func (w *walkTree) fitsWords() bool {
	if w.tree.Linear != nil || 2*len(w.nodes)+1 > tableSize {
		return false
	}
	for i := range w.nodes {
		if n := &w.nodes[i]; n.decision&DecisionCategorical != 0 || n.threshold != n.threshold {
			return false
		}
	}
	return true
}

// rank makes the ranker of the trees that words hold and reports whether they are within the limits.
func (c *compiler) rank(features int, trees []walkTree) bool {
	counts, total := make([]int, features), 0
	for i := range trees {
		if c.trees[i].walk == nil {
			for j := range trees[i].nodes {
				counts[trees[i].nodes[j].feature]++
			}
			total += len(trees[i].nodes)
		}
	}
	all := make([]uint64, total)
	c.thresholds, c.rules = make([][]uint64, features), make([][missingRules]bool, features)
	for f, n := range counts {
		c.thresholds[f], all = all[:0:n], all[n:]
	}
	for i := range trees {
		if c.trees[i].walk != nil {
			continue
		}
		for j := range trees[i].nodes {
			n := &trees[i].nodes[j]
			c.thresholds[n.feature] = append(c.thresholds[n.feature], thresholdKey(c.family, n.threshold))
			c.rules[n.feature][ruleOf(c.family, n.decision)] = true
		}
	}
	c.ranks = newRanker(c.family, c.thresholds, c.rules)
	if c.ranks == nil || c.ranks.columns > maxColumns {
		return false
	}
	c.ranked = make([]*rankedFeature, features)
	for i := range c.ranks.features {
		f := &c.ranks.features[i]
		c.ranked[f.feature] = f
	}
	return true
}

// fillTests fills tests.
func (c *compiler) fillTests(trees []walkTree) {
	total := 0
	for i := range trees {
		total += len(trees[i].nodes)
	}
	c.tests = make([]uint32, 0, total)
	for i := range trees {
		if c.trees[i].walk != nil {
			continue
		}
		c.trees[i].test = int32(len(c.tests))
		for j := range trees[i].nodes {
			n := &trees[i].nodes[j]
			f := c.ranked[n.feature]
			column := int(f.column)
			if len(f.rules) > 1 {
				column += slices.Index(f.rules, ruleOf(c.family, n.decision))
			}
			c.tests = append(c.tests, uint32(column)<<16|uint32(c.ranks.number(f, thresholdKey(c.family, n.threshold))))
		}
	}
}

// needWords fills words, a tree after the other, and the depths, when it is first called.
func (c *compiled) needWords() {
	c.wordsOnce.Do(func() {
		total := 0
		for i := range c.trees {
			if c.trees[i].walk == nil {
				total += 2*len(c.source[i].nodes) + 1
			}
		}
		padding := tableSize
		if c.compact {
			padding = compactWords
		}
		c.words = make([]uint64, total+padding)
		var queue []layoutNode
		for i := range c.trees {
			t := &c.trees[i]
			if t.walk != nil {
				continue
			}
			words := c.words[t.word:]
			queue, t.depth = c.breadthFirst(queue, i, i+1, func(place, left int, leaf int32, test uint32) {
				word := uint64(left) << childShift
				if left == place {
					word |= uint64(leaf) << leafShift
				} else {
					word |= uint64(tableSize-1-test&0xffff)<<rankShift | uint64(test>>16*groupRows)
				}
				words[place] = word
			})
		}
	})
}

// breadthFirst calls put for each node of the trees [from, to), roots first, then level by level, with its place in that
// order, that of its left child (its own for a leaf) and the leaf's number or the inner node's test. It returns the
// memory of queue, to be used again, and the largest depth.
func (c *compiled) breadthFirst(queue []layoutNode, from, to int, put func(place, left int, leaf int32, test uint32)) ([]layoutNode, int32) {
	queue = queue[:0]
	for i := from; i < to; i++ {
		root := layoutNode{int32(i), 0}
		if len(c.source[i].nodes) == 0 {
			root.c = ^0
		}
		queue = append(queue, root)
	}
	depth, end := int32(0), len(queue)
	for at := 0; at < len(queue); at++ {
		if at == end {
			depth++
			end = len(queue)
		}
		q := queue[at]
		if q.c < 0 {
			put(at, at, ^q.c, 0)
			continue
		}
		n := &c.source[q.tree].nodes[q.c]
		put(at, len(queue), 0, c.tests[c.trees[q.tree].test+q.c])
		queue = append(queue, layoutNode{q.tree, n.left}, layoutNode{q.tree, n.right})
	}
	return queue, depth
}
