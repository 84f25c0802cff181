package xgboost

import (
	"fmt"
	"math"
	"slices"

	"github.com/pppq/pppq/gbdt"
)

// rawTree is a tree as the document has it: arrays of one length, one entry a node, inner nodes and leaves in one
// numbering.
type rawTree struct {
	left, right, parents   []int32
	splitIndices           []int32
	conditions             []float32
	defaultLeft, splitType []uint8
	catNodes, categories   []int32
	catSegments, catSizes  []int64
	loss, hessian, weights []float32
	id                     int
	numFeature, numDeleted int
	style                  treeStyle
}

// treeStyle is what differs between releases in how a tree is spelled.
type treeStyle struct {
	// sizeLeafVector is "0" to 1.7 and "1" since 2.0.
	sizeLeafVector string
	// hasTypes and hasCategories tell whether split_type and the four arrays of categories are there.
	hasTypes, hasCategories bool
}

const (
	kindNumerical   = 0
	kindCategorical = 1
	// rootParent is the parent of the root.
	rootParent = math.MaxInt32
	// maxNode is the largest node number, and the split_indices entry of a deleted node.
	maxNode = math.MaxInt32
	// maxCategory is the smallest value that is in no set.
	maxCategory = 1 << 24
)

// isDeleted reports whether node n was taken out by pruning.
func (t *rawTree) isDeleted(n int32) bool { return n > 0 && t.splitIndices[n] == maxNode }

// fill makes the arrays of a tree from the model's; memory of t is used again. The tree must be valid, with numbers
// that place has checked.
func (t *rawTree) fill(m *gbdt.Tree, id, numFeature int, style treeStyle) {
	innerID, leafID, nodes := place(m)
	resize(&t.left, nodes, -1)
	resize(&t.right, nodes, -1)
	resize(&t.parents, nodes, 0)
	resize(&t.splitIndices, nodes, maxNode) // of a deleted node
	resize(&t.conditions, nodes, 0)
	resize(&t.defaultLeft, nodes, 1) // of a deleted node
	resize(&t.splitType, nodes, kindNumerical)
	resize(&t.loss, nodes, 0)
	resize(&t.hessian, nodes, 0)
	resize(&t.weights, nodes, 0)
	t.catNodes, t.categories = t.catNodes[:0], t.categories[:0]
	t.catSegments, t.catSizes = t.catSegments[:0], t.catSizes[:0]
	t.id, t.numFeature, t.numDeleted, t.style = id, numFeature, nodes-len(innerID)-len(leafID), style
	t.parents[0] = rootParent
	at := func(values []float64, i int) float32 {
		if values == nil {
			return 0
		}
		return float32(values[i])
	}
	fileID := func(child int32) int32 {
		if child < 0 {
			return leafID[^child]
		}
		return innerID[child]
	}
	for i, n := range innerID {
		left, right := fileID(m.Left[i]), fileID(m.Right[i])
		t.left[n], t.right[n] = left, right
		t.parents[left], t.parents[right] = n, n
		t.splitIndices[n] = m.Feature[i]
		t.conditions[n] = float32(m.Threshold[i])
		t.defaultLeft[n] = 0
		if m.DefaultLeft(i) {
			t.defaultLeft[n] = 1
		}
		if m.Categorical(i) {
			t.splitType[n] = kindCategorical
			t.conditions[n] = float32(math.NaN())
			t.catNodes = append(t.catNodes, n)
		}
		t.loss[n], t.hessian[n], t.weights[n] = at(m.Gain, i), at(m.InternalWeight, i), at(m.InternalValue, i)
	}
	for i, n := range leafID {
		t.splitIndices[n], t.defaultLeft[n] = 0, 0
		t.conditions[n] = float32(m.LeafValue[i])
		t.hessian[n], t.weights[n] = at(m.LeafWeight, i), at(m.LeafBaseWeight, i)
	}
	t.fillCategories(m, innerID)
}

// fillCategories lists the sets by node number; catNodes has the nodes in the order of the inner nodes.
func (t *rawTree) fillCategories(m *gbdt.Tree, innerID []int32) {
	if len(t.catNodes) == 0 {
		return
	}
	slices.Sort(t.catNodes)
	inner := make(map[int32]int, len(t.catNodes))
	for i, n := range innerID {
		if m.Categorical(i) {
			inner[n] = i
		}
	}
	for _, n := range t.catNodes {
		from := len(t.categories)
		for w, word := range m.CategorySet(inner[n]) {
			for b := range 32 {
				if word>>b&1 != 0 {
					t.categories = append(t.categories, int32(32*w+b))
				}
			}
		}
		t.catSegments = append(t.catSegments, int64(from))
		t.catSizes = append(t.catSizes, int64(len(t.categories)-from))
	}
}

// place returns the file's numbers of the inner nodes and leaves, and the number of nodes: those that the tree has,
// or, breadth first, pairs of siblings.
func place(m *gbdt.Tree) (innerID, leafID []int32, nodes int) {
	if m.InnerID != nil && m.LeafID != nil {
		last := int32(0)
		for _, ids := range [2][]int32{m.InnerID, m.LeafID} {
			for _, id := range ids {
				last = max(last, id)
			}
		}
		return m.InnerID, m.LeafID, int(last) + 1
	}
	innerID, leafID = make([]int32, len(m.Left)), make([]int32, len(m.LeafValue))
	next := int32(1)
	queue := make([]int32, 0, len(m.Left))
	if len(m.Left) > 0 {
		queue = append(queue, 0)
	}
	for head := 0; head < len(queue); head++ {
		for _, c := range [2]int32{m.Left[queue[head]], m.Right[queue[head]]} {
			if c < 0 {
				leafID[^c] = next
			} else {
				innerID[c] = next
				queue = append(queue, c)
			}
			next++
		}
	}
	return innerID, leafID, int(next)
}

// checkTree reports a tree that the format cannot hold: numbers that are no pairs, or an empty category set.
func checkTree(m *gbdt.Tree) error {
	for i := range m.Left {
		if !m.Categorical(i) {
			continue
		}
		members := false
		for w, word := range m.CategorySet(i) {
			members = members || word != 0
			if word != 0 && w >= maxCategory/32 {
				return fmt.Errorf("node %d: categories of %d and more are in no set", i, maxCategory)
			}
		}
		if !members {
			return fmt.Errorf("node %d has no category", i)
		}
	}
	if m.InnerID == nil || m.LeafID == nil {
		return nil
	}
	// Far apart numbers would make a large file of a small tree.
	most := int32(min(8*len(m.LeafID)+1<<16, math.MaxInt32))
	seen := make([]bool, most)
	for _, ids := range [2][]int32{m.InnerID, m.LeafID} {
		for _, id := range ids {
			if id < 0 || id >= most || seen[id] {
				return fmt.Errorf("node number %d is given twice, or outside [0, %d)", id, most)
			}
			seen[id] = true
		}
	}
	id := func(child int32) int32 {
		if child < 0 {
			return m.LeafID[^child]
		}
		return m.InnerID[child]
	}
	if root := int32(len(m.Left)) - 1; id(min(0, root)) != 0 {
		return fmt.Errorf("the root has number %d, want 0", id(min(0, root)))
	}
	for i := range m.Left {
		if left, right := id(m.Left[i]), id(m.Right[i]); right != left+1 {
			return fmt.Errorf("node %d has children %d and %d, which are no pair", m.InnerID[i], left, right)
		}
	}
	return nil
}

// resize makes *x n values of v.
func resize[T any](x *[]T, n int, v T) {
	*x = slices.Grow((*x)[:0], n)[:n]
	for i := range *x {
		(*x)[i] = v
	}
}

// equal compares all that is written, numbers by their bits.
func (t *rawTree) equal(u *rawTree) bool {
	return t.id == u.id && t.numFeature == u.numFeature && t.numDeleted == u.numDeleted && t.style == u.style &&
		slices.Equal(t.left, u.left) && slices.Equal(t.right, u.right) && slices.Equal(t.parents, u.parents) &&
		slices.Equal(t.splitIndices, u.splitIndices) && equalBits(t.conditions, u.conditions) &&
		slices.Equal(t.defaultLeft, u.defaultLeft) && slices.Equal(t.splitType, u.splitType) &&
		slices.Equal(t.catNodes, u.catNodes) && slices.Equal(t.categories, u.categories) &&
		slices.Equal(t.catSegments, u.catSegments) && slices.Equal(t.catSizes, u.catSizes) &&
		equalBits(t.loss, u.loss) && equalBits(t.hessian, u.hessian) && equalBits(t.weights, u.weights)
}

func equalBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) || x != x && y != y })
}
