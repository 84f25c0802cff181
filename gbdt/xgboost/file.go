package xgboost

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/internal/modelfile"
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
	if err := checkNames(m.FeatureNames); err != nil {
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

func checkNames(names []string) error {
	seen := make(map[string]bool, len(names))
	for i, name := range names {
		if name == "" || containsAny(name, "[]<") {
			return fmt.Errorf("xgboost: name %q of feature %d: XGBoost takes no empty names and no [, ] or <", name, i)
		}
		if seen[name] {
			return fmt.Errorf("xgboost: name %q of feature %d is not unique", name, i)
		}
		seen[name] = true
	}
	return nil
}

func containsAny(s, chars string) bool {
	return slices.ContainsFunc([]byte(s), func(c byte) bool { return slices.Contains([]byte(chars), c) })
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
	if err == nil && max(oldClasses, oldTargets, 1) == m.Outputs {
		return
	}
	classes, targets := 0, m.Outputs
	if m.Objective.Name == "multi:softprob" || m.Objective.Name == "multi:softmax" {
		classes, targets = m.Outputs, 1
	}
	p["num_class"], p["num_target"] = strconv.Itoa(classes), strconv.Itoa(targets)
}

// objectiveParams are the parameters that the releases want beside the name of an objective, at their defaults.
func objectiveParams(o gbdt.Objective, outputs int) members {
	param := func(pairs ...string) members {
		var p members
		for i := 0; i < len(pairs); i += 2 {
			p.keys, p.values = append(p.keys, pairs[i]), append(p.values, pairs[i+1])
		}
		return p
	}
	one := func(key string, p members) members { return members{[]string{key}, []value{p}} }
	switch o.Name {
	case "reg:squarederror", "reg:linear", "reg:squaredlogerror", "reg:logistic", "reg:gamma", "binary:logistic", "binary:logitraw":
		return one("reg_loss_param", param("scale_pos_weight", "1"))
	case "multi:softprob", "multi:softmax":
		return one("softmax_multiclass_param", param("num_class", strconv.Itoa(outputs)))
	case "count:poisson":
		return one("poisson_regression_param", param("max_delta_step", "0.699999988"))
	case "reg:tweedie":
		return one("tweedie_regression_param", param("tweedie_variance_power", "1.5"))
	case "reg:quantileerror":
		alpha := make([]float32, 0, len(o.Alpha))
		for _, a := range o.Alpha {
			alpha = append(alpha, float32(a))
		}
		for len(alpha) < outputs { // unknown levels do not change predictions
			alpha = append(alpha, float32(len(alpha)+1)/float32(outputs+1))
		}
		return one("quantile_loss_param", param("quantile_alpha", scoreText(alpha, true)))
	case "reg:expectileerror":
		alpha := []float32{0.5}
		if len(o.Alpha) == 1 {
			alpha[0] = float32(o.Alpha[0])
		}
		return one("expectile_loss_param", param("expectile_alpha", scoreText(alpha, true)))
	case "reg:pseudohubererror":
		p := one("pseudo_huber_param", param("huber_slope", "1"))
		// XGBoost 1.6 misspells the key.
		p.keys, p.values = append(p.keys, "pseduo_huber_param"), append(p.values, param("huber_slope", "1"))
		return p
	case "survival:aft":
		return one("aft_loss_param", param("aft_loss_distribution", "normal", "aft_loss_distribution_scale", "1"))
	case "rank:pairwise", "rank:ndcg", "rank:map":
		p := one("lambdarank_param", param("lambdarank_num_pair_per_sample", "4294967295", "lambdarank_pair_method", "topk",
			"lambdarank_unbiased", "0", "lambdarank_bias_norm", "1", "ndcg_exp_gain", "1"))
		// XGBoost 1.x has another name and other parameters.
		p.keys = append(p.keys, "lambda_rank_param")
		p.values = append(p.values, param("num_pairsample", "1", "fix_list_weight", "0"))
		return p
	}
	return members{}
}

// Limits bounds what reading accepts. Memory in use while reading stays below about 20 times the size of the file plus
// what MaxFeatures, MaxOutputs and MaxCategoryWords allow.
type Limits struct {
	// MaxBytes is the largest size of the file; default 1 GiB.
	MaxBytes int64
	// MaxTrees, MaxFeatures and MaxOutputs; defaults 4,194,304, 1,048,576 and 65,536.
	MaxTrees, MaxFeatures, MaxOutputs int
	// MaxCategoryWords is the largest number of 32-bit words that the category sets of all nodes may take, of which one
	// with category c takes c/32+1; default 33,554,432.
	MaxCategoryWords int
}

// DefaultLimits returns the limits that Read and Load use.
func DefaultLimits() Limits {
	return Limits{MaxBytes: 1 << 30, MaxTrees: 1 << 22, MaxFeatures: 1 << 20, MaxOutputs: 1 << 16, MaxCategoryWords: 1 << 25}
}

// Read reads a model, JSON or UBJSON, within the default limits. A fault in the document is a *ParseError.
func Read(r io.Reader) (*File, error) { return DefaultLimits().Read(r) }

// Load reads the model at path, JSON or UBJSON whatever its name, within the default limits.
func Load(path string) (*File, error) { return DefaultLimits().Load(path) }

// Read reads a model, JSON or UBJSON. A fault in the document is a *ParseError.
func (l Limits) Read(r io.Reader) (*File, error) {
	data, err := modelfile.ReadAll(r, l.MaxBytes)
	if err != nil {
		return nil, wrap("read", err)
	}
	return l.parse(data)
}

// Load reads the model at path, JSON or UBJSON whatever its name.
func (l Limits) Load(path string) (*File, error) {
	data, err := modelfile.Load(path, l.MaxBytes)
	if err != nil {
		return nil, wrap("load "+path, err)
	}
	f, err := l.parse(data)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	return f, nil
}

// get returns the value of a key.
func (m members) get(key string) (value, bool) {
	if i := slices.Index(m.keys, key); i >= 0 {
		return m.values[i], true
	}
	return nil, false
}

func (m *members) add(key string, v value) {
	m.keys, m.values = append(m.keys, key), append(m.values, v)
}

// sortedKeys returns the keys of m in the order of bytes.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// maxNode is the largest node number, and the split_indices entry of a deleted node.
const maxNode = math.MaxInt32
