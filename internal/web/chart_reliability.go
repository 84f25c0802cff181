package web

import (
	"fmt"
	"math"
	"strings"

	g "maragu.dev/gomponents"

	"github.com/pppq/pppq/internal/backtest"
)

// reliabilityChart shows how often a loss came true where it was forecast with
// a probability: on the diagonal the forecast kept its word. There must be at
// least one point.
func reliabilityChart(h backtest.HorizonReport) g.Node {
	const left, top, side = 54.0, 30.0, 250.0
	c := &canvas{width: left + side + 24, height: top + side + 46}
	x := scale{lo: 0, hi: 1, from: left, to: left + side}
	y := scale{lo: 0, hi: 1, from: top + side, to: top}
	c.text("heading", 0, 14, yearsOf(h.Months))
	for _, v := range []float64{0, 0.2, 0.4, 0.6, 0.8, 1} {
		c.line("grid-line", x.at(v), top, x.at(v), top+side)
		c.line("grid-line", left, y.at(v), left+side, y.at(v))
		c.text("tick mid", x.at(v), top+side+14, percent(v, 0))
		c.text("tick end", left-5, y.at(v)+4, percent(v, 0))
	}
	c.line("diagonal", x.at(0), y.at(0), x.at(1), y.at(1))
	c.text("label mid", left+side/2, c.height-6, "probability of loss forecast")
	c.sideways("label mid", 10, top+side/2, "share that lost")
	least, most := h.Reliability[0].Rows, 1
	for _, b := range h.Reliability {
		least, most = min(least, b.Rows), max(most, b.Rows)
	}
	count := whole(least)
	if most > least {
		count += none + whole(most)
	}
	c.text("tick end", left+side, 14, "n = "+count+" a point")
	told := make([]string, 0, len(h.Reliability))
	var line polyline
	for _, b := range h.Reliability {
		line.to(x.at(b.Forecast), y.at(b.Seen))
	}
	c.path("curve served", line.String())
	for _, b := range h.Reliability {
		c.circle("mark served", x.at(b.Forecast), y.at(b.Seen), 2.5+3*math.Sqrt(float64(b.Rows)/float64(most)))
		told = append(told, fmt.Sprintf("forecast %s, seen %s, n %s", percent(b.Forecast, 0), percent(b.Seen, 0), whole(b.Rows)))
	}
	return c.picture("chart", "Reliability at "+yearsOf(h.Months), strings.Join(told, "; ")+".")
}

// reliabilityTable lists the points of the pictures.
func reliabilityTable(r *backtest.Report) g.Node {
	t := table{
		caption: "Forecast and seen share of losses, by horizon",
		head:    []string{"Horizon", "forecast", "seen", "difference", "asset months (n)", "windows that do not overlap"},
	}
	for _, h := range r.Horizons {
		for _, b := range h.Reliability {
			t.rows = append(t.rows, cells(yearsOf(h.Months), percent(b.Forecast, 1), percent(b.Seen, 1),
				unit(signed(100*(b.Seen-b.Forecast), 1), "points"), whole(b.Rows), decimal(float64(b.Rows)/float64(h.Months), 1)))
		}
	}
	return t.node()
}
