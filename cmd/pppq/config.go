package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func configCommand() *cobra.Command {
	var list, asJSON bool
	cmd := &cobra.Command{
		Use: "config", Short: "Check the settings and list them", Args: exactly(0, "no arguments"),
		Long: `Config reads the settings as "pppq serve" would, from the environment, files that
NAME_FILE variables name, and flags, and lists what each is and where it comes from.
Secrets show only whether they are set.`,
		Example: "  pppq config --list\n  PORT=9000 pppq config --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := settings(cmd)
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			if !list && !asJSON {
				_, err := fmt.Fprintln(w, "the settings are fine; --list shows them")
				return err
			}
			type line struct {
				Name    string `json:"name"`
				Value   string `json:"value"`
				From    string `json:"from"`
				Default string `json:"default"`
				Accepts string `json:"accepts"`
				Help    string `json:"help"`
				Secret  bool   `json:"secret"`
			}
			var lines []line
			for _, v := range s.Values() {
				lines = append(lines, line{v.Name, v.Value, v.From, v.Default, v.Accepts, v.Help, v.Secret})
			}
			if asJSON {
				return printJSON(w, lines)
			}
			t := newTable(w)
			fmt.Fprintln(t, "variable\tvalue\tfrom\twhat it is")
			for _, l := range lines {
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", l.Name, l.Value, l.From, l.Help)
			}
			return t.Flush()
		},
	}
	cmd.Flags().BoolVar(&list, "list", false, "list every setting")
	cmd.Flags().BoolVar(&asJSON, "json", false, "list every setting as JSON")
	settingFlags(cmd)
	return cmd
}
