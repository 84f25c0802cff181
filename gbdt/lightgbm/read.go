package lightgbm

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pppq/pppq/gbdt"
)

// Keys of the header.
const (
	keyVersion       = "version"
	keyNumClass      = "num_class"
	keyTreesPerRound = "num_tree_per_iteration"
	keyLabelIndex    = "label_index"
	keyMaxFeature    = "max_feature_idx"
	keyObjective     = "objective"
	keyAverageOutput = "average_output"
	keyFeatureNames  = "feature_names"
	keyMonotone      = "monotone_constraints"
	keyFeatureInfos  = "feature_infos"
	keyTreeSizes     = "tree_sizes"
)

var knownKeys = []string{keyVersion, keyNumClass, keyTreesPerRound, keyLabelIndex, keyMaxFeature, keyObjective,
	keyFeatureNames, keyMonotone, keyFeatureInfos, keyTreeSizes}

// maxHeaderLines bounds what is kept of a text that is no model; LightGBM writes at most 11.
const maxHeaderLines = 1000

const (
	// blocksAtOnce is the number of trees that are parsed together, on several goroutines, and leastBlock a number of
	// bytes that a tree has at least.
	blocksAtOnce = 128
	leastBlock   = 32
)

const (
	endOfTrees      = "end of trees"
	endOfParameters = "end of parameters"
)

// lines hands out the lines of a text without their ends, \n or \r\n.
type lines struct {
	rest []byte
	// number is that of the line that next returned last, from 1.
	number int
	// open marks that this line had no end: it is the last one.
	open bool
}

// peek returns the next line without moving on; ok is false at the end of the text.
func (l *lines) peek() (line []byte, ok bool) {
	ahead := *l
	return ahead.next()
}

// next returns the next line; ok is false at the end of the text.
func (l *lines) next() (line []byte, ok bool) {
	if len(l.rest) == 0 {
		return nil, false
	}
	l.number++
	i := bytes.IndexByte(l.rest, '\n')
	if l.open = i < 0; l.open {
		line, l.rest = l.rest, nil
	} else {
		line, l.rest = l.rest[:i], l.rest[i+1:]
	}
	return bytes.TrimSuffix(line, []byte{'\r'}), true
}

// reader is the state of reading one text.
type reader struct {
	lines  lines
	limits Limits
	file   *File
	model  *gbdt.Model
	values map[string]headerValue
	// sizes has the block length of each tree, nil if the header does not say.
	sizes []int64
	// treeLines has the line where each tree starts.
	treeLines []int
	// blocks are those of the next trees, whose numbers have not been read yet.
	blocks []block
}

type headerValue struct {
	text string
	line int
}

func (l Limits) parse(data []byte) (*File, error) {
	m := &gbdt.Model{Family: gbdt.LightGBM}
	r := &reader{
		lines: lines{rest: data}, limits: l, model: m, file: &File{Model: m}, values: map[string]headerValue{},
		blocks: make([]block, 0, min(blocksAtOnce, len(data)/leastBlock+1)),
	}
	for _, step := range []func() error{r.readHeader, r.applyHeader, r.readTrees, r.readTail, r.check} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return r.file, nil
}

// fail locates an error at the line that was read last.
func (r *reader) fail(key string, err error) error {
	return &ParseError{Line: max(r.lines.number, 1), Key: key, Err: err}
}

// failHeader locates an error at the header line of the key, or at the last line if there is none.
func (r *reader) failHeader(key string, err error) error {
	if v, ok := r.values[key]; ok {
		return &ParseError{Line: v.line, Key: key, Err: err}
	}
	return r.fail(key, err)
}

// readHeader reads up to and with the empty line before the trees.
func (r *reader) readHeader() error {
	if line, _ := r.lines.next(); string(line) != "tree" {
		return r.fail("", errors.New(`not a LightGBM model: the first line is not "tree"`))
	}
	for {
		line, ok := r.lines.next()
		if !ok {
			return r.fail("", errors.New("the text ends inside the header"))
		}
		if len(line) == 0 {
			return nil
		}
		key, value, found := strings.Cut(string(line), "=")
		if found == (key == keyAverageOutput) && (found || slices.Contains(knownKeys, key)) {
			return r.fail(key, errors.New(`want a line key=value, without "=" for average_output alone`))
		}
		if _, ok := r.values[key]; ok {
			return r.fail(key, errors.New("given twice"))
		}
		if len(r.values) == maxHeaderLines {
			return r.fail(key, fmt.Errorf("more than %d lines in the header", maxHeaderLines))
		}
		if key != keyFeatureNames && key != keyMonotone && strings.Contains(value, "=") {
			return r.fail(key, errors.New(`more than one "="`))
		}
		r.values[key] = headerValue{value, r.lines.number}
		r.file.header = append(r.file.header, headerLine{key, value, !found})
	}
}

func (r *reader) applyHeader() error {
	m, f := r.model, r.file
	f.Version = r.values[keyVersion].text
	switch f.Version {
	case "v2", "v3", "v4", "":
	default:
		return r.failHeader(keyVersion, fmt.Errorf("%q is not known, want v2, v3 or v4", f.Version))
	}
	var err error
	if f.NumClass, err = r.headerInt(keyNumClass, 1, r.limits.MaxOutputs); err != nil {
		return err
	}
	m.Outputs = f.NumClass
	if _, ok := r.values[keyTreesPerRound]; ok {
		if m.Outputs, err = r.headerInt(keyTreesPerRound, 1, r.limits.MaxOutputs); err != nil {
			return err
		}
	}
	m.BaseMargin = make([]float64, m.Outputs)
	if f.LabelIndex, err = r.headerInt(keyLabelIndex, math.MinInt32, math.MaxInt32); err != nil {
		return err
	}
	top, err := r.headerInt(keyMaxFeature, 0, r.limits.MaxFeatures-1)
	if err != nil {
		return err
	}
	_, m.AverageOutput = r.values[keyAverageOutput]
	if v, ok := r.values[keyObjective]; ok {
		if m.Objective, err = parseObjective(v.text, m.Outputs); err != nil {
			return r.failHeader(keyObjective, err)
		}
	}
	if m.FeatureNames, err = r.headerWords(keyFeatureNames, top+1); err != nil {
		return err
	}
	infos, err := r.headerWords(keyFeatureInfos, top+1)
	if err != nil {
		return err
	}
	m.Features = parseFeatureInfos(infos)
	return r.applyTreeSizes()
}

// headerInt returns the integer of a required key.
func (r *reader) headerInt(key string, low, high int) (int, error) {
	v, ok := r.values[key]
	if !ok {
		return 0, r.failHeader(key, errors.New("the header has no such line"))
	}
	n, err := parseInt([]byte(v.text), int64(low), int64(high))
	if err != nil {
		return 0, r.failHeader(key, err)
	}
	return int(n), nil
}

// headerWords returns the n words of a required key.
func (r *reader) headerWords(key string, n int) ([]string, error) {
	v, ok := r.values[key]
	if !ok {
		return nil, r.failHeader(key, errors.New("the header has no such line"))
	}
	words := strings.Split(v.text, " ")
	if len(words) != n {
		return nil, r.failHeader(key, fmt.Errorf("want %d entries, got %d", n, len(words)))
	}
	for i, w := range words {
		if w == "" || strings.Contains(w, "\r") {
			return nil, r.failHeader(key, fmt.Errorf("entry %d is empty or has a carriage return", i))
		}
	}
	return words, nil
}

func (r *reader) applyTreeSizes() error {
	v, ok := r.values[keyTreeSizes]
	if !ok {
		return nil
	}
	rest := []byte(v.text)
	r.sizes = []int64{}
	for {
		var token []byte
		if token, rest = nextToken(rest); len(token) == 0 {
			break
		}
		n, err := parseInt(token, 1, r.limits.MaxBytes)
		if err != nil {
			return r.failHeader(keyTreeSizes, fmt.Errorf("entry %d: %w", len(r.sizes), err))
		}
		r.sizes = append(r.sizes, n)
	}
	return nil
}

// parseFeatureInfos reads what the header says of the features' values, or nil if one entry is of no form that LightGBM
// writes.
func parseFeatureInfos(words []string) []gbdt.FeatureInfo {
	infos := make([]gbdt.FeatureInfo, len(words))
	for i, w := range words {
		info := gbdt.FeatureInfo{Min: math.NaN(), Max: math.NaN()}
		switch {
		case w == "none":
		case w[0] == '[':
			low, high, ok := strings.Cut(strings.TrimSuffix(w[1:], "]"), ":")
			a, errA := parseFloat([]byte(low))
			b, errB := parseFloat([]byte(high))
			if !ok || errA != nil || errB != nil {
				return nil
			}
			info.Min, info.Max = a, b
		default:
			for code := range strings.SplitSeq(w, ":") {
				n, err := parseInt([]byte(code), math.MinInt32, math.MaxInt32)
				if err != nil {
					return nil
				}
				info.Categories = append(info.Categories, int32(n))
			}
		}
		infos[i] = info
	}
	return infos
}

func (r *reader) readTrees() error {
	for {
		line, ok := r.lines.peek()
		if !ok || !bytes.HasPrefix(line, []byte(treePrefix)) {
			break
		}
		if len(r.model.Trees)+len(r.blocks) == r.limits.MaxTrees {
			r.lines.next()
			err := r.fail("Tree", fmt.Errorf("more than %d trees", r.limits.MaxTrees))
			return cmp.Or(r.parseBlocks(), err)
		}
		if err := r.readTree(); err != nil {
			return cmp.Or(r.parseBlocks(), err) // the first fault of the text
		}
		if len(r.blocks) == cap(r.blocks) {
			if err := r.parseBlocks(); err != nil {
				return err
			}
		}
	}
	if err := r.parseBlocks(); err != nil {
		return err
	}
	trees := len(r.model.Trees)
	if r.sizes != nil && len(r.sizes) != trees {
		return r.failHeader(keyTreeSizes, fmt.Errorf("%d sizes for %d trees", len(r.sizes), trees))
	}
	if trees%r.model.Outputs != 0 {
		return r.fail("Tree", fmt.Errorf("%d trees are no whole rounds of %d", trees, r.model.Outputs))
	}
	if trees == 0 {
		return nil
	}
	r.model.RoundEnds = make([]int32, trees/r.model.Outputs)
	for i := range r.model.RoundEnds {
		r.model.RoundEnds[i] = int32((i + 1) * r.model.Outputs)
	}
	return nil
}

// readTail keeps what follows the trees and refuses a text that was cut off there.
func (r *reader) readTail() error {
	var tail strings.Builder
	tail.Grow(len(r.lines.rest))
	started, inParameters := false, false
	for {
		line, ok := r.lines.next()
		if !ok {
			break
		}
		if !started && len(line) > 0 {
			started = true
			known := string(line) == endOfTrees
			if r.file.Version == "v2" || r.file.Version == "" {
				known = known || string(line) == "feature importances:" || string(line) == "feature_importances:"
			}
			if !known {
				return r.fail("", fmt.Errorf("want a tree or %q, got %q", endOfTrees, short(line)))
			}
		}
		switch string(line) {
		case "parameters:":
			inParameters = true
		case endOfParameters:
			inParameters = false
		}
		tail.Write(line)
		if !r.lines.open {
			tail.WriteByte('\n')
		}
	}
	if !started {
		return r.fail("", errors.New("the text ends inside the trees"))
	}
	if inParameters {
		return r.fail("", errors.New("the text ends inside the parameters"))
	}
	r.file.Tail = tail.String()
	return nil
}

// check validates the model as a whole and finds the line of a tree that is at fault.
func (r *reader) check() error {
	m := r.model
	err := m.Validate()
	if err == nil {
		return nil
	}
	for i := range m.Trees {
		one := *m
		one.Trees, one.RoundEnds = m.Trees[i:i+1], []int32{1}
		if one.Validate() != nil {
			return &ParseError{Line: r.treeLines[i], Key: "Tree", Err: err}
		}
	}
	return r.fail("", err)
}
