// Command pppq says how much of 100 dollars of purchasing power is left when it
// was put into an asset for some years, how sure that is, and why.
//
// One file holds one command: its flags, its wiring and what it prints.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/config"
	"github.com/pppq/pppq/internal/store"
)

// Exit codes of every command.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitRefused = 3
)

// An exitError ends the program with a code of its own.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func usageError(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

func refused(format string, args ...any) error {
	return &exitError{exitRefused, fmt.Errorf(format, args...)}
}

func main() {
	limitMemory()
	os.Exit(run(untilStopped(), os.Args[1:], os.Stdout, os.Stderr))
}

// untilStopped is a context that ends with Ctrl-C or SIGTERM. What follows may
// take minutes; a second Ctrl-C does not wait for it. SIGTERM is no such word:
// supervisors repeat it.
func untilStopped() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		for s := range signals {
			if s == os.Interrupt {
				fmt.Fprintln(os.Stderr, "pppq: stopped at once")
				os.Exit(exitFailed)
			}
		}
	}()
	return ctx
}

// run executes one command line and returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		fmt.Fprintln(stderr, "pppq: stopped")
		return exitFailed
	}
	fmt.Fprintf(stderr, "pppq: %v\n", err)
	var coded *exitError
	if !errors.As(err, &coded) {
		return exitFailed
	}
	if coded.code == exitUsage {
		fmt.Fprintf(stderr, "see %q\n", cmd.CommandPath()+" --help")
	}
	return coded.code
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "pppq",
		Short: "How much purchasing power does an asset keep?",
		Long: `pppq answers: of 100 dollars of purchasing power put into an asset today, how much
is left after 1 to 10 years, how sure is that, and why?

Start with "pppq up": it reads the figures that are built in, tests and trains the
models, and serves forecasts on http://127.0.0.1:8000.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused by a gate or a check.`,
		Example:       "  pppq up\n  pppq predict Gold --horizon 5\n  pppq compare SP500 Gold Bills Banknotes --horizon 10",
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       programVersion(),
		Args:          cobra.ArbitraryArgs,
		RunE:          groupHelp,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetHelpCommand(helpCommand())
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	root.AddCommand(
		upCommand(), serveCommand(), datasetCommand(), trainCommand(), backtestCommand(),
		predictCommand(), compareCommand(), modelsCommand(), ledgerCommand(), gbdtCommand(), configCommand(), keysCommand(), initCommand(), certCommand(), doctorCommand(), healthcheckCommand(), versionCommand(),
	)
	return root
}

// flagError is a fault of a flag in words for people: what is wanted instead of
// the name of the function that refused the value.
func flagError(err error) error {
	var number *strconv.NumError
	if !errors.As(err, &number) {
		return &exitError{exitUsage, err}
	}
	wanted := "a whole number"
	switch {
	case errors.Is(number.Err, strconv.ErrRange):
		wanted = "a number that is not so large"
	case number.Func == "ParseFloat":
		wanted = "a number"
	case number.Func == "ParseUint":
		wanted = "a whole number, 0 or more"
	case number.Func == "ParseBool":
		wanted = "true or false"
	}
	return usageError("%s: want %s", strings.TrimSuffix(err.Error(), ": "+number.Error()), wanted)
}

// groupHelp is what a command does that only holds others.
func groupHelp(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknownCommand(cmd, args[0])
	}
	return cmd.Help()
}

// unknownCommand names the command that was meant, if one is near.
func unknownCommand(parent *cobra.Command, name string) error {
	parent.SuggestionsMinimumDistance = 2
	near := ""
	if names := parent.SuggestionsFor(name); len(names) > 0 {
		near = fmt.Sprintf("; did you mean %q?", parent.CommandPath()+" "+names[0])
	}
	return usageError("unknown command %q%s", parent.CommandPath()+" "+name, near)
}

func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Show what a command does", Example: "  pppq help dataset import",
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, rest, err := cmd.Root().Find(args)
			if err != nil {
				return &exitError{exitUsage, err}
			}
			if len(rest) > 0 {
				return unknownCommand(topic, rest[0])
			}
			return topic.Help()
		},
	}
}

// exactly checks the number of arguments as a fault of usage.
func exactly(n int, what string) cobra.PositionalArgs {
	return between(n, n, what)
}

func between(low, high int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) < low || len(args) > high {
			return usageError("want %s, got %d", what, len(args))
		}
		return nil
	}
}

// parent is a command that only holds others.
func parent(use, short, example string, children ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Example: example, Args: cobra.ArbitraryArgs, RunE: groupHelp}
	cmd.AddCommand(children...)
	return cmd
}

// settingFlags adds a flag for each of the named settings; none named means all
// that are no secrets.
func settingFlags(cmd *cobra.Command, names ...string) {
	for _, v := range config.Variables() {
		if v.Secret || len(names) > 0 && !slices.Contains(names, v.Name) {
			continue
		}
		cmd.Flags().String(flagName(v.Name), "", fmt.Sprintf("%s (%s; env %s, default %q)", v.Help, v.Accepts, v.Name, v.Default))
	}
}

// settings reads environment and flags, and applies what holds for the process.
func settings(cmd *cobra.Command) (*config.Settings, error) {
	s, err := config.Load(config.System(func(name string) (string, bool) {
		f := cmd.Flags().Lookup(flagName(name))
		if f == nil || !f.Changed {
			return "", false
		}
		return f.Value.String(), true
	}))
	if err != nil {
		return nil, usageError("settings: %w", err)
	}
	s.Apply()
	return s, nil
}

// folders opens where figures and models are kept.
func folders(s *config.Settings) (*store.Store, bundle.Folder, error) {
	st, err := store.Open(s.DataDir)
	return st, bundle.Folder{Dir: s.ModelsDir, Program: programVersion()}, err
}
