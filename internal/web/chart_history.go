package web

import (
	"fmt"
	"math"

	g "maragu.dev/gomponents"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/series"
)

// A record is the whole known history of an asset, restated so that both
// indices are 100 at the first month that has both.
type record struct {
	id            string
	from, to      series.Month
	real, nominal series.View
	// drawdown[i] is the real index of month from+i over its highest so far, minus
	// 1; NaN where it is missing.
	drawdown []float64
	// peak and trough are the ends of the deepest drawdown, deepest its size.
	peak, trough series.Month
	deepest      float64
	// top is the month of the highest real value.
	top series.Month
}

// newRecord returns nil if there are fewer than two months to draw.
func newRecord(h forecast.AssetHistory) *record {
	r := &record{id: h.ID, real: h.Real, nominal: h.Nominal}
	last := min(h.Real.Last(), h.Nominal.Last())
	for r.from = max(h.Real.First, h.Nominal.First); r.from <= last && !(h.Real.At(r.from) > 0 && h.Nominal.At(r.from) > 0); {
		r.from++
	}
	for r.to = last; r.to > r.from && !(h.Real.At(r.to) > 0 && h.Nominal.At(r.to) > 0); {
		r.to--
	}
	if r.to <= r.from {
		return nil
	}
	r.top, r.peak, r.trough = r.from, r.from, r.from
	for m := r.from; m <= r.to; m++ {
		v := h.Real.At(m)
		if v >= h.Real.At(r.top) {
			r.top = m
		}
		d := v/h.Real.At(r.top) - 1
		r.drawdown = append(r.drawdown, d)
		if d < r.deepest {
			r.deepest, r.peak, r.trough = d, r.top, m
		}
	}
	return r
}

// became is what 100 $ put in at the first month are at month m.
func (r *record) became(v series.View, m series.Month) float64 { return 100 * v.At(m) / v.At(r.from) }

// words tells the history.
func (r *record) words() string {
	text := fmt.Sprintf("100 $ put into %s in %s became %s by %s. In the purchasing power of %s that is %s.",
		r.id, monthName(r.from), dollars(r.became(r.nominal, r.to)), monthName(r.to), monthName(r.from), dollars(r.became(r.real, r.to)))
	if r.deepest < 0 {
		text += fmt.Sprintf(" The deepest loss of purchasing power on the way was %s, from %s to %s.", percent(-r.deepest, 0), monthName(r.peak), monthName(r.trough))
	}
	if now := r.drawdown[len(r.drawdown)-1]; now < 0 {
		text += fmt.Sprintf(" Now it stands %s under its highest real value, which was in %s.", percent(-now, 0), monthName(r.top))
	} else {
		text += " Now it stands at its highest real value."
	}
	return text
}

// node draws the indices on a logarithmic axis and the drawdown under them.
func (r *record) node(size frame) g.Node {
	const left, top, gap, below, bottom = 58.0, 28.0, 34.0, 76.0, 22.0
	c := &canvas{width: size.width, height: size.height + below + gap}
	y := scale{lo: math.Inf(1), hi: math.Inf(-1), from: size.height - bottom, to: top, log: true}
	for m := r.from; m <= r.to; m++ {
		for _, v := range [2]float64{r.became(r.real, m), r.became(r.nominal, m)} {
			if v > 0 && !math.IsInf(v, 0) {
				y.lo, y.hi = min(y.lo, v), max(y.hi, v)
			}
		}
	}
	y.lo, y.hi = y.lo/1.1, y.hi*1.1
	x := scale{lo: float64(r.from), hi: float64(r.to), from: left, to: size.width - size.right}
	title := "What 100 $ of " + monthName(r.from) + " became, income reinvested"
	heading := title
	if size.terse {
		heading = "100 $ of " + monthName(r.from) + " became"
	}
	c.text("heading", 0, 14, heading)
	for _, v := range y.decades(9) {
		c.line("grid-line", left, y.at(v), x.to, y.at(v))
		c.text("tick end", left-6, y.at(v)+4, axisDollars(v))
	}
	depth := scale{lo: min(math.Floor(r.deepest*10)/10, -0.1), hi: 0, from: size.height + gap - bottom + below, to: size.height + gap - bottom}
	for _, m := range yearTicks(r.from, r.to, size.years) {
		at := x.at(float64(m))
		c.line("grid-line", at, top, at, y.from)
		c.line("grid-line", at, depth.to, at, depth.from)
		c.text("tick mid", at, depth.from+15, fmt.Sprint(m.Year()))
	}
	c.text("label", 0, depth.to-10, "Under the highest real value so far")
	for _, v := range depth.ticks(3) {
		c.line("grid-line", left, depth.at(v), x.to, depth.at(v))
		c.text("tick end", left-6, depth.at(v)+4, percent(v, 0))
	}
	r.curves(c, size, x, y, depth)
	return c.picture(size.class, title, r.words())
}

func (r *record) curves(c *canvas, size frame, x, y, depth scale) {
	step := series.Month(1)
	if size.terse {
		step = 1 + (r.to-r.from)/400
	}
	draw := func(v series.View) string {
		var p polyline
		for m := r.from; m <= r.to; m += step {
			if value := r.became(v, m); value > 0 {
				p.to(x.at(float64(m)), y.at(value))
			} else {
				p.lift()
			}
		}
		return p.String()
	}
	c.path("curve nominal thin", draw(r.nominal))
	c.path("curve real", draw(r.real))
	var water polyline
	for i := 0; i < len(r.drawdown); i += int(step) {
		if d := r.drawdown[i]; !math.IsNaN(d) {
			if !water.down {
				water.to(x.at(float64(r.from)+float64(i)), depth.at(0))
			}
			water.to(x.at(float64(r.from)+float64(i)), depth.at(d))
		}
	}
	water.to(x.at(float64(r.to)), depth.at(0))
	water.close()
	c.path("under", water.String())

	ends := []float64{y.at(r.became(r.nominal, r.to)), y.at(r.became(r.real, r.to))}
	labels := []string{axisDollars(r.became(r.nominal, r.to)), axisDollars(r.became(r.real, r.to))}
	if !size.terse {
		labels[0], labels[1] = "nominal "+labels[0], "real "+labels[1]
	}
	classes := []string{"label", "label strong"}
	if ends[0] > ends[1] {
		ends[0], ends[1] = ends[1], ends[0]
		labels[0], labels[1] = labels[1], labels[0]
		classes[0], classes[1] = classes[1], classes[0]
	}
	apart(ends, 14, y.to, y.from)
	for i := range ends {
		c.text(classes[i], x.to+6, ends[i]+4, labels[i])
	}
}
