package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/pppq/pppq/internal/atomicfile"
	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/pipeline"
	"github.com/pppq/pppq/internal/series"
	"github.com/pppq/pppq/internal/source"
	"github.com/pppq/pppq/internal/store"
)

// defaultSeed decides the samples that the boosters draw.
const defaultSeed = 1

func trainCommand() *cobra.Command {
	var (
		seed    uint64
		force   bool
		asJSON  bool
		program = &cobra.Command{
			Use: "train", Short: "Test and train on the figures in the data folder, and promote the result if the gate allows",
			Long: `Train runs the walk-forward test, fits the final models on everything known, and
writes a new version into the models folder. The version goes into service if none is,
or if the gate passes: with newer figures nothing may have got worse; with the same
figures, or another method, it must be better than the version in service. Otherwise
the old version stays, and the exit code is 3.`,
			Example: "  pppq train --seed 1 --json",
			Args:    exactly(0, "no arguments"),
		}
	)
	program.RunE = func(cmd *cobra.Command, _ []string) error {
		s, err := settings(cmd)
		if err != nil {
			return err
		}
		st, folder, err := folders(s)
		if err != nil {
			return err
		}
		t, err := train(cmd.Context(), st, folder, "pppq train", seed, force, progressBar(cmd.ErrOrStderr()))
		if err != nil {
			return err
		}
		keepLedger(cmd.Context(), s, "pppq train", cmd.ErrOrStderr())
		if asJSON {
			err = printJSON(cmd.OutOrStdout(), t)
		} else {
			err = printTrained(cmd.OutOrStdout(), t)
		}
		return errors.Join(err, gateError(t))
	}
	program.Flags().Uint64Var(&seed, "seed", defaultSeed, "seed of the boosters' samples")
	program.Flags().BoolVar(&force, "promote", false, "promote whatever the gate says")
	program.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	settingFlags(program, "DATA_DIR", "MODELS_DIR", "WORKERS")
	return program
}

// train holds the locks of both folders, brings in the built-in figures and
// trains.
func train(ctx context.Context, st *store.Store, folder bundle.Folder, command string, seed uint64, force bool, progress pipeline.Progress) (*pipeline.Trained, error) {
	w, err := folder.Lock(command, time.Now())
	if err != nil {
		return nil, err
	}
	defer w.Close()
	set, assets, err := loadFigures(ctx, st, command)
	if err != nil {
		return nil, err
	}
	return pipeline.Train(ctx, w, folder, set, assets, pipeline.TrainOptions{Seed: seed, Force: force, Now: time.Now, Progress: progress})
}

// loadFigures brings the built-in figures into the data folder if they are newer
// and reads everything that is there; of a folder that can't be written it reads
// what it has.
func loadFigures(ctx context.Context, st *store.Store, command string) (*series.Set, []series.Asset, error) {
	lock, err := st.Lock(command, time.Now())
	if errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission) {
		set, assets, missing := st.Load(ctx)
		if errors.Is(missing, store.ErrEmpty) {
			missing = err
		}
		return set, assets, missing
	}
	if err != nil {
		return nil, nil, err
	}
	defer lock.Release()
	reference, err := source.Embedded()
	if err != nil {
		return nil, nil, err
	}
	if _, err := st.Bootstrap(ctx, reference, time.Now()); err != nil {
		return nil, nil, err
	}
	return st.Load(ctx)
}

// readFigures is loadFigures for commands that only read, or make room: what a
// full disk keeps from being brought up to date is read as it is.
func readFigures(ctx context.Context, st *store.Store, command string, notes io.Writer) (*series.Set, []series.Asset, error) {
	set, assets, err := loadFigures(ctx, st, command)
	if !atomicfile.Full(err) {
		return set, assets, err
	}
	held, assets, missing := st.Load(ctx)
	if missing != nil {
		return nil, nil, err
	}
	fmt.Fprintf(notes, "pppq: the figures are read as they are, since they can't be brought up to date: %v\n", err)
	return held, assets, nil
}

func printTrained(w io.Writer, t *pipeline.Trained) error {
	if err := printSkill(w, t.Report); err != nil {
		return err
	}
	switch {
	case t.Baseline:
		fmt.Fprintf(w, "\nversion %s in service as a baseline, the core alone: %s\n", t.Version, t.Decision.Reason)
	case t.Promoted:
		fmt.Fprintf(w, "\nversion %s in service: %s\n", t.Version, t.Decision.Reason)
	default:
		fmt.Fprintf(w, "\nversion %s written, not in service\n", t.Version)
	}
	for _, id := range t.Skipped {
		fmt.Fprintf(w, "%s has too few figures for a forecast\n", id)
	}
	for _, e := range t.Ended {
		fmt.Fprintf(w, "%s has figures to %s only: forecasts of it count their years from there, not from today\n", e.Asset, e.FiguresTo)
	}
	return nil
}

// gateError is the refusal of a version that did not pass, as an exit code.
func gateError(t *pipeline.Trained) error {
	switch {
	case t.Baseline:
		return refused("only the core is in service, as a baseline: %s", t.Decision.Reason)
	case !t.Promoted:
		return refused("the version in service stays: %s; promote the new one all the same with \"pppq models promote %s\"", t.Decision.Reason, t.Version)
	}
	return nil
}

// printSkill is the short table of the walk-forward test.
func printSkill(w io.Writer, r *backtest.Report) error {
	vault := "the newest 36 origins of each horizon held back"
	if r.VaultOpen {
		vault = "the newest origins included"
	}
	fmt.Fprintf(w, "Walk-forward test, origins %s to %s, %s: RPS skill over the best climatology\n", r.From, r.To, vault)
	t := newTable(w)
	fmt.Fprintln(t, "years\tbest climatology\tcarry core\tblocks\tensemble\tover the core\tcoverage 80 %")
	for _, h := range r.Horizons {
		core, served := h.Rung("carry_core"), h.Rung("ensemble")
		fmt.Fprintf(t, "%d\t%s\t%s\t%d\t%s\t%s\t%.2f\n", h.Months/12, h.BestClimatology, skillText(core.Skill), core.Skill.Blocks,
			skillText(served.Skill), skillText(*served.OverCore), served.Coverage[1])
	}
	return t.Flush()
}

func skillText(s backtest.Skill) string {
	unit := ""
	if s.Difference {
		unit = " RPS"
	}
	return fmt.Sprintf("%+.3f [%+.3f, %+.3f]%s", s.Value, s.Low, s.High, unit)
}
