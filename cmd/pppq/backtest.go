package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/pipeline"
	"github.com/pppq/pppq/internal/web"
)

func backtestCommand() *cobra.Command {
	var (
		seed      uint64
		asJSON    bool
		html      string
		openVault bool
	)
	cmd := &cobra.Command{
		Use: "backtest", Short: "Run the walk-forward test and show how good the forecasts were",
		Long: `Backtest forecasts every month from 1985 on as it would have been forecast then, refits
each January on what was known, and scores all kinds of forecast on what came after.
Nothing is written but the report. The newest 36 origins of each horizon stay in the
vault; --open-vault includes them, for a release, and is noted in the models folder.
A result that is too good to be true is named, and the exit code is 3.`,
		Example: "  pppq backtest --html report.html\n  pppq backtest --seed 1 --json > report.json",
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := settings(cmd)
			if err != nil {
				return err
			}
			st, folder, err := folders(s)
			if err != nil {
				return err
			}
			if openVault {
				if err := noteVault(folder.Dir, seed); err != nil {
					return err
				}
			}
			set, assets, err := readFigures(cmd.Context(), st, "pppq backtest", cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			progress := progressBar(cmd.ErrOrStderr())
			study, err := pipeline.NewStudy(cmd.Context(), set, assets, progress)
			if err != nil {
				return err
			}
			r, err := study.Backtest(cmd.Context(), seed, openVault, progress)
			if err != nil {
				return err
			}
			if html != "" {
				if err := writeOut(cmd.OutOrStdout(), html, func(w io.Writer) error { return web.WriteReport(w, r) }); err != nil {
					return err
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "pppq: report written to %s\n", html)
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), r)
			} else {
				err = printBacktest(cmd.OutOrStdout(), r)
			}
			return errors.Join(err, alarmError(r))
		},
	}
	cmd.Flags().Uint64Var(&seed, "seed", defaultSeed, "seed of the boosters' samples")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the whole report as JSON")
	cmd.Flags().StringVar(&html, "html", "", "write one self-contained page with pictures to `FILE`")
	cmd.Flags().BoolVar(&openVault, "open-vault", false, "include the newest origins that are held back")
	settingFlags(cmd, "DATA_DIR", "MODELS_DIR", "WORKERS")
	return cmd
}

// noteVault adds a line to the list of openings of the vault.
func noteVault(models string, seed uint64) error {
	dir := filepath.Join(models, "pppq")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("note that the vault was opened: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "vault.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("note that the vault was opened: %w", err)
	}
	_, err = fmt.Fprintf(f, "%s opened by pppq %s backtest, seed %d\n", time.Now().UTC().Format(time.RFC3339), programVersion(), seed)
	return errors.Join(err, f.Sync(), f.Close())
}

func alarmError(r *backtest.Report) error {
	if len(r.Alarms) == 0 {
		return nil
	}
	return refused("too good to be true: %s (%d alarms); look for a leak", r.Alarms[0], len(r.Alarms))
}

func printBacktest(w io.Writer, r *backtest.Report) error {
	if err := printSkill(w, r); err != nil {
		return err
	}
	var heads strings.Builder
	for _, h := range r.Horizons {
		fmt.Fprint(&heads, "\t", years(float64(h.Months)/12))
	}
	t := newTable(w)
	fmt.Fprintf(t, "\nSkill of every rung over the best climatology\n%s\n", heads.String())
	for _, info := range r.Rungs {
		fmt.Fprint(t, info.Name)
		for _, h := range r.Horizons {
			fmt.Fprintf(t, "\t%+.3f", h.Rung(info.Name).Skill.Value)
		}
		fmt.Fprintln(t)
	}
	fmt.Fprintf(t, "\nSkill of the carry core over each asset's own best climatology (d: difference of RPS)\n%s\n", heads.String())
	for _, g := range r.Horizons[0].Groups {
		if g.Rung != "carry_core" {
			continue
		}
		fmt.Fprint(t, g.Group)
		for _, h := range r.Horizons {
			fmt.Fprintf(t, "\t%s", groupText(h.Groups, g.Group))
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return printDrift(w, r)
}

// printDrift names the figures that are unlike their past.
func printDrift(w io.Writer, r *backtest.Report) error {
	readings := 0
	var odd []string
	for _, d := range r.Drift {
		for _, m := range d.Readings {
			if readings++; m.State != "none" {
				odd = append(odd, fmt.Sprintf("  %s %s: %s %.2f, 95 %% of the past under %.2f, 99 %% under %.2f", cmp.Or(d.Asset, "all"), d.Feature, m.Measure, m.Value, m.P95, m.P99))
			}
		}
	}
	_, err := fmt.Fprintf(w, "\nDrift of the newest %d months of what the boosters read: %d of %d readings above 95 %% of their own past\n%s",
		backtest.DriftMonths, len(odd), readings, strings.Join(append(odd, ""), "\n"))
	return err
}

func groupText(groups []backtest.GroupScore, name string) string {
	for _, g := range groups {
		if g.Group != name || g.Rung != "carry_core" {
			continue
		}
		if g.Skill.Difference {
			return fmt.Sprintf("%+.3f d", g.Skill.Value)
		}
		return fmt.Sprintf("%+.3f", g.Skill.Value)
	}
	return "-"
}
