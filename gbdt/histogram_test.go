package gbdt

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestHistogramAgainstPlainSums(t *testing.T) {
	p := DefaultParams(LightGBM)
	d := newBinned(testDataset(t, 11, 5000, 19, p), &p)
	rng := rand.New(rand.NewPCG(1, 1))
	pairs := make([]gradPair, d.rows)
	for i := range pairs {
		pairs[i] = packPair(int32(rng.IntN(1<<17)-1<<16), uint32(rng.IntN(1<<17)))
	}
	all := make([]int32, d.rows)
	var some, rest []int32
	for i := range all {
		all[i] = int32(i)
		if rng.IntN(3) == 0 {
			some = append(some, int32(i))
		} else {
			rest = append(rest, int32(i))
		}
	}
	blocks := []int{0, 1, 2}
	slots := make([]int, len(d.features))
	for s := range slots {
		slots[s] = s
	}
	for range 1 {
		whole, part, other := make(histogram, len(d.blocks)), make(histogram, len(d.blocks)), make(histogram, len(d.blocks))
		part[0][0][0] = 99 // build must forget what was there
		whole.add(d, blocks, pairs, all)
		part.add(d, blocks, pairs, some)
		for _, c := range []struct {
			name string
			h    histogram
			rows []int32
		}{{"all", whole, all}, {"some", part, some}} {
			for _, s := range slots {
				var g, h [maxBins]int64
				for _, r := range c.rows {
					g[d.bin(s, r)] += pairs[r].gradient()
					h[d.bin(s, r)] += pairs[r].hessian()
				}
				for b, sum := range c.h.slot(s) {
					if sum.gradient() != g[b] || sum.hessian() != h[b] {
						t.Fatalf("%s, slot %d bin %d: got %d, %d, want %d, %d", c.name, s, b, sum.gradient(), sum.hessian(), g[b], h[b])
					}
				}
			}
		}
		other.add(d, blocks, pairs, rest)
		whole.subtract(part, d, slots)
		for _, s := range slots {
			for b := range d.features[s].bins() {
				if whole.slot(s)[b] != other.slot(s)[b] {
					t.Fatalf("slot %d bin %d: difference %x, sums of the rest %x", s, b, whole.slot(s)[b], other.slot(s)[b])
				}
			}
		}
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
