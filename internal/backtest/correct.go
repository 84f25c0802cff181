package backtest

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/score"
	"github.com/pppq/pppq/internal/series"
)

const (
	// correctAfter is how many years of past forecasts must be known before they
	// correct new ones.
	correctAfter = 5
	// poolShrink pulls the pool's weights to equal ones, in windows that do not
	// overlap.
	poolShrink = 20
	// intervalMiss is the share that the interval is to miss.
	intervalMiss = 0.2
)

// poolMembers are the rungs that the pool mixes.
var poolMembers = [...]int{rungCarry, rungLogit, rungClassTrees, rungEnsemble}

// correct fills the rungs that learn from past forecasts out of their fold: at
// each January from the records whose outcome was known then.
func (w *walk) correct(ctx context.Context) error {
	order := make([]*record, len(w.records))
	for i := range w.records {
		order[i] = &w.records[i]
	}
	known := slices.DeleteFunc(slices.Clone(order), func(r *record) bool { return r.known == 0 || r.custom })
	slices.SortStableFunc(known, func(a, b *record) int { return cmp.Compare(a.known, b.known) })
	slices.SortStableFunc(order, func(a, b *record) int { return cmp.Compare(a.t, b.t) })

	first, last := w.options.From.Year(), w.panel.Last.Year()
	c := correction{calibration: forecast.Calibration{Temperature: 1, Interval: 1}, pool: equalPool()}
	year := first - 1
	for _, r := range order {
		for year < r.t.Year() {
			if err := ctx.Err(); err != nil {
				return err
			}
			year++
			o := series.Of(year, 1)
			n, _ := slices.BinarySearchFunc(known, o+1, func(r *record, t series.Month) int { return cmp.Compare(r.known, t) })
			if year >= first+correctAfter {
				var err error
				if c, err = fitCorrection(known[:n]); err != nil {
					return err
				}
			}
			if w.options.Progress != nil {
				w.options.Progress("correct by past forecasts", year-first+1, last-first+1)
			}
		}
		c.apply(r)
	}
	final, err := fitCorrection(known)
	w.calibration = final.calibration
	return err
}

// A correction is what past forecasts say of new ones.
type correction struct {
	calibration forecast.Calibration
	pool        []float64
}

func equalPool() []float64 {
	return slices.Repeat([]float64{1 / float64(len(poolMembers))}, len(poolMembers))
}

func fitCorrection(past []*record) (c correction, err error) {
	p, y, u := make([]score.Probs, len(past)), make([]int, len(past)), make([]float64, len(past))
	members := make([][]score.Probs, len(poolMembers))
	for j := range members {
		members[j] = make([]score.Probs, len(past))
	}
	z := make([]float64, len(past))
	cases := 0.0
	for i, r := range past {
		p[i], y[i], u[i] = r.p[rungEnsemble], r.y, 1/float64(r.months())
		for j, rung := range poolMembers {
			members[j][i] = r.p[rung]
		}
		n := r.n[rungEnsemble]
		z[i] = math.Abs(r.ln-n.Mean) / (n.Quantile(1-intervalMiss/2) - n.Mean)
		cases += u[i]
	}
	if c.calibration.Temperature, err = score.FitTemperature(p, y, u, score.MinLogLoss); err != nil {
		return c, err
	}
	if c.calibration.Interval, err = score.ConformalQuantile(z, int(cases), intervalMiss); err != nil {
		return c, err
	}
	c.pool, err = score.FitPool(members, y, u, poolShrink)
	return c, err
}

func (c correction) apply(r *record) {
	var members [len(poolMembers)]score.Probs
	for j, rung := range poolMembers {
		members[j] = r.p[rung]
	}
	r.p[rungPool] = score.Pool(members[:], c.pool)
	r.p[rungCalibrated] = c.calibration.Calibrate(r.p[rungEnsemble])
	n := r.n[rungEnsemble]
	n.SD *= c.calibration.Interval
	r.n[rungCalibrated] = n
}
