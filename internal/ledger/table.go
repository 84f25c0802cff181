package ledger

import (
	"errors"
	"fmt"
	"time"

	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/score"
)

// Table is what a model version says of every asset at each tested horizon with
// each model type. A horizon for which an asset lacks figures is left out.
func Table(b *bundle.Bundle, now time.Time) ([]Forecast, error) {
	var all []Forecast
	f := b.Forecaster
	for i := range f.Assets {
		s := &f.Assets[i]
		for _, months := range forecast.TrainedHorizons {
			for _, model := range forecast.ModelTypes {
				a, err := f.Answer(forecast.Question{Asset: s.Asset.ID, Months: months, Model: model}, now)
				if errors.Is(err, forecast.ErrNoRow) {
					continue
				}
				if err != nil {
					return nil, fmt.Errorf("forecast %s over %d months: %w", s.Asset.ID, months, err)
				}
				all = append(all, Forecast{
					Key:    Key{DataMonth: a.DataAsOf, Asset: a.Asset, Months: months, Model: model, Version: b.Manifest.Version},
					Origin: s.Row.T, DataHash: b.Manifest.DataHash, Baseline: b.Manifest.Baseline, Tiers: f.Tiers,
					Probs: probs(a.Probabilities), Loss: a.ProbabilityLoss,
					Median: a.Multiple.Median, P10: a.Multiple.P10, P90: a.Multiple.P90, Evidence: a.Evidence,
					Base: probs(a.BaseRate.Classes), BaseWindows: a.BaseRate.Windows,
				})
			}
		}
	}
	return all, nil
}

func probs(c forecast.Classes) score.Probs {
	return score.Probs{power.Preserver: c.A, power.Partial: c.B, power.Eroder: c.C, power.Destroyer: c.D}
}
