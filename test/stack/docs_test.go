package stack

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"sigs.k8s.io/yaml"

	"github.com/pppq/pppq/test/stack/e2e"
)

func readText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// table are the rows below a header line of docs/deployment.md, in cells.
func table(t *testing.T, header string) (rows [][]string) {
	t.Helper()
	_, rest, ok := strings.Cut(readText(t, "docs/deployment.md"), "\n"+header+"\n")
	if !ok {
		t.Fatalf("docs/deployment.md has no table %q", header)
	}
	for _, line := range strings.Split(rest, "\n")[1:] {
		if !strings.HasPrefix(line, "| ") {
			return rows
		}
		cells := regexp.MustCompile(`[^\\]\|`).Split(strings.TrimSuffix(line, "|")+" |", -1)
		var row []string
		for _, c := range cells[:len(cells)-1] {
			row = append(row, strings.TrimSpace(strings.TrimPrefix(c, "|")))
		}
		rows = append(rows, row)
	}
	return rows
}

// said are the different things that services say of themselves, joined.
func said(p *types.Project, of func(types.ServiceConfig) string) string {
	found := map[string]bool{}
	for _, s := range p.Services {
		if what := of(s); what != "" {
			found[what] = true
		}
	}
	all := make([]string, 0, len(found))
	for what := range found {
		all = append(all, what)
	}
	sort.Strings(all)
	return strings.Join(all, ", ")
}

// The table of development and production says what the two files say.
func TestDevelopmentProductionTable(t *testing.T) {
	t.Parallel()
	dev, production := load(t, nil, "docker-compose.dev.yml"), load(t, example(t), prod)
	ports := func(p *types.Project) string {
		list := ""
		for _, name := range []string{"nginx", "api", "prometheus"} {
			for _, port := range p.Services[name].Ports {
				list += ", " + strings.TrimPrefix(port.HostIP+":"+port.Published, ":")
			}
		}
		return strings.TrimPrefix(list, ", ")
	}
	health := func(p *types.Project) string {
		h := p.Services["api"].HealthCheck
		return fmt.Sprintf("every %v, for %v, from %v on, %d times", h.Interval, h.Timeout, h.StartPeriod, *h.Retries)
	}
	health2 := func(p *types.Project) string { return regexp.MustCompile(`(\d)s`).ReplaceAllString(health(p), "$1 s") }
	writes := func(p *types.Project) string {
		return said(p, func(s types.ServiceConfig) string {
			for _, v := range s.Volumes {
				if v.Target == "/app/models" && !v.ReadOnly {
					return s.Name
				}
			}
			return ""
		})
	}
	watched := func(p *types.Project) string {
		_, edge := p.Services["nginx"]
		_, watch := p.Services["watch"]
		return fmt.Sprint(edge, watch, p.Services["grafana"].Profiles)
	}
	limited := func(p *types.Project) string {
		return said(p, func(s types.ServiceConfig) string {
			if s.Deploy == nil || s.Deploy.Resources.Limits == nil {
				return "no"
			}
			l := s.Deploy.Resources.Limits
			return fmt.Sprint(l.NanoCPUs > 0, l.MemoryBytes > 0, l.Pids > 0)
		})
	}
	logs := func(p *types.Project) string {
		return said(p, func(s types.ServiceConfig) string {
			if s.Logging == nil {
				return "console"
			}
			return s.Logging.Options["max-file"] + " x " + strings.TrimSuffix(s.Logging.Options["max-size"], "m") + " MB"
		})
	}
	secrets := func(p *types.Project) string {
		return said(p, func(s types.ServiceConfig) string {
			if len(s.Secrets) == 0 {
				return ""
			}
			return "files"
		})
	}
	restart := func(p *types.Project) string {
		return said(p, func(s types.ServiceConfig) string {
			if s.Restart == "no" {
				return "but for `" + s.Name + "`"
			}
			return "`" + s.Restart + "`"
		})
	}
	reload := func(p *types.Project) string {
		if r := p.Services["api"].Environment["RELOAD"]; r != nil && *r == "true" {
			return "taken over while it runs"
		}
		return "a new image"
	}
	check := map[string]func(row string, dev, production string) bool{
		"image stage": func(_, d, p string) bool {
			return d == "`"+dev.Services["api"].Build.Target+"`" && p == "`"+production.Services["api"].Build.Target+"`"
		},
		"code changes": func(_, d, p string) bool { return d == reload(dev) && p == reload(production) },
		"proxy": func(_, d, p string) bool {
			return d == "none" && p == "nginx with TLS" && watched(dev) == "false false []"
		},
		"monitoring": func(_, d, p string) bool {
			return d == "Prometheus" && watched(production) == "true true [grafana]" && p != ""
		},
		"published ports": func(_, d, p string) bool { return d == ports(dev) && p == ports(production) },
		"restart": func(_, d, p string) bool {
			return d == restart(dev) && p == "`always`, but for `pipeline`" && restart(production) == "`always`, but for `pipeline`"
		},
		"limits": func(_, d, p string) bool {
			return d == "none" && limited(dev) == "no" && limited(production) == "true true true" && p != ""
		},
		"health checks of the API": func(_, d, p string) bool {
			return d == health2(dev) && p == health2(production)
		},
		"data and models": func(_, d, p string) bool {
			return d == "read-write" && writes(dev) == "api" && p == "read-only, but for `"+writes(production)+"`"
		},
		"logs": func(_, d, p string) bool {
			return d == logs(dev) && p == "JSON lines, "+logs(production)+" a container"
		},
		"data base": func(_, d, _ string) bool {
			return d == "profile `"+strings.Join(dev.Services["mlflow-db"].Profiles, " ")+"`" && len(production.Services["mlflow-db"].Profiles) == 0
		},
		"secrets": func(_, d, p string) bool { return d == "none" && secrets(dev) == "" && p == secrets(production) },
	}
	rows := table(t, "| | development | production |")
	if len(rows) != len(check) {
		t.Errorf("%d rows, want %d", len(rows), len(check))
	}
	for _, row := range rows {
		ok, known := check[row[0]]
		if !known || len(row) != 3 || !ok(row[0], row[1], row[2]) {
			t.Errorf("%s: the table says %q; the files say otherwise, or nothing checks it", row[0], row[1:])
		}
	}
	t.Logf("ports %s / %s; health %s / %s; logs %s / %s; restart %s / %s", ports(dev), ports(production), health2(dev), health2(production), logs(dev), logs(production), restart(dev), restart(production))
}

// The table of the first plan has every command that its readers try.
func TestFirstPlanTable(t *testing.T) {
	t.Parallel()
	rows := table(t, "| in the first plan | here |")
	left := ""
	for _, row := range rows {
		if len(row) != 2 || row[1] == "" {
			t.Fatalf("%q: want two cells", row)
		}
		left += row[0] + "\n"
	}
	for _, command := range []string{"docker build -f docker/Dockerfile -t pppq-api:latest .", "docker-compose -f docker-compose.dev.yml up", "up --build", "down", "-f docker-compose.prod.yml up -d",
		"logs -f api", "pull", "up -d --pull always", "docker push", "docker pull", ":8000/health", ":80/health", ":9090/-/healthy", "exec mlflow-db pg_isready", "https://<edge>/metrics", "docker ps",
		"exec api curl", "exec api ls -la /app/data", "/app/models/pppq/", "exec nginx nginx -t", "exec nginx curl http://api:8000/health", "grep FRED_API_KEY", "docker stats", "memory: 3G", "WORKERS=4",
		"cpus: '4'", "docker secret create mlflow_password -", "secrets: file: ./secrets/mlflow_password", "rate(http_requests_total[5m])", "95th percentile", "http_request_duration_seconds",
		"model_predictions_total", "process_resident_memory_bytes"} {
		if !strings.Contains(left, command) {
			t.Errorf("the table does not speak of %s", command)
		}
	}
}

// More processors and memory need no change of a file but .env.prod.
func TestSizeIsASetting(t *testing.T) {
	t.Parallel()
	env := example(t)
	env["API_CPUS"], env["API_MEMORY"], env["WORKERS"], env["API_REPLICAS"] = "4", "4G", "4", "3"
	s := load(t, env, prod).Services["api"]
	if l := s.Deploy.Resources.Limits; l.NanoCPUs != 4 || l.MemoryBytes != 4<<30 || *s.Environment["WORKERS"] != "4" || *s.Deploy.Replicas != 3 {
		t.Errorf("limits %+v, WORKERS %s, %d replicas; want 4 processors, 4 GB, 4 and 3", l, *s.Environment["WORKERS"], *s.Deploy.Replicas)
	}
}

// A dashboard names the provisioned source, a unit and a text for every panel,
// and shows what a person on duty looks for.
func TestDashboard(t *testing.T) {
	t.Parallel()
	var source struct {
		Datasources []struct{ UID, Type, URL string }
	}
	if err := yaml.Unmarshal([]byte(readText(t, "docker/grafana/provisioning/datasources/prometheus.yml")), &source); err != nil || len(source.Datasources) != 1 {
		t.Fatalf("%d data sources, %v", len(source.Datasources), err)
	}
	uid := source.Datasources[0].UID
	type place struct{ X, Y, W, H int }
	var board struct {
		UID, Title string
		Panels     []struct {
			ID                       int
			Type, Title, Description string
			Datasource               struct{ UID string }
			GridPos                  place
			Targets                  []struct {
				Expr       string
				Datasource struct{ UID string }
			}
			FieldConfig struct{ Defaults struct{ Unit string } }
		}
	}
	if err := json.Unmarshal([]byte(readText(t, "docker/grafana/dashboards/pppq.json")), &board); err != nil {
		t.Fatal(err)
	}
	ids := map[int]bool{}
	exprs := ""
	var taken []place
	for _, p := range board.Panels {
		if ids[p.ID] || p.ID == 0 || p.Title == "" {
			t.Errorf("panel %d %q: want a number of its own and a title", p.ID, p.Title)
		}
		ids[p.ID] = true
		for _, q := range taken {
			if a := p.GridPos; a.X < q.X+q.W && q.X < a.X+a.W && a.Y < q.Y+q.H && q.Y < a.Y+a.H {
				t.Errorf("panel %q lies on another one", p.Title)
			}
		}
		taken = append(taken, p.GridPos)
		if p.Type == "row" {
			continue
		}
		if p.Description == "" || p.Datasource.UID != uid || len(p.Targets) == 0 || p.FieldConfig.Defaults.Unit == "" {
			t.Errorf("panel %q: text %q, source %q, %d queries, unit %q", p.Title, p.Description, p.Datasource.UID, len(p.Targets), p.FieldConfig.Defaults.Unit)
		}
		for _, q := range p.Targets {
			if q.Datasource.UID != uid {
				t.Errorf("panel %q: source %q, want %q", p.Title, q.Datasource.UID, uid)
			}
			exprs += q.Expr + "\n"
		}
	}
	for _, metric := range []string{"http_requests_total", `status=~"5..`, "http_request_duration_seconds_bucket", "http_requests_in_flight", "pppq_model_info", "pppq_model_rps_skill", "pppq_dataset_as_of_timestamp_seconds",
		"model_predictions_total", "model_reloads_total", "process_resident_memory_bytes"} {
		if !strings.Contains(exprs, metric) {
			t.Errorf("no panel shows %s", metric)
		}
	}
}

// Every expression of dashboards and documents parses, as those of the rules do.
func TestExpressionsParse(t *testing.T) {
	promtool := tool(t, "promtool")
	var b strings.Builder
	b.WriteString("groups:\n  - name: all\n    rules:\n")
	all := e2e.Expressions(t, root)
	for i, e := range all {
		text, err := json.Marshal(strings.NewReplacer("$__rate_interval", "1m", "$__range", "5m").Replace(e.Expr))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "      - {record: \"test:expression:%d\", expr: %s}\n", i, text)
	}
	path := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(promtool, "check", "rules", path).CombinedOutput()
	if err != nil || len(all) < 50 {
		t.Errorf("%d expressions: %v\n%s", len(all), err, out)
	}
}

// What is asked how often, and how long it is kept.
func TestPrometheusSettings(t *testing.T) {
	t.Parallel()
	var c struct {
		Global struct {
			Scrape   string            `json:"scrape_interval"`
			Evaluate string            `json:"evaluation_interval"`
			Labels   map[string]string `json:"external_labels"`
		}
		Jobs []struct {
			Name   string `json:"job_name"`
			Scrape string `json:"scrape_interval"`
			DNS    []struct {
				Names []string
				Type  string
				Port  int
			} `json:"dns_sd_configs"`
		} `json:"scrape_configs"`
	}
	if err := yaml.Unmarshal([]byte(readText(t, "docker/prometheus.yml")), &c); err != nil {
		t.Fatal(err)
	}
	if c.Global.Scrape != "15s" || c.Global.Evaluate != "15s" || c.Global.Labels["monitor"] != "pppq-ml-pipeline" {
		t.Errorf("global settings %+v; want 15s, 15s and monitor pppq-ml-pipeline", c.Global)
	}
	jobs := map[string]string{}
	for _, j := range c.Jobs {
		jobs[j.Name] = j.Scrape
		if j.Name == "api" && (len(j.DNS) != 1 || !slices.Equal(j.DNS[0].Names, []string{"api"}) || j.DNS[0].Type != "A" || j.DNS[0].Port != 8000) {
			t.Errorf("job api finds its replicas by %+v", j.DNS)
		}
	}
	if _, ok := jobs["prometheus"]; !ok || jobs["api"] != "10s" {
		t.Errorf("jobs %v, want prometheus, and api every 10s", jobs)
	}
	if !slices.Contains(load(t, example(t), prod).Services["prometheus"].Command, "--storage.tsdb.retention.time=30d") {
		t.Error("Prometheus does not keep 30 days")
	}
}

// What an alert names as its page is there.
func TestRunbooks(t *testing.T) {
	t.Parallel()
	urls := regexp.MustCompile(`runbook_url: (?:&\w+ )?(\S+)`).FindAllStringSubmatch(readText(t, "docker/rules/stack.rules.yml"), -1)
	n := 0
	for _, m := range urls {
		if strings.HasPrefix(m[1], "*") {
			continue
		}
		n++
		_, page, ok := strings.Cut(m[1], "/blob/main/")
		name, anchor, ok2 := strings.Cut(page, "#")
		if !ok || !ok2 || !regexp.MustCompile(`(?im)^#+ `+anchor+`$`).MatchString(readText(t, name)) {
			t.Errorf("%s: no such place", m[1])
		}
	}
	if n == 0 {
		t.Error("no alert names its page")
	}
}

// Shell scripts parse, and shellcheck, where it is installed, has nothing to say.
func TestShellScripts(t *testing.T) {
	t.Parallel()
	n := 0
	for _, pattern := range []string{"docker/*.sh", "test/stack/*.sh", "test/stack/standin/*/*.sh"} {
		scripts, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range scripts {
			n++
			shell := "sh"
			if first, err := os.ReadFile(path); err == nil && strings.HasPrefix(string(first), "#!/bin/bash") {
				shell = "bash"
			}
			if out, err := exec.Command(shell, "-n", path).CombinedOutput(); err != nil {
				t.Errorf("%s: %v %s", path, err, out)
			}
			if lint, err := exec.LookPath("shellcheck"); err == nil {
				if out, err := exec.Command(lint, "-s", shell, "-e", "SC1091", path).CombinedOutput(); err != nil {
					t.Errorf("%s: %v\n%s", path, err, out)
				}
			}
		}
	}
	if n < 7 {
		t.Fatalf("%d scripts found", n)
	}
}

// Compose itself, where it is at hand, accepts every file without a warning, and
// what it makes of them has neither empty values nor unfilled variables.
func TestComposeConfig(t *testing.T) {
	compose := tool(t, "docker-compose")
	names := map[string][]string{}
	for _, c := range []struct {
		name string
		args []string
	}{
		{"development", []string{"-f", "docker-compose.dev.yml"}},
		{"production", []string{"--env-file", ".env.example", "-f", prod}},
		{"production, Engine 25", []string{"--env-file", ".env.example", "-f", prod, "-f", "docker-compose.engine25.yml"}},
		{"Swarm", []string{"--env-file", ".env.example", "-f", "deploy/swarm.yml"}},
	} {
		cmd := exec.Command(compose, append(c.args, "--profile", "*", "config")...)
		cmd.Dir = root
		var errs strings.Builder
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil || errs.Len() > 0 {
			t.Errorf("%s: %v\n%s", c.name, err, &errs)
			continue
		}
		if bad := regexp.MustCompile(`(?m)^.*: (""|.*\$\{).*$`).FindAllString(string(out), -1); len(bad) > 0 {
			t.Errorf("%s: %q", c.name, bad)
		}
		var p struct {
			Volumes map[string]struct{ Name string }
		}
		if err := yaml.Unmarshal(out, &p); err != nil {
			t.Fatal(err)
		}
		for _, v := range p.Volumes {
			names[c.name] = append(names[c.name], v.Name)
		}
	}
	for _, name := range names["development"] {
		if slices.Contains(names["production"], name) {
			t.Errorf("volume %s is development's and production's", name)
		}
	}
	if len(names["development"]) < 4 || len(names["production"]) < 6 {
		t.Errorf("volumes %v", names)
	}
}
