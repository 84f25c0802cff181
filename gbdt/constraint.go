package gbdt

import (
	"math"
	"slices"
)

// bounds limit the weight of a leaf, so that leaf values keep the order that monotone constraints ask for: after a
// split by a constrained feature, one side stays below the middle of both weights and the other above (LightGBM's
// method "basic").
type bounds struct{ low, high float64 }

var noBounds = bounds{math.Inf(-1), math.Inf(1)}

func (b bounds) finite() bool { return b != noBounds }

func (b bounds) clamp(weight float64) float64 { return min(max(weight, b.low), b.high) }

// scoreAt returns how much a leaf with the sums g and h and the given weight lowers the loss, in the units of score.
func (r *splitRule) scoreAt(g, h, weight float64) float64 {
	return -(float64(2*r.soften(g)*weight) + float64((h+r.l2)*float64(weight*weight)))
}

// childBounds returns the bounds of the children of a leaf that is divided by the column.
func (r *splitRule) childBounds(column int, left, right leafSums, parent bounds) (l, h bounds) {
	left.bounds, right.bounds = parent, parent
	if r.monotone == nil || r.monotone[column] == 0 {
		return parent, parent
	}
	middle := r.weight(left)/2 + r.weight(right)/2
	below, above := bounds{parent.low, middle}, bounds{middle, parent.high}
	if r.monotone[column] > 0 {
		return below, above
	}
	return above, below
}

// interactions tells which features may follow one another on a way from the root.
type interactions struct {
	// groups[s] has the numbers of the groups that slot s is a member of, ascending.
	groups [][]int
}

// newInteractions returns nil if there are no constraints. A column that no group names is a group of its own.
func newInteractions(p *Params, d *binned) *interactions {
	if p.InteractionConstraints == nil {
		return nil
	}
	in := &interactions{groups: make([][]int, len(d.features))}
	for s := range d.features {
		for i, group := range p.InteractionConstraints {
			if slices.Contains(group, d.features[s].column) {
				in.groups[s] = append(in.groups[s], i)
			}
		}
		if in.groups[s] == nil {
			in.groups[s] = []int{len(p.InteractionConstraints) + s}
		}
	}
	return in
}

// after returns the slots, of those given, that may be used below a split by slot s: those that share a group with it
// in which all the slots above are, too. groups are the groups left at the leaf that was split, nil for all; those of
// its children come back.
func (in *interactions) after(s int, groups, slots []int) (left, allowed []int) {
	for _, g := range in.groups[s] {
		if groups == nil || slices.Contains(groups, g) {
			left = append(left, g)
		}
	}
	for _, other := range slots {
		if slices.ContainsFunc(in.groups[other], func(g int) bool { return slices.Contains(left, g) }) {
			allowed = append(allowed, other)
		}
	}
	return left, allowed
}
