package gbdt

import "sync"

// rowForm is the part of a compiled model that answers single rows: several trees are walked at once, since one walk
// waits for memory most of the time. Models with few columns and thresholds have words of 32 bits for it, made like
// those of 64 bits, for eight trees in one array that starts with the roots. From the highest bit on, an inner node has
//
//	16 bits: the place of the left child
//	 8 bits: 255 - r
//	 8 bits: the column of the rank
//
// and a leaf its place, 0, and its number. Other models use the words of 64 bits, four trees at once.
type rowForm struct {
	runs []rowRun
	// words are those of 32 bits, with tableSize words of padding, or, if
	// compact, compactRowWords; nil if the model is too large for them.
	words []uint32
}

// rowRun is a piece of the work for one row: up to eight trees in words, or one tree that is walked node by node.
type rowRun struct {
	walk *walkTree
	// word is where the 32-bit words of the run start; depth is the trees' largest.
	word, depth int32
	// stop says that the row may be done after this run.
	stop bool
	// count is the number of trees; leaf and output are those of compiledTree.
	count        int32
	leaf, output [rowTrees]int32
	// root are the places of the roots in the words of 64 bits.
	root [rowTrees]int32
}

const (
	// rowTrees is the number of trees walked at once in words of 32 bits, wideRowTrees in those of 64 bits.
	rowTrees     = 8
	wideRowTrees = 4
	// rowColumns is the number of columns that words of 32 bits tell apart; the number of thresholds of a feature must be
	// below it, that of a tree's leaves not above.
	rowColumns   = 256
	rowRankShift = 8
	rowInnerMask = 0xff << rowRankShift
)

// fitsRows reports whether words of 32 bits hold the trees.
func (c *compiler) fitsRows() bool {
	if c.ranks.columns > rowColumns {
		return false
	}
	for i := range c.ranks.features {
		if c.ranks.features[i].count >= rowColumns {
			return false
		}
	}
	for i := range c.trees {
		if c.trees[i].walk == nil && c.trees[i].numLeaves > rowColumns {
			return false
		}
	}
	return true
}

// layOutRows fills rows.
func (c *compiler) layOutRows(trees []walkTree, stops []int) {
	small, words := c.fitsRows(), 0
	for i := range trees {
		if c.trees[i].walk == nil {
			words += 2*len(trees[i].nodes) + 1
		}
	}
	padding := tableSize
	if c.compact {
		padding = compactRowWords
	}
	each := wideRowTrees
	if small {
		each = rowTrees
		c.rows.words = make([]uint32, 0, words+padding)
	} else {
		c.needWords()
	}
	for from := 0; from < len(trees); {
		for len(stops) > 0 && stops[0] <= from {
			stops = stops[1:]
		}
		to := from + 1
		if c.trees[from].walk == nil {
			for to < len(trees) && to-from < each && c.trees[to].walk == nil && (len(stops) == 0 || to < stops[0]) {
				to++
			}
		}
		run := rowRun{walk: c.trees[from].walk, count: int32(to - from), stop: len(stops) > 0 && to == stops[0]}
		for j := range run.leaf {
			// A run that is not full repeats its last tree.
			t := &c.trees[min(from+j, to-1)]
			run.leaf[j], run.output[j], run.root[j] = t.leaf, t.output, t.word
			run.depth = max(run.depth, t.depth)
		}
		if small && run.walk == nil {
			run.word = int32(len(c.rows.words))
			run.depth = c.appendRowWords(trees, from, to)
		}
		c.rows.runs = append(c.rows.runs, run)
		from = to
	}
	if small {
		c.rows.words = c.rows.words[:words+padding]
	}
}

// appendRowWords appends the words of the trees [from, to) and returns the largest depth.
func (c *compiler) appendRowWords(trees []walkTree, from, to int) int32 {
	at, n := len(c.rows.words), 0
	for i := from; i < to; i++ {
		n += 2*len(trees[i].nodes) + 1
	}
	c.rows.words = c.rows.words[:at+n]
	words := c.rows.words[at:]
	var depth int32
	c.queue, depth = c.breadthFirst(c.queue, from, to, func(place, left int, leaf int32, test uint32) {
		word := uint32(left) << 16
		if left == place {
			word |= uint32(leaf)
		} else {
			word |= (rowColumns-1-test&0xff)<<rowRankShift | test>>16
		}
		words[place] = word
	})
	return depth
}

// sums are the types that raw scores are added up in.
type sums interface{ float32 | float64 }

// rowScratch is the memory for a row that the stack is too small for.
type rowScratch struct {
	ranks [maxColumns]uint32
	// narrow and raw are sums.
	narrow []float32
	raw    []float64
}

// rowPool has *rowScratch for all predictors, so that many of them take no more memory than one.
var rowPool sync.Pool

// getRow returns memory for a row, to be put back in rowPool.
func getRow() *rowScratch {
	if s, ok := rowPool.Get().(*rowScratch); ok {
		return s
	}
	return &rowScratch{}
}

// fewOutputs is the number of float32 sums that the stack holds.
const fewOutputs = 16

// addRow adds the leaf values of the row's leaves to dst. ranks are the row's for words of 32 bits, wide those for words
// of 64 bits.
func (p *Predictor) addRow(dst, row []float64, ranks *[rowColumns]uint32, wide *[maxColumns]uint32) {
	if p.model.Family == LightGBM {
		addRow(p.compiled, dst, p.compiled.leaves, row, ranks, wide, p.margin)
		return
	}
	var few [fewOutputs]float32
	raw := few[:min(len(dst), fewOutputs)]
	if len(dst) > fewOutputs {
		s := getRow()
		defer rowPool.Put(s)
		s.narrow = grow(s.narrow, len(dst))
		raw = s.narrow
	}
	for k, r := range dst {
		raw[k] = float32(r)
	}
	addRow(p.compiled, raw, p.compiled.narrowLeaves, row, ranks, wide, p.margin)
	for k, r := range raw {
		dst[k] = float64(r)
	}
}

// addRow adds the leaf values of the row's leaves to raw, in tree order, until they are far enough apart for early
// stop. ranks are the row's in words of 32 bits, wide those for words of 64 bits.
func addRow[T sums](c *compiled, raw, leaves []T, row []float64, ranks *[rowColumns]uint32, wide *[maxColumns]uint32, margin float64) {
	var at [rowTrees]uint32
	for i := range c.rows.runs {
		run := &c.rows.runs[i]
		switch {
		case run.walk != nil:
			raw[run.output[0]] += T(run.walk.output(c.ranks.family, row))
		case c.compact:
			walkRow8((*[compactRowWords]uint32)(c.rows.words[run.word:]), ranks, run.depth, &at)
		case c.rows.words != nil:
			walkRow8((*[tableSize]uint32)(c.rows.words[run.word:]), ranks, run.depth, &at)
		default:
			walkRow4((*[tableSize]uint64)(c.words[run.root[0]:]), (*[tableSize]uint64)(c.words[run.root[1]:]),
				(*[tableSize]uint64)(c.words[run.root[2]:]), (*[tableSize]uint64)(c.words[run.root[3]:]), wide, run.depth, &at)
		}
		if run.walk == nil {
			for j := range run.count {
				raw[run.output[j&7]] += leaves[run.leaf[j&7]+int32(at[j&7])]
			}
		}
		if run.stop && enough(raw, margin) {
			return
		}
	}
}

// rowLeaves writes the numbers of the row's leaves to dst.
func (c *compiled) rowLeaves(dst []int32, row []float64, ranks *[rowColumns]uint32, wide *[maxColumns]uint32) {
	n := 0
	var at [rowTrees]uint32
	for i := range c.rows.runs {
		run := &c.rows.runs[i]
		switch {
		case run.walk != nil:
			at[0] = uint32(run.walk.leaf(c.ranks.family, row))
		case c.compact:
			walkRow8((*[compactRowWords]uint32)(c.rows.words[run.word:]), ranks, run.depth, &at)
		case c.rows.words != nil:
			walkRow8((*[tableSize]uint32)(c.rows.words[run.word:]), ranks, run.depth, &at)
		default:
			walkRow4((*[tableSize]uint64)(c.words[run.root[0]:]), (*[tableSize]uint64)(c.words[run.root[1]:]),
				(*[tableSize]uint64)(c.words[run.root[2]:]), (*[tableSize]uint64)(c.words[run.root[3]:]), wide, run.depth, &at)
		}
		for j := range run.count {
			dst[n] = int32(at[j&7])
			n++
		}
	}
}
