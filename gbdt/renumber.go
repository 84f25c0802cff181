package gbdt

// breadthFirst returns the tree with its inner nodes and its leaves in the order in which a walk level by level, from
// left to right, meets them. Readers of XGBoost's files number them so; a trained tree that is numbered alike gives
// sums over its nodes, as those of contributions, the same bits before it is written and after it has been read.
func (t *Tree) breadthFirst() Tree {
	inner, leaves := make([]int32, 0, len(t.Left)), make([]int32, 0, len(t.LeafValue)) // old numbers, in the new order
	if len(t.Left) > 0 {
		inner = append(inner, 0)
	} else {
		leaves = append(leaves, 0)
	}
	c := *t
	c.Left, c.Right = make([]int32, len(t.Left)), make([]int32, len(t.Left))
	visit := func(child int32) int32 {
		if child >= 0 {
			inner = append(inner, child)
			return int32(len(inner) - 1)
		}
		leaves = append(leaves, ^child)
		return ^int32(len(leaves) - 1)
	}
	for i := 0; i < len(inner); i++ {
		c.Left[i] = visit(t.Left[inner[i]])
		c.Right[i] = visit(t.Right[inner[i]])
	}
	c.Feature, c.Threshold, c.Decision = pick(t.Feature, inner), pick(t.Threshold, inner), pick(t.Decision, inner)
	c.InternalValue, c.InternalWeight = pick(t.InternalValue, inner), pick(t.InternalWeight, inner)
	c.InternalCount, c.Gain, c.InnerID = pick(t.InternalCount, inner), pick(t.Gain, inner), pick(t.InnerID, inner)
	c.LeafValue, c.LeafWeight, c.LeafCount = pick(t.LeafValue, leaves), pick(t.LeafWeight, leaves), pick(t.LeafCount, leaves)
	c.LeafBaseWeight, c.LeafID = pick(t.LeafBaseWeight, leaves), pick(t.LeafID, leaves)
	return c
}

// pick returns the given entries of values, nil for nil.
func pick[T any](values []T, entries []int32) []T {
	if values == nil {
		return nil
	}
	out := make([]T, len(entries))
	for i, e := range entries {
		out[i] = values[e]
	}
	return out
}
