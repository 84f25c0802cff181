// Package internal holds the test of the house as a whole: which package may
// import which, and what comes from outside.
package internal

import (
	"bufio"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module       = "github.com/pppq/pppq"
	root         = ".."
	architecture = "docs/architecture.md"
	dependencies = "docs/dependencies.md"
)

// A house is the Go files of the module by package, and what they import.
type house struct {
	// packages by path below the module, as internal/panel.
	packages map[string]*room
}

// A room is one package. Imports map to a file that has them.
type room struct {
	imports, testImports map[string]string
}

// read parses the import lines of every Go file, whatever its build
// constraints. Folders that the go command does not look at are left out.
func read(t *testing.T) house {
	t.Helper()
	h := house{packages: map[string]*room{}}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if file != root && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata") {
				return filepath.SkipDir
			}
			if _, err := os.Stat(filepath.Join(file, "go.mod")); err == nil && file != root {
				return filepath.SkipDir // a module of its own
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		dir = filepath.ToSlash(dir)
		if h.packages[dir] == nil {
			h.packages[dir] = &room{map[string]string{}, map[string]string{}}
		}
		to := h.packages[dir].imports
		if strings.HasSuffix(name, "_test.go") {
			to = h.packages[dir].testImports
		}
		for _, i := range parsed.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			to[p] = path.Join(dir, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(h.packages) < 20 {
		t.Fatalf("found %d packages; is the test still in a folder below the module's root?", len(h.packages))
	}
	return h
}

// built leaves out folders that hold nothing but tests.
func (h house) built() []string {
	var names []string
	for name, r := range h.packages {
		if len(r.imports) > 0 || name == "data/reference" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// table reads the rows of the first Markdown table in a document that has a
// column of the given name: cells without backquotes, by column.
func table(t *testing.T, document, column string) []map[string]string {
	t.Helper()
	f, err := os.Open(filepath.Join(root, document))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var header []string
	var rows []map[string]string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if !strings.HasPrefix(line, "|") {
			if header != nil {
				break
			}
			continue
		}
		cells := strings.Split(strings.Trim(strings.ReplaceAll(line, "`", ""), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case header == nil && slices.Contains(cells, column):
			header = cells
		case header == nil || strings.HasPrefix(cells[0], "---"):
		case len(cells) != len(header):
			t.Fatalf("%s: %d cells under %d columns: %s", document, len(cells), len(header), line)
		default:
			row := map[string]string{}
			for i, c := range cells {
				row[header[i]] = c
			}
			rows = append(rows, row)
		}
	}
	if err := lines.Err(); err != nil || len(rows) == 0 {
		t.Fatalf("%s: no table with a column %q (%v)", document, column, err)
	}
	return rows
}

func list(cell string) []string {
	var out []string
	for _, s := range strings.Split(cell, ",") {
		if s = strings.TrimSpace(s); s != "" && s != "-" {
			out = append(out, s)
		}
	}
	return out
}

// TestImportDirection holds the packages against the table of
// docs/architecture.md: each has a row, imports only what the row allows, and
// only rows above its own.
func TestImportDirection(t *testing.T) {
	t.Parallel()
	h := read(t)
	may, at := map[string][]string{}, map[string]int{}
	for i, row := range table(t, architecture, "may import") {
		name := row["package"]
		if _, twice := may[name]; twice {
			t.Errorf("%s: two rows for %s", architecture, name)
		}
		may[name], at[name] = list(row["may import"]), i
		for _, p := range may[name] {
			if above, ok := at[p]; p != "all" && (!ok || above >= i) {
				t.Errorf("%s: %s may import %s, which is no row above it", architecture, name, p)
			}
		}
	}
	built := h.built()
	for name := range may {
		if !slices.Contains(built, name) {
			t.Errorf("%s: there is no package %s", architecture, name)
		}
	}
	for _, name := range built {
		allowed, ok := may[name]
		if !ok {
			t.Errorf("%s has no row for package %s: say what it holds and what it may import", architecture, name)
			continue
		}
		for p, file := range h.packages[name].imports {
			below, ours := strings.CutPrefix(p, module+"/")
			if ours && !slices.Contains(allowed, below) && !slices.Contains(allowed, "all") {
				t.Errorf("%s: %s must not import %s; see the table in %s", file, name, below, architecture)
			}
		}
	}
}

// TestDependencies holds go.mod and every import from outside against the table
// of docs/dependencies.md: module, version, and the packages that may use it.
func TestDependencies(t *testing.T) {
	t.Parallel()
	h := read(t)
	type dependency struct {
		version string
		in      []string
	}
	known := map[string]dependency{}
	for _, row := range table(t, dependencies, "used in") {
		known[row["module"]] = dependency{row["version"], list(row["used in"])}
	}
	required := requirements(t)
	for _, m := range slices.Sorted(maps.Keys(required)) {
		d, ok := known[m]
		switch {
		case !ok:
			t.Errorf("%s has no row for %s, which go.mod requires", dependencies, m)
		case d.version != required[m]:
			t.Errorf("%s says %s %s, go.mod %s", dependencies, m, d.version, required[m])
		}
	}
	for m := range known {
		if _, ok := required[m]; !ok {
			t.Errorf("%s: go.mod does not require %s", dependencies, m)
		}
	}
	check := func(name string, imports map[string]string, tests bool) {
		for p, file := range imports {
			first, _, _ := strings.Cut(p, "/")
			if !strings.Contains(first, ".") || p == module || strings.HasPrefix(p, module+"/") {
				continue
			}
			m := owner(p, required)
			in := known[m].in
			if m == "" || !slices.Contains(in, name) && !(tests && slices.Contains(in, "tests")) {
				t.Errorf("%s: %s must not import %s; see the table in %s", file, name, p, dependencies)
			}
		}
	}
	for name, r := range h.packages {
		check(name, r.imports, false)
		check(name, r.testImports, true)
	}
}

// owner is the longest module path that p lies in.
func owner(p string, required map[string]string) string {
	best := ""
	for m := range required {
		if (p == m || strings.HasPrefix(p, m+"/")) && len(m) > len(best) {
			best = m
		}
	}
	return best
}

var requirement = regexp.MustCompile(`(?m)^(?:require)?\s*([a-z0-9.-]+\.[a-z]+/\S+) (v\S+)(.*)$`)

// requirements are the modules that go.mod requires directly, and their versions.
func requirements(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, m := range requirement.FindAllStringSubmatch(string(b), -1) {
		if !strings.Contains(m[3], "indirect") {
			out[m[1]] = m[2]
		}
	}
	if len(out) == 0 {
		t.Fatal("go.mod: no requirement found")
	}
	return out
}

// TestPublicTrees keeps gbdt for other programs: it and its tests need nothing
// of this program, and nothing from outside but what compares values.
func TestPublicTrees(t *testing.T) {
	t.Parallel()
	found := 0
	for name, r := range read(t).packages {
		if name != "gbdt" && !strings.HasPrefix(name, "gbdt/") {
			continue
		}
		found++
		all := maps.Clone(r.imports)
		maps.Copy(all, r.testImports)
		for p, file := range all {
			below, ours := strings.CutPrefix(p, module+"/")
			first, _, _ := strings.Cut(p, "/")
			_, test := r.testImports[p]
			switch {
			case ours && (below == "gbdt" || strings.HasPrefix(below, "gbdt/")):
			case !ours && !strings.Contains(first, "."):
			case test && strings.HasPrefix(p, "github.com/google/go-cmp/"):
			default:
				t.Errorf("%s imports %s", file, p)
			}
		}
	}
	if found < 3 {
		t.Errorf("found %d packages of gbdt", found)
	}
}
