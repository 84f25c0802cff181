package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/pppq/pppq/internal/api"
	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/config"
	"github.com/pppq/pppq/internal/pipeline"
)

func upCommand() *cobra.Command {
	var (
		once bool
		seed uint64
	)
	cmd := &cobra.Command{
		Use: "up", Short: "Start from nothing: figures, test, training, service", Args: exactly(0, "no arguments"),
		Long: `Up does everything: it fills the data folder from the figures that are built in, tests
and trains if no model is in service, prints what the model says, and serves on
http://127.0.0.1:8000. It needs no key, no server and no network. With a model in service
it serves at once. With --once the exit code is 0 whenever a model is in service at the
end, also if something failed: that is told, and what waits for a model can go on.`,
		Example: "  pppq up\n  pppq up --once",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := settings(cmd)
			if err != nil {
				return err
			}
			if !once {
				// A taken port is found out before the work and not after it.
				l, err := api.Listen(net.JoinHostPort(s.Host, fmt.Sprint(s.Port)))
				if err != nil {
					return err
				}
				l.Close()
			}
			b, trained, err := ready(cmd.Context(), s, seed, cmd.ErrOrStderr())
			if err != nil && once && cmd.Context().Err() == nil {
				// Whoever waits for this wants a version in service, and has one.
				folder := bundle.Folder{Dir: s.ModelsDir, Program: programVersion()}
				if standing, _, loadErr := folder.LoadCurrent(); loadErr == nil {
					fmt.Fprintf(cmd.ErrOrStderr(), "pppq: %v\npppq: model %s stays in service\n", err, standing.Manifest.Version)
					return nil
				}
			}
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if trained != nil {
				if err := printTrained(out, trained); err != nil {
					return err
				}
			}
			fmt.Fprintf(out, "\nHow likely each asset is to keep its purchasing power (model %s)\n", b.Manifest.Version)
			if err := closingTable(out, b.Forecaster, time.Now()); err != nil {
				return err
			}
			if once {
				// A version is in service, which is what whoever waits for this asks.
				if trained != nil {
					if err := gateError(trained); err != nil {
						fmt.Fprintf(cmd.ErrOrStderr(), "pppq: %v\n", err)
					}
				}
				return nil
			}
			return serve(cmd.Context(), s, out, cmd.ErrOrStderr())
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "do all but serving")
	cmd.Flags().Uint64Var(&seed, "seed", defaultSeed, "seed of the boosters' samples")
	settingFlags(cmd)
	return cmd
}

// ready returns the bundle in service, after training one if there is none that
// loads.
func ready(ctx context.Context, s *config.Settings, seed uint64, notes io.Writer) (*bundle.Bundle, *pipeline.Trained, error) {
	st, folder, err := folders(s)
	if err != nil {
		return nil, nil, err
	}
	b, refusals, err := folder.LoadCurrent()
	for _, r := range refusals {
		fmt.Fprintf(notes, "pppq: refused: %v\n", r)
	}
	if err == nil {
		catchUpLedger(ctx, s, "pppq up", b.Manifest.Version, notes)
		return b, nil, nil
	}
	if !errors.Is(err, bundle.ErrNone) {
		return nil, nil, err
	}
	t, err := train(ctx, st, folder, "pppq up", seed, false, progressBar(notes))
	if err != nil {
		return nil, nil, err
	}
	keepLedger(ctx, s, "pppq up", notes)
	b, _, err = folder.LoadCurrent()
	return b, t, err
}
