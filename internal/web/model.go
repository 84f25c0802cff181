package web

import (
	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/series"
)

// A Model is what is in service. Nothing in it may be changed once it was given
// to a handler.
type Model struct {
	Forecaster *forecast.Forecaster
	// Report is the walk-forward test of the model; nil if it has none.
	Report *backtest.Report
	// Version names the model.
	Version string
	// DataFrom and DataAsOf are the first month of any asset's figures and the
	// newest month whose price index the forecasts use.
	DataFrom, DataAsOf series.Month
}

// NewModel takes version and dates from the forecaster.
func NewModel(f *forecast.Forecaster, r *backtest.Report) *Model {
	m := &Model{Forecaster: f, Report: r, Version: f.Version}
	for _, a := range f.Assets {
		if first := a.Asset.First; first != 0 && (m.DataFrom == 0 || first < m.DataFrom) {
			m.DataFrom = first
		}
		m.DataAsOf = max(m.DataAsOf, a.Row.U)
	}
	return m
}
