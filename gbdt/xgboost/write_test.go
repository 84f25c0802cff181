package xgboost

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pppq/pppq/gbdt"
)

// stump is a model of one split by category.
func stump() *gbdt.Model {
	return &gbdt.Model{
		Family: gbdt.XGBoost, FeatureNames: []string{"a", "b"}, Outputs: 1, BaseMargin: []float64{0},
		Objective: gbdt.Objective{Name: "binary:logistic"}, RoundEnds: []int32{1},
		Trees: []gbdt.Tree{{
			Feature: []int32{1}, Threshold: []float64{0}, Decision: []uint8{gbdt.Decision(true, true, gbdt.MissingNone)},
			CatBoundaries: []int32{0, 2}, CatBits: []uint32{5, 1},
			Left: []int32{^1}, Right: []int32{^0}, LeafValue: []float64{1, -0.5}, Gain: []float64{2}, Shrinkage: 0.1,
		}},
	}
}

// TestNewText shows the whole text of a new file.
func TestNewText(t *testing.T) {
	t.Parallel()
	f, err := New(stump())
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"learner":{"attributes":{},"feature_names":["a","b"],"feature_types":["float","c"],` +
		`"gradient_booster":{"model":{"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"1","size_leaf_vector":"0"},` +
		`"iteration_indptr":[0,1],"tree_info":[0],"trees":[{"base_weights":[0E0,0E0,0E0],"categories":[0,2,32],` +
		`"categories_nodes":[0],"categories_segments":[0],"categories_sizes":[3],"default_left":[1,0,0],"id":0,` +
		`"left_children":[1,-1,-1],"loss_changes":[2E0,0E0,0E0],"parents":[2147483647,0,0],"right_children":[2,-1,-1],` +
		`"split_conditions":[NaN,-5E-1,1E0],"split_indices":[1,0,0],"split_type":[1,0,0],"sum_hessian":[0E0,0E0,0E0],` +
		`"tree_param":{"num_deleted":"0","num_feature":"2","num_nodes":"3","size_leaf_vector":"0"}}]},"name":"gbtree"},` +
		`"learner_model_param":{"base_score":"5E-1","boost_from_average":"1","num_class":"0","num_feature":"2","num_target":"1"},` +
		`"objective":{"name":"binary:logistic","reg_loss_param":{"scale_pos_weight":"1"}}},"version":[2,0,0]}`
	if got := asJSON(t, f); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	again := mustRead(t, want)
	if got := asJSON(t, again); got != want {
		t.Errorf("read and written again: got %s", got)
	}
	if ids := again.Model.Trees[0].LeafID; !slices.Equal(ids, []int32{1, 2}) {
		t.Errorf("leaf numbers: got %v, want [1 2]", ids)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(*gbdt.Model)
		message string
	}{
		"another family":    {func(m *gbdt.Model) { m.Family = gbdt.LightGBM }, "rules of lightgbm"},
		"bracket in a name": {func(m *gbdt.Model) { m.FeatureNames[0] = "a[0]" }, `name "a[0]"`},
		"empty name":        {func(m *gbdt.Model) { m.FeatureNames[0] = "" }, `name ""`},
		"name twice":        {func(m *gbdt.Model) { m.FeatureNames[0] = "b" }, "not unique"},
		"invalid tree":      {func(m *gbdt.Model) { m.Trees[0].LeafValue[0] = 0.1 }, "not a float32 value"},
	} {
		m := stump()
		c.change(m)
		if _, err := New(m); err == nil || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: got %v, want %q", name, err, c.message)
		}
	}
	if _, err := New(nil); err == nil {
		t.Error("nil model: want an error")
	}
}

// TestWriteRefuses has models that are valid but that the document cannot hold.
func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(*File)
		message string
	}{
		"no trees":             {func(f *File) { f.Model.Trees, f.Model.RoundEnds = nil, nil }, "a model without trees"},
		"empty set":            {func(f *File) { f.Model.Trees[0].CatBits = []uint32{0, 0} }, "node 0 has no category"},
		"no file":              {func(f *File) { *f = File{Model: f.Model} }, "comes from Read or New"},
		"margin of no score":   {func(f *File) { f.Model.BaseMargin[0] = 50 }, "no base_score gives the base margin 50"},
		"numbers that no pair": {func(f *File) { f.Model.Trees[0].InnerID, f.Model.Trees[0].LeafID = []int32{0}, []int32{1, 4} }, "which are no pair"},
		"root not 0":           {func(f *File) { f.Model.Trees[0].InnerID, f.Model.Trees[0].LeafID = []int32{3}, []int32{2, 1} }, "the root has number 3"},
		"number twice":         {func(f *File) { f.Model.Trees[0].InnerID, f.Model.Trees[0].LeafID = []int32{0}, []int32{1, 1} }, "given twice"},
		"number far away":      {func(f *File) { f.Model.Trees[0].InnerID, f.Model.Trees[0].LeafID = []int32{0}, []int32{1 << 30, 1} }, "outside"},
	} {
		f, err := New(stump())
		if err != nil {
			t.Fatal(err)
		}
		c.change(f)
		for form, write := range map[string]func(*bytes.Buffer) error{
			"JSON":   func(b *bytes.Buffer) error { return WriteJSON(b, f) },
			"UBJSON": func(b *bytes.Buffer) error { return WriteUBJSON(b, f) },
		} {
			if err := write(new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), c.message) {
				t.Errorf("%s, %s: got %v, want %q", name, form, err, c.message)
			}
		}
	}
}

// TestWriteChanged changes models after reading: what is written follows the model, also for trees whose arrays were
// kept because they are spelled in a particular way.
func TestWriteChanged(t *testing.T) {
	t.Parallel()
	// The split condition of the categorical node is not NaN, and the second tree has a deleted pair of nodes.
	doc := replace(t, `"split_conditions":[5E-1,1E0,NaN,`, `"split_conditions":[5E-1,1E0,1E-45,`,
		`"base_weights":[2.5E-1]`, `"base_weights":[2.5E-1,1E0,2E0]`, `"default_left":[0],"id":1`, `"default_left":[0,1,1],"id":1`,
		`"left_children":[-1],"loss_changes":[0E0],"parents":[2147483647],"right_children":[-1]`,
		`"left_children":[-1,-1,-1],"loss_changes":[7E0,0E0,0E0],"parents":[2147483647,0,0],"right_children":[-1,-1,-1]`,
		`"split_conditions":[1.25E-1],"split_indices":[0],"split_type":[0],"sum_hessian":[9E0]`,
		`"split_conditions":[1.25E-1,3E0,4E0],"split_indices":[1,2147483647,2147483647],"split_type":[0,0,0],"sum_hessian":[9E0,5E0,4E0]`,
		`"num_deleted":"0","num_feature":"2","num_nodes":"1"`, `"num_deleted":"2","num_feature":"2","num_nodes":"3"`)
	if got := asJSON(t, mustRead(t, doc)); got != doc {
		t.Fatalf("not changed: got\n%s\nwant\n%s", got, doc)
	}
	for name, c := range map[string]struct {
		change     func(*gbdt.Model)
		has, hasNo []string
	}{
		"leaf": {func(m *gbdt.Model) { m.Trees[0].LeafValue[0] = 64 }, []string{`[5E-1,6.4E1,NaN,2E0,3E0]`}, []string{"1E-45"}},
		"leaf of the pruned tree": {func(m *gbdt.Model) { m.Trees[1].LeafValue[0] = 64 },
			[]string{`"split_conditions":[6.4E1]`, "1E-45"}, []string{`"num_deleted":"2"`}},
		"first round only": {func(m *gbdt.Model) { m.Trees, m.RoundEnds = m.Trees[:1], m.RoundEnds[:1] },
			[]string{`"num_trees":"1"`, `"iteration_indptr":[0,1]`, `"tree_info":[0]`, "1E-45"}, []string{`"id":1`}},
		"second round only": {func(m *gbdt.Model) { m.Trees, m.RoundEnds = m.Trees[1:], m.RoundEnds[:1] },
			[]string{`"num_trees":"1"`, `"id":0`}, []string{"1E-45", `"id":1`, `"num_deleted":"2"`}},
		"output":    {func(m *gbdt.Model) { m.Outputs, m.BaseMargin, m.Trees[1].Output = 2, []float64{0.5, 0.5}, 1 }, []string{`"num_target":"2"`, `"tree_info":[0,1]`, `"base_score":"5E-1"`}, nil},
		"objective": {func(m *gbdt.Model) { m.Objective.Name = "count:poisson"; m.BaseMargin[0] = 0 }, []string{`{"name":"count:poisson","poisson_regression_param"`, `"base_score":"1E0"`}, []string{"reg_loss_param"}},
		"classes": {func(m *gbdt.Model) {
			m.Objective.Name, m.Outputs, m.BaseMargin = "multi:softprob", 2, []float64{0.5, 0.5}
		}, []string{`"num_class":"2"`, `"num_target":"1"`, `"softmax_multiclass_param":{"num_class":"2"}`}, nil},
		"weights":    {func(m *gbdt.Model) { m.TreeWeights = []float32{1, 0.5} }, []string{`"name":"dart","weight_drop":[1E0,5E-1]`}, nil},
		"new column": {func(m *gbdt.Model) { m.FeatureNames = append(m.FeatureNames, "z") }, []string{`"num_feature":"3","num_nodes":"5"`, `"z"`}, []string{`"num_feature":"2"`}},
	} {
		f := mustRead(t, doc)
		c.change(f.Model)
		f.FeatureTypes = nil
		got := asJSON(t, f)
		again := mustRead(t, got)
		if text := asJSON(t, again); text != got {
			t.Errorf("%s: read and written again: got\n%s\nwant\n%s", name, text, got)
		}
		for _, s := range c.has {
			if !strings.Contains(got, s) {
				t.Errorf("%s: no %s in %s", name, s, got)
			}
		}
		for _, s := range c.hasNo {
			if strings.Contains(got, s) {
				t.Errorf("%s: still %s in %s", name, s, got)
			}
		}
	}
}

// TestGapsStay writes a pruned model as a new file: leaf numbers stay what they were.
func TestGapsStay(t *testing.T) {
	t.Parallel()
	for _, a := range archives(t) {
		for _, c := range a.Cases {
			if c.Name != "squarederror-pruned" {
				continue
			}
			f := mustRead(t, string(c.File("model.json")))
			f.Model.FeatureNames = slices.Clone(f.Model.FeatureNames)
			fresh, err := New(f.Model)
			if err != nil {
				t.Fatal(err)
			}
			again := mustRead(t, asJSON(t, fresh))
			deleted := false
			for i := range f.Model.Trees {
				if !slices.Equal(again.Model.Trees[i].LeafID, f.Model.Trees[i].LeafID) {
					t.Errorf("XGBoost %s, tree %d: leaf numbers changed", a.Made.TrainedWith, i)
				}
				deleted = deleted || int(slices.Max(f.Model.Trees[i].LeafID)) > 2*len(f.Model.Trees[i].Left)
			}
			if !deleted {
				t.Errorf("XGBoost %s: no tree has deleted nodes", a.Made.TrainedWith)
			}
		}
	}
}

func TestSaveLoad(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	f := mustRead(t, small)
	for _, name := range []string{"model.json", "model.ubj", "model.UBJ", "model"} {
		path := filepath.Join(folder, name)
		if err := Save(path, f); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if isBinary := b[1] == 'L'; isBinary != strings.HasSuffix(strings.ToLower(name), ".ubj") {
			t.Errorf("%s starts with %q", name, b[:2])
		}
		if again, err := Load(path); err != nil || asJSON(t, again) != small {
			t.Errorf("%s: loaded: %v", name, err)
		}
	}
	path := filepath.Join(folder, "model.json")
	f.Model.BaseMargin = nil
	if err := Save(path, f); err == nil {
		t.Error("a model that is not valid was saved")
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != small {
		t.Errorf("after a refused save: got %d bytes, %v", len(b), err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 4 {
		t.Errorf("folder: got %v, %v", entries, err)
	}
	if _, err := Load(filepath.Join(folder, "absent")); err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("absent file: got %v", err)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Limits)
		fits   bool
	}{
		"all just fit":  {func(l *Limits) { *l = Limits{int64(len(small)), 2, 2, 1, 2} }, true},
		"a byte less":   {func(l *Limits) { l.MaxBytes = int64(len(small)) - 1 }, false},
		"a tree less":   {func(l *Limits) { l.MaxTrees = 1 }, false},
		"a column less": {func(l *Limits) { l.MaxFeatures = 1 }, false},
		"a word less":   {func(l *Limits) { l.MaxCategoryWords = 1 }, false},
	} {
		l := DefaultLimits()
		c.change(&l)
		if _, err := l.Read(strings.NewReader(small)); (err == nil) != c.fits {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
