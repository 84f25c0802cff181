//go:build linux

package ledgertest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A Server is a PostgreSQL server on a port of the loopback address, with a
// password, in a folder of its own. It ends with the process.
type Server struct {
	url    url.URL
	dir    string
	run    *exec.Cmd
	log    bytes.Buffer
	ended  chan struct{}
	number atomic.Int64
}

// password of the made-up administrator.
const password = "of a test"

// StartServer makes and starts a server. PostgreSQL refuses to run as root;
// root runs it as the user postgres, or nobody.
func StartServer(ctx context.Context) (*Server, error) {
	initdb, err := findProgram("initdb")
	if err != nil {
		return nil, err
	}
	server, err := findProgram("postgres")
	if err != nil {
		return nil, err
	}
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	s := &Server{ended: make(chan struct{})}
	if s.dir, err = os.MkdirTemp("", "pppq-postgres-"); err != nil {
		return nil, err
	}
	if err := s.start(ctx, initdb, server, as); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// findProgram looks in PATH and where Debian and Red Hat put it, newest first.
func findProgram(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return filepath.EvalSymlinks(path)
	}
	var all []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/", "/usr/pgsql-*/bin/"} {
		found, err := filepath.Glob(pattern + name)
		if err != nil {
			return "", err
		}
		all = append(all, found...)
	}
	if len(all) == 0 {
		return "", fmt.Errorf("%w: %s is neither in PATH nor in /usr/lib/postgresql/*/bin or /usr/pgsql-*/bin", ErrNoServer, name)
	}
	slices.Sort(all)
	return all[len(all)-1], nil
}

// unprivileged is nil unless this process is root.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("%w: it does not run as root, and there is neither a user postgres nor nobody", ErrNoServer)
}

func (s *Server) start(ctx context.Context, initdb, server string, as *syscall.Credential) error {
	secret := filepath.Join(s.dir, "password")
	if err := os.WriteFile(secret, []byte(password+"\n"), 0o600); err != nil {
		return err
	}
	if as != nil {
		for _, path := range []string{s.dir, secret} {
			if err := os.Chown(path, int(as.Uid), int(as.Gid)); err != nil {
				return err
			}
		}
	}
	data := filepath.Join(s.dir, "data")
	create := exec.CommandContext(ctx, initdb, "--pgdata="+data, "--username=admin", "--pwfile="+secret,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync")
	create.Dir = s.dir
	create.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	if out, err := create.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	s.url = url.URL{Scheme: "postgresql", User: url.UserPassword("admin", password), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Path: "/postgres"}
	s.run = exec.Command(server, "-D", data, "-p", strconv.Itoa(port), "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "fsync=off")
	s.run.Dir = s.dir
	s.run.Stdout, s.run.Stderr = &s.log, &s.log
	s.run.SysProcAttr = &syscall.SysProcAttr{Credential: as, Pdeathsig: syscall.SIGQUIT}
	started := make(chan error)
	go func() {
		// The death signal is bound to the thread that starts the process.
		runtime.LockOSThread()
		err := s.run.Start()
		started <- err
		if err == nil {
			_ = s.run.Wait()
			close(s.ended)
		}
	}()
	if err := <-started; err != nil {
		s.run = nil
		return err
	}
	return s.wait(ctx)
}

// freePort is one that was free a moment ago.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// wait returns when the server answers.
func (s *Server) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	db, err := sql.Open("pgx", s.url.String()) // registered by package ledger's import
	if err != nil {
		return err
	}
	defer db.Close()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("the server ended: %s", s.log.String())
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Stop ends the server and removes its folder. A nil server is stopped already.
func (s *Server) Stop() error {
	if s == nil {
		return nil
	}
	if s.run != nil {
		// At once: nothing of it is kept.
		if err := s.run.Process.Signal(syscall.SIGQUIT); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
		<-s.ended
	}
	return os.RemoveAll(s.dir)
}

// New makes an empty database.
func (s *Server) New(t testing.TB) Database {
	t.Helper()
	name := fmt.Sprintf("ledger_%d", s.number.Add(1))
	admin := s.connect(t, s.url.String())
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	u := s.url
	u.Path = "/" + name
	return Database{
		URL: u.String(), SQL: s.connect(t, u.String()), Unguard: []string{"ALTER TABLE pppq_ledger DISABLE TRIGGER USER"},
	}
}

func (s *Server) connect(t testing.TB, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}
