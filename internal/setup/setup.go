// Package setup writes what a production installation needs beside the files of
// the repository: settings, secrets, a certificate and the web server's own
// settings. Start at Production.
package setup

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pppq/pppq/internal/selfsigned"
)

const (
	// EnvExample is the template of EnvFile.
	EnvExample = ".env.example"
	EnvFile    = ".env.prod"
	// EnvLink lets Compose find EnvFile without an option.
	EnvLink = ".env"

	Certificate = "docker/ssl/certificate.crt"
	PrivateKey  = "docker/ssl/private.key"
	// EdgeSettings holds the web server's settings; a template NAME.conf.example
	// becomes NAME.conf.
	EdgeSettings = "docker/nginx.d"
	Secrets      = "secrets"

	// Validity of the self-signed certificate.
	Validity = 90 * 24 * time.Hour

	// DefaultHost stands in the templates.
	DefaultHost = "api.purchasing-power-ml.dev"
	// localHost is answered to beside the hosts of the plan.
	localHost = "localhost"
)

// Modes: who runs the stack reads and writes, its group reads.
const (
	secretFolder = 0o750
	secretFile   = 0o640
	plainFile    = 0o644
)

// ErrExists says that something stands where Production would write.
var ErrExists = errors.New("already there")

// A Plan says what Production is to write.
type Plan struct {
	// Dir is the checkout: it holds EnvExample and EdgeSettings.
	Dir string
	// Hosts are the names under which the service is called, the first one
	// foremost; empty is DefaultHost.
	Hosts []string
	// Group is the numeric group whose members may read secrets; containers join it.
	Group int
	Now   time.Time
}

type file struct {
	name    string
	content []byte
	mode    fs.FileMode
}

// Production writes every file of the plan, or none if one of them exists; then
// the error wraps ErrExists. It returns the names of the files, relative to
// Dir, and whether EnvLink was made: it is left alone where one stands.
func Production(p Plan) (written []string, linked bool, err error) {
	files, err := p.files()
	if err != nil {
		return nil, false, err
	}
	var standing []string
	for _, f := range files {
		if _, err := os.Lstat(filepath.Join(p.Dir, f.name)); err == nil {
			standing = append(standing, f.name)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, false, err
		}
	}
	if len(standing) > 0 {
		return nil, false, fmt.Errorf("%s: %w", strings.Join(standing, ", "), ErrExists)
	}
	for _, dir := range []struct {
		name string
		mode fs.FileMode
	}{{Secrets, secretFolder}, {filepath.Dir(PrivateKey), secretFolder}} {
		path := filepath.Join(p.Dir, dir.name)
		if err := os.MkdirAll(path, dir.mode); err != nil {
			return nil, false, err
		}
		if err := errors.Join(os.Chmod(path, dir.mode), p.own(path)); err != nil {
			return nil, false, err
		}
	}
	for _, f := range files {
		if err := p.write(f); err != nil {
			return written, false, err
		}
		written = append(written, f.name)
	}
	err = os.Symlink(EnvFile, filepath.Join(p.Dir, EnvLink))
	if errors.Is(err, fs.ErrExist) {
		return written, false, nil
	}
	return written, err == nil, err
}

func (p Plan) files() ([]file, error) {
	var hosts []string // each once: nginx warns of a name that it is told twice
	for _, h := range p.Hosts {
		if err := selfsigned.CheckHost(h); err != nil {
			return nil, err
		}
		if h = strings.ToLower(h); !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	if len(hosts) == 0 {
		hosts = []string{DefaultHost}
	}
	withLocal := hosts
	if !slices.Contains(hosts, localHost) {
		withLocal = append(slices.Clone(hosts), localHost)
	}
	env, err := os.ReadFile(filepath.Join(p.Dir, EnvExample))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not here: run this in the checkout of the repository", EnvExample)
	}
	if err != nil {
		return nil, err
	}
	settings, err := fill(string(env), map[string]string{
		"SECRETS_GID":   strconv.Itoa(p.Group),
		"ALLOWED_HOSTS": `["` + strings.Join(withLocal, `","`) + `"]`,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", EnvExample, err)
	}
	cert, key, err := selfsigned.Pair(withLocal, p.Now, Validity)
	if err != nil {
		return nil, err
	}
	files := []file{
		{EnvFile, []byte(settings), secretFile},
		{Certificate, cert, secretFile},
		{PrivateKey, key, secretFile},
		{Secrets + "/api_keys", []byte("# Lines that `pppq keys new` prints; none: anyone may read and nobody may administer.\n"), secretFile},
	}
	for _, name := range []string{"mlflow_password", "grafana_password"} {
		var b [24]byte
		rand.Read(b[:]) // never fails: crypto/rand
		files = append(files, file{Secrets + "/" + name, []byte(base64.RawURLEncoding.EncodeToString(b[:]) + "\n"), secretFile})
	}
	templates, err := filepath.Glob(filepath.Join(p.Dir, EdgeSettings, "*.conf.example"))
	if err != nil {
		return nil, err
	}
	if len(templates) == 0 {
		return nil, fmt.Errorf("%s has no *.conf.example: run this in the checkout of the repository", EdgeSettings)
	}
	names := strings.NewReplacer(DefaultHost+" "+localHost, strings.Join(withLocal, " "), DefaultHost, strings.Join(hosts, " "))
	for _, path := range templates {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		name := EdgeSettings + "/" + strings.TrimSuffix(filepath.Base(path), ".example")
		files = append(files, file{name, []byte(names.Replace(string(text))), plainFile})
	}
	return files, nil
}

// fill sets variables in the text of an env file; each must stand there once,
// at the start of a line.
func fill(text string, values map[string]string) (string, error) {
	lines := strings.Split(text, "\n")
	for name, value := range values {
		found := 0
		for i, line := range lines {
			if strings.HasPrefix(line, name+"=") {
				lines[i] = name + "=" + value
				found++
			}
		}
		if found != 1 {
			return "", fmt.Errorf("want one line %s=, got %d", name, found)
		}
	}
	return strings.Join(lines, "\n"), nil
}

// write makes one file, which must not exist, whatever the umask is.
func (p Plan) write(f file) (err error) {
	path := filepath.Join(p.Dir, f.name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := out.Write(f.content); err != nil {
		return err
	}
	if f.mode == secretFile {
		if err := p.own(path); err != nil {
			return err
		}
	}
	return out.Chmod(f.mode)
}

// own hands path to the group that may read it.
func (p Plan) own(path string) error {
	if err := os.Chown(path, -1, p.Group); err != nil {
		return fmt.Errorf("give %s to group %d: %w", path, p.Group, err)
	}
	return nil
}
