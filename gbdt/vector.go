package gbdt

import "slices"

// scanForm is the form of a model for vector instructions, used for blocks of scanRows rows where the processor has them
// and all trees are small: instead of walking down a tree it looks at every node, for many rows at once. Leaves are
// numbered from left to right, and each row starts with a bit for each leaf; a node whose test sends the row right takes
// away the bits of the leaves on its left. The lowest bit that remains is the row's leaf.
//
// Bits are held in planes of 8 leaves, a byte for each row. What a node does to a plane is a scanStep.
//
// Source: Lucchese et al., QuickScorer (2015); Ye et al., RapidScorer (2018).
type scanForm struct {
	trees []scanTree
	steps []scanStep
	// values are the leaf values of a LightGBM model, narrowValues those of an XGBoost model, in the order of scanTree's
	// leaves, with padding of 256.
	values       []float64
	narrowValues []float32
}

// scanTree has the trees in their order.
type scanTree struct {
	output int32
	// value is the place of the first leaf value, step that of the first step.
	value, step int32
	planes      int32
	// count is the number of steps of each plane, one plane after the other.
	count [scanPlanes]uint32
}

// scanStep says: in rows whose rank in a column is above rank, only the bits in keep stay. The assembly knows its layout.
type scanStep struct {
	// at is scanRows * column.
	at         uint32
	rank, keep uint8
	_          uint16
}

const (
	// scanRows is the number of rows of a block.
	scanRows = 128
	// scanPlanes is the largest number of planes of a tree.
	scanPlanes = 8
	// scanFew is the number of rows from which on a block that is not full is scanned: it takes as long as a full one.
	scanFew = 40
)

// scanForm returns the form, made when first asked for, or nil if it does not fit the model or is not wanted.
func (p *Predictor) scanForm() *scanForm {
	if p.portable {
		return nil
	}
	p.scanOnce.Do(func() { p.scan = p.compiled.makeScan(p.trees) })
	return p.scan
}

// makeScan returns the form, or nil if it does not fit the model.
func (c *compiled) makeScan(trees []walkTree) *scanForm {
	for i := range c.ranks.features {
		if c.ranks.features[i].count > 255 {
			return nil
		}
	}
	for i := range c.trees {
		if c.trees[i].walk != nil || c.trees[i].numLeaves > 8*scanPlanes {
			return nil
		}
	}
	s := &scanForm{trees: make([]scanTree, len(trees)), steps: make([]scanStep, 0, len(c.tests)+len(c.tests)/3)}
	s.values, s.narrowValues = make([]float64, 0, len(c.leaves)+256), make([]float32, 0, len(c.narrowLeaves)+256)
	var planes [scanPlanes][]scanStep
	var leaves []int32
	for i := range trees {
		t := &c.trees[i]
		for p := range planes {
			planes[p] = planes[p][:0]
		}
		b := scanBuilder{nodes: trees[i].nodes, tests: c.tests[t.test:], planes: &planes, leaves: leaves[:0]}
		root := int32(0)
		if len(b.nodes) == 0 {
			root = ^0
		}
		b.visit(root)
		to := &s.trees[i]
		*to = scanTree{output: t.output, value: t.leaf, step: int32(len(s.steps)), planes: (t.numLeaves + 7) / 8}
		for p, steps := range planes {
			to.count[p] = uint32(len(steps))
			s.steps = append(s.steps, steps...)
		}
		leaves = b.leaves
		for _, l := range leaves {
			if c.ranks.family == XGBoost {
				s.narrowValues = append(s.narrowValues, c.narrowLeaves[t.leaf+l])
			} else {
				s.values = append(s.values, c.leaves[t.leaf+l])
			}
		}
	}
	s.steps = slices.Clip(append(s.steps, scanStep{})) // the steps of a last tree without any have an address
	s.values, s.narrowValues = append(s.values, make([]float64, 256)...), append(s.narrowValues, make([]float32, 256)...)
	return s
}

// scanBuilder makes the steps of a tree.
type scanBuilder struct {
	nodes  []walkNode
	tests  []uint32
	planes *[scanPlanes][]scanStep
	// leaves are the numbers of the leaves from left to right.
	leaves []int32
}

// visit goes through node c (c < 0: leaf ^c) and what is below, from left to right.
func (b *scanBuilder) visit(c int32) {
	if c < 0 {
		b.leaves = append(b.leaves, ^c)
		return
	}
	n := &b.nodes[c]
	from := len(b.leaves)
	b.visit(n.left)
	to := len(b.leaves)
	test := b.tests[c]
	for p := from / 8; p*8 < to; p++ {
		gone := (1<<(min(to-p*8, 8)) - 1) &^ (1<<max(from-p*8, 0) - 1)
		b.planes[p] = append(b.planes[p], scanStep{at: test >> 16 * scanRows, rank: uint8(test), keep: ^uint8(gone)})
	}
	b.visit(n.right)
}

// scanBlock is rawBlock for up to scanRows rows.
func (p *Predictor) scanBlock(f *scanForm, s *blockScratch, dst []float64, x Matrix, from, to int) {
	c := p.compiled
	columns, outputs := c.ranks.columns, p.model.Outputs
	s.ranks = grow(s.ranks, columns*groupRows)
	s.bytes = grow(s.bytes, columns*scanRows)
	for i := from; i < to; i += groupRows {
		c.rankGroup(s, s.ranks, x, i, min(i+groupRows, to))
		for column := range columns {
			ranks, bytes := s.ranks[column*groupRows:][:groupRows], s.bytes[column*scanRows+i-from:][:groupRows]
			for lane, r := range ranks {
				bytes[lane] = uint8(r >> rankShift)
			}
		}
	}
	n := outputs * scanRows
	if p.model.Family == XGBoost {
		s.narrowSums = grow(s.narrowSums, n)
		scanSums(f, s, s.narrowSums, f.narrowValues, p.model.BaseMargin)
		scanUnpack(dst, s.narrowSums, outputs)
		return
	}
	s.sums = grow(s.sums, n)
	scanSums(f, s, s.sums, f.values, p.model.BaseMargin)
	scanUnpack(dst, s.sums, outputs)
}

// scanSums adds the leaf values up, in tree order, from base; sums has scanRows sums for each output.
func scanSums[T sums](f *scanForm, s *blockScratch, sums, values []T, base []float64) {
	for i := range sums {
		sums[i] = T(base[i/scanRows])
	}
	for i := range f.trees {
		t := &f.trees[i]
		scanLeaves(s.bytes, &f.steps[t.step], &t.count, int(t.planes), &s.leaf)
		sum, value := (*[scanRows]T)(sums[int(t.output)*scanRows:]), (*[256]T)(values[t.value:])
		for r, l := range &s.leaf {
			sum[r] += value[l]
		}
	}
}

// scanUnpack writes sums, as scanSums leaves them, to dst, row after row.
func scanUnpack[T sums](dst []float64, sums []T, outputs int) {
	for k := range outputs {
		for i, v := range sums[k*scanRows:][:len(dst)/outputs] {
			dst[i*outputs+k] = float64(v)
		}
	}
}
