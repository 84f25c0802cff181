package web

import (
	"strings"

	g "maragu.dev/gomponents"

	"github.com/pppq/pppq/internal/backtest"
)

// coverageLevels are those of backtest.RungScore.Coverage.
var coverageLevels = [3]float64{0.5, 0.8, 0.95}

// coverageChart shows, for one level, how many outcomes fell inside the
// intervals: one row a horizon, the core and what is served; nil if no
// horizon knows.
func coverageChart(r *backtest.Report, level int, rungs []string, headline string) g.Node {
	const left, right, top, row, bottom = 70.0, 22.0, 42.0, 24.0, 34.0
	c := &canvas{width: 340, height: top + row*float64(len(r.Horizons)) + bottom}
	want := coverageLevels[level]
	x := scale{lo: want - 0.2, hi: min(want+0.2, 1), from: left, to: c.width - right}
	end := c.height - bottom
	c.text("heading", 0, 14, percent(want, 0)+" intervals")
	for _, v := range x.ticks(5) {
		c.line("grid-line", x.at(v), top-4, x.at(v), end)
		c.text("tick mid", x.at(v), end+13, percent(v, 0))
	}
	c.text("label mid", (left+c.width-right)/2, c.height-5, "outcomes inside")
	c.line("zero", x.at(want), top-8, x.at(want), end+2)
	c.text("tick mid", x.at(want), top-12, "promised")
	var told []string
	for i, h := range r.Horizons {
		y := top + row*(float64(i)+0.5)
		c.text("label end", left-8, y+4, yearsOf(h.Months))
		for _, name := range rungs {
			s := find(h, name)
			if s == nil || s.Coverage == nil {
				continue
			}
			v := s.Coverage[level]
			mark(c, rungRow(name, backtest.Skill{}, headline).class, x.at(v), y)
			told = append(told, rungName(name)+" at "+yearsOf(h.Months)+" "+percent(v, 0))
		}
	}
	if len(told) == 0 {
		return nil
	}
	return c.picture("chart", "Coverage of "+percent(want, 0)+" intervals", strings.Join(told, "; ")+".")
}

// coverageTable lists the coverage of every kind of forecast that has intervals.
func coverageTable(r *backtest.Report) g.Node {
	t := table{
		caption: "Share of outcomes inside the 50, 80 and 95 % intervals",
		head:    []string{"Forecast"},
	}
	for _, h := range r.Horizons {
		t.head = append(t.head, yearsOf(h.Months))
	}
	for _, info := range r.Rungs {
		row := cells(rungName(info.Name))
		any := false
		for _, h := range r.Horizons {
			text := none
			if s := find(h, info.Name); s != nil && s.Coverage != nil {
				any = true
				text = decimal(100*s.Coverage[0], 0) + " / " + decimal(100*s.Coverage[1], 0) + " / " + percent(s.Coverage[2], 0)
			}
			row = append(row, cell{text: text})
		}
		if any {
			t.rows = append(t.rows, row)
		}
	}
	return t.node()
}

// find returns the scores of one kind of forecast, nil if there are none.
func find(h backtest.HorizonReport, rung string) *backtest.RungScore {
	for i := range h.Rungs {
		if h.Rungs[i].Rung == rung {
			return &h.Rungs[i]
		}
	}
	return nil
}
