package gbdt

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// trainer holds the state of one training.
type trainer struct {
	params    *Params
	options   TrainOptions
	objective objective
	targets   Targets
	data      *binned
	model     *Model
	before    int // rounds of the model that training goes on from
	valid     []*validScores
	history   [][]float64
	best      int // the round, from 0, of the best figure of the first validation set
	threads   int

	// By output, then row:
	scores [][]float64
	pairs  [][]gradPair
	// By output: the scales that the gradients ask for, and those of the pairs that trees are grown from.
	scale, used []scales
	// bias is the start of each output, which the first round's leaves take over.
	bias []float64

	bag     bag
	dart    dart
	growers chan *grower
}

func newTrainer(p *Params, data *Dataset, options TrainOptions) (*trainer, error) {
	if err := checkOptions(p, data, &options); err != nil {
		return nil, err
	}
	o := newObjective(p)
	if options.Objective != nil {
		o = options.Objective
	}
	if err := checkData(p, o, data, options.Valid); err != nil {
		return nil, err
	}
	t := &trainer{params: p, options: options, objective: o, targets: data.targets, threads: threadCount(p.Threads), dart: dart{weight: 1}}
	t.targets.Weights = classWeighted(p, &data.targets)
	var err error
	if t.data, err = data.binned(p); err != nil {
		return nil, err
	}
	outputs, n := p.outputs(), data.Rows()
	t.model = &Model{
		Family: p.Family, FeatureNames: data.names, Features: t.data.infos, Outputs: outputs,
		Objective: o.model(p.Family), BaseMargin: make([]float64, outputs),
		AverageOutput: p.Boosting == RandomForest && p.Family == LightGBM,
	}
	if p.Family == XGBoost && p.Loss == Logistic {
		for k := range outputs {
			t.model.BaseMargin[k] = math.Copysign(0, -1) // what XGBoost makes of a base_score of 0.5: -log(1/0.5 - 1)
		}
	}
	t.scale, t.used = make([]scales, outputs), make([]scales, outputs)
	t.pairs = make([][]gradPair, outputs)
	for k := range outputs {
		t.pairs[k] = make([]gradPair, n)
	}
	for _, v := range options.Valid {
		t.valid = append(t.valid, newValidScores(v.Data, p.Family, outputs))
	}
	if err := t.start(data); err != nil {
		return nil, err
	}
	t.bag = newBag(p, n)
	workers := min(t.threads, outputs)
	t.growers = make(chan *grower, workers)
	for range workers {
		t.growers <- newGrower(p, t.data, max(1, t.threads/workers))
	}
	return t, nil
}

// assemble gives each grower of several threads a team, which dismiss ends.
func (t *trainer) assemble() (dismiss func()) {
	var teams []*team
	for range cap(t.growers) {
		g := <-t.growers
		if g.threads > 1 {
			g.team = newTeam(g.threads)
			teams = append(teams, g.team)
		}
		t.growers <- g
	}
	return func() {
		for _, m := range teams {
			m.close()
		}
	}
}

func checkOptions(p *Params, data *Dataset, options *TrainOptions) error {
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("gbdt: %w: "+format, append([]any{ErrParams}, args...)...)
	}
	if p.EarlyStopping > 0 && len(options.Valid) == 0 {
		return refuse("EarlyStopping is %d, but there is no validation set", p.EarlyStopping)
	}
	if (p.Loss == Custom) != (options.Objective != nil) {
		return refuse("the loss is %q; a custom objective goes with %q", p.Loss, Custom)
	}
	if options.Objective != nil && options.Objective.Gradients == nil {
		return refuse("the custom objective has no Gradients")
	}
	if p.Boosting == RandomForest && data.targets.InitScores != nil {
		return refuse("a random forest cannot start from initial scores")
	}
	if m := options.From; m != nil {
		if err := m.Validate(); err != nil {
			return err
		}
		forest := p.Boosting == RandomForest && p.Family == LightGBM
		switch {
		case p.Boosting != Plain && !forest:
			return refuse("only plain boosting and LightGBM's random forests can go on from a model: others change its trees afterwards")
		case m.TreeWeights != nil || m.AverageOutput != forest:
			return refuse("the model to go on from was boosted in another way")
		}
		if m.Family != p.Family || m.Outputs != p.outputs() || len(m.FeatureNames) != data.x.cols {
			return refuse("the model to go on from is of %v, with %d outputs and %d features", m.Family, m.Outputs, len(m.FeatureNames))
		}
	}
	if options.Metric.Eval == nil {
		options.Metric = DefaultMetric(*p)
	}
	return nil
}

func checkData(p *Params, o objective, data *Dataset, valid []ValidSet) error {
	for _, set := range append([]ValidSet{{Data: data}}, valid...) {
		d := set.Data
		if d.streamed && d != data {
			return fmt.Errorf("gbdt: %w: validation set %q is streamed, its values are not kept", ErrShape, set.Name)
		}
		if err := o.check(d.targets.Labels); err != nil {
			return err
		}
		if init := d.targets.InitScores; init != nil && len(init) != d.Rows()*p.outputs() {
			return fmt.Errorf("gbdt: %w: %d initial scores for %d rows of %d outputs", ErrShape, len(init), d.Rows(), p.outputs())
		}
		if d.x.cols != data.x.cols || (d.targets.InitScores == nil) != (data.targets.InitScores == nil) {
			return fmt.Errorf("gbdt: %w: validation set %q does not match the training data", ErrShape, set.Name)
		}
	}
	if data.streamed {
		for _, set := range valid {
			if set.Data == data {
				return fmt.Errorf("gbdt: %w: validation set %q is streamed, its values are not kept", ErrShape, set.Name)
			}
		}
	}
	return nil
}

// start sets the scores that the first round begins with.
func (t *trainer) start(data *Dataset) error {
	outputs, n, init := t.model.Outputs, data.Rows(), data.targets.InitScores
	t.bias, t.scores = make([]float64, outputs), table(outputs, n)
	from := t.options.From
	var seen func(k, i int) float64
	if from != nil {
		t.before = from.NumRounds()
		t.model.Trees, t.model.RoundEnds = slices.Clone(from.Trees), slices.Clone(from.RoundEnds)
		t.model.BaseMargin = slices.Clone(from.BaseMargin)
		for _, v := range t.valid {
			v.begin(from.BaseMargin)
			v.add(from.Trees, t.threads)
		}
		if t.params.Boosting != RandomForest { // whose trees are all fitted to the start
			var err error
			if seen, err = t.scoresOf(from, data); err != nil {
				return err
			}
		}
	}
	for k := range outputs {
		if t.params.BoostFromAverage && init == nil && seen == nil {
			t.bias[k] = t.params.Family.stored(t.objective.start(k, &t.targets))
		}
		for i := range n {
			switch {
			case seen != nil:
				t.scores[k][i] = seen(k, i)
			case init != nil:
				t.scores[k][i] = t.params.Family.stored(init[i*outputs+k])
			default:
				t.scores[k][i] = t.bias[k]
			}
		}
	}
	return nil
}

// scoresOf returns a function that tells the raw score k of row i of the training data by a model to go on from.
func (t *trainer) scoresOf(from *Model, data *Dataset) (func(k, i int) float64, error) {
	outputs := from.Outputs
	if !data.streamed {
		v := newValidScores(data, t.params.Family, outputs)
		v.begin(from.BaseMargin)
		v.add(from.Trees, t.threads)
		return func(k, i int) float64 { return v.raw[i*outputs+k] }, nil
	}
	scores, err := t.data.scores(from, data.targets.InitScores, t.threads)
	return func(k, i int) float64 { return scores[k][i] }, err
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
	if t.params.Boosting == Dart {
		t.dropTrees(r)
	}
	if t.params.Boosting != RandomForest || r == 0 {
		if err := t.computeGradients(); err != nil {
			return false, fmt.Errorf("gbdt: round %d: %w", r+1, err)
		}
	}
	t.sample(t.before + r)
	outputs := t.model.Outputs
	grown := make([]*grownTree, outputs)
	parallel(outputs, t.threads, func(k int) {
		if ctx.Err() != nil {
			return
		}
		g := <-t.growers
		defer func() { t.growers <- g }()
		grown[k] = t.growTree(g, r, k)
	})
	if err := ctx.Err(); err != nil {
		return false, err
	}
	trees, leaves := make([]Tree, outputs), 0
	for k := range trees {
		trees[k] = grown[k].Tree
		if t.params.Family == XGBoost {
			trees[k] = trees[k].breadthFirst()
		}
		leaves += trees[k].NumLeaves()
	}
	if leaves == outputs && !t.params.sampling() && r > 0 {
		return true, nil // nothing was learnt and nothing will be
	}
	t.model.Trees = append(t.model.Trees, trees...)
	t.model.RoundEnds = append(t.model.RoundEnds, int32(len(t.model.Trees)))
	if t.params.Boosting == Dart {
		t.restoreTrees(grown)
	}
	return t.tell(r, leaves, t.judge(trees))
}

// tell reports the round to whom it concerns, and whether training ends with it.
func (t *trainer) tell(r, leaves int, figures []float64) (done bool, err error) {
	if t.options.Progress != nil {
		err := t.options.Progress(Round{Number: r + 1, Of: t.params.Rounds, Leaves: leaves, Valid: figures})
		switch {
		case errors.Is(err, ErrStop):
			done = true
		case err != nil:
			return false, err
		}
	}
	if t.options.Checkpoint != nil && (r+1)%max(t.options.CheckpointEvery, 1) == 0 {
		if err := t.options.Checkpoint(t.upTo(t.model.NumRounds())); err != nil {
			return false, err
		}
	}
	return done || t.params.EarlyStopping > 0 && r-t.best >= t.params.EarlyStopping, nil
}

// leafShare is the number of rows a leaf that make it worth to look for the leaf's rows among others.
const leafShare = 256

// growTree makes the tree of output k in round r and adds its leaf values to the scores.
func (t *trainer) growTree(g *grower, r, k int) *grownTree {
	rate := t.params.LearningRate
	switch t.params.Boosting {
	case Dart:
		rate = t.dart.rate(t.params)
	case RandomForest:
		rate = 1
	}
	in := treeInput{pairs: t.pairs[k], scale: t.used[k], rows: t.bag.in, slots: t.chooseSlots(t.before+r, k), rate: rate}
	grown := g.grow(in)
	grown.Output = k
	if renewer, ok := t.objective.(leafRenewer); ok && len(grown.Left) > 0 {
		t.renewLeaves(grown, renewer, k)
	}
	forest := t.params.Boosting == RandomForest
	first := forest || r == 0 && t.targets.InitScores == nil && t.options.From == nil
	if first {
		t.addBias(grown, k)
	}
	if forest {
		return grown // each tree is fitted to the start
	}
	scores, weight := t.scores[k], t.dart.weight
	if first { // the leaves hold the start, too
		for i := range scores {
			scores[i] = t.model.BaseMargin[k]
		}
	}
	family := t.params.Family
	n := t.data.rows
	if len(grown.LeafValue)*leafShare > n {
		g.parallel(len(grown.LeafValue), g.threads, func(leaf int) {
			family.addLeaves(scores, grown.rowsOf(leaf), float64(weight*grown.LeafValue[leaf]))
		})
	} else { // the leaves take turns on rows whose scores are near
		g.parallel(chunks(n), g.threads, func(c int) {
			from, to := chunk(c, n)
			for leaf := range grown.LeafValue {
				rows := grown.rowsOf(leaf)
				first, _ := slices.BinarySearch(rows, int32(from))
				last, _ := slices.BinarySearch(rows[first:min(first+to-from, len(rows))], int32(to))
				family.addLeaves(scores, rows[first:first+last], float64(weight*grown.LeafValue[leaf]))
			}
		})
	}
	g.parallel(chunks(len(t.bag.out)), g.threads, func(c int) {
		from, to := chunk(c, len(t.bag.out))
		for _, i := range t.bag.out[from:to] {
			scores[i] = family.addLeaf(scores[i], weight*grown.LeafValue[grown.leafOf(t.data, i)])
		}
	})
	return grown
}

// addBias adds the start of output k to what the tree answers.
func (t *trainer) addBias(grown *grownTree, k int) {
	for i := range grown.LeafValue {
		grown.LeafValue[i] = t.params.Family.stored(grown.LeafValue[i] + t.bias[k])
	}
	if t.params.Family == LightGBM {
		for i := range grown.InternalValue {
			grown.InternalValue[i] += t.bias[k]
		}
	}
}

// addLeaf adds a leaf value to a raw score as prediction does.
func (f Family) addLeaf(score, leaf float64) float64 {
	if f == XGBoost {
		return float64(float32(score) + float32(leaf))
	}
	return score + leaf
}

// addLeaves is addLeaf for the scores of the given rows.
func (f Family) addLeaves(scores []float64, rows []int32, leaf float64) {
	if f == XGBoost {
		for _, i := range rows {
			scores[i] = float64(float32(scores[i]) + float32(leaf))
		}
		return
	}
	for _, i := range rows {
		scores[i] += leaf
	}
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
		value := grown.grower.leaves[leaf].bounds.clamp(renewer.renew(residuals, weights))
		if grown.LeafBaseWeight != nil {
			grown.LeafBaseWeight[leaf] = t.params.Family.stored(value)
		}
		grown.LeafValue[leaf] = t.params.Family.stored(value * grown.Shrinkage)
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
		raw := v.raw
		if t.params.Boosting != Dart { // which has added them
			v.add(trees, t.threads)
		}
		if t.params.Boosting == RandomForest {
			raw = slices.Clone(raw)
			for i := range raw {
				raw[i] /= float64(t.model.NumRounds())
			}
		}
		figures[i] = t.options.Metric.Eval(raw, v.data.targets)
	}
	t.history = append(t.history, figures)
	if last := len(t.history) - 1; last == 0 || t.options.Metric.better(figures[0], t.history[t.best][0]) {
		t.best = last
	}
	return figures
}

func (t *trainer) result() *Result {
	rounds := t.model.NumRounds()
	if t.params.EarlyStopping > 0 {
		rounds = t.before + t.best + 1
	}
	return &Result{Model: t.upTo(rounds), Metric: t.options.Metric.Name, History: t.history, BestRound: rounds - t.before}
}

// upTo returns the model of the first rounds as it is: what is trained later does not change it.
func (t *trainer) upTo(rounds int) *Model {
	m := *t.model
	m.RoundEnds = slices.Clone(m.RoundEnds[:rounds])
	trees := 0
	if rounds > 0 {
		trees = int(m.RoundEnds[rounds-1])
	}
	m.Trees, m.TreeWeights = slices.Clone(m.Trees[:trees]), slices.Clone(m.TreeWeights)
	if t.params.Boosting == Dart {
		for i := range m.Trees {
			m.Trees[i].LeafValue = slices.Clone(m.Trees[i].LeafValue)
			m.Trees[i].InternalValue = slices.Clone(m.Trees[i].InternalValue)
		}
	}
	if t.params.Boosting == RandomForest && m.Family == XGBoost {
		averageLeaves(&m)
	}
	return &m
}

// averageLeaves makes the sum of the trees of a random forest their mean, which files of XGBoost cannot ask for.
func averageLeaves(m *Model) {
	n := float64(m.NumRounds())
	for i := range m.Trees {
		values := slices.Clone(m.Trees[i].LeafValue)
		for j, x := range values {
			values[j] = m.Family.stored(x / n)
		}
		m.Trees[i].LeafValue = values
	}
}
