package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// What docker says of every container of the project.
type inspected struct {
	Name   string
	Config struct {
		User  string
		Env   []string
		Image string
	}
	HostConfig struct {
		ReadonlyRootfs bool
		Privileged     bool
		CapDrop        []string
		CapAdd         []string
		SecurityOpt    []string
		PidsLimit      *int64
		Memory         int64
		NanoCpus       int64
		UsernsMode     string
		PortBindings   map[string][]struct{ HostIp, HostPort string }
		RestartPolicy  struct{ Name string }
		LogConfig      struct{ Config map[string]string }
		Binds          []string
	}
	Mounts []struct{ Source, Destination string }
}

func (s *stack) inspectAll() []inspected {
	s.Helper()
	ids := strings.Fields(s.compose("ps", "-aq"))
	var all []inspected
	if err := json.Unmarshal([]byte(s.run("docker", append([]string{"inspect"}, ids...)...)), &all); err != nil {
		s.Fatal(err)
	}
	if len(all) < 9 {
		s.Fatalf("%d containers, want at least 9", len(all))
	}
	return all
}

// pids is a limit of processes, 0 where there is none.
func pids(limit *int64) int64 {
	if limit == nil {
		return 0
	}
	return *limit
}

func TestHardening(t *testing.T) {
	s := open(t)
	published := map[string]string{}
	for _, c := range s.inspectAll() {
		h := c.HostConfig
		t.Logf("%-20s user %-11s read-only %t, capabilities -%v +%v, %v, %d MiB, %.1f processors, %d processes", c.Name, c.Config.User, h.ReadonlyRootfs, h.CapDrop, h.CapAdd, h.SecurityOpt,
			h.Memory>>20, float64(h.NanoCpus)/1e9, pids(h.PidsLimit))
		switch {
		case c.Config.User == "" || strings.HasPrefix(c.Config.User, "0") || strings.HasPrefix(c.Config.User, "root"):
			t.Errorf("%s: user %q", c.Name, c.Config.User)
		case !h.ReadonlyRootfs || h.Privileged || len(h.CapAdd) > 0 || strings.Join(h.CapDrop, " ") != "ALL" || h.UsernsMode != "":
			t.Errorf("%s: read-only %t, privileged %t, capabilities -%v +%v", c.Name, h.ReadonlyRootfs, h.Privileged, h.CapDrop, h.CapAdd)
		case strings.Join(h.SecurityOpt, " ") != "no-new-privileges:true":
			t.Errorf("%s: security options %v", c.Name, h.SecurityOpt)
		case h.PidsLimit == nil || *h.PidsLimit <= 0 || h.Memory <= 0 || h.NanoCpus <= 0:
			t.Errorf("%s: pids %v, memory %d, processors %d", c.Name, h.PidsLimit, h.Memory, h.NanoCpus)
		case h.LogConfig.Config["max-size"] == "" || h.LogConfig.Config["max-file"] == "":
			t.Errorf("%s: log %v", c.Name, h.LogConfig.Config)
		}
		for _, m := range c.Mounts {
			if strings.Contains(m.Source, "docker.sock") {
				t.Errorf("%s: has the engine's socket", c.Name)
			}
		}
		for port, bindings := range h.PortBindings {
			for _, b := range bindings {
				published[b.HostPort] = b.HostIp + " " + port
			}
		}
	}
	want := map[string]string{s.ports["HTTP_PORT"]: " 8080/tcp", s.ports["HTTPS_PORT"]: " 8443/tcp", s.ports["PROMETHEUS_PORT"]: "127.0.0.1 9090/tcp"}
	for port, where := range published {
		if want[port] != where {
			t.Errorf("port %s is published as %q", port, where)
		}
	}
	if len(published) != len(want) {
		t.Errorf("published: got %v, want %v", published, want)
	}
}

// secrets are the values in the files under secrets/ and the private key.
func (s *stack) secrets() map[string]string {
	s.Helper()
	found := map[string]string{}
	for _, name := range []string{"secrets/mlflow_password", "secrets/grafana_password", "docker/ssl/private.key"} {
		text, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			s.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		found[name] = lines[len(lines)/2]
	}
	return found
}

func TestSecretsStayInTheirFiles(t *testing.T) {
	s := open(t)
	ids := strings.Fields(s.compose("ps", "-aq"))
	places := map[string]string{
		"docker inspect": s.run("docker", append([]string{"inspect"}, ids...)...),
		"logs":           s.compose("logs", "--no-color"),
		"image":          s.run("docker", "history", "--no-trunc", s.ports["PPPQ_IMAGE"]),
		"config":         s.compose("config"),
		"doctor":         s.compose("exec", "-T", "watch", "pppq", "config", "--list"),
	}
	for place, text := range places {
		for name, value := range s.secrets() {
			if strings.Contains(text, value) {
				t.Errorf("%s shows %s", place, name)
			}
		}
		t.Logf("%-14s %7d bytes, no secret in it", place, len(text))
	}
}

// From the edge's network alone neither API nor database can be reached.
func TestNetworks(t *testing.T) {
	s := open(t)
	address := func(service, network string) string {
		return s.run("docker", "inspect", "-f", `{{(index .NetworkSettings.Networks "`+network+`").IPAddress}}`, s.containers(service)[0])
	}
	for _, c := range []struct{ network, url string }{
		{"pppq-network-edge", "http://" + address("api", "pppq-network-app") + ":8000/livez"},
		{"pppq-network-edge", "telnet://" + address("mlflow-db", "pppq-network-data") + ":5432"},
		{"pppq-network-app", "telnet://" + address("mlflow-db", "pppq-network-data") + ":5432"},
		{"pppq-network-app", "http://deb.debian.org/"},
		{"pppq-network-data", "http://deb.debian.org/"},
	} {
		out, err := s.try("docker", "run", "--rm", "--network", c.network, s.ports["NGINX_IMAGE"], "curl", "-sS", "--connect-timeout", "2", "-m", "3", c.url)
		if err == nil {
			t.Errorf("from %s, %s: got %q, want no connection", c.network, c.url, out)
		}
	}
}

// query asks Prometheus and returns how many series an expression has.
func (s *stack) query(expr string) int {
	s.Helper()
	a := s.get("http://127.0.0.1:" + s.ports["PROMETHEUS_PORT"] + "/api/v1/query?query=" + url.QueryEscape(expr))
	var r struct {
		Status string
		Error  string
		Data   struct{ Result []any }
	}
	if err := json.Unmarshal(a.body, &r); err != nil || a.StatusCode != http.StatusOK || r.Status != "success" {
		s.Errorf("%s: %s %v", expr, r.Error, err)
		return -1
	}
	return len(r.Data.Result)
}

var (
	comparison = regexp.MustCompile(`\s(>|<|==)\s[^{}()]*$`)
	unless     = regexp.MustCompile(`\sunless( on \([a-z, ]*\))?\s`)
)

// compared are the sides of an alert's expression that have data while all is well.
func compared(expr string) (sides []string) {
	for _, side := range unless.Split(strings.TrimSpace(expr), -1) {
		sides = append(sides, comparison.ReplaceAllString(side, ""))
	}
	return sides
}

// Every expression of the rules, the dashboards and the docs has data after some
// traffic; of an alert, what it compares.
func TestEveryExpressionHasData(t *testing.T) {
	s := open(t)
	s.unlimited()
	l := s.start(2)
	for range 5 {
		s.get(s.https() + "/nothing")
	}
	time.Sleep(25 * time.Second)
	defer l.end()
	all := Expressions(t, s.dir)
	if len(all) < 30 {
		t.Fatalf("%d expressions found, want at least 30", len(all))
	}
	empty := 0
	for _, e := range all {
		sides := []string{e.Expr}
		if e.Alert {
			sides = compared(e.Expr)
		}
		for _, expr := range sides {
			expr = strings.NewReplacer("$__rate_interval", "1m", "$__range", "5m").Replace(expr)
			if optional(expr) {
				if s.query(expr) == 0 {
					empty++
				}
				continue
			}
			s.eventually(40*time.Second, e.Place+": data for "+expr, func() bool { return s.query(expr) != 0 })
		}
	}
	t.Logf("%d expressions asked; of those on errors, refusals and backups %d have no series while all is well", len(all), empty)
}

// The exporters reach what they speak of, and Prometheus reaches them.
func TestExporters(t *testing.T) {
	s := open(t)
	for _, expr := range []string{`up{job="nginx"} == 1`, `up{job="postgres"} == 1`, "nginx_up == 1", "pg_up == 1", "nginx_connections_accepted > 0", `pg_database_size_bytes{datname="mlflow"} > 0`} {
		s.eventually(40*time.Second, expr, func() bool { return s.query(expr) == 1 })
	}
}

// optional expressions have no series while all is well: no errors, no backup.
func optional(expr string) bool {
	return strings.Contains(expr, "5..") || strings.Contains(expr, "errors") || strings.Contains(expr, "pppq_backup") || strings.Contains(expr, "shed")
}

// The doctor finds nothing wrong from inside, and the machine's metrics pass
// promtool's check.
func TestDoctorAndMetrics(t *testing.T) {
	s := open(t)
	out := s.compose("exec", "-T", "api", "pppq", "doctor")
	if strings.Contains(out, "fault") {
		t.Errorf("doctor: %s", out)
	}
	for service, port := range map[string]string{"api": "8000", "watch": "9101"} {
		out, err := s.try("sh", "-c", "docker run --rm --network container:"+s.containers(service)[0]+" "+s.ports["NGINX_IMAGE"]+" curl -fsS http://127.0.0.1:"+port+
			"/metrics | docker run --rm -i --entrypoint promtool "+s.ports["PROMETHEUS_IMAGE"]+" check metrics")
		if err != nil {
			t.Errorf("promtool check metrics of %s: %v\n%s", service, err, out)
		}
	}
}

// dump is the file that backup.sh names in what it prints.
func dump(out string) string { return regexp.MustCompile(`mlflow-\d{8}T\d{6}Z\.dump`).FindString(out) }

func TestBackupAndRestore(t *testing.T) {
	s := open(t)
	sql := func(q string) string {
		return s.compose("exec", "-T", "mlflow-db", "psql", "-qtA", "-U", "mlflow", "-d", "mlflow", "-c", q)
	}
	sum := "SELECT md5(string_agg(id || ':' || v, ',' ORDER BY id)) FROM drill"
	sql("DROP TABLE IF EXISTS drill; CREATE TABLE drill AS SELECT i AS id, md5(i::text) AS v FROM generate_series(1, 100000) i")
	before := sql(sum)
	backup := func(args ...string) (string, error) {
		return s.try("docker", append([]string{"compose", "-f", "docker-compose.prod.yml", "--profile", "backup", "run", "--rm", "-T", "backup"}, args...)...)
	}
	start := time.Now()
	out, err := backup("once")
	if err != nil {
		t.Fatalf("backup: %v\n%s", err, out)
	}
	took := time.Since(start)
	name := dump(out)
	if name == "" {
		t.Fatalf("backup: no file named in %s", out)
	}
	// What the docs say of a major version: an empty volume for the new image.
	s.compose("rm", "-sf", "mlflow-db")
	s.run("docker", "volume", "rm", "pppq_mlflow_db_data")
	s.compose("up", "-d", "mlflow-db")
	s.eventually(time.Minute, "an empty data base", func() bool {
		_, err := s.try("docker", "compose", "-f", "docker-compose.prod.yml", "exec", "-T", "mlflow-db", "pg_isready", "-h", "127.0.0.1", "-U", "mlflow", "-d", "mlflow")
		return err == nil
	})
	start = time.Now()
	if out, err := backup("restore", name); err != nil {
		t.Fatalf("restore: %v\n%s", err, out)
	}
	if after := sql(sum); after != before || len(after) != 32 {
		t.Errorf("checksum: got %s after the restore, want %s", after, before)
	}
	t.Logf("backup of 100,000 rows %v, volume destroyed, restore into an empty one %v, both with the container's start; checksum %s before, %s after", took, time.Since(start), before, sql(sum))
	s.eventually(time.Minute, "the age of the backup as a metric", func() bool { return s.query("pppq_backup_last_success_timestamp_seconds") == 1 })
	// A truncated dump is found out and changes nothing.
	out, err = s.try("docker", "compose", "-f", "docker-compose.prod.yml", "--profile", "backup", "run", "--rm", "-T", "--entrypoint", "/bin/sh", "backup",
		"-c", "head -c 100000 /backups/"+name+" > /backups/cut.dump; /bin/sh /backup.sh restore cut.dump")
	if err == nil {
		t.Errorf("restore of a truncated dump: got no error\n%s", out)
	}
	if after := sql(sum); after != before {
		t.Errorf("checksum after the refused dump: got %s, want %s", after, before)
	}
	sql("DROP TABLE drill")

	// The service makes one at its start, says so, and keeps as many as it is told.
	t.Setenv("BACKUP_KEEP", "2")
	s.compose("--profile", "backup", "up", "-d", "backup")
	defer s.compose("--profile", "backup", "rm", "-sf", "backup")
	s.eventually(time.Minute, "the backup service is content", func() bool {
		_, err := s.try("docker", "compose", "-f", "docker-compose.prod.yml", "--profile", "backup", "exec", "-T", "backup", "/bin/sh", "/backup.sh", "health")
		return err == nil
	})
	for range 2 {
		if out, err := backup("once"); err != nil {
			t.Fatalf("backup: %v\n%s", err, out)
		}
	}
	out, err = backup("list")
	if kept := regexp.MustCompile(`mlflow-\d{8}T\d{6}Z\.dump`).FindAllString(out, -1); err != nil || len(kept) != 2 {
		t.Errorf("with BACKUP_KEEP=2: %v\n%s", err, out)
	}
}

// Every block of docs/deployment.md that is marked console works as it stands.
func TestDocumentedCommands(t *testing.T) {
	s := open(t)
	text, err := os.ReadFile(filepath.Join(s.dir, "docs/deployment.md"))
	if err != nil {
		t.Fatal(err)
	}
	ports := strings.NewReplacer("http://localhost:80/", "http://localhost:"+s.ports["HTTP_PORT"]+"/", "https://localhost/", "https://localhost:"+s.ports["HTTPS_PORT"]+"/",
		"http://localhost:9090/", "http://localhost:"+s.ports["PROMETHEUS_PORT"]+"/")
	n := 0
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		for _, line := range strings.Split(block[1], "\n") {
			command, ok := strings.CutPrefix(line, "$ ")
			if !ok {
				continue
			}
			n++
			if out, err := s.try("sh", "-c", ports.Replace(command)); err != nil {
				t.Errorf("%s: %v\n%s", command, err, out)
			}
		}
	}
	if n < 15 {
		t.Fatalf("%d commands found, want at least 15", n)
	}
	t.Logf("%d commands", n)
}
