package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// An Expression of PromQL and the file that it stands in.
type Expression struct {
	Expr, Place string
	// Alert says that it ends in a comparison which does not hold while all is well.
	Alert bool
}

var (
	ruleLine = regexp.MustCompile(`(?m)^ +expr: (\|\n((?: {10,}.*\n)+)|.*\n)`)
	docBlock = regexp.MustCompile("(?s)```promql\n(.*?)```")
)

// Expressions are those of docker/rules, docker/grafana and of blocks marked
// promql in docs/deployment.md.
func Expressions(t *testing.T, dir string) (all []Expression) {
	t.Helper()
	read := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	glob := func(pattern string) []string {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files, %v", pattern, err)
		}
		return files
	}
	for _, path := range glob("docker/rules/*.rules.yml") {
		text := read(path)
		for _, at := range ruleLine.FindAllStringSubmatchIndex(text, -1) {
			expr := text[at[2]:at[3]]
			if at[4] >= 0 {
				expr = text[at[4]:at[5]]
			}
			before := text[:at[0]]
			alert := strings.LastIndex(before, "- alert:") > strings.LastIndex(before, "- record:")
			all = append(all, Expression{strings.TrimSpace(expr), path, alert})
		}
	}
	for _, path := range glob("docker/grafana/dashboards/*.json") {
		var board any
		if err := json.Unmarshal([]byte(read(path)), &board); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		walk(board, func(expr string) { all = append(all, Expression{expr, path, false}) })
	}
	path := filepath.Join(dir, "docs/deployment.md")
	for _, block := range docBlock.FindAllStringSubmatch(read(path), -1) {
		for _, line := range strings.Split(strings.TrimSpace(block[1]), "\n") {
			all = append(all, Expression{line, path, false})
		}
	}
	return all
}

// walk calls found with every "expr" of a dashboard.
func walk(x any, found func(string)) {
	switch x := x.(type) {
	case map[string]any:
		for key, value := range x {
			if text, ok := value.(string); ok && key == "expr" {
				found(text)
			} else {
				walk(value, found)
			}
		}
	case []any:
		for _, value := range x {
			walk(value, found)
		}
	}
}
