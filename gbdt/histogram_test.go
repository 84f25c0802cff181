package gbdt

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestHistogramAgainstPlainSums(t *testing.T) {
	p := DefaultParams(LightGBM)
	d := newBinned(testDataset(t, 11, 5000, 19, p), &p) // the last of three blocks is half empty
	rng := rand.New(rand.NewPCG(1, 1))
	pairs := make([]gradPair, d.rows)
	for i := range pairs {
		pairs[i] = packPair(int32(rng.IntN(1<<17)-1<<16), uint32(rng.IntN(1<<17)))
	}
	all := make([]int32, d.rows)
	var few, some, rest []int32
	for i := range all {
		all[i] = int32(i)
		switch {
		case rng.IntN(3) > 0:
			rest = append(rest, int32(i))
		default:
			some = append(some, int32(i))
			if rng.IntN(6) == 0 {
				few = append(few, int32(i))
			}
		}
	}
	blocks := []int{0, 1, 2}
	slots := make([]int, len(d.features))
	for s := range slots {
		slots[s] = s
	}
	check := func(name string, h histogram, rows []int32) {
		t.Helper()
		for _, s := range slots {
			var g, hessian [maxBins]int64
			for _, r := range rows {
				g[d.bin(s, r)] += pairs[r].gradient()
				hessian[d.bin(s, r)] += pairs[r].hessian()
			}
			for b := range d.features[s].bins() {
				if sum := h.slot(s)[b]; sum.gradient() != g[b] || sum.hessian() != hessian[b] {
					t.Fatalf("%s, slot %d bin %d: got %d, %d, want %d, %d", name, s, b, sum.gradient(), sum.hessian(), g[b], hessian[b])
				}
			}
		}
	}
	whole, part := make(histogram, len(d.blocks)), make(histogram, len(d.blocks))
	set := func(h histogram, rows []int32) {
		h.clear(blocks)
		h.add(d, blocks, pairs, rows, len(rows))
	}
	part[0][0][0] = 99 // what was there must be forgotten
	set(part, few)
	check("few", part, few)
	set(part, some)
	check("some", part, some)
	part.merge(part, blocks)
	check("some twice", part, append(some[:len(some):len(some)], some...))
	set(part, some)
	set(whole, all)
	check("all", whole, all)
	whole.subtract(part, d, slots)
	check("the rest", whole, rest)
	set(whole, nil)
	check("none", whole, nil)
	for _, threads := range []int{1, 3} {
		g := newGrower(&p, d, threads)
		g.pairs, g.blocks = pairs, blocks
		check("in parts", g.build(all), all)
	}
}

// However the gradients are spread, the integer sums stay inside their 32 bits and near the true sums.
func TestScalesNeverOverflow(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, c := range []struct {
		name string
		n    int
		g    func(i int) float64
	}{
		{"all alike", 1000, func(int) float64 { return 1e-9 }},
		{"all alike below zero", 1000, func(int) float64 { return -1e9 }},
		{"one giant", 1000, func(i int) float64 {
			if i == 500 {
				return -1e300
			}
			return 1
		}},
		{"one row", 1, func(int) float64 { return -3 }},
		{"halves", 70_000, func(int) float64 { return 0.5 }},
		{"random", 70_000, func(int) float64 { return rng.NormFloat64() }},
		{"subnormal", 10, func(int) float64 { return 5e-324 }},
		{"zero", 10, func(int) float64 { return 0 }},
	} {
		var absolute, sum float64
		g := make([]float64, c.n)
		for i := range g {
			g[i] = c.g(i)
			absolute += math.Abs(g[i])
			sum += g[i]
		}
		s := newScales(c.n, absolute, absolute)
		var total gradPair
		var plainG, plainH int64
		for _, x := range g {
			p := s.pack(x, math.Abs(x))
			plainG += p.gradient()
			plainH += p.hessian()
			total += p
		}
		if total.gradient() != plainG || total.hessian() != plainH || plainG > math.MaxInt32 || plainG < math.MinInt32 || plainH > math.MaxUint32 {
			t.Errorf("%s: packed sums %d, %d, plain %d, %d", c.name, total.gradient(), total.hessian(), plainG, plainH)
		}
		if got := float64(plainG) / s.gradient; math.Abs(got-sum) > float64(c.n)/s.gradient+1e-280 {
			t.Errorf("%s: sum %v, want %v", c.name, got, sum)
		}
	}
}
