package store

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/pppq/pppq/internal/series"
)

// A Summary is what one series is and holds.
type Summary struct {
	ID       string          `json:"id"`
	Title    string          `json:"title"`
	Unit     string          `json:"unit"`
	Sampling series.Sampling `json:"sampling"`
	Lag      string          `json:"lag"`
	Role     series.Role     `json:"role"`
	Months   int             `json:"months"`
	Gaps     int             `json:"gaps"`
	// Revisions are vintages beyond the first of each month.
	Revisions int          `json:"revisions"`
	First     series.Month `json:"first"`
	Last      series.Month `json:"last"`
	// NewestKnownFrom is the day, YYYY-MM-DD, from which the newest vintage is used.
	NewestKnownFrom string `json:"newest_known_from"`
	Source          string `json:"source"`
	Licence         string `json:"licence"`
}

// Summarize describes every series of a set, in the order of their ids.
func Summarize(set *series.Set) []Summary {
	all := make([]Summary, 0, len(set.IDs()))
	for _, id := range set.IDs() {
		s, err := set.Get(id)
		if err != nil {
			continue // ids are the set's own
		}
		view, obs := s.Latest(), s.Observations()
		sum := Summary{
			ID: s.ID, Title: s.Title, Unit: s.Unit, Sampling: s.Sampling, Lag: s.Lag.String(), Role: s.Role,
			First: view.First, Last: view.Last(), NewestKnownFrom: obs[len(obs)-1].KnownFrom.String(),
			Source: s.Source, Licence: s.Licence,
		}
		for _, v := range view.Values {
			if v == v {
				sum.Months++
			} else {
				sum.Gaps++
			}
		}
		sum.Revisions = len(obs) - sum.Months
		all = append(all, sum)
	}
	return all
}

// WriteSummaries writes a table of the series, and below it their sources and
// licences, for people.
func WriteSummaries(w io.Writer, all []Summary) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "series\tmonths\tgaps\trevised\tfrom\tto\tknown from\tsampling\tlag\tunit\ttitle")
	type origin struct{ source, licence string }
	ids := map[origin][]string{}
	var origins []origin
	for _, s := range all {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			s.ID, s.Months, s.Gaps, s.Revisions, s.First, s.Last, s.NewestKnownFrom, s.Sampling, s.Lag, s.Unit, s.Title)
		o := origin{s.Source, s.Licence}
		if !slices.Contains(origins, o) {
			origins = append(origins, o)
		}
		ids[o] = append(ids[o], s.ID)
	}
	fmt.Fprintln(t)
	if err := t.Flush(); err != nil {
		return err
	}
	for _, o := range origins {
		if _, err := fmt.Fprintf(w, "%s: %s\n    licence: %s\n", strings.Join(ids[o], ", "), o.source, o.licence); err != nil {
			return err
		}
	}
	return nil
}

// WriteText writes the report for people: a line a series, its findings below.
func (r Report) WriteText(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d series, looked at in %s: %s, %s, %s\n",
		len(r.Series), r.Date, count(r.Faults, "fault"), count(r.Warnings, "warning"), count(r.Notes, "note"))
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range r.Findings {
		fmt.Fprintf(t, "  %s\t%s\t%s\n", f.Severity, f.Check, f.Message)
	}
	for _, s := range r.Series {
		fmt.Fprintf(t, "%s: %s, %s to %s\n", s.ID, count(s.Months, "month"), s.First, s.Last)
		for _, f := range s.Findings {
			fmt.Fprintf(t, "  %s\t%s\t%s\n", f.Severity, f.Check, f.Message)
		}
	}
	return t.Flush()
}
