package score

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// MinBlockMonths is the shortest bootstrap block: a year, even for horizons under one.
const MinBlockMonths = 12

// MinBlocks is the number of blocks under which a bootstrap interval is itself unreliable.
const MinBlocks = 5

// Bootstrap sets up the circular moving-block bootstrap over months. Two calls with the same settings and the same
// number of months draw the same months, so their results may be compared draw by draw.
//
// Source: Politis & Romano, A circular block-resampling procedure for stationary data (1992).
type Bootstrap struct {
	// HorizonMonths is the forecast horizon h, at least 1; outcomes closer than h months overlap. Rows of several
	// horizons in one call take the longest.
	HorizonMonths int
	// Draws is the number of resampled histories, at least 1. Default 2000.
	Draws int
	// Level is the coverage of the interval, inside (0, 1). Default 0.90.
	Level float64
	// Seed starts the random numbers. Default 1.
	Seed uint64
}

// DefaultBootstrap returns 2000 draws, a 90 % interval and seed 1 for a horizon in months.
func DefaultBootstrap(horizonMonths int) Bootstrap {
	return Bootstrap{HorizonMonths: horizonMonths, Draws: 2000, Level: 0.90, Seed: 1}
}

func (b Bootstrap) validate() error {
	if b.HorizonMonths < 1 || b.Draws < 1 || !(b.Level > 0 && b.Level < 1) {
		return fmt.Errorf("%w: bootstrap with horizon %d months, %d draws, level %v", ErrShape, b.HorizonMonths, b.Draws, b.Level)
	}
	return nil
}

// Block returns the block length in months for a history of n months: the horizon, at least MinBlockMonths, at most
// half the months, at least 1.
func (b Bootstrap) Block(n int) int {
	return max(1, min(max(b.HorizonMonths, MinBlockMonths), n/2))
}

// Estimate is a figure with its bootstrap interval, the central share Bootstrap.Level of the draws.
type Estimate struct {
	Value, Lo, Hi float64
}

// Resampling tells how an interval was made. A table prints it beside the interval.
type Resampling struct {
	// Months with rows.
	Months int
	// BlockMonths is the length of a block.
	BlockMonths int
	// Blocks is Months/BlockMonths, the number of blocks; not rounded.
	Blocks float64
	// Unreliable says that there are fewer than MinBlocks blocks, so that the interval cannot be trusted either.
	Unreliable bool
}

func (b Bootstrap) resampling(months int) Resampling {
	block := b.Block(months)
	blocks := float64(months) / float64(block)
	return Resampling{Months: months, BlockMonths: block, Blocks: blocks, Unreliable: blocks < MinBlocks}
}

// monthSums holds what one month adds to a score's sum, to its reference's sum and to the divisor of both.
type monthSums struct {
	score, ref, n float64
}

func (s monthSums) plus(o monthSums) monthSums {
	return monthSums{s.score + o.score, s.ref + o.ref, s.n + o.n}
}

func (s monthSums) minus(o monthSums) monthSums {
	return monthSums{s.score - o.score, s.ref - o.ref, s.n - o.n}
}

func total(months []monthSums) monthSums {
	var sum monthSums
	for _, m := range months {
		sum = sum.plus(m)
	}
	return sum
}

// draw calls visit Draws times, each with the sums over len(months) months made of blocks that start at random months
// and run on past the last month to the first; the last block is cut. A block costs two look-ups in the running sums,
// so all draws cost Draws * len(months)/Block. Months that have no rows do not exist here: blocks close over the gap.
func (b Bootstrap) draw(months []monthSums, visit func(monthSums)) {
	n := len(months)
	block := b.Block(n)
	upTo := make([]monthSums, n+block+1) // upTo[i] = sum of the first i months of the history run round
	for i := range n + block {
		upTo[i+1] = upTo[i].plus(months[i%n])
	}
	whole, rest := n/block, n%block
	rng := rand.New(rand.NewPCG(b.Seed, 0x626c6f636b73)) // second word: any constant
	for range b.Draws {
		var sum monthSums
		for range whole {
			start := rng.IntN(n)
			sum = sum.plus(upTo[start+block].minus(upTo[start]))
		}
		if rest > 0 {
			start := rng.IntN(n)
			sum = sum.plus(upTo[start+rest].minus(upTo[start]))
		}
		visit(sum)
	}
}

// interval returns the bounds of the central share Level of draws, which it sorts. A NaN among the draws makes both NaN:
// the statistic is undefined for histories as likely as the one seen.
func (b Bootstrap) interval(draws []float64) (lo, hi float64) {
	slices.Sort(draws) // NaNs first
	if math.IsNaN(draws[0]) {
		return math.NaN(), math.NaN()
	}
	return quantileSorted(draws, (1-b.Level)/2), quantileSorted(draws, (1+b.Level)/2)
}

// Mean returns the mean of one figure a month with its interval. It returns an error that wraps ErrShape for impossible
// settings, ErrTooFew for no months and ErrMissing for a NaN or an infinity.
func (b Bootstrap) Mean(monthly []float64) (Estimate, Resampling, error) {
	if err := checkFinite("monthly", monthly); err != nil {
		return Estimate{}, Resampling{}, err
	}
	months := make([]monthSums, len(monthly))
	for i, v := range monthly {
		months[i] = monthSums{score: v, n: 1}
	}
	return b.ratio(months)
}

// Share returns the share of rows that hit, each row counting once, with its interval over months: the coverage of an
// interval, or the frequency of an event. month and hit have one entry a row, in any order. Errors as for Mean; ErrShape
// also for differing lengths.
func (b Bootstrap) Share(month []int, hit []bool) (Estimate, Resampling, error) {
	if len(month) != len(hit) {
		return Estimate{}, Resampling{}, fmt.Errorf("%w: %d months for %d rows", ErrShape, len(month), len(hit))
	}
	order := make([]int, len(month))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(month[i], month[j]) })
	var months []monthSums
	for at, i := range order {
		if at == 0 || month[i] != month[order[at-1]] {
			months = append(months, monthSums{})
		}
		m := &months[len(months)-1]
		m.n++
		if hit[i] {
			m.score++
		}
	}
	return b.ratio(months)
}

// ratio returns sum(score)/sum(n) with its interval.
func (b Bootstrap) ratio(months []monthSums) (Estimate, Resampling, error) {
	if err := b.validate(); err != nil {
		return Estimate{}, Resampling{}, err
	}
	if len(months) == 0 {
		return Estimate{}, Resampling{}, fmt.Errorf("%w: no months", ErrTooFew)
	}
	all := total(months)
	est := Estimate{Value: all.score / all.n}
	draws := make([]float64, 0, b.Draws)
	b.draw(months, func(s monthSums) { draws = append(draws, s.score/s.n) })
	est.Lo, est.Hi = b.interval(draws)
	return est, b.resampling(len(months)), nil
}

// quantileSorted returns the q-quantile of ascending x, 0 <= q <= 1, interpolating linearly between order statistics
// (Hyndman & Fan 1996, type 7). x is not empty.
func quantileSorted(x []float64, q float64) float64 {
	pos := q * float64(len(x)-1)
	i := int(pos)
	if i >= len(x)-1 {
		return x[len(x)-1]
	}
	if x[i] == x[i+1] || pos == float64(i) {
		return x[i] // also keeps Inf - Inf and 0*Inf out
	}
	return x[i] + (pos-float64(i))*(x[i+1]-x[i])
}
