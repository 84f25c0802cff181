package gbdt

import (
	"errors"
	"fmt"
	"slices"
)

// EarlyStop lets a row be done before all trees are used, as LightGBM's pred_early_stop does: after every Freq rounds the
// row is done if one raw score is surely the largest, by Margin. Raw scores, link outputs and classes are then made from
// the rounds used so far. The zero value uses all trees.
//
// It is for LightGBM models that tell classes apart or rank: with one raw score r the row is done if 2|r| > Margin, with
// several if the largest is above the second by more than Margin. Other LightGBM models (regressions, custom
// objectives) use all trees whatever it says, as LightGBM does. An XGBoost model with a Freq above 0 is refused.
type EarlyStop struct {
	// Freq is the number of rounds between two looks (LightGBM's pred_early_stop_freq, 10 there); 0 means never.
	Freq int
	// Margin is the difference to pass, at least 0 (pred_early_stop_margin, 10 there).
	Margin float64
}

// ErrEarlyStop is wrapped where a model cannot be stopped early.
var ErrEarlyStop = errors.New("no early stop")

// check reports a fault of the values, or a family that has no early stop.
func (e EarlyStop) check(family Family) error {
	switch {
	case e.Freq < 0 || !(e.Margin >= 0):
		return fmt.Errorf("gbdt: early stop: every %d rounds at a margin of %v, want at least 0", e.Freq, e.Margin)
	case e.Freq > 0 && family != LightGBM:
		return fmt.Errorf("gbdt: %w: the model is of family %v", ErrEarlyStop, family)
	}
	return nil
}

// stopsEarly reports whether LightGBM lets models of the objective stop early.
func (o Objective) stopsEarly() bool {
	return slices.Contains([]string{"binary", "multiclass", "multiclassova", "lambdarank", "rank_xendcg"}, o.Name)
}

// stops returns the numbers of trees after which the rounds [first, first+rounds) of a model are looked at.
func (e EarlyStop) stops(m *Model, first, rounds int) []int {
	if e.Freq == 0 || !m.Objective.stopsEarly() {
		return nil
	}
	from, _ := m.TreeRange(first, 0)
	var stops []int
	for r := e.Freq; r <= rounds; r += e.Freq {
		stops = append(stops, int(m.RoundEnds[first+r-1])-from)
	}
	return stops
}

// enough reports whether the raw scores are as far apart as the margin asks for.
func enough[T sums](raw []T, margin float64) bool {
	if len(raw) == 1 {
		r := float64(raw[0])
		return 2*max(r, -r) > margin
	}
	first, second := max(raw[0], raw[1]), min(raw[0], raw[1])
	for _, r := range raw[2:] {
		first, second = max(first, r), max(second, min(first, r))
	}
	return float64(first-second) > margin
}
