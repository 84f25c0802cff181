// Package forecast holds the forecaster: the predictive distribution of an
// asset's purchasing-power multiple and the plain answer made from it.
//
// The rungs, from dull to clever: climatologies (climatology.go), persistence,
// the historical core (historical.go), the carry core (core.go), which carries
// most of the skill, and boosted trees that forecast its spread (spread.go).
// Challengers that lost against them stay measurable (challenger.go).
//
// A Forecaster is immutable and safe for any number of goroutines; Answer does
// no I/O and asks no clock.
package forecast

// Method names the rules that turn figures into forecasts. It changes when a
// constant, a feature or a formula does, so that a refit on newer figures can be
// told from a new way of forecasting.
const Method = "carry-1 spread-1"
