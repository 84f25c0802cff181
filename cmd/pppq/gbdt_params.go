package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pppq/pppq/gbdt"
)

// trainParam is a training parameter by the names that LightGBM, XGBoost and their Python and R wrappers have for it.
type trainParam struct {
	// sets names the fields of gbdt.Params that the value goes into.
	sets string
	// names are those of the parameter, its own first.
	names []string
	// set reads the value.
	set func(p *gbdt.Params, value string) error
}

// trainParams returns the parameters that a training of the family knows. XGBoost's gamma and alpha mean something else
// in LightGBM, so the family decides.
func trainParams(family gbdt.Family) []trainParam {
	minGain := []string{"min_gain_to_split", "min_split_gain", "min_split_loss"}
	l1 := []string{"lambda_l1", "reg_alpha", "l1_regularization"}
	alpha, alphaSets := []string{"quantile_alpha"}, "Alpha"
	if family == gbdt.XGBoost {
		minGain, l1 = append(minGain, "gamma"), append(l1, "alpha")
	} else {
		alpha, alphaSets = append(alpha, "alpha"), "Alpha HuberDelta"
	}
	whole := func(field func(*gbdt.Params) *int) func(*gbdt.Params, string) error {
		return func(p *gbdt.Params, v string) (err error) { *field(p), err = wholeNumber(v); return err }
	}
	number := func(field func(*gbdt.Params) *float64) func(*gbdt.Params, string) error {
		return func(p *gbdt.Params, v string) (err error) { *field(p), err = decimal(v); return err }
	}
	return []trainParam{
		{"Loss", []string{"objective", "objective_type", "app", "application", "loss"}, setObjective},
		{"NumClass", []string{"num_class", "num_classes"}, whole(func(p *gbdt.Params) *int { return &p.NumClass })},
		{alphaSets, alpha, func(p *gbdt.Params, v string) (err error) {
			p.Alpha, err = decimal(v)
			if p.Family == gbdt.LightGBM {
				p.HuberDelta = p.Alpha // LightGBM's alpha is that of huber, too
			}
			return err
		}},
		{"HuberDelta", []string{"huber_delta", "huber_slope"}, number(func(p *gbdt.Params) *float64 { return &p.HuberDelta })},
		{"TweediePower", []string{"tweedie_variance_power", "tweedie_power"}, number(func(p *gbdt.Params) *float64 { return &p.TweediePower })},
		{"ClassWeights", []string{"scale_pos_weight"}, func(p *gbdt.Params, v string) error {
			w, err := decimal(v)
			if err == nil && !(w >= 0 && w <= 1e300) {
				err = fmt.Errorf("want a number of 0 or more, got %q", v)
			}
			p.ClassWeights = []float64{1, w}
			return err
		}},
		{"Boosting", []string{"boosting", "boosting_type", "boost", "booster"}, setBoosting},
		{"", []string{"data_sample_strategy"}, setSampling},
		{"TopRate", []string{"top_rate"}, number(func(p *gbdt.Params) *float64 { return &p.TopRate })},
		{"OtherRate", []string{"other_rate"}, number(func(p *gbdt.Params) *float64 { return &p.OtherRate })},
		{"DropRate", []string{"drop_rate", "rate_drop"}, number(func(p *gbdt.Params) *float64 { return &p.DropRate })},
		{"SkipDrop", []string{"skip_drop"}, number(func(p *gbdt.Params) *float64 { return &p.SkipDrop })},
		{"MaxDrop", []string{"max_drop"}, func(p *gbdt.Params, v string) error {
			n, err := wholeNumber(v)
			p.MaxDrop = max(0, n) // LightGBM has -1 for no limit
			return err
		}},
		{"Rounds", []string{"num_iterations", "num_iteration", "n_iter", "num_tree", "num_trees", "num_round", "num_rounds", "nrounds", "num_boost_round",
			"n_estimators", "max_iter", "iterations", "rounds"}, whole(func(p *gbdt.Params) *int { return &p.Rounds })},
		{"LearningRate", []string{"learning_rate", "eta", "shrinkage_rate"}, number(func(p *gbdt.Params) *float64 { return &p.LearningRate })},
		{"BoostFromAverage", []string{"boost_from_average"}, func(p *gbdt.Params, v string) (err error) { p.BoostFromAverage, err = yesNo(v); return err }},
		{"Growth", []string{"grow_policy"}, setGrowth},
		{"MaxLeaves", []string{"num_leaves", "num_leaf", "max_leaves", "max_leaf", "max_leaf_nodes"}, whole(func(p *gbdt.Params) *int { return &p.MaxLeaves })},
		{"MaxDepth", []string{"max_depth"}, func(p *gbdt.Params, v string) error {
			n, err := wholeNumber(v)
			p.MaxDepth = max(0, n) // LightGBM has -1 for no limit
			return err
		}},
		{"MinDataInLeaf", []string{"min_data_in_leaf", "min_data_per_leaf", "min_data", "min_child_samples", "min_samples_leaf"}, whole(func(p *gbdt.Params) *int { return &p.MinDataInLeaf })},
		{"MinSumHessian", []string{"min_sum_hessian_in_leaf", "min_sum_hessian_per_leaf", "min_sum_hessian", "min_hessian", "min_child_weight"},
			number(func(p *gbdt.Params) *float64 { return &p.MinSumHessian })},
		{"MinGain", minGain, number(func(p *gbdt.Params) *float64 { return &p.MinGain })},
		{"L1", l1, number(func(p *gbdt.Params) *float64 { return &p.L1 })},
		{"L2", []string{"lambda_l2", "reg_lambda", "lambda", "l2_regularization"}, number(func(p *gbdt.Params) *float64 { return &p.L2 })},
		{"MonotoneConstraints", []string{"monotone_constraints", "mc", "monotone_constraint", "monotonic_cst"}, setMonotone},
		{"InteractionConstraints", []string{"interaction_constraints"}, setInteraction},
		{"CatSmooth", []string{"cat_smooth"}, number(func(p *gbdt.Params) *float64 { return &p.CatSmooth })},
		{"CatL2", []string{"cat_l2"}, number(func(p *gbdt.Params) *float64 { return &p.CatL2 })},
		{"MaxCatThreshold", []string{"max_cat_threshold"}, whole(func(p *gbdt.Params) *int { return &p.MaxCatThreshold })},
		{"MaxCatToOneHot", []string{"max_cat_to_onehot"}, whole(func(p *gbdt.Params) *int { return &p.MaxCatToOneHot })},
		{"MinDataPerGroup", []string{"min_data_per_group"}, whole(func(p *gbdt.Params) *int { return &p.MinDataPerGroup })},
		{"MaxBin", []string{"max_bin", "max_bins"}, whole(func(p *gbdt.Params) *int { return &p.MaxBin })},
		{"MinDataInBin", []string{"min_data_in_bin"}, whole(func(p *gbdt.Params) *int { return &p.MinDataInBin })},
		{"BaggingFraction", []string{"bagging_fraction", "sub_row", "subsample", "bagging"}, number(func(p *gbdt.Params) *float64 { return &p.BaggingFraction })},
		{"BaggingFreq", []string{"bagging_freq", "subsample_freq"}, whole(func(p *gbdt.Params) *int { return &p.BaggingFreq })},
		{"FeatureFraction", []string{"feature_fraction", "sub_feature", "colsample_bytree"}, number(func(p *gbdt.Params) *float64 { return &p.FeatureFraction })},
		{"Seed", []string{"seed", "random_seed", "random_state"}, func(p *gbdt.Params, v string) (err error) {
			if p.Seed, err = strconv.ParseUint(v, 10, 64); err != nil {
				err = fmt.Errorf("want a whole number of 0 or more, got %q", v)
			}
			return err
		}},
		{"EarlyStopping", []string{"early_stopping_round", "early_stopping_rounds", "early_stopping", "n_iter_no_change"}, whole(func(p *gbdt.Params) *int { return &p.EarlyStopping })},
		{"Threads", []string{"num_threads", "num_thread", "nthread", "nthreads", "n_jobs"}, func(p *gbdt.Params, v string) error {
			n, err := wholeNumber(v)
			p.Threads = max(0, n) // wrappers have -1 for all
			return err
		}},
	}
}

// lossNames gives each loss the names of its objectives in LightGBM and XGBoost.
var lossNames = map[gbdt.Loss][]string{
	gbdt.SquaredError:  {"regression", "regression_l2", "l2", "mean_squared_error", "mse", "l2_root", "root_mean_squared_error", "rmse", "reg:squarederror", "reg:linear", "squared_error"},
	gbdt.AbsoluteError: {"regression_l1", "l1", "mean_absolute_error", "mae", "reg:absoluteerror", "absolute_error"},
	gbdt.Huber:         {"huber", "reg:pseudohubererror"},
	gbdt.Quantile:      {"quantile", "reg:quantileerror"},
	gbdt.Poisson:       {"poisson", "count:poisson"},
	gbdt.Gamma:         {"gamma", "reg:gamma"},
	gbdt.Tweedie:       {"tweedie", "reg:tweedie"},
	gbdt.Logistic:      {"binary", "binary:logistic", "logistic", "log_loss"},
	gbdt.CrossEntropy:  {"cross_entropy", "xentropy", "reg:logistic"},
	gbdt.Softmax:       {"multiclass", "softmax", "multi:softprob", "multi:softmax"},
	gbdt.OneVsRest:     {"multiclassova", "multiclass_ova", "ova", "ovr"},
}

func setObjective(p *gbdt.Params, value string) error {
	var all []string
	for loss, names := range lossNames {
		if slices.Contains(names, value) {
			if loss == gbdt.OneVsRest && p.Family == gbdt.XGBoost {
				return fmt.Errorf("XGBoost has no %s; want multi:softprob", value)
			}
			p.Loss = loss
			return nil
		}
		all = append(all, names...)
	}
	slices.Sort(all)
	return fmt.Errorf("%q is not known%s; known: %s", value, near(value, all), strings.Join(all, ", "))
}

func setBoosting(p *gbdt.Params, value string) error {
	switch value {
	case "gbdt", "gbrt", "gbtree":
		p.Boosting = gbdt.Plain
	case "dart":
		p.Boosting = gbdt.Dart
	case "rf", "random_forest":
		p.Boosting = gbdt.RandomForest
	case "goss":
		return setSampling(p, value)
	default:
		return fmt.Errorf("want gbdt, dart, rf or goss, got %q", value)
	}
	return nil
}

// setSampling chooses between bagging and one-side sampling, at LightGBM's rates.
func setSampling(p *gbdt.Params, value string) error {
	switch value {
	case "goss":
		if p.OtherRate == 0 {
			p.TopRate, p.OtherRate = 0.2, 0.1
		}
	case "bagging":
	default:
		return fmt.Errorf("want bagging or goss, got %q", value)
	}
	return nil
}

// setInteraction reads [0,1],[2,3] or [[0,1],[2,3]].
func setInteraction(p *gbdt.Params, value string) error {
	if !strings.HasPrefix(value, "[[") {
		value = "[" + value + "]"
	}
	var groups [][]int
	if err := json.Unmarshal([]byte(value), &groups); err != nil {
		return fmt.Errorf("want groups of column numbers, as [0,1],[2,3]")
	}
	p.InteractionConstraints = groups
	return nil
}

func setGrowth(p *gbdt.Params, value string) error {
	switch value {
	case "lossguide", "leafwise":
		p.Growth = gbdt.LeafWise
	case "depthwise":
		p.Growth = gbdt.DepthWise
	default:
		return fmt.Errorf("want lossguide or depthwise, got %q", value)
	}
	return nil
}

// setMonotone reads 1,0,-1 or (1,0,-1).
func setMonotone(p *gbdt.Params, value string) error {
	value = strings.TrimSuffix(strings.TrimPrefix(value, "("), ")")
	p.MonotoneConstraints = nil
	for word := range strings.SplitSeq(value, ",") {
		n, err := strconv.ParseInt(strings.TrimSpace(word), 10, 8)
		if err != nil || n < -1 || n > 1 {
			return fmt.Errorf("want -1, 0 or 1 for each column, got %q", word)
		}
		p.MonotoneConstraints = append(p.MonotoneConstraints, int8(n))
	}
	return nil
}

func wholeNumber(v string) (int, error) {
	n, err := strconv.ParseInt(v, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("want a whole number, got %q", v)
	}
	return int(n), nil
}

func decimal(v string) (float64, error) {
	x, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, fmt.Errorf("want a number, got %q", v)
	}
	return x, nil
}

func yesNo(v string) (bool, error) {
	switch strings.ToLower(v) {
	case "true", "1", "yes", "+":
		return true, nil
	case "false", "0", "no", "-":
		return false, nil
	}
	return false, fmt.Errorf("want true or false, got %q", v)
}

// withoutEffect are parameters with values that ask for what is the case anyway, or that change no model.
var withoutEffect = map[string][]string{
	"tree_method": {"hist", "auto"}, "device": {"cpu"}, "device_type": {"cpu"}, "deterministic": {"true"}, "force_col_wise": {"true", "false"},
	"force_row_wise": {"true", "false"}, "verbosity": {"-1", "0", "1", "2", "3"}, "verbose": {"-1", "0", "1", "2"}, "silent": {"true", "false"},
}

// applyParams sets what a text k=v,k=v,... says. A part without "=" belongs to the value before it. The names are those
// that the text has for the fields.
func applyParams(p *gbdt.Params, text string) (fieldNames, error) {
	known := trainParams(p.Family)
	var parts []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); !strings.Contains(part, "=") && len(parts) > 0 {
			parts[len(parts)-1] += "," + part
		} else if part != "" {
			parts = append(parts, part)
		}
	}
	given, names := map[string]string{}, usualNames(known)
	for _, part := range parts {
		name, value, ok := strings.Cut(part, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || name == "" || value == "" {
			return nil, fmt.Errorf("want NAME=VALUE, got %q", part)
		}
		i := slices.IndexFunc(known, func(t trainParam) bool { return slices.Contains(t.names, name) })
		if i < 0 && slices.Contains(withoutEffect[name], value) {
			continue
		}
		if i < 0 {
			var all []string
			for _, t := range known {
				all = append(all, t.names...)
			}
			return nil, fmt.Errorf("%q is no parameter of a training in %v's arithmetic%s", name, p.Family, near(name, all))
		}
		if other, twice := given[known[i].names[0]]; twice {
			return nil, fmt.Errorf("%s and %s are the same parameter", other, name)
		}
		given[known[i].names[0]] = name
		if err := known[i].set(p, value); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for field := range strings.FieldsSeq(known[i].sets) {
			names[field] = name
		}
	}
	if _, ok := given["quantile_alpha"]; p.Loss == gbdt.Quantile && !ok {
		if p.Family == gbdt.XGBoost {
			return nil, errors.New("objective reg:quantileerror needs quantile_alpha, the level")
		}
		p.Alpha = 0.9 // LightGBM's
	}
	if p.ClassWeights != nil && p.Loss != gbdt.Logistic && !(p.NumClass == 2 && (p.Loss == gbdt.Softmax || p.Loss == gbdt.OneVsRest)) {
		return nil, errors.New("scale_pos_weight goes with an objective of two classes, as binary")
	}
	if p.BaggingFreq == 0 { // LightGBM's word for no bagging
		p.BaggingFreq, p.BaggingFraction = 1, 1
	}
	return names, nil
}

// fieldNames has for fields of gbdt.Params the names that they were given by.
type fieldNames map[string]string

// usualNames gives the fields the first names of their parameters.
func usualNames(known []trainParam) fieldNames {
	names := fieldNames{"Dart": "dart", "RandomForest": "random forest"}
	for _, p := range known {
		for field := range strings.FieldsSeq(p.sets) {
			names[field] = p.names[0]
		}
	}
	return names
}

// goName matches what may be the name of a field.
var goName = regexp.MustCompile(`\b[A-Z]\w*`)

// explain tells the faults that Params.Validate found by these names.
func (names fieldNames) explain(err error) error {
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	for i, fault := range all {
		text := strings.TrimPrefix(fault.Error(), "gbdt: "+gbdt.ErrParams.Error()+": ")
		all[i] = errors.New(goName.ReplaceAllStringFunc(text, func(word string) string { return cmp.Or(names[word], word) }))
	}
	return errors.Join(all...)
}

// near names the nearest of the known names, if any is near.
func near(name string, known []string) string {
	best, bestDistance := "", max(2, len(name)/3)+1
	for _, k := range known {
		d := editDistance(name, k)
		if len(name) > 3 && strings.Contains(k, name) {
			d = min(d, 2)
		}
		if d < bestDistance {
			best, bestDistance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// editDistance is the number of bytes to insert, remove or change to make a of b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
