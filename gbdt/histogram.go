package gbdt

import "math"

// gradPair packs a row's gradient and hessian, both as integers, into one word: the gradient in the high 32 bits, the
// hessian in the low ones. Words add like the pairs they hold as long as the sums fit: the gradients in 32 bits with a
// sign, the hessians, which are never negative, in 32 bits without. Integer sums do not depend on their order.
type gradPair int64

func packPair(gradient int32, hessian uint32) gradPair {
	return gradPair(gradient)<<32 | gradPair(hessian)
}

func (p gradPair) gradient() int64 { return int64(p >> 32) }
func (p gradPair) hessian() int64  { return int64(uint32(p)) }

// histBlock has the sums of each bin of binLanes features.
type histBlock [binLanes][maxBins]gradPair

// histogram has the sums over the rows of a leaf: a block for each block of the binned data. Only the blocks and bins
// of features that the tree uses mean anything.
type histogram []histBlock

// slot returns the sums of the bins of the feature in slot s.
func (h histogram) slot(s int) *[maxBins]gradPair { return &h[s/binLanes][s%binLanes] }

// addHalf is add for a block of which the second half of the lanes is empty.
func (h *histBlock) addHalf(words []uint64, pairs []gradPair) {
	pairs = pairs[:len(words)]
	for i, w := range words {
		p := pairs[i]
		h[0][uint8(w)] += p
		h[1][uint8(w>>8)] += p
		h[2][uint8(w>>16)] += p
		h[3][uint8(w>>24)] += p
	}
}

// addRows is add for the words of the given rows.
func (h *histBlock) addRows(words []uint64, rows []int32, pairs []gradPair) {
	pairs = pairs[:len(rows)]
	for i, r := range rows {
		p, w := pairs[i], words[r]
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

// denseShare: a leaf with at least one row in so many has its words read where they lie; of a smaller leaf they are
// gathered first, so that many reads wait for memory at the same time.
const denseShare = 6

// addWords adds words of the data and their pairs to block b.
func (h histogram) addWords(d *binned, b int, words []uint64, pairs []gradPair) {
	if len(d.features)-b*binLanes <= binLanes/2 {
		h[b].addHalf(words, pairs)
		return
	}
	h[b].add(words, pairs)
}

// clear sets the given blocks to 0.
func (h histogram) clear(blocks []int) {
	for _, b := range blocks {
		h[b] = histBlock{}
	}
}

// add adds to the given blocks the pairs of the given rows, which are a part of the leaf's. pairs has an entry for each
// row of the data.
func (h histogram) add(d *binned, blocks []int, pairs []gradPair, rows []int32, leaf int) {
	switch n := len(rows); {
	case n == 0:
	case int(rows[n-1]-rows[0]) == n-1: // ascending without a gap
		h.addRange(d, blocks, pairs, int(rows[0]), int(rows[0])+n)
	case leaf*denseShare >= d.rows:
		h.addDense(d, blocks, pairs, rows)
	default:
		h.addSparse(d, blocks, pairs, rows)
	}
}

func (h histogram) addRange(d *binned, blocks []int, pairs []gradPair, from, to int) {
	const step = 2048 // whose pairs stay near while the blocks take turns
	for ; from < to; from += step {
		end := min(from+step, to)
		for _, b := range blocks {
			h.addWords(d, b, d.blocks[b][from:end], pairs[from:end])
		}
	}
}

func (h histogram) addDense(d *binned, blocks []int, pairs []gradPair, rows []int32) {
	var gathered [gatherRows]gradPair
	for len(rows) > 0 {
		n := min(len(rows), gatherRows)
		for i, r := range rows[:n] {
			gathered[i] = pairs[r]
		}
		for _, b := range blocks {
			h[b].addRows(d.blocks[b], rows[:n], gathered[:n])
		}
		rows = rows[n:]
	}
}

func (h histogram) addSparse(d *binned, blocks []int, pairs []gradPair, rows []int32) {
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
			h.addWords(d, b, words[:n], gathered[:n])
		}
		rows = rows[n:]
	}
}

// merge adds the given blocks of other to those of h.
func (h histogram) merge(other histogram, blocks []int) {
	for _, b := range blocks {
		for lane := range h[b] {
			sums, more := &h[b][lane], &other[b][lane]
			for i := range sums {
				sums[i] += more[i]
			}
		}
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

// newScales returns the largest powers of two with which the sums over n rows cannot leave their 32 bits, given the
// sums of the absolute gradients and of the hessians. Rounding moves a row by at most one half. Powers of two seldom
// change from one round to the next, so that one pass over the rows mostly does for sums and pairs.
func newScales(n int, sumAbsGradient, sumHessian float64) scales {
	return scales{powerBelow(1<<31-2-float64(n), sumAbsGradient), powerBelow(1<<32-2-float64(n), sumHessian)}
}

// powerBelow returns the largest power of two up to limit/sum, or 1 for a sum of 0.
func powerBelow(limit, sum float64) float64 {
	const most = 0x1p960 // keeps scales finite; sums that would need more are as good as 0
	if sum == 0 {
		return 1
	}
	_, e := math.Frexp(min(limit/sum, most))
	return math.Ldexp(1, e-1)
}

// pack returns the pair of a gradient and a hessian of 0 or more.
func (s scales) pack(gradient, hessian float64) gradPair {
	g := float64(gradient * s.gradient)
	return packPair(int32(g+math.Copysign(0.5, g)), uint32(int64(float64(hessian*s.hessian)+0.5)))
}
