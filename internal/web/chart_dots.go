package web

import (
	g "maragu.dev/gomponents"

	"github.com/pppq/pppq/internal/backtest"
)

// A dotRow is one skill with its interval in a picture of dots.
type dotRow struct {
	label string
	skill backtest.Skill
	// class colours the row: "served", "core", "other".
	class string
}

// A dotPlot shows skills with their intervals, one row each, above or below a
// line that stands for "no better than the reference".
type dotPlot struct {
	title string
	// told is the same in words.
	told string
	// below and above name the two sides of the line, axis what is measured.
	below, above, axis string
	rows               []dotRow
	// lo and hi are the ends of the axis, as shares; what lies outside is drawn
	// as an arrow at the end.
	lo, hi float64
	// dashed marks intervals that are themselves unreliable.
	dashed bool
}

const (
	dotWidth  = 380.0
	dotLeft   = 108.0
	dotRight  = 62.0
	dotTop    = 42.0
	dotRow1   = 21.0
	dotBottom = 34.0
)

// node is nil if there are no rows.
func (p dotPlot) node() g.Node {
	if len(p.rows) == 0 {
		return nil
	}
	c := &canvas{width: dotWidth, height: dotTop + dotRow1*float64(len(p.rows)) + dotBottom}
	x := scale{lo: p.lo, hi: p.hi, from: dotLeft, to: dotWidth - dotRight}
	bottom := c.height - dotBottom
	c.text("heading", 0, 14, p.title)
	for _, v := range x.ticks(5) {
		c.line("grid-line", x.at(v), dotTop-4, x.at(v), bottom)
		c.text("tick mid", x.at(v), bottom+13, signedPercent(v, 0))
	}
	zero := x.at(0)
	c.line("zero", zero, dotTop-8, zero, bottom+2)
	c.text("tick end", zero-4, dotTop-9, p.below)
	c.text("tick", zero+4, dotTop-9, p.above)
	c.text("tick mid", (x.from+x.to)/2, bottom+28, p.axis)
	for i, r := range p.rows {
		p.row(c, x, dotTop+dotRow1*(float64(i)+0.5), r)
	}
	return c.picture("chart", p.title, p.told)
}

func (p dotPlot) row(c *canvas, x scale, y float64, r dotRow) {
	c.text("label end", dotLeft-8, y+4, r.label)
	c.text("value end "+r.class, dotWidth-2, y+4, rowValue(r.skill))
	if r.skill.Difference {
		return // a difference of scores has no place on an axis of ratios
	}
	class := "interval " + r.class
	if p.dashed {
		class += " dashed"
	}
	c.line(class, x.at(r.skill.Low), y, x.at(r.skill.High), y)
	for _, end := range [2]float64{r.skill.Low, r.skill.High} {
		if end < x.lo || end > x.hi {
			arrow(c, "arrow "+r.class, x.at(end), y, end > x.hi)
		}
	}
	if v := r.skill.Value; v >= x.lo && v <= x.hi {
		mark(c, r.class, x.at(v), y)
	}
}

// rowValue is the skill beside its row, short.
func rowValue(s backtest.Skill) string {
	if s.Difference {
		return signed(s.Value, 3) + nbsp + "†"
	}
	return signedPercent(s.Value, 1)
}

// mark draws the point of a row; what is served is a diamond, the core a ring,
// everything else a dot, so that colour is not needed to tell them apart.
func mark(c *canvas, class string, x, y float64) {
	switch class {
	case "served":
		c.diamond("mark served", x, y, 5.5)
	case "core":
		c.circle("mark core", x, y, 4.2)
	default:
		c.circle("mark "+class, x, y, 3.2)
	}
}

func arrow(c *canvas, class string, x, y float64, right bool) {
	d := -5.0
	if right {
		d = 5
	}
	c.path(class, "M"+coord(x+d)+" "+coord(y)+"L"+coord(x-d/2)+" "+coord(y-4)+"L"+coord(x-d/2)+" "+coord(y+4)+"Z")
}

// dotRange is an axis that holds all rows, zero in it, cut at the bounds.
func dotRange(rows []dotRow, least, most float64) (lo, hi float64) {
	lo, hi = -0.01, 0.01
	for _, r := range rows {
		if !r.skill.Difference {
			lo, hi = min(lo, r.skill.Low), max(hi, r.skill.High)
		}
	}
	pad := 0.04 * (hi - lo)
	return max(lo-pad, least), min(hi+pad, most)
}

// rungRow makes the row of a kind of forecast.
func rungRow(rung string, s backtest.Skill, headline string) dotRow {
	r := dotRow{label: rungName(rung), skill: s, class: "other"}
	switch rung {
	case headline:
		r.class = "served"
	case "carry_core":
		r.class = "core"
	}
	return r
}

// toldRows are rows in words.
func toldRows(rows []dotRow) string {
	told := ""
	for i, r := range rows {
		if i > 0 {
			told += "; "
		}
		told += r.label + " " + skillValue(r.skill) + " (" + skillRange(r.skill) + ")"
	}
	return told + "."
}
