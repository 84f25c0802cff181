package gbdt

import (
	"fmt"
	"slices"
	"strconv"
)

// Source gives the rows of a table in batches: it calls visit with each batch, from the first row to the last, and
// returns the first error, visit's or its own. Each call starts again and gives the same rows. What a batch holds may
// be used again once visit has returned.
type Source func(visit func(x Matrix, targets Targets) error) error

// NewStreamedDataset reads a source twice, once to choose bins and once to fill them, and keeps a byte for each value
// beside the targets. The dataset serves trainings whose parameters ask for the same bins (Family, MaxBin, MinDataInBin,
// CategoricalFeatures, Seed); it cannot be a validation set, and it has no subsets. The names of the features are f0,
// f1, ... if names is nil. The error is the source's, or wraps ErrParams or ErrShape.
func NewStreamedDataset(p Params, names []string, source Source) (*Dataset, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	s := stream{params: &p, threads: threadCount(p.Threads), random: newRandom(p.Seed, streamBinning)}
	if err := source(s.look); err != nil {
		return nil, err
	}
	if s.rows == 0 {
		return nil, fmt.Errorf("gbdt: %w: a source without rows", ErrShape)
	}
	if names == nil {
		for j := range s.cols {
			names = append(names, "f"+strconv.Itoa(j))
		}
	}
	if len(names) != s.cols {
		return nil, fmt.Errorf("gbdt: %w: %d feature names for %d columns", ErrShape, len(names), s.cols)
	}
	if err := checkColumns(&p, s.cols); err != nil {
		return nil, err
	}
	s.chooseBins()
	if err := source(s.keep); err != nil {
		return nil, err
	}
	if s.at != s.rows {
		return nil, fmt.Errorf("gbdt: %w: the source gave %d rows, then %d", ErrShape, s.rows, s.at)
	}
	d := &Dataset{x: Matrix{rows: s.rows, cols: s.cols}, names: names, bins: s.bins, key: newBinKey(&p), streamed: true}
	return d, d.setTargets(s.targets)
}

// stream is the state of reading a source.
type stream struct {
	params  *Params
	threads int
	random  random

	// Of the first pass: the shape, the ranges of the columns and a sample of the rows.
	rows, cols int
	ranges     []columnRange
	sample     []float32
	exact      []float64 // the sample, where the source gives float64

	// Of the second pass: the rows seen, and what is kept of them.
	at      int
	bins    *binned
	edges   []binEdges
	targets Targets
}

// look takes a batch of the first pass.
func (s *stream) look(x Matrix, _ Targets) error {
	if x.rows == 0 {
		return nil
	}
	batch := Dataset{x: x}
	ranges := columnRanges(&batch, s.params.Family, s.threads)
	if s.ranges == nil {
		s.cols, s.ranges = x.cols, ranges
	} else if x.cols != s.cols {
		return fmt.Errorf("gbdt: %w: a batch of %d columns after %d", ErrShape, x.cols, s.cols)
	} else {
		mergeRanges(s.ranges, ranges)
	}
	if x.rows > maxRows-s.rows {
		return fmt.Errorf("gbdt: %w: more than %d rows", ErrShape, maxRows)
	}
	for i := range x.rows {
		s.draw(x, i)
	}
	return nil
}

// draw lets row i of x into the sample, so that each row so far is in it with the same chance (Vitter's algorithm R).
func (s *stream) draw(x Matrix, i int) {
	place := s.rows
	if s.rows >= sampleRows {
		place = s.random.below(s.rows + 1)
	}
	s.rows++
	if place >= sampleRows {
		return
	}
	from, to := i*s.cols, (i+1)*s.cols
	if x.f64 != nil {
		s.exact = put(s.exact, place*s.cols, x.f64[from:to])
	} else {
		s.sample = put(s.sample, place*s.cols, x.f32[from:to])
	}
}

// put writes row to the place at in values, which it lies in or follows.
func put[T any](values []T, at int, row []T) []T {
	if at == len(values) {
		return append(values, row...)
	}
	copy(values[at:], row)
	return values
}

// chooseBins makes the bins of the sample.
func (s *stream) chooseBins() {
	x := Matrix{cols: s.cols, f32: s.sample, f64: s.exact}
	x.rows = max(len(s.sample), len(s.exact)) / s.cols
	rows := make([]int, x.rows)
	for i := range rows {
		rows[i] = i
	}
	s.bins = &binned{rows: s.rows}
	s.bins.findFeatures(s.params, x, rows, s.ranges, s.threads)
	s.edges = newBinEdges(s.bins.features)
	s.sample, s.exact = nil, nil
	s.targets.Labels = make([]float64, 0, s.rows)
}

// keep takes a batch of the second pass.
func (s *stream) keep(x Matrix, targets Targets) error {
	if x.rows == 0 {
		return nil
	}
	if x.cols != s.cols || x.rows > s.rows-s.at {
		return fmt.Errorf("gbdt: %w: the source gives other rows when it is read again", ErrShape)
	}
	if err := targets.validateLengths(x.rows); err != nil {
		return err
	}
	if s.at > 0 && ((targets.Weights == nil) != (s.targets.Weights == nil) || (targets.InitScores == nil) != (s.targets.InitScores == nil)) {
		return fmt.Errorf("gbdt: %w: only some batches have weights or initial scores", ErrShape)
	}
	s.bins.fill(&Dataset{x: x}, s.at, s.params.Family, s.edges, s.threads)
	s.at += x.rows
	s.targets.Labels = append(s.targets.Labels, targets.Labels...)
	if targets.Weights != nil {
		s.targets.Weights = append(slices.Grow(s.targets.Weights, s.rows-s.at+x.rows), targets.Weights...)
	}
	if targets.InitScores != nil {
		s.targets.InitScores = append(s.targets.InitScores, targets.InitScores...)
	}
	return nil
}

// Binned returns a dataset of the same rows that keeps them in the bins that p asks for, beside their values, so that
// trainings with such parameters (see NewStreamedDataset) need not make them again.
func (d *Dataset) Binned(p Params) (*Dataset, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	bins, err := d.binned(&p)
	if err != nil {
		return nil, err
	}
	with := *d
	with.bins, with.key = bins, newBinKey(&p)
	return &with, nil
}

// binned returns the rows in the bins that p asks for.
func (d *Dataset) binned(p *Params) (*binned, error) {
	if err := checkColumns(p, d.x.cols); err != nil {
		return nil, err
	}
	switch {
	case d.bins != nil && d.key.equal(newBinKey(p)):
		return d.bins, nil
	case d.streamed:
		return nil, fmt.Errorf("gbdt: %w: the streamed dataset was made with other parameters for bins", ErrParams)
	}
	return newBinned(d, p), nil
}

// binKey are the parameters that decide the bins.
type binKey struct {
	family               Family
	maxBin, minDataInBin int
	seed                 uint64
	categorical          []int
}

func newBinKey(p *Params) binKey {
	categorical := slices.Clone(p.CategoricalFeatures)
	slices.Sort(categorical)
	return binKey{p.Family, p.MaxBin, p.MinDataInBin, p.Seed, categorical}
}

func (k binKey) equal(o binKey) bool {
	return k.family == o.family && k.maxBin == o.maxBin && k.minDataInBin == o.minDataInBin && k.seed == o.seed &&
		slices.Equal(k.categorical, o.categorical)
}

// checkColumns reports parameters that name columns which a table of cols columns does not have.
func checkColumns(p *Params, cols int) error {
	if p.MonotoneConstraints != nil && len(p.MonotoneConstraints) != cols {
		return fmt.Errorf("gbdt: %w: %d monotone constraints for %d columns", ErrParams, len(p.MonotoneConstraints), cols)
	}
	for _, group := range append([][]int{p.CategoricalFeatures}, p.InteractionConstraints...) {
		for _, j := range group {
			if j < 0 || j >= cols {
				return fmt.Errorf("gbdt: %w: column %d of %d", ErrParams, j, cols)
			}
			if p.MonotoneConstraints != nil && p.MonotoneConstraints[j] != 0 && slices.Contains(p.CategoricalFeatures, j) {
				return fmt.Errorf("gbdt: %w: column %d is categorical and has a monotone constraint", ErrParams, j)
			}
		}
	}
	return nil
}
