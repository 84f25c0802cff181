package xgboost

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/pppq/pppq/gbdt"
)

// translator makes model trees of the document's; its memory serves one tree after another.
type translator struct {
	// maxCatWords bounds catWords, the words that the category sets of all trees take.
	catWords, maxCatWords int
	// order has the document's numbers of the inner nodes, breadth first; numbers has for each node of the file its number
	// among the inner nodes, or ^n for leaf n.
	order, numbers []int32
}

// tree reads tree i of the document.
func (r *reader) tree(i int) error {
	if i == r.limits.MaxTrees {
		return r.fail(fmt.Errorf("more than %d trees", r.limits.MaxTrees))
	}
	var t rawTree
	if err := r.readRaw(&t); err != nil {
		return err
	}
	if t.id != i {
		return under("id", r.fail(fmt.Errorf("%d, want %d", t.id, i)))
	}
	var model gbdt.Tree
	if err := r.translator.translate(&model, &t); err != nil {
		return r.fail(err)
	}
	if i == 0 {
		r.file.treeStyle = t.style
	}
	// Keep the arrays only if the model alone does not give them again.
	r.spare.fill(&model, i, t.numFeature, r.file.treeStyle)
	var kept *rawTree
	if !t.equal(&r.spare) {
		kept = &t
	}
	r.trees = append(r.trees, model)
	r.file.raw = append(r.file.raw, kept)
	r.treeFeature = append(r.treeFeature, t.numFeature)
	r.treeOffsets = append(r.treeOffsets, r.fail(nil).(*ParseError).Offset)
	return nil
}

// readRaw reads the arrays of a tree and compares their lengths.
func (r *reader) readRaw(t *rawTree) error {
	param := map[string]string(nil)
	seen := map[string]bool{}
	err := object(r, func(key string) (err error) {
		seen[key] = true
		switch key {
		case "left_children":
			t.left, err = int32s(r, -1, maxNode)
		case "right_children":
			t.right, err = int32s(r, -1, maxNode)
		case "parents":
			t.parents, err = int32s(r, -1, maxNode)
		case "split_indices":
			t.splitIndices, err = int32s(r, 0, maxNode)
		case "split_conditions":
			t.conditions, err = r.floats()
		case "default_left":
			t.defaultLeft, err = flags(r)
		case "split_type":
			t.splitType, err = flags(r)
		case "categories_nodes":
			t.catNodes, err = int32s(r, 0, maxNode)
		case "categories":
			t.categories, err = int32s(r, 0, maxCategory-1)
		case "categories_segments":
			t.catSegments, err = longs(r)
		case "categories_sizes":
			t.catSizes, err = longs(r)
		case "loss_changes":
			t.loss, err = r.floats()
		case "sum_hessian":
			t.hessian, err = r.floats()
		case "base_weights":
			t.weights, err = r.floats()
		case "id":
			var id int64
			id, err = integer(r, 0, maxNode)
			t.id = int(id)
		case "tree_param":
			param, err = stringMap(r)
		default:
			return r.skip()
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, key := range requiredTreeKeys {
		if !seen[key] {
			return under(key, r.fail(errMissing))
		}
	}
	t.style.hasTypes = seen["split_type"]
	t.style.hasCategories = seen["categories_nodes"]
	for _, key := range []string{"categories", "categories_segments", "categories_sizes"} {
		if seen[key] != t.style.hasCategories {
			return under(key, r.fail(errors.New("the keys of categories are there in part only")))
		}
	}
	return r.checkParam(t, param)
}

var requiredTreeKeys = []string{"left_children", "right_children", "parents", "split_indices", "split_conditions",
	"default_left", "loss_changes", "sum_hessian", "base_weights", "id", "tree_param"}

func (r *reader) checkParam(t *rawTree, param map[string]string) error {
	const path = "tree_param"
	leafVector, err := r.param(param, path, "size_leaf_vector", 0, maxNode, true)
	if err != nil {
		return err
	}
	if leafVector > 1 {
		return under(path, under("size_leaf_vector", r.fail(
			fmt.Errorf("leaves of %d values (multi_strategy=multi_output_tree) are not read", leafVector))))
	}
	t.style.sizeLeafVector = param["size_leaf_vector"]
	nodes, err := r.param(param, path, "num_nodes", 1, maxNode, true)
	if err != nil {
		return err
	}
	if t.numFeature, err = r.param(param, path, "num_feature", 0, maxNode, true); err != nil {
		return err
	}
	if t.numDeleted, err = r.param(param, path, "num_deleted", 0, maxNode, true); err != nil {
		return err
	}
	if !t.style.hasTypes {
		t.splitType = make([]uint8, len(t.left))
	}
	for _, a := range []struct {
		key string
		n   int
	}{
		{"left_children", len(t.left)}, {"right_children", len(t.right)}, {"parents", len(t.parents)},
		{"split_indices", len(t.splitIndices)}, {"split_conditions", len(t.conditions)},
		{"default_left", len(t.defaultLeft)}, {"split_type", len(t.splitType)}, {"loss_changes", len(t.loss)},
		{"sum_hessian", len(t.hessian)}, {"base_weights", len(t.weights)},
	} {
		if a.n != nodes {
			return under(a.key, r.fail(fmt.Errorf("%d entries for %d nodes", a.n, nodes)))
		}
	}
	if len(t.catSegments) != len(t.catNodes) || len(t.catSizes) != len(t.catNodes) {
		return under("categories_nodes", r.fail(fmt.Errorf("%d nodes, %d segments and %d sizes", len(t.catNodes), len(t.catSegments), len(t.catSizes))))
	}
	return nil
}

func flags(r *reader) ([]uint8, error) {
	a, err := r.ints(0, 1)
	x := make([]uint8, len(a.values))
	for i, v := range a.values {
		x[i] = uint8(v)
	}
	return x, err
}

func longs(r *reader) ([]int64, error) {
	a, err := r.ints(0, math.MaxInt64)
	return a.values, err
}

// translate makes the model's tree from the document's: inner nodes and leaves get numbers of their own, breadth first.
func (tr *translator) translate(m *gbdt.Tree, t *rawTree) error {
	if err := tr.number(t); err != nil {
		return err
	}
	order, number := tr.order, tr.numbers
	inner, leaves := len(order), len(order)+1
	*m = gbdt.Tree{
		Feature: make([]int32, inner), Threshold: make([]float64, inner), Decision: make([]uint8, inner),
		Left: make([]int32, inner), Right: make([]int32, inner), InternalValue: make([]float64, inner),
		InternalWeight: make([]float64, inner), Gain: make([]float64, inner), InnerID: make([]int32, inner),
		LeafValue: make([]float64, leaves), LeafWeight: make([]float64, leaves), LeafBaseWeight: make([]float64, leaves),
		LeafID: make([]int32, leaves), Shrinkage: 1,
	}
	copy(m.InnerID, order)
	leaf := func(id int32) {
		n := ^number[id]
		m.LeafID[n], m.LeafValue[n] = id, float64(t.conditions[id])
		m.LeafWeight[n], m.LeafBaseWeight[n] = float64(t.hessian[id]), float64(t.weights[id])
	}
	for i, id := range order {
		m.Feature[i] = t.splitIndices[id]
		m.Threshold[i] = float64(t.conditions[id])
		m.Decision[i] = gbdt.Decision(t.splitType[id] == kindCategorical, t.defaultLeft[id] == 1, gbdt.MissingNone)
		m.Left[i], m.Right[i] = number[t.left[id]], number[t.right[id]]
		m.InternalValue[i], m.InternalWeight[i], m.Gain[i] = float64(t.weights[id]), float64(t.hessian[id]), float64(t.loss[id])
		for _, child := range [2]int32{t.left[id], t.right[id]} {
			if t.left[child] < 0 {
				leaf(child)
			}
		}
	}
	if inner == 0 {
		leaf(0)
	}
	return tr.categories(m, t)
}

// number walks the tree from the root and fills r.nodes.
func (tr *translator) number(t *rawTree) error {
	nodes := int32(len(t.left))
	order := tr.order[:0]
	number := slices.Grow(tr.numbers[:0], int(nodes))[:nodes]
	const unseen = math.MinInt32
	for i := range number {
		number[i] = unseen
	}
	leaves := int32(0)
	// visit gives node id the next number of its kind.
	visit := func(id int32) error {
		if t.isDeleted(id) {
			return fmt.Errorf("node %d is deleted, but reached", id)
		}
		if t.left[id] >= 0 {
			number[id] = int32(len(order))
			order = append(order, id)
			return nil
		}
		if t.right[id] >= 0 {
			return fmt.Errorf("right_children: node %d has no left child, but a right one", id)
		}
		number[id] = ^leaves
		leaves++
		return nil
	}
	if err := visit(0); err != nil {
		return err
	}
	for i := 0; i < len(order); i++ {
		id := order[i]
		left, right := t.left[id], t.right[id]
		if right != left+1 {
			return fmt.Errorf("right_children: node %d has children %d and %d, which are no pair", id, left, right)
		}
		for _, child := range [2]int32{left, right} {
			if child >= nodes {
				return fmt.Errorf("left_children: node %d has child %d, of %d nodes", id, child, nodes)
			}
			if child == 0 || number[child] != unseen {
				return fmt.Errorf("left_children: node %d has child %d, which has another parent", id, child)
			}
			if t.parents[child] != id {
				return fmt.Errorf("parents: node %d has parent %d, but is a child of %d", child, t.parents[child], id)
			}
			if err := visit(child); err != nil {
				return err
			}
		}
	}
	deleted := 0
	for id := range nodes {
		if t.isDeleted(id) {
			deleted++
		}
	}
	if deleted != t.numDeleted {
		return fmt.Errorf("tree_param: num_deleted is %d, but %d nodes are", t.numDeleted, deleted)
	}
	tr.order, tr.numbers = order, number
	return nil
}

// categories makes the bitsets of the tree's categorical nodes; Threshold of each becomes the number of its set.
func (tr *translator) categories(m *gbdt.Tree, t *rawTree) error {
	sets := 0
	last := int32(-1)
	for k, id := range t.catNodes {
		if id <= last || int(id) >= len(t.left) {
			return fmt.Errorf("categories_nodes: entry %d is %d, after %d, of %d nodes", k, id, last, len(t.left))
		}
		last = id
		from, n := t.catSegments[k], t.catSizes[k]
		if from > int64(len(t.categories)) || n > int64(len(t.categories))-from {
			return fmt.Errorf("categories_segments: entry %d is %d with size %d, of %d categories", k, from, n, len(t.categories))
		}
		i := tr.numbers[id]
		if i < 0 || !m.Categorical(int(i)) {
			continue // pruned to a leaf, or deleted
		}
		codes := t.categories[from : from+n]
		if n == 0 {
			return fmt.Errorf("categories_sizes: node %d has no category", id)
		}
		words := int(slices.Max(codes))/32 + 1
		if tr.catWords += words; tr.catWords > tr.maxCatWords {
			return fmt.Errorf("categories: the sets take more than %d words", tr.maxCatWords)
		}
		if sets == 0 {
			m.CatBoundaries = append(m.CatBoundaries, 0)
		}
		start := len(m.CatBits)
		m.CatBits = append(m.CatBits, make([]uint32, words)...)
		for _, c := range codes {
			m.CatBits[start+int(c)/32] |= 1 << (c % 32)
		}
		m.CatBoundaries = append(m.CatBoundaries, int32(len(m.CatBits)))
		m.Threshold[i] = float64(sets)
		m.Decision[i] |= setKnown
		sets++
	}
	for i, d := range m.Decision {
		if d&gbdt.DecisionCategorical != 0 && d&setKnown == 0 {
			return fmt.Errorf("categories_nodes: categorical node %d is not among them", m.InnerID[i])
		}
		m.Decision[i] &^= setKnown
	}
	return nil
}

// setKnown marks, while a tree is read, a categorical node whose set has been found.
const setKnown = 1 << 7
