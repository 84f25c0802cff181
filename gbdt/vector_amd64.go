package gbdt

// canScan says that the processor and the operating system have AVX2.
var canScan = hasAVX2()

// hasAVX2 asks the processor.
func hasAVX2() bool {
	const osxsave, avx, avx2 = 1 << 27, 1 << 28, 1 << 5
	if most, _, _, _ := cpuid(0, 0); most < 7 {
		return false
	}
	if _, _, c, _ := cpuid(1, 0); c&osxsave == 0 || c&avx == 0 {
		return false
	}
	if xgetbv()&6 != 6 { // the registers of SSE and AVX are saved
		return false
	}
	_, b, _, _ := cpuid(7, 0)
	return b&avx2 != 0
}

// cpuid returns what the instruction CPUID answers to the leaf in EAX and the subleaf in ECX.
func cpuid(leaf, subleaf uint32) (a, b, c, d uint32)

// xgetbv returns the low half of extended control register 0.
func xgetbv() uint32

// scanLeaves writes the leaf that each of scanRows rows reaches, counted from the left, to leaf. ranks has scanRows bytes
// for each column; from step on, the planes have as many steps as count says, one plane after the other.
func scanLeaves(ranks []uint8, step *scanStep, count *[scanPlanes]uint32, planes int, leaf *[scanRows]uint8) {
	if len(ranks) == 0 { // a tree of one leaf has no steps and no columns
		clear(leaf[:])
		return
	}
	scanAVX2(&ranks[0], step, count, planes, leaf)
}

// scanAVX2 is scanLeaves; planes is at least 1.
//
//go:noescape
func scanAVX2(ranks *uint8, step *scanStep, count *[scanPlanes]uint32, planes int, leaf *[scanRows]uint8)
