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

// progressBar shows stages on a terminal, and nothing elsewhere.
func progressBar(w io.Writer) pipeline.Progress {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	const width = 30
	var start time.Time
	stage := ""
	return func(name string, done, total int) {
		if name != stage {
			stage, start = name, time.Now()
		}
		full := width * done / max(1, total)
		fmt.Fprintf(f, "\r\033[K%-32s [%s%s] %d/%d", name, strings.Repeat("#", full), strings.Repeat(".", width-full), done, total)
		if done == total {
			fmt.Fprintf(f, "  %.1f s\n", time.Since(start).Seconds())
		}
	}
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
			stale := ""
			if a.Stale {
				stale = " (stale)"
			}
			fmt.Fprintf(t, "%s\t%d\t%.0f %%\t%s\t%.2f\t%.2f to %.2f\t%s\t%s%s\n", a.Asset, months/12, 100*a.Probabilities.A,
				a.PredictedClass, a.Multiple.Median, a.Multiple.P10, a.Multiple.P90, a.Evidence, a.DataAsOf, stale)
		}
	}
	return t.Flush()
}
