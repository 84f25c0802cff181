package web

import (
	"fmt"
	"math"
	"slices"

	g "maragu.dev/gomponents"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/series"
)

// A frame is the size of a picture that is drawn once for wide screens and once
// for phones, with fonts of the same size.
type frame struct {
	class         string
	width, height float64
	// right is the margin for labels at the ends of curves; terse ones carry the
	// figure alone.
	right float64
	terse bool
	// years is the most ticks on an axis of time.
	years int
}

var (
	wideFrame   = frame{class: "chart wide only-wide", width: 860, height: 340, right: 164, years: 12}
	narrowFrame = frame{class: "chart wide only-narrow", width: 360, height: 300, right: 76, terse: true, years: 6}
)

// fanPast is for how many months before today a fan shows what was.
const fanPast = 120

// A fan is what 100 $ of purchasing power in an asset was worth, and what it is
// expected to be worth.
type fan struct {
	title string
	// past is a real index; only ratios count.
	past series.View
	// from is the month of the figures that the answers start from.
	from series.Month
	// now names from where it is long ago; empty for today.
	now string
	// answers ascend by horizon.
	answers []*forecast.Answer
}

// real is the value at month m of what is worth 100 $ at month from.
func (f *fan) real(m series.Month) float64 { return 100 * f.past.At(m) / f.past.At(f.from) }

func (f *fan) node(size frame) g.Node {
	const left, top, bottom = 58.0, 44.0, 40.0
	c := &canvas{width: size.width, height: size.height}
	last := f.answers[len(f.answers)-1]
	first, end := f.from, f.from+series.Month(monthsOf(last))
	y := scale{lo: 90, hi: 110, from: size.height - bottom, to: top, log: true}
	reach := func(v float64) {
		if v > 0 && !math.IsInf(v, 0) {
			y.lo, y.hi = min(y.lo, v), max(y.hi, v)
		}
	}
	for m := f.from - fanPast; m <= f.from; m++ {
		if v := f.real(m); !math.IsNaN(v) {
			first = min(first, m)
			reach(v)
		}
	}
	for _, a := range f.answers {
		reach(a.Buys.P10)
		reach(a.Buys.P90)
	}
	y.lo, y.hi = y.lo/1.08, y.hi*1.08
	x := scale{lo: float64(first), hi: float64(end), from: left, to: size.width - size.right}
	c.text("heading", 0, 14, f.title)
	for _, v := range y.decades(8) {
		c.line("grid-line", left, y.at(v), x.to, y.at(v))
		c.text("tick end", left-6, y.at(v)+4, axisDollars(v))
	}
	for _, m := range yearTicks(first, end, size.years) {
		c.line("grid-line", x.at(float64(m)), top, x.at(float64(m)), y.from)
		c.text("tick mid", x.at(float64(m)), y.from+15, fmt.Sprint(m.Year()))
	}
	c.line("zero", left, y.at(100), x.to, y.at(100))
	c.line("today", x.at(float64(f.from)), top-8, x.at(float64(f.from)), y.from)
	c.text("tick mid", x.at(float64(f.from)), top-11, monthName(f.from))
	f.curves(c, x, y)
	axis := "January of the year; value in dollars of today's purchasing power, logarithmic"
	switch {
	case size.terse && f.now != "":
		axis = "January of the year; dollars of " + f.now + ", log axis"
	case size.terse:
		axis = "January of the year; today's dollars, log axis"
	case f.now != "":
		axis = "January of the year; value in dollars of " + f.now + ", logarithmic"
	}
	c.text("tick mid", (x.from+x.to)/2, size.height-8, axis)
	f.ends(c, size, x, y, last)
	return c.picture(size.class, f.title, f.told())
}

// curves draws the band, the median and the past.
func (f *fan) curves(c *canvas, x, y scale) {
	at := func(a *forecast.Answer) float64 { return x.at(float64(f.from) + float64(monthsOf(a))) }
	var band, median, past polyline
	band.to(x.at(float64(f.from)), y.at(100))
	median.to(x.at(float64(f.from)), y.at(100))
	for _, a := range f.answers {
		band.to(at(a), y.at(a.Buys.P90))
		median.to(at(a), y.at(a.Buys.Median))
	}
	for _, a := range slices.Backward(f.answers) {
		band.to(at(a), y.at(a.Buys.P10))
	}
	band.close()
	for m := f.from - fanPast; m <= f.from; m++ {
		if v := f.real(m); v > 0 {
			past.to(x.at(float64(m)), y.at(v))
		} else {
			past.lift()
		}
	}
	c.path("band", band.String())
	c.path("curve core", past.String())
	c.path("curve served", median.String())
}

// ends writes the last values beside the curves.
func (f *fan) ends(c *canvas, size frame, x, y scale, last *forecast.Answer) {
	values := []float64{last.Buys.P90, last.Buys.Median, last.Buys.P10}
	words := []string{"1 in 10 above ", "middle ", "1 in 10 below "}
	places := make([]float64, len(values))
	for i, v := range values {
		places[i] = y.at(v)
	}
	apart(places, 14, y.to, y.from)
	for i, v := range values {
		label := axisDollars(v)
		if !size.terse {
			label = words[i] + label
		}
		c.text("label", x.to+6, places[i]+4, label)
	}
}

func (f *fan) told() string {
	last := f.answers[len(f.answers)-1]
	worth := "What is worth 100 dollars now"
	if f.now != "" {
		worth = "What was worth 100 dollars in " + f.now
	}
	return worth + fmt.Sprintf(" is expected to be worth about %s after %s, with a chance of eight in ten between %s and %s.",
		dollars(last.Buys.Median), yearsOf(monthsOf(last)), dollars(last.Buys.P10), dollars(last.Buys.P90))
}

// monthsOf is an answer's horizon.
func monthsOf(a *forecast.Answer) int { return int(math.Round(a.HorizonYears * 12)) }

// apart moves ascending places so that each is at least gap below the one
// before, inside lo..hi as far as there is room.
func apart(places []float64, gap, lo, hi float64) {
	for i := range places {
		if i == 0 {
			places[i] = max(places[i], lo)
		} else {
			places[i] = max(places[i], places[i-1]+gap)
		}
	}
	for i := len(places) - 1; i >= 0; i-- {
		if i == len(places)-1 {
			places[i] = min(places[i], hi)
		} else {
			places[i] = min(places[i], places[i+1]-gap)
		}
	}
}
