package backtest

import (
	"math"
	"slices"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/score"
	"github.com/pppq/pppq/internal/series"
)

// A FeatureSkill is how well one feature alone forecasts the classes.
type FeatureSkill struct {
	Name  string
	Skill float64
}

const (
	featureBins = 5
	// featureRefit is how many years pass between refits of these small models.
	featureRefit = 5
)

// singleFeatures forecasts the classes from one feature at a time, from five
// bins of equal mass, each bin's shares pulled to the pool with the weight of
// two windows. A feature that knows the outcome stands out.
func (w *walk) singleFeatures(k int, records []*record) []FeatureSkill {
	months := forecast.TrainedHorizons[k]
	var past []forecast.Example
	for _, e := range w.training.Examples {
		if e.Horizon == months {
			past = append(past, e)
		}
	}
	ref := mean(rps(records, bestClimatology(records)))
	byTime := slices.Clone(records)
	slices.SortStableFunc(byTime, func(a, b *record) int { return int(a.t - b.t) })
	var out []FeatureSkill
	for f, feature := range panel.Features() {
		sum := 0.0
		var bins featureModel
		year := 0
		for _, r := range byTime {
			if y := r.t.Year(); year == 0 || y >= year+featureRefit {
				year = y
				bins = w.fitFeature(f, past, series.Of(y, 1), months)
			}
			sum += score.RPS(bins.forecast(w.value(f, r.asset, r.row)), r.y)
		}
		out = append(out, FeatureSkill{feature.Name, score.Skill(sum/float64(len(records)), ref)})
	}
	return out
}

func (w *walk) value(f, asset, row int) float64 {
	return w.panel.Assets[asset].Rows[row].Values[f]
}

// A featureModel has the upper edges of all bins but the last, and the shares of
// each bin, that of missing values at the end.
type featureModel struct {
	edges  []float64
	shares [featureBins + 1]score.Probs
}

func (m *featureModel) bin(x float64) int {
	if math.IsNaN(x) {
		return featureBins
	}
	i, _ := slices.BinarySearch(m.edges, x)
	return i
}

func (m *featureModel) forecast(x float64) score.Probs { return m.shares[m.bin(x)] }

func (w *walk) fitFeature(f int, past []forecast.Example, o series.Month, months int) featureModel {
	var m featureModel
	var values []float64
	n := 0
	for ; n < len(past) && past[n].Known <= o; n++ {
		if v := w.value(f, past[n].Asset, past[n].Row); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	for b := 1; b < featureBins && len(values) > 0; b++ {
		m.edges = append(m.edges, values[b*len(values)/featureBins])
	}
	var counts [featureBins + 1]forecast.Counts
	var pool forecast.Counts
	for _, e := range past[:n] {
		counts[m.bin(w.value(f, e.Asset, e.Row))][e.Class]++
		pool[e.Class]++
	}
	for b := range counts {
		windows := counts[b].Total() / float64(months)
		own, all := counts[b].Shares(), pool.Shares()
		for c := range own {
			own[c] = (windows*own[c] + 2*all[c]) / (windows + 2)
		}
		m.shares[b] = own
	}
	return m
}
