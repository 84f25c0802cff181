package gbdt

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
)

// PredictOptions chooses the part of a model that a Predictor uses and how it works.
type PredictOptions struct {
	// FirstRound and Rounds choose the boosting rounds [FirstRound, FirstRound+Rounds); a Rounds of 0 means all from
	// FirstRound on.
	FirstRound, Rounds int
	// Threads is the number of goroutines that batches use; 0 means GOMAXPROCS.
	Threads int
	// EarlyStop lets rows be done before all trees are used; the zero value does not.
	EarlyStop EarlyStop
	// Portable keeps batches to plain Go where the processor has vector instructions (AVX2) for them. The answers are the
	// same bits either way.
	Portable bool
}

// Predictor answers rows with a model. It is safe for concurrent use and shares memory with its model, which must not
// be changed. All its methods take rows of NumFeatures values, NaN for missing, and report a wrong length with an
// error that wraps ErrShape. The methods for one row do not allocate, but for Contributions.
type Predictor struct {
	model    *Model
	link     Link
	trees    []walkTree
	compiled *compiled
	from     int // index in the model of the first tree used
	rounds   int // boosting rounds used
	threads  int
	// margin is that of early stop; stopping says that rows may stop early.
	margin   float64
	stopping bool

	shapOnce sync.Once
	shap     *shap
	// portable says that there is no form for vector instructions.
	portable bool
	scanOnce sync.Once
	scan     *scanForm
}

// walkNode is an inner node in the order of the tree.
type walkNode struct {
	threshold   float64
	feature     int32
	left, right int32
	decision    uint8
}

type walkTree struct {
	nodes []walkNode
	tree  *Tree
	// weight is the tree's factor, 1 but for XGBoost's dart.
	weight float32
}

// NewPredictor checks the model, as Model.Validate does, and prepares the rounds that the options name.
func NewPredictor(m *Model, options PredictOptions) (*Predictor, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	if options.FirstRound < 0 || options.FirstRound > m.NumRounds() || options.Rounds < 0 {
		return nil, fmt.Errorf("gbdt: rounds from %d, %d of them: the model has %d", options.FirstRound, options.Rounds, m.NumRounds())
	}
	if err := options.EarlyStop.check(m.Family); err != nil {
		return nil, err
	}
	link, err := m.Objective.Link(m.Family, m.Outputs)
	if err != nil {
		return nil, fmt.Errorf("gbdt: %w", err)
	}
	from, to := m.TreeRange(options.FirstRound, options.Rounds)
	p := &Predictor{model: m, link: link, from: from, threads: options.Threads, trees: make([]walkTree, to-from)}
	p.rounds = m.NumRounds() - options.FirstRound
	if options.Rounds > 0 {
		p.rounds = min(p.rounds, options.Rounds)
	}
	total := 0
	for i := from; i < to; i++ {
		total += len(m.Trees[i].Left)
	}
	nodes := make([]walkNode, total)
	for i := range p.trees {
		t := &m.Trees[from+i]
		inner := len(t.Left)
		w := fillWalkTree(t, nodes[:inner:inner])
		nodes = nodes[inner:]
		if m.TreeWeights != nil {
			w.weight = m.TreeWeights[from+i]
		}
		p.trees[i] = w
	}
	stops := options.EarlyStop.stops(m, options.FirstRound, p.rounds)
	p.margin, p.stopping = options.EarlyStop.Margin, len(stops) > 0
	p.compiled = compile(m.Family, m.NumFeatures(), p.trees, stops)
	p.portable = !canScan || options.Portable
	return p, nil
}

func newWalkTree(t *Tree) walkTree { return fillWalkTree(t, make([]walkNode, len(t.Left))) }

// fillWalkTree is newWalkTree with room for the nodes.
func fillWalkTree(t *Tree, nodes []walkNode) walkTree {
	w := walkTree{nodes: nodes, tree: t, weight: 1}
	for j := range w.nodes {
		w.nodes[j] = walkNode{t.Threshold[j], t.Feature[j], t.Left[j], t.Right[j], t.Decision[j]}
	}
	return w
}

// NumFeatures returns the number of values a row has.
func (p *Predictor) NumFeatures() int { return p.model.NumFeatures() }

// NumRaw returns the number of raw scores of a row.
func (p *Predictor) NumRaw() int { return p.model.Outputs }

// NumOutputs returns the number of link outputs of a row: NumRaw, but 1 for XGBoost's multi:softmax.
func (p *Predictor) NumOutputs() int {
	if p.link == LinkArgmax {
		return 1
	}
	return p.model.Outputs
}

// NumTrees returns the number of trees used, which is the number of leaf indices of a row.
func (p *Predictor) NumTrees() int { return len(p.trees) }

// Raw writes the NumRaw raw scores of the row to dst.
func (p *Predictor) Raw(dst, row []float64) error {
	if err := p.checkRow(len(dst), p.NumRaw(), row); err != nil {
		return err
	}
	p.raw(dst, row)
	return nil
}

// Predict writes the NumOutputs link outputs of the row to dst: probabilities, means or, without a link, raw scores.
func (p *Predictor) Predict(dst, row []float64) error {
	if err := p.checkRow(len(dst), p.NumOutputs(), row); err != nil {
		return err
	}
	if p.link == LinkArgmax {
		class, err := p.Class(row)
		dst[0] = float64(class)
		return err
	}
	p.raw(dst, row)
	p.applyLink(dst)
	return nil
}

// ErrNoClasses is returned by Class for a model that does not tell classes apart.
var ErrNoClasses = errors.New("gbdt: the model has no classes")

// Class returns the most likely class of the row: the first largest raw score of several, or, for one output with a
// probability, 1 if it is above one half and 0 otherwise.
func (p *Predictor) Class(row []float64) (int, error) {
	if err := p.checkRow(0, 0, row); err != nil {
		return 0, err
	}
	if p.model.Outputs == 1 {
		if p.link != LinkSigmoid && p.link != LinkStep {
			return 0, ErrNoClasses
		}
		var raw [1]float64
		p.raw(raw[:], row)
		if raw[0] > 0 {
			return 1, nil
		}
		return 0, nil
	}
	if p.link != LinkSoftmax && p.link != LinkArgmax && p.link != LinkSigmoid && p.model.Objective.Name != "" {
		return 0, ErrNoClasses
	}
	var few [16]float64
	raw := few[:min(p.model.Outputs, len(few))]
	if p.model.Outputs > len(few) {
		s := getRow()
		defer rowPool.Put(s)
		s.raw = grow(s.raw, p.model.Outputs)
		raw = s.raw
	}
	p.raw(raw, row)
	return argmax(raw), nil
}

// argmax returns the index of the first largest value.
func argmax(raw []float64) int {
	best := 0
	for k, r := range raw {
		if r > raw[best] {
			best = k
		}
	}
	return best
}

// LeafIndex writes the leaf that the row reaches in each of the NumTrees trees to dst: LightGBM's leaf number from 0,
// or XGBoost's node number if the trees have them.
func (p *Predictor) LeafIndex(dst []int32, row []float64) error {
	if err := p.checkRow(len(dst), p.NumTrees(), row); err != nil {
		return err
	}
	p.leaves(dst, row)
	return nil
}

// RawBatch writes the raw scores of each row of x to dst, row after row. It works on several goroutines and returns
// the context's error if that ends first; dst is then partly written.
func (p *Predictor) RawBatch(ctx context.Context, dst []float64, x Matrix) error {
	k := p.NumRaw()
	if err := p.checkBatch(len(dst), k, x); err != nil {
		return err
	}
	return p.blocks(ctx, x, func(s *blockScratch, from, to int) { p.rawRows(s, dst[from*k:to*k], x, from, to) })
}

// PredictBatch is Predict for each row of x, as RawBatch is Raw.
func (p *Predictor) PredictBatch(ctx context.Context, dst []float64, x Matrix) error {
	k := p.NumOutputs()
	if err := p.checkBatch(len(dst), k, x); err != nil {
		return err
	}
	raw := p.NumRaw()
	return p.blocks(ctx, x, func(s *blockScratch, from, to int) {
		if p.link == LinkArgmax {
			s.raw = grow(s.raw, (to-from)*raw)
			p.rawRows(s, s.raw, x, from, to)
			for i := from; i < to; i++ {
				dst[i] = float64(argmax(s.raw[(i-from)*raw : (i-from+1)*raw]))
			}
			return
		}
		p.rawRows(s, dst[from*k:to*k], x, from, to)
		for i := from; i < to; i++ {
			p.applyLink(dst[i*k : (i+1)*k])
		}
	})
}

// LeafIndexBatch is LeafIndex for each row of x, as RawBatch is Raw.
func (p *Predictor) LeafIndexBatch(ctx context.Context, dst []int32, x Matrix) error {
	k := p.NumTrees()
	if err := p.checkBatch(len(dst), k, x); err != nil {
		return err
	}
	return p.blocks(ctx, x, func(s *blockScratch, from, to int) { p.leafBlock(s, dst[from*k:to*k], x, from, to) })
}

func (p *Predictor) checkRow(dst, want int, row []float64) error {
	if len(row) != p.NumFeatures() {
		return fmt.Errorf("gbdt: %w: row of %d values, want %d", ErrShape, len(row), p.NumFeatures())
	}
	if dst != want {
		return fmt.Errorf("gbdt: %w: room for %d results of a row, want %d", ErrShape, dst, want)
	}
	return nil
}

func (p *Predictor) checkBatch(dst, each int, x Matrix) error {
	if x.cols != p.NumFeatures() {
		return fmt.Errorf("gbdt: %w: rows of %d values, want %d", ErrShape, x.cols, p.NumFeatures())
	}
	if dst != each*x.rows {
		return fmt.Errorf("gbdt: %w: room for %d results, want %d for each of %d rows", ErrShape, dst, each, x.rows)
	}
	return nil
}

// rawRows writes the raw scores of rows [from, to) of x to dst.
func (p *Predictor) rawRows(s *blockScratch, dst []float64, x Matrix, from, to int) {
	k, n := p.model.Outputs, to-from
	if !p.stopping {
		n -= n % groupRows
		if rest := to - from - n; rest > fewRows {
			n = to - from
		}
		p.rawBlock(s, dst[:n*k], x, from, from+n)
	} else {
		n = 0
	}
	for i := from + n; i < to; i++ {
		s.row = grow(s.row, x.cols)
		p.raw(dst[(i-from)*k:(i-from+1)*k], x.row(i, s.row))
	}
}

// raw writes the raw scores of row to dst; the lengths are right.
func (p *Predictor) raw(dst, row []float64) {
	copy(dst, p.model.BaseMargin)
	c := p.compiled
	if c.rows.words == nil {
		s := getRow()
		c.ranks.rankRow(s.ranks[:], row, 0)
		p.addRow(dst, row, nil, &s.ranks)
		rowPool.Put(s)
		return
	}
	var ranks [rowColumns]uint32
	c.ranks.rankRow(ranks[:], row, rowRankShift)
	p.addRow(dst, row, &ranks, nil)
}

// leaves writes the leaf indices of row to dst; the lengths are right.
func (p *Predictor) leaves(dst []int32, row []float64) {
	c := p.compiled
	if c.rows.words == nil {
		s := getRow()
		c.ranks.rankRow(s.ranks[:], row, 0)
		c.rowLeaves(dst, row, nil, &s.ranks)
		rowPool.Put(s)
	} else {
		var ranks [rowColumns]uint32
		c.ranks.rankRow(ranks[:], row, rowRankShift)
		c.rowLeaves(dst, row, &ranks, nil)
	}
	p.fileNumbers(dst)
}

// fileNumbers turns the leaf numbers of one row into those of the file, where trees have them.
func (p *Predictor) fileNumbers(leaves []int32) {
	for i := range p.trees {
		if ids := p.trees[i].tree.LeafID; ids != nil {
			leaves[i] = ids[leaves[i]]
		}
	}
}

// output returns what the tree adds for the row: a float32 value for XGBoost.
func (w *walkTree) output(family Family, row []float64) float64 {
	leaf := w.leaf(family, row)
	if family == XGBoost {
		return float64(float32(w.weight * float32(w.tree.LeafValue[leaf])))
	}
	return w.leafOutput(leaf, row)
}

// leafOutput returns what leaf number leaf of a LightGBM tree adds for the row.
func (w *walkTree) leafOutput(leaf int32, row []float64) float64 {
	l := w.tree.Linear
	if l == nil {
		return w.tree.LeafValue[leaf]
	}
	y := l.Const[leaf]
	for j := l.Start[leaf]; j < l.Start[leaf+1]; j++ {
		x := LightGBM.normalize(row[l.Features[j]])
		if math.IsNaN(x) {
			return w.tree.LeafValue[leaf]
		}
		y += float64(l.Coeff[j] * x)
	}
	return y
}

// leaf returns the leaf number that the row reaches.
func (w *walkTree) leaf(family Family, row []float64) int32 {
	if len(w.nodes) == 0 {
		return 0
	}
	i := int32(0)
	if family == XGBoost {
		for i >= 0 {
			n := &w.nodes[i]
			if w.goesLeftXGBoost(n, float32(row[n.feature])) {
				i = n.left
			} else {
				i = n.right
			}
		}
		return ^i
	}
	for i >= 0 {
		n := &w.nodes[i]
		if w.goesLeftLightGBM(n, row[n.feature]) {
			i = n.left
		} else {
			i = n.right
		}
	}
	return ^i
}

// goesLeft reports whether value x of its feature goes left at node n of the tree.
func (w *walkTree) goesLeft(family Family, n *walkNode, x float64) bool {
	if family == XGBoost {
		return w.goesLeftXGBoost(n, float32(x))
	}
	return w.goesLeftLightGBM(n, x)
}

func (w *walkTree) goesLeftLightGBM(n *walkNode, x float64) bool {
	if n.decision&DecisionCategorical != 0 {
		// NaN, negative and too large values are in no set; -0.5 truncates to category 0.
		return x > -1 && x < math.MaxInt32+1.0 && w.tree.inSet(n, int32(x))
	}
	if math.Abs(x) <= zeroThreshold {
		x = 0
	}
	missing := MissingType(n.decision >> decisionMissingShift & 3)
	if x != x {
		if missing != MissingNone {
			return n.decision&DecisionDefaultLeft != 0
		}
		x = 0
	}
	if x == 0 && missing == MissingZero {
		return n.decision&DecisionDefaultLeft != 0
	}
	return x <= n.threshold
}

func (w *walkTree) goesLeftXGBoost(n *walkNode, x float32) bool {
	if x != x {
		return n.decision&DecisionDefaultLeft != 0
	}
	if n.decision&DecisionCategorical != 0 {
		return x < 0 || x >= 1<<24 || !w.tree.inSet(n, int32(x))
	}
	return x < float32(n.threshold)
}

// inSet reports whether category c >= 0 is in the set of categorical node n.
func (t *Tree) inSet(n *walkNode, c int32) bool {
	k := int32(n.threshold)
	set := t.CatBits[t.CatBoundaries[k]:t.CatBoundaries[k+1]]
	word := int(c / 32)
	return word < len(set) && set[word]>>(c%32)&1 != 0
}
