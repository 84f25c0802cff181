package api

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/series"
	"github.com/pppq/pppq/internal/telemetry"
)

// A model is a bundle with what all requests share. It is not changed after
// newModel, but for its cache, and dies as a whole.
type model struct {
	*bundle.Bundle
	// tag begins the entity tags of every answer of this model.
	tag   string
	cache *answers // nil if switched off
}

// newModel prepares a bundle and lets every asset answer a question, so that
// nothing is done for the first time in a request.
func newModel(b *bundle.Bundle, program string, cache bool, now time.Time) (*model, error) {
	sum := sha256.Sum256([]byte(program + "\n" + b.Manifest.Version + "\n" + b.Manifest.DataHash))
	m := &model{Bundle: b, tag: hex.EncodeToString(sum[:8])}
	if cache {
		m.cache = newAnswers()
	}
	answered := 0
	for _, a := range b.Forecaster.Assets {
		_, err := b.Forecaster.Answer(forecast.Question{Asset: a.Asset.ID, Months: 60, Model: forecast.Ensemble, Explain: true}, now)
		switch {
		case err == nil:
			answered++
		case !errors.Is(err, forecast.ErrNoRow):
			return nil, fmt.Errorf("it does not answer for %s: %w", a.Asset.ID, err)
		}
	}
	if answered == 0 {
		return nil, errors.New("it answers for no asset")
	}
	return m, nil
}

// stale reports whether the model's figures are older than they should be.
func (m *model) stale(now time.Time) bool { return forecast.Stale(m.Manifest.DataAsOf, now) }

// figures are what /metrics says of the model.
func (m *model) figures() telemetry.ModelFigures {
	x := m.Manifest
	rows := float64(x.NewDataRows)
	f := telemetry.ModelFigures{
		Version: x.Version, NewDataRows: &rows,
		DataAsOf: endOf(x.DataAsOf), PipelineSuccess: x.Created,
	}
	if len(x.Metrics.Horizons) > 0 {
		f.Accuracy, f.MacroF1, f.RPSSkill = &x.Metrics.Accuracy, &x.Metrics.F1, &x.Metrics.RPSSkill
	}
	return f
}

// endOf is the first moment after a month.
func endOf(m series.Month) time.Time { return (m + 1).Start().Time() }
