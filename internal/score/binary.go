package score

import (
	"cmp"
	"math"
	"slices"
)

// BinaryBrier returns (p - o)^2 with o = 1 if the event happened, else 0: half of the two-class Brier score.
func BinaryBrier(p float64, happened bool) float64 {
	if happened {
		p--
	}
	return p * p
}

// AUC returns the area under the ROC curve of the scores p for the events y: the share of (event, no event) pairs in
// which the event has the higher score, a tie counting one half. Larger is better, 0.5 is no skill. It is NaN if the
// lengths differ, if a score is NaN, or if all outcomes are alike. It takes O(n log n) time.
//
// Source: Hanley & McNeil, The meaning and use of the area under a ROC curve (1982).
func AUC(p []float64, y []bool) float64 {
	if len(p) != len(y) {
		return math.NaN()
	}
	order := make([]int, len(p))
	for i := range order {
		if math.IsNaN(p[i]) {
			return math.NaN()
		}
		order[i] = i
	}
	sortByKey(order, p)
	// Counts stay exact in float64 up to 2^53 pairs.
	var wins, below, events float64
	for i := 0; i < len(order); {
		var tiedEvents, tiedOthers float64
		j := i
		for ; j < len(order) && p[order[j]] == p[order[i]]; j++ {
			if y[order[j]] {
				tiedEvents++
			} else {
				tiedOthers++
			}
		}
		wins += tiedEvents * (below + tiedOthers/2)
		below += tiedOthers
		events += tiedEvents
		i = j
	}
	if events == 0 || below == 0 {
		return math.NaN()
	}
	return wins / (events * below)
}

// sortByKey sorts the row numbers in order by ascending key[row], equal keys by row number.
func sortByKey(order []int, key []float64) {
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(key[a], key[b]), a-b)
	})
}
