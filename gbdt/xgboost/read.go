package xgboost

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/pppq/pppq/gbdt"
)

// reader is the state of reading one document.
type reader struct {
	decoder
	limits Limits
	file   *File
	budget int // values that may still be kept

	names       []string
	booster     string
	objective   string
	treeInfo    []int32
	rounds      []int32 // iteration_indptr
	dropWeights []float32
	trees       []gbdt.Tree
	treeFeature []int // num_feature of each tree
	// treeOffsets has the place of each tree.
	treeOffsets []int64
	translator  translator
	spare       rawTree
	hasModel    bool
	hasTrees    bool
}

var errMissing = errors.New("the document has no such key")

func (l Limits) parse(data []byte) (*File, error) {
	d, err := newDecoder(data)
	if err != nil {
		return nil, err
	}
	r := &reader{decoder: d, limits: l, budget: maxKept, file: &File{}, translator: translator{maxCatWords: l.MaxCategoryWords}}
	if err := r.document(); err != nil {
		return nil, err
	}
	if err := d.end(); err != nil {
		return nil, err
	}
	if err := r.finish(); err != nil {
		return nil, err
	}
	return r.file, nil
}

// newDecoder tells JSON and UBJSON apart by the first two bytes.
func newDecoder(data []byte) (decoder, error) {
	trimmed := bytes.TrimLeft(data, " \t\r\n")
	fail := func(text string) (decoder, error) {
		return nil, &ParseError{Offset: int64(len(data) - len(trimmed)), Err: errors.New(text)}
	}
	switch {
	case len(trimmed) < 2:
		return fail("the file ends here")
	case bytes.HasPrefix(data, []byte("binf")), bytes.HasPrefix(data, []byte("bs64")):
		return fail("this is XGBoost's old binary format: load it with XGBoost 3.0 or older and save it as .json")
	case bytes.HasPrefix(data, []byte("tree\n")), bytes.HasPrefix(data, []byte("tree\r\n")):
		return fail("this is a LightGBM model")
	case trimmed[0] == '[':
		return fail("this is no model; dump_model writes lists of trees, which cannot be loaded: use save_model")
	case trimmed[0] != '{':
		return fail("neither JSON nor UBJSON")
	case strings.IndexByte("iUIlL", trimmed[1]) >= 0 && len(trimmed) == len(data):
		return &ubjDecoder{data: data}, nil
	}
	return &jsonDecoder{data: data}, nil
}

func (r *reader) document() error {
	hasLearner := false
	err := object(r, func(key string) error {
		switch key {
		case "learner":
			hasLearner = true
			return r.learner()
		case "version":
			a, err := r.ints(0, math.MaxInt32)
			r.file.Version = []int{}
			for _, v := range a.values {
				r.file.Version = append(r.file.Version, int(v))
			}
			return err
		case "Model", "Config":
			return r.fail(errors.New("this is a memory snapshot (pickle); write the model with save_model"))
		}
		return r.skip()
	})
	if err == nil && !hasLearner {
		err = under("learner", r.fail(errMissing))
	}
	return err
}

// skip reads a value that nothing needs.
func (r *reader) skip() error {
	_, err := keep(r, 0, &r.budget)
	return err
}

func (r *reader) keep() (value, error) { return keep(r, 0, &r.budget) }

func (r *reader) learner() (err error) {
	f := r.file
	seen := map[string]bool{}
	err = object(r, func(key string) (err error) {
		seen[key] = true
		switch key {
		case "attributes":
			f.Attributes, err = stringMap(r)
		case "feature_names":
			r.names, err = texts(r)
		case "feature_types":
			f.FeatureTypes, err = texts(r)
		case "gradient_booster":
			return r.gradientBooster()
		case "learner_model_param":
			f.learnerParam, err = stringMap(r)
		case "objective":
			return object(r, func(key string) (err error) {
				if key == "name" {
					r.objective, err = r.text()
					return err
				}
				v, err := r.keep()
				f.objectiveParams.add(key, v)
				return err
			})
		default:
			var v value
			v, err = r.keep()
			f.learnerRest.add(key, v)
		}
		return err
	})
	for _, key := range []string{"attributes", "objective", "gradient_booster", "learner_model_param"} {
		if err == nil && !seen[key] {
			err = under(key, r.fail(errMissing))
		}
	}
	return err
}

// gradientBooster reads a gbtree, or a dart: to 3.3 a gbtree inside and the weights beside it.
func (r *reader) gradientBooster() error {
	return object(r, func(key string) (err error) {
		switch key {
		case "name":
			r.booster, err = r.text()
			return err
		case "model":
			return r.model()
		case "gbtree":
			return object(r, func(key string) (err error) {
				switch key {
				case "model":
					return r.model()
				case "name":
					name, err := r.text()
					if err == nil && name != "gbtree" {
						err = r.fail(fmt.Errorf("booster %q is not known", name))
					}
					return err
				}
				return r.skip()
			})
		case "weight_drop":
			return r.weightDrop()
		}
		return r.skip()
	})
}

func (r *reader) weightDrop() (err error) {
	if r.dropWeights != nil {
		return r.fail(errors.New("given twice"))
	}
	r.dropWeights, err = r.floats()
	return err
}

func (r *reader) model() error {
	if r.hasModel {
		return r.fail(errors.New("given twice"))
	}
	r.hasModel = true
	return object(r, func(key string) (err error) {
		f := r.file
		switch key {
		case "gbtree_model_param":
			f.boosterParam, err = stringMap(r)
		case "trees":
			r.hasTrees = true
			return list(r, r.tree)
		case "tree_info":
			r.treeInfo, err = int32s(r, 0, math.MaxInt32)
		case "iteration_indptr":
			f.indptr = true
			r.rounds, err = int32s(r, 0, math.MaxInt32)
		case "weight_drop":
			f.ReadForm.WeightsInModel = true
			return r.weightDrop()
		default:
			var v value
			v, err = r.keep()
			f.modelRest.add(key, v)
		}
		return err
	})
}
