package gbdt

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// The quick search by products finds what the search by gains finds, with missing values or without, for any penalty L2
// and limits.
func TestQuickScanAgainstPlainScan(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	found := 0
	for n := range 3000 {
		f := &feature{values: 2 + rng.IntN(60), missing: n%2 == 0, above: 9}
		if n%4 == 0 {
			f.above = math.NaN()
		}
		var sums [maxBins]gradPair
		var leaf leafSums
		leaf.bounds = noBounds
		for b := range f.bins() {
			if rng.IntN(4) > 0 {
				sums[b] = packPair(int32(rng.IntN(2_000_001)-1_000_000), uint32(1+rng.IntN(1_000_000)))
			}
			leaf.sum += sums[b]
			leaf.rows += 10
		}
		r := &splitRule{
			family: LightGBM, scale: scales{0x1p14, 0x1p15}, l2: []float64{0, 1, 300}[rng.IntN(3)],
			minGain: []float64{0, 5}[rng.IntN(2)], minSumHessian: float64(rng.IntN(90)), minRows: int64(1 + rng.IntN(30)),
		}
		g, h := r.unpack(leaf.sum)
		scan := slotScan{
			rule: r, feature: f, sums: &sums, leaf: leaf, least: r.leastHessian(leaf, false), parent: r.score(g, h),
		}
		quick := r.quickScan(leaf, scan.least, scan.parent)
		scan.quick = &quick
		want, got := split{gain: r.minGain, slot: -1}, split{gain: r.minGain, slot: -1}
		scan.runValues(&want)
		scan.runQuick(&got)
		if want.slot < 0 {
			want.defaultLeft = got.defaultLeft // of no split
		} else {
			found++
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("case %d: got %+v, want %+v", n, got, want)
		}
	}
	if found < 1000 {
		t.Fatalf("only %d cases have a split", found)
	}
}
