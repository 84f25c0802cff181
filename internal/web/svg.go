package web

import (
	"math"
	"slices"
	"strconv"
	"strings"

	g "maragu.dev/gomponents"

	"github.com/pppq/pppq/internal/series"
)

// A canvas collects the shapes of one picture. Coordinates are in units of the
// view box, y downwards; colours and fonts come from the classes.
type canvas struct {
	width, height float64
	shapes        g.Group
}

// picture wraps the shapes for people who see them and for those who are read
// to: title is the heading, told the picture in words.
func (c *canvas) picture(class, title, told string) g.Node {
	return g.El("svg",
		g.Attr("class", class), g.Attr("viewBox", "0 0 "+coord(c.width)+" "+coord(c.height)),
		g.Attr("role", "img"), g.Attr("aria-label", strings.TrimSuffix(title, ".")+". "+told),
		g.El("title", g.Text(title)),
		c.shapes,
	)
}

func (c *canvas) add(n g.Node) { c.shapes = append(c.shapes, n) }

func (c *canvas) line(class string, x1, y1, x2, y2 float64) {
	c.add(g.El("line", g.Attr("class", class), at("x1", x1), at("y1", y1), at("x2", x2), at("y2", y2)))
}

func (c *canvas) rect(class string, x, y, w, h float64) {
	c.add(g.El("rect", g.Attr("class", class), at("x", x), at("y", y), at("width", max(w, 0)), at("height", max(h, 0))))
}

func (c *canvas) circle(class string, x, y, r float64) {
	c.add(g.El("circle", g.Attr("class", class), at("cx", x), at("cy", y), at("r", r)))
}

// diamond is a square on its tip.
func (c *canvas) diamond(class string, x, y, r float64) {
	c.path(class, "M"+coord(x)+" "+coord(y-r)+"L"+coord(x+r)+" "+coord(y)+"L"+coord(x)+" "+coord(y+r)+"L"+coord(x-r)+" "+coord(y)+"Z")
}

func (c *canvas) path(class, d string) {
	if d != "" {
		c.add(g.El("path", g.Attr("class", class), g.Attr("d", d)))
	}
}

// text writes words; the classes "mid" and "end" set the anchor.
func (c *canvas) text(class string, x, y float64, s string) {
	c.add(g.El("text", g.Attr("class", class), at("x", x), at("y", y), g.Text(s)))
}

// sideways writes words that run upwards, centred on a point.
func (c *canvas) sideways(class string, x, y float64, s string) {
	c.add(g.El("text", g.Attr("class", class), g.Attr("transform", "rotate(-90 "+coord(x)+" "+coord(y)+")"), at("x", x), at("y", y), g.Text(s)))
}

func at(name string, v float64) g.Node { return g.Attr(name, coord(v)) }

// coord writes a coordinate with at most one decimal; what is no number is 0,
// so that a picture is never broken.
func coord(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		v = 0
	}
	v = math.Round(v*10) / 10
	if v == 0 {
		return "0"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// A polyline builds a path of points with gaps. Steps are relative and in
// tenths of a unit, which keeps long paths short.
type polyline struct {
	b    []byte
	down bool // the pen is on the paper
	// stepped says that the last command was a step, so that the next one needs
	// no letter.
	stepped bool
	x, y    int64
}

// to draws to a point, or moves there after a gap.
func (p *polyline) to(x, y float64) {
	nx, ny := tenths(x), tenths(y)
	if !p.down {
		p.b = append(p.b, 'M')
		p.number(nx)
		p.number(ny)
		p.down, p.stepped = true, false
	} else {
		if !p.stepped {
			p.b = append(p.b, 'l')
			p.stepped = true
		}
		p.number(nx - p.x)
		p.number(ny - p.y)
	}
	p.x, p.y = nx, ny
}

// number writes tenths, with a space before it where it needs one.
func (p *polyline) number(n int64) {
	switch last := p.b[len(p.b)-1]; {
	case n < 0:
		p.b = append(p.b, '-')
		n = -n
	case last >= '0' && last <= '9':
		p.b = append(p.b, ' ')
	}
	if n < 10 && n > 0 {
		p.b = append(p.b, '.', byte('0'+n))
		return
	}
	p.b = strconv.AppendInt(p.b, n/10, 10)
	if n%10 != 0 {
		p.b = append(p.b, '.', byte('0'+n%10))
	}
}

func (p *polyline) lift()          { p.down = false }
func (p *polyline) close()         { p.b = append(p.b, 'Z'); p.down = false }
func (p *polyline) String() string { return string(p.b) }

func tenths(v float64) int64 {
	if math.IsNaN(v) || math.Abs(v) > 1e6 {
		return 0
	}
	return int64(math.Round(10 * v))
}

// A scale maps values lo..hi to coordinates from..to.
type scale struct {
	lo, hi, from, to float64
	log              bool
}

// at maps a value; values outside are held at the ends.
func (s scale) at(v float64) float64 {
	v = min(max(v, s.lo), s.hi)
	if s.log {
		return s.from + (s.to-s.from)*(math.Log(v)-math.Log(s.lo))/(math.Log(s.hi)-math.Log(s.lo))
	}
	return s.from + (s.to-s.from)*(v-s.lo)/(s.hi-s.lo)
}

// ticks are round values inside a linear scale, about n of them.
func (s scale) ticks(n int) []float64 {
	span := s.hi - s.lo
	if !(span > 0) || math.IsInf(span, 0) {
		return nil
	}
	step := math.Pow(10, math.Floor(math.Log10(span/float64(n))))
	for _, k := range []float64{1, 2, 5, 10} {
		if span/(k*step) <= float64(n) {
			step *= k
			break
		}
	}
	var out []float64
	for k := math.Ceil(s.lo/step - 1e-9); k*step <= s.hi+1e-9*span; k++ {
		out = append(out, k*step)
	}
	return out
}

// decades are round values inside a logarithmic scale, at most n of them: 1, 2
// and 5 times powers of ten, fewer where the scale is long, even steps where it
// is short.
func (s scale) decades(n int) []float64 {
	if !(s.lo > 0) || !(s.hi > s.lo) || math.IsInf(s.hi, 0) {
		return nil
	}
	first, last := int(math.Floor(math.Log10(s.lo))), int(math.Ceil(math.Log10(s.hi)))
	if s.hi/s.lo < 8 {
		return slices.DeleteFunc(s.ticks(min(n, 6)), func(v float64) bool { return v <= 0 })
	}
	for _, marks := range [][]float64{{1, 2, 5}, {1, 3}, {1}} {
		if out := s.within(marks, first, last, 1); len(out) <= n {
			return out
		}
	}
	for every := 2; ; every++ {
		if out := s.within([]float64{1}, first, last, every); len(out) <= max(n, 1) {
			return out
		}
	}
}

// within lists marks times every so many powers of ten inside the scale.
func (s scale) within(marks []float64, first, last, every int) []float64 {
	var out []float64
	for e := first; e <= last; e++ {
		if e%every != 0 {
			continue
		}
		for _, m := range marks {
			if v := m * math.Pow(10, float64(e)); v >= s.lo*(1-1e-9) && v <= s.hi*(1+1e-9) {
				out = append(out, v)
			}
		}
	}
	return out
}

// yearTicks are Januaries between two months, at most n of them, at round years.
func yearTicks(from, to series.Month, n int) []series.Month {
	years := to.Year() - from.Year()
	step := 1
	for _, k := range []int{1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000} {
		step = k
		if years/k < n {
			break
		}
	}
	var out []series.Month
	for y := from.Year(); y <= to.Year(); y++ {
		if m := series.Of(y, 1); y%step == 0 && m >= from && m <= to {
			out = append(out, m)
		}
	}
	return out
}
