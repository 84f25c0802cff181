package xgboost

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pppq/pppq/gbdt"
)

// File is a model file: the model and what the document says beside it. A Model that is changed or exchanged is written
// as it then is.
type File struct {
	Model *gbdt.Model

	// Version is the release that wrote the file, nil if it does not say.
	Version []int
	// HasNames tells whether the document has feature names; without, FeatureNames are f0, f1, ...
	HasNames bool
	// FeatureTypes has float, int, i, q or c (categorical) for each feature, or is empty.
	FeatureTypes []string
	// Attributes are free texts; Python keeps best_iteration and best_score there.
	Attributes map[string]string
	// Form is the spelling that is written. The zero Form is what all releases read.
	Form Form
	// ReadForm is the spelling that was read.
	ReadForm Form

	// learnerParam and boosterParam are learner_model_param and gbtree_model_param.
	learnerParam, boosterParam map[string]string
	// objectiveParams is what stands beside the name of the objective that the file had.
	objective       string
	objectiveParams members
	// learnerRest and modelRest are the keys of learner and of the booster's model that this package does not use.
	learnerRest, modelRest members
	// indptr tells whether the rounds are written as iteration_indptr.
	indptr bool
	// treeStyle is how the trees' arrays are spelled.
	treeStyle treeStyle
	// raw has the arrays of the trees that cannot be made again from the model alone, by tree; nil entries for others.
	raw []*rawTree
}

// Form chooses between spellings of the same model.
type Form struct {
	// ListBaseScore writes base_score as a list, as XGBoost does since 3.1, also where one number says the same.
	// Releases to 3.0 load such a file without an error and take 0.5 instead.
	ListBaseScore bool
	// WeightsInModel writes the weights of a dart booster inside its model, as XGBoost does since 3.4. Releases to 3.3
	// ignore them there without an error.
	WeightsInModel bool
	// FewParams writes no parameters of the objective but those that were read. Releases differ in those they write,
	// and refuse a file without those they want.
	FewParams bool
}

// New returns the file of a model. It reports a model that Model.Validate refuses, one of another family, and feature
// names that XGBoost does not take (empty, not unique, or with [, ] or <).
func New(m *gbdt.Model) (*File, error) {
	if err := checkModel(m); err != nil {
		return nil, err
	}
	if err := CheckNames(m.FeatureNames); err != nil {
		return nil, err
	}
	f := &File{
		Model: m, Version: []int{2, 0, 0}, HasNames: true, Attributes: map[string]string{}, indptr: true,
		boosterParam: map[string]string{"num_parallel_tree": strconv.Itoa(parallelTrees(m)), "size_leaf_vector": "0"},
		learnerParam: map[string]string{"boost_from_average": "1"},
		treeStyle:    treeStyle{sizeLeafVector: "0", hasTypes: true, hasCategories: true},
	}
	f.FeatureTypes = featureTypes(m)
	f.objective, f.objectiveParams = m.Objective.Name, objectiveParams(m.Objective, m.Outputs)
	f.setOutputs()
	return f, nil
}

func checkModel(m *gbdt.Model) error {
	if m == nil {
		return errors.New("xgboost: no model")
	}
	if m.Family != gbdt.XGBoost {
		return fmt.Errorf("xgboost: the model follows the rules of %v", m.Family)
	}
	if err := m.Validate(); err != nil {
		return fmt.Errorf("xgboost: %w", err)
	}
	return nil
}

// CheckNames reports the first name that New would refuse, for those who want to know before they train.
func CheckNames(names []string) error {
	seen := make(map[string]bool, len(names))
	for i, name := range names {
		if name == "" || strings.ContainsAny(name, "[]<") {
			return fmt.Errorf("xgboost: name %q of feature %d: XGBoost takes no empty names and no [, ] or <", name, i)
		}
		if seen[name] {
			return fmt.Errorf("xgboost: name %q of feature %d is not unique", name, i)
		}
		seen[name] = true
	}
	return nil
}

// featureTypes tells apart the features that a node splits by category ("c") from the others ("float").
func featureTypes(m *gbdt.Model) []string {
	types := slices.Repeat([]string{"float"}, len(m.FeatureNames))
	for i := range m.Trees {
		t := &m.Trees[i]
		for j, f := range t.Feature {
			if t.Categorical(j) {
				types[f] = "c"
			}
		}
	}
	for f := range m.Features {
		if m.Features[f].Categories != nil {
			types[f] = "c"
		}
	}
	return types
}

// parallelTrees returns the trees of one output in a round if all rounds have the same number, else 1.
func parallelTrees(m *gbdt.Model) int {
	rounds := len(m.RoundEnds)
	if rounds == 0 || len(m.Trees)%(rounds*m.Outputs) != 0 {
		return 1
	}
	each := len(m.Trees) / rounds
	for r, end := range m.RoundEnds {
		if int(end) != (r+1)*each {
			return 1
		}
	}
	return max(1, each/m.Outputs)
}

// setOutputs makes learner_model_param say what the model does, leaving what already does.
func (f *File) setOutputs() {
	m, p := f.Model, f.learnerParam
	p["num_feature"] = strconv.Itoa(len(m.FeatureNames))
	oldClasses, err := strconv.Atoi(p["num_class"])
	oldTargets, _ := strconv.Atoi(p["num_target"])
	if err == nil && max(oldClasses, oldTargets, 1) == m.Outputs && m.Objective.Name == f.objective {
		return
	}
	classes, targets := 0, m.Outputs
	if m.Objective.Name == "multi:softprob" || m.Objective.Name == "multi:softmax" {
		classes, targets = m.Outputs, 1
	}
	p["num_class"], p["num_target"] = strconv.Itoa(classes), strconv.Itoa(targets)
}
