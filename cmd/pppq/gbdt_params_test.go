package main

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pppq/pppq/gbdt"
)

func TestApplyParams(t *testing.T) {
	t.Parallel()
	for text, c := range map[string]struct {
		family gbdt.Family
		want   func(*gbdt.Params)
	}{
		"": {gbdt.LightGBM, func(*gbdt.Params) {}},
		"objective=binary,num_iterations=300,learning_rate=0.05,num_leaves=63,max_depth=-1,min_data_in_leaf=5": {gbdt.LightGBM, func(p *gbdt.Params) {
			p.Loss, p.Rounds, p.LearningRate, p.MaxLeaves, p.MaxDepth, p.MinDataInLeaf = gbdt.Logistic, 300, 0.05, 63, 0, 5
		}},
		" n_estimators = 7 , reg_lambda=2, reg_alpha=3,min_child_weight=4,min_split_gain=5,subsample=0.5,colsample_bytree=0.25": {gbdt.LightGBM, func(p *gbdt.Params) {
			p.Rounds, p.L2, p.L1, p.MinSumHessian, p.MinGain, p.BaggingFraction, p.FeatureFraction = 7, 2, 3, 4, 5, 0.5, 0.25
		}},
		"objective=multi:softprob,num_class=3,eta=0.1,lambda=2,alpha=3,gamma=4,grow_policy=lossguide,max_leaves=8": {gbdt.XGBoost, func(p *gbdt.Params) {
			p.Loss, p.NumClass, p.LearningRate, p.L2, p.L1, p.MinGain, p.Growth, p.MaxLeaves = gbdt.Softmax, 3, 0.1, 2, 3, 4, gbdt.LeafWise, 8
		}},
		"objective=quantile":                                    {gbdt.LightGBM, func(p *gbdt.Params) { p.Loss, p.Alpha = gbdt.Quantile, 0.9 }},
		"objective=huber,alpha=0.5":                             {gbdt.LightGBM, func(p *gbdt.Params) { p.Loss, p.Alpha, p.HuberDelta = gbdt.Huber, 0.5, 0.5 }},
		"bagging_freq=0,subsample=0.5":                          {gbdt.LightGBM, func(*gbdt.Params) {}},
		"boosting=goss":                                         {gbdt.LightGBM, func(p *gbdt.Params) { p.TopRate, p.OtherRate = 0.2, 0.1 }},
		"top_rate=0.3,other_rate=0.2,data_sample_strategy=goss": {gbdt.LightGBM, func(p *gbdt.Params) { p.TopRate, p.OtherRate = 0.3, 0.2 }},
		"booster=dart,rate_drop=0.2,max_drop=-1":                {gbdt.XGBoost, func(p *gbdt.Params) { p.Boosting, p.DropRate, p.MaxDrop = gbdt.Dart, 0.2, 0 }},
		"monotone_constraints=1,0,-1,seed=7":                    {gbdt.LightGBM, func(p *gbdt.Params) { p.MonotoneConstraints, p.Seed = []int8{1, 0, -1}, 7 }},
		"monotone_constraints=(1,-1),interaction_constraints=[[0,1],[2]]": {gbdt.XGBoost, func(p *gbdt.Params) {
			p.MonotoneConstraints, p.InteractionConstraints = []int8{1, -1}, [][]int{{0, 1}, {2}}
		}},
		"interaction_constraints=[0,1],[2]": {gbdt.LightGBM, func(p *gbdt.Params) { p.InteractionConstraints = [][]int{{0, 1}, {2}} }},
		"objective=binary:logistic,scale_pos_weight=4,n_jobs=-1,boost_from_average=no,tree_method=hist,verbosity=0": {gbdt.XGBoost, func(p *gbdt.Params) {
			p.Loss, p.ClassWeights, p.Threads, p.BoostFromAverage = gbdt.Logistic, []float64{1, 4}, 0, false
		}},
	} {
		got, want := gbdt.DefaultParams(c.family), gbdt.DefaultParams(c.family)
		c.want(&want)
		if _, err := applyParams(&got, text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, %v, want %+v", text, got, err, want)
		}
	}
}

func TestApplyParamsRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"learnig_rate=1":                  `"learnig_rate" is no parameter of a training in xgboost's arithmetic; did you mean "learning_rate"?`,
		"zzzzzzzzzzzz=1":                  `arithmetic`,
		"eta":                             "want NAME=VALUE",
		"eta=":                            "want NAME=VALUE",
		"=1":                              "want NAME=VALUE",
		"eta=nan":                         "eta: want a number",
		"max_depth=6.5":                   "max_depth: want a whole number",
		"max_depth=99999999999":           "max_depth: want a whole number",
		"objective=reg:squarederor":       `did you mean "reg:squarederror"?`,
		"objective=reg:quantileerror":     "needs quantile_alpha",
		"boost_from_average=maybe":        "want true or false",
		"monotone_constraints=2":          "want -1, 0 or 1",
		"interaction_constraints=[0,[1]]": "want groups of column numbers",
		"grow_policy=best":                "want lossguide or depthwise",
		"booster=gblinear":                "want gbdt, dart, rf or goss",
		"data_sample_strategy=none":       "want bagging or goss",
		"tree_method=exact":               `"tree_method" is no parameter`,
		"seed=-1":                         "want a whole number of 0 or more",
		"eta=1,eta=2":                     "eta and eta are the same parameter",
		"objective=ova,num_class=3":       "objective: XGBoost has no ova; want multi:softprob",
		"objective=binary:logistic,scale_pos_weight=-1":           `scale_pos_weight: want a number of 0 or more, got "-1"`,
		"objective=multi:softprob,num_class=3,scale_pos_weight=2": "scale_pos_weight goes with an objective of two classes",
	} {
		p := gbdt.DefaultParams(gbdt.XGBoost)
		if _, err := applyParams(&p, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got error %v, want %q", text, err, want)
		}
	}
}

// TestExplain checks that faults name parameters as they were typed.
func TestExplain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"num_leaves=1":                         "num_leaves is 1, want 0 or 2 to 131072",
		"max_leaf=1":                           "max_leaf is 1, want 0 or 2 to 131072",
		"max_depth=65":                         "max_depth is 65, want 0 to 64",
		"objective=multiclass":                 "num_class is 0, want at least 2",
		"rounds=0":                             "rounds is 0, want at least 1",
		"reg_lambda=-1,eta=0":                  "reg_lambda is -1, want a number of 0 or more\neta is 0, want a number above 0",
		"objective=huber,alpha=0":              "alpha is 0, want a number above 0",
		"objective=huber,huber_delta=0":        "huber_delta is 0, want a number above 0",
		"objective=quantile,quantile_alpha=2":  "quantile_alpha is 2, want a level inside (0, 1)",
		"num_leaves=0,max_depth=-1":            "num_leaves and max_depth are both without limit",
		"boosting=goss,subsample=0.5":          "subsample together with other_rate",
		"boosting=dart,rate_drop=2":            "rate_drop 2, skip_drop 0.5 and max_drop 50, want chances and a number of 0 or more",
		"boosting=dart,early_stopping=3":       "early_stopping with dart, whose later rounds change the earlier ones",
		"boosting=rf":                          "a random forest without sampling would grow the same tree again and again",
		"objective=tweedie,tweedie_power=2":    "tweedie_power is 2, want a power inside (1, 2)",
		"max_bins=1000,min_data_in_bin=0":      "min_data_in_bin is 0, want at least 1\nmax_bins is 1000, want 2 to 256",
		"bagging_freq=-1,colsample_bytree=1.5": "bagging_freq is -1, want at least 1\ncolsample_bytree is 1.5, want a part inside (0, 1]",
	} {
		p := gbdt.DefaultParams(gbdt.LightGBM)
		names, err := applyParams(&p, text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if err := p.Validate(); err == nil || names.explain(err).Error() != want {
			t.Errorf("%q: got %v explained as %q, want %q", text, err, names.explain(err), want)
		}
	}
}

// TestParamNames checks that no name stands for two parameters, that each field has a name, and that each loss has names.
func TestParamNames(t *testing.T) {
	t.Parallel()
	for _, family := range []gbdt.Family{gbdt.LightGBM, gbdt.XGBoost} {
		var all []string
		for _, p := range trainParams(family) {
			all = append(all, p.names...)
		}
		slices.Sort(all)
		if unique := slices.Compact(slices.Clone(all)); len(unique) != len(all) || len(all) == 0 {
			t.Errorf("%v: a name of %v stands twice", family, all)
		}
		names, params := usualNames(trainParams(family)), reflect.TypeFor[gbdt.Params]()
		for i := range params.NumField() {
			if field := params.Field(i).Name; names[field] == "" && field != "Family" && field != "CategoricalFeatures" {
				t.Errorf("%v: no parameter sets %s", family, field)
			}
		}
		for field := range names {
			if _, ok := params.FieldByName(field); !ok && field != "Dart" && field != "RandomForest" {
				t.Errorf("%v: a parameter sets %s, which is no field", family, field)
			}
		}
	}
	for loss, names := range lossNames {
		for _, name := range names {
			p := gbdt.DefaultParams(gbdt.LightGBM)
			if err := setObjective(&p, name); err != nil || p.Loss != loss {
				t.Errorf("%q: got %v, %v, want %v", name, p.Loss, err, loss)
			}
		}
	}
}

// TestParamsTable checks that the tables of docs/gbdt.md name every field of Params and PredictOptions and no parameter
// that a training does not know.
func TestParamsTable(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/gbdt.md")
	if err != nil {
		t.Fatal(err)
	}
	word := regexp.MustCompile("`([A-Za-z0-9_]+)")
	for _, table := range []struct {
		name   string
		of     reflect.Type
		except []string
		params bool
	}{
		{"`gbdt.Params`", reflect.TypeFor[gbdt.Params](), []string{"Family"}, true},
		{"`gbdt.PredictOptions`", reflect.TypeFor[gbdt.PredictOptions](), nil, false},
	} {
		_, rest, ok := strings.Cut(string(text), "| LightGBM | XGBoost | "+table.name+" |\n")
		if !ok {
			t.Fatalf("no table of %s", table.name)
		}
		rest, _, _ = strings.Cut(rest, "\n\n")
		fields := map[string]bool{}
		for row := range strings.Lines(rest) {
			cells := strings.Split(row, "|")
			if len(cells) != 5 {
				t.Fatalf("row %q has %d cells", row, len(cells)-2)
			}
			for _, w := range word.FindAllStringSubmatch(cells[3], -1) {
				fields[w[1]] = true
			}
			for column, family := range []gbdt.Family{gbdt.LightGBM, gbdt.XGBoost} {
				var known []string
				for _, p := range trainParams(family) {
					known = append(known, p.names...)
				}
				names, _, _ := strings.Cut(cells[1+column], ":") // its values follow
				names, _, _ = strings.Cut(names, "(")
				for _, w := range word.FindAllStringSubmatch(names, -1) {
					if name := w[1]; table.params && !slices.Contains(known, name) && name != "categorical_feature" && name != "c" {
						t.Errorf("%s: training does not know %v's %q", table.name, family, name)
					}
				}
			}
		}
		for i := range table.of.NumField() {
			if name := table.of.Field(i).Name; !fields[name] && !slices.Contains(table.except, name) {
				t.Errorf("the table of %s lacks %s", table.name, name)
			}
		}
	}
}
