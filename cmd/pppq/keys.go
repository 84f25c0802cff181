package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pppq/pppq/internal/config"
)

func keysCommand() *cobra.Command {
	return parent("keys", "Make keys for the service", "  pppq keys new --name analyst", keysNew())
}

func keysNew() *cobra.Command {
	var name, scope string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "new", Short: "Make a key and the line for API_KEYS that admits it", Args: exactly(0, "no arguments"),
		Long: `New prints a key, once, and the line that belongs into API_KEYS, or into the file that
API_KEYS_FILE names. The line holds only a hash: who reads it cannot call the service.`,
		Example: "  pppq keys new --name analyst --scope read",
		RunE: func(cmd *cobra.Command, _ []string) error {
			key, line, err := config.NewAPIKey(name, scope)
			if err != nil {
				return &exitError{exitUsage, err}
			}
			w := cmd.OutOrStdout()
			if asJSON {
				return printJSON(w, struct {
					Key  string `json:"key"`
					Line string `json:"line"`
				}{key, line})
			}
			fmt.Fprintf(w, "key, shown only now:   %s\n", key)
			_, err = fmt.Fprintf(w, "line for API_KEYS:     %s\n", line)
			return err
		},
	}
	cmd.Flags().StringVar(&name, "name", "client", "who will use it")
	cmd.Flags().StringVar(&scope, "scope", "read", "read or admin")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
