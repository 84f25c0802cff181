package gbdt

// gradPair packs a row's gradient and hessian, both as integers, into one word: the gradient in the high 32 bits, the
// hessian in the low ones. Words add like the pairs they hold as long as the sums fit: the gradients in 32 bits with a
// sign, the hessians, which are never negative, in 32 bits without. Integer sums do not depend on their order.
type gradPair int64

func packPair(gradient int32, hessian uint32) gradPair {
	return gradPair(gradient)<<32 | gradPair(hessian)
}

func (p gradPair) gradient() int64 { return int64(p >> 32) }
func (p gradPair) hessian() int64  { return int64(uint32(p)) }

// histBlock has the sums of each bin of lanes features.
type histBlock [lanes][maxBins]gradPair

// histogram has the sums over the rows of a leaf: a block for each block of the binned data. Only the blocks and bins
// of features that the tree uses mean anything.
type histogram []histBlock

// slot returns the sums of the bins of the feature in slot s.
func (h histogram) slot(s int) *[maxBins]gradPair { return &h[s/lanes][s%lanes] }

// add adds the pairs of rows to their bins in each lane; words and pairs have the same length.
func (h *histBlock) add(words []uint64, pairs []gradPair) {
	pairs = pairs[:len(words)]
	for i, w := range words {
		p := pairs[i]
		h[0][uint8(w)] += p
		h[1][uint8(w>>8)] += p
		h[2][uint8(w>>16)] += p
		h[3][uint8(w>>24)] += p
		h[4][uint8(w>>32)] += p
		h[5][uint8(w>>40)] += p
		h[6][uint8(w>>48)] += p
		h[7][uint8(w>>56)] += p
	}
}

// gatherRows is the number of rows whose words and pairs are copied side by side before they are added.
const gatherRows = 1024

// build sets the given blocks of h to the sums of pairs over the given rows of the data. pairs has an entry for each
// row of the data.
func (h histogram) build(d *binned, blocks []int, pairs []gradPair, rows []int32, threads int) {
	if len(rows)*len(blocks) < 1<<15 {
		threads = 1 // not worth a goroutine
	}
	parts := min(threads, len(blocks))
	parallel(parts, threads, func(i int) {
		h.buildBlocks(d, blocks[i*len(blocks)/parts:(i+1)*len(blocks)/parts], pairs, rows)
	})
}

func (h histogram) buildBlocks(d *binned, blocks []int, pairs []gradPair, rows []int32) {
	for _, b := range blocks {
		h[b] = histBlock{}
	}
	if len(rows) == d.rows { // all rows, so their order does not matter
		for from := 0; from < d.rows; from += gatherRows {
			to := min(from+gatherRows, d.rows)
			for _, b := range blocks {
				h[b].add(d.blocks[b][from:to], pairs[from:to])
			}
		}
		return
	}
	var words [gatherRows]uint64
	var gathered [gatherRows]gradPair
	for len(rows) > 0 {
		n := min(len(rows), gatherRows)
		for i, r := range rows[:n] {
			gathered[i] = pairs[r]
		}
		for _, b := range blocks {
			source := d.blocks[b]
			for i, r := range rows[:n] {
				words[i] = source[r]
			}
			h[b].add(words[:n], gathered[:n])
		}
		rows = rows[n:]
	}
}

// subtract sets the given slots of h to those of h less those of other.
func (h histogram) subtract(other histogram, d *binned, slots []int) {
	for _, s := range slots {
		a, b := h.slot(s), other.slot(s)
		for i := range d.features[s].bins() {
			a[i&(maxBins-1)] -= b[i&(maxBins-1)]
		}
	}
}

// scales turns gradients and hessians into the integers of a gradPair and sums of those back.
type scales struct {
	gradient, hessian float64
}

// newScales returns the largest scales with which the sums over n rows cannot leave their 32 bits, given the sums of
// the absolute gradients and of the hessians. Rounding moves a row by at most one half.
func newScales(n int, sumAbsGradient, sumHessian float64) scales {
	const most = 1e290 // keeps scales finite; sums that would need more are as good as 0
	s := scales{1, 1}
	if sumAbsGradient > 0 {
		s.gradient = min((1<<31-2-float64(n))/sumAbsGradient, most)
	}
	if sumHessian > 0 {
		s.hessian = min((1<<32-2-float64(n))/sumHessian, most)
	}
	return s
}

// pack returns the pair of a gradient and a hessian of 0 or more.
func (s scales) pack(gradient, hessian float64) gradPair {
	g := float64(gradient * s.gradient)
	if g < 0 {
		g -= 0.5
	} else {
		g += 0.5
	}
	return packPair(int32(g), uint32(float64(hessian*s.hessian)+0.5))
}
