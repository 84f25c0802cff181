package lightgbm

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/pppq/pppq/gbdt"
)

// treeKey is a key of a tree block; the order is that of the lines.
type treeKey int

const (
	numLeaves treeKey = iota
	numCat
	splitFeature
	splitGain
	threshold
	decisionType
	leftChild
	rightChild
	leafValue
	leafWeight
	leafCount
	internalValue
	internalWeight
	internalCount
	catBoundaries
	catThreshold
	isLinear
	leafConst
	numFeatures
	leafFeatures
	leafCoeff
	shrinkage
	numTreeKeys
)

var treeKeyNames = [numTreeKeys]string{
	"num_leaves", "num_cat", "split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child",
	"leaf_value", "leaf_weight", "leaf_count", "internal_value", "internal_weight", "internal_count", "cat_boundaries",
	"cat_threshold", "is_linear", "leaf_const", "num_features", "leaf_features", "leaf_coeff", "shrinkage",
}

func (k treeKey) String() string { return treeKeyNames[k] }

// keySet is a set of tree keys.
type keySet uint32

func (s keySet) has(k treeKey) bool { return s>>k&1 != 0 }

// block is the text of one tree.
type block struct {
	value [numTreeKeys][]byte
	line  [numTreeKeys]int
	keys  keySet
	// first and last are the lines of its start and end.
	first, last int
	// leaves is the number of leaves.
	leaves int
	// err is the first error.
	err error
}

// treePrefix starts a tree block; its number follows.
const treePrefix = "Tree="

// readTree reads the lines of one tree and the empty lines that belong to it; the next line starts with "Tree=".
func (r *reader) readTree() error {
	index := len(r.model.Trees) + len(r.blocks)
	line, _ := r.lines.next()
	start := r.lines.number
	if string(line[len(treePrefix):]) != strconv.Itoa(index) {
		return r.fail("Tree", fmt.Errorf("want number %d, got %q", index, short(line[len(treePrefix):])))
	}
	var b block
	size := int64(len(line) + 1)
	for {
		line, ok := r.lines.next()
		if !ok {
			return r.fail("Tree", errors.New("the text ends inside the tree"))
		}
		size += int64(len(line) + 1)
		if len(line) == 0 {
			break
		}
		if err := b.add(line, r.lines.number); err != nil {
			return r.fail("", err)
		}
	}
	b.last = r.lines.number
	if err := r.endOfBlock(index, size); err != nil {
		return err
	}
	b.first = start
	r.blocks = append(r.blocks, b)
	return nil
}

// parseBlocks makes trees of the blocks that have been read. Its error is that of the first tree that has one.
func (r *reader) parseBlocks() error {
	from, n := len(r.model.Trees), len(r.blocks)
	r.model.Trees = append(r.model.Trees, make([]gbdt.Tree, n)...)
	var next atomic.Int64
	var working sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		working.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				t := &r.model.Trees[from+i]
				t.Output = (from + i) % r.model.Outputs
				r.blocks[i].parse(t)
			}
		})
	}
	working.Wait()
	for i := range r.blocks {
		b := &r.blocks[i]
		if b.err != nil {
			return b.err
		}
		r.file.trees = append(r.file.trees, b.keys)
		r.treeLines = append(r.treeLines, b.first)
	}
	r.blocks = r.blocks[:0]
	return nil
}

// endOfBlock reads the empty lines after a block of which size bytes have been read, and compares with tree_sizes.
func (r *reader) endOfBlock(index int, size int64) error {
	if r.sizes == nil {
		if line, ok := r.lines.peek(); ok && len(line) == 0 {
			r.lines.next()
		}
		r.skipToTree()
		return nil
	}
	if index >= len(r.sizes) {
		return r.failHeader(keyTreeSizes, fmt.Errorf("%d sizes, but there are more trees", len(r.sizes)))
	}
	for size < r.sizes[index] {
		line, ok := r.lines.peek()
		if !ok || len(line) > 0 {
			break
		}
		r.lines.next()
		size++
	}
	if size != r.sizes[index] {
		return r.failHeader(keyTreeSizes, fmt.Errorf("tree %d has %d bytes, the header says %d", index, size, r.sizes[index]))
	}
	return nil
}

// skipToTree skips empty lines if a tree follows them.
func (r *reader) skipToTree() {
	ahead := r.lines
	for {
		line, ok := ahead.peek()
		if !ok {
			return
		}
		if len(line) > 0 {
			if bytes.HasPrefix(line, []byte(treePrefix)) {
				r.lines = ahead
			}
			return
		}
		ahead.next()
	}
}

// add takes one line key=value of the block. Unknown keys are left out, as LightGBM does.
func (b *block) add(line []byte, number int) error {
	key, value, ok := bytes.Cut(line, []byte{'='})
	if !ok {
		return fmt.Errorf("want key=value, got %q", short(line))
	}
	for k, name := range treeKeyNames {
		if string(key) != name {
			continue
		}
		if b.keys.has(treeKey(k)) {
			return fmt.Errorf("%s: given twice", name)
		}
		b.keys |= 1 << k
		b.value[k], b.line[k] = value, number
		break
	}
	return nil
}

// parse fills the tree and keeps the first error. Memory is asked for only when the text is long enough to fill it.
func (b *block) parse(t *gbdt.Tree) {
	b.leaves = b.int(numLeaves, 1, math.MaxInt32)
	sets := b.int(numCat, 0, math.MaxInt32-1)
	inner := b.leaves - 1
	leaf := inner == 0 // a tree without a split needs no lines about splits
	floats(b, &t.LeafValue, leafValue, b.leaves, false)
	ints(b, &t.Feature, splitFeature, inner, leaf, 0, math.MaxInt32)
	floats(b, &t.Threshold, threshold, inner, leaf)
	ints(b, &t.Left, leftChild, inner, leaf, math.MinInt32, math.MaxInt32)
	ints(b, &t.Right, rightChild, inner, leaf, math.MinInt32, math.MaxInt32)
	ints(b, &t.Decision, decisionType, inner, true, 0, math.MaxUint8)
	floats(b, &t.Gain, splitGain, inner, true)
	floats(b, &t.LeafWeight, leafWeight, b.leaves, true)
	ints(b, &t.LeafCount, leafCount, b.leaves, true, 0, math.MaxInt32)
	floats(b, &t.InternalValue, internalValue, inner, true)
	floats(b, &t.InternalWeight, internalWeight, inner, true)
	ints(b, &t.InternalCount, internalCount, inner, true, 0, math.MaxInt32)
	if sets > 0 {
		b.categories(t, sets)
	}
	if b.keys.has(isLinear) && b.int(isLinear, 0, 1) == 1 {
		b.linear(t)
	}
	t.Shrinkage = 1
	if b.keys.has(shrinkage) {
		x, err := parseFloat(b.value[shrinkage])
		b.fail(shrinkage, err)
		t.Shrinkage = x
	}
	if t.Decision == nil && b.err == nil {
		t.Decision = make([]uint8, inner)
	}
}

// fail keeps the first error and locates it.
func (b *block) fail(k treeKey, err error) {
	if err == nil || b.err != nil {
		return
	}
	line := b.last
	if b.keys.has(k) {
		line = b.line[k]
	}
	b.err = &ParseError{Line: line, Key: k.String(), Err: err}
}

var errNoLine = errors.New("the tree has no such line")

// int returns the value of a required key in [low, high], and low after an error.
func (b *block) int(k treeKey, low, high int64) int {
	err := errNoLine
	n := low
	if b.keys.has(k) {
		n, err = parseInt(b.value[k], low, high)
	}
	if b.fail(k, err); b.err != nil {
		return int(low)
	}
	return int(n)
}

// array makes *dst the n values of a key. An optional key may be absent, and is empty for a tree without a split that
// LightGBM has loaded and saved; *dst then stays nil.
func array[T any](b *block, dst *[]T, k treeKey, n int, optional bool, parse func([]T, []byte) error) {
	if b.err != nil {
		return
	}
	value := b.value[k]
	if !b.keys.has(k) {
		if !optional {
			b.fail(k, errNoLine)
		}
		return
	}
	if optional && b.leaves == 1 && len(value) == 0 {
		return
	}
	if err := checkRoom(value, n); err != nil {
		b.fail(k, err)
		return
	}
	*dst = make([]T, n)
	b.fail(k, parse(*dst, value))
}

func floats(b *block, dst *[]float64, k treeKey, n int, optional bool) {
	array(b, dst, k, n, optional, parseFloats)
}

func ints[T int32 | uint32 | uint8](b *block, dst *[]T, k treeKey, n int, optional bool, low, high int64) {
	array(b, dst, k, n, optional, func(dst []T, value []byte) error { return parseInts(dst, value, low, high) })
}

func (b *block) categories(t *gbdt.Tree, sets int) {
	ints(b, &t.CatBoundaries, catBoundaries, sets+1, false, 0, math.MaxInt32)
	if b.err != nil {
		return
	}
	words := int(t.CatBoundaries[sets])
	ints(b, &t.CatBits, catThreshold, words, words == 0, 0, math.MaxUint32)
}

func (b *block) linear(t *gbdt.Tree) {
	if b.leaves == 1 {
		b.fail(isLinear, errors.New("a linear tree needs a split"))
		return
	}
	l := &gbdt.LinearLeaves{}
	var counts []int32
	floats(b, &l.Const, leafConst, b.leaves, false)
	ints(b, &counts, numFeatures, b.leaves, false, 0, math.MaxInt32)
	if b.err != nil {
		return
	}
	l.Start = make([]int32, b.leaves+1)
	total := int64(0)
	for i, n := range counts {
		if total += int64(n); total > math.MaxInt32 {
			b.fail(numFeatures, errors.New("the sum is too large"))
			return
		}
		l.Start[i+1] = int32(total)
	}
	ints(b, &l.Features, leafFeatures, int(total), false, 0, math.MaxInt32)
	floats(b, &l.Coeff, leafCoeff, int(total), false)
	t.Linear = l
}
