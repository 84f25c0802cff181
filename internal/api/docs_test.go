package api

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pppq/pppq/internal/config"
)

// words splits a shell line with single and double quotes.
func words(t *testing.T, line string) []string {
	t.Helper()
	var out []string
	var word strings.Builder
	quote, begun := rune(0), false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, begun = r, true
		case r == ' ':
			if begun {
				out = append(out, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if quote != 0 {
		t.Fatalf("a quote is not closed: %s", line)
	}
	if begun {
		out = append(out, word.String())
	}
	return out
}

// Every curl example of the page answers 200.
func TestExamplesOfTheDocs(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	text := string(must(os.ReadFile(filepath.Join("..", "..", "docs", "http.md"))))
	ran := 0
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(block[1]) {
			input := ""
			command := strings.TrimSpace(line)
			if made, rest, piped := strings.Cut(command, " | "); piped {
				input = strings.ReplaceAll(words(t, made)[1], `\n`, "\n")
				command = rest
			}
			args := words(t, command)
			if args[0] != "curl" {
				t.Fatalf("what is %q?", line)
			}
			method, target, body := http.MethodGet, "", ""
			var header []string
			for i := 1; i < len(args); i++ {
				switch args[i] {
				case "-s":
				case "-H":
					i++
					name, value, _ := strings.Cut(args[i], ": ")
					header = append(header, name, value)
				case "-d", "--data-binary":
					i++
					method, body = http.MethodPost, args[i]
					if body == "@-" {
						body = input
					}
				default:
					path, ok := strings.CutPrefix(args[i], "$URL")
					if !ok {
						t.Fatalf("what is %q in %q?", args[i], line)
					}
					target = path
				}
			}
			if x := f.do(method, target, body, header...); x.Code != 200 {
				t.Errorf("%s: status %d: %.300s", command, x.Code, x.Body)
			}
			ran++
		}
	}
	if ran < 12 {
		t.Errorf("only %d examples were found", ran)
	}
}

// The page names every problem, setting and operation.
func TestDocsAreComplete(t *testing.T) {
	t.Parallel()
	text := string(must(os.ReadFile(filepath.Join("..", "..", "docs", "http.md"))))
	for _, k := range kinds {
		if !strings.Contains(text, "`"+k.name+"`") {
			t.Errorf("problem %s is not explained", k.name)
		}
	}
	for _, v := range config.Variables() {
		if !strings.Contains(text, "`"+v.Name+"`") {
			t.Errorf("setting %s is not named", v.Name)
		}
	}
	for _, column := range ledgerColumns {
		if !strings.Contains(text, "`"+column+"`") {
			t.Errorf("column %s of the ledger is not named", column)
		}
	}
	f := setup(t, nil)
	var names []string
	for line := range strings.Lines(f.get("/metrics").Body.String()) {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, _, _ = strings.Cut(name, " ")
			names = append(names, name)
		}
	}
	for _, name := range slices.DeleteFunc(names, func(n string) bool { return strings.HasPrefix(n, "go_") || strings.HasPrefix(n, "process_") }) {
		if !strings.Contains(text, name) {
			t.Errorf("metric %s is not explained", name)
		}
	}
}
