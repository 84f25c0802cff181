package lightgbm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/internal/modelfile"
)

// Write writes the text of f. What Read took from a text of LightGBM's comes out byte for byte.
func Write(w io.Writer, f *File) error {
	b, err := f.text()
	if err != nil {
		return err
	}
	if _, err := w.Write(b); err != nil {
		return wrap("write", err)
	}
	return nil
}

// Save replaces the file at path by the text of f in one step: it is written under a temporary name in the same folder,
// synced, read again and compared, and then renamed. After an error the old file is as it was.
func Save(path string, f *File) error {
	b, err := f.text()
	if err != nil {
		return err
	}
	limits := Limits{MaxBytes: int64(len(b)), MaxTrees: len(f.Model.Trees), MaxFeatures: f.Model.NumFeatures(),
		MaxOutputs: max(f.Model.Outputs, f.NumClass)}
	check := func(written []byte) error {
		again, err := limits.parse(written)
		if err != nil {
			return err
		}
		if text, err := again.text(); err != nil || !bytes.Equal(text, b) || !bytes.Equal(written, b) {
			return errors.New("reading it again gives another model")
		}
		return nil
	}
	write := func(w io.Writer) error { _, err := w.Write(b); return err }
	if err := modelfile.Save(path, write, check); err != nil {
		return wrap("save "+path, err)
	}
	return nil
}

func (f *File) text() ([]byte, error) {
	m := f.Model
	if f.header == nil && f.Tail == "" {
		return nil, errors.New("lightgbm: a File comes from Read or New")
	}
	if err := checkModel(m); err != nil {
		return nil, err
	}
	if err := checkRounds(m); err != nil {
		return nil, err
	}
	for i, name := range m.FeatureNames {
		if name == "" || strings.ContainsAny(name, " \n\r") {
			return nil, fmt.Errorf("lightgbm: name %q of feature %d is empty or has a blank", name, i)
		}
	}
	var trees []byte
	sizes := make([]int, len(m.Trees))
	for i := range m.Trees {
		start := len(trees)
		var err error
		if trees, err = appendTree(trees, &m.Trees[i], i, f.treeKeys(i)); err != nil {
			return nil, fmt.Errorf("lightgbm: tree %d: %w", i, err)
		}
		sizes[i] = len(trees) - start
	}
	b := make([]byte, 0, len(trees)+len(f.Tail)+8*len(sizes)+64*len(m.FeatureNames)+1024)
	b = append(b, "tree\n"...)
	for _, h := range f.headerLines() {
		b = f.appendHeader(b, h, sizes)
	}
	b = append(b, '\n')
	b = append(b, trees...)
	return append(b, f.Tail...), nil
}

// checkRounds reports rounds that the text cannot say: there, tree t belongs to output t%K of round t/K.
func checkRounds(m *gbdt.Model) error {
	for r, end := range m.RoundEnds {
		if int(end) != (r+1)*m.Outputs {
			return fmt.Errorf("lightgbm: round %d ends at tree %d, want %d trees a round", r, end, m.Outputs)
		}
	}
	for i := range m.Trees {
		if k := m.Trees[i].Output; k != i%m.Outputs {
			return fmt.Errorf("lightgbm: tree %d adds to output %d, want %d", i, k, i%m.Outputs)
		}
	}
	return nil
}

// treeKeys returns the keys that tree i had when it was read, or those of version v4.
func (f *File) treeKeys(i int) keySet {
	if i < len(f.trees) {
		return f.trees[i]
	}
	return 1<<numTreeKeys - 1
}

// headerLines returns the lines that the header has: those that were read, with or without the two lines whose presence
// says something about the model.
func (f *File) headerLines() []headerLine {
	lines := slices.Clone(f.header)
	if lines == nil {
		lines = slices.Clone(newHeader)
	}
	m := f.Model
	set := func(key, after string, want, flag bool) {
		has := func(k string) int {
			return slices.IndexFunc(lines, func(h headerLine) bool { return h.key == k })
		}
		switch i := has(key); {
		case want && i < 0:
			lines = slices.Insert(lines, has(after)+1, headerLine{key: key, flag: flag})
		case !want && i >= 0:
			lines = slices.Delete(lines, i, i+1)
		}
	}
	custom := slices.ContainsFunc(lines, func(h headerLine) bool { return h.key == keyObjective && h.value == "custom" })
	set(keyObjective, keyMaxFeature, m.Objective.Name != "" || custom, false)
	set(keyAverageOutput, keyObjective, m.AverageOutput, true)
	return lines
}

// appendHeader appends a line of the header, from the model where it says the line's value.
func (f *File) appendHeader(b []byte, h headerLine, sizes []int) []byte {
	m := f.Model
	b = append(b, h.key...)
	if h.flag {
		return append(b, '\n')
	}
	b = append(b, '=')
	switch h.key {
	case keyVersion:
		b = append(b, f.Version...)
	case keyNumClass:
		b = strconv.AppendInt(b, int64(f.NumClass), 10)
	case keyTreesPerRound:
		b = strconv.AppendInt(b, int64(m.Outputs), 10)
	case keyLabelIndex:
		b = strconv.AppendInt(b, int64(f.LabelIndex), 10)
	case keyMaxFeature:
		b = strconv.AppendInt(b, int64(len(m.FeatureNames)-1), 10)
	case keyObjective:
		text := h.value
		if o, err := parseObjective(text, m.Outputs); err != nil || !equalObjectives(o, m.Objective) {
			text = objectiveText(m.Objective, m.Outputs)
		}
		b = append(b, text...)
	case keyFeatureNames:
		b = append(b, strings.Join(m.FeatureNames, " ")...)
	case keyFeatureInfos:
		b = appendFeatureInfos(b, m, h.value)
	case keyTreeSizes:
		for i, n := range sizes {
			if i > 0 {
				b = append(b, ' ')
			}
			b = strconv.AppendInt(b, int64(n), 10)
		}
	default:
		b = append(b, h.value...)
	}
	return append(b, '\n')
}

// equalObjectives compares what the text of an objective says.
func equalObjectives(a, b gbdt.Objective) bool {
	return a.Name == b.Name && a.Sigmoid == b.Sigmoid && a.Sqrt == b.Sqrt
}

// appendFeatureInfos appends what is known of the features, or the text that was read if that is of no known form.
func appendFeatureInfos(b []byte, m *gbdt.Model, text string) []byte {
	if m.Features == nil && text != "" && strings.Count(text, " ")+1 == len(m.FeatureNames) {
		return append(b, text...)
	}
	for i := range m.FeatureNames {
		if i > 0 {
			b = append(b, ' ')
		}
		if m.Features == nil {
			b = append(b, "none"...)
			continue
		}
		switch info := m.Features[i]; {
		case len(info.Categories) > 0:
			for j, c := range info.Categories {
				if j > 0 {
					b = append(b, ':')
				}
				b = strconv.AppendInt(b, int64(c), 10)
			}
		case info.Min != info.Min && info.Max != info.Max:
			b = append(b, "none"...)
		default:
			b = append(b, '[')
			b = appendFloat(b, info.Min, 17)
			b = append(b, ':')
			b = appendFloat(b, info.Max, 17)
			b = append(b, ']')
		}
	}
	return b
}

// appendTree appends a tree block with the two empty lines after it.
func appendTree(b []byte, t *gbdt.Tree, index int, keys keySet) ([]byte, error) {
	leaf := len(t.Left) == 0
	linear := t.Linear != nil && !leaf
	if t.Linear != nil && leaf && (t.Linear.Const[0] != t.LeafValue[0] || len(t.Linear.Coeff) > 0) {
		return nil, errors.New("a linear tree needs a split")
	}
	if !slices.ContainsFunc(t.Decision, func(d uint8) bool { return d != 0 }) && !keys.has(decisionType) {
		keys &^= 1 << decisionType
	} else {
		keys |= 1 << decisionType
	}
	keys |= 1<<numLeaves | 1<<numCat | 1<<leafValue
	if !leaf {
		keys |= 1<<splitFeature | 1<<threshold | 1<<leftChild | 1<<rightChild
	}
	if linear {
		keys |= 1 << isLinear
	}
	b = append(b, treePrefix...)
	b = strconv.AppendInt(b, int64(index), 10)
	b = append(b, '\n')
	w := blockWriter{b: b, keys: keys, leaf: leaf}
	sets := max(len(t.CatBoundaries)-1, 0)
	putInts(&w, numLeaves, []int{len(t.LeafValue)})
	putInts(&w, numCat, []int{sets})
	putInts(&w, splitFeature, t.Feature)
	w.putFloats(splitGain, t.Gain, 6)
	w.putFloats(threshold, t.Threshold, 17)
	putInts(&w, decisionType, t.Decision)
	putInts(&w, leftChild, t.Left)
	putInts(&w, rightChild, t.Right)
	w.putFloats(leafValue, t.LeafValue, 17)
	w.putFloats(leafWeight, t.LeafWeight, 17)
	putInts(&w, leafCount, t.LeafCount)
	w.putFloats(internalValue, t.InternalValue, 6)
	w.putFloats(internalWeight, t.InternalWeight, 6)
	putInts(&w, internalCount, t.InternalCount)
	if sets > 0 {
		w.keys |= 1<<catBoundaries | 1<<catThreshold
		putInts(&w, catBoundaries, t.CatBoundaries)
		putInts(&w, catThreshold, t.CatBits)
	}
	if linear {
		putInts(&w, isLinear, []int{1})
		w.putLinear(t.Linear)
	} else {
		putInts(&w, isLinear, []int{0})
	}
	w.putFloats(shrinkage, []float64{t.Shrinkage}, 6)
	return append(w.b, "\n\n"...), nil
}

// blockWriter appends the lines of the keys in a set.
type blockWriter struct {
	b    []byte
	keys keySet
	leaf bool
}

// begin starts the line of a key with n values and reports whether there is one: values that are not known have none,
// but for a tree without a split, where the line is empty.
func (w *blockWriter) begin(k treeKey, n int) bool {
	if !w.keys.has(k) || n == 0 && !w.leaf {
		return false
	}
	w.b = append(w.b, k.String()...)
	w.b = append(w.b, '=')
	return true
}

func putInts[T int | int32 | uint32 | uint8](w *blockWriter, k treeKey, values []T) {
	if !w.begin(k, len(values)) {
		return
	}
	for i, x := range values {
		if i > 0 {
			w.b = append(w.b, ' ')
		}
		w.b = strconv.AppendInt(w.b, int64(x), 10)
	}
	w.b = append(w.b, '\n')
}

func (w *blockWriter) putFloats(k treeKey, values []float64, digits int) {
	if !w.begin(k, len(values)) {
		return
	}
	for i, x := range values {
		if i > 0 {
			w.b = append(w.b, ' ')
		}
		w.b = appendFloat(w.b, x, digits)
	}
	w.b = append(w.b, '\n')
}

// putLinear appends the lines of the leaves' linear models. A subnormal number there ends LightGBM's process when it
// reads the file, so it becomes 0.
func (w *blockWriter) putLinear(l *gbdt.LinearLeaves) {
	w.keys |= 1<<leafConst | 1<<numFeatures | 1<<leafFeatures | 1<<leafCoeff
	w.putFloats(leafConst, normal(l.Const), 17)
	counts := make([]int32, len(l.Const))
	for i := range counts {
		counts[i] = l.Start[i+1] - l.Start[i]
	}
	putInts(w, numFeatures, counts)
	coeff := normal(l.Coeff)
	w.putLeaves(leafFeatures, l, func(b []byte, j int32) []byte { return strconv.AppendInt(b, int64(l.Features[j]), 10) })
	w.putLeaves(leafCoeff, l, func(b []byte, j int32) []byte { return appendFloat(b, coeff[j], 17) })
}

// putLeaves appends one line with the values of each leaf: a blank after each value, and one more after each leaf.
func (w *blockWriter) putLeaves(k treeKey, l *gbdt.LinearLeaves, put func([]byte, int32) []byte) {
	w.begin(k, len(l.Const))
	for i := range l.Const {
		for j := l.Start[i]; j < l.Start[i+1]; j++ {
			w.b = append(put(w.b, j), ' ')
		}
		w.b = append(w.b, ' ')
	}
	w.b = append(w.b, '\n')
}

// normal returns x with 0 for each subnormal number.
func normal(x []float64) []float64 {
	const smallest = 0x1p-1022
	y := slices.Clone(x)
	for i, v := range y {
		if -smallest < v && v < smallest && v != 0 { // -0 stays
			y[i] = 0
		}
	}
	return y
}
