package web

import (
	"fmt"
	"strings"
	"unicode/utf8"

	g "maragu.dev/gomponents"

	"github.com/pppq/pppq/internal/backtest"
)

// A lossLine is the reliability of one probability of loss at one horizon.
type lossLine struct {
	name string
	// class colours the line and the marks.
	class string
	bins  []backtest.ReliabilityBin
}

// lossLines are those of any loss and of the deeper ones, where the report has
// them, for the ensemble.
func lossLines(r *backtest.Report, h backtest.HorizonReport) []lossLine {
	var out []lossLine
	if len(h.Reliability) > 0 {
		out = append(out, lossLine{"any loss", "served", h.Reliability})
	}
	for _, d := range r.DeepLosses {
		if d.Months == h.Months && d.Rung == "ensemble" && len(d.Bins) > 0 {
			class := "deep"
			if d.Below < 0.8 {
				class = "deepest"
			}
			out = append(out, lossLine{deeper(d.Below), class, d.Bins})
		}
	}
	return out
}

// deeper names a loss by what is left at most.
func deeper(below float64) string { return "more than " + percent(1-below, 0) }

// reliabilityChart shows how often a loss came true where it was forecast with
// a probability: on the diagonal the forecast kept its word. There must be at
// least one line.
func reliabilityChart(months int, lines []lossLine) g.Node {
	const left, top, side = 54.0, 46.0, 250.0
	c := &canvas{width: left + side + 24, height: top + side + 46}
	x := scale{lo: 0, hi: 1, from: left, to: left + side}
	y := scale{lo: 0, hi: 1, from: top + side, to: top}
	c.text("heading", 0, 14, yearsOf(months))
	for _, v := range []float64{0, 0.2, 0.4, 0.6, 0.8, 1} {
		c.line("grid-line", x.at(v), top, x.at(v), top+side)
		c.line("grid-line", left, y.at(v), left+side, y.at(v))
		c.text("tick mid", x.at(v), top+side+14, percent(v, 0))
		c.text("tick end", left-5, y.at(v)+4, percent(v, 0))
	}
	c.line("diagonal", x.at(0), y.at(0), x.at(1), y.at(1))
	c.text("label mid", left+side/2, c.height-6, "probability forecast")
	c.sideways("label mid", 10, top+side/2, "share seen")
	count := 0
	var told []string
	at := left
	for _, l := range lines {
		lossMark(c, l.class, at+4, top-14)
		c.text("tick", at+12, top-10, l.name)
		at += 24 + 5.6*float64(utf8.RuneCountInString(l.name))
		var line polyline
		for _, b := range l.bins {
			count += b.Rows
			line.to(x.at(b.Forecast), y.at(b.Seen))
		}
		c.path("curve "+l.class, line.String())
		for _, b := range l.bins {
			lossMark(c, l.class, x.at(b.Forecast), y.at(b.Seen))
			told = append(told, fmt.Sprintf("%s: forecast %s, seen %s, n %s", l.name, percent(b.Forecast, 0), percent(b.Seen, 0), whole(b.Rows)))
		}
	}
	c.text("tick end", left+side, 14, "n = "+whole(count/len(lines)))
	return c.picture("chart", "Reliability at "+yearsOf(months), strings.Join(told, "; ")+".")
}

// lossMark is a dot for any loss, a diamond for a deep one, a square for the
// deepest, so that colour is not needed to tell them apart.
func lossMark(c *canvas, class string, x, y float64) {
	switch class {
	case "served":
		c.circle("mark "+class, x, y, 4.2)
	case "deep":
		c.diamond("mark "+class, x, y, 5.2)
	default:
		c.rect("mark "+class, x-3.6, y-3.6, 7.2, 7.2)
	}
}

// reliabilityTable lists the points of the pictures.
func reliabilityTable(r *backtest.Report) g.Node {
	t := table{
		caption: "Forecast and seen share of losses, by horizon",
		head:    []string{"Horizon", "loss", "forecast", "seen", "difference", "asset months (n)", "windows that do not overlap"},
	}
	for _, h := range r.Horizons {
		for _, l := range lossLines(r, h) {
			for _, b := range l.bins {
				t.rows = append(t.rows, cells(yearsOf(h.Months), l.name, percent(b.Forecast, 1), percent(b.Seen, 1),
					unit(signed(100*(b.Seen-b.Forecast), 1), "points"), whole(b.Rows), decimal(float64(b.Rows)/float64(h.Months), 1)))
			}
		}
	}
	return t.node()
}
