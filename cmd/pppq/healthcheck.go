package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func healthcheckCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use: "healthcheck", Short: "Ask the running service whether it is ready, for containers", Args: exactly(0, "no arguments"),
		Long: `Healthcheck calls the service at the configured HOST and PORT on this machine and exits
0 if it answers 200, else 1.`,
		Example: "  pppq healthcheck\n  PORT=9000 pppq healthcheck --path /livez",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !strings.HasPrefix(path, "/") {
				return usageError("--path %q: want a path that begins with /", path)
			}
			s, err := settings(cmd)
			if err != nil {
				return err
			}
			return probe(cmd.Context(), s.Host, s.Port, path)
		},
	}
	cmd.Flags().StringVar(&path, "path", "/readyz", "what to ask")
	settingFlags(cmd, "HOST", "PORT")
	return cmd
}

// probe asks a path of the service; a host that stands for every address is
// asked on the loopback of both families, and the error is that of IPv4.
func probe(ctx context.Context, host string, port int, path string) error {
	hosts := []string{host}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		hosts = []string{"127.0.0.1", "::1"}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var first error
	for _, h := range hosts {
		err := ask(ctx, "http://"+net.JoinHostPort(h, strconv.Itoa(port))+path)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

func ask(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s: %s", url, resp.Status, strings.TrimSpace(string(body)))
	}
	return nil
}
