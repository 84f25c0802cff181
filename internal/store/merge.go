package store

import (
	"fmt"
	"slices"
	"time"

	"github.com/pppq/pppq/internal/series"
)

// A Revision is a figure that replaced another one of its month.
type Revision struct {
	Month series.Month `json:"month"`
	Old   float64      `json:"old"`
	New   float64      `json:"new"`
	// KnownFrom is the day, YYYY-MM-DD, from which the new figure is used.
	KnownFrom string `json:"known_from"`
}

// Merged says what adding figures to a series did, or in a dry run would do.
type Merged struct {
	Series string `json:"series"`
	// New is set if the folder did not hold the series before.
	New bool `json:"new"`
	// Added months had no figure before; those in GapsFilled lie between others.
	Added      int            `json:"added"`
	GapsFilled []series.Month `json:"gaps_filled,omitempty"`
	Revised    []Revision     `json:"revised,omitempty"`
	// Unchanged figures were already held.
	Unchanged int `json:"unchanged"`
	// First, Last and Months describe the series afterwards; Trailing is the
	// number of months up to Last without a gap.
	First    series.Month `json:"first"`
	Last     series.Month `json:"last"`
	Months   int          `json:"months"`
	Trailing int          `json:"trailing"`
}

// mergeRules say how figures enter a series that holds others.
type mergeRules struct {
	// now is the day from which a figure that comes late is known, and the time
	// at which it is written down.
	now time.Time
	// gapsAreLate dates a figure between the first and the last held month from
	// now on: later months were published before it. Without it such a figure
	// counts as known from its own KnownFrom.
	gapsAreLate bool
	// keepSuperseded passes over a figure that the series held and replaced.
	keepSuperseded bool
}

// merge finds the observations to append. KnownFrom of figures is the day from
// which each counts as known if its month was never seen; one figure a month.
// A changed figure is known from now on, later than every vintage before it.
// held is nil for a new series, which takes the figures as they are.
func merge(held *seriesFile, info series.Info, figures []series.Observation, r mergeRules) ([]series.Observation, Merged, error) {
	result := Merged{Series: info.ID, New: held == nil}
	var added, before []series.Observation
	if held == nil {
		result.Added = len(figures)
		added = slices.Clone(figures)
	} else {
		added = late(held, figures, r, &result)
		before = held.series.Observations()
	}
	s := (*series.Series)(nil)
	if held != nil && len(added) == 0 {
		s = held.series
	} else {
		var err error
		if s, err = series.New(info, slices.Concat(before, added)); err != nil {
			return nil, result, err
		}
	}
	result.First, result.Last = s.First(), s.Last()
	view := s.Latest()
	run := 0
	for _, v := range view.Values {
		if v != v {
			run = 0
			continue
		}
		run++
		result.Months++
	}
	result.Trailing = run
	return added, result, nil
}

// late dates the figures that the held series lacks.
func late(held *seriesFile, figures []series.Observation, r mergeRules, result *Merged) []series.Observation {
	obs := held.series.Observations()
	// newest[i] is the newest vintage of month First+i, -1 if there is none.
	newest := make([]int, held.series.Last()-held.series.First()+1)
	for i := range newest {
		newest[i] = -1
	}
	for i, o := range obs {
		newest[o.Period-held.series.First()] = i
	}
	today := series.DateOf(r.now)
	// A clock that went back, or two additions in one second, must not undo the
	// order of the file.
	retrieved := r.now.UTC().Truncate(time.Second)
	if !retrieved.After(held.retrieved) {
		retrieved = held.retrieved.Add(time.Second)
	}
	type figure struct {
		period series.Month
		value  float64
	}
	// superseded is made when it is first needed: mostly nothing differs.
	var superseded map[figure]bool
	var added []series.Observation
	for _, o := range figures {
		o.RetrievedAt = retrieved
		i := int(o.Period - held.series.First())
		if i < 0 || i >= len(newest) || newest[i] < 0 {
			result.Added++
			if o.Period > held.series.First() && o.Period < held.series.Last() {
				result.GapsFilled = append(result.GapsFilled, o.Period)
				if r.gapsAreLate {
					o.KnownFrom = max(o.KnownFrom, today)
				}
			}
			added = append(added, o)
			continue
		}
		last := obs[newest[i]]
		if last.Value != o.Value && r.keepSuperseded && superseded == nil {
			superseded = make(map[figure]bool, len(obs))
			for _, o := range obs {
				superseded[figure{o.Period, o.Value}] = true
			}
		}
		if last.Value == o.Value || superseded[figure{o.Period, o.Value}] {
			result.Unchanged++
			continue
		}
		o.KnownFrom = max(o.KnownFrom, today, last.KnownFrom+1)
		added = append(added, o)
		result.Revised = append(result.Revised, Revision{
			Month: o.Period, Old: last.Value, New: o.Value, KnownFrom: o.KnownFrom.String(),
		})
	}
	return added
}

// String is one line for people.
func (m Merged) String() string {
	s := fmt.Sprintf("%s: %d added, %d revised, %d unchanged", m.Series, m.Added, len(m.Revised), m.Unchanged)
	if m.Months > 0 {
		s += fmt.Sprintf("; now %s, %s to %s", count(m.Months, "month"), m.First, m.Last)
	}
	return s
}
