package web

import (
	"strings"

	g "maragu.dev/gomponents"
	"maragu.dev/gomponents/html"

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

// coverageByPart shows the intervals of one kind of forecast by group of assets
// and by inflation; nil if the report does not know.
func coverageByPart(r *backtest.Report, name string) g.Node {
	type part struct{ by, name string }
	var order []part
	seen := map[part]bool{}
	at := map[part]map[int]backtest.CoverageScore{}
	for _, c := range r.Coverage {
		if c.Rung != name {
			continue
		}
		p := part{c.By, c.Name}
		if !seen[p] {
			seen[p] = true
			order = append(order, p)
			at[p] = map[int]backtest.CoverageScore{}
		}
		at[p][c.Months] = c
	}
	if len(order) == 0 {
		return nil
	}
	var pictures []g.Node
	t := table{
		caption: "Share of outcomes inside the 50, 80 and 95 % intervals by group of assets and by inflation, and independent windows",
		head:    []string{"Group or inflation"},
	}
	figures := table{
		caption: "Intervals of 80 % by group of assets and by inflation",
		class:   "dense",
		head: []string{"Group or inflation", "horizon", "forecasts", "windows that do not overlap", "blocks", "inside 80 %", "90 % interval of that", "mean width of ln M",
			"interval score"},
	}
	for _, h := range r.Horizons {
		t.head = append(t.head, yearsOf(h.Months))
		var rows []backtest.CoverageScore
		for _, p := range order {
			if c, ok := at[p][h.Months]; ok {
				rows = append(rows, c)
				figures.rows = append(figures.rows, cells(partName(c), yearsOf(h.Months), whole(c.Rows), decimal(c.Windows, 1), whole(c.Blocks), percent(c.Coverage[1], 1),
					decimal(100*c.Low80, 1)+" to "+percent(c.High80, 1), decimal(c.Width80, 3), decimal(c.IntervalScore80, 3)))
			}
		}
		pictures = append(pictures, coverageParts(h.Months, rows))
	}
	for _, p := range order {
		row := cells(partName(backtest.CoverageScore{By: p.by, Name: p.name}))
		for _, h := range r.Horizons {
			c, ok := at[p][h.Months]
			if !ok {
				row = append(row, cell{text: none})
				continue
			}
			row = append(row, cell{node: g.Group{
				g.Text(decimal(100*c.Coverage[0], 0) + " / " + decimal(100*c.Coverage[1], 0) + " / " + percent(c.Coverage[2], 0)),
				html.Small(g.Text(unit(decimal(c.Windows, 1), "windows"))),
			}})
		}
		t.rows = append(t.rows, row)
	}
	return g.Group{
		html.H3(g.Text("The 80" + nbsp + "% intervals by kind of asset, and in calm and in inflationary times")),
		panels("", "○ kinds of asset, ◆ inflation. Share of outcomes inside the 80"+nbsp+"% intervals of what is served ("+rungName(name)+"), with the 90"+nbsp+"% interval of that share. "+
			"Inflation: of consumer prices over the 12 months known at the forecast. Dashed: fewer than five blocks. Fewer than two windows: not drawn.", pictures...),
		t.node(),
		html.Details(html.Summary(g.Text("Widths and intervals as figures")), figures.node()),
	}
}

// partName names what a coverage is of.
func partName(c backtest.CoverageScore) string {
	if c.By == "inflation" {
		return "inflation " + strings.ReplaceAll(c.Name, " ", nbsp)
	}
	return c.Name
}

// coverageParts draws the coverage of 80 % intervals at one horizon, a row a
// part; nil if no part rests on enough windows.
func coverageParts(months int, parts []backtest.CoverageScore) g.Node {
	const left, right, top, row, bottom, want = 142.0, 46.0, 42.0, 21.0, 34.0, 0.8
	var rows []backtest.CoverageScore
	for _, c := range parts {
		if c.Windows >= fewWindows {
			rows = append(rows, c)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	c := &canvas{width: 400, height: top + row*float64(len(rows)) + bottom}
	x := scale{lo: 0.4, hi: 1, from: left, to: c.width - right}
	end := c.height - bottom
	c.text("heading", 0, 14, yearsOf(months))
	for _, v := range x.ticks(6) {
		c.line("grid-line", x.at(v), top-4, x.at(v), end)
		c.text("tick mid", x.at(v), end+13, percent(v, 0))
	}
	c.text("label mid", (x.from+x.to)/2, c.height-5, "outcomes inside")
	c.line("zero", x.at(want), top-8, x.at(want), end+2)
	c.text("tick mid", x.at(want), top-12, "promised")
	var told []string
	for i, p := range rows {
		y := top + row*(float64(i)+0.5)
		class := "core"
		if p.By == "inflation" {
			class = "served"
		}
		c.text("label end", left-8, y+4, partName(p))
		line := "interval " + class
		if p.Blocks < fewBlocks {
			line += " dashed"
		}
		c.line(line, x.at(p.Low80), y, x.at(p.High80), y)
		mark(c, class, x.at(p.Coverage[1]), y)
		c.text("value end", c.width-2, y+4, percent(p.Coverage[1], 0))
		told = append(told, partName(p)+" "+percent(p.Coverage[1], 0)+" ("+decimal(100*p.Low80, 0)+" to "+percent(p.High80, 0)+")")
	}
	return c.picture("chart", "Coverage of 80 % intervals at "+yearsOf(months)+" by part", strings.Join(told, "; ")+".")
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
