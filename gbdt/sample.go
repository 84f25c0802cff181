package gbdt

import "math"

// bag is the sample of rows that a round's trees are grown from.
type bag struct {
	params  *Params
	in, out []int32 // ascending; together all rows
	round   int     // that the sample was made for; -1 before the first
}

func newBag(p *Params, n int) bag {
	b := bag{params: p, in: make([]int32, n), round: -1}
	for i := range b.in {
		b.in[i] = int32(i)
	}
	return b
}

// sample chooses the rows of round r, from 0.
func (t *trainer) sample(r int) {
	copy(t.used, t.scale)
	if p := t.params; p.OtherRate == 0 {
		t.bag.draw(r)
	} else if float64(r) >= 1/p.LearningRate || p.Boosting == RandomForest { // the first steps take all rows, as LightGBM's
		t.sampleByGradient(r)
	}
}

// draw makes the sample of round r.
func (b *bag) draw(r int) {
	if b.params.BaggingFraction == 1 {
		return
	}
	r -= r % b.params.BaggingFreq // also where training goes on from a model in between
	if r == b.round {
		return
	}
	b.round = r
	random := newRandom(b.params.Seed, streamRows, uint64(r))
	limit := uint64(b.params.BaggingFraction * (1 << 53))
	b.divide(func(i int) bool { return random.at(i)>>11 < limit })
	if len(b.in) == 0 { // no row at all teaches nothing
		b.in, b.out = b.out, b.in
	}
}

// divide puts the rows for which take is true into the sample.
func (b *bag) divide(take func(i int) bool) {
	n := len(b.in) + len(b.out)
	if cap(b.out) < n {
		b.out = make([]int32, 0, n)
	}
	if cap(b.in) < n {
		b.in = make([]int32, 0, n)
	}
	b.in, b.out = b.in[:0], b.out[:0]
	for i := range n {
		if take(i) {
			b.in = append(b.in, int32(i))
		} else {
			b.out = append(b.out, int32(i))
		}
	}
}

// sampleByGradient keeps the rows with the largest gradients times hessians and a part of the others, which stand for
// all the others: their pairs are multiplied (gradient-based one-side sampling, Ke et al., 2017).
func (t *trainer) sampleByGradient(r int) {
	n, p := t.data.rows, t.params
	top := min(max(1, int(float64(n)*p.TopRate)), n)
	limit, ties := t.largest(top)
	random := newRandom(p.Seed, streamRows, uint64(r))
	chance := uint64(p.OtherRate / (1 - p.TopRate) * (1 << 53))
	factor := (1 - p.TopRate) / p.OtherRate
	isTop := func(i int) bool {
		switch key := t.importance(i); {
		case key > limit:
			return true
		case key == limit && ties > 0:
			ties--
			return true
		}
		return false
	}
	others := make([]uint64, (n+63)/64) // which rows of the sample are not among the largest
	t.bag.divide(func(i int) bool {
		if isTop(i) {
			return true
		}
		if random.at(i)>>11 >= chance {
			return false
		}
		others[i/64] |= 1 << (i % 64)
		return true
	})
	for k, pairs := range t.pairs {
		t.used[k] = t.amplify(k, pairs, others, factor)
	}
}

// amplify multiplies the pairs of the sample's other rows by the factor. It returns the scales of all pairs of the
// sample, which become smaller where sums could leave their bits.
func (t *trainer) amplify(k int, pairs []gradPair, others []uint64, factor float64) scales {
	times := func(i int32) float64 {
		if others[i/64]>>(i%64)&1 != 0 {
			return factor
		}
		return 1
	}
	var gradient, hessian float64
	for _, i := range t.bag.in {
		gradient += math.Abs(float64(pairs[i].gradient())) * times(i)
		hessian += float64(pairs[i].hessian()) * times(i)
	}
	n := len(t.bag.in)
	fit := newScales(n, gradient, hessian)
	shrink := scales{min(1, fit.gradient), min(1, fit.hessian)}
	for _, i := range t.bag.in {
		f := times(i)
		pairs[i] = shrink.pack(float64(pairs[i].gradient())*f, float64(pairs[i].hessian())*f)
	}
	return scales{t.scale[k].gradient * shrink.gradient, t.scale[k].hessian * shrink.hessian}
}

// importance returns a number that grows with the sum of |gradient*hessian| of a row over the outputs.
func (t *trainer) importance(i int) uint32 {
	sum := 0.0
	for k, pairs := range t.pairs {
		unit := 1 / (t.scale[k].gradient * t.scale[k].hessian)
		sum += float64(math.Abs(float64(pairs[i].gradient())) * float64(pairs[i].hessian()) * unit)
	}
	return math.Float32bits(float32(sum))
}

// largest returns the importance of which at most count rows have more, and how many of the rows that have just so much
// belong to the count largest.
func (t *trainer) largest(count int) (limit uint32, ties int) {
	high, low := make([]int, 1<<16), make([]int, 1<<16)
	for i := range t.data.rows {
		high[t.importance(i)>>16]++
	}
	top := fromTop(high, &count)
	for i := range t.data.rows {
		if key := t.importance(i); int(key>>16) == top {
			low[key&0xffff]++
		}
	}
	bottom := fromTop(low, &count)
	return uint32(top<<16 | bottom), count
}

// fromTop returns the place at which the sum of the counts from the end reaches *count, and takes those behind it off
// *count.
func fromTop(counts []int, count *int) int {
	for i := len(counts) - 1; i > 0; i-- {
		if counts[i] >= *count {
			return i
		}
		*count -= counts[i]
	}
	return 0
}
