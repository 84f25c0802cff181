package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/pppq/pppq/internal/config"
)

// commands lists a command and all below it, but for what cobra adds.
func commands(c *cobra.Command) []*cobra.Command {
	if c.Name() == "completion" || c.Hidden {
		return nil
	}
	all := []*cobra.Command{c}
	for _, child := range c.Commands() {
		all = append(all, commands(child)...)
	}
	return all
}

// TestHelp wants of every command what a stranger needs: one line, an example
// that is a right command line, and words for each flag.
func TestHelp(t *testing.T) {
	t.Parallel()
	all := commands(newRoot())
	if len(all) < 20 {
		t.Fatalf("found %d commands", len(all))
	}
	for _, c := range all {
		path := c.CommandPath()
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			if code := run(context.Background(), append(strings.Fields(path)[1:], "--help"), &stdout, &stderr); code != exitDone {
				t.Errorf("--help: exit code %d: %s", code, stderr.String())
			}
			for _, want := range []string{"Usage:\n  " + path, "Examples:\n"} {
				if !strings.Contains(stdout.String(), want) {
					t.Errorf("--help does not hold %q:\n%s", want, stdout.String())
				}
			}
			if err := plain(stdout.String()); err != nil {
				t.Error(err)
			}
			if c.HasParent() && c.Short == "" {
				t.Error("no line that says what it does")
			}
			for _, line := range strings.Split(joined(c.Example), "\n") {
				if err := checkCommandLine(line); err != nil {
					t.Errorf("example: %v", err)
				}
				if !strings.Contains(line, path) && c.HasParent() && !c.HasSubCommands() {
					t.Errorf("example %q is of another command", line)
				}
			}
		})
	}
}

// TestJSON wants --json of every command that has something to tell a program.
func TestJSON(t *testing.T) {
	t.Parallel()
	without := map[string]string{
		"pppq help":           "its words are for people",
		"pppq up":             "made of train, predict and serve, which have it",
		"pppq serve":          "its log lines are JSON",
		"pppq healthcheck":    "its exit code says it all",
		"pppq dataset export": "it writes CSV",
		"pppq gbdt predict":   "it writes CSV",
		"pppq gbdt convert":   "it writes a model",
	}
	for _, c := range commands(newRoot()) {
		if c.HasSubCommands() || without[c.CommandPath()] != "" {
			continue
		}
		if c.Flags().Lookup("json") == nil {
			t.Errorf("%s has no --json", c.CommandPath())
		}
	}
}

// TestDocuments parses every pppq command line that stands in the documents, as
// a line of a code block or between backquotes.
func TestDocuments(t *testing.T) {
	t.Parallel()
	found := 0
	for _, file := range documents(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		blocks, mentions := commandLines(string(text))
		for _, line := range append(blocks, mentions...) {
			found++
			if line == "pppq ledger 1" {
				continue // the first line of the text that the ledger hashes
			}
			err := checkCommandLine(line)
			if err != nil && !(slices.Contains(mentions, line) && isMention(line)) {
				t.Errorf("%s: %v", filepath.Base(file), err)
			}
		}
	}
	if found < 20 {
		t.Errorf("found %d command lines", found)
	}
}

// TestLinks follows every link between the documents.
func TestLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	found := 0
	for _, file := range documents(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			found++
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), filepath.FromSlash(m[1]))); err != nil {
				t.Errorf("%s: link to %s: %v", filepath.Base(file), m[1], err)
			}
		}
	}
	if found < 5 {
		t.Errorf("found %d links", found)
	}
}

func documents(t *testing.T) []string {
	t.Helper()
	root := filepath.Join("..", "..")
	files := []string{filepath.Join(root, "data", "reference", "README.md")}
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: no documents (%v)", pattern, err)
		}
		files = append(files, found...)
	}
	return files
}

var (
	inline  = regexp.MustCompile("`((?:[A-Z_]+=\\S+ )*pppq [^`]+)`")
	started = regexp.MustCompile(`^(?:\$ )?((?:[A-Z_]+=\S+ )*(?:\./)?(?:pppq|go run \./cmd/pppq)(?: .*)?)$`)
)

// joined puts lines that end with a backslash and the ones after them together.
func joined(text string) string { return strings.ReplaceAll(text, "\\\n", " ") }

// commandLines returns the command lines of a Markdown text; in a block that is marked as "console" they
// begin with "$ ", and the rest is what was printed. Blocks are to be typed, mentions stand in a sentence.
func commandLines(text string) (blocks, mentions []string) {
	code, session := false, false
	for _, line := range strings.Split(joined(text), "\n") {
		if language, fence := strings.CutPrefix(strings.TrimSpace(line), "```"); fence {
			code, session = !code, language == "console"
			continue
		}
		if code {
			line = strings.TrimSpace(line)
			if m := started.FindStringSubmatch(line); m != nil && (!session || strings.HasPrefix(line, "$ ")) {
				blocks = append(blocks, m[1])
			}
			continue
		}
		for _, m := range inline.FindAllStringSubmatch(line, -1) {
			mentions = append(mentions, m[1])
		}
	}
	return blocks, mentions
}

// isMention reports whether a text is the name of a command, and perhaps of flags that it has, as in a sentence about
// them.
func isMention(text string) bool {
	name, flags, _ := strings.Cut(text, " --")
	for _, c := range commands(newRoot()) {
		if c.CommandPath() != name {
			continue
		}
		for flag := range strings.SplitSeq(flags, " --") {
			if flag != "" && c.Flags().Lookup(flag) == nil {
				return false
			}
		}
		return true
	}
	return false
}

// checkCommandLine finds the command of a line, and parses its flags and the
// number of its arguments, without running it.
func checkCommandLine(line string) error {
	call := line
	if _, after, ok := strings.Cut(line, "| pppq "); ok {
		call = "pppq " + after
	}
	words, err := split(call)
	if err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	for len(words) > 0 && strings.Contains(words[0], "=") {
		name, _, _ := strings.Cut(words[0], "=")
		if !slices.ContainsFunc(config.Variables(), func(v config.Variable) bool {
			return v.Name == name || v.Secret && v.Name+"_FILE" == name
		}) {
			return fmt.Errorf("%s: there is no setting %s", line, name)
		}
		words = words[1:]
	}
	switch {
	case len(words) > 0 && filepath.Base(words[0]) == "pppq":
		words = words[1:]
	case len(words) > 2 && words[0] == "go" && words[1] == "run":
		words = words[3:]
	default:
		return fmt.Errorf("%s: is no call of pppq", line)
	}
	c, rest, err := newRoot().Find(words)
	if err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	c.InitDefaultHelpFlag()
	if err := c.ParseFlags(rest); err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	if help, err := c.Flags().GetBool("help"); help && err == nil {
		return nil
	}
	args := c.Flags().Args()
	if (c.HasSubCommands() || !c.HasParent()) && len(args) > 0 {
		return fmt.Errorf("%s: %w", line, unknownCommand(c, args[0]))
	}
	if c.Args != nil {
		if err := c.Args(c, args); err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
	}
	return nil
}

// split cuts a command line into words as a shell would, up to a comment, a
// pipe, a redirection or a second command.
func split(line string) ([]string, error) {
	var words []string
	word, quote, inside := "", rune(0), false
	for _, r := range strings.TrimSpace(line) + " " {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word += string(r)
		case r == '\'' || r == '"':
			quote, inside = r, true
		case r == ' ':
			if inside {
				words = append(words, word)
			}
			word, inside = "", false
		case !inside && strings.ContainsRune("#|>&;", r):
			return words, nil
		default:
			word, inside = word+string(r), true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quote %c is not closed", quote)
	}
	return words, nil
}

// TestCheckCommandLine makes sure that the check of the documents finds faults.
func TestCheckCommandLine(t *testing.T) {
	t.Parallel()
	for line, ok := range map[string]bool{
		"pppq up": true, "go run ./cmd/pppq up --once": true, "PORT=9000 pppq serve": true,
		`pppq dataset import FILE --id X --title "a b"   # a comment`: true, "pppq backtest --json > report.json": true,
		"./pppq models prune --keep 3 && echo done": true, "zcat x.gz | pppq dataset import FILE --dry-run": true, "pppq predict --help": true, "pppq": true,
		"pppq uo": false, "pppq predict": false, "pppq predict Gold --horizons 5": false, "PROT=9000 pppq serve": false,
		"pppq compare Gold": false, "pppq models lst": false, "pppq predict Gold --horizon five": false,
		`pppq predict "Gold`: false, "cat x | pppq dataset imprt FILE": false, "qppp up": false,
	} {
		if err := checkCommandLine(line); (err == nil) != ok {
			t.Errorf("%s: got %v, want right: %t", line, err, ok)
		}
	}
}

// TestSettingsTable holds the README's table against the settings: each stands
// there with its default, and nothing else does.
func TestSettingsTable(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([A-Z][A-Z0-9_]+)` \\| (.*?) \\|").FindAllStringSubmatch(string(text), -1)
	told := map[string]string{}
	for _, row := range rows {
		told[row[1]] = strings.ReplaceAll(row[2], "`", "")
	}
	for _, v := range config.Variables() {
		got, ok := told[v.Name]
		if !ok {
			t.Errorf("README.md does not name %s", v.Name)
		}
		if got != v.Default {
			t.Errorf("README.md: %s: default %q, want %q", v.Name, got, v.Default)
		}
		delete(told, v.Name)
	}
	for name := range told {
		t.Errorf("README.md names a setting %s that there is not", name)
	}
}
