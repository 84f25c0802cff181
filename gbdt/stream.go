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

// sampleValues is about the number of values in the sample of a stream, which has at least leastSample rows.
const (
	sampleValues = 1 << 21
	leastSample  = 1 << 13
)

// stream is the state of reading a source.
type stream struct {
	params  *Params
	threads int
	random  random

	// Of the first pass: the shape, the ranges of the columns and a sample of the rows.
	rows, cols int
	ranges     []columnRange
	limit      int  // of the rows of the sample
	single     bool // values are float32
	sample     sampleOf[float32]
	exact      sampleOf[float64] // where the source gives float64

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
		s.limit = min(sampleRows, max(sampleValues/x.cols, leastSample))
	} else if x.cols != s.cols {
		return fmt.Errorf("gbdt: %w: a batch of %d columns after %d", ErrShape, x.cols, s.cols)
	} else {
		mergeRanges(s.ranges, ranges)
	}
	if single := x.f64 == nil; s.rows == 0 {
		s.single = single
	} else if single != s.single {
		return fmt.Errorf("gbdt: %w: batches of float32 and of float64", ErrShape)
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
	if s.rows >= s.limit {
		place = s.random.below(s.rows + 1)
	}
	s.rows++
	if place >= s.limit {
		return
	}
	if s.single {
		s.sample.put(place, x.f32[i*s.cols:(i+1)*s.cols])
	} else {
		s.exact.put(place, x.f64[i*s.cols:(i+1)*s.cols])
	}
}

// sampleOf holds rows in pieces, so that it grows without a copy.
type sampleOf[T float32 | float64] struct{ pieces [][]T }

const pieceRows = 1 << 10

// put sets row number place, one that is there or the next.
func (s *sampleOf[T]) put(place int, row []T) {
	piece, at := place/pieceRows, place%pieceRows*len(row)
	if piece == len(s.pieces) {
		s.pieces = append(s.pieces, make([]T, pieceRows*len(row)))
	}
	copy(s.pieces[piece][at:at+len(row)], row)
}

func (s *sampleOf[T]) at(i, j, cols int) float64 {
	return float64(s.pieces[i/pieceRows][i%pieceRows*cols+j])
}

// chooseBins makes the bins of the sample.
func (s *stream) chooseBins() {
	at := func(i, j int) float64 {
		if s.single {
			return s.sample.at(i, j, s.cols)
		}
		return s.exact.at(i, j, s.cols)
	}
	s.bins = &binned{rows: s.rows}
	s.bins.findFeatures(s.params, columnSample{min(s.rows, s.limit), at}, s.ranges, s.threads)
	s.edges = newBinEdges(s.bins.features, s.params.Family)
	s.sample.pieces, s.exact.pieces = nil, nil
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
