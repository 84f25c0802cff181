package gbdt

import "math/bits"

// The streams of random numbers that training draws from; each depends on the seed and its own number only.
const (
	streamBinning uint64 = iota + 1
	streamRows
	streamFeatures
	streamDrop
)

// random is the generator SplitMix64 (Steele, Lea and Flood, 2014): a counter that a hash makes random, so that any
// number of the stream can be had without the ones before it.
type random struct{ state uint64 }

const goldenGamma = 0x9e3779b97f4a7c15

// newRandom returns the generator of the given seed and path of numbers (stream, round and the like).
func newRandom(seed uint64, path ...uint64) random {
	r := random{mix64(seed + goldenGamma)}
	for _, p := range path {
		r.state = mix64(r.state ^ mix64(p*goldenGamma+goldenGamma))
	}
	return r
}

func mix64(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// uint64 returns the next number.
func (r *random) uint64() uint64 {
	r.state += goldenGamma
	return mix64(r.state)
}

// at returns the number that the (i+1)-th next call of uint64 would return.
func (r *random) at(i int) uint64 { return mix64(r.state + uint64(i+1)*goldenGamma) }

// float64 returns the next number as one in [0, 1).
func (r *random) float64() float64 { return float64(float64(r.uint64()>>11) * 0x1p-53) }

// below returns a number in [0, n), n > 0.
func (r *random) below(n int) int {
	high, _ := bits.Mul64(r.uint64(), uint64(n))
	return int(high)
}

// choose returns k of the numbers 0 ... n-1 in ascending order, each set equally likely.
func (r *random) choose(k, n int) []int {
	out := make([]int, 0, k)
	for i := range n { // Knuth's algorithm S
		if r.below(n-i) < k-len(out) {
			out = append(out, i)
		}
	}
	return out
}
