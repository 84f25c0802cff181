package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pppq/pppq/internal/importer"
	"github.com/pppq/pppq/internal/series"
	"github.com/pppq/pppq/internal/source"
	"github.com/pppq/pppq/internal/store"
)

func datasetCommand() *cobra.Command {
	return parent("dataset", "Show, check, export and extend the figures in the data folder", "  pppq dataset info",
		datasetInfo(), datasetCheck(), datasetExport(), datasetImport(), datasetRemove())
}

// figures loads the figures of the data folder to look at them, and brings them up
// to date. Where there are none it makes no folder: the built-in ones are shown.
func figures(cmd *cobra.Command) (*series.Set, error) {
	s, err := settings(cmd)
	if err != nil {
		return nil, err
	}
	st, err := store.Open(s.DataDir)
	if err != nil {
		return nil, err
	}
	if missing := nothingIn(st); missing != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "pppq: %s: these are the built-in figures\n", missing)
		return source.Embedded()
	}
	set, _, err := readFigures(cmd.Context(), st, cmd.CommandPath(), cmd.ErrOrStderr())
	return set, err
}

// nothingIn says that a data folder is not there, or was never filled; else it is
// empty.
func nothingIn(st *store.Store) string {
	if _, err := os.Stat(st.Dir()); errors.Is(err, fs.ErrNotExist) {
		return "the data folder " + st.Dir() + " is not there"
	}
	if _, err := os.Stat(filepath.Join(st.Dir(), "series")); errors.Is(err, fs.ErrNotExist) {
		return "the data folder " + st.Dir() + " holds no figures"
	}
	return ""
}

func datasetInfo() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "info", Short: "List every series with its span, source and licence", Args: exactly(0, "no arguments"), Example: "  pppq dataset info",
		RunE: func(cmd *cobra.Command, _ []string) error {
			set, err := figures(cmd)
			if err != nil {
				return err
			}
			all := store.Summarize(set)
			if asJSON {
				return printJSON(cmd.OutOrStdout(), all)
			}
			return store.WriteSummaries(cmd.OutOrStdout(), all)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	settingFlags(cmd, "DATA_DIR")
	return cmd
}

func datasetCheck() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "check", Short: "Report gaps, staleness, outliers and repeated figures", Args: exactly(0, "no arguments"),
		Long:    "Check looks at every series and says what is odd. The exit code is 3 if a series is unfit for forecasts.",
		Example: "  pppq dataset check --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			set, err := figures(cmd)
			if err != nil {
				return err
			}
			r := store.Check(set, time.Now())
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), r)
			} else {
				err = r.WriteText(cmd.OutOrStdout())
			}
			if err == nil && r.Faults > 0 {
				return refused("%s in the figures", plural(r.Faults, "fault", "faults"))
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	settingFlags(cmd, "DATA_DIR")
	return cmd
}

func datasetExport() *cobra.Command {
	var id, out string
	var vintages bool
	cmd := &cobra.Command{
		Use: "export", Short: "Write one series, or the table of all, as CSV", Args: exactly(0, "no arguments"),
		Example: "  pppq dataset export --series GOLD --out -\n  pppq dataset export --out all.csv",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if vintages && id == "" {
				return usageError("--vintages needs --series: the table of all holds the newest figures alone")
			}
			set, err := figures(cmd)
			if err != nil {
				return err
			}
			write := func(w io.Writer) error { return store.WriteConsolidated(w, set) }
			if id != "" {
				s, err := set.Get(strings.ToUpper(id))
				if err != nil {
					return usageError("%w; known: %s", err, strings.Join(set.IDs(), ", "))
				}
				write = func(w io.Writer) error { return store.WriteSeries(w, s) }
				if vintages {
					write = func(w io.Writer) error { return store.WriteVintages(w, s) }
				}
			}
			return writeOut(cmd.OutOrStdout(), out, write)
		},
	}
	cmd.Flags().StringVar(&id, "series", "", "`ID` of one series; without it all of them, one column each")
	cmd.Flags().BoolVar(&vintages, "vintages", false, "with --series: every vintage with the day from which it was known")
	cmd.Flags().StringVar(&out, "out", "-", "`FILE` to write, - for standard output")
	settingFlags(cmd, "DATA_DIR")
	return cmd
}

func datasetImport() *cobra.Command {
	var (
		o                        importer.Options
		sampling, dates, decimal string
		fee                      string
		asJSON                   bool
	)
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Extend a series, or add an asset of your own, from a CSV file", Args: exactly(1, "one file"),
		Long: `Import reads a CSV file with a header: a column of dates (date, month, period) and one
of values (value, close, price, adjclose, or the id of a series). With --series it extends
a series that is known; with --id it makes or extends an asset of your own. Days become
month ends, or averages. Then run "pppq train".`,
		Example: "  pppq dataset import CPIAUCNS.csv --series CPIAUCNS\n  pppq dataset import fund.csv --id MyFund --title \"My fund\" --income payouts.csv --fee 0.002",
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := settings(cmd)
			if err != nil {
				return err
			}
			st, err := store.Open(s.DataDir)
			if err != nil {
				return err
			}
			if fee != "" {
				f, err := store.ParseFee(fee)
				if err != nil {
					return &exitError{exitUsage, err}
				}
				o.Fee = &f
			}
			o.File, o.Now = args[0], time.Now()
			o.Sampling, o.Dates, o.Decimal = series.Sampling(sampling), source.DateOrder(dates), source.DecimalMark(decimal)
			if o.DryRun {
				done, err := dryStore(cmd.Context(), &st)
				if err != nil {
					return err
				}
				defer done()
			} else {
				if _, _, err := loadFigures(cmd.Context(), st, cmd.CommandPath()); err != nil {
					return err
				}
				lock, err := st.Lock(cmd.CommandPath(), o.Now)
				if err != nil {
					return err
				}
				defer lock.Release()
			}
			r, err := importer.Run(cmd.Context(), st, o)
			if errors.Is(err, importer.ErrUsage) {
				return &exitError{exitUsage, err}
			}
			if err != nil {
				return err
			}
			note, err := staleNote(cmd.Context(), st, r.Price.Merged, o.Now)
			if err != nil {
				return err
			}
			if note != "" {
				r.Notes = append(r.Notes, note)
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), r)
			}
			if err := r.WriteText(cmd.OutOrStdout()); err != nil {
				return err
			}
			_, err = io.WriteString(cmd.OutOrStdout(), nextStep(r))
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Series, "series", "", "`ID` of the series to extend")
	f.StringVar(&o.ID, "id", "", "`ID` of an asset of your own")
	f.StringVar(&o.Title, "title", "", "its title")
	f.StringVar(&o.Unit, "unit", "", "what one of it is, as \"share\"")
	f.StringVar(&o.IncomeFile, "income", "", "CSV `FILE` of what one unit paid out and when")
	f.StringVar(&fee, "fee", "", "yearly cost of holding it, as 0.2% or 0.002")
	f.StringVar(&o.Column, "column", "", "`NAME` of the column of values")
	f.StringVar(&sampling, "sampling", "", "end or average: what a month of days becomes")
	f.StringVar(&dates, "dates", "", "mdy or dmy, where 03/04/2026 could be either")
	f.StringVar(&decimal, "decimal", "", "point or comma, where 1,234 could be either")
	f.BoolVar(&o.DryRun, "dry-run", false, "say what would be done and write nothing")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	settingFlags(cmd, "DATA_DIR")
	return cmd
}

// staleNote is a remark if the figures end so long ago that "dataset check" calls
// them unfit; after a dry run the folder does not hold them yet.
func staleNote(ctx context.Context, st *store.Store, m store.Merged, now time.Time) (string, error) {
	set, _, err := st.Load(ctx)
	if err != nil {
		return "", err
	}
	info := series.Info{ID: m.Series}
	if held, err := set.Get(m.Series); err == nil {
		info = held.Info
	}
	// How old a series is depends on its newest month alone.
	newest, err := series.New(info, []series.Observation{{Period: m.Last, Value: 1, KnownFrom: m.Last.Start()}})
	if err != nil {
		return "", err
	}
	if set, err = series.NewSet(newest); err != nil {
		return "", err
	}
	for _, f := range store.Check(set, now).Series[0].Findings {
		if f.Check == store.CheckStale && f.Severity == store.Fault {
			return f.Message + ": \"pppq dataset check\" calls that a fault, and forecasts would count their years from there, not from today", nil
		}
	}
	return "", nil
}

// nextStep says what makes forecasts of what was imported; of figures that are not
// enough for them the notes say so.
func nextStep(r importer.Result) string {
	m := r.Price.Merged
	switch {
	case r.DryRun || r.Asset != "" && !r.CanForecast || r.Asset == "" && m.Added+len(m.Revised) == 0:
		return ""
	case r.Asset == "":
		return "next: \"pppq train\" makes forecasts from these figures\n"
	}
	return fmt.Sprintf("next: \"pppq train\" takes %s into the forecasts, then \"pppq predict %s\" shows its own\n", r.Asset, r.Asset)
}

// dryStore puts a store that may be read in the place of one that may not be
// written: of a folder that holds nothing yet a temporary one with the built-in
// figures, which done removes.
func dryStore(ctx context.Context, st **store.Store) (done func(), err error) {
	if _, _, err := (*st).Load(ctx); !errors.Is(err, store.ErrEmpty) {
		return func() {}, err
	}
	dir, err := os.MkdirTemp("", "pppq-dry-run-")
	if err != nil {
		return nil, err
	}
	done = func() { os.RemoveAll(dir) }
	built, err := store.Open(dir)
	if err == nil {
		_, _, err = loadFigures(ctx, built, "pppq dataset import")
	}
	if err != nil {
		done()
		return nil, err
	}
	*st = built
	return done, nil
}

func datasetRemove() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "remove ASSET", Short: "Remove an asset of your own and its figures", Args: exactly(1, "one asset"), Example: "  pppq dataset remove MyFund",
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := settings(cmd)
			if err != nil {
				return err
			}
			st, err := store.Open(s.DataDir)
			if err != nil {
				return err
			}
			if missing := nothingIn(st); missing != "" {
				return usageError("%w %s: %s", store.ErrUnknownAsset, args[0], missing)
			}
			_, assets, err := readFigures(cmd.Context(), st, cmd.CommandPath(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			lock, err := st.Lock(cmd.CommandPath(), time.Now())
			if err != nil {
				return err
			}
			defer lock.Release()
			removed, err := st.RemoveAsset(cmd.Context(), args[0])
			if errors.Is(err, store.ErrUnknownAsset) {
				return usageError("%w; %s", err, ownAssets(assets))
			}
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), struct {
					Asset  string   `json:"asset"`
					Series []string `json:"series"`
				}{args[0], append([]string{}, removed...)})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "removed asset %s and its series: %s\n", args[0], cmp.Or(strings.Join(removed, ", "), "none"))
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	settingFlags(cmd, "DATA_DIR")
	return cmd
}

// ownAssets lists the user's own for an error.
func ownAssets(assets []series.Asset) string {
	var ids []string
	for _, a := range assets {
		if !store.IsBuiltin(a.ID) {
			ids = append(ids, a.ID)
		}
	}
	if len(ids) == 0 {
		return "there is none"
	}
	return "known: " + strings.Join(ids, ", ")
}
