package xgboost

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/pppq/pppq/gbdt"
)

// small is a hand-made model of two trees; the first has a numerical and a categorical split.
const small = `{"learner":{"attributes":{"best_iteration":"1"},"feature_names":["a","b \"c\""],"feature_types":["float","c"],` +
	`"gradient_booster":{"model":{"cats":{"enc":[],"feature_segments":[],"sorted_idx":[]},` +
	`"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"2"},"iteration_indptr":[0,1,2],"tree_info":[0,0],"trees":[` +
	`{"base_weights":[0E0,1E-1,2E-1,3E-1,4E-1],"categories":[0,33],"categories_nodes":[2],"categories_segments":[0],` +
	`"categories_sizes":[2],"default_left":[1,0,0,0,0],"id":0,"left_children":[1,-1,3,-1,-1],"loss_changes":[9E0,0E0,8E0,0E0,0E0],` +
	`"parents":[2147483647,0,0,2,2],"right_children":[2,-1,4,-1,-1],"split_conditions":[5E-1,1E0,NaN,2E0,3E0],` +
	`"split_indices":[0,0,1,0,0],"split_type":[0,0,1,0,0],"sum_hessian":[9E0,4E0,5E0,2E0,3E0],` +
	`"tree_param":{"num_deleted":"0","num_feature":"2","num_nodes":"5","size_leaf_vector":"1"}},` +
	`{"base_weights":[2.5E-1],"categories":[],"categories_nodes":[],"categories_segments":[],"categories_sizes":[],` +
	`"default_left":[0],"id":1,"left_children":[-1],"loss_changes":[0E0],"parents":[2147483647],"right_children":[-1],` +
	`"split_conditions":[1.25E-1],"split_indices":[0],"split_type":[0],"sum_hessian":[9E0],` +
	`"tree_param":{"num_deleted":"0","num_feature":"2","num_nodes":"1","size_leaf_vector":"1"}}]},"name":"gbtree"},` +
	`"learner_model_param":{"base_score":"5E-1","boost_from_average":"1","num_class":"0","num_feature":"2","num_target":"1"},` +
	`"objective":{"name":"reg:squarederror","reg_loss_param":{"scale_pos_weight":"1"}}},"version":[3,2,0]}`

func mustRead(t testing.TB, doc string) *File {
	t.Helper()
	f, err := Read(strings.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func asJSON(t testing.TB, f *File) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteJSON(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func asUBJSON(t testing.TB, f *File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteUBJSON(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func replace(t *testing.T, pairs ...string) string {
	t.Helper()
	doc := small
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(doc, pairs[i]) {
			t.Fatalf("the document has no %s", pairs[i])
		}
		doc = strings.Replace(doc, pairs[i], pairs[i+1], 1)
	}
	return doc
}

func TestReadSmall(t *testing.T) {
	t.Parallel()
	f := mustRead(t, small)
	m := f.Model
	if m.NumFeatures() != 2 || m.FeatureNames[1] != `b "c"` || m.Outputs != 1 || m.NumRounds() != 2 || m.BaseMargin[0] != 0.5 {
		t.Errorf("got %q, %d outputs, %d rounds, base margin %v", m.FeatureNames, m.Outputs, m.NumRounds(), m.BaseMargin)
	}
	if f.Attributes["best_iteration"] != "1" || f.FeatureTypes[1] != "c" || f.Version[0] != 3 {
		t.Errorf("got attributes %v, types %v, version %v", f.Attributes, f.FeatureTypes, f.Version)
	}
	p, err := gbdt.NewPredictor(m, gbdt.PredictOptions{})
	if err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	for _, c := range []struct {
		row  []float64
		raw  float64
		leaf int32
	}{
		{[]float64{0, 0}, 1.625, 1}, {[]float64{nan, 0}, 1.625, 1}, {[]float64{0.5, 0}, 3.625, 4}, {[]float64{1, 33}, 3.625, 4},
		{[]float64{1, 1}, 2.625, 3}, {[]float64{1, -1}, 2.625, 3}, {[]float64{1, 1000}, 2.625, 3}, {[]float64{1, nan}, 3.625, 4},
	} {
		raw, leaf := make([]float64, 1), make([]int32, 2)
		if err := errors.Join(p.Raw(raw, c.row), p.LeafIndex(leaf, c.row)); err != nil {
			t.Fatal(err)
		}
		if raw[0] != c.raw || leaf[0] != c.leaf || leaf[1] != 0 {
			t.Errorf("%v: got %v, nodes %v, want %v, node %d", c.row, raw[0], leaf, c.raw, c.leaf)
		}
	}
	if got := asJSON(t, f); got != small {
		i := firstDifference([]byte(got), []byte(small))
		t.Errorf("written: differs at byte %d: %q", i, around([]byte(got), i))
	}
	if got := asJSON(t, mustRead(t, string(asUBJSON(t, f)))); got != small {
		t.Error("written as UBJSON and back: differs")
	}
}

// TestSpellings reads what other releases and other writers spell otherwise; the model must be the same.
func TestSpellings(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]string{
		"blanks":                      strings.NewReplacer("\":", "\" : ", ",", ",\n  ", "[", "[ ", "}", "\t}").Replace(small),
		"integers for floats":         replace(t, "[5E-1,1E0,NaN,2E0,3E0]", "[0.5,1,NaN,2,3.0e0]"),
		"booleans":                    replace(t, `"default_left":[1,0,0,0,0]`, `"default_left":[true,false,false,false,false]`),
		"list base_score":             replace(t, `"5E-1"`, `"[5E-1]"`),
		"no num_target":               replace(t, `,"num_target":"1"`, ""),
		"no version":                  replace(t, `,"version":[3,2,0]`, ""),
		"no iteration_indptr":         replace(t, `"iteration_indptr":[0,1,2],`, ""),
		"no cats":                     replace(t, `"cats":{"enc":[],"feature_segments":[],"sorted_idx":[]},`, ""),
		"unknown keys":                replace(t, `"attributes"`, `"later":{"x":[1,2.5,null,true,"s",{}]},"attributes"`, `"id":0`, `"id":0,"more":[[]]`, `"version"`, `"more":{},"version"`),
		"escaped names":               replace(t, `"a"`, `"\u0061"`, `b \"c\"`, `b \u0022c\u0022`),
		"split_type absent in a leaf": replace(t, `"split_type":[0],`, ""),
		"dart of weights 1": replace(t, `"gradient_booster":{"model"`, `"gradient_booster":{"gbtree":{"model"`,
			`"name":"gbtree"}`, `"name":"gbtree"},"name":"dart","weight_drop":[1E0,1E0]}`),
		"dart with too few weights": replace(t, `"gradient_booster":{"model"`, `"gradient_booster":{"gbtree":{"model"`,
			`"name":"gbtree"}`, `"name":"gbtree"},"name":"dart","weight_drop":[1E0]}`),
		"weights in the model": replace(t, `"num_deleted":"0","num_feature":"2","num_nodes":"1","size_leaf_vector":"1"}}]}`,
			`"num_deleted":"0","num_feature":"2","num_nodes":"1","size_leaf_vector":"1"}}],"weight_drop":[1E0,1E0]}`),
	} {
		f, err := Read(strings.NewReader(doc))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		// The same in the form of small: everything that the model does not depend on is taken from there.
		plain := mustRead(t, small)
		plain.Model = f.Model
		plain.Model.TreeWeights = nil
		if got := asJSON(t, plain); got != small {
			i := firstDifference([]byte(got), []byte(small))
			t.Errorf("%s: differs at byte %d: %q, want %q", name, i, around([]byte(got), i), around([]byte(small), i))
		}
		// What is kept comes back from both forms.
		once := asJSON(t, f)
		if again := asJSON(t, mustRead(t, once)); again != once {
			t.Errorf("%s: read and written again: got\n%s\nwant\n%s", name, again, once)
		}
		if again := asJSON(t, mustRead(t, string(asUBJSON(t, f)))); again != once {
			t.Errorf("%s: through UBJSON: got\n%s\nwant\n%s", name, again, once)
		}
	}
}

func TestWeights(t *testing.T) {
	t.Parallel()
	doc := replace(t, `"gradient_booster":{"model"`, `"gradient_booster":{"gbtree":{"model"`,
		`"name":"gbtree"}`, `"name":"gbtree"},"name":"dart","weight_drop":[5E-1]}`)
	f := mustRead(t, doc)
	if w := f.Model.TreeWeights; len(w) != 2 || w[0] != 0.5 || w[1] != 1 {
		t.Errorf("got weights %v, want [0.5 1]", w)
	}
	if got := asJSON(t, f); !strings.Contains(got, `"name":"dart","weight_drop":[5E-1,1E0]`) {
		t.Errorf("the old form is not written: %s", got)
	}
	f.Form.WeightsInModel = true
	got := asJSON(t, f)
	if strings.Contains(got, "dart") || !strings.Contains(got, `"weight_drop":[5E-1,1E0]},"name":"gbtree"`) {
		t.Errorf("the new form is not written: %s", got)
	}
	if again := mustRead(t, got); !again.ReadForm.WeightsInModel || again.Model.TreeWeights[0] != 0.5 {
		t.Errorf("read again: got %v", again.Model.TreeWeights)
	}
}

// TestUnequalBaseScores checks that a list is written where, and only where, it must be.
func TestUnequalBaseScores(t *testing.T) {
	t.Parallel()
	doc := replace(t, `"5E-1"`, `"[5E-1,5E-1]"`, `"num_target":"1"`, `"num_target":"2"`)
	f := mustRead(t, doc)
	if got := asJSON(t, f); !strings.Contains(got, `"base_score":"5E-1"`) {
		t.Error("equal base scores are not written as one number")
	}
	f.Form = f.ReadForm
	if got := asJSON(t, f); !strings.Contains(got, `"base_score":"[5E-1,5E-1]"`) {
		t.Error("the list that was asked for is not written")
	}
	f.Form = Form{}
	f.Model.BaseMargin[1] = 0.25
	if got := asJSON(t, f); !strings.Contains(got, `"base_score":"[5E-1,2.5E-1]"`) {
		t.Error("base scores that differ are not written as a list")
	}
}

func TestReadErrors(t *testing.T) {
	t.Parallel()
	const tree0 = "learner.gradient_booster.model.trees[0]"
	for _, c := range []struct {
		name, doc    string
		key, message string
	}{
		{"empty", "", "", "the file ends here"},
		{"one byte", "{", "", "the file ends here"},
		{"old binary", "binf\x00\x00", "", "old binary format"},
		{"LightGBM", "tree\nversion=v4\n", "", "this is a LightGBM model"},
		{"dump", `[{"nodeid":0}]`, "", "dump_model"},
		{"another file", "<html>", "", "neither JSON nor UBJSON"},
		{"snapshot", `{"Config":{},"Model":{}}`, "Config", "memory snapshot"},
		{"nothing in it", `{}`, "learner", "no such key"},
		{"cut off", small[:200], "learner.gradient_booster.model", "the file ends"},
		{"more after it", small + "{}", "", "more text after the document"},
		{"key twice", replace(t, `"id":0`, `"id":0,"id":0`), tree0 + ".id", "given twice"},
		{"no attributes", replace(t, `"attributes":{"best_iteration":"1"},`, ""), "learner.attributes", "no such key"},
		{"unknown booster", replace(t, `"name":"gbtree"`, `"name":"gbforest"`), "learner.gradient_booster", `booster "gbforest" is not known`},
		{"linear booster", replace(t, `"name":"gbtree"`, `"name":"gblinear"`), "learner.gradient_booster", "gblinear"},
		{"unknown objective", replace(t, "reg:squarederror", "reg:cubed"), "learner.objective", `"reg:cubed" is not known`},
		{"number for a text", replace(t, `"5E-1"`, `5E-1`), "learner.learner_model_param.base_score", "want a string"},
		{"bad base_score", replace(t, `"5E-1"`, `"half"`), "learner.learner_model_param.base_score", "not a number"},
		{"base_score below 0", replace(t, `"5E-1"`, `"-1E0"`, "reg:squarederror", "reg:gamma"), "learner.learner_model_param.base_score", "no raw score"},
		{"base scores", replace(t, `"5E-1"`, `"[5E-1,5E-1]"`), "learner.learner_model_param.base_score", "2 numbers for 1 outputs"},
		{"no base_score", replace(t, `"base_score":"5E-1",`, ""), "learner.learner_model_param.base_score", "no such key"},
		{"no classes", replace(t, `"num_class":"0"`, `"num_class":"x"`), "learner.learner_model_param.num_class", "want an integer"},
		{"many classes", replace(t, `"num_class":"0"`, `"num_class":"70000"`), "learner.learner_model_param.num_class", "want an integer in [0, 65536]"},
		{"classes and targets", replace(t, `"num_class":"0"`, `"num_class":"2"`, `"num_target":"1"`, `"num_target":"2"`), "learner.learner_model_param", "at once"},
		{"many features", replace(t, `"num_feature":"2","num_target"`, `"num_feature":"99999999","num_target"`), "learner.learner_model_param.num_feature", "want an integer"},
		{"other features", replace(t, `"num_feature":"2","num_target"`, `"num_feature":"3","num_target"`), tree0 + ".tree_param.num_feature", "2, but the learner has 3"},
		{"names", replace(t, `["a",`, `[`), "learner.feature_names", "want 2 entries, got 1"},
		{"types", replace(t, `["float",`, `[`), "learner.feature_types", "want 2 entries, got 1"},
		{"number of trees", replace(t, `"num_trees":"2"`, `"num_trees":"3"`), "learner.gradient_booster.model.trees", "2 trees, but num_trees is 3"},
		{"tree_info", replace(t, `"tree_info":[0,0]`, `"tree_info":[0]`), "learner.gradient_booster.model.tree_info", "1 entries for 2 trees"},
		{"output", replace(t, `"tree_info":[0,0]`, `"tree_info":[0,1]`), "learner.gradient_booster.model.tree_info", "entry 1 is 1, of 1 outputs"},
		{"rounds", replace(t, `[0,1,2]`, `[0,1]`), "learner", "1 rounds that end at tree 1"},
		{"rounds from 1", replace(t, `[0,1,2]`, `[1,2]`), "learner.gradient_booster.model.iteration_indptr", "starts with 0"},
		{"parallel trees", replace(t, `"iteration_indptr":[0,1,2],`, "", `"num_parallel_tree":"1"`, `"num_parallel_tree":"4"`), "learner.gradient_booster.model.trees", "2 trees are no whole rounds of 4"},
		{"weights", replace(t, `"name":"gbtree"}`, `"name":"gbtree","weight_drop":[1E0,1E0,1E0]}`), "learner.gradient_booster.weight_drop", "3 weights for 2 trees"},
		{"tree without a key", replace(t, `"parents":[2147483647,0,0,2,2],`, ""), tree0 + ".parents", "no such key"},
		{"part of the categories", replace(t, `"categories_sizes":[2],`, ""), tree0 + ".categories_sizes", "in part only"},
		{"tree number", replace(t, `"id":1`, `"id":2`), "learner.gradient_booster.model.trees[1].id", "2, want 1"},
		{"length", replace(t, `"sum_hessian":[9E0,4E0`, `"sum_hessian":[4E0`), tree0 + ".sum_hessian", "4 entries for 5 nodes"},
		{"word in an array", replace(t, `[9E0,4E0`, `[9E0,four`), tree0 + ".sum_hessian", "value 1: not a number"},
		{"NaN as an integer", replace(t, `"tree_info":[0,0]`, `"tree_info":[0,NaN]`), "learner.gradient_booster.model.tree_info", "value 1: want an integer"},
		{"hexadecimal", replace(t, `[9E0,4E0`, `[9E0,0x4`), tree0 + ".sum_hessian", "not a number"},
		{"leading zero", replace(t, `[9E0,4E0`, `[9E0,04E0`), tree0 + ".sum_hessian", "not a number"},
		{"out of range", replace(t, `[9E0,4E0`, `[9E0,4E39`), tree0 + ".sum_hessian", "out of the range of float32"},
		{"trailing comma", replace(t, `[9E0,4E0,5E0,2E0,3E0]`, `[9E0,4E0,5E0,2E0,3E0,]`), tree0 + ".sum_hessian", "not a number"},
		{"missing comma", replace(t, `[9E0,4E0`, `[9E0 4E0`), tree0 + ".sum_hessian", `want "," or "]"`},
		{"control character", replace(t, `"a"`, "\"\x01\""), "learner.feature_names[0]", "control character"},
		{"half a pair", replace(t, `"a"`, `"\ud800x"`), "learner.feature_names[0]", "surrogate"},
		{"unknown escape", replace(t, `"a"`, `"\q"`), "learner.feature_names[0]", "not known"},
		{"feature out of range", replace(t, `"split_indices":[0,0,1,0,0]`, `"split_indices":[2,0,1,0,0]`), tree0, "feature 2 outside [0, 2)"},
		{"child out of range", replace(t, `"left_children":[1,-1,3,`, `"left_children":[1,-1,9,`, `"right_children":[2,-1,4`, `"right_children":[2,-1,10`), tree0, "node 2 has child 9, of 5 nodes"},
		{"no pair", replace(t, `"right_children":[2,-1,4`, `"right_children":[2,-1,3`), tree0, "which are no pair"},
		{"loop", replace(t, `"left_children":[1,-1,3,`, `"left_children":[1,-1,0,`, `"right_children":[2,-1,4`, `"right_children":[2,-1,1`), tree0, "another parent"},
		{"two parents", replace(t, `"left_children":[1,-1,3,`, `"left_children":[1,-1,1,`, `"right_children":[2,-1,4`, `"right_children":[2,-1,2`), tree0, "another parent"},
		{"right child only", replace(t, `"right_children":[2,-1,`, `"right_children":[2,3,`), tree0, "no left child"},
		{"parent", replace(t, `[2147483647,0,0,2,2]`, `[2147483647,0,1,2,2]`), tree0, "node 2 has parent 1"},
		{"deleted nodes", replace(t, `"num_deleted":"0"`, `"num_deleted":"1"`), tree0, "num_deleted is 1, but 0 nodes are"},
		{"deleted but reached", replace(t, `"split_indices":[0,0,1,0,0]`, `"split_indices":[0,0,1,0,2147483647]`), tree0, "node 4 is deleted, but reached"},
		{"category past the end", replace(t, `"categories_sizes":[2]`, `"categories_sizes":[3]`), tree0, "of 2 categories"},
		{"no category", replace(t, `"categories_sizes":[2]`, `"categories_sizes":[0]`), tree0, "node 2 has no category"},
		{"categorical node without a set", replace(t, `"split_type":[0,0,1`, `"split_type":[1,0,1`), tree0, "categorical node 0 is not among them"},
		{"category too large", replace(t, `"categories":[0,33]`, `"categories":[0,16777216]`), tree0 + ".categories", "outside [0, 16777215]"},
		{"vector leaves", replace(t, `"size_leaf_vector":"1"`, `"size_leaf_vector":"2"`), tree0 + ".tree_param.size_leaf_vector", "leaves of 2 values"},
		{"nested", replace(t, `"attributes"`, `"later":`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+`,"attributes"`), "learner.later" + strings.Repeat("[0]", 33), "nested deeper than 32"},
	} {
		_, err := Read(strings.NewReader(c.doc))
		var p *ParseError
		if !errors.As(err, &p) {
			t.Errorf("%s: got %v, want a ParseError", c.name, err)
			continue
		}
		if p.Key != c.key || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: got %q (key %q), want key %q and %q", c.name, err, p.Key, c.key, c.message)
		}
		if p.Offset < 0 || p.Offset > int64(len(c.doc)) {
			t.Errorf("%s: offset %d of %d bytes", c.name, p.Offset, len(c.doc))
		}
	}
	if _, err := Read(strings.NewReader(replace(t, `[9E0,4E0`, `[9E0,four`))); err != nil {
		var p *ParseError
		if errors.As(err, &p); !strings.HasPrefix(small[p.Offset:], "4E0,5E0") {
			t.Errorf("the fault is located at %q", small[p.Offset:p.Offset+20])
		}
	}
}

// TestUBJSONErrors damages the binary form.
func TestUBJSONErrors(t *testing.T) {
	t.Parallel()
	doc := asUBJSON(t, mustRead(t, small))
	count := func(n int64) string { return string(binary.BigEndian.AppendUint64(nil, uint64(n))) }
	for _, c := range []struct{ name, old, new, message string }{
		{"many items", "parents[$l#L" + count(5), "parents[$l#L" + count(1<<40), "bytes are left"},
		{"more items than bytes", "parents[$l#L" + count(5), "parents[$l#L" + count(1000), "bytes are left"},
		{"negative count", "parents[$l#L" + count(5), "parents[$l#L" + count(-1), "length -1"},
		{"long text", "nameSL" + count(6), "nameSL" + count(1<<40), "bytes are left"},
		{"type without a width", "parents[$l#L", "parents[$Z#L", "an array of type"},
		{"type without a count", "parents[$l#L", "parents[$l!L", "without a count"},
		{"text for a number", "idi\x00", "idSi\x00", "want a number"},
		{"unknown type", "idi\x00", "idq\x00", "want a number"},
	} {
		broken := bytes.Replace(doc, []byte(c.old), []byte(c.new), 1)
		if bytes.Equal(broken, doc) {
			t.Fatalf("%s: the document has no %q", c.name, c.old)
		}
		_, err := Read(bytes.NewReader(broken))
		var p *ParseError
		if !errors.As(err, &p) || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: got %v, want a ParseError with %q", c.name, err, c.message)
		}
	}
	if _, err := Read(bytes.NewReader(append(bytes.Clone(doc), 'N'))); err == nil || !strings.Contains(err.Error(), "more bytes") {
		t.Errorf("a byte more: got %v", err)
	}
}

// TestUBJSONSpellings reads arrays of other types and without counts.
func TestUBJSONSpellings(t *testing.T) {
	t.Parallel()
	doc := asUBJSON(t, mustRead(t, small))
	count := func(n int64) string { return string(binary.BigEndian.AppendUint64(nil, uint64(n))) }
	for _, c := range []struct{ name, old, new string }{
		{"open array", "tree_info[#L" + count(2) + "i\x00i\x00", "tree_info[i\x00i\x00]"},
		{"typed", "tree_info[#L" + count(2) + "i\x00i\x00", "tree_info[$U#L" + count(2) + "\x00\x00"},
		{"short count", "tree_info[#L" + count(2) + "i\x00i\x00", "tree_info[#i\x02U\x00I\x00\x00"},
		{"booleans", "default_left[$U#L" + count(5) + "\x01\x00\x00\x00\x00", "default_left[#i\x05TFFFF"},
		{"doubles", "loss_changes[$d#L" + count(1) + "\x00\x00\x00\x00", "loss_changes[#i\x01D" + count(0)},
		{"short key", "L" + count(7) + "version", "i\x07version"},
	} {
		other := bytes.Replace(doc, []byte(c.old), []byte(c.new), 1)
		if bytes.Equal(other, doc) {
			t.Fatalf("%s: the document has no %q", c.name, c.old)
		}
		f, err := Read(bytes.NewReader(other))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if got := asUBJSON(t, f); !bytes.Equal(got, doc) {
			t.Errorf("%s: written otherwise", c.name)
		}
	}
}
