package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pppq/pppq/internal/bundle"
)

func modelsCommand() *cobra.Command {
	return parent("models", "List, inspect and choose model versions", "  pppq models list",
		modelsList(), modelsShow(), modelsPromote(), modelsRollback(), modelsPrune())
}

func modelsFolder(cmd *cobra.Command) (bundle.Folder, error) {
	s, err := settings(cmd)
	if err != nil {
		return bundle.Folder{}, err
	}
	return bundle.Folder{Dir: s.ModelsDir, Program: programVersion()}, nil
}

// withWriter runs f while this process holds the lock of the models folder.
func withWriter(cmd *cobra.Command, f func(*bundle.Writer) error) error {
	folder, err := modelsFolder(cmd)
	if err != nil {
		return err
	}
	w, err := folder.Lock(cmd.CommandPath(), time.Now())
	if err != nil {
		return err
	}
	return errors.Join(f(w), w.Close())
}

// checkKnown refuses a version that the folder does not hold as wrong usage.
func checkKnown(folder bundle.Folder, version string) error {
	versions, err := folder.Versions()
	if err != nil || slices.Contains(versions, version) {
		return err
	}
	if err = bundle.CheckVersion(version); err == nil {
		err = fmt.Errorf("unknown version %s", version)
	}
	if len(versions) == 0 {
		return usageError("%w; there is none in %s: run \"pppq train\"", err, folder.Dir)
	}
	slices.Reverse(versions) // the newest first, as list has them
	return usageError("%w; known: %s", err, strings.Join(versions, ", "))
}

func modelsList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "Check all versions and list them, newest first", Args: exactly(0, "no arguments"), Example: "  pppq models list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			folder, err := modelsFolder(cmd)
			if err != nil {
				return err
			}
			list, err := folder.List()
			if err != nil {
				return err
			}
			type line struct {
				Version   string `json:"version"`
				InService bool   `json:"in_service"`
				Previous  bool   `json:"previous"`
				DataAsOf  string `json:"data_as_of,omitempty"`
				Baseline  bool   `json:"baseline"`
				// RPSSkill is absent where the version is refused.
				RPSSkill *float64 `json:"rps_skill,omitempty"`
				Error    string   `json:"error,omitempty"`
			}
			lines := []line{}
			for _, e := range list {
				l := line{Version: e.Version, InService: e.InService, Previous: e.Previous}
				if e.Manifest != nil {
					l.DataAsOf, l.Baseline = e.Manifest.DataAsOf.String(), e.Manifest.Baseline
				}
				err := e.Err
				if err == nil {
					_, err = folder.Show(e.Version)
				}
				if err != nil {
					l.Error = err.Error()
				} else {
					l.RPSSkill = &e.Manifest.Metrics.RPSSkill
				}
				lines = append(lines, l)
			}
			w := cmd.OutOrStdout()
			if asJSON {
				return printJSON(w, lines)
			}
			if len(lines) == 0 {
				_, err := fmt.Fprintln(w, "no versions yet: run \"pppq train\"")
				return err
			}
			t := newTable(w)
			fmt.Fprintln(t, "version\tstate\tfigures to\tskill")
			for _, l := range lines {
				state := ""
				switch {
				case l.InService:
					state = "in service"
				case l.Previous:
					state = "in service before"
				}
				if l.Baseline {
					state += " (baseline)"
				}
				if l.Error != "" {
					state += " refused: " + l.Error
				}
				skill := "-"
				if l.RPSSkill != nil {
					skill = fmt.Sprintf("%+.3f", *l.RPSSkill)
				}
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", l.Version, state, cmp.Or(l.DataAsOf, "-"), skill)
			}
			return t.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	settingFlags(cmd, "MODELS_DIR")
	return cmd
}

func modelsShow() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show [VERSION]", Short: "Check a version and show its model card", Args: between(0, 1, "at most one version"),
		Example: "  pppq models show\n  pppq models show 20261122T181500Z-4f2a --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, err := modelsFolder(cmd)
			if err != nil {
				return err
			}
			var b *bundle.Bundle
			if len(args) == 0 {
				b, err = inService(cmd)
			} else if err = checkKnown(folder, args[0]); err == nil {
				b, err = folder.Load(args[0])
			}
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), b.Manifest)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "version %s, made %s by pppq %s, every file checked\n\n%s", b.Manifest.Version,
				b.Manifest.Created.UTC().Format(time.RFC3339), b.Manifest.Program, b.ModelCard)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the manifest as JSON")
	settingFlags(cmd, "MODELS_DIR")
	return cmd
}

// A putInService says which version is in service now.
type putInService struct {
	Version string `json:"version"`
}

func modelsPromote() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "promote VERSION", Short: "Put a version into service after checking it", Args: exactly(1, "one version"),
		Example: "  pppq models promote 20261122T181500Z-4f2a",
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, err := modelsFolder(cmd)
			if err != nil {
				return err
			}
			if err := checkKnown(folder, args[0]); err != nil {
				return err
			}
			return withWriter(cmd, func(w *bundle.Writer) error {
				if err := w.Promote(args[0]); err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), putInService{args[0]})
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is in service\n", args[0])
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	settingFlags(cmd, "MODELS_DIR")
	return cmd
}

func modelsRollback() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "rollback", Short: "Return to the version that was in service before", Args: exactly(0, "no arguments"), Example: "  pppq models rollback",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withWriter(cmd, func(w *bundle.Writer) error {
				version, err := w.Rollback()
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), putInService{version})
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is in service again\n", version)
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	settingFlags(cmd, "MODELS_DIR")
	return cmd
}

func modelsPrune() *cobra.Command {
	var keep int
	var asJSON bool
	cmd := &cobra.Command{
		Use: "prune", Short: "Remove old versions, never the one in service nor the one before it", Args: exactly(0, "no arguments"),
		Example: "  pppq models prune --keep 5",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if keep < 1 {
				return usageError("--keep %d: want at least 1", keep)
			}
			return withWriter(cmd, func(w *bundle.Writer) error {
				removed, err := w.Prune(keep)
				if asJSON {
					return errors.Join(printJSON(cmd.OutOrStdout(), struct {
						Removed []string `json:"removed"`
					}{append([]string{}, removed...)}), err)
				}
				lines := make([]string, len(removed))
				for i, v := range removed {
					lines[i] = "removed " + v + "\n"
				}
				if err == nil && len(lines) == 0 {
					lines = []string{"nothing to remove\n"}
				}
				_, printed := io.WriteString(cmd.OutOrStdout(), strings.Join(lines, ""))
				return errors.Join(printed, err)
			})
		},
	}
	cmd.Flags().IntVar(&keep, "keep", 5, "how many of the newest versions stay")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	settingFlags(cmd, "MODELS_DIR")
	return cmd
}
