package gbdt

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// ValidSet is a dataset that training is watched on.
type ValidSet struct {
	Name string
	Data *Dataset
}

// TrainOptions is what a training may be given beside its parameters and data.
type TrainOptions struct {
	// Valid are judged after each round; early stopping looks at the first. Their columns are those of the training
	// data, and they have initial scores if and only if that has.
	Valid []ValidSet
	// Metric judges the validation sets; its zero value stands for DefaultMetric.
	Metric Metric
	// Progress is called after each round; an error from it ends the training with that error.
	Progress func(Round) error
}

// Round tells of one boosting round.
type Round struct {
	// Number counts from 1 to Of.
	Number, Of int
	// Leaves is the number of leaves of the round's trees together.
	Leaves int
	// Valid has the metric of each validation set; it may be kept.
	Valid []float64
}

// Result is what training gives.
type Result struct {
	Model *Model
	// Metric is the name of the metric, History[r] its figures for each validation set after round r+1.
	Metric  string
	History [][]float64
	// BestRound is the number of rounds of the model: with early stopping those up to the best.
	BestRound int
}

// ErrDiverged is wrapped by the error of a training whose gradients left the range of numbers.
var ErrDiverged = errors.New("training diverged")

// Train makes a model of the data. The same parameters, data and seed give the same model for any number of threads.
// Training ends early, at a round in which no tree could be split, if no sampling could make the next one differ. The
// error is the context's if that ends first; it wraps ErrParams, ErrShape or ErrDiverged where those are the cause.
func Train(ctx context.Context, p Params, data *Dataset, options TrainOptions) (*Result, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	t, err := newTrainer(&p, data, options)
	if err != nil {
		return nil, err
	}
	for r := range p.Rounds {
		done, err := t.round(ctx, r)
		if err != nil {
			return nil, err
		}
		if done {
			break
		}
	}
	return t.result(), nil
}

// trainer holds the state of one training.
type trainer struct {
	params    *Params
	options   TrainOptions
	objective objective
	targets   Targets
	data      *binned
	model     *Model
	valid     []*validScores
	history   [][]float64
	best      int // the round, from 0, of the best figure of the first validation set
	threads   int

	// By output, then row:
	scores [][]float64
	pairs  [][]gradPair
	scale  []scales
	// bias is the start of each output, which the first round's leaves take over.
	bias []float64

	bag     bag
	growers chan *grower
}

func newTrainer(p *Params, data *Dataset, options TrainOptions) (*trainer, error) {
	o, outputs, n := newObjective(p), p.outputs(), data.Rows()
	targets := data.targets
	for _, set := range append([]ValidSet{{Data: data}}, options.Valid...) {
		d := set.Data
		if d.streamed && d != data {
			return nil, fmt.Errorf("gbdt: %w: validation set %q is streamed, its values are not kept", ErrShape, set.Name)
		}
		if err := o.check(d.targets.Labels); err != nil {
			return nil, err
		}
		if init := d.targets.InitScores; init != nil && len(init) != d.Rows()*outputs {
			return nil, fmt.Errorf("gbdt: %w: %d initial scores for %d rows of %d outputs", ErrShape, len(init), d.Rows(), outputs)
		}
		if d.x.cols != data.x.cols || (d.targets.InitScores == nil) != (targets.InitScores == nil) {
			return nil, fmt.Errorf("gbdt: %w: validation set %q does not match the training data", ErrShape, set.Name)
		}
	}
	if p.EarlyStopping > 0 && len(options.Valid) == 0 {
		return nil, fmt.Errorf("gbdt: %w: EarlyStopping is %d, but there is no validation set", ErrParams, p.EarlyStopping)
	}
	if options.Metric.Eval == nil {
		options.Metric = DefaultMetric(*p)
	}
	t := &trainer{params: p, options: options, objective: o, targets: targets, threads: threadCount(p.Threads)}
	var err error
	if t.data, err = data.binned(p); err != nil {
		return nil, err
	}
	t.model = &Model{
		Family: p.Family, FeatureNames: data.names, Features: t.data.infos, Outputs: outputs,
		Objective: o.model(p.Family), BaseMargin: make([]float64, outputs),
	}
	t.bias, t.scale = make([]float64, outputs), make([]scales, outputs)
	t.scores = table(outputs, n)
	t.pairs = make([][]gradPair, outputs)
	for k := range outputs {
		t.pairs[k] = make([]gradPair, n)
		if p.Family == XGBoost && p.Loss == Logistic {
			t.model.BaseMargin[k] = math.Copysign(0, -1) // what XGBoost makes of a base_score of 0.5: -log(1/0.5 - 1)
		}
		if p.BoostFromAverage && targets.InitScores == nil {
			t.bias[k] = p.Family.leafValue(o.start(k, &targets))
		}
		for i := range n {
			t.scores[k][i] = t.bias[k]
			if targets.InitScores != nil {
				t.scores[k][i] = p.Family.leafValue(targets.InitScores[i*outputs+k])
			}
		}
	}
	for _, v := range options.Valid {
		t.valid = append(t.valid, newValidScores(v.Data, p.Family, outputs))
	}
	t.bag = newBag(p, n)
	workers := min(t.threads, outputs)
	t.growers = make(chan *grower, workers)
	for range workers {
		t.growers <- newGrower(p, t.data, max(1, t.threads/workers))
	}
	return t, nil
}

// table returns a table of zeros.
func table(rows, cols int) [][]float64 {
	t := make([][]float64, rows)
	for i := range t {
		t[i] = make([]float64, cols)
	}
	return t
}

// round makes the trees of round r, from 0, and reports whether training ends with it.
func (t *trainer) round(ctx context.Context, r int) (done bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if err := t.computeGradients(); err != nil {
		return false, fmt.Errorf("gbdt: round %d: %w", r+1, err)
	}
	t.bag.draw(r)
	outputs := t.model.Outputs
	trees := make([]Tree, outputs)
	parallel(outputs, t.threads, func(k int) {
		if ctx.Err() != nil {
			return
		}
		g := <-t.growers
		defer func() { t.growers <- g }()
		trees[k] = t.growTree(g, r, k)
	})
	if err := ctx.Err(); err != nil {
		return false, err
	}
	leaves := 0
	for k := range trees {
		leaves += trees[k].NumLeaves()
	}
	sampling := t.params.BaggingFraction < 1 || t.params.FeatureFraction < 1
	if leaves == outputs && !sampling && r > 0 {
		return true, nil // nothing was learnt and nothing will be
	}
	t.model.Trees = append(t.model.Trees, trees...)
	t.model.RoundEnds = append(t.model.RoundEnds, int32(len(t.model.Trees)))
	figures := t.judge(trees)
	if t.options.Progress != nil {
		info := Round{Number: r + 1, Of: t.params.Rounds, Leaves: leaves, Valid: figures}
		if err := t.options.Progress(info); err != nil {
			return false, err
		}
	}
	return t.params.EarlyStopping > 0 && r-t.best >= t.params.EarlyStopping, nil
}

// growTree makes the tree of output k in round r and adds its leaf values to the scores.
func (t *trainer) growTree(g *grower, r, k int) Tree {
	grown := g.grow(treeInput{pairs: t.pairs[k], scale: t.scale[k], rows: t.bag.in, slots: t.chooseSlots(r, k), rate: t.params.LearningRate})
	grown.Output = k
	if renewer, ok := t.objective.(leafRenewer); ok && len(grown.Left) > 0 {
		t.renewLeaves(grown, renewer, k)
	}
	first := r == 0 && t.targets.InitScores == nil
	if first {
		for i := range grown.LeafValue {
			grown.LeafValue[i] = t.params.Family.leafValue(grown.LeafValue[i] + t.bias[k])
		}
		if t.params.Family == LightGBM {
			for i := range grown.InternalValue {
				grown.InternalValue[i] += t.bias[k]
			}
		}
	}
	scores := t.scores[k]
	add := func(i int32, leaf int) {
		if first { // the leaf holds the start, too
			scores[i] = t.model.BaseMargin[k]
		}
		scores[i] = t.params.Family.addLeaf(scores[i], grown.LeafValue[leaf])
	}
	parallel(len(grown.LeafValue), g.threads, func(leaf int) {
		for _, i := range grown.rowsOf(leaf) {
			add(i, leaf)
		}
	})
	parallel(chunks(len(t.bag.out)), g.threads, func(c int) {
		from, to := chunk(c, len(t.bag.out))
		for _, i := range t.bag.out[from:to] {
			add(i, grown.leafOf(t.data, i))
		}
	})
	return grown.Tree
}

// addLeaf adds a leaf value to a raw score as prediction does.
func (f Family) addLeaf(score, leaf float64) float64 {
	if f == XGBoost {
		return float64(float32(score) + float32(leaf))
	}
	return score + leaf
}

// renewLeaves sets the leaf values from the residuals of the leaves' sampled rows.
func (t *trainer) renewLeaves(grown *grownTree, renewer leafRenewer, k int) {
	var residuals, weights []float64
	for leaf := range grown.LeafValue {
		residuals, weights = residuals[:0], weights[:0]
		for _, i := range grown.rowsOf(leaf) {
			residuals = append(residuals, t.targets.Labels[i]-t.scores[k][i])
			if t.targets.Weights != nil {
				weights = append(weights, t.targets.Weights[i])
			}
		}
		if t.targets.Weights == nil {
			weights = nil
		}
		value := renewer.renew(residuals, weights)
		if grown.LeafBaseWeight != nil {
			grown.LeafBaseWeight[leaf] = value
		}
		grown.LeafValue[leaf] = t.params.Family.leafValue(value * t.params.LearningRate)
	}
}

// chooseSlots returns the features that the tree of output k in round r may use.
func (t *trainer) chooseSlots(r, k int) []int {
	n := len(t.data.features)
	chosen := n
	if t.params.FeatureFraction < 1 && n > 0 {
		chosen = max(1, int(math.Round(float64(n)*t.params.FeatureFraction)))
	}
	random := newRandom(t.params.Seed, streamFeatures, uint64(r), uint64(k))
	return random.choose(chosen, n)
}

// judge adds the new trees to the validation scores and returns the metric of each.
func (t *trainer) judge(trees []Tree) []float64 {
	if len(t.valid) == 0 {
		return nil
	}
	figures := make([]float64, len(t.valid))
	for i, v := range t.valid {
		v.add(trees, t.threads)
		figures[i] = t.options.Metric.Eval(v.raw, v.data.targets)
	}
	t.history = append(t.history, figures)
	if last := len(t.history) - 1; last == 0 || t.options.Metric.better(figures[0], t.history[t.best][0]) {
		t.best = last
	}
	return figures
}

func (t *trainer) result() *Result {
	m := t.model
	if t.params.EarlyStopping > 0 {
		m.RoundEnds = m.RoundEnds[:t.best+1]
		m.Trees = m.Trees[:m.RoundEnds[t.best]]
	}
	return &Result{Model: m, Metric: t.options.Metric.Name, History: t.history, BestRound: len(m.RoundEnds)}
}

// validScores are the raw scores of a validation set, row after row.
type validScores struct {
	data    *Dataset
	family  Family
	outputs int
	raw     []float64
}

func newValidScores(d *Dataset, family Family, outputs int) *validScores {
	v := &validScores{data: d, family: family, outputs: outputs, raw: make([]float64, d.Rows()*outputs)}
	for i, s := range d.targets.InitScores {
		v.raw[i] = family.leafValue(s)
	}
	return v
}

// add adds the trees to the raw scores.
func (v *validScores) add(trees []Tree, threads int) {
	walks := make([]walkTree, len(trees))
	for i := range trees {
		walks[i] = newWalkTree(&trees[i])
	}
	n := v.data.Rows()
	parallel(chunks(n), threads, func(c int) {
		from, to := chunk(c, n)
		buf := make([]float64, v.data.x.cols)
		for i := from; i < to; i++ {
			row := v.data.x.row(v.data.sourceRow(i), buf)
			for j := range walks {
				w := &walks[j]
				raw := &v.raw[i*v.outputs+w.tree.Output]
				*raw = v.family.addLeaf(*raw, w.tree.LeafValue[w.leaf(v.family, row)])
			}
		}
	})
}

// bag is the sample of rows that a round's trees are grown from.
type bag struct {
	params  *Params
	in, out []int32 // ascending; together all rows
}

func newBag(p *Params, n int) bag {
	b := bag{params: p, in: make([]int32, n)}
	for i := range b.in {
		b.in[i] = int32(i)
	}
	return b
}

// draw makes the sample of round r, from 0.
func (b *bag) draw(r int) {
	if b.params.BaggingFraction == 1 || r%b.params.BaggingFreq != 0 {
		return
	}
	n := len(b.in) + len(b.out)
	random := newRandom(b.params.Seed, streamRows, uint64(r))
	limit := uint64(b.params.BaggingFraction * (1 << 53))
	if cap(b.out) < n {
		b.out = make([]int32, 0, n)
	}
	b.in, b.out = b.in[:0], b.out[:0]
	for i := range n {
		if random.at(i)>>11 < limit {
			b.in = append(b.in, int32(i))
		} else {
			b.out = append(b.out, int32(i))
		}
	}
	if len(b.in) == 0 { // no row at all teaches nothing
		b.in, b.out = b.out, b.in
	}
}
