package gbdt

import (
	"errors"
	"fmt"
	"math"
)

// MissingType is what a numerical node of a LightGBM model takes for a missing value.
type MissingType uint8

const (
	// MissingNone: NaN is read as 0 and follows the threshold.
	MissingNone MissingType = iota
	// MissingZero: NaN and 0 (|x| <= 1e-35 as float32) go the default way.
	MissingZero
	// MissingNaN: NaN goes the default way.
	MissingNaN
)

// The bits of Tree.Decision, as LightGBM's decision_type has them.
const (
	DecisionCategorical uint8 = 1 << 0
	DecisionDefaultLeft uint8 = 1 << 1
	// decisionMissingShift is where the MissingType (two bits) stands.
	decisionMissingShift = 2
)

// Decision packs the kind of a node into one byte: bit 0 categorical, bit 1 default left, bits 2 and 3 the missing
// type. XGBoost nodes always have MissingNone there and send NaN the default way.
func Decision(categorical, defaultLeft bool, missing MissingType) uint8 {
	d := uint8(missing) << decisionMissingShift
	if categorical {
		d |= DecisionCategorical
	}
	if defaultLeft {
		d |= DecisionDefaultLeft
	}
	return d
}

// Tree is one decision tree with L >= 1 leaves and L-1 inner nodes. Inner nodes and leaves are numbered apart, each
// from 0; inner node 0 is the root, and a tree of one leaf has no inner node. Trees of both families are held this
// way; the numbers that a file uses stand in InnerID and LeafID.
type Tree struct {
	// Output is the raw score that the tree adds to, in [0, Model.Outputs).
	Output int

	// Feature, Threshold, Decision, Left and Right have one entry for each inner node.
	Feature []int32
	// Threshold is what a value is compared with (a float32 value for XGBoost); in a categorical node it is the index
	// k of the node's set.
	Threshold []float64
	Decision  []uint8
	// Left and Right are the children: c >= 0 is inner node c, which is above the parent's number; c < 0 is leaf ^c.
	Left, Right []int32

	// Set k of a categorical node is the words CatBits[CatBoundaries[k]:CatBoundaries[k+1]]; category c is a member
	// if bit c%32 of word c/32 is set, and no member if there is no such word. Members go left in a LightGBM tree and
	// right in an XGBoost tree. CatBoundaries is empty without categorical nodes, else starts with 0.
	CatBoundaries []int32
	CatBits       []uint32

	// LeafValue is what the tree adds, shrinkage applied (float32 values for XGBoost); one entry for each leaf.
	LeafValue []float64

	// The rest informs, explains or is needed to write the model again; each is nil if not known, else has one entry
	// for each leaf or inner node. Weights are sums of hessians (XGBoost: sum_hessian), counts are rows; contributions
	// need counts (LightGBM) or weights (XGBoost).
	LeafWeight     []float64
	LeafCount      []int32
	InternalValue  []float64 // LightGBM: the output a leaf there would have; XGBoost: base_weights (no shrinkage)
	InternalWeight []float64
	InternalCount  []int32
	Gain           []float64 // split_gain, loss_changes

	// LeafBaseWeight is XGBoost's base_weights of the leaves; nil if not known.
	LeafBaseWeight []float64

	// InnerID and LeafID are the node numbers of an XGBoost file, where inner nodes and leaves share one numbering in
	// which a right child follows its left sibling; nil for LightGBM. The leaf index of an XGBoost tree is LeafID.
	InnerID, LeafID []int32

	// Shrinkage is the learning rate that LeafValue holds; information only.
	Shrinkage float64

	// Linear holds the linear models of the leaves (LightGBM's linear_tree), nil otherwise.
	Linear *LinearLeaves
}

// LinearLeaves gives each leaf a linear model: leaf i answers
//
//	Const[i] + sum of Coeff[j] * x[Features[j]] for j in [Start[i], Start[i+1])
//
// added in order in float64, or the tree's LeafValue[i] if one of those x is NaN. Start has one entry more than there
// are leaves and starts with 0.
type LinearLeaves struct {
	Const    []float64
	Start    []int32
	Features []int32
	Coeff    []float64
}

// NumLeaves returns the number of leaves, at least 1 in a valid tree.
func (t *Tree) NumLeaves() int { return len(t.LeafValue) }

// Categorical reports whether inner node i splits by category.
func (t *Tree) Categorical(i int) bool { return t.Decision[i]&DecisionCategorical != 0 }

// DefaultLeft reports whether a missing value goes left at inner node i.
func (t *Tree) DefaultLeft(i int) bool { return t.Decision[i]&DecisionDefaultLeft != 0 }

// Missing returns the missing type of inner node i.
func (t *Tree) Missing(i int) MissingType {
	return MissingType(t.Decision[i] >> decisionMissingShift & 3)
}

// CategorySet returns the bitset of categorical inner node i, shared with the tree.
func (t *Tree) CategorySet(i int) []uint32 {
	k := int(t.Threshold[i])
	return t.CatBits[t.CatBoundaries[k]:t.CatBoundaries[k+1]]
}

// Depth returns the largest number of inner nodes on a way from the root to a leaf: 0 for a tree of one leaf. The
// tree must be valid.
func (t *Tree) Depth() int {
	depth := make([]int32, len(t.Left)) // of each inner node; children come after their parents
	deepest := int32(0)
	for i := range t.Left {
		for _, c := range [2]int32{t.Left[i], t.Right[i]} {
			if c >= 0 {
				depth[c] = depth[i] + 1
			}
		}
		deepest = max(deepest, depth[i]+1)
	}
	return int(deepest)
}

func (t *Tree) validate(family Family, features int) error {
	if err := t.validateLengths(); err != nil {
		return err
	}
	if err := t.validateChildren(); err != nil {
		return err
	}
	if err := t.validateCategories(); err != nil {
		return err
	}
	for i, f := range t.Feature {
		if f < 0 || int(f) >= features {
			return fmt.Errorf("node %d: feature %d outside [0, %d)", i, f, features)
		}
		if t.Decision[i]>>4 != 0 || t.Missing(i) > MissingNaN {
			return fmt.Errorf("node %d: decision %d is not known", i, t.Decision[i])
		}
	}
	if family == XGBoost {
		return t.validateXGBoost()
	}
	if t.InnerID != nil || t.LeafID != nil {
		return errors.New("InnerID and LeafID are for XGBoost trees only")
	}
	return t.validateLinear(features)
}

func (t *Tree) validateLengths() error {
	leaves, inner := len(t.LeafValue), len(t.Left)
	if leaves < 1 || inner != leaves-1 {
		return fmt.Errorf("%d leaves and %d inner nodes", leaves, inner)
	}
	if leaves > math.MaxInt32 {
		return fmt.Errorf("%d leaves are too many", leaves)
	}
	for _, a := range []struct {
		name      string
		got, want int
		optional  bool
	}{
		{"Feature", len(t.Feature), inner, false},
		{"Threshold", len(t.Threshold), inner, false},
		{"Decision", len(t.Decision), inner, false},
		{"Right", len(t.Right), inner, false},
		{"LeafWeight", len(t.LeafWeight), leaves, t.LeafWeight == nil},
		{"LeafCount", len(t.LeafCount), leaves, t.LeafCount == nil},
		{"LeafBaseWeight", len(t.LeafBaseWeight), leaves, t.LeafBaseWeight == nil},
		{"LeafID", len(t.LeafID), leaves, t.LeafID == nil},
		{"InternalValue", len(t.InternalValue), inner, t.InternalValue == nil},
		{"InternalWeight", len(t.InternalWeight), inner, t.InternalWeight == nil},
		{"InternalCount", len(t.InternalCount), inner, t.InternalCount == nil},
		{"InnerID", len(t.InnerID), inner, t.InnerID == nil},
		{"Gain", len(t.Gain), inner, t.Gain == nil},
	} {
		if a.got != a.want && !a.optional {
			return fmt.Errorf("%s has %d entries, want %d", a.name, a.got, a.want)
		}
	}
	return nil
}

// validateChildren looks up each node in one table, since whether a child is a node or a leaf is as good as chance.
func (t *Tree) validateChildren() error {
	leaves, inner := len(t.LeafValue), len(t.Left)
	seen := make([]bool, leaves+inner) // at leaves + the number that Left and Right give a node or leaf
	if inner > 0 {
		seen[leaves] = true
	}
	for i := range inner {
		if !seen[leaves+i] {
			return fmt.Errorf("node %d: no node before it has it for a child", i)
		}
		for _, c := range [2]int32{t.Left[i], t.Right[i]} {
			if at := leaves + int(c); at < 0 || at >= len(seen) || seen[at] {
				return t.childError(i, c)
			}
			seen[leaves+int(c)] = true
		}
	}
	return nil // 2*inner children, no two alike: every node but the root has its parent, which stands before it
}

// childError says what is wrong with child c of node i.
func (t *Tree) childError(i int, c int32) error {
	leaves, inner := len(t.LeafValue), len(t.Left)
	switch {
	case c >= 0 && (int(c) <= i || int(c) >= inner):
		return fmt.Errorf("node %d: child %d outside (%d, %d)", i, c, i, inner)
	case c >= 0:
		return fmt.Errorf("node %d: node %d has two parents", i, c)
	case int(^c) >= leaves:
		return fmt.Errorf("node %d: leaf %d outside [0, %d)", i, ^c, leaves)
	}
	return fmt.Errorf("node %d: leaf %d has two parents", i, ^c)
}

func (t *Tree) validateCategories() error {
	sets := max(len(t.CatBoundaries)-1, 0)
	for k, b := range t.CatBoundaries {
		if k == 0 && b != 0 || k > 0 && b < t.CatBoundaries[k-1] || int(b) > len(t.CatBits) {
			return fmt.Errorf("CatBoundaries[%d] is %d, of %d words", k, b, len(t.CatBits))
		}
	}
	if sets == 0 && len(t.CatBits) > 0 || sets > 0 && int(t.CatBoundaries[sets]) != len(t.CatBits) {
		return fmt.Errorf("CatBoundaries does not end at %d words", len(t.CatBits))
	}
	for i := range t.Decision {
		if k := t.Threshold[i]; t.Categorical(i) && !(k >= 0 && k < float64(sets) && k == math.Trunc(k)) {
			return fmt.Errorf("node %d: category set %v of %d", i, k, sets)
		}
	}
	return nil
}

func (t *Tree) validateXGBoost() error {
	if t.Linear != nil {
		return errors.New("linear leaves are for LightGBM trees only")
	}
	for i, x := range t.Threshold {
		if !isFloat32(x) {
			return fmt.Errorf("node %d: threshold %v is not a float32 value", i, x)
		}
		if t.Missing(i) != MissingNone {
			return fmt.Errorf("node %d: XGBoost has no missing types", i)
		}
	}
	for i, x := range t.LeafValue {
		if !isFloat32(x) {
			return fmt.Errorf("leaf %d: value %v is not a float32 value", i, x)
		}
	}
	return nil
}

func (t *Tree) validateLinear(features int) error {
	l := t.Linear
	if l == nil {
		return nil
	}
	leaves := len(t.LeafValue)
	if len(l.Const) != leaves || len(l.Start) != leaves+1 || len(l.Coeff) != len(l.Features) {
		return errors.New("linear leaves do not fit the number of leaves")
	}
	if l.Start[0] != 0 || int(l.Start[leaves]) != len(l.Features) {
		return fmt.Errorf("linear leaves: Start does not span %d coefficients", len(l.Features))
	}
	for i := range leaves {
		if l.Start[i] > l.Start[i+1] {
			return fmt.Errorf("leaf %d: linear Start %d is above %d", i, l.Start[i], l.Start[i+1])
		}
	}
	for j, f := range l.Features {
		if f < 0 || int(f) >= features {
			return fmt.Errorf("linear coefficient %d: feature %d outside [0, %d)", j, f, features)
		}
	}
	return nil
}
