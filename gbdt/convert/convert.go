// Package convert turns LightGBM models into XGBoost models and back.
//
// [ToXGBoost] and [ToLightGBM] give a new model of the other family that sends every row of float32 values to the same
// leaf of every tree and whose raw scores differ by rounding only: LightGBM adds leaves in float64, XGBoost in float32.
// Save it with package gbdt/xgboost or gbdt/lightgbm; the genuine libraries load it.
//
// What the other family cannot say is refused with a [RefusedError] that names the tree, the node and the reason; no
// model is converted in part.
//
// What is kept:
//
//   - Leaves, in their order: leaf i of a tree is leaf i of its image. The children of a categorical node change sides,
//     since LightGBM's sets name what goes left and XGBoost's what goes right.
//   - Contributions (TreeSHAP): the covers of the nodes keep their proportions. So sum_hessian of a converted LightGBM
//     model holds its row counts, and the row counts of a converted XGBoost model stand for sums of hessians.
//   - The outputs of prediction, except that XGBoost's multi:softmax becomes a LightGBM multiclass model, which answers
//     with probabilities instead of the class. The objective is the nearest that has the same output; training that
//     goes on from a converted model may lower another loss.
//   - The names of features, but for characters that the other library refuses, blanks among them for LightGBM; these
//     become "_".
//
// What is not: values between -1 and 0 in a categorical feature, which LightGBM takes for category 0 and XGBoost for
// no category, and rows of float64 values that float32 does not hold, which XGBoost rounds and LightGBM does not.
package convert

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/pppq/pppq/gbdt"
)

// ErrRefused is wrapped by every RefusedError.
var ErrRefused = errors.New("the model cannot be converted")

// RefusedError says what the other family cannot say.
type RefusedError struct {
	// Tree and Node are the indices of the tree and of its inner node, each -1 where the reason lies not there.
	Tree, Node int
	Reason     string
}

func (e *RefusedError) Error() string {
	switch {
	case e.Node >= 0:
		return fmt.Sprintf("convert: %v: tree %d, node %d: %s", ErrRefused, e.Tree, e.Node, e.Reason)
	case e.Tree >= 0:
		return fmt.Sprintf("convert: %v: tree %d: %s", ErrRefused, e.Tree, e.Reason)
	}
	return fmt.Sprintf("convert: %v: %s", ErrRefused, e.Reason)
}

func (e *RefusedError) Unwrap() error { return ErrRefused }

func refuse(format string, args ...any) error {
	return &RefusedError{Tree: -1, Node: -1, Reason: fmt.Sprintf(format, args...)}
}

// at adds the tree to an error of one of its nodes or leaves.
func at(tree int, err error) error {
	var r *RefusedError
	if errors.As(err, &r) {
		r.Tree = tree
	}
	return err
}

func refuseNode(node int, format string, args ...any) error {
	return &RefusedError{Tree: -1, Node: node, Reason: fmt.Sprintf(format, args...)}
}

// check reports a model that is not valid or not of the family.
func check(m *gbdt.Model, family gbdt.Family) error {
	if m.Family != family {
		return fmt.Errorf("convert: a %v model, want %v", m.Family, family)
	}
	if err := m.Validate(); err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	if len(m.Trees) == 0 {
		return refuse("it has no trees")
	}
	return nil
}

// smallest is the bound up to which LightGBM reads |x| as 0: float32(1e-35).
const smallest = float32(1e-35)

// below and above return the neighbours of x among the float32 numbers, the infinities included.
func below(x float32) float32 { return math.Nextafter32(x, float32(math.Inf(-1))) }
func above(x float32) float32 { return math.Nextafter32(x, float32(math.Inf(1))) }

// swapped returns a copy of the structure of a tree in which categorical nodes have their children exchanged.
func swapped(t *gbdt.Tree) gbdt.Tree {
	c := gbdt.Tree{
		Output: t.Output, Feature: slices.Clone(t.Feature), Threshold: slices.Clone(t.Threshold), Decision: slices.Clone(t.Decision),
		Left: slices.Clone(t.Left), Right: slices.Clone(t.Right), CatBoundaries: slices.Clone(t.CatBoundaries),
		CatBits: slices.Clone(t.CatBits), LeafValue: slices.Clone(t.LeafValue), Gain: slices.Clone(t.Gain), Shrinkage: t.Shrinkage,
	}
	for i := range c.Left {
		if c.Categorical(i) {
			c.Left[i], c.Right[i] = c.Right[i], c.Left[i]
		}
	}
	return c
}
