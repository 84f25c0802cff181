package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/spf13/cobra"

	"github.com/pppq/pppq/internal/api"
	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/config"
	"github.com/pppq/pppq/internal/telemetry"
)

func serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "serve", Short: "Serve forecasts over HTTP with the model in service", Args: exactly(0, "no arguments"),
		Long: `Serve answers over HTTP with the version that is in service in the models folder, and
follows that folder: a version that is promoted or rolled back there is taken over
without a restart. Without a version it waits, and /health says so.

Every setting is an environment variable or a flag; "pppq config --list" shows them.`,
		Example: "  pppq serve\n  PORT=9000 LOG_LEVEL=warn pppq serve",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := settings(cmd)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), s, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	settingFlags(cmd)
	return cmd
}

// serve runs the service until ctx ends. Log lines go to out, words for people
// to notes.
func serve(ctx context.Context, s *config.Settings, out, notes io.Writer) error {
	listener, err := api.Listen(net.JoinHostPort(s.Host, fmt.Sprint(s.Port)))
	if err != nil {
		return err
	}
	defer listener.Close()
	metrics := telemetry.NewMetrics(programVersion())
	sink, err := telemetry.NewSink(out, s.LogDir, metrics.DroppedLines.Inc)
	if err != nil {
		return err
	}
	defer sink.Close()

	o := api.DefaultOptions()
	o.Configure(s)
	o.Version, o.Metrics, o.AccessLog = programVersion(), metrics, sink
	o.Log = telemetry.NewLogger(sink, s.LogLevel)
	if s.Reload {
		if o.Executable, err = os.Executable(); err != nil {
			return fmt.Errorf("RELOAD: find the program's file: %w", err)
		}
	}
	if s.Environment == config.Production && len(s.APIKeys) == 0 {
		o.Log.Warn("API_KEYS holds no key: whoever reaches the service may read, nobody may administer")
	}
	service := api.NewService(o)
	switch _, _, err := service.Reload(); {
	case errors.Is(err, bundle.ErrNone):
		o.Log.Warn("no model is in service: `pppq train` makes one, which is taken over without a restart", "folder", s.ModelsDir)
	case err != nil:
		o.Log.Error("no model is in service", "error", err.Error())
	}
	handler := api.NewHandler(service, pages(service, len(s.APIKeys) > 0))
	fmt.Fprintf(notes, "pppq %s serves on http://%s (Ctrl-C ends it)\n", programVersion(), listener.Addr())
	err = api.Serve(ctx, service, handler, listener)
	if errors.Is(err, api.ErrReplaced) {
		if err := sink.Close(); err != nil {
			return err
		}
		return restart(o.Executable)
	}
	return err
}
