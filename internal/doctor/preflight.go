package doctor

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pppq/pppq/internal/setup"
)

// A Machine is what Preflight looks at.
type Machine struct {
	// Dir is the checkout.
	Dir string
	// Run runs a program, as `docker version`, and returns what it prints; the
	// error of one that fails says why.
	Run func(ctx context.Context, name string, args ...string) ([]byte, error)
	// Listen tries whether a port is free.
	Listen func(address string) (net.Listener, error)
	// Networks are the address ranges that the machine uses already, without those
	// of the stack itself.
	Networks []netip.Prefix
	// Running says that the stack is up, and its own ports are taken by itself.
	Running bool
}

// Oldest versions that the Compose files are made for.
var (
	oldestEngine  = [2]int{24, 0}
	oldestCompose = [2]int{2, 20}
)

// Preflight looks at a machine before `docker compose up`.
func Preflight(ctx context.Context, m Machine) []Finding {
	found := []Finding{
		m.version(ctx, "Docker Engine", oldestEngine, "docker", "version", "--format", "{{.Server.Version}}"),
		m.version(ctx, "Docker Compose", oldestCompose, "docker", "compose", "version", "--short"),
	}
	env, err := readEnv(filepath.Join(m.Dir, setup.EnvFile))
	if err != nil {
		return append(found, Finding{"settings", Fault, err.Error(), "pppq init production"})
	}
	found = append(found, Finding{"settings", OK, setup.EnvFile + " can be read", ""})
	found = append(found, m.secrets(env)...)
	found = append(found, m.pair(), m.edge())
	for _, p := range []struct{ variable, fallback, host string }{{"HTTP_PORT", "80", ""}, {"HTTPS_PORT", "443", ""}, {"PROMETHEUS_PORT", "9090", "127.0.0.1"}} {
		found = append(found, m.port(env, p.variable, p.fallback, p.host))
	}
	return append(found, m.network(env), disk("disk", m.Dir))
}

func (m Machine) version(ctx context.Context, check string, oldest [2]int, name string, args ...string) Finding {
	out, err := m.Run(ctx, name, args...)
	text := strings.TrimSpace(string(out))
	if err != nil {
		return Finding{check, Fault, fmt.Sprintf("`%s %s`: %v", name, strings.Join(args, " "), err), "install it, start it, and see that this user may use it: `docker info`"}
	}
	major, rest, _ := strings.Cut(strings.TrimPrefix(text, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	x, err1 := strconv.Atoi(major)
	y, err2 := strconv.Atoi(minor)
	if err1 != nil || err2 != nil {
		return Finding{check, Warning, fmt.Sprintf("%q is not a version", text), fmt.Sprintf("want %d.%d or later", oldest[0], oldest[1])}
	}
	if x < oldest[0] || x == oldest[0] && y < oldest[1] {
		return Finding{check, Warning, text + " is old", fmt.Sprintf("update it to %d.%d or later", oldest[0], oldest[1])}
	}
	return Finding{check, OK, text, ""}
}

// readEnv reads NAME=VALUE lines.
func readEnv(path string) (map[string]string, error) {
	text, err := readSmall(path)
	if err != nil {
		return nil, err
	}
	env := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxFile+1)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			env[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return env, lines.Err()
}

// secrets checks that the group which the containers join may read each secret,
// and that nobody else may.
func (m Machine) secrets(env map[string]string) (found []Finding) {
	group, err := strconv.Atoi(env["SECRETS_GID"])
	if err != nil {
		return []Finding{{"secrets", Fault, "SECRETS_GID is not set to a number", "set it in " + setup.EnvFile + " to the group of secrets/: `stat -c %g secrets`"}}
	}
	for _, name := range []string{"secrets/mlflow_password", "secrets/grafana_password", "secrets/api_keys", setup.PrivateKey, setup.Certificate} {
		path := filepath.Join(m.Dir, name)
		stat, err := os.Stat(path)
		check := "secret " + name
		_, owner, known := ownerOf(stat)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			found = append(found, Finding{check, Fault, "it is not there", "pppq init production, or write the file"})
		case err != nil:
			found = append(found, Finding{check, Fault, err.Error(), "chmod 750 " + filepath.Dir(name)})
		case stat.Mode().Perm()&0o040 == 0 || known && owner != group:
			found = append(found, Finding{check, Fault, fmt.Sprintf("mode %v, group %d: the containers, of group %d, can't read it", stat.Mode().Perm(), owner, group),
				fmt.Sprintf("chgrp %d %s && chmod 640 %s", group, name, name)})
		case stat.Mode().Perm()&0o007 != 0 && name != setup.Certificate:
			found = append(found, Finding{check, Warning, fmt.Sprintf("mode %v: everyone may read it", stat.Mode().Perm()), "chmod 640 " + name})
		default:
			found = append(found, Finding{check, OK, fmt.Sprintf("mode %v", stat.Mode().Perm()), ""})
		}
	}
	return found
}

func (m Machine) pair() Finding {
	const check = "certificate and key"
	if _, err := tls.LoadX509KeyPair(filepath.Join(m.Dir, setup.Certificate), filepath.Join(m.Dir, setup.PrivateKey)); err != nil {
		return Finding{check, Fault, err.Error(), "pppq cert --host NAME --replace"}
	}
	return Finding{check, OK, "they belong together", ""}
}

// edge checks that each template of the edge's settings was filled.
func (m Machine) edge() Finding {
	const check = "nginx settings"
	templates, err := filepath.Glob(filepath.Join(m.Dir, setup.EdgeSettings, "*.conf.example"))
	if err != nil || len(templates) == 0 {
		return Finding{check, Fault, setup.EdgeSettings + " has no templates", "run it in the checkout of the repository"}
	}
	for _, t := range templates {
		if _, err := os.Stat(strings.TrimSuffix(t, ".example")); err != nil {
			return Finding{check, Fault, err.Error(), fmt.Sprintf("cp %s %s", t, strings.TrimSuffix(t, ".example"))}
		}
	}
	return Finding{check, OK, fmt.Sprintf("%d files", len(templates)), ""}
}

func (m Machine) port(env map[string]string, variable, fallback, host string) Finding {
	port := env[variable]
	if port == "" {
		port = fallback
	}
	check := "port " + port
	if m.Running {
		return Finding{check, OK, "the stack runs already", ""}
	}
	l, err := m.Listen(net.JoinHostPort(host, port))
	if err != nil {
		return Finding{check, Fault, err.Error(), fmt.Sprintf("find what holds it with `ss -ltnp 'sport = :%s'`, or set %s in %s", port, variable, setup.EnvFile)}
	}
	l.Close()
	return Finding{check, OK, "free", ""}
}

func (m Machine) network(env map[string]string) Finding {
	const check = "network of the edge and the API"
	text := env["APP_NETWORK"] + ".0/24"
	mine, err := netip.ParsePrefix(text)
	if err != nil {
		return Finding{check, Fault, fmt.Sprintf("APP_NETWORK: %q is not the start of a network", env["APP_NETWORK"]), "set APP_NETWORK in " + setup.EnvFile + " to three numbers, as 172.30.238"}
	}
	for _, n := range m.Networks {
		if n.Overlaps(mine) && !m.Running {
			return Finding{check, Fault, fmt.Sprintf("the machine is in %s already", n), "set APP_NETWORK in " + setup.EnvFile + " to another network"}
		}
	}
	return Finding{check, OK, text, ""}
}
