package bundle

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/score"
)

// calibrationFile is calibration.json: what the walk-forward test gave the
// forecaster, and the scale of its boosters.
type calibrationFile struct {
	Temperature float64          `json:"temperature"`
	Interval    float64          `json:"interval"`
	Weights     forecast.Weights `json:"weights"`
	// MeanTarget is absent in a baseline.
	MeanTarget *meanTargets                                `json:"mean_target,omitempty"`
	References map[forecast.ModelType][]forecast.Reference `json:"references"`
}

// meanTargets are the weighted means of the boosters' targets in training.
type meanTargets struct {
	LGBM float64 `json:"lgbm"`
	XGB  float64 `json:"xgb"`
}

func newCalibrationFile(f *forecast.Forecaster) calibrationFile {
	c := calibrationFile{
		Temperature: f.Calibration.Temperature, Interval: f.Calibration.Interval,
		Weights: f.Weights, References: f.References,
	}
	if f.LGBM != nil {
		c.MeanTarget = &meanTargets{f.LGBM.MeanTarget, f.XGB.MeanTarget}
	}
	return c
}

// parseCalibration reads calibration.json.
func parseCalibration(b []byte, baseline bool) (*calibrationFile, error) {
	c := new(calibrationFile)
	if err := decodeJSON(b, c); err != nil {
		return nil, err
	}
	if baseline != (c.MeanTarget == nil) {
		return nil, errors.New("mean_target is for bundles with boosters, and needed there")
	}
	return c, c.check()
}

func (c *calibrationFile) check() error {
	// 0 and 1 both stand for no correction.
	if c.Temperature != 0 && !(c.Temperature >= score.TemperatureMin && c.Temperature <= score.TemperatureMax) {
		return fmt.Errorf("temperature %v, want %v to %v", c.Temperature, score.TemperatureMin, score.TemperatureMax)
	}
	if !(c.Interval >= 0 && c.Interval <= 100) {
		return fmt.Errorf("interval %v, want 0 to 100", c.Interval)
	}
	for _, w := range []float64{c.Weights.LGBM, c.Weights.XGB, c.Weights.Ensemble} {
		switch {
		case !(w >= 0 && w <= 1):
			return fmt.Errorf("weight %v, want 0 to 1", w)
		case w > 0 && c.MeanTarget == nil:
			return errors.New("a baseline gives weight to boosters that it does not have")
		}
	}
	for m := range c.References {
		if !slices.Contains(forecast.ModelTypes, m) {
			return fmt.Errorf("references of unknown model type %q", short(string(m)))
		}
	}
	return nil
}
