// Package web shows forecasts and their track record to people: pages rendered
// on the server, pictures drawn as SVG, one style sheet, no script and nothing
// from another host.
//
// NewHandler serves the pages of the model in service; WriteReport writes the
// walk-forward test as one file that needs nothing beside it. Every figure on a
// page is taken from a forecast.Answer or a backtest.Report, and every picture
// has the same figures beside it in words or in a table. The same input gives
// the same bytes.
//
// House rules of the markup: no style attribute and no script, so that the
// pages work under a strict Content-Security-Policy; colours come from classes
// and never carry a meaning alone; SVG text is at least 10 units where a unit is
// about a pixel on a phone.
package web
