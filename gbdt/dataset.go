package gbdt

import (
	"fmt"
	"math"
	"strconv"
	"sync"
)

// Targets is what a training learns from beside the features: one entry a row.
type Targets struct {
	// Labels: see Loss for what they may be; they are finite.
	Labels []float64
	// Weights are finite, 0 or more and not all 0; nil means 1 for every row.
	Weights []float64
	// InitScores has Outputs raw scores for each row, row after row, from which training starts; the model then holds
	// only what is to be added to them. Nil means none. For an XGBoost model they are rounded to float32.
	InitScores []float64
}

// Dataset is a table of features with targets. It is made once and serves many trainings, also at the same time: what
// training needs to know of the columns is computed at the first use and shared by the datasets that Subset and
// WithTargets make. A Dataset shares the memory it was made from, which must not be changed.
type Dataset struct {
	x       Matrix
	names   []string
	columns *columns
	// rows are the rows of x that the dataset holds, in its order; nil means all.
	rows    []int32
	targets Targets
	// bins, if not nil, are the rows in the bins of key.
	bins *binned
	key  binKey
	// streamed datasets have bins only: x has a shape and no values.
	streamed bool
}

// maxRows is the largest number of rows of a dataset: a histogram's sums leave half of their 32 bits for the rounding
// of rows.
const maxRows = 1 << 30

// NewDataset returns the dataset of the rows of x. The names of the features are f0, f1, ... if names is nil. The
// error wraps ErrShape if lengths differ, and tells of targets that no training can use.
func NewDataset(x Matrix, names []string, targets Targets) (*Dataset, error) {
	if x.rows == 0 || x.cols == 0 {
		return nil, fmt.Errorf("gbdt: %w: a dataset without values", ErrShape)
	}
	if x.rows > maxRows {
		return nil, fmt.Errorf("gbdt: %w: %d rows are too many", ErrShape, x.rows)
	}
	if names == nil {
		for j := range x.cols {
			names = append(names, "f"+strconv.Itoa(j))
		}
	}
	if len(names) != x.cols {
		return nil, fmt.Errorf("gbdt: %w: %d feature names for %d columns", ErrShape, len(names), x.cols)
	}
	d := &Dataset{x: x, names: names, columns: &columns{x: x}}
	if err := d.setTargets(targets); err != nil {
		return nil, err
	}
	return d, nil
}

// Rows returns the number of rows.
func (d *Dataset) Rows() int {
	if d.rows != nil {
		return len(d.rows)
	}
	return d.x.rows
}

// Targets returns the targets, one entry a row.
func (d *Dataset) Targets() Targets { return d.targets }

// WithTargets returns a dataset of the same rows with other targets.
func (d *Dataset) WithTargets(targets Targets) (*Dataset, error) {
	with := *d
	if err := with.setTargets(targets); err != nil {
		return nil, err
	}
	return &with, nil
}

// Subset returns the dataset of the given rows of d, which count from 0 and may be in any order and repeat, with
// their targets. Training on it sees nothing of the other rows: the edges of bins, too, come from its rows only.
func (d *Dataset) Subset(rows []int32) (*Dataset, error) {
	n := d.Rows()
	if len(rows) == 0 || len(rows) > maxRows {
		return nil, fmt.Errorf("gbdt: %w: a subset of %d rows", ErrShape, len(rows))
	}
	if d.streamed {
		return nil, fmt.Errorf("gbdt: %w: a subset of a streamed dataset, whose values are not kept", ErrShape)
	}
	sub := &Dataset{x: d.x, names: d.names, columns: d.columns, rows: make([]int32, len(rows))}
	for i, r := range rows {
		if r < 0 || int(r) >= n {
			return nil, fmt.Errorf("gbdt: %w: row %d outside [0, %d)", ErrShape, r, n)
		}
		sub.rows[i] = int32(d.sourceRow(int(r)))
	}
	t := d.targets
	sub.targets.Labels = gather(t.Labels, rows, 1)
	if t.Weights != nil {
		sub.targets.Weights = gather(t.Weights, rows, 1)
	}
	if t.InitScores != nil {
		sub.targets.InitScores = gather(t.InitScores, rows, len(t.InitScores)/n)
	}
	return sub, sub.targets.validate(len(rows))
}

// sourceRow returns the row of x that row i is.
func (d *Dataset) sourceRow(i int) int {
	if d.rows != nil {
		return int(d.rows[i])
	}
	return i
}

// gather returns the given rows of a table with the given number of columns.
func gather(values []float64, rows []int32, cols int) []float64 {
	out := make([]float64, 0, len(rows)*cols)
	for _, r := range rows {
		out = append(out, values[int(r)*cols:(int(r)+1)*cols]...)
	}
	return out
}

// setTargets gives the dataset targets that are one entry a row.
func (d *Dataset) setTargets(targets Targets) error {
	if err := targets.validate(d.Rows()); err != nil {
		return err
	}
	d.targets = targets
	return nil
}

func (t *Targets) validateLengths(rows int) error {
	if len(t.Labels) != rows {
		return fmt.Errorf("gbdt: %w: %d labels for %d rows", ErrShape, len(t.Labels), rows)
	}
	if t.Weights != nil && len(t.Weights) != rows {
		return fmt.Errorf("gbdt: %w: %d weights for %d rows", ErrShape, len(t.Weights), rows)
	}
	if t.InitScores != nil && (len(t.InitScores) == 0 || len(t.InitScores)%rows != 0) {
		return fmt.Errorf("gbdt: %w: %d initial scores for %d rows", ErrShape, len(t.InitScores), rows)
	}
	return nil
}

func (t *Targets) validate(rows int) error {
	if err := t.validateLengths(rows); err != nil {
		return err
	}
	sum := 0.0
	for i, w := range t.Weights {
		if !(w >= 0 && w <= math.MaxFloat64) {
			return fmt.Errorf("gbdt: weight %v of row %d is not a number of 0 or more", w, i)
		}
		sum += w
	}
	if t.Weights != nil && !(sum > 0 && sum <= math.MaxFloat64) {
		return fmt.Errorf("gbdt: the weights add up to %v", sum)
	}
	for i, y := range t.Labels {
		if !isFinite(y) {
			return fmt.Errorf("gbdt: label %v of row %d is not finite", y, i)
		}
	}
	for i, s := range t.InitScores {
		if !isFinite(s) {
			return fmt.Errorf("gbdt: initial score %v (entry %d) is not finite", s, i)
		}
	}
	return nil
}

// weight returns the weight of row i.
func (t *Targets) weight(i int) float64 {
	if t.Weights == nil {
		return 1
	}
	return t.Weights[i]
}

func isFinite(x float64) bool { return math.Abs(x) <= math.MaxFloat64 }

// columns holds each column of a matrix as ranks among its distinct values, so that any subset of the rows can be
// put into bins of its own without sorting again. It is computed when first asked for.
type columns struct {
	x      Matrix
	once   sync.Once
	ranked []rankedColumn
}

// rankedColumn is a column as ranks.
type rankedColumn struct {
	// values are the distinct values in ascending order, without NaN; -0 and 0 are the same.
	values []float64
	// ranks[i] is the place in values of row i's value, and len(values) for NaN.
	ranks []uint32
}

func (c *columns) get(threads int) []rankedColumn {
	c.once.Do(func() {
		c.ranked = make([]rankedColumn, c.x.cols)
		parallel(c.x.cols, threads, func(j int) { c.ranked[j] = rankColumn(c.x, j) })
	})
	return c.ranked
}

// keyedRow is a row with its value as an integer that sorts alike.
type keyedRow struct {
	key uint64
	row int32
}

func rankColumn(x Matrix, j int) rankedColumn {
	c := rankedColumn{ranks: make([]uint32, x.rows)}
	keyed := make([]keyedRow, 0, x.rows)
	for i := range x.rows {
		v := x.At(i, j)
		if v != v {
			continue
		}
		keyed = append(keyed, keyedRow{orderedKey(v), int32(i)})
	}
	for i := range c.ranks {
		c.ranks[i] = math.MaxUint32
	}
	keyed = radixSort(keyed)
	for i, k := range keyed {
		if i == 0 || k.key != keyed[i-1].key {
			c.values = append(c.values, x.At(int(k.row), j)+0)
		}
		c.ranks[k.row] = uint32(len(c.values) - 1)
	}
	for i, r := range c.ranks {
		if r == math.MaxUint32 {
			c.ranks[i] = uint32(len(c.values))
		}
	}
	return c
}

// orderedKey maps x, not NaN, to an integer that orders as x does, -0 like 0.
func orderedKey(x float64) uint64 {
	b := math.Float64bits(x + 0) // -0 + 0 is 0
	if b>>63 != 0 {
		return ^b
	}
	return b | 1<<63
}

// keyValue is the inverse of orderedKey.
func keyValue(key uint64) float64 {
	if key>>63 != 0 {
		return math.Float64frombits(key &^ (1 << 63))
	}
	return math.Float64frombits(^key)
}

// radixSortKeys returns the keys of a in ascending order; they lie in a or in spare, which is as long.
func radixSortKeys(a, spare []uint64) []uint64 {
	var counts [8][256]int
	for _, k := range a {
		for b := range counts {
			counts[b][uint8(k>>(8*b))]++
		}
	}
	for b := range counts {
		if len(a) == 0 || counts[b][uint8(a[0]>>(8*b))] == len(a) {
			continue // all alike in this byte
		}
		at := 0
		for i, n := range counts[b] {
			counts[b][i] = at
			at += n
		}
		for _, k := range a {
			place := &counts[b][uint8(k>>(8*b))]
			spare[*place] = k
			*place++
		}
		a, spare = spare, a
	}
	return a
}

// radixSort returns the rows in ascending order of key, equal keys in the order given. It may reuse the memory of a.
func radixSort(a []keyedRow) []keyedRow {
	var counts [8][256]int
	for _, k := range a {
		for b := range counts {
			counts[b][uint8(k.key>>(8*b))]++
		}
	}
	other := make([]keyedRow, len(a))
	for b := range counts {
		if len(a) == 0 || counts[b][uint8(a[0].key>>(8*b))] == len(a) {
			continue // all alike in this byte
		}
		at := 0
		for i, n := range counts[b] {
			counts[b][i] = at
			at += n
		}
		for _, k := range a {
			place := &counts[b][uint8(k.key>>(8*b))]
			other[*place] = k
			*place++
		}
		a, other = other, a
	}
	return a
}
