package csvfile_test

import (
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pppq/pppq/internal/csvfile"
)

var small = csvfile.Limits{Bytes: 200, LineBytes: 40, Lines: 6, Fields: 4}

func all(t *csvfile.Text, separator byte) (records [][]string, err error) {
	rows := t.Rows(separator)
	for rows.Next() {
		records = append(records, append([]string(nil), rows.Fields()...))
	}
	return records, rows.Err()
}

func TestRows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in        string
		separator byte
		want      [][]string
	}{
		"plain":       {"a,b\nc,d\n", ',', [][]string{{"a", "b"}, {"c", "d"}}},
		"no end":      {"a,b\nc,d", ',', [][]string{{"a", "b"}, {"c", "d"}}},
		"crlf":        {"a,b\r\nc,d\r\n", ',', [][]string{{"a", "b"}, {"c", "d"}}},
		"mark":        {"\ufeffa,b\n", ',', [][]string{{"a", "b"}}},
		"empty ends":  {",a,\n", ',', [][]string{{"", "a", ""}}},
		"empty lines": {"\n\na\n", ',', [][]string{{""}, {""}, {"a"}}},
		"semicolon":   {"1,5;2\n", ';', [][]string{{"1,5", "2"}}},
		"quotes":      {`"a,b","say ""x""","",` + `""""` + "\n", ',', [][]string{{"a,b", `say "x"`, "", `"`}}},
		"nothing":     {"", ',', nil},
	} {
		text, err := csvfile.Read(strings.NewReader(c.in), "f.csv", small)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := all(text, c.separator)
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestFaultsHaveAPlace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"large":        {strings.Repeat("a\n", 101), "f.csv: larger than 200 bytes, the most that is read"},
		"long line":    {"a\n" + strings.Repeat("b", 41) + "\n", "f.csv: line 2: longer than 40 bytes"},
		"many lines":   {strings.Repeat("a\n", 7), "f.csv: line 7: more than 6 lines"},
		"many fields":  {"a,b,c,d\na,b,c,d,e\n", "f.csv: line 2, column 9: more than 4 fields"},
		"nul":          {"a,b\nc,\x00\n", "f.csv: line 2, column 3: a NUL byte: this is not text, or the file is damaged"},
		"nul first":    {"\x00", "f.csv: line 1, column 1: a NUL byte: this is not text, or the file is damaged"},
		"utf-16":       {"\xff\xfea\x00", "f.csv: line 1: the text is UTF-16; save it as UTF-8"},
		"open quote":   {"a,\"b\nc\",d\n", "f.csv: line 1, column 3: a quote is opened and not closed on its line"},
		"bare quote":   {"a,b\"c\n", "f.csv: line 1, column 4: a quote inside a field: put the whole field in quotes and double those inside"},
		"after quotes": {"\"a\" ,b\n", "f.csv: line 1, column 4: ' ' follows a closing quote"},
	} {
		text, err := csvfile.Read(strings.NewReader(c.in), "f.csv", small)
		if err == nil {
			_, err = all(text, ',')
		}
		var parse *csvfile.ParseError
		if !errors.As(err, &parse) || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", name, err, c.want)
		}
	}
}

func TestTerminated(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":        "f.csv: is empty",
		"a\n":     "",
		"a\nbc":   "f.csv: line 2, column 3: the last line is cut off: a line feed must end it",
		"a\r\n\n": "",
	} {
		text, err := csvfile.Read(strings.NewReader(in), "f.csv", small)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := text.Terminated(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	if err := os.WriteFile(path, []byte(strings.Repeat("a", 201)), 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		path:                      "f.csv: larger than 200 bytes, the most that is read",
		dir:                       "f.csv: is a folder, want a file",
		filepath.Join(dir, "nix"): "f.csv: no such file or directory",
	} {
		if _, err := csvfile.Load(path, "f.csv", small); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := csvfile.Load(filepath.Join(dir, "nix"), "f.csv", small); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want one that wraps os.ErrNotExist", err)
	}
}

// FuzzRows: what is accepted, the standard writer writes and this reader reads
// back unchanged.
func FuzzRows(f *testing.F) {
	for _, s := range []string{"a,b\nc,d\n", "\"a\"\"\",\n\n", "\ufeffx;y\r\n1,5;2", "\"", "a\x00", "\r\r\n"} {
		f.Add([]byte(s), byte(','))
	}
	f.Add([]byte("1;2\n"), byte(';'))
	limits := csvfile.Limits{Bytes: 1 << 12, LineBytes: 1 << 8, Lines: 1 << 6, Fields: 1 << 4}
	f.Fuzz(func(t *testing.T, in []byte, separator byte) {
		if separator != ',' && separator != ';' && separator != '\t' {
			return
		}
		text, err := csvfile.Read(strings.NewReader(string(in)), "f", limits)
		if err != nil {
			return
		}
		got, err := all(text, separator)
		if err != nil {
			return
		}
		var b strings.Builder
		w := csv.NewWriter(&b)
		w.Comma = rune(separator)
		for _, record := range got {
			// The standard writer leaves "\r" of a field to the line end's rules.
			if strings.Contains(strings.Join(record, ""), "\r") {
				return
			}
			if err := w.Write(record); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
		wide := csvfile.Limits{Bytes: 1 << 16, LineBytes: 1 << 10, Lines: 1 << 6, Fields: 1 << 4}
		again, err := csvfile.Read(strings.NewReader(b.String()), "f", wide)
		if err != nil {
			t.Fatal(err)
		}
		back, err := all(again, separator)
		if err != nil {
			t.Fatalf("%v\n%q", err, b.String())
		}
		if diff := cmp.Diff(got, back); diff != "" {
			t.Fatalf("round trip (-want +got):\n%s", diff)
		}
	})
}
