package web

import (
	"strings"

	g "maragu.dev/gomponents"

	"github.com/pppq/pppq/internal/forecast"
)

// classBar shows the four probabilities as parts of one bar, from best to worst.
func classBar(p forecast.Classes) g.Node {
	c := &canvas{width: 400, height: 26}
	x := 0.0
	var told []string
	for i, v := range [...]float64{p.A, p.B, p.C, p.D} {
		t := tiers()[i]
		w := c.width * v
		c.rect("fill-"+strings.ToLower(t.letter), x, 0, max(w-1, 0), c.height)
		if w > 26 {
			c.text("on-fill-"+strings.ToLower(t.letter)+" mid", x+w/2, c.height/2+5, t.letter)
		}
		x += w
		told = append(told, t.letter+" ("+t.words+") "+chance(v))
	}
	return c.picture("bar", "Probability of each class", strings.Join(told, ", ")+".")
}

// rangeScale is the axis of the small pictures of intervals: multiples of
// purchasing power from a quarter to fourfold.
var rangeScale = scale{lo: 0.25, hi: 4, log: true}

// rangeBar shows a median with its 80 % interval, and where 1 is: purchasing
// power kept.
func rangeBar(m forecast.Range) g.Node {
	c := &canvas{width: 176, height: 18}
	x := rangeScale
	x.from, x.to = 8, c.width-8
	mid := c.height / 2
	c.line("grid-line", x.from, mid, x.to, mid)
	c.line("zero", x.at(1), 1, x.at(1), c.height-1)
	c.line("interval served", x.at(m.P10), mid, x.at(m.P90), mid)
	if m.P10 < x.lo {
		arrow(c, "arrow served", x.from, mid, false)
	}
	if m.P90 > x.hi {
		arrow(c, "arrow served", x.to, mid, true)
	}
	c.diamond("mark served", x.at(m.Median), mid, 5)
	return c.picture("bar", "Multiple of purchasing power",
		"Median "+times(m.Median)+", 80"+nbsp+"% interval "+between(m)+".")
}
