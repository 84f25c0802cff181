package importer

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/pppq/pppq/internal/store"
)

// WriteText writes the result for people.
func (r Result) WriteText(w io.Writer) error {
	var b strings.Builder
	if r.DryRun {
		b.WriteString("dry run: nothing is written\n")
	}
	r.Price.writeText(&b)
	if r.Income != nil {
		r.Income.writeText(&b)
	}
	if r.Asset != "" {
		fmt.Fprintf(&b, "asset %s: %s, %s\n", r.Asset, ability(r.CanForecast, "be forecast"), ability(r.CanScore, "be scored"))
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "  note      %s\n", n)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func ability(can bool, what string) string {
	if can {
		return "long enough to " + what
	}
	return "too short to " + what
}

func (f FileResult) writeText(b *strings.Builder) {
	fmt.Fprintln(b, f.Merged)
	kind := "monthly"
	if f.Daily {
		kind = "daily"
	}
	fmt.Fprintf(b, "  read      %s rows %d, column %q of %s\n", kind, f.Rows, f.Column, f.File)
	fmt.Fprintf(b, "  made      months %d, %s to %s, sampling %q\n", f.Months, f.First, f.Last, f.Sampling)
	for _, s := range f.Skipped {
		fmt.Fprintf(b, "  skipped   %s\n", s)
	}
	if n := len(f.Merged.GapsFilled); n > 0 {
		fmt.Fprintf(b, "  gaps      %d filled, %s to %s\n", n, f.Merged.GapsFilled[0], f.Merged.GapsFilled[n-1])
	}
	const most = 5
	for i, rev := range f.Merged.Revised {
		if i == most {
			largest := largestChange(f.Merged.Revised)
			fmt.Fprintf(b, "  revised   %d more; the largest change of all: %s %v to %v\n",
				len(f.Merged.Revised)-most, largest.Month, largest.Old, largest.New)
			break
		}
		fmt.Fprintf(b, "  revised   %s: %v to %v, known from %s\n", rev.Month, rev.Old, rev.New, rev.KnownFrom)
	}
}

func largestChange(all []store.Revision) store.Revision {
	largest := all[0]
	for _, r := range all {
		if math.Abs(r.New-r.Old) > math.Abs(largest.New-largest.Old) {
			largest = r
		}
	}
	return largest
}
