package xgboost

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/pppq/pppq/gbdt"
)

// Keys of the document that errors name after it has been read.
const (
	keyLearner = "learner"
	keyParam   = "learner.learner_model_param"
	keyBooster = "learner.gradient_booster"
	keyModel   = "learner.gradient_booster.model"
)

// finish puts the parts together, once all of them are known.
func (r *reader) finish() error {
	if r.booster == "gblinear" {
		return under(keyBooster, r.fail(errors.New("gblinear boosters are not read, only trees (gbtree, dart)")))
	}
	if r.booster != "gbtree" && r.booster != "dart" {
		return under(keyBooster, r.fail(fmt.Errorf("booster %q is not known", r.booster)))
	}
	f := r.file
	m := &gbdt.Model{Family: gbdt.XGBoost, Objective: gbdt.Objective{Name: r.objective}, Trees: r.trees}
	f.Model, f.objective = m, r.objective
	for _, step := range []func() error{r.applyParam, r.applyNames, r.applyBaseScore, r.applyTrees, r.applyRounds, r.applyWeights} {
		if err := step(); err != nil {
			return err
		}
	}
	m.Objective.Alpha = r.alpha()
	if _, err := m.Objective.Link(gbdt.XGBoost, m.Outputs); err != nil {
		return under(keyLearner, under("objective", r.fail(err)))
	}
	f.ReadForm.FewParams = len(f.objectiveParams.with(objectiveParams(m.Objective, m.Outputs)).keys) > len(f.objectiveParams.keys)
	return r.check()
}

// param returns an integer of learner_model_param or gbtree_model_param; an absent one is low.
func (r *reader) param(of map[string]string, path, key string, low, high int, required bool) (int, error) {
	text, ok := of[key]
	if !ok {
		if required {
			return 0, under(path, under(key, r.fail(errMissing)))
		}
		return low, nil
	}
	n, ok := jsonInteger([]byte(text))
	if !ok || n < int64(low) || n > int64(high) {
		return 0, under(path, under(key, r.fail(fmt.Errorf("want an integer in [%d, %d], got %q", low, high, short(text)))))
	}
	return int(n), nil
}

func (r *reader) applyParam() error {
	f, m := r.file, r.file.Model
	classes, err := r.param(f.learnerParam, keyParam, "num_class", 0, r.limits.MaxOutputs, true)
	if err != nil {
		return err
	}
	targets, err := r.param(f.learnerParam, keyParam, "num_target", 0, r.limits.MaxOutputs, false)
	if err != nil {
		return err
	}
	if classes > 1 && targets > 1 {
		return under(keyParam, r.fail(fmt.Errorf("%d classes and %d targets at once", classes, targets)))
	}
	m.Outputs = max(classes, targets, 1)
	features, err := r.param(f.learnerParam, keyParam, "num_feature", 1, r.limits.MaxFeatures, true)
	if err != nil {
		return err
	}
	for i, n := range r.treeFeature {
		if n != features {
			key := fmt.Sprintf("trees[%d].tree_param.num_feature", i)
			return under(keyModel, under(key, r.failAt(i, fmt.Errorf("%d, but the learner has %d", n, features))))
		}
	}
	m.FeatureNames = make([]string, features)
	return nil
}

// failAt makes an error located at tree i.
func (r *reader) failAt(i int, err error) error {
	return &ParseError{Offset: r.treeOffsets[i], Err: err}
}

func (r *reader) applyNames() error {
	f, n := r.file, len(r.file.Model.FeatureNames)
	if len(f.FeatureTypes) != 0 && len(f.FeatureTypes) != n {
		return under(keyLearner, under("feature_types", r.fail(fmt.Errorf("want %d entries, got %d", n, len(f.FeatureTypes)))))
	}
	if f.HasNames = len(r.names) > 0; f.HasNames {
		if len(r.names) != n {
			return under(keyLearner, under("feature_names", r.fail(fmt.Errorf("want %d entries, got %d", n, len(r.names)))))
		}
		f.Model.FeatureNames = r.names
		return nil
	}
	// One string holds them all.
	var all []byte
	ends := make([]int, n)
	for i := range ends {
		all = strconv.AppendInt(append(all, 'f'), int64(i), 10)
		ends[i] = len(all)
	}
	text, start := string(all), 0
	for i, end := range ends {
		f.Model.FeatureNames[i] = text[start:end]
		start = end
	}
	return nil
}

func (r *reader) applyBaseScore() error {
	f, m := r.file, r.file.Model
	fail := func(err error) error { return under(keyParam, under("base_score", r.fail(err))) }
	text, ok := f.learnerParam["base_score"]
	if !ok {
		return fail(errMissing)
	}
	scores, isList, err := parseBaseScore(text)
	if err != nil {
		return fail(err)
	}
	f.ReadForm.ListBaseScore = isList
	if len(scores) != 1 && len(scores) != m.Outputs {
		return fail(fmt.Errorf("%d numbers for %d outputs", len(scores), m.Outputs))
	}
	link := marginLinkOf(m.Objective.Name)
	m.BaseMargin = make([]float64, m.Outputs)
	for k := range m.BaseMargin {
		m.BaseMargin[k] = float64(link.margin(scores[k%len(scores)]))
		if math.IsNaN(m.BaseMargin[k]) {
			return fail(fmt.Errorf("%v has no raw score under %s", scores[k%len(scores)], m.Objective.Name))
		}
	}
	return nil
}

func (r *reader) applyTrees() error {
	m := r.file.Model
	fail := func(key string, err error) error { return under(keyModel, under(key, r.fail(err))) }
	switch {
	case !r.hasModel:
		return under(keyModel, r.fail(errMissing))
	case r.file.boosterParam == nil:
		return fail("gbtree_model_param", errMissing)
	case !r.hasTrees:
		return fail("trees", errMissing)
	case r.treeInfo == nil:
		return fail("tree_info", errMissing)
	}
	trees, err := r.param(r.file.boosterParam, keyModel+".gbtree_model_param", "num_trees", 0, r.limits.MaxTrees, true)
	if err != nil {
		return err
	}
	if trees != len(m.Trees) {
		return fail("trees", fmt.Errorf("%d trees, but num_trees is %d", len(m.Trees), trees))
	}
	if trees != len(r.treeInfo) {
		return fail("tree_info", fmt.Errorf("%d entries for %d trees", len(r.treeInfo), trees))
	}
	for i, k := range r.treeInfo {
		if int(k) >= m.Outputs {
			return fail("tree_info", fmt.Errorf("entry %d is %d, of %d outputs", i, k, m.Outputs))
		}
		m.Trees[i].Output = int(k)
	}
	return nil
}

// applyRounds takes the rounds from iteration_indptr; without it, all rounds have as many trees.
func (r *reader) applyRounds() error {
	m := r.file.Model
	trees := len(m.Trees)
	if r.file.indptr {
		fail := func(err error) error { return under(keyModel, under("iteration_indptr", r.fail(err))) }
		if len(r.rounds) == 0 || r.rounds[0] != 0 {
			return fail(errors.New("want a list that starts with 0"))
		}
		m.RoundEnds = r.rounds[1:]
		if len(m.RoundEnds) == 0 {
			m.RoundEnds = nil
		}
		return nil
	}
	parallel, err := r.param(r.file.boosterParam, keyModel+".gbtree_model_param", "num_parallel_tree", 0, r.limits.MaxTrees, false)
	if err != nil {
		return err
	}
	top := int32(0)
	for _, k := range r.treeInfo {
		top = max(top, k)
	}
	each := int64(top+1) * int64(max(parallel, 1))
	if int64(trees)%each != 0 {
		return under(keyModel, under("trees", r.fail(fmt.Errorf("%d trees are no whole rounds of %d", trees, each))))
	}
	if trees > 0 {
		m.RoundEnds = roundEnds(trees, int(each))
	}
	return nil
}

func roundEnds(trees, each int) []int32 {
	ends := make([]int32, trees/each)
	for i := range ends {
		ends[i] = int32((i + 1) * each)
	}
	return ends
}

// applyWeights takes the weights of a dart booster; those that are missing count 1.
func (r *reader) applyWeights() error {
	m := r.file.Model
	if r.dropWeights == nil && r.booster != "dart" {
		return nil
	}
	if len(r.dropWeights) > len(m.Trees) {
		return under(keyBooster, under("weight_drop", r.fail(fmt.Errorf("%d weights for %d trees", len(r.dropWeights), len(m.Trees)))))
	}
	m.TreeWeights = r.dropWeights
	if m.TreeWeights == nil {
		m.TreeWeights = []float32{}
	}
	for len(m.TreeWeights) < len(m.Trees) {
		m.TreeWeights = append(m.TreeWeights, 1)
	}
	return nil
}

// alpha returns the levels of a quantile or expectile objective, nil if they are not there.
func (r *reader) alpha() []float64 {
	for _, key := range [][2]string{{"quantile_loss_param", "quantile_alpha"}, {"expectile_loss_param", "expectile_alpha"}} {
		v, _ := r.file.objectiveParams.get(key[0])
		param, _ := v.(members)
		v, _ = param.get(key[1])
		text, _ := v.(string)
		levels, _, err := parseBaseScore(text)
		if err != nil {
			continue
		}
		var alpha []float64
		for _, a := range levels {
			alpha = append(alpha, float64(a))
		}
		return alpha
	}
	return nil
}

// check validates the model as a whole and finds the place of a tree that is at fault.
func (r *reader) check() error {
	m := r.file.Model
	err := m.Validate()
	if err == nil {
		return nil
	}
	for i := range m.Trees {
		one := *m
		one.Trees, one.RoundEnds, one.TreeWeights = m.Trees[i:i+1], []int32{1}, nil
		if one.Validate() != nil {
			return under(keyModel, under(fmt.Sprintf("trees[%d]", i), r.failAt(i, err)))
		}
	}
	return under(keyLearner, r.fail(err))
}
