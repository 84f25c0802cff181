package api

import (
	"fmt"
	"math"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/score"
)

// What the core's columns of a row may hold; beyond, a forecast says nothing.
const (
	wantModel                  = "want lgbm, xgb or ensemble"
	maxCoreMean                = 1e3
	minCoreSD, maxCoreSD       = 1e-6, 1e3
	maxRowCell                 = 1e12
	probabilityOutput          = "probability"
	classOutput                = "class"
	featuresInput              = "features"
	modelName                  = "pppq"
	inferPlatform              = "pppq_gbdt"
	mlflowVersion              = "3.3.2" // the newest whose clients ask nothing that is not here
	maxRowBody           int64 = 2 << 20
)

// A rowError says which column of a row can't be used.
type rowError struct {
	column int
	reason string
}

func (e *rowError) Error() string { return fmt.Sprintf("column %d: %s", e.column, e.reason) }

// classify is the forecast for a row of the boosters' columns
// (forecast.SpreadFeatures): the core's centre and spread are read from it, the
// boosters of the model type correct the spread. NaN is missing.
func classify(f *forecast.Forecaster, m forecast.ModelType, row *forecast.SpreadRow) (score.Probs, error) {
	for i, x := range row {
		if math.Abs(x) > maxRowCell {
			return score.Probs{}, &rowError{i, fmt.Sprintf("want a number from %g to %g", -maxRowCell, maxRowCell)}
		}
	}
	n := forecast.Normal{Mean: row[forecast.SpreadCoreMean], SD: row[forecast.SpreadCoreSD]}
	switch {
	case !(math.Abs(n.Mean) <= maxCoreMean):
		return score.Probs{}, &rowError{forecast.SpreadCoreMean, fmt.Sprintf("core_mean: want a number from %g to %g", -maxCoreMean, maxCoreMean)}
	case !(n.SD >= minCoreSD && n.SD <= maxCoreSD):
		return score.Probs{}, &rowError{forecast.SpreadCoreSD, fmt.Sprintf("core_sd: want a number from %g to %g", minCoreSD, maxCoreSD)}
	}
	ln, boosters := 0.0, 0
	add := func(b *forecast.Booster, earned float64, named forecast.ModelType) {
		if b != nil && (m == named || m == forecast.Ensemble && earned > 0) {
			ln += b.LnSpread(row)
			boosters++
		}
	}
	add(f.LGBM, f.Weights.LGBM, forecast.LGBM)
	add(f.XGB, f.Weights.XGB, forecast.XGB)
	if boosters > 0 {
		n.SD *= math.Exp(ln / float64(boosters))
	}
	return f.Calibration.Calibrate(forecast.Probabilities(n, f.Tiers)), nil
}

// likeliest is the class of the largest probability, the better one of two.
func likeliest(p score.Probs) power.Class {
	best := 0
	for c := range p {
		if p[c] > p[best] {
			best = c
		}
	}
	return power.Class(best)
}
