package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// A release build sets these; revision and built are the commit and its time,
// which else come from the build information of the Go command.
var (
	version  = "1.0.0"
	revision string
	built    string
)

// programVersion is what answers, models and /health carry.
func programVersion() string { return version }

// flagName is the flag of an environment variable.
func flagName(variable string) string {
	return strings.ReplaceAll(strings.ToLower(variable), "_", "-")
}

func versionCommand() *cobra.Command {
	var asJSON, sbom bool
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version and how the program was built", Args: exactly(0, "no arguments"),
		Long: `Version prints the version and how the program was built; --sbom lists the modules
that it is made of, as a CycloneDX document.`,
		Example: "  pppq version --json\n  pppq version --sbom",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if sbom {
				return printSBOM(cmd.OutOrStdout())
			}
			v := struct {
				Version  string `json:"version"`
				Go       string `json:"go"`
				Platform string `json:"platform"`
				Revision string `json:"revision,omitempty"`
				Built    string `json:"built,omitempty"`
			}{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
			v.Revision, v.Built = buildStamp()
			if asJSON {
				return printJSON(cmd.OutOrStdout(), v)
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "pppq %s (%s, %s)\n", v.Version, v.Go, v.Platform)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&sbom, "sbom", false, "print the modules of the program as CycloneDX JSON")
	return cmd
}

// buildStamp is the commit that the program was built from and its time, empty
// where neither the build nor the Go command said so.
func buildStamp() (commit, at string) {
	commit, at = revision, built
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return commit, at
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && commit == "":
			commit = s.Value
		case s.Key == "vcs.time" && at == "":
			at = s.Value
		}
	}
	return commit, at
}
