package gbdt

import (
	"context"
	"math/bits"
	"sync"
)

// Batches are answered in blocks of rows, each on one goroutine: first the ranks of the block's rows, group by group of
// eight, then tree after tree over all groups, so that a tree's words and the ranks stay in the nearest memory.

const (
	// blockRanks is how many words of ranks a block should have, near the size of a first-level cache.
	blockRanks = 3 << 10
	// maxBlockGroups is the largest number of groups of a block.
	maxBlockGroups = 64
	minBlockGroups = 4
	// fewRows is the number of rows that are quicker answered one by one than as a group.
	fewRows = 2
)

// blockScratch is the memory that a block needs.
type blockScratch struct {
	// ranks has columns*groupRows words for each group, and padding.
	ranks []uint64
	// sums and narrowSums have, for each group and output, groupRows sums.
	sums       []float64
	narrowSums []float32
	// wide and narrow hold rows that are not in the matrix as they are needed: eight of a group.
	wide   []float64
	narrow []float32
	// rows holds the rows of a float32 matrix as float64, for trees that are walked node by node.
	rows []float64
	// raw holds raw scores, row one row.
	raw, row []float64
	// bytes has the ranks and leaf the leaves of scanRows rows.
	bytes []uint8
	leaf  [scanRows]uint8
}

// blockPool has *blockScratch for all predictors, so that many of them take no more memory than one.
var blockPool sync.Pool

// blockGroups returns the number of groups that blocks of x are made of.
func (p *Predictor) blockGroups(x Matrix) int {
	columns := max(p.compiled.ranks.columns, 1)
	groups := min(max(blockRanks/(columns*groupRows), minBlockGroups), maxBlockGroups)
	if x.rows >= scanFew && p.scanForm() != nil {
		groups = scanRows / groupRows
	}
	share := (x.rows + threadCount(p.threads) - 1) / threadCount(p.threads)
	return max(min(groups, (share+groupRows-1)/groupRows), 1)
}

// blocks calls work for all the blocks of rows [from, to) of x, on several goroutines, each with memory of its own, and
// returns the context's error if that ends first.
func (p *Predictor) blocks(ctx context.Context, x Matrix, work func(s *blockScratch, from, to int)) error {
	rows := p.blockGroups(x) * groupRows
	parallel((x.rows+rows-1)/rows, threadCount(p.threads), func(b int) {
		if ctx.Err() != nil {
			return
		}
		s, _ := blockPool.Get().(*blockScratch)
		if s == nil {
			s = &blockScratch{}
		}
		work(s, b*rows, min((b+1)*rows, x.rows))
		blockPool.Put(s)
	})
	return ctx.Err()
}

// grow returns s with length n; what it holds is not kept.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, 1<<bits.Len(uint(n-1)))[:n]
	}
	return s[:n]
}

// rankBlock prepares the words, fills the ranks of rows [from, to) and, if trees need them, the rows as float64, and returns the number of
// groups and the float64 rows.
func (c *compiled) rankBlock(s *blockScratch, x Matrix, from, to int) (groups int, rows []float64) {
	c.needWords()
	groups = (to - from + groupRows - 1) / groupRows
	each := c.ranks.columns * groupRows
	s.ranks = grow(s.ranks, groups*each+len(groupRanks{}))
	for g := range groups {
		i := from + g*groupRows
		c.rankGroup(s, s.ranks[g*each:(g+1)*each], x, i, min(i+groupRows, to))
	}
	switch {
	case !c.slow:
	case x.f64 != nil:
		rows = x.f64[from*x.cols : to*x.cols]
	default:
		s.rows = grow(s.rows, (to-from)*x.cols)
		rows = s.rows
		for i, v := range x.f32[from*x.cols : to*x.cols] {
			rows[i] = float64(v)
		}
	}
	return groups, rows
}

// rankGroup writes the ranks of the up to eight rows [from, to) to dst.
func (c *compiled) rankGroup(s *blockScratch, dst []uint64, x Matrix, from, to int) {
	if len(dst) == 0 {
		return
	}
	n := (to - from) * x.cols
	full := to-from == groupRows
	switch {
	case x.f64 == nil && full:
		c.ranks.rankGroup32(dst, x.f32[from*x.cols:to*x.cols], x.cols)
	case x.f64 == nil:
		s.narrow = grow(s.narrow, groupRows*x.cols)
		clear(s.narrow[copy(s.narrow, x.f32[from*x.cols:to*x.cols]):])
		c.ranks.rankGroup32(dst, s.narrow, x.cols)
	case c.ranks.family == XGBoost:
		s.narrow = grow(s.narrow, groupRows*x.cols)
		for i, v := range x.f64[from*x.cols : to*x.cols] {
			s.narrow[i] = float32(v)
		}
		clear(s.narrow[n:])
		c.ranks.rankGroup32(dst, s.narrow, x.cols)
	case full:
		c.ranks.rankGroup64(dst, x.f64[from*x.cols:to*x.cols], x.cols)
	default:
		s.wide = grow(s.wide, groupRows*x.cols)
		clear(s.wide[copy(s.wide, x.f64[from*x.cols:to*x.cols]):])
		c.ranks.rankGroup64(dst, s.wide, x.cols)
	}
}

// rawBlock writes the raw scores of rows [from, to) of x to dst.
func (p *Predictor) rawBlock(s *blockScratch, dst []float64, x Matrix, from, to int) {
	c := p.compiled
	if n := to - from; n >= scanFew && n <= scanRows {
		if f := p.scanForm(); f != nil {
			p.scanBlock(f, s, dst, x, from, to)
			return
		}
	}
	groups, rows := c.rankBlock(s, x, from, to)
	n := groups * groupRows * p.model.Outputs
	if p.model.Family == XGBoost {
		s.narrowSums = grow(s.narrowSums, n)
		blockSums(c, s.narrowSums, c.narrowLeaves, p.model.BaseMargin, s.ranks, rows, x.cols, to-from)
		unpack(dst, s.narrowSums, p.model.Outputs)
		return
	}
	s.sums = grow(s.sums, n)
	blockSums(c, s.sums, c.leaves, p.model.BaseMargin, s.ranks, rows, x.cols, to-from)
	unpack(dst, s.sums, p.model.Outputs)
}

// blockSums adds the leaf values of n rows up, in tree order, from base: the sum of output k and row i of group g is at
// (g*len(base)+k)*groupRows + i.
func blockSums[T sums](c *compiled, sums, leaves []T, base []float64, ranks []uint64, rows []float64, cols, n int) {
	outputs := len(base)
	for i := range sums {
		sums[i] = T(base[i/groupRows%outputs])
	}
	for i := range c.trees {
		t := &c.trees[i]
		if t.walk == nil {
			words, values := c.words[t.word:], leaves[t.leaf:t.leaf+t.numLeaves]
			if c.compact {
				addTree(t, (*[compactWords]uint64)(words), values, ranks, c.ranks.columns*groupRows, sums, outputs*groupRows)
			} else {
				addTree(t, (*[tableSize]uint64)(words), values, ranks, c.ranks.columns*groupRows, sums, outputs*groupRows)
			}
			continue
		}
		for r := range n {
			sums[(r/groupRows*outputs+int(t.output))*groupRows+r%groupRows] += T(t.walk.output(c.ranks.family, rows[r*cols:(r+1)*cols]))
		}
	}
}

// addTree adds the leaf values of a tree to the sums of all groups; a group has ranksEach ranks and sumsEach sums.
func addTree[W wordTable, T sums](t *compiledTree, w *W, leaves []T, ranks []uint64, ranksEach int, sums []T, sumsEach int) {
	var leaf [groupRows]uint64
	for ; len(sums) > 0; sums, ranks = sums[sumsEach:], ranks[ranksEach:] {
		r := (*groupRanks)(ranks)
		walkGroup(w, r, t.depth, &leaf)
		if t.depth > shortWalk {
			walkOn(w, r, t.depth, &leaf)
		}
		s := (*[groupRows]T)(sums[int(t.output)*groupRows:])
		for lane := range s {
			s[lane] += leaves[uint16(leaf[lane]>>leafShift)]
		}
	}
}

// unpack writes sums, as blockSums leaves them, to dst, row after row.
func unpack[T sums](dst []float64, sums []T, outputs int) {
	for i := range len(dst) / outputs {
		at := i/groupRows*outputs*groupRows + i%groupRows
		for k := range outputs {
			dst[i*outputs+k] = float64(sums[at+k*groupRows])
		}
	}
}

// leafBlock writes the numbers of the leaves of rows [from, to) of x to dst.
func (p *Predictor) leafBlock(s *blockScratch, dst []int32, x Matrix, from, to int) {
	c := p.compiled
	_, rows := c.rankBlock(s, x, from, to)
	trees := len(c.trees)
	for i := range c.trees {
		t := &c.trees[i]
		if t.walk != nil {
			for r := range to - from {
				dst[r*trees+i] = t.walk.leaf(c.ranks.family, rows[r*x.cols:(r+1)*x.cols])
			}
			continue
		}
		column := dst[i:]
		ranks, each := s.ranks, c.ranks.columns*groupRows
		if c.compact {
			writeLeaves(t, (*[compactWords]uint64)(c.words[t.word:]), ranks, each, column, trees)
		} else {
			writeLeaves(t, (*[tableSize]uint64)(c.words[t.word:]), ranks, each, column, trees)
		}
	}
	for r := range to - from {
		p.fileNumbers(dst[r*trees : (r+1)*trees])
	}
}

// writeLeaves writes the numbers of the leaves of a tree that the rows reach to dst, at every trees-th place.
func writeLeaves[W wordTable](t *compiledTree, w *W, ranks []uint64, ranksEach int, dst []int32, trees int) {
	var leaf [groupRows]uint64
	for at := 0; at < len(dst); ranks = ranks[ranksEach:] {
		r := (*groupRanks)(ranks)
		walkGroup(w, r, t.depth, &leaf)
		if t.depth > shortWalk {
			walkOn(w, r, t.depth, &leaf)
		}
		for lane := 0; lane < groupRows && at < len(dst); lane++ {
			dst[at] = int32(uint16(leaf[lane] >> leafShift))
			at += trees
		}
	}
}
