package xgboost

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/internal/modelfile"
)

// WriteJSON writes f as JSON.
func WriteJSON(w io.Writer, f *File) error {
	return f.write(&jsonEncoder{output: output{w: w}})
}

// WriteUBJSON writes f as UBJSON.
func WriteUBJSON(w io.Writer, f *File) error {
	return f.write(&ubjEncoder{output{w: w}})
}

// Save replaces the file at path in one step, as UBJSON if its name ends in .ubj and as JSON otherwise, which is how
// XGBoost tells them apart: the document is written under a temporary name in the same folder, synced, read again and
// compared, and then renamed. After an error the old file is as it was.
func Save(path string, f *File) error {
	write := WriteJSON
	if strings.EqualFold(filepath.Ext(path), ".ubj") {
		write = WriteUBJSON
	}
	check := func(written []byte) error {
		limits := DefaultLimits()
		limits.MaxBytes = max(limits.MaxBytes, int64(len(written)))
		again, err := limits.parse(written)
		if err != nil {
			return err
		}
		again.Form = f.Form
		var b bytes.Buffer
		if err := write(&b, again); err != nil {
			return err
		}
		if !bytes.Equal(b.Bytes(), written) {
			return errors.New("reading it again gives another model")
		}
		return nil
	}
	if err := modelfile.Save(path, func(w io.Writer) error { return write(w, f) }, check); err != nil {
		return wrap("save "+path, err)
	}
	return nil
}

// check reports a model that the format cannot hold.
func (f *File) check() error {
	m := f.Model
	if f.learnerParam == nil || f.boosterParam == nil {
		return errors.New("xgboost: a File comes from Read or New")
	}
	if err := checkModel(m); err != nil {
		return err
	}
	if len(m.Trees) == 0 {
		return errors.New("xgboost: a model without trees is answered with another scale by some releases")
	}
	for i := range m.Trees {
		if err := checkTree(&m.Trees[i]); err != nil {
			return fmt.Errorf("xgboost: tree %d: %w", i, err)
		}
	}
	return nil
}

func (f *File) write(e encoder) error {
	if err := f.check(); err != nil {
		return err
	}
	param, err := f.writtenParam()
	if err != nil {
		return err
	}
	e.beginObject()
	e.key("learner")
	parts := map[string]func(){
		"attributes":          func() { putTexts(e, f.Attributes) },
		"feature_names":       func() { f.putNames(e) },
		"feature_types":       func() { putList(e, f.FeatureTypes) },
		"gradient_booster":    func() { f.putBooster(e) },
		"learner_model_param": func() { putTexts(e, param) },
		"objective":           func() { f.putObjective(e) },
	}
	putParts(e, parts, f.learnerRest)
	if f.Version != nil {
		e.key("version")
		putInts(e, 0, f.Version)
	}
	e.endObject()
	if err := e.flush(); err != nil {
		return wrap("write", err)
	}
	return nil
}

// putParts writes an object of known and of kept members, sorted by key.
func putParts(e encoder, parts map[string]func(), rest members) {
	parts = maps.Clone(parts)
	for i, key := range rest.keys {
		parts[key] = func() { putValue(e, rest.values[i]) }
	}
	e.beginObject()
	for _, key := range sortedKeys(parts) {
		e.key(key)
		parts[key]()
	}
	e.endObject()
}

func (f *File) putNames(e encoder) {
	if f.HasNames {
		putList(e, f.Model.FeatureNames)
	} else {
		putList(e, nil)
	}
}

// writtenParam returns learner_model_param for the model as it is: its base_score keeps its text if that still says
// the same.
func (f *File) writtenParam() (map[string]string, error) {
	m := f.Model
	g := *f
	g.learnerParam = maps.Clone(f.learnerParam)
	g.setOutputs()
	link := marginLinkOf(m.Objective.Name)
	if old, isList, err := parseBaseScore(f.learnerParam["base_score"]); err == nil && (len(old) == 1 || len(old) == m.Outputs) {
		same := true
		for k, margin := range m.BaseMargin {
			same = same && float64(link.margin(old[k%len(old)])) == margin
		}
		if same && isList == f.Form.ListBaseScore && (!isList || len(old) == m.Outputs) {
			return g.learnerParam, nil
		}
		if same {
			g.learnerParam["base_score"] = scoreText(spread(old, m.Outputs), f.Form.ListBaseScore)
			return g.learnerParam, nil
		}
	}
	scores := make([]float32, m.Outputs)
	for k, margin := range m.BaseMargin {
		p, err := link.baseScore(float32(margin))
		if err != nil {
			return nil, fmt.Errorf("xgboost: output %d: %w", k, err)
		}
		scores[k] = p
	}
	g.learnerParam["base_score"] = scoreText(scores, f.Form.ListBaseScore)
	return g.learnerParam, nil
}

// spread returns n scores of n or of one.
func spread(scores []float32, n int) []float32 {
	if len(scores) == n {
		return scores
	}
	return slices.Repeat(scores, n)
}

func (f *File) putObjective(e encoder) {
	m := f.Model
	params := objectiveParams(m.Objective, m.Outputs)
	if m.Objective.Name == f.objective {
		params = f.objectiveParams.with(params)
		if f.Form.FewParams {
			params = f.objectiveParams
		}
	}
	putParts(e, map[string]func(){"name": func() { e.text(m.Objective.Name) }}, params)
}

// with returns m and the members of more whose keys m has not.
func (m members) with(more members) members {
	all := members{slices.Clone(m.keys), slices.Clone(m.values)}
	for i, key := range more.keys {
		if _, ok := m.get(key); !ok {
			all.add(key, more.values[i])
		}
	}
	return all
}

func (f *File) putBooster(e encoder) {
	name := func(s string) func() { return func() { e.text(s) } }
	model := func() { f.putModel(e) }
	gbtree := map[string]func(){"model": model, "name": name("gbtree")}
	if f.Model.TreeWeights == nil || f.Form.WeightsInModel {
		putParts(e, gbtree, members{})
		return
	}
	putParts(e, map[string]func(){
		"gbtree":      func() { putParts(e, gbtree, members{}) },
		"name":        name("dart"),
		"weight_drop": func() { f.putWeights(e) },
	}, members{})
}

// putWeights writes the weights of a dart booster, which XGBoost has as a plain array.
func (f *File) putWeights(e encoder) {
	e.beginArray(len(f.Model.TreeWeights))
	for _, w := range f.Model.TreeWeights {
		e.float(w)
	}
	e.endArray()
}

func (f *File) putModel(e encoder) {
	m := f.Model
	param := maps.Clone(f.boosterParam)
	param["num_trees"] = strconv.Itoa(len(m.Trees))
	info := make([]int, len(m.Trees))
	for i := range m.Trees {
		info[i] = m.Trees[i].Output
	}
	parts := map[string]func(){
		"gbtree_model_param": func() { putTexts(e, param) },
		"tree_info":          func() { putInts(e, 0, info) },
		"trees":              func() { f.putTrees(e) },
	}
	if f.indptr || !f.evenRounds() {
		parts["iteration_indptr"] = func() { putInts(e, 0, append([]int32{0}, m.RoundEnds...)) }
	}
	if m.TreeWeights != nil && f.Form.WeightsInModel {
		parts["weight_drop"] = func() { f.putWeights(e) }
	}
	putParts(e, parts, cats(f.modelRest))
}

// evenRounds reports whether a reader without iteration_indptr finds the rounds of the model.
func (f *File) evenRounds() bool {
	m := f.Model
	parallel, _ := strconv.Atoi(f.boosterParam["num_parallel_tree"])
	top := 0
	for i := range m.Trees {
		top = max(top, m.Trees[i].Output)
	}
	each := (top + 1) * max(parallel, 1)
	return len(m.Trees)%each == 0 && slices.Equal(m.RoundEnds, roundEnds(len(m.Trees), each))
}

func (f *File) putTrees(e encoder) {
	m := f.Model
	var w treeWriter
	e.beginArray(len(m.Trees))
	for i := range m.Trees {
		t := f.rawOf(i, &w)
		if t == nil {
			w.tree.fill(&m.Trees[i], i, len(m.FeatureNames), f.treeStyle)
			t = &w.tree
		}
		t.put(e)
	}
	e.endArray()
}

// treeWriter is memory that serves one tree after another.
type treeWriter struct {
	tree, other rawTree
	translator  translator
}

// rawOf returns the arrays of tree i that were read, if there are any and they still are those of the model's tree.
func (f *File) rawOf(i int, w *treeWriter) *rawTree {
	if i >= len(f.raw) || f.raw[i] == nil || f.raw[i].numFeature != len(f.Model.FeatureNames) {
		return nil
	}
	var again gbdt.Tree
	w.translator = translator{maxCatWords: math.MaxInt, order: w.translator.order, numbers: w.translator.numbers}
	if err := w.translator.translate(&again, f.raw[i]); err != nil {
		return nil
	}
	w.tree.fill(&again, i, len(f.Model.FeatureNames), f.treeStyle)
	w.other.fill(&f.Model.Trees[i], i, len(f.Model.FeatureNames), f.treeStyle)
	if !w.tree.equal(&w.other) {
		return nil
	}
	return f.raw[i]
}

func (t *rawTree) put(e encoder) {
	e.beginObject()
	e.key("base_weights")
	e.floats(t.weights)
	if t.style.hasCategories {
		e.key("categories")
		putInts(e, 'l', t.categories)
		e.key("categories_nodes")
		putInts(e, 'l', t.catNodes)
		e.key("categories_segments")
		e.ints('L', t.catSegments)
		e.key("categories_sizes")
		e.ints('L', t.catSizes)
	}
	e.key("default_left")
	putInts(e, 'U', t.defaultLeft)
	e.key("id")
	e.integer(int64(t.id))
	e.key("left_children")
	putInts(e, 'l', t.left)
	e.key("loss_changes")
	e.floats(t.loss)
	e.key("parents")
	putInts(e, 'l', t.parents)
	e.key("right_children")
	putInts(e, 'l', t.right)
	e.key("split_conditions")
	e.floats(t.conditions)
	e.key("split_indices")
	putInts(e, 'l', t.splitIndices)
	if t.style.hasTypes {
		e.key("split_type")
		putInts(e, 'U', t.splitType)
	}
	e.key("sum_hessian")
	e.floats(t.hessian)
	e.key("tree_param")
	putTexts(e, map[string]string{
		"num_deleted": strconv.Itoa(t.numDeleted), "num_feature": strconv.Itoa(t.numFeature),
		"num_nodes": strconv.Itoa(len(t.left)), "size_leaf_vector": t.style.sizeLeafVector,
	})
	e.endObject()
}

// cats returns the kept members of a model with the types that UBJSON gives the arrays of cats, where they are not
// known because the document was JSON.
func cats(rest members) members {
	v, _ := rest.get("cats")
	c, ok := v.(members)
	if !ok {
		return rest
	}
	typed := members{}
	for i, key := range c.keys {
		v := c.values[i]
		if list, ok := v.([]any); ok && key == "enc" {
			enc := make([]any, len(list))
			for j, item := range list {
				enc[j] = catsEntry(item)
			}
			typed.add(key, enc)
			continue
		}
		typed.add(key, withMark(v, 'l'))
	}
	out := members{}
	for i, key := range rest.keys {
		if key == "cats" {
			out.add(key, typed)
		} else {
			out.add(key, rest.values[i])
		}
	}
	return out
}

// catsEntry gives types to the arrays of one feature: names are bytes with offsets, numbers have their type's number
// in XGBoost's JSON library.
func catsEntry(v value) value {
	entry, ok := v.(members)
	if !ok {
		return v
	}
	mark := byte('i')
	if t, ok := entry.get("type"); ok {
		mark = map[any]byte{int64(7): 'd', int64(9): 'i', int64(10): 'U', int64(11): 'I', int64(13): 'l', int64(15): 'L'}[t]
	}
	out := members{}
	for i, key := range entry.keys {
		switch key {
		case "offsets":
			out.add(key, withMark(entry.values[i], 'l'))
		case "values":
			out.add(key, withMark(entry.values[i], mark))
		default:
			out.add(key, entry.values[i])
		}
	}
	return out
}

// withMark gives an array of integers, or an empty one, a type if it has none.
func withMark(v value, mark byte) value {
	switch a := v.(type) {
	case intArray:
		if a.mark == 0 {
			a.mark = mark
		}
		return a
	case []any:
		if len(a) == 0 {
			return intArray{mark: mark}
		}
	}
	return v
}
