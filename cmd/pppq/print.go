package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"github.com/pppq/pppq/internal/atomicfile"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/pipeline"
)

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// writeOut writes to standard output for "-", into a device as it is, and else
// into a file that is replaced as a whole.
func writeOut(stdout io.Writer, path string, write func(io.Writer) error) error {
	if path == "-" {
		return write(stdout)
	}
	if stat, err := os.Stat(path); err == nil && !stat.Mode().IsRegular() && !stat.IsDir() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(f), f.Close())
	}
	return atomicfile.WriteFile(path, write)
}

// newTable aligns columns; the caller flushes it.
func newTable(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

// progressBar shows stages on a terminal that can erase a line, and nothing
// elsewhere.
func progressBar(w io.Writer) pipeline.Progress {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	var start time.Time
	stage := ""
	return func(name string, done, total int) {
		if name != stage {
			stage, start = name, time.Now()
		}
		end := ""
		if done == total {
			end = fmt.Sprintf("  %.1f s\n", time.Since(start).Seconds())
		}
		columns, _, err := term.GetSize(int(f.Fd()))
		if err != nil || columns <= 0 {
			columns = 80
		}
		fmt.Fprintf(f, "\r\033[K%s%s", progressLine(name, done, total, columns), end)
	}
}

// progressLine is a stage with a bar that leaves room for the time in so many
// columns: a line that wraps can't be erased. Where there is no room for a bar
// there is none.
func progressLine(name string, done, total, columns int) string {
	const widest, narrowest, seconds = 30, 5, len("  100.0 s")
	count := fmt.Sprintf("%d/%d", done, total)
	width := min(widest, columns-seconds-len(count)-len("[] ")-33)
	if width < narrowest {
		room := max(0, columns-seconds-len(count)-1)
		return fmt.Sprintf("%.*s %s", room, name, count)
	}
	full := width * done / max(1, total)
	return fmt.Sprintf("%-32s [%s%s] %s", name, strings.Repeat("#", full), strings.Repeat(".", width-full), count)
}

// plural writes a count with its noun.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// years writes a horizon.
func years(n float64) string {
	if n == 1 {
		return "1 year"
	}
	return fmt.Sprintf("%g years", n)
}

// staleMark follows the month of figures that are older than they should be.
func staleMark(a *forecast.Answer, now time.Time) string {
	switch {
	case forecast.Ended(a.DataAsOf, now):
		return " (ended)"
	case a.Stale:
		return " (stale)"
	}
	return ""
}

// tableHorizons are the horizons of the closing table, in months.
var tableHorizons = []int{12, 36, 60, 120}

// closingTable prints asset by horizon what a saver wants to know first.
func closingTable(w io.Writer, f *forecast.Forecaster, now time.Time) error {
	t := newTable(w)
	fmt.Fprintln(t, "asset\tyears\tP(keeps)\tclass\tmedian\t80 % interval\tevidence\tfigures to")
	for i := range f.Assets {
		for _, months := range tableHorizons {
			a, err := f.Answer(forecast.Question{Asset: f.Assets[i].Asset.ID, Months: months, Model: forecast.Ensemble}, now)
			if err != nil {
				fmt.Fprintf(t, "%s\t%d\t%v\n", f.Assets[i].Asset.ID, months/12, err)
				continue
			}
			fmt.Fprintf(t, "%s\t%d\t%.0f %%\t%s\t%.2f\t%.2f to %.2f\t%s\t%s%s\n", a.Asset, months/12, 100*a.Probabilities.A,
				a.PredictedClass, a.Multiple.Median, a.Multiple.P10, a.Multiple.P90, a.Evidence, a.DataAsOf, staleMark(a, now))
		}
	}
	return t.Flush()
}
