package backtest

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/score"
	"github.com/pppq/pppq/internal/series"
)

const (
	// DriftMonths is how many of the newest months are held against all before.
	DriftMonths = 60
	// driftBefore is how many months stand before the first past window at least.
	driftBefore = 120
	// driftBins are the bins of the population stability index.
	driftBins = 10
)

// driftMeasures compare a feature's recent values with those before.
var driftMeasures = [...]struct {
	name    string
	measure func(before, recent []float64) float64
}{
	{"psi", func(before, recent []float64) float64 {
		psi, _, err := score.BinnedPSI(before, recent, driftBins)
		if err != nil {
			return math.NaN()
		}
		return psi
	}},
	{"ks", score.KolmogorovSmirnov},
	{"wasserstein", func(before, recent []float64) float64 {
		sum, square, n := 0.0, 0.0, 0.0
		for _, v := range before {
			if !math.IsNaN(v) {
				sum, square, n = sum+v, square+v*v, n+1
			}
		}
		sd := math.Sqrt(max(square/n-sum*sum/n/n, 0))
		if !(sd > 0) {
			return math.NaN()
		}
		return score.Wasserstein1(before, recent) / sd
	}},
}

// drift holds the newest months of every figure that the boosters read against
// the months before, and that by how far past windows of the length were off.
// What is the same for several assets, as inflation is, is judged once, on the
// longest record.
func (w *walk) drift(ctx context.Context) ([]Drift, error) {
	type input struct {
		asset   string
		feature int
		x       []float64
	}
	var inputs []input
	var longest []*panel.Rows
	for _, rows := range w.panel.Assets {
		if rows.Asset.Kind != series.Custom && len(rows.Rows) >= DriftMonths+driftBefore {
			longest = append(longest, rows)
		}
	}
	slices.SortStableFunc(longest, func(a, b *panel.Rows) int { return len(b.Rows) - len(a.Rows) })
	for _, f := range forecast.SpreadPanel() {
		first := len(inputs)
	asset:
		for _, rows := range longest {
			x := make([]float64, len(rows.Rows))
			for i, row := range rows.Rows {
				x[i] = row.Values[f]
			}
			newest := x[len(x)-DriftMonths:]
			if !slices.ContainsFunc(newest, func(v float64) bool { return !math.IsNaN(v) }) {
				continue
			}
			for k := range inputs[first:] {
				other := &inputs[first+k]
				if slices.EqualFunc(newest, other.x[len(other.x)-DriftMonths:], func(a, b float64) bool { return a == b || a != a && b != b }) {
					other.asset = ""
					continue asset
				}
			}
			inputs = append(inputs, input{rows.Asset.ID, f, x})
		}
	}
	out := make([]Drift, len(inputs))
	next := make(chan int)
	var wg sync.WaitGroup
	for range max(1, w.options.Threads) {
		wg.Go(func() {
			for i := range next {
				out[i] = judgeDrift(inputs[i].asset, panel.Features()[inputs[i].feature].Name, inputs[i].x)
			}
		})
	}
feed:
	for i := range inputs {
		select {
		case next <- i:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	wg.Wait()
	return out, context.Cause(ctx)
}

func judgeDrift(asset, feature string, x []float64) Drift {
	d := Drift{Asset: asset, Feature: feature}
	for _, m := range driftMeasures {
		current, past, err := score.OwnHistory(x, DriftMonths, driftBefore, m.measure)
		if err != nil {
			continue
		}
		alarm, p95, p99 := score.RateAgainst(past, current)
		if alarm == score.AlarmUnknown {
			continue
		}
		d.Readings = append(d.Readings, DriftReading{Measure: m.name, Value: current, P95: p95, P99: p99, State: alarm.String()})
	}
	return d
}
