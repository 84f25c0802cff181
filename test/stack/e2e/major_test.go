package e2e

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// nobody runs the older server, which refuses to be root's.
const nobody = 65534

// The documented way to a new major version of PostgreSQL: what the old one's
// tools back up, the stack's restores. The old one is the machine's own.
func TestOlderMajor(t *testing.T) {
	s := open(t)
	sql := func(q string) string {
		return s.compose("exec", "-T", "mlflow-db", "psql", "-qtA", "-U", "mlflow", "-d", "mlflow", "-c", q)
	}
	newer := sql("SHOW server_version")
	var bin, older string
	servers, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range servers {
		if major := filepath.Base(filepath.Dir(filepath.Dir(path))); !strings.HasPrefix(newer, major) {
			bin, older = filepath.Dir(path), major
		}
	}
	if bin == "" {
		t.Skip("this machine has no PostgreSQL of another major version (Debian: apt-get install postgresql)")
	}
	dir, err := os.MkdirTemp("", "pppq-major-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	backups := filepath.Join(dir, "backups")
	for _, d := range []string{backups, filepath.Join(dir, "socket")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte("of the old one"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{dir, backups, filepath.Join(dir, "socket")} {
		if err := os.Chown(d, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	old := func(name string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Dir = dir
		cmd.Env = []string{
			"PATH=" + bin + ":/usr/bin:/bin", "LC_ALL=C", "PGHOST=127.0.0.1", "PGPORT=" + port, "PGUSER=mlflow", "PGDATABASE=mlflow",
			"PASSWORD_FILE=" + password, "PGPASSWORD=of the old one", "BACKUP_DIR=" + backups,
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		return cmd
	}
	do := func(name string, args ...string) string {
		out, err := old(name, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	do(bin+"/initdb", "-D", "data", "-U", "mlflow", "--pwfile="+password, "--auth=scram-sha-256")
	server := old(bin+"/postgres", "-D", "data", "-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="+filepath.Join(dir, "socket"))
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = server.Process.Signal(syscall.SIGINT)
		_ = server.Wait()
	}()
	s.eventually(30*time.Second, "the older server", func() bool { return old(bin+"/pg_isready", "-d", "postgres").Run() == nil })
	do(bin+"/psql", "-d", "postgres", "-c", "CREATE DATABASE mlflow")
	do(bin+"/psql", "-c", "CREATE TABLE older AS SELECT i AS id, md5(i::text) AS v FROM generate_series(1, 10000) i")
	const sum = "SELECT md5(string_agg(id || ':' || v, ',' ORDER BY id)) FROM older"
	before := do(bin+"/psql", "-qtA", "-c", sum)

	backup := func(args ...string) string {
		return s.compose(append([]string{"--profile", "backup", "run", "--rm", "-T"}, args...)...)
	}
	name := dump(do("/bin/sh", filepath.Join(s.dir, "docker/backup.sh"), "once"))
	if err := os.Chmod(filepath.Join(backups, name), 0o644); err != nil {
		t.Fatal(err)
	}
	backup("-v", backups+":/older:ro", "--entrypoint", "/bin/sh", "backup", "-c", "cp /older/"+name+" /backups/older.dump")
	backup("backup", "restore", "older.dump")
	if after := sql(sum); after != before || len(after) != 32 {
		t.Errorf("checksum: got %s under %s, want %s of version %s", after, newer, before, older)
	}
	t.Logf("dumped by PostgreSQL %s, restored by %s: checksum %s before and after", older, newer, before)
	sql("DROP TABLE older")
	backup("--entrypoint", "/bin/sh", "backup", "-c", "rm /backups/older.dump")
}
