// Package doctor looks at an installation and says what is wrong with it and
// which command mends it. Check looks at what a service uses, from inside a
// container or beside it; Preflight at a machine and a checkout before the
// stack starts; Handler serves what changes with time as metrics.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/config"
	"github.com/pppq/pppq/internal/setup"
)

// A Status says how bad a finding is.
type Status string

// Statuses. A Fault keeps something from working; a Warning will.
const (
	OK      Status = "ok"
	Warning Status = "warning"
	Fault   Status = "fault"
)

// A Finding is the outcome of one check.
type Finding struct {
	Check  string `json:"check"`
	Status Status `json:"status"`
	Detail string `json:"detail"`
	// Mend is the command or the step that mends it; empty if nothing is wrong.
	Mend string `json:"mend,omitempty"`
}

// A Subject is what Check looks at.
type Subject struct {
	Settings *config.Settings
	Models   bundle.Folder
	// Certificate is a PEM file and Backups the folder that docker/backup.sh
	// writes; empty ones are not looked at.
	Certificate, Backups string
	// Service is the base URL of the service on this machine; empty is not asked.
	Service string
	Now     time.Time
}

const (
	// certificateWarning is how long before its end a certificate is warned of.
	certificateWarning = 21 * 24 * time.Hour
	// backupWarning is the age of a backup that two daily runs missed.
	backupWarning = 48 * time.Hour
	// diskFault and diskWarning are free bytes.
	diskFault, diskWarning = 64 << 20, 1 << 30
	// networkTimeout bounds each look at a database or a service.
	networkTimeout = 3 * time.Second
)

// Check looks at everything that the subject names. It writes nothing.
func Check(ctx context.Context, s Subject) []Finding {
	found := []Finding{
		folder("data folder", s.Settings.DataDir, "DATA_DIR"),
		folder("models folder", s.Settings.ModelsDir, "MODELS_DIR"),
		s.model(),
		s.clock(),
		disk("disk of the data folder", s.Settings.DataDir),
		disk("disk of the models folder", s.Settings.ModelsDir),
	}
	if s.Settings.DatabaseURL != "" {
		found = append(found, s.database(ctx))
	}
	if s.Certificate != "" {
		found = append(found, s.certificate())
	}
	if s.Backups != "" {
		found = append(found, s.backup())
	}
	if s.Service != "" {
		found = append(found, s.service(ctx))
	}
	return found
}

// Faults counts the faults among the findings.
func Faults(found []Finding) int {
	n := 0
	for _, f := range found {
		if f.Status == Fault {
			n++
		}
	}
	return n
}

// folder checks that a folder is there and can be listed.
func folder(check, path, variable string) Finding {
	entries, err := os.ReadDir(path)
	switch {
	case err == nil:
		// Whether this process could write says nothing: the service reads alone.
		if stat, err := os.Stat(path); err == nil {
			groups, _ := os.Getgroups()
			if owner, group, ok := ownerOf(stat); ok && unwritable(stat.Mode(), owner, group, os.Getuid(), append(groups, os.Getgid())) {
				return Finding{check, Warning, fmt.Sprintf("%s belongs to user %d: a training by user %d can't write there", path, owner, os.Getuid()), ownership(path)}
			}
		}
		return Finding{check, OK, fmt.Sprintf("%s: %d entries", path, len(entries)), ""}
	case errors.Is(err, fs.ErrNotExist):
		return Finding{check, Fault, path + " is not there", fmt.Sprintf("run `pppq up --once`, or set %s to the folder that is meant", variable)}
	case errors.Is(err, fs.ErrPermission):
		return Finding{check, Fault, fmt.Sprintf("%s can't be read by user %d", path, os.Getuid()), ownership(path)}
	}
	return Finding{check, Fault, err.Error(), "set " + variable + " to a folder that can be read"}
}

// unwritable says that a folder's mode and owner keep a user, who is in these groups,
// from writing there. Everything is writable for root, and where users have no numbers.
func unwritable(mode fs.FileMode, owner, group, user int, groups []int) bool {
	switch {
	case user <= 0:
		return false
	case owner == user:
		return mode&0o200 == 0
	case slices.Contains(groups, group):
		return mode&0o020 == 0
	}
	return mode&0o002 == 0
}

// ownership is the command that gives path to the user of this process.
func ownership(path string) string {
	return fmt.Sprintf("chown -R %d:%d %s", os.Getuid(), os.Getgid(), path)
}

// model loads the version in service, which checks every hash.
func (s Subject) model() Finding {
	const check = "model in service"
	b, refusals, err := s.Models.LoadCurrent()
	switch {
	case errors.Is(err, bundle.ErrNone) && len(refusals) > 0:
		return Finding{check, Fault, refusals[0].Error(), "train another version with `pppq train --promote`"}
	case errors.Is(err, bundle.ErrNone):
		return Finding{check, Fault, "there is none in " + s.Models.Dir, "run `pppq up --once`"}
	case err != nil:
		return Finding{check, Fault, err.Error(), ownership(s.Models.Dir)}
	case len(refusals) > 0:
		return Finding{check, Warning, fmt.Sprintf("%s stands in for a refused one: %v", b.Manifest.Version, refusals[0]),
			"put it into service by name with `pppq models promote " + b.Manifest.Version + "`"}
	}
	return Finding{check, OK, fmt.Sprintf("%s, figures to %s, every hash is right", b.Manifest.Version, b.Manifest.DataAsOf), ""}
}

// clock compares the clock with the newest model: it was not made in the future.
func (s Subject) clock() Finding {
	const check = "clock"
	detail := s.Now.UTC().Format(time.RFC3339)
	b, _, err := s.Models.LoadCurrent()
	if err == nil && s.Now.Before(b.Manifest.Created.Add(-time.Minute)) {
		return Finding{check, Fault, fmt.Sprintf("%s is before the model in service was made, %s", detail, b.Manifest.Created.UTC().Format(time.RFC3339)),
			"set the machine's clock: timedatectl set-ntp true"}
	}
	return Finding{check, OK, detail, ""}
}

func disk(check, path string) Finding {
	free, err := DiskFree(path)
	if errors.Is(err, fs.ErrNotExist) {
		path = filepath.Dir(filepath.Clean(path))
		free, err = DiskFree(path)
	}
	if err != nil {
		return Finding{check, Warning, err.Error(), "look at it with `df -h`"}
	}
	detail := fmt.Sprintf("%s: %.1f GB free", path, float64(free)/1e9)
	const mend = "make room: `pppq models prune`, `docker system prune`"
	switch {
	case free < diskFault:
		return Finding{check, Fault, detail, mend}
	case free < diskWarning:
		return Finding{check, Warning, detail, mend}
	}
	return Finding{check, OK, detail, ""}
}

func (s Subject) database(ctx context.Context) Finding {
	const check = "database"
	if err := pingDatabase(ctx, s.Settings.DatabaseURL); err != nil {
		// Forecasts go on without it; the ledger does not.
		return Finding{check, Warning, err.Error(), "docker compose -f docker-compose.prod.yml up -d mlflow-db, and look at `logs mlflow-db`"}
	}
	return Finding{check, OK, "it answers", ""}
}

// pingDatabase asks a PostgreSQL database a question, or looks for a SQLite
// file. The error holds no password.
func pingDatabase(ctx context.Context, url string) error {
	if path, ok := sqlitePath(url); ok {
		_, err := os.Stat(path)
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, networkTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var one int
	return conn.QueryRow(ctx, "SELECT 1").Scan(&one)
}

func (s Subject) certificate() Finding {
	const check = "certificate"
	mend := s.newPair() + "; then docker compose -f docker-compose.prod.yml kill -s HUP nginx"
	until, hosts, err := CertificateEnd(s.Certificate)
	switch left := until.Sub(s.Now); {
	case err != nil:
		return Finding{check, Fault, err.Error(), mend}
	case left <= 0:
		return Finding{check, Fault, fmt.Sprintf("for %s, ended %s", hosts, until.UTC().Format(time.RFC3339)), mend}
	case left < certificateWarning:
		return Finding{check, Warning, fmt.Sprintf("for %s, ends in %d days", hosts, int(left.Hours()/24)), mend}
	default:
		return Finding{check, OK, fmt.Sprintf("for %s, holds for %d days", hosts, int(left.Hours()/24)), ""}
	}
}

// newPair is the step that replaces the certificate. pppq cert names its files
// itself, and can't replace one of another name.
func (s Subject) newPair() string {
	step := fmt.Sprintf("put a new pair in the place of %s and its key", s.Certificate)
	if filepath.Base(s.Certificate) == filepath.Base(setup.Certificate) {
		step += fmt.Sprintf(", or `pppq cert --host NAME --out %s --replace`", filepath.Dir(s.Certificate))
	}
	return step
}

func (s Subject) backup() Finding {
	const check = "backup"
	const mend = "docker compose -f docker-compose.prod.yml --profile backup up -d backup, and look at `logs backup`"
	last, err := LastBackup(s.Backups)
	switch age := s.Now.Sub(last); {
	case errors.Is(err, fs.ErrNotExist):
		return Finding{check, Warning, "there is none in " + s.Backups, mend}
	case err != nil:
		return Finding{check, Warning, err.Error(), mend}
	case age > backupWarning:
		return Finding{check, Warning, fmt.Sprintf("the newest is %d hours old", int(age.Hours())), mend}
	default:
		return Finding{check, OK, fmt.Sprintf("the newest is %d minutes old", int(age.Minutes())), ""}
	}
}

func (s Subject) service(ctx context.Context) Finding {
	const check = "service"
	ctx, cancel := context.WithTimeout(ctx, networkTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Service+"/readyz", nil)
	if err != nil {
		return Finding{check, Fault, err.Error(), "set HOST and PORT"}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return Finding{check, Fault, err.Error(), "start it: `pppq serve`, or docker compose -f docker-compose.prod.yml up -d"}
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return Finding{check, Fault, fmt.Sprintf("%s/readyz answers %s", s.Service, resp.Status), "see the findings above, and the service's log"}
	}
	return Finding{check, OK, s.Service + " is ready", ""}
}
