package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/pppq/pppq/internal/setup"
)

func initCommand() *cobra.Command {
	return parent("init", "Prepare an installation", "  pppq init production", initProduction())
}

func initProduction() *cobra.Command {
	var (
		hosts  []string
		asJSON bool
	)
	cmd := &cobra.Command{
		Use: "production", Short: "Write settings, secrets and a certificate for docker-compose.prod.yml", Args: exactly(0, "no arguments"),
		Long: `Production writes, in the checkout that it is called in, what docker-compose.prod.yml
needs and the repository can't hold: .env.prod from .env.example (and .env, a link to
it), random passwords and an empty list of API keys in secrets/, a self-signed
certificate in docker/ssl/ and nginx's settings in docker/nginx.d/. It asks nothing and
overwrites nothing: if one of the files stands already it writes none and exits 3.

Secrets are readable for you and your group; the containers that need them join it.`,
		Example: "  pppq init production\n  pppq init production --host api.example.com --host www.example.com",
		RunE: func(cmd *cobra.Command, _ []string) error {
			written, linked, err := setup.Production(setup.Plan{Dir: ".", Hosts: hosts, Group: os.Getgid(), Now: time.Now()})
			if errors.Is(err, setup.ErrExists) {
				return refused("%w: nothing was written; move these files away to start anew", err)
			}
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			if asJSON {
				return printJSON(w, struct {
					Written    []string `json:"written"`
					EnvLinked  bool     `json:"env_linked"`
					ValidHours int      `json:"certificate_valid_hours"`
				}{written, linked, int(setup.Validity.Hours())})
			}
			for _, name := range written {
				fmt.Fprintf(w, "wrote %s\n", name)
			}
			env := ""
			if linked {
				fmt.Fprintf(w, "wrote %s, a link to %s\n", setup.EnvLink, setup.EnvFile)
			} else {
				fmt.Fprintf(w, "left %s as it is: name %s in every command\n", setup.EnvLink, setup.EnvFile)
				env = "--env-file " + setup.EnvFile + " "
			}
			_, err = fmt.Fprintf(w, "\nThe certificate is self-signed and holds for %d days; put a real pair into docker/ssl/.\nStart with:  docker compose %s-f docker-compose.prod.yml up -d --wait\n",
				int(setup.Validity.Hours()/24), env)
			return err
		},
	}
	cmd.Flags().StringArrayVar(&hosts, "host", nil, "name under which the service is called; may be given again (default "+setup.DefaultHost+")")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
