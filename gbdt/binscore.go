package gbdt

import (
	"fmt"
	"slices"
)

// scores returns the raw scores, by output and row, that a model gives the rows, of which only the bins are known; init
// has initial scores, row after row, or is nil. The error wraps ErrParams and names a split that bins cannot follow.
func (d *binned) scores(m *Model, init []float64, threads int) ([][]float64, error) {
	slots := make(map[int32]int, len(d.features))
	for s := range d.features {
		slots[int32(d.features[s].column)] = s
	}
	scores := table(m.Outputs, d.rows)
	for k := range scores {
		for i := range scores[k] {
			scores[k][i] = m.BaseMargin[k]
			if init != nil {
				scores[k][i] = m.Family.stored(init[i*m.Outputs+k])
			}
		}
	}
	for n := range m.Trees {
		t := grownTree{Tree: m.Trees[n]}
		for i := range t.Left {
			s, reason := d.splitOf(&t.Tree, i, m.Family, slots)
			if reason != "" {
				return nil, fmt.Errorf("gbdt: %w: going on from a model on streamed data: tree %d, node %d: %s", ErrParams, n, i, reason)
			}
			t.splits = append(t.splits, s)
		}
		out := scores[t.Output]
		parallel(chunks(d.rows), threads, func(c int) {
			from, to := chunk(c, d.rows)
			for i := from; i < to; i++ {
				out[i] = m.Family.addLeaf(out[i], t.LeafValue[t.leafOf(d, int32(i))])
			}
		})
	}
	return scores, nil
}

// splitOf returns inner node i of a tree as a split of bins, or the reason why it is none.
func (d *binned) splitOf(t *Tree, i int, family Family, slots map[int32]int) (s split, reason string) {
	if t.Categorical(i) {
		return s, "a split by category"
	}
	slot, ok := slots[t.Feature[i]]
	if !ok {
		return s, fmt.Sprintf("the data show one value of column %d", t.Feature[i])
	}
	f := &d.features[slot]
	s = split{slot: slot, defaultLeft: t.DefaultLeft(i)}
	switch {
	case f.categories != nil:
		return s, fmt.Sprintf("column %d has categories", f.column)
	case family == LightGBM && f.missing && t.Missing(i) != MissingNaN, t.Missing(i) == MissingZero:
		return s, "missing values go another way than in training"
	}
	if s.bin, ok = slices.BinarySearch(f.upper, t.Threshold[i]); !ok {
		if t.Threshold[i] != f.above {
			return s, fmt.Sprintf("the threshold %v is between the bins of column %d", t.Threshold[i], f.column)
		}
		s.bin = f.values - 1
	}
	return s, ""
}
