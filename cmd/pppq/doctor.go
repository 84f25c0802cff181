package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pppq/pppq/internal/api"
	"github.com/pppq/pppq/internal/config"
	"github.com/pppq/pppq/internal/doctor"
)

func doctorCommand() *cobra.Command {
	var (
		certificate, backups string
		serveMetrics, before bool
		asJSON               bool
	)
	cmd := &cobra.Command{
		Use: "doctor", Short: "Say what is wrong with an installation and what mends it", Args: exactly(0, "no arguments"),
		Long: `Doctor looks at settings, folders and their owners, the model in service and its
hashes, the clock, the disk, the database, the certificate, backups and the service
itself, as far as they are there, and prints for each fault the step that mends it. It
changes nothing. In a container it takes the place of a shell.

--before-up looks at the machine and the checkout before the stack starts: versions,
settings, secrets, ports, networks. --serve exports what changes with time as
Prometheus metrics on HOST and PORT.

Exit code 0: nothing, or only warnings; 3: a fault.`,
		Example: "  pppq doctor\n  pppq doctor --before-up\n  pppq doctor --certificate docker/ssl/certificate.crt --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if before {
				for _, name := range []string{"serve", "certificate", "backups", "host", "port", "data-dir", "models-dir"} {
					if cmd.Flags().Changed(name) {
						return usageError("--before-up looks at the checkout in this folder, and takes no --%s", name)
					}
				}
				return report(cmd, doctor.Preflight(cmd.Context(), machine(cmd.Context())), asJSON)
			}
			s, err := settings(cmd)
			if err != nil {
				return err
			}
			_, folder, err := folders(s)
			if err != nil {
				return err
			}
			subject := doctor.Subject{Settings: s, Models: folder, Certificate: certificate, Backups: backups, Now: time.Now()}
			if serveMetrics {
				return serveDoctor(cmd.Context(), s, doctor.Handler(subject), cmd)
			}
			subject.Service = "http://" + net.JoinHostPort(loopback(s.Host), strconv.Itoa(s.Port))
			return report(cmd, doctor.Check(cmd.Context(), subject), asJSON)
		},
	}
	cmd.Flags().StringVar(&certificate, "certificate", "", "PEM file of the edge's certificate")
	cmd.Flags().StringVar(&backups, "backups", "", "folder of the database's backups")
	cmd.Flags().BoolVar(&serveMetrics, "serve", false, "serve /metrics and /livez until stopped")
	cmd.Flags().BoolVar(&before, "before-up", false, "look at this machine and checkout before the stack starts")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	settingFlags(cmd, "HOST", "PORT", "DATA_DIR", "MODELS_DIR")
	return cmd
}

// report prints findings, worst news last on a line of their own, and turns
// faults into an exit code.
func report(cmd *cobra.Command, found []doctor.Finding, asJSON bool) error {
	w := cmd.OutOrStdout()
	var err error
	if asJSON {
		err = printJSON(w, found)
	} else {
		var text strings.Builder
		for _, f := range found {
			fmt.Fprintf(&text, "%-8s %s: %s\n", f.Status, f.Check, f.Detail)
			if f.Mend != "" {
				fmt.Fprintf(&text, "         -> %s\n", f.Mend)
			}
		}
		_, err = io.WriteString(w, text.String())
	}
	if faults := doctor.Faults(found); faults > 0 {
		return errors.Join(err, refused("%d of %d checks found a fault", faults, len(found)))
	}
	return err
}

// loopback is where a service that listens on host is reached from here.
func loopback(host string) string {
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return "127.0.0.1"
	}
	return host
}

// serveDoctor serves until ctx ends.
func serveDoctor(ctx context.Context, s *config.Settings, h http.Handler, cmd *cobra.Command) error {
	l, err := api.Listen(net.JoinHostPort(s.Host, strconv.Itoa(s.Port)))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second, MaxHeaderBytes: 16 << 10}
	fmt.Fprintf(cmd.ErrOrStderr(), "pppq doctor serves metrics on http://%s/metrics\n", l.Addr())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err = server.Shutdown(stop)
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// machine is the one that this process runs on.
func machine(ctx context.Context) doctor.Machine {
	m := doctor.Machine{
		Dir:    ".",
		Listen: func(address string) (net.Listener, error) { return net.Listen("tcp", address) },
		Run: func(ctx context.Context, name string, args ...string) ([]byte, error) {
			ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			out, err := exec.CommandContext(ctx, name, args...).Output()
			var failed *exec.ExitError
			if errors.As(err, &failed) && len(failed.Stderr) > 0 {
				said, _, _ := strings.Cut(strings.TrimSpace(string(failed.Stderr)), "\n")
				err = fmt.Errorf("%w: %s", err, said)
			}
			return out, err
		},
	}
	if out, err := m.Run(ctx, "docker", "compose", "-f", "docker-compose.prod.yml", "ps", "-q", "nginx"); err == nil {
		m.Running = strings.TrimSpace(string(out)) != ""
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return m
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			m.Networks = append(m.Networks, p.Masked())
		}
	}
	return m
}
