package lightgbm

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pppq/pppq/gbdt"
)

// File is a text model: the model and what the text says beside it. A Model that is changed or exchanged is written as
// it then is; Tail still describes the one that was read (importances), so prefer New for another model.
type File struct {
	Model *gbdt.Model

	// Version is "v2", "v3", "v4", or "" for a text that does not say.
	Version string
	// NumClass is the number of classes of the task, 1 for regression and binary.
	NumClass int
	// LabelIndex is the column of the label in the training file.
	LabelIndex int
	// Tail is the text after the last tree, from "end of trees" on: importances, parameters and, from Python,
	// pandas_categorical. Its lines end in \n.
	Tail string

	header []headerLine // nil for a new file
	trees  []keySet     // of each tree that was read
}

// headerLine is a line of the header as it was read.
type headerLine struct {
	key, value string
	flag       bool // without "="
}

// New returns the version v4 file of a model, with importances (number of splits with gain) and the parameters that
// LightGBM's loader looks at. It reports a model that Model.Validate refuses, one of another family, and feature names
// that LightGBM does not train with (empty, or with a blank, a control character or one of , : " [ ] { }).
func New(m *gbdt.Model) (*File, error) {
	if err := checkModel(m); err != nil {
		return nil, err
	}
	if err := CheckNames(m.FeatureNames); err != nil {
		return nil, err
	}
	return &File{Model: m, Version: "v4", NumClass: m.Outputs, Tail: newTail(m)}, nil
}

// CheckNames reports the first name that New would refuse, for those who want to know before they train.
func CheckNames(names []string) error {
	seen := make(map[string]bool, len(names))
	for i, name := range names {
		if name == "" || strings.ContainsAny(name, `,:"[]{}`) || strings.ContainsFunc(name, blankOrControl) {
			return fmt.Errorf("lightgbm: name %q of feature %d: LightGBM takes no empty names, blanks or any of , : \" [ ] { }", name, i)
		}
		if seen[name] {
			return fmt.Errorf("lightgbm: name %q of feature %d is not unique", name, i)
		}
		seen[name] = true
	}
	return nil
}

// newHeader is the order of the lines in a new file.
var newHeader = []headerLine{
	{key: keyVersion}, {key: keyNumClass}, {key: keyTreesPerRound}, {key: keyLabelIndex}, {key: keyMaxFeature},
	{key: keyObjective}, {key: keyAverageOutput, flag: true}, {key: keyFeatureNames}, {key: keyFeatureInfos},
	{key: keyTreeSizes},
}

func blankOrControl(r rune) bool { return r <= ' ' || r == 0x7f || r == 0x85 || r == 0xa0 }

func checkModel(m *gbdt.Model) error {
	if m == nil {
		return errors.New("lightgbm: no model")
	}
	if m.Family != gbdt.LightGBM {
		return fmt.Errorf("lightgbm: the model follows the rules of %v", m.Family)
	}
	if err := m.Validate(); err != nil {
		return fmt.Errorf("lightgbm: %w", err)
	}
	return nil
}

func newTail(m *gbdt.Model) string {
	b := []byte("end of trees\n\nfeature_importances:\n")
	splits, linear := make([]int, len(m.FeatureNames)), false
	for i := range m.Trees {
		t := &m.Trees[i]
		linear = linear || t.Linear != nil
		for j, f := range t.Feature {
			if t.Gain == nil || t.Gain[j] > 0 {
				splits[f]++
			}
		}
	}
	order := make([]int, 0, len(splits))
	for f, n := range splits {
		if n > 0 {
			order = append(order, f)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return splits[b] - splits[a] })
	for _, f := range order {
		b = append(b, m.FeatureNames[f]...)
		b = append(b, '=')
		b = strconv.AppendInt(b, int64(splits[f]), 10)
		b = append(b, '\n')
	}
	b = append(b, "\nparameters:\n[boosting: "...)
	if m.AverageOutput {
		b = append(b, "rf]\n"...)
	} else {
		b = append(b, "gbdt]\n"...)
	}
	if m.Objective.Name != "" {
		b = append(b, "[objective: "+m.Objective.Name+"]\n"...)
	}
	b = append(b, "[num_class: "+strconv.Itoa(m.Outputs)+"]\n"...)
	if linear {
		b = append(b, "[linear_tree: 1]\n"...)
	}
	b = append(b, "\nend of parameters\n\npandas_categorical:null\n"...)
	return string(b)
}

// Parameter returns the value of a training parameter in Tail, and whether it is there.
func (f *File) Parameter(name string) (string, bool) {
	_, section, ok := strings.Cut(f.Tail, "\nparameters:\n")
	if !ok {
		return "", false
	}
	for line := range strings.Lines(section) {
		if line == endOfParameters+"\n" {
			break
		}
		if rest, ok := strings.CutPrefix(line, "["+name+": "); ok {
			return strings.TrimSuffix(rest, "]\n"), true
		}
	}
	return "", false
}

// PandasCategorical returns the JSON text that the Python package keeps about categories of data frames (null, or per
// categorical column the list of its values, whose places are the codes), or "" if the file has none.
func (f *File) PandasCategorical() string {
	const key = "\npandas_categorical:"
	i := strings.LastIndex(f.Tail, key)
	if i < 0 {
		return ""
	}
	return strings.TrimSuffix(f.Tail[i+len(key):], "\n")
}

// ParseError locates a fault in a text model.
type ParseError struct {
	// Line counts from 1.
	Line int
	// Key is the name before "=", or "" where there is none.
	Key string
	Err error
}

func (e *ParseError) Error() string {
	if e.Key == "" {
		return fmt.Sprintf("lightgbm: line %d: %v", e.Line, e.Err)
	}
	return fmt.Sprintf("lightgbm: line %d: %s: %v", e.Line, e.Key, e.Err)
}

func (e *ParseError) Unwrap() error { return e.Err }
