package lightgbm

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/pppq/pppq/gbdt/internal/modelfile"
)

// small is a hand-made model of three trees: a categorical split, a linear tree and a tree without a split.
const small = `tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=1
objective=regression
feature_names=a b
feature_infos=[-1:1.5] 0:2:1

Tree=0
num_leaves=3
num_cat=1
split_feature=0 1
split_gain=2 1.5
threshold=0.25 0
decision_type=10 1
left_child=1 -1
right_child=-2 -3
leaf_value=0.5 -1 2
leaf_weight=3 4 5
leaf_count=3 4 5
internal_value=0.1 0.2
internal_weight=12 8
internal_count=12 8
cat_boundaries=0 1
cat_threshold=5
is_linear=0
shrinkage=1


Tree=1
num_leaves=2
num_cat=0
split_feature=0
split_gain=3
threshold=-0.5
decision_type=2
left_child=-1
right_child=-2
leaf_value=0.125 0.25
leaf_weight=6 6
leaf_count=6 6
internal_value=0
internal_weight=12
internal_count=12
is_linear=1
leaf_const=0.125 0.5
num_features=0 1
leaf_features= 0  
leaf_coeff= 0.75  
shrinkage=0.1


Tree=2
num_leaves=1
num_cat=0
split_feature=
split_gain=
threshold=
decision_type=
left_child=
right_child=
leaf_value=0.0625
leaf_weight=
leaf_count=12
internal_value=
internal_weight=
internal_count=
is_linear=0
shrinkage=1


end of trees

feature_importances:
a=2
b=1

parameters:
[boosting: gbdt]
[learning_rate: 0.1]

end of parameters

pandas_categorical:null
`

// withSizes puts the line tree_sizes into the header of a text.
func withSizes(text, sizes string) string {
	return strings.Replace(text, "\n\nTree=0", "\ntree_sizes="+sizes+"\n\nTree=0", 1)
}

// sizesOfSmall are the bytes of its trees with the empty lines after them.
const sizesOfSmall = "315 330 228"

func mustRead(t *testing.T, text string) *File {
	t.Helper()
	f, err := Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func text(t *testing.T, f *File) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReadSmall(t *testing.T) {
	t.Parallel()
	f := mustRead(t, small)
	m := f.Model
	if m.NumFeatures() != 2 || m.Outputs != 1 || m.NumRounds() != 3 || len(m.Trees) != 3 || f.Version != "v4" {
		t.Errorf("got %d features, %d outputs, %d rounds, %d trees, version %q", m.NumFeatures(), m.Outputs, m.NumRounds(), len(m.Trees), f.Version)
	}
	if got := m.Features[1].Categories; len(got) != 3 || got[1] != 2 {
		t.Errorf("categories of b: got %v, want [0 2 1]", got)
	}
	if m.Features[0].Min != -1 || m.Features[0].Max != 1.5 {
		t.Errorf("range of a: got %v to %v", m.Features[0].Min, m.Features[0].Max)
	}
	l := m.Trees[1].Linear
	if l == nil || l.Const[1] != 0.5 || l.Start[1] != 0 || l.Start[2] != 1 || l.Coeff[0] != 0.75 || l.Features[0] != 0 {
		t.Errorf("linear leaves: got %+v", l)
	}
	if m.Trees[2].LeafWeight != nil || m.Trees[2].LeafCount[0] != 12 {
		t.Errorf("tree without a split: got weights %v and counts %v", m.Trees[2].LeafWeight, m.Trees[2].LeafCount)
	}
	if v, ok := f.Parameter("learning_rate"); !ok || v != "0.1" {
		t.Errorf("learning_rate: got %q, %v", v, ok)
	}
	if v, ok := f.Parameter("rate"); ok {
		t.Errorf("rate: got %q, want none", v)
	}
	if got := f.PandasCategorical(); got != "null" {
		t.Errorf("pandas_categorical: got %q", got)
	}
}

// TestRewriteSpellings reads texts that LightGBM or an editor spells otherwise.
func TestRewriteSpellings(t *testing.T) {
	t.Parallel()
	sized := withSizes(small, sizesOfSmall)
	for name, c := range map[string]struct{ in, out string }{
		"as written":               {small, small},
		"with tree_sizes":          {sized, sized},
		"carriage returns":         {strings.ReplaceAll(sized, "\n", "\r\n"), sized},
		"carriage returns, plain":  {strings.ReplaceAll(small, "\n", "\r\n"), small},
		"more empty lines":         {strings.ReplaceAll(small, "\n\n\nTree", "\n\n\n\n\nTree"), small},
		"fewer empty lines":        {strings.ReplaceAll(small, "\n\n\nTree", "\n\nTree"), small},
		"no last line end":         {strings.TrimSuffix(small, "\n"), strings.TrimSuffix(small, "\n")},
		"no label of objective":    {strings.Replace(small, "objective=regression\n", "", 1), strings.Replace(small, "objective=regression\n", "", 1)},
		"custom objective":         {strings.Replace(small, "=regression", "=custom", 1), strings.Replace(small, "=regression", "=custom", 1)},
		"unknown header keys":      {strings.Replace(small, "objective=", "later=1 2\nflag\nobjective=", 1), strings.Replace(small, "objective=", "later=1 2\nflag\nobjective=", 1)},
		"unknown tree key":         {strings.Replace(small, "num_cat=1\n", "num_cat=1\nleaf_parent=1 1 0\n", 1), small},
		"unknown infos":            {strings.Replace(small, "[-1:1.5] 0:2:1", "[-1;1.5] 0:2:1", 1), strings.Replace(small, "[-1:1.5] 0:2:1", "[-1;1.5] 0:2:1", 1)},
		"old, no leaf weights":     {without(small, "leaf_weight"), without(small, "leaf_weight")},
		"random forest":            {strings.Replace(small, "feature_names", "average_output\nfeature_names", 1), strings.Replace(small, "feature_names", "average_output\nfeature_names", 1)},
		"monotone constraints":     {strings.Replace(small, "feature_infos", "monotone_constraints=1 -1\nfeature_infos", 1), strings.Replace(small, "feature_infos", "monotone_constraints=1 -1\nfeature_infos", 1)},
		"names with equals signs":  {strings.Replace(small, "names=a b", "names=a=1 b=", 1), strings.Replace(small, "names=a b", "names=a=1 b=", 1)},
		"infinite and NaN numbers": {strings.Replace(small, "leaf_value=0.5 -1 2", "leaf_value=inf -inf -nan", 1), strings.Replace(small, "leaf_value=0.5 -1 2", "leaf_value=inf -inf -nan", 1)},
	} {
		f, err := Read(strings.NewReader(c.in))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := text(t, f); got != c.out {
			i := firstDifference([]byte(got), []byte(c.out))
			t.Errorf("%s: differs at byte %d: %q, want %q", name, i, around([]byte(got), i), around([]byte(c.out), i))
		}
	}
}

// without returns the text without the lines of a key.
func without(s, key string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		if !strings.HasPrefix(line, key+"=") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestReadErrors(t *testing.T) {
	t.Parallel()
	replace := func(old, new string) string {
		if !strings.Contains(small, old) {
			t.Fatalf("the model has no %q", old)
		}
		return strings.Replace(small, old, new, 1)
	}
	for _, c := range []struct {
		name, in string
		line     int
		key      string
		message  string
	}{
		{"empty", "", 1, "", "not a LightGBM model"},
		{"another file", "<html>\n", 1, "", "not a LightGBM model"},
		{"an XGBoost model", `{"learner":`, 1, "", "not a LightGBM model"},
		{"unknown version", replace("=v4", "=v5"), 2, "version", `"v5" is not known`},
		{"no label_index", without(small, "label_index"), 9, "label_index", "no such line"},
		{"no feature infos", without(small, "feature_infos"), 9, "feature_infos", "no such line"},
		{"bad number of classes", replace("num_class=1", "num_class=0"), 3, "num_class", "0 is outside"},
		{"too many outputs", replace("iteration=1", "iteration=70000"), 4, "num_tree_per_iteration", "70000 is outside"},
		{"too many features", replace("idx=1", "idx=2000000"), 6, "max_feature_idx", "outside"},
		{"names do not fit", replace("names=a b", "names=a"), 8, "feature_names", "want 2 entries, got 1"},
		{"empty name", replace("names=a b", "names=a  b"), 8, "feature_names", "want 2 entries, got 3"},
		{"carriage return in a name", replace("names=a b", "names=a\rb c"), 8, "feature_names", "carriage return"},
		{"key twice", replace("version=v4", "version=v4\nversion=v4"), 3, "version", "given twice"},
		{"two equals signs", replace("label_index=0", "label_index=0=0"), 5, "label_index", `more than one "="`},
		{"no equals sign", replace("label_index=0", "label_index"), 5, "label_index", "want a line key=value"},
		{"average_output with a value", replace("label_index=0", "average_output=1"), 5, "average_output", "want a line"},
		{"unknown objective", replace("=regression", "=regresion"), 7, "objective", `"regresion" is not known`},
		{"incomplete objective", replace("=regression", "=binary"), 7, "objective", "sigmoid is 0"},
		{"wrong classes", replace("=regression", "=multiclass num_class:3"), 7, "objective", "num_class is 3"},
		{"header only", small[:60], 5, "", "ends inside the header"},
		{"inside a tree", small[:strings.Index(small, "leaf_count")], 21, "Tree", "ends inside the tree"},
		{"after a tree", small[:strings.Index(small, "Tree=1")], 31, "", "ends inside the trees"},
		{"inside the parameters", small[:strings.Index(small, "end of parameters")], 83, "", "ends inside the parameters"},
		{"trees with no end", strings.Replace(small, "end of trees\n", "", 1), 75, "", `want a tree or "end of trees"`},
		{"wrong tree number", replace("Tree=1", "Tree=2"), 32, "Tree", `want number 1, got "2"`},
		{"key twice in a tree", replace("num_cat=1", "num_cat=1\nnum_cat=1"), 14, "", "num_cat: given twice"},
		{"line without a key", replace("num_cat=1", "num_cat"), 13, "", "want key=value"},
		{"no leaf values", without(small, "leaf_value"), 29, "leaf_value", "no such line"},
		{"no num_leaves", without(small, "num_leaves"), 29, "num_leaves", "no such line"},
		{"no leaves", replace("num_leaves=3", "num_leaves=0"), 12, "num_leaves", "0 is outside"},
		{"many leaves", replace("num_leaves=3", "num_leaves=2000000000"), 20, "leaf_value", "want 2000000000 values, the line has at most"},
		{"few values", replace("threshold=0.25 0", "threshold=0.25"), 16, "threshold", "want 2 values, got 1"},
		{"many values", replace("threshold=0.25 0", "threshold=0.25 0 1"), 16, "threshold", "got more"},
		{"not a number", replace("threshold=0.25 0", "threshold=0.25 O"), 16, "threshold", `value 1: not a number: "O"`},
		{"number out of range", replace("threshold=0.25 0", "threshold=1e999 0"), 16, "threshold", "out of range"},
		{"fraction for an integer", replace("leaf_count=3 4 5", "leaf_count=3 4.5 5"), 22, "leaf_count", "not an integer"},
		{"empty statistics of a split", replace("split_gain=2 1.5", "split_gain="), 15, "split_gain", "want 2 values"},
		{"feature out of range", replace("split_feature=0 1", "split_feature=0 2"), 11, "Tree", "feature 2 outside [0, 2)"},
		{"child below its parent", replace("left_child=1 -1", "left_child=0 -1"), 11, "Tree", "child 0 outside"},
		{"leaf with two parents", replace("right_child=-2 -3", "right_child=-2 -1"), 11, "Tree", "two parents"},
		{"unknown decision", replace("decision_type=10 1", "decision_type=14 1"), 11, "Tree", "decision 14 is not known"},
		{"set out of range", replace("threshold=0.25 0", "threshold=0.25 1"), 11, "Tree", "category set 1 of 1"},
		{"no set", replace("num_cat=1", "num_cat=0"), 11, "Tree", "category set 0 of 0"},
		{"boundaries", replace("cat_boundaries=0 1", "cat_boundaries=1 1"), 11, "Tree", "CatBoundaries"},
		{"many boundaries", replace("num_cat=1", "num_cat=2000000000"), 26, "cat_boundaries", "the line has at most"},
		{"few words", replace("cat_boundaries=0 1", "cat_boundaries=0 2"), 27, "cat_threshold", "want 2 values, the line has at most 1"},
		{"linear leaf without numbers", without(small, "leaf_coeff"), 52, "leaf_coeff", "no such line"},
		{"sum of linear features", replace("num_features=0 1", "num_features=2000000000 2000000000"), 49, "num_features", "too large"},
		{"linear feature out of range", replace("leaf_features= 0  ", "leaf_features= 5  "), 32, "Tree", "feature 5 outside"},
		{"linear tree without a split", replace("leaf_count=12\ninternal_value=\ninternal_weight=\ninternal_count=\nis_linear=0", "is_linear=1"), 66, "is_linear", "needs a split"},
		{"linear flag", replace("is_linear=1", "is_linear=2"), 47, "is_linear", "2 is outside"},
		{"wrong size", withSizes(small, "316 330 228"), 10, "tree_sizes", "tree 0 has 315 bytes, the header says 316"},
		{"few sizes", withSizes(small, "315 330"), 10, "tree_sizes", "2 sizes, but there are more trees"},
		{"many sizes", withSizes(small, sizesOfSmall+" 5"), 10, "tree_sizes", "4 sizes for 3 trees"},
		{"bad size", withSizes(small, "315 x"), 10, "tree_sizes", "entry 1: not an integer"},
		{"half a round", strings.Replace(without(small, "objective"), "iteration=1", "iteration=2", 1), 72, "Tree", "3 trees are no whole rounds of 2"},
	} {
		_, err := Read(strings.NewReader(c.in))
		var p *ParseError
		if !errors.As(err, &p) {
			t.Errorf("%s: got %v, want a ParseError", c.name, err)
			continue
		}
		if p.Line != c.line || p.Key != c.key || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: got %q, want line %d, key %q and %q", c.name, err, c.line, c.key, c.message)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Limits)
		fits   bool
	}{
		"all just fit":  {func(l *Limits) { *l = Limits{int64(len(small)), 3, 2, 1} }, true},
		"a byte less":   {func(l *Limits) { l.MaxBytes = int64(len(small)) - 1 }, false},
		"a tree less":   {func(l *Limits) { l.MaxTrees = 2 }, false},
		"a column less": {func(l *Limits) { l.MaxFeatures = 1 }, false},
		"no outputs":    {func(l *Limits) { l.MaxOutputs = 0 }, false},
	} {
		l := DefaultLimits()
		c.change(&l)
		if _, err := l.Read(strings.NewReader(small)); (err == nil) != c.fits {
			t.Errorf("%s: got %v", name, err)
		}
	}
	l := DefaultLimits()
	l.MaxBytes = 10
	if _, err := l.Read(strings.NewReader(small)); !errors.Is(err, modelfile.ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
	many := strings.Replace(small, "version=v4\n", manyKeys(), 1)
	if _, err := Read(strings.NewReader(many)); err == nil || !strings.Contains(err.Error(), "more than 1000 lines") {
		t.Errorf("long header: got %v", err)
	}
}

func manyKeys() string {
	var b strings.Builder
	for i := range 2000 {
		b.WriteString(strings.Repeat("k", i/50+1) + string(rune('A'+i%50)) + "=1\n")
	}
	return b.String()
}
