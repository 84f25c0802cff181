package web

import (
	"math"
	"strconv"
	"strings"

	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
)

const (
	nbsp  = "\u00a0" // keeps a number and its unit on one line
	minus = "\u2212"
	none  = "\u2013" // stands for a figure that is missing
)

// decimal writes a number with a fixed number of digits, thousands apart and a
// true minus sign; NaN and infinities are a dash.
func decimal(x float64, digits int) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return none
	}
	s := strconv.FormatFloat(math.Abs(x), 'f', digits, 64)
	whole, rest := s, ""
	if i := strings.IndexByte(s, '.'); i >= 0 {
		whole, rest = s[:i], s[i:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if x < 0 && strings.Trim(s, "0.") != "" {
		return minus + whole + rest
	}
	return whole + rest
}

// signed is decimal with a plus sign for what is above 0.
func signed(x float64, digits int) string {
	s := decimal(x, digits)
	if x > 0 && strings.ContainsAny(s, "123456789") {
		return "+" + s
	}
	return s
}

// percent writes a share, 0.01 as 1 %.
func percent(share float64, digits int) string { return unit(decimal(100*share, digits), "%") }

// signedPercent is percent with a plus sign for what is above 0.
func signedPercent(share float64, digits int) string { return unit(signed(100*share, digits), "%") }

// unit puts a unit behind a number, none behind a missing one.
func unit(number, unit string) string {
	if number == none {
		return none
	}
	return number + nbsp + unit
}

// chance writes a probability in whole per cent; what is not certain is never
// rounded to a certainty.
func chance(p float64) string {
	switch {
	case p > 0 && p < 0.01:
		return unit("< 1", "%")
	case p < 1 && p > 0.99:
		return unit("> 99", "%")
	}
	return percent(p, 0)
}

// significant are the digits that show about three figures of x.
func significant(x float64) int {
	switch x = math.Abs(x); {
	case x >= 100:
		return 0
	case x >= 10:
		return 1
	case x >= 0.1:
		return 2
	}
	return 3
}

// figures rounds what is large to three figures: more would feign knowledge.
func figures(x float64) float64 {
	if !(math.Abs(x) >= 1000) || math.IsInf(x, 0) {
		return x
	}
	unit := math.Pow(10, math.Floor(math.Log10(math.Abs(x)))-2)
	return math.Round(x/unit) * unit
}

// times writes a multiple of purchasing power.
func times(x float64) string {
	if s := decimal(figures(x), significant(x)); s != none {
		return s + "×"
	}
	return none
}

// between writes the 80 % interval of a multiple.
func between(m forecast.Range) string {
	return strings.TrimSuffix(times(m.P10), "×") + none + times(m.P90)
}

// dollars writes a sum, three figures of it.
func dollars(x float64) string {
	switch {
	case x >= 1e6:
		return unit(short(x/1e6), "million"+nbsp+"$")
	case x >= 10:
		return unit(decimal(figures(x), 0), "$")
	}
	return unit(short(x), "$")
}

// axisDollars is dollars for the narrow margin of a picture.
func axisDollars(x float64) string {
	if x >= 1e6 {
		return unit(short(x/1e6), "mln"+nbsp+"$")
	}
	return dollars(x)
}

// short writes about three figures without zeros that say nothing.
func short(x float64) string {
	s := decimal(x, significant(x))
	if strings.Contains(s, ".") {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return s
}

func whole(n int) string { return decimal(float64(n), 0) }

// plural writes a count with its noun.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1" + nbsp + one
	}
	return whole(n) + nbsp + many
}

// yearsOf writes a horizon in years.
func yearsOf(months int) string {
	if months == 12 {
		return "1" + nbsp + "year"
	}
	return strconv.FormatFloat(float64(months)/12, 'f', -1, 64) + nbsp + "years"
}

// monthName writes "July 2026"; the zero Month is a dash.
func monthName(m series.Month) string {
	if m == 0 {
		return none
	}
	return m.Month().String() + nbsp + strconv.Itoa(m.Year())
}

// list joins words as a sentence does.
func list(words []string) string {
	switch n := len(words); n {
	case 0:
		return ""
	case 1:
		return words[0]
	default:
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
}

// A tier is a class as a reader sees it.
type tier struct {
	letter, words string
	// class is the CSS class that colours it.
	class string
}

// tierOf names a class; one that is not known keeps its name.
func tierOf(class string) tier {
	switch class {
	case power.Preserver.String():
		return tier{"A", "keeps it", "tier-a"}
	case power.Partial.String():
		return tier{"B", "keeps most", "tier-b"}
	case power.Eroder.String():
		return tier{"C", "erodes", "tier-c"}
	case power.Destroyer.String():
		return tier{"D", "destroys", "tier-d"}
	}
	return tier{class, "", "tier-none"}
}

// tiers are all classes from best to worst.
func tiers() [power.NumClasses]tier {
	var out [power.NumClasses]tier
	for c := range out {
		out[c] = tierOf(power.Class(c).String())
	}
	return out
}

// evidenceMeaning says in words what a grade rests on.
func evidenceMeaning(e forecast.Evidence) string {
	switch e {
	case forecast.Sufficient:
		return "five or more stretches of this length, none overlapping another, are on record"
	case forecast.Thin:
		return "two to five such stretches"
	case forecast.Insufficient:
		return "fewer than two: hardly more than a guess"
	}
	return ""
}

// rungName is the short name of a kind of forecast in tables and pictures.
func rungName(rung string) string {
	switch rung {
	case "climatology_pooled":
		return "base rate, pooled"
	case "climatology_asset":
		return "base rate, own"
	case "climatology_partial":
		return "base rate, mixed"
	case "persistence":
		return "last window"
	case "historical_core":
		return "historical core"
	case "carry_core":
		return "carry core"
	case "class_trees":
		return "class trees"
	case "mean_trees":
		return "mean trees"
	}
	return rung
}

// fewBlocks is the number of blocks under which a bootstrap interval is itself
// unreliable.
const fewBlocks = 5

// fewWindows is the number of windows under which nothing is judged.
const fewWindows = 2

// skillValue writes a skill, as per cent of the reference's error or, where
// that is too small for a ratio, as a difference of scores.
func skillValue(s backtest.Skill) string {
	if s.Difference {
		return unit(signed(s.Value, 4), "RPS")
	}
	return signedPercent(s.Value, 1)
}

// skillRange writes the interval of a skill.
func skillRange(s backtest.Skill) string {
	if s.Difference {
		return signed(s.Low, 4) + " to " + unit(signed(s.High, 4), "RPS")
	}
	return signed(100*s.Low, 1) + " to " + signedPercent(s.High, 1)
}

// A verdict says what a skill and its interval allow to be said.
type verdict struct {
	mark, words, class string
}

// judge reads a skill that rests on a number of windows which do not overlap.
func judge(s backtest.Skill, windows float64) verdict {
	switch {
	case windows < fewWindows:
		return verdict{"·", "too short a record to judge", "unsure"}
	case s.High < 0:
		return verdict{"▼", "worse", "worse"}
	case s.Value <= 0:
		return verdict{"▽", "not better", "worse"}
	case s.Low > 0 && s.Blocks >= fewBlocks:
		return verdict{"▲", "better", "better"}
	case s.Low > 0:
		return verdict{"△", "better so far, interval unreliable", "unsure"}
	}
	return verdict{"△", "not clearly better", "unsure"}
}
