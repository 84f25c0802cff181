package web

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/series"
)

func TestScale(t *testing.T) {
	t.Parallel()
	down := scale{lo: 0, hi: 1, from: 100, to: 0}
	logs := scale{lo: 1, hi: 100, from: 0, to: 200, log: true}
	for _, c := range []struct{ got, want float64 }{
		{down.at(0.25), 75}, {down.at(-3), 100}, {down.at(7), 0}, {logs.at(10), 100}, {logs.at(0), 0}, {logs.at(1e9), 200},
	} {
		if math.Abs(c.got-c.want) > 1e-9 {
			t.Errorf("got %v, want %v", c.got, c.want)
		}
	}
}

func TestTicks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ got, want []float64 }{
		"tenths":       {scale{lo: -0.05, hi: 0.23}.ticks(5), []float64{0, 0.1, 0.2}},
		"ends":         {scale{lo: 0, hi: 1}.ticks(5), []float64{0, 0.2, 0.4, 0.6, 0.8, 1}},
		"no span":      {scale{lo: 1, hi: 1}.ticks(5), nil},
		"1 2 5":        {scale{lo: 9, hi: 110, log: true}.decades(8), []float64{10, 20, 50, 100}},
		"short":        {scale{lo: 80, hi: 155, log: true}.decades(8), []float64{80, 100, 120, 140}},
		"long":         {scale{lo: 1, hi: 1e6, log: true}.decades(8), []float64{1, 10, 100, 1e3, 1e4, 1e5, 1e6}},
		"very long":    {scale{lo: 1e-12, hi: 1e12, log: true}.decades(5), []float64{1e-10, 1e-5, 1, 1e5, 1e10}},
		"upside down":  {scale{lo: 10, hi: 1, log: true}.decades(5), nil},
		"below zero":   {scale{lo: -1, hi: 1, log: true}.decades(5), nil},
		"without ends": {scale{lo: math.Inf(1), hi: math.Inf(-1), log: true}.decades(5), nil},
	} {
		if !slices.EqualFunc(c.got, c.want, func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(1, math.Abs(b)) }) {
			t.Errorf("%s: got %v, want %v", name, c.got, c.want)
		}
	}
	var years []int
	for _, m := range yearTicks(series.Of(1985, 1), series.Of(2026, 9), 6) {
		years = append(years, m.Year())
	}
	if want := []int{1990, 2000, 2010, 2020}; !slices.Equal(years, want) {
		t.Errorf("years %v, want %v", years, want)
	}
}

// TestPolyline reads paths back with a plain parser: every point is where it
// was put, to a tenth, and small steps do not add up to a large error.
func TestPolyline(t *testing.T) {
	t.Parallel()
	var p polyline
	var want [][2]float64
	for i := range 500 {
		x, y := 0.333*float64(i), 50+40*math.Sin(float64(i)/7)
		if i == 250 {
			p.lift()
		}
		p.to(x, y)
		want = append(want, [2]float64{x, y})
	}
	got := readPath(t, p.String())
	if len(got) != len(want) {
		t.Fatalf("%d points, want %d", len(got), len(want))
	}
	for i := range got {
		if math.Abs(got[i][0]-want[i][0]) > 0.0501 || math.Abs(got[i][1]-want[i][1]) > 0.0501 {
			t.Fatalf("point %d is %v, want %v", i, got[i], want[i])
		}
	}
	if n := strings.Count(p.String(), "M"); n != 2 {
		t.Errorf("%d runs, want 2", n)
	}
	var odd polyline
	odd.to(math.NaN(), math.Inf(1))
	odd.to(-0.04, 0.3)
	odd.to(-12.5, -0.1)
	if got := odd.String(); got != "M0 0l0 .3-12.5-.4" {
		t.Errorf("path %q", got)
	}
}

// readPath follows the commands M and l.
func readPath(t *testing.T, d string) [][2]float64 {
	t.Helper()
	var (
		out     [][2]float64
		command byte
		x, y    float64
		pair    []float64
	)
	for i := 0; i < len(d); {
		switch c := d[i]; {
		case c == ' ':
			i++
			continue
		case unicode.IsLetter(rune(c)):
			command = c
			i++
			continue
		}
		j, dot := i+1, d[i] == '.'
		for j < len(d) && (d[j] >= '0' && d[j] <= '9' || d[j] == '.' && !dot) {
			dot = dot || d[j] == '.'
			j++
		}
		v, err := strconv.ParseFloat(d[i:j], 64)
		if err != nil {
			t.Fatalf("path number %q: %v", d[i:j], err)
		}
		i = j
		if pair = append(pair, v); len(pair) == 2 {
			if command == 'M' {
				x, y = pair[0], pair[1]
			} else {
				x, y = x+pair[0], y+pair[1]
			}
			out = append(out, [2]float64{x, y})
			pair = pair[:0]
		}
	}
	return out
}

func TestApart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want []float64 }{
		"free":      {[]float64{10, 50, 90}, []float64{10, 50, 90}},
		"crowded":   {[]float64{50, 51, 52}, []float64{50, 64, 78}},
		"at bottom": {[]float64{97, 98, 99}, []float64{72, 86, 100}},
		"at top":    {[]float64{-5, 0, 1}, []float64{0, 14, 28}},
	} {
		got := slices.Clone(c.in)
		apart(got, 14, 0, 100)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	first := series.Of(2000, 1)
	r := newRecord(forecast.AssetHistory{
		ID:      "Tin",
		Real:    series.View{First: first, Values: []float64{nan, 200, 100, 400, 100, nan, 300}},
		Nominal: series.View{First: first, Values: []float64{50, 50, 30, 130, 40, 45, 200}},
	})
	if r == nil {
		t.Fatal("no record")
	}
	if r.from != first+1 || r.to != first+6 || r.top != first+3 || r.peak != first+3 || r.trough != first+4 || r.deepest != -0.75 {
		t.Errorf("record %+v", r)
	}
	want := []float64{0, -0.5, 0, -0.75, nan, -0.25}
	for i, d := range r.drawdown {
		if d != want[i] && !(math.IsNaN(d) && math.IsNaN(want[i])) {
			t.Errorf("drawdown %v, want %v", r.drawdown, want)
			break
		}
	}
	text := strings.ReplaceAll(r.words(), nbsp, " ")
	if want := "100 $ put into Tin in February 2000 became 400 $ by July 2000. In the purchasing power of February 2000 that is 150 $. " +
		"The deepest loss of purchasing power on the way was 75 %, from April 2000 to May 2000. Now it stands 25 % under its highest real value, which was in April 2000."; text != want {
		t.Errorf("got %q\nwant %q", text, want)
	}
	if r := newRecord(forecast.AssetHistory{ID: "New", Real: series.View{First: first, Values: []float64{1}}, Nominal: series.View{First: first, Values: []float64{1}}}); r != nil {
		t.Errorf("one month gave a record: %+v", r)
	}
	if r := newRecord(forecast.AssetHistory{ID: "None"}); r != nil {
		t.Errorf("no figures gave a record: %+v", r)
	}
}
