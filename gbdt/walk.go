package gbdt

// The walks below have no branch that depends on the row and no check of an index: an array of tableSize entries is
// indexed by 16 bits, and the shorter one of a small model by fewer. They make as many steps as the tree is deep, for leaves lead to themselves; walks through deep
// trees, where most rows are in a leaf early, end as soon as all are.

// shortWalk is the depth up to which all steps are made without asking.
const shortWalk = 8

// groupRanks are the ranks of eight rows, eight words to a column.
type groupRanks = [tableSize + groupRows]uint64

// wordTable and rowTable are arrays that start with a tree's or a run's words; shorter ones need less padding at the end
// of all words.
type (
	wordTable interface {
		[tableSize]uint64 | [compactWords]uint64
	}
	rowTable interface {
		[tableSize]uint32 | [compactRowWords]uint32
	}
)

// walkGroup leads eight rows through a tree and stores the words of their leaves.
func walkGroup[T wordTable](t *T, r *groupRanks, depth int32, leaf *[groupRows]uint64) {
	last := uint16(len(*t) - 1)
	n0 := (*t)[0]
	n1, n2, n3, n4, n5, n6, n7 := n0, n0, n0, n0, n0, n0, n0
	for step := min(depth, shortWalk); step > 0; step-- {
		n0 = (*t)[uint16((n0+r[uint16(n0)])>>childShift)&last]
		n1 = (*t)[uint16((n1+r[int(uint16(n1))+1])>>childShift)&last]
		n2 = (*t)[uint16((n2+r[int(uint16(n2))+2])>>childShift)&last]
		n3 = (*t)[uint16((n3+r[int(uint16(n3))+3])>>childShift)&last]
		n4 = (*t)[uint16((n4+r[int(uint16(n4))+4])>>childShift)&last]
		n5 = (*t)[uint16((n5+r[int(uint16(n5))+5])>>childShift)&last]
		n6 = (*t)[uint16((n6+r[int(uint16(n6))+6])>>childShift)&last]
		n7 = (*t)[uint16((n7+r[int(uint16(n7))+7])>>childShift)&last]
	}
	leaf[0], leaf[1], leaf[2], leaf[3], leaf[4], leaf[5], leaf[6], leaf[7] = n0, n1, n2, n3, n4, n5, n6, n7
}

// walkOn leads eight rows on from the words in leaf, after shortWalk steps, until all are in leaves.
func walkOn[T wordTable](t *T, r *groupRanks, depth int32, leaf *[groupRows]uint64) {
	last := uint16(len(*t) - 1)
	n0, n1, n2, n3, n4, n5, n6, n7 := leaf[0], leaf[1], leaf[2], leaf[3], leaf[4], leaf[5], leaf[6], leaf[7]
	for step := depth - shortWalk; step > 0 && (n0|n1|n2|n3|n4|n5|n6|n7)&innerMask != 0; step -= 2 {
		for range 2 {
			n0 = (*t)[uint16((n0+r[uint16(n0)])>>childShift)&last]
			n1 = (*t)[uint16((n1+r[int(uint16(n1))+1])>>childShift)&last]
			n2 = (*t)[uint16((n2+r[int(uint16(n2))+2])>>childShift)&last]
			n3 = (*t)[uint16((n3+r[int(uint16(n3))+3])>>childShift)&last]
			n4 = (*t)[uint16((n4+r[int(uint16(n4))+4])>>childShift)&last]
			n5 = (*t)[uint16((n5+r[int(uint16(n5))+5])>>childShift)&last]
			n6 = (*t)[uint16((n6+r[int(uint16(n6))+6])>>childShift)&last]
			n7 = (*t)[uint16((n7+r[int(uint16(n7))+7])>>childShift)&last]
		}
	}
	leaf[0], leaf[1], leaf[2], leaf[3], leaf[4], leaf[5], leaf[6], leaf[7] = n0, n1, n2, n3, n4, n5, n6, n7
}

// walkRow8 leads one row through the eight trees of a run and stores the numbers of its leaves. Where the run has fewer
// trees it starts from other words of it, and the answers mean nothing.
func walkRow8[T rowTable](t *T, r *[rowColumns]uint32, depth int32, leaf *[rowTrees]uint32) {
	last := uint32(len(*t) - 1)
	if last == tableSize-1 {
		last = 1<<32 - 1 // which takes no instruction
	}
	n0, n1, n2, n3, n4, n5, n6, n7 := (*t)[0], (*t)[1], (*t)[2], (*t)[3], (*t)[4], (*t)[5], (*t)[6], (*t)[7]
	for step := min(depth, shortWalk); step > 0; step-- {
		n0 = (*t)[(n0+r[uint8(n0)])>>16&last]
		n1 = (*t)[(n1+r[uint8(n1)])>>16&last]
		n2 = (*t)[(n2+r[uint8(n2)])>>16&last]
		n3 = (*t)[(n3+r[uint8(n3)])>>16&last]
		n4 = (*t)[(n4+r[uint8(n4)])>>16&last]
		n5 = (*t)[(n5+r[uint8(n5)])>>16&last]
		n6 = (*t)[(n6+r[uint8(n6)])>>16&last]
		n7 = (*t)[(n7+r[uint8(n7)])>>16&last]
	}
	for step := depth - shortWalk; step > 0 && (n0|n1|n2|n3|n4|n5|n6|n7)&rowInnerMask != 0; step-- {
		n0 = (*t)[(n0+r[uint8(n0)])>>16&last]
		n1 = (*t)[(n1+r[uint8(n1)])>>16&last]
		n2 = (*t)[(n2+r[uint8(n2)])>>16&last]
		n3 = (*t)[(n3+r[uint8(n3)])>>16&last]
		n4 = (*t)[(n4+r[uint8(n4)])>>16&last]
		n5 = (*t)[(n5+r[uint8(n5)])>>16&last]
		n6 = (*t)[(n6+r[uint8(n6)])>>16&last]
		n7 = (*t)[(n7+r[uint8(n7)])>>16&last]
	}
	leaf[0], leaf[1], leaf[2], leaf[3] = n0&0xff, n1&0xff, n2&0xff, n3&0xff
	leaf[4], leaf[5], leaf[6], leaf[7] = n4&0xff, n5&0xff, n6&0xff, n7&0xff
}

// walkRow4 leads one row through four trees in words of 64 bits.
func walkRow4(t0, t1, t2, t3 *[tableSize]uint64, r *[maxColumns]uint32, depth int32, leaf *[rowTrees]uint32) {
	n0, n1, n2, n3 := t0[0], t1[0], t2[0], t3[0]
	for step := depth; step > 0 && (n0|n1|n2|n3)&innerMask != 0; step-- {
		n0 = t0[(n0+uint64(r[uint16(n0)/groupRows])<<rankShift)>>childShift]
		n1 = t1[(n1+uint64(r[uint16(n1)/groupRows])<<rankShift)>>childShift]
		n2 = t2[(n2+uint64(r[uint16(n2)/groupRows])<<rankShift)>>childShift]
		n3 = t3[(n3+uint64(r[uint16(n3)/groupRows])<<rankShift)>>childShift]
	}
	leaf[0], leaf[1] = uint32(uint16(n0>>leafShift)), uint32(uint16(n1>>leafShift))
	leaf[2], leaf[3] = uint32(uint16(n2>>leafShift)), uint32(uint16(n3>>leafShift))
}
