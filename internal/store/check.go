package store

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/pppq/pppq/internal/series"
)

// Severity orders findings; the higher, the worse.
type Severity int

const (
	// Note is worth knowing and needs nothing done.
	Note Severity = iota
	// Warning may weaken forecasts; look at it.
	Warning
	// Fault makes the series unfit for forecasts.
	Fault
)

func (s Severity) String() string {
	switch s {
	case Note:
		return "note"
	case Warning:
		return "warning"
	case Fault:
		return "fault"
	}
	return fmt.Sprintf("Severity(%d)", int(s))
}

// MarshalText writes the name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Check names what a Finding is about.
type CheckName string

const (
	CheckGap          CheckName = "gap"
	CheckStale        CheckName = "stale"
	CheckOutlier      CheckName = "outlier"
	CheckRepeatedRun  CheckName = "repeated-run"
	CheckRepeatedYear CheckName = "repeated-year"
	CheckRange        CheckName = "range"
	CheckRevisions    CheckName = "revisions"
	CheckDuplicates   CheckName = "duplicates"
	CheckSources      CheckName = "sources"
	CheckSampling     CheckName = "sampling"
)

// A Finding is one thing that a check noticed.
type Finding struct {
	Check    CheckName `json:"check"`
	Severity Severity  `json:"severity"`
	// Months are all that it concerns, ascending; Message names the first ones.
	Months  []series.Month `json:"months,omitempty"`
	Message string         `json:"message"`
}

// A SeriesReport is what the checks found in one series.
type SeriesReport struct {
	ID       string       `json:"id"`
	First    series.Month `json:"first"`
	Last     series.Month `json:"last"`
	Months   int          `json:"months"`
	Findings []Finding    `json:"findings,omitempty"`
}

// A Report is the quality of a whole data folder at a time.
type Report struct {
	Date series.Month `json:"month"`
	// Worst is the highest severity of all findings.
	Worst Severity `json:"worst"`
	// Counts of findings by severity.
	Notes    int            `json:"notes"`
	Warnings int            `json:"warnings"`
	Faults   int            `json:"faults"`
	Findings []Finding      `json:"findings,omitempty"`
	Series   []SeriesReport `json:"series"`
}

const (
	// outlierMADs is how many median absolute deviations from the median of its
	// own history a monthly change may lie; 8 are 5.4 standard deviations of a
	// normal distribution.
	outlierMADs = 8
	// recentMonths back from the newest figure an outlier, or a second gap, is a
	// warning; further back it is history.
	recentMonths = 24
	// runMonths is how many equal prices in a row look like a figure carried on.
	runMonths = 6
	// uselessMonths past its due month a series is a fault: nothing is held on
	// for longer.
	uselessMonths = 18
)

// Check looks for gaps, staleness, outliers, repetitions and mixtures in the
// newest vintages. now is when it is asked: a series is stale if its newest month
// is more than its lag plus one month older than the last complete month.
func Check(set *series.Set, now time.Time) Report {
	complete := series.DateOf(now).Month() - 1
	r := Report{Date: complete + 1}
	samplings := map[series.Sampling][]string{}
	for _, id := range set.IDs() {
		s, err := set.Get(id)
		if err != nil {
			continue // ids are the set's own
		}
		r.Series = append(r.Series, checkSeries(s, complete))
		if s.Role == series.RoleAsset && !isRate(s.Info) {
			samplings[s.Sampling] = append(samplings[s.Sampling], id)
		}
	}
	if ends, averages := samplings[series.End], samplings[series.Average]; len(ends) > 0 && len(averages) > 0 {
		r.Findings = append(r.Findings, Finding{Check: CheckSampling, Message: fmt.Sprintf(
			"prices are month ends in %s and averages in %s: an average moves less, so their volatilities don't compare as they are",
			strings.Join(ends, ", "), strings.Join(averages, ", "))})
	}
	for _, f := range r.all() {
		r.Worst = max(r.Worst, f.Severity)
		switch f.Severity {
		case Note:
			r.Notes++
		case Warning:
			r.Warnings++
		case Fault:
			r.Faults++
		}
	}
	return r
}

// all returns the findings of the folder and of every series.
func (r Report) all() []Finding {
	all := slices.Clone(r.Findings)
	for _, s := range r.Series {
		all = append(all, s.Findings...)
	}
	return all
}

// isRate reports whether figures are percentages, which may be 0 or less.
func isRate(info series.Info) bool { return strings.HasPrefix(info.Unit, "%") }

// isPrice reports whether figures are prices of something.
func isPrice(info series.Info) bool {
	return (info.Role == series.RoleAsset || info.Role == series.RoleGood) && !isRate(info)
}

func checkSeries(s *series.Series, complete series.Month) SeriesReport {
	view := s.Latest()
	r := SeriesReport{ID: s.ID, First: view.First, Last: view.Last()}
	for _, v := range view.Values {
		if v == v {
			r.Months++
		}
	}
	for _, check := range []func(*series.Series, series.View, series.Month) (Finding, bool){
		stale, gaps, outOfRange, outliers, repeatedRuns, repeatedYears, revisions, duplicates, sources,
	} {
		if f, ok := check(s, view, complete); ok {
			r.Findings = append(r.Findings, f)
		}
	}
	return r
}

// isPayments reports whether figures are what was paid out in a month; a month
// without a payment has none, however long that lasts.
func isPayments(info series.Info) bool {
	return info.Role == series.RoleIncome && info.Sampling == series.Whole
}

func stale(s *series.Series, view series.View, complete series.Month) (Finding, bool) {
	if isPayments(s.Info) {
		return Finding{}, false
	}
	due := complete - series.Month(s.Lag.Months)
	late := int(due - view.Last())
	if late <= 1 {
		return Finding{}, false
	}
	f := Finding{Check: CheckStale, Severity: Warning, Message: fmt.Sprintf(
		"newest figure is of %s, %d months older than %s, which is out by its usual lag of %d", view.Last(), late, due, s.Lag.Months)}
	if late > uselessMonths {
		f.Severity = Fault
	}
	return f, true
}

func gaps(s *series.Series, view series.View, _ series.Month) (Finding, bool) {
	if isPayments(s.Info) {
		return Finding{}, false
	}
	var months []series.Month
	recent := 0
	for i, v := range view.Values {
		if v != v {
			months = append(months, view.First+series.Month(i))
			if len(view.Values)-i <= recentMonths {
				recent++
			}
		}
	}
	if len(months) == 0 {
		return Finding{}, false
	}
	f := Finding{Check: CheckGap, Months: months, Message: fmt.Sprintf("%s without a figure: %s", count(len(months), "month"), spans(months))}
	if recent > 1 {
		f.Severity = Warning
	}
	return f, true
}

// outOfRange finds figures that can't be: prices and index levels are above 0,
// income is not below 0; rates and earnings may be anything.
func outOfRange(s *series.Series, view series.View, _ series.Month) (Finding, bool) {
	if isRate(s.Info) || s.Sampling == series.Trailing12 && s.Role != series.RoleIncome {
		return Finding{}, false
	}
	var months []series.Month
	for i, v := range view.Values {
		if v < 0 || v == 0 && s.Role != series.RoleIncome {
			months = append(months, view.First+series.Month(i))
		}
	}
	if len(months) == 0 {
		return Finding{}, false
	}
	return Finding{Check: CheckRange, Severity: Fault, Months: months,
		Message: "figures that are not above 0: " + spans(months)}, true
}

// outliers finds monthly changes far outside the series' own history:
// logarithmic ones, or plain differences of percentages.
func outliers(s *series.Series, view series.View, _ series.Month) (Finding, bool) {
	if s.Role == series.RoleIncome {
		return Finding{}, false
	}
	type change struct {
		month series.Month
		by    float64
	}
	var changes []change
	for i := 1; i < len(view.Values); i++ {
		by := view.Values[i] - view.Values[i-1]
		if !isRate(s.Info) {
			by = math.Log(view.Values[i] / view.Values[i-1])
		}
		if !math.IsNaN(by) && !math.IsInf(by, 0) {
			changes = append(changes, change{view.First + series.Month(i), by})
		}
	}
	if len(changes) < 36 {
		return Finding{}, false
	}
	values := make([]float64, len(changes))
	for i, c := range changes {
		values[i] = c.by
	}
	center := median(values)
	for i := range values {
		values[i] = math.Abs(changes[i].by - center)
	}
	mad := median(values)
	if mad == 0 {
		return Finding{}, false
	}
	var months []series.Month
	var worst change
	severity := Note
	for _, c := range changes {
		if math.Abs(c.by-center) <= outlierMADs*mad {
			continue
		}
		months = append(months, c.month)
		if math.Abs(c.by-center) > math.Abs(worst.by-center) || worst.month == 0 {
			worst = c
		}
		if view.Last()-c.month < recentMonths {
			severity = Warning
		}
	}
	if len(months) == 0 {
		return Finding{}, false
	}
	size := fmt.Sprintf("%+.1f %%", 100*math.Expm1(worst.by))
	if isRate(s.Info) {
		size = fmt.Sprintf("%+.2f points", worst.by)
	}
	return Finding{Check: CheckOutlier, Severity: severity, Months: months, Message: fmt.Sprintf(
		"%s beyond %d median absolute deviations, the largest %s in %s: %s",
		count(len(months), "change"), outlierMADs, size, worst.month, spans(months))}, true
}

// repeatedRuns finds prices that stand still for months.
func repeatedRuns(s *series.Series, view series.View, _ series.Month) (Finding, bool) {
	if !isPrice(s.Info) {
		return Finding{}, false
	}
	var months []series.Month
	start := 0
	for i := 1; i <= len(view.Values); i++ {
		if i < len(view.Values) && view.Values[i] == view.Values[start] {
			continue
		}
		if i-start >= runMonths {
			for j := start; j < i; j++ {
				months = append(months, view.First+series.Month(j))
			}
		}
		start = i
	}
	if len(months) == 0 {
		return Finding{}, false
	}
	return Finding{Check: CheckRepeatedRun, Severity: Warning, Months: months, Message: fmt.Sprintf(
		"the same price for %d months or more: %s", runMonths, spans(months))}, true
}

// repeatedYears finds a calendar year that equals an earlier one month by month,
// as a slip in copying makes it. Years of one and the same figure don't count.
func repeatedYears(_ *series.Series, view series.View, _ series.Month) (Finding, bool) {
	seen := map[[12]float64]int{}
	var months []series.Month
	var pairs []string
	for m := series.Of(view.First.Year(), time.January); m <= view.Last(); m += 12 {
		var year [12]float64
		constant := true
		for i := range year {
			year[i] = view.At(m + series.Month(i))
			constant = constant && year[i] == year[0]
		}
		if constant || slices.ContainsFunc(year[:], math.IsNaN) {
			continue
		}
		if other, ok := seen[year]; ok {
			pairs = append(pairs, fmt.Sprintf("%d as %d", m.Year(), other))
			for i := range series.Month(12) {
				months = append(months, m+i)
			}
			continue
		}
		seen[year] = m.Year()
	}
	if len(pairs) == 0 {
		return Finding{}, false
	}
	return Finding{Check: CheckRepeatedYear, Severity: Warning, Months: months,
		Message: "years that equal another month by month: " + strings.Join(pairs, ", ")}, true
}

// revisions counts the figures that replaced others.
func revisions(s *series.Series, _ series.View, _ series.Month) (Finding, bool) {
	months, _ := laterVintages(s)
	if len(months) == 0 {
		return Finding{}, false
	}
	return Finding{Check: CheckRevisions, Months: months,
		Message: fmt.Sprintf("%s revised: %s", count(len(months), "month"), spans(months))}, true
}

// duplicates counts later vintages that repeat the figure before them.
func duplicates(s *series.Series, _ series.View, _ series.Month) (Finding, bool) {
	_, months := laterVintages(s)
	if len(months) == 0 {
		return Finding{}, false
	}
	return Finding{Check: CheckDuplicates, Months: months,
		Message: fmt.Sprintf("%s with a later vintage of the same value: %s", count(len(months), "month"), spans(months))}, true
}

// laterVintages returns the months whose figure changed, and those for which
// the same figure was written again, each ascending and once.
func laterVintages(s *series.Series) (changed, repeated []series.Month) {
	last := map[series.Month]float64{}
	for _, o := range s.Observations() {
		if v, ok := last[o.Period]; ok {
			if v == o.Value {
				repeated = append(repeated, o.Period)
			} else {
				changed = append(changed, o.Period)
			}
		}
		last[o.Period] = o.Value
	}
	slices.Sort(changed)
	slices.Sort(repeated)
	return slices.Compact(changed), slices.Compact(repeated)
}

// sources notes that figures come from more than one place.
func sources(s *series.Series, _ series.View, _ series.Month) (Finding, bool) {
	counts := map[string]int{}
	var names []string
	for _, o := range s.Observations() {
		if counts[o.Source] == 0 {
			names = append(names, o.Source)
		}
		counts[o.Source]++
	}
	if len(names) < 2 {
		return Finding{}, false
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	for i, n := range names {
		names[i] = fmt.Sprintf("%d from %s", counts[n], n)
	}
	return Finding{Check: CheckSources, Message: "figures of several sources: " + strings.Join(names, "; ")}, true
}

// median of values, which it reorders.
func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	if n%2 == 1 {
		return values[n/2]
	}
	return (values[n/2-1] + values[n/2]) / 2
}

// spans writes ascending months as runs, "2020-01, 2020-03 to 2020-05", at most
// eight of them.
func spans(months []series.Month) string {
	const most = 8
	var parts []string
	for i := 0; i < len(months); {
		j := i
		for j+1 < len(months) && months[j+1] == months[j]+1 {
			j++
		}
		part := months[i].String()
		if j > i {
			part += " to " + months[j].String()
		}
		if len(parts) == most {
			return fmt.Sprintf("%s and %d more", strings.Join(parts, ", "), len(months)-i)
		}
		parts = append(parts, part)
		i = j + 1
	}
	return strings.Join(parts, ", ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
