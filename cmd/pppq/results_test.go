package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/bundle"
)

var update = flag.Bool("update", false, "run the release's walk-forward test, with the vault open, and write the tables of README.md and docs/method.md")

// Where the tables of results stand, and which vault they are of.
const (
	openVaultDocument = "README.md"
	shutVaultDocument = "docs/method.md"
	resultsBegin      = "<!-- results: written by \"make results\" -->\n"
	resultsEnd        = "<!-- end of results -->\n"
)

// TestResults holds the table of results in docs/method.md against the
// walk-forward test of the version that the tests trained; a cell may be off by
// one unit of its last place, for processors that round otherwise. The README's
// table is of a release, which opens the vault, and is written with -update.
func TestResults(t *testing.T) {
	t.Parallel()
	r, err := trained()
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := (bundle.Folder{Dir: r.models, Program: programVersion()}).LoadCurrent()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		var stdout, stderr bytes.Buffer
		dir := t.TempDir()
		if code := run(t.Context(), []string{"backtest", "--open-vault", "--json", "--data-dir", r.data, "--models-dir", dir}, &stdout, &stderr); code != exitDone {
			t.Fatalf("backtest: exit code %d: %s", code, stderr.String())
		}
		opened := new(backtest.Report)
		if err := json.Unmarshal(stdout.Bytes(), opened); err != nil {
			t.Fatal(err)
		}
		writeResults(t, openVaultDocument, results(opened))
		writeResults(t, shutVaultDocument, results(b.Report))
		return
	}
	compareResults(t, shutVaultDocument, results(b.Report))
}

// results are the tables of a report, in Markdown.
func results(r *backtest.Report) string {
	var w strings.Builder
	vault := fmt.Sprintf("the newest %d start months of each horizon held back", backtest.VaultMonths)
	if r.VaultOpen {
		vault = "with the vault open"
	}
	fmt.Fprintf(&w, "Figures to %s, start months %s to %s, %s, seed %d; RPS skill with 90 %% intervals.\n\n", r.DataAsOf, r.From, r.To, vault, r.Seed)
	fmt.Fprintln(&w, "| years | last start | blocks | best climatology, its RPS | carry core, its RPS | **carry core over climatology** | leaf-wise booster over core | depth-wise booster over core | ensemble over core | coverage of its 80 % | accuracy, macro-F1 |")
	fmt.Fprintln(&w, "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
	for _, h := range r.Horizons {
		core, served := h.Rung("carry_core"), h.Rung("ensemble")
		fmt.Fprintf(&w, "| %d | %s | %d | %.4f | %.4f | **%s** | %s | %s | %s | %.2f | %.2f, %.2f |\n", h.Months/12, h.Last, core.Skill.Blocks,
			h.Rung(h.BestClimatology).RPS, core.RPS, skillText(core.Skill), skillText(*h.Rung("lgbm").OverCore),
			skillText(*h.Rung("xgb").OverCore), skillText(*served.OverCore), served.Coverage[1], served.Accuracy, served.MacroF1)
	}
	fmt.Fprint(&w, "\nCarry core over each asset's own best climatology; \"RPS\" marks a difference, where that score is too small for a ratio:\n\n| group or asset |")
	for _, h := range r.Horizons {
		plural := "s"
		if h.Months == 12 {
			plural = ""
		}
		fmt.Fprintf(&w, " %d year%s |", h.Months/12, plural)
	}
	fmt.Fprintf(&w, "\n| --- |%s\n", strings.Repeat(" --- |", len(r.Horizons)))
	for _, g := range r.Horizons[0].Groups {
		if g.Rung != "carry_core" {
			continue
		}
		name := g.Group
		if !g.Asset {
			name = "**" + name + "**"
		}
		fmt.Fprintf(&w, "| %s |", name)
		for _, h := range r.Horizons {
			cell := "-"
			for _, other := range h.Groups {
				if other.Group == g.Group && other.Asset == g.Asset && other.Rung == "carry_core" {
					cell = skillText(other.Skill)
				}
			}
			fmt.Fprintf(&w, " %s |", cell)
		}
		fmt.Fprintln(&w)
	}
	return w.String()
}

// cutResults returns what stands before, between and after the marks.
func cutResults(t *testing.T, document string) (before, between, after string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(document)))
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begun := strings.Cut(string(text), resultsBegin)
	between, after, ended := strings.Cut(rest, resultsEnd)
	if !begun || !ended {
		t.Fatalf("%s has no results between %q and %q", document, resultsBegin, resultsEnd)
	}
	return before, between, after
}

func writeResults(t *testing.T, document, tables string) {
	t.Helper()
	before, _, after := cutResults(t, document)
	text := before + resultsBegin + "\n" + tables + "\n" + resultsEnd + after
	if err := os.WriteFile(filepath.Join("..", "..", filepath.FromSlash(document)), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: results written", document)
}

var decimals = regexp.MustCompile(`[+-]?[0-9]+\.[0-9]+`)

func compareResults(t *testing.T, document, want string) {
	t.Helper()
	_, got, _ := cutResults(t, document)
	gotLines, wantLines := strings.Split(strings.TrimSpace(got), "\n"), strings.Split(strings.TrimSpace(want), "\n")
	if len(gotLines) != len(wantLines) {
		t.Fatalf("%s has %d lines of results, want %d; \"make results\" writes them", document, len(gotLines), len(wantLines))
	}
	for i, line := range wantLines {
		if !sameResult(gotLines[i], line) {
			t.Errorf("%s:\n got %s\nwant %s\n\"make results\" writes it", document, gotLines[i], line)
		}
	}
}

// sameResult reports whether two lines are the same but for decimals that are off by
// one unit of their last place.
func sameResult(got, want string) bool {
	if decimals.ReplaceAllString(got, "#") != decimals.ReplaceAllString(want, "#") {
		return false
	}
	a, b := decimals.FindAllString(got, -1), decimals.FindAllString(want, -1)
	for i := range b {
		_, places, _ := strings.Cut(b[i], ".")
		x, errX := strconv.ParseFloat(a[i], 64)
		y, errY := strconv.ParseFloat(b[i], 64)
		if errX != nil || errY != nil || math.Abs(x-y) > 1.001*math.Pow(10, -float64(len(places))) {
			return false
		}
	}
	return true
}

// TestSameResult makes sure that the comparison of results tells numbers apart.
func TestSameResult(t *testing.T) {
	t.Parallel()
	const line = "| 5 | 2018-07 | 6 | +0.157 [+0.108, +0.214] |"
	for other, same := range map[string]bool{
		line: true,
		"| 5 | 2018-07 | 6 | +0.156 [+0.108, +0.215] |":     true,
		"| 5 | 2018-07 | 6 | +0.155 [+0.108, +0.214] |":     false,
		"| 5 | 2018-08 | 6 | +0.157 [+0.108, +0.214] |":     false,
		"| 5 | 2018-07 | 6 | +0.157 [+0.108, +0.214] RPS |": false,
	} {
		if sameResult(other, line) != same {
			t.Errorf("%s: want same %t", other, same)
		}
	}
}
