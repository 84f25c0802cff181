package gbdt

import (
	"context"
	"errors"
	"fmt"
)

// ErrNoContributions is wrapped where a model cannot be explained: linear leaves, trees without counts (LightGBM) or
// weights (XGBoost), or trees so deep that the memory for it has no reasonable bound.
var ErrNoContributions = errors.New("no contributions")

// Contributions writes how much each feature adds to each raw score of the row to dst: for each of the NumRaw outputs
// NumFeatures values and, last, the expected raw score. They add up to the raw score. These are Shapley values of the
// game in which an unknown feature is averaged over by the covers in the trees (path-dependent TreeSHAP), in float64. It
// does not allocate, but the first call prepares the trees (some 200 bytes a node for trees of up to 8 features on a
// path). The error wraps ErrNoContributions for models that cannot be explained.
//
// Source: Lundberg et al., From local explanations to global understanding with explainable AI for trees (2020), for the
// values; shapTree says how they are computed.
func (p *Predictor) Contributions(dst, row []float64) error {
	if err := p.checkRow(len(dst), p.NumRaw()*(p.NumFeatures()+1), row); err != nil {
		return err
	}
	s, err := p.prepareShap()
	if err != nil {
		return err
	}
	w := s.getScratch()
	p.startRow(w, dst, row, 0)
	for i := range s.trees {
		s.prepare(w, i)
		s.trees[i].add(w, dst, row, 0, p)
	}
	s.pool.Put(w)
	return nil
}

// ContributionsBatch is Contributions for each row of x, as RawBatch is Raw.
func (p *Predictor) ContributionsBatch(ctx context.Context, dst []float64, x Matrix) error {
	width := p.NumRaw() * (p.NumFeatures() + 1)
	if err := p.checkBatch(len(dst), width, x); err != nil {
		return err
	}
	s, err := p.prepareShap()
	if err != nil {
		return err
	}
	threads := threadCount(p.threads)
	block := max(min(shapBlock/width, maxShapRows, (x.rows+threads-1)/threads), 1)
	parallel((x.rows+block-1)/block, threads, func(b int) {
		if ctx.Err() != nil {
			return
		}
		from, to := b*block, min((b+1)*block, x.rows)
		w := s.getScratch()
		defer s.pool.Put(w)
		if x.f64 == nil {
			w.rows = grow(w.rows, block*x.cols)
		}
		row := func(i int) []float64 {
			if x.f64 != nil {
				return x.row(i, nil)
			}
			return w.rows[(i-from)*x.cols : (i-from+1)*x.cols]
		}
		for i := from; i < to; i++ {
			if x.f64 == nil {
				x.row(i, row(i))
			}
			p.startRow(w, dst[i*width:(i+1)*width], row(i), i-from)
		}
		for t := range s.trees {
			s.prepare(w, t)
			for i := from; i < to; i++ {
				s.trees[t].add(w, dst[i*width:(i+1)*width], row(i), i-from, p)
			}
		}
	})
	return ctx.Err()
}

const (
	// shapBlock is the number of contributions of a block of rows, near the size of a first-level cache; maxShapRows
	// bounds its rows.
	shapBlock   = 3 << 10
	maxShapRows = 64
)

// shapScratch is the memory for a block of rows.
type shapScratch struct {
	// ranks has the columns of each row.
	ranks []uint32
	// rows holds the rows of a float32 matrix as float64.
	rows []float64
	// vectors and known are those of shapTree.add.
	vectors [][shapLanes]float64
	known   []uint8
	// factors are those of the tree at hand, if trees do not keep theirs.
	factors [][shapLanes]float64
}

// prepare makes the factors of tree number i if it does not keep them.
func (s *shap) prepare(w *shapScratch, i int) {
	if t := &s.trees[i]; t.factors == nil {
		w.factors = grow(w.factors, t.numFactors())
		t.fillFactors(w.factors)
	}
}

// getScratch returns memory to be put back in pool.
func (s *shap) getScratch() *shapScratch {
	if w, ok := s.pool.Get().(*shapScratch); ok {
		return w
	}
	return &shapScratch{vectors: make([][shapLanes]float64, s.vectors), known: make([]uint8, s.edges)}
}

// startRow writes the expected raw scores to dst and the ranks of the row to place i of the block's.
func (p *Predictor) startRow(w *shapScratch, dst, row []float64, i int) {
	clear(dst)
	each := p.NumFeatures() + 1
	for k, mean := range p.shap.mean {
		dst[(k+1)*each-1] = mean
	}
	columns := p.compiled.ranks.columns
	if n := (i + 1) * columns; len(w.ranks) < n {
		w.ranks = append(w.ranks, make([]uint32, n-len(w.ranks))...)
	}
	p.compiled.ranks.rankRow(w.ranks[i*columns:(i+1)*columns], row, 0)
}

func (p *Predictor) prepareShap() (*shap, error) {
	p.shapOnce.Do(func() { p.shap = newShap(p) })
	return p.shap, p.shap.err
}

func newShap(p *Predictor) *shap {
	s := &shap{trees: make([]shapTree, 0, len(p.trees)), mean: make([]float64, p.NumRaw())}
	copy(s.mean, p.model.BaseMargin)
	b := shapBuilder{p: p, rules: map[int]quadrature{}}
	for i := range p.trees {
		mean, err := b.cover(&p.trees[i])
		if err == nil && len(p.trees[i].nodes) > 0 {
			err = b.add(s, i)
		}
		if err != nil {
			return &shap{err: fmt.Errorf("gbdt: %w: tree %d: %w", ErrNoContributions, p.from+i, err)}
		}
		s.mean[p.trees[i].tree.Output] += float64(float64(p.trees[i].weight) * mean)
	}
	total := 0
	for i := range s.trees {
		total += s.trees[i].numFactors() * shapLanes
	}
	if total <= shapBudget {
		for i := range s.trees {
			t := &s.trees[i]
			t.factors = make([][shapLanes]float64, t.numFactors())
			t.fillFactors(t.factors)
		}
	}
	return s
}
