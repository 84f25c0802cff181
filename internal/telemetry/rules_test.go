package telemetry

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The rules name only metrics that the service exports, and promtool accepts
// them and their cases.
func TestRules(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "docker", "rules")
	text, err := os.ReadFile(filepath.Join(dir, "pppq.rules.yml"))
	if err != nil {
		t.Fatal(err)
	}
	m := NewMetrics("1.2.3")
	m.SetModel(ModelFigures{Version: "v", DataAsOf: someTime, PipelineSuccess: someTime})
	m.Route("GET", "/").Observe(200, 1, 1, 1)
	m.Predictions("lgbm", []string{"A"}).Observe("A", 1)
	m.Shed.WithLabelValues("busy")
	m.Cache.WithLabelValues("hit")
	exported := scrape(t, m)
	found := 0
	for _, name := range regexp.MustCompile(`\b(?:http|model|pppq|log|process)_[a-z0-9_]+\b`).FindAllString(string(text), -1) {
		if regexp.MustCompile(`\w:` + name + `|` + name + `:`).MatchString(string(text)) {
			continue // the name of a recorded series
		}
		found++
		if !strings.Contains(exported, "\n"+name) {
			t.Errorf("the rules use %s, which the service does not export", name)
		}
	}
	if found < 10 {
		t.Errorf("only %d names of metrics in the rules", found)
	}
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed (package prometheus): the rules are not tried")
	}
	for _, args := range [][]string{{"check", "rules", "pppq.rules.yml"}, {"test", "rules", "pppq.test.yml"}} {
		cmd := exec.Command(promtool, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	check := exec.Command(promtool, "check", "metrics")
	check.Stdin = strings.NewReader(exported)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
