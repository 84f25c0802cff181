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
