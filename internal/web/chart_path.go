package web

import (
	"fmt"

	g "maragu.dev/gomponents"

	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/series"
)

// pathChart shows one asset's forecast probability of loss through time, as a
// line, and what happened: a strip on top over months whose holding lost
// purchasing power, another at the bottom where it was kept, nothing where
// it is not known yet. from and to are the ends of the axis of time.
func pathChart(p backtest.Path, from, to series.Month) g.Node {
	return drawPath(p, p.Asset, from, to)
}

func drawPath(p backtest.Path, heading string, from, to series.Month) g.Node {
	const left, right, top, height, strip = 40.0, 8.0, 26.0, 84.0, 8.0
	c := &canvas{width: 360, height: top + height + 2*strip + 22}
	x := scale{lo: float64(from), hi: float64(max(to, from+1)), from: left, to: c.width - right}
	y := scale{lo: 0, hi: 1, from: top + strip + height, to: top + strip}
	c.text("heading", 0, 13, heading)
	for _, v := range []float64{0, 0.5, 1} {
		c.line("grid-line", left, y.at(v), c.width-right, y.at(v))
		c.text("tick end", left-5, y.at(v)+4, percent(v, 0))
	}
	for _, m := range yearTicks(from, to, 6) {
		c.line("grid-line", x.at(float64(m)), top+strip, x.at(float64(m)), top+strip+height)
		c.text("tick mid", x.at(float64(m)), c.height-4, fmt.Sprint(m.Year()))
	}
	for start := 0; start < len(p.Outcome); {
		end := start + 1
		for end < len(p.Outcome) && p.Outcome[end] == p.Outcome[start] {
			end++
		}
		x1, x2 := x.at(float64(p.From)+float64(start)), x.at(float64(p.From)+float64(end))
		switch p.Outcome[start] {
		case 1:
			c.rect("lost", x1, top, x2-x1, strip)
		case 0:
			c.rect("kept", x1, top+strip+height, x2-x1, strip)
		}
		start = end
	}
	var line polyline
	for i, loss := range p.Loss {
		if loss < 0 {
			line.lift()
			continue
		}
		line.to(x.at(float64(p.From)+float64(i)), y.at(float64(loss)/1000))
	}
	c.path("curve served", line.String())
	sum := sumUp(p)
	c.text("tick end", c.width-right, 13, sum.short())
	return c.picture("chart", p.Asset+" over "+yearsOf(p.Months), sum.told())
}

// pathChartOver is pathChart with the horizon as its heading and an axis that
// is just as long as the path.
func pathChartOver(p backtest.Path) g.Node {
	return drawPath(p, yearsOf(p.Months), p.From, p.From+series.Month(len(p.Loss)))
}

// A pathSum counts what a path shows.
type pathSum struct {
	path        backtest.Path
	known, lost int
	// forecast is the mean probability over the months whose outcome is known.
	forecast float64
}

func sumUp(p backtest.Path) pathSum {
	s := pathSum{path: p}
	for i, o := range p.Outcome {
		if o < 0 || i >= len(p.Loss) || p.Loss[i] < 0 {
			continue
		}
		s.known++
		if o == 1 {
			s.lost++
		}
		s.forecast += float64(p.Loss[i]) / 1000
	}
	if s.known > 0 {
		s.forecast /= float64(s.known)
	}
	return s
}

func (s pathSum) short() string {
	if s.known == 0 {
		return "no outcome known yet"
	}
	return "mean forecast " + percent(s.forecast, 0) + ", lost " + percent(float64(s.lost)/float64(s.known), 0)
}

func (s pathSum) told() string {
	p := s.path
	if len(p.Loss) == 0 {
		return "No forecast."
	}
	last := p.From + series.Month(len(p.Loss)-1)
	text := fmt.Sprintf("Probability of loss forecast from %s to %s.", monthName(p.From), monthName(last))
	if s.known == 0 {
		return text + " No outcome is known yet."
	}
	return text + fmt.Sprintf(" Of %s with a known outcome %s lost purchasing power; the mean forecast was %s.",
		plural(s.known, "month", "months"), whole(s.lost), percent(s.forecast, 0))
}
