package bundle

import (
	"errors"
	"fmt"
	"time"

	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/forecast"
)

// Contents is what a bundle is made of. Write needs all of it but NewDataRows
// and Headline.
type Contents struct {
	// Forecaster holds both boosters, or none: a baseline. Its Version is not
	// used.
	Forecaster *forecast.Forecaster
	// Report is the walk-forward test that gave the weights.
	Report *backtest.Report
	// Data is what DescribeData says of the series behind it.
	Data Data
	// Created is the time that becomes part of the version.
	Created time.Time
	// NewDataRows is how many outcomes are known that were not when the bundle
	// before it was made.
	NewDataRows int
	// Headline is the rung of Report whose scores are the headline; empty stands
	// for the last one marked as served, in a baseline for the first.
	Headline string
}

// A Bundle is a model version, checked and ready to answer. It is not changed
// after it is loaded and may be used by any number of goroutines.
type Bundle struct {
	Manifest   *Manifest
	Forecaster *forecast.Forecaster
	Report     *backtest.Report
	Data       Data
	// ModelCard is Markdown.
	ModelCard []byte
}

// Contents returns what Write makes the same files of.
func (b *Bundle) Contents() Contents {
	return Contents{
		Forecaster: b.Forecaster, Report: b.Report, Data: b.Data, Created: b.Manifest.Created,
		NewDataRows: b.Manifest.NewDataRows, Headline: b.Manifest.Metrics.Rung,
	}
}

// encode makes the files of a bundle but for its manifest. The error names the
// file whose content can't be written.
func (c *Contents) encode() (texts, error) {
	f := c.Forecaster
	switch {
	case f == nil || c.Report == nil || f.History == nil:
		return nil, errors.New("a bundle needs a forecaster with a history, and a walk-forward report")
	case (f.LGBM == nil) != (f.XGB == nil):
		return nil, errors.New("a bundle holds both boosters or, as a baseline, none")
	}
	all := texts{}
	if f.LGBM != nil {
		if err := encodeBoosters(f, all); err != nil {
			return nil, err
		}
	}
	core, calibration := newCoreFile(f, c.Data), newCalibrationFile(f)
	if err := core.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", coreName, err)
	}
	if err := calibration.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", calibrationName, err)
	}
	if err := checkHistory(f.History); err != nil {
		return nil, err
	}
	var err error
	if all[latestName], err = encodeLatest(f.Assets); err != nil {
		return nil, err
	}
	if all[historyName], err = encodeHistory(f.History); err != nil {
		return nil, err
	}
	golden, err := newGolden(f) // not before the rows are known to be whole
	if err != nil {
		return nil, err
	}
	for name, v := range map[string]any{
		coreName: core, calibrationName: calibration, featuresName: programFeatures(), evaluationName: c.Report, goldenName: golden,
	} {
		if all[name], err = encodeJSON(v); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if all[cardName], err = modelCard(c); err != nil {
		return nil, err
	}
	for _, k := range fileKinds {
		if n := int64(len(all[k.name])); n > k.max {
			return nil, fmt.Errorf("%s: would have %d bytes, a bundle holds at most %d", k.name, n, k.max)
		}
	}
	return all, nil
}

// assemble makes the bundle of checked files.
func assemble(m *Manifest, all texts, tolerance float64) (*Bundle, *Refusal) {
	b := &Bundle{Manifest: m, ModelCard: all[cardName], Report: new(backtest.Report)}
	refused := func(name string, err error) (*Bundle, *Refusal) { return nil, refuse(m.Version, name, err) }

	if err := checkFeatures(all[featuresName]); err != nil {
		return refused(featuresName, err)
	}
	core, err := parseCore(all[coreName])
	if err != nil {
		return refused(coreName, err)
	}
	rows, err := parseLatest(all[latestName])
	if err != nil {
		return refused(latestName, err)
	}
	calibration, err := parseCalibration(all[calibrationName], m.Baseline)
	if err != nil {
		return refused(calibrationName, err)
	}
	b.Data = core.Data
	f := &forecast.Forecaster{
		Version: m.Version, Tiers: core.Tiers, Weights: calibration.Weights, References: calibration.References,
		Calibration: forecast.Calibration{Temperature: calibration.Temperature, Interval: calibration.Interval},
	}
	b.Forecaster = f
	if f.Assets, err = core.states(rows); err != nil {
		return refused(latestName, err)
	}
	if f.History, err = parseHistory(all[historyName]); err != nil {
		return refused(historyName, err)
	}
	if !m.Baseline {
		if f.LGBM, err = parseLightGBM(all[lightgbmName], calibration.MeanTarget.LGBM); err != nil {
			return refused(lightgbmName, err)
		}
		if f.XGB, err = parseXGBoost(all[xgboostName], calibration.MeanTarget.XGB); err != nil {
			return refused(xgboostName, err)
		}
	}
	if err := decodeJSON(all[evaluationName], b.Report); err != nil {
		return refused(evaluationName, err)
	}
	if b.Report.Method != forecast.Method {
		return refused(evaluationName, fmt.Errorf("is of method %q, this program forecasts by %q: %w", short(b.Report.Method), forecast.Method, ErrIncompatible))
	}
	if err := m.agree(b); err != nil {
		return refused(manifestName, err)
	}
	var golden goldenFile
	if err := decodeJSON(all[goldenName], &golden); err != nil {
		return refused(goldenName, err)
	}
	if err := golden.check(f, tolerance); err != nil {
		return refused(goldenName, err)
	}
	return b, nil
}

// agree refuses a manifest that says other things than the files do.
func (m *Manifest) agree(b *Bundle) error {
	f := b.Forecaster
	for _, c := range []struct {
		what string
		same bool
	}{
		{"tiers", m.Tiers == f.Tiers},
		{"weights", m.Weights == f.Weights},
		{"calibration", m.Calibration == f.Calibration},
		{"data_hash", m.DataHash == b.Data.Hash},
		{"seed", m.Seed == b.Report.Seed},
		{"assets", len(m.Assets) == len(f.Assets)},
	} {
		if !c.same {
			return fmt.Errorf("%s is not that of the files", c.what)
		}
	}
	for i, a := range f.Assets {
		if m.Assets[i] != a.Asset.ID {
			return fmt.Errorf("asset %d is %s, the files have %s", i+1, short(m.Assets[i]), a.Asset.ID)
		}
	}
	return nil
}
