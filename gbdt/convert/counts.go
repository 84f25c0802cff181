package convert

import (
	"math"

	"github.com/pppq/pppq/gbdt"
)

// mostCount bounds the row count of a root.
const mostCount = 1 << 30

// countScale returns what turns sums of hessians into counts: 1 if all are whole numbers, as they are for squared
// error without weights, else the power of two that makes the largest root come near mostCount. It is 0 if the sums
// are not known or no counts can be made of them.
func countScale(m *gbdt.Model) float64 {
	largest, whole := 0.0, true
	for i := range m.Trees {
		t := &m.Trees[i]
		if len(t.Left) == 0 {
			continue
		}
		if t.LeafWeight == nil {
			return 0
		}
		sum := 0.0
		for _, w := range t.LeafWeight {
			if !(w >= 0 && w <= math.MaxFloat32) {
				return 0
			}
			whole = whole && w == math.Trunc(w)
			sum += w
		}
		largest = max(largest, sum)
	}
	switch {
	case largest == 0:
		return 0
	case whole && largest <= mostCount:
		return 1
	}
	_, exponent := math.Frexp(mostCount / largest)
	return math.Ldexp(1, exponent-1)
}

// setCounts sets the counts of the tree from its leaf weights, and the values and weights of inner nodes as what their
// leaves make them. A leaf that has a hessian has a count of at least 1.
func setCounts(t *gbdt.Tree, scale float64) {
	if len(t.Left) == 0 || scale == 0 {
		t.LeafWeight, t.Gain = nil, nonNegative(t.Gain)
		t.LeafCount = make([]int32, len(t.LeafValue))
		if len(t.Left) > 0 {
			t.LeafCount = nil
		}
		return
	}
	inner := len(t.Left)
	t.LeafCount, t.InternalCount = make([]int32, inner+1), make([]int32, inner)
	t.InternalWeight, t.InternalValue = make([]float64, inner), make([]float64, inner)
	for i, w := range t.LeafWeight {
		if w > 0 {
			t.LeafCount[i] = int32(max(1, math.Round(w*scale)))
		}
	}
	for i := inner - 1; i >= 0; i-- { // children come after their parents
		for _, c := range [2]int32{t.Left[i], t.Right[i]} {
			n, w, v := int32(0), 0.0, 0.0
			if c < 0 {
				n, w, v = t.LeafCount[^c], t.LeafWeight[^c], t.LeafValue[^c]
			} else {
				n, w, v = t.InternalCount[c], t.InternalWeight[c], t.InternalValue[c]
			}
			t.InternalCount[i] += n
			t.InternalWeight[i] += w
			if t.InternalCount[i] > 0 {
				t.InternalValue[i] += float64((v - t.InternalValue[i]) * (float64(n) / float64(t.InternalCount[i])))
			}
		}
	}
	t.Gain = nonNegative(t.Gain)
}

// nonNegative returns gains, 0 for what is no finite number of at least 0.
func nonNegative(gains []float64) []float64 {
	for i, g := range gains {
		if !(g >= 0 && g <= math.MaxFloat32) {
			gains[i] = 0
		}
	}
	return gains
}
