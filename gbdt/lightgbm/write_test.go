package lightgbm

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pppq/pppq/gbdt"
)

// stump is a model of one split.
func stump() *gbdt.Model {
	return &gbdt.Model{
		Family: gbdt.LightGBM, FeatureNames: []string{"a", "b"}, Outputs: 1, BaseMargin: []float64{0},
		Objective: gbdt.Objective{Name: "binary", Sigmoid: 1}, RoundEnds: []int32{1},
		Trees: []gbdt.Tree{{
			Feature: []int32{1}, Threshold: []float64{0.1}, Decision: []uint8{gbdt.Decision(false, true, gbdt.MissingNaN)},
			Left: []int32{^0}, Right: []int32{^1}, LeafValue: []float64{1, -1}, Gain: []float64{2}, Shrinkage: 0.1,
		}},
	}
}

// TestNewText shows the whole text of a new file. tree_sizes counts from "Tree=0" to the second empty line.
func TestNewText(t *testing.T) {
	t.Parallel()
	f, err := New(stump())
	if err != nil {
		t.Fatal(err)
	}
	const want = `tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=1
objective=binary sigmoid:1
feature_names=a b
feature_infos=none none
tree_sizes=179

Tree=0
num_leaves=2
num_cat=0
split_feature=1
split_gain=2
threshold=0.10000000000000001
decision_type=10
left_child=-1
right_child=-2
leaf_value=1 -1
is_linear=0
shrinkage=0.1


end of trees

feature_importances:
b=1

parameters:
[boosting: gbdt]
[objective: binary]
[num_class: 1]

end of parameters

pandas_categorical:null
`
	if got := text(t, f); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if again := text(t, mustRead(t, want)); again != want {
		t.Errorf("read and written again: got %s", again)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(*gbdt.Model)
		message string
	}{
		"another family":  {func(m *gbdt.Model) { m.Family = gbdt.XGBoost }, "rules of xgboost"},
		"blank in a name": {func(m *gbdt.Model) { m.FeatureNames[1] = "b c" }, `name "b c"`},
		"colon in a name": {func(m *gbdt.Model) { m.FeatureNames[0] = "a:b" }, `name "a:b"`},
		"line end":        {func(m *gbdt.Model) { m.FeatureNames[0] = "a\n" }, `name "a\n"`},
		"empty name":      {func(m *gbdt.Model) { m.FeatureNames[0] = "" }, `name ""`},
		"name twice":      {func(m *gbdt.Model) { m.FeatureNames[0] = "b" }, "not unique"},
		"invalid tree":    {func(m *gbdt.Model) { m.Trees[0].Feature[0] = 2 }, "feature 2 outside"},
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

// TestWriteRefuses has models that are valid but that the text cannot hold.
func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(*File)
		message string
	}{
		"uneven rounds": {func(f *File) {
			f.Model.Trees = append(f.Model.Trees, f.Model.Trees[0])
			f.Model.RoundEnds = []int32{2}
		}, "round 0 ends at tree 2"},
		"blank in a name": {func(f *File) { f.Model.FeatureNames[0] = "a b" }, "has a blank"},
		"linear leaf only": {func(f *File) {
			f.Model.Trees[0] = gbdt.Tree{LeafValue: []float64{1}, Linear: &gbdt.LinearLeaves{Const: []float64{1}, Start: []int32{0, 1}, Features: []int32{0}, Coeff: []float64{2}}}
		}, "a linear tree needs a split"},
		"no file": {func(f *File) { *f = File{Model: f.Model} }, "comes from Read or New"},
	} {
		f, err := New(stump())
		if err != nil {
			t.Fatal(err)
		}
		c.change(f)
		var b strings.Builder
		if err := Write(&b, f); err == nil || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: got %v, want %q", name, err, c.message)
		}
	}
}

// TestWriteChanged changes models after reading: the text follows the model.
func TestWriteChanged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*gbdt.Model)
		want   []string
	}{
		"first round only": {func(m *gbdt.Model) { m.Trees, m.RoundEnds = m.Trees[:1], m.RoundEnds[:1] }, []string{"\nend of trees"}},
		"other objective":  {func(m *gbdt.Model) { m.Objective = gbdt.Objective{Name: "binary", Sigmoid: 0.30000000000000004} }, []string{"objective=binary sigmoid:0.30000000000000004\n"}},
		"no objective":     {func(m *gbdt.Model) { m.Objective = gbdt.Objective{} }, nil},
		"averages":         {func(m *gbdt.Model) { m.AverageOutput = true }, []string{"\nobjective=regression\naverage_output\nfeature_names"}},
		"signed square":    {func(m *gbdt.Model) { m.Objective.Sqrt = true }, []string{"\nobjective=regression sqrt\n"}},
		"ranges not known": {func(m *gbdt.Model) { m.Features[0].Min, m.Features[0].Max = math.NaN(), math.NaN() }, []string{"\nfeature_infos=none 0:2:1\n"}},
	} {
		f := mustRead(t, small)
		c.change(f.Model)
		got := text(t, f)
		again := mustRead(t, got)
		if text(t, again) != got {
			t.Errorf("%s: reading and writing changes the text", name)
		}
		if a, b := again.Model, f.Model; len(a.Trees) != len(b.Trees) || a.Objective.Name != b.Objective.Name ||
			a.Objective.Sigmoid != b.Objective.Sigmoid || a.Objective.Sqrt != b.Objective.Sqrt || a.AverageOutput != b.AverageOutput {
			t.Errorf("%s: read again: %+v", name, a.Objective)
		}
		for _, w := range c.want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: the text has no %q", name, w)
			}
		}
	}
}

// TestSubnormalLinear checks that subnormal numbers, which LightGBM cannot read in linear leaves, become 0.
func TestSubnormalLinear(t *testing.T) {
	t.Parallel()
	f := mustRead(t, small)
	f.Model.Trees[1].Linear.Const[0] = 5e-324
	f.Model.Trees[1].Linear.Coeff[0] = -1e-310
	f.Model.Trees[1].LeafValue[0] = 5e-324
	got := text(t, f)
	for _, w := range []string{"\nleaf_const=0 0.5\n", "\nleaf_coeff= 0  \n", "\nleaf_value=4.9406564584124654e-324 0.25\n"} {
		if !strings.Contains(got, w) {
			t.Errorf("the text has no %q", w)
		}
	}
}

func TestSaveLoad(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "model.txt")
	f := mustRead(t, small)
	if err := Save(path, f); err != nil {
		t.Fatal(err)
	}
	again, err := Load(path)
	if err != nil || text(t, again) != small {
		t.Errorf("loaded: got %v", err)
	}
	// What cannot be read again is not put in place.
	f.Tail = "nonsense\n"
	if err := Save(path, f); err == nil || !strings.Contains(err.Error(), `want a tree or "end of trees"`) {
		t.Errorf("damaged file: got %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != small {
		t.Errorf("after a refused save: got %d bytes, %v", len(b), err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
		t.Errorf("folder: got %v, %v", entries, err)
	}
	if _, err := Load(filepath.Join(folder, "absent")); !os.IsNotExist(err) && (err == nil || !strings.Contains(err.Error(), "absent")) {
		t.Errorf("absent file: got %v", err)
	}
}
