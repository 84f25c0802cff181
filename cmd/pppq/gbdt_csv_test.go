package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

// readTable reads all columns of a text in blocks of about size bytes.
func readTable(r io.Reader, size int) (header []string, rows [][]float64, err error) {
	t, err := newCSVTable("t.csv", r)
	if err != nil {
		return nil, nil, err
	}
	t.size = size
	c, err := t.columns(t.header, nil, false)
	if err != nil {
		return nil, nil, err
	}
	for {
		b, err := t.next()
		if err == io.EOF {
			return t.header, rows, nil
		}
		if err != nil {
			return nil, nil, err
		}
		values, err := t.parse(nil, b, c)
		if err != nil {
			return nil, nil, err
		}
		rows = slices.AppendSeq(rows, slices.Chunk(values, c.width))
	}
}

func TestCSVTable(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	for name, c := range map[string]struct {
		text   string
		header []string
		rows   [][]float64
	}{
		"plain":          {"a,b\n1,2\n3,4\n", []string{"a", "b"}, [][]float64{{1, 2}, {3, 4}}},
		"no end of line": {"a,b\n1,2", []string{"a", "b"}, [][]float64{{1, 2}}},
		"carriage":       {"a,b\r\n1,2\r\n", []string{"a", "b"}, [][]float64{{1, 2}}},
		"carriage last":  {"a,\"b\"\r\n1,\"2\"\r", []string{"a", "b"}, [][]float64{{1, 2}}},
		"byte order":     {"\xef\xbb\xbfa\n1\n", []string{"a"}, [][]float64{{1}}},
		"missing":        {"a,b,c,d\n,NA,NaN, \t\n", []string{"a", "b", "c", "d"}, [][]float64{{nan, nan, nan, nan}}},
		"numbers":        {"a,b,c\n -1e-3 ,+.5,inf\n", []string{"a", "b", "c"}, [][]float64{{-1e-3, 0.5, math.Inf(1)}}},
		"quotes":         {"\"a,\"\"x\"\"\n\",b\n\"1\",\"\"\n", []string{"a,\"x\"", "b"}, [][]float64{{1, nan}}},
		"blank lines":    {"\n\na,b\n\n1,2\n\r\n\n3,4\n\n", []string{"a", "b"}, [][]float64{{1, 2}, {3, 4}}},
		"one column":     {"a\n1\n\"\"\n", []string{"a"}, [][]float64{{1}, {nan}}},
		"header only":    {"a,b\n", []string{"a", "b"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, size := range []int{1, 7, csvBlockSize} {
				header, rows, err := readTable(iotest.OneByteReader(strings.NewReader(c.text)), size)
				if err != nil || !slices.Equal(header, c.header) || !equalRows(rows, c.rows) {
					t.Errorf("blocks of %d: got %q, %v, %v, want %q, %v", size, header, rows, err, c.header, c.rows)
				}
			}
		})
	}
}

func equalRows(a, b [][]float64) bool {
	return slices.EqualFunc(a, b, func(x, y []float64) bool {
		return slices.EqualFunc(x, y, func(v, w float64) bool { return v == w || v != v && w != w })
	})
}

func TestCSVTableRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                      "t.csv:1: no header: the file is empty",
		"\n\n":                  "t.csv:1: no header: the file is empty",
		"a,b,a\n":               `t.csv:1: header: columns 1 and 3 are both named "a"`,
		"a,b\n1,2\n3\n":         "t.csv:3: 1 field, the header has 2",
		"a,b\n1,2,3\n":          "t.csv:2:5: more than the 2 fields of the header",
		"a,b\n1,2\n\n1,Paris\n": `t.csv:4:3: column "b": "Paris" is no number`,
		"a,b\n1,1e999\n":        `t.csv:2:3: column "b": "1e999" is outside the range of numbers`,
		"a,b\n1,2\"3\n4,\"5":    "t.csv:2:3: a quote inside a field",
		"a,b\n1,\"2\"3\n":       "t.csv:2:3: a quoted field that does not end",
		"a,b\n\"1\n\",2\n":      `t.csv:2:1: column "a": "1\n" is no number`,
		"a,b\n1,1\n1,\"" + strings.Repeat("x", 100) + "\"\n": `column "b": "` + strings.Repeat("x", 40) + `" is no number`,
		"a\n\"" + strings.Repeat("1,", csvMaxRow):            "t.csv:2: no end of the row",
	} {
		_, _, err := readTable(strings.NewReader(text), csvBlockSize)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got error %v, want %q", text, err, want)
		}
	}
	cause := errors.New("the disk is gone")
	if _, _, err := readTable(io.MultiReader(strings.NewReader("a\n1\n"), iotest.ErrReader(cause)), 10); !errors.Is(err, cause) {
		t.Errorf("got error %v, want %v", err, cause)
	}
}

func TestCSVColumns(t *testing.T) {
	t.Parallel()
	table := func() *csvTable {
		t.Helper()
		c, err := newCSVTable("t.csv", strings.NewReader("b,a,y\n1,2,x\n3,4,5\n"))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c, err := table().columns([]string{"a", "b"}, []string{"y"}, false)
	if err != nil {
		t.Fatal(err)
	}
	tab := table()
	b, err := tab.next()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := tab.parse(nil, b, c) // the text of a column that is left out is not looked at
	if want := []float64{2, 1, 4, 3}; err != nil || !slices.Equal(rows, want) {
		t.Errorf("got %v, %v, want %v", rows, err, want)
	}
	for _, bad := range []struct {
		names, ignored []string
		want           string
	}{
		{[]string{"a"}, nil, `the model knows no "b", "y"`},
		{[]string{"a", "c", "d"}, nil, `the header lacks "c", "d"; it has "b", "a", "y"`},
		{[]string{"a", "b", "y"}, []string{"y"}, `column "y" is needed`},
		{[]string{"a", "b", "y"}, []string{"z"}, `no column "z" to ignore`},
		{[]string{"a", "b", "a"}, []string{"y"}, `two features named "a"`},
	} {
		if _, err := table().columns(bad.names, bad.ignored, false); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("columns %q without %q: got error %v, want %q", bad.names, bad.ignored, err, bad.want)
		}
	}
	c, err = table().columns([]string{"y"}, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	c.required = []int{0}
	tab, err = newCSVTable("t.csv", strings.NewReader("b,a,y\n1,2,3\n1,2,\n"))
	if err != nil {
		t.Fatal(err)
	}
	b, err = tab.next()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tab.parse(nil, b, c); err == nil || err.Error() != `t.csv:3: column "y": missing or infinite` {
		t.Errorf("got error %v, want the line of the missing label", err)
	}
}

// FuzzCSVTable holds what is read against encoding/csv, and blocks of any size against one another.
func FuzzCSVTable(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "\"a\"\"\n\",b\r\n\r\n\"1\",\r\n", "a\n\"", "\xef\xbb\xbfa\nNA", "a,b\n1,2\r", "a\n1\"\n", "a,\n\",\",1"} {
		f.Add([]byte(s), uint16(3))
	}
	f.Fuzz(func(t *testing.T, text []byte, size uint16) {
		header, rows, err := readTable(bytes.NewReader(text), csvBlockSize)
		again, rowsAgain, errAgain := readTable(bytes.NewReader(text), 1+int(size))
		if (err == nil) != (errAgain == nil) || !slices.Equal(header, again) || !equalRows(rows, rowsAgain) {
			t.Fatalf("%q, %v, %v in one block, %q, %v, %v in blocks of %d", header, rows, err, again, rowsAgain, errAgain, 1+int(size))
		}
		if err != nil || bytes.Contains(text, []byte("\r")) {
			return // encoding/csv takes a carriage return inside a field for nothing
		}
		r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))))
		records, err := r.ReadAll()
		if err != nil {
			t.Fatalf("encoding/csv refuses %q: %v", text, err)
		}
		if len(records) != len(rows)+1 {
			t.Fatalf("%d rows of %q, encoding/csv finds %d", len(rows), text, len(records)-1)
		}
		for i, row := range rows {
			for j, x := range row {
				field := strings.Trim(records[i+1][j], " \t")
				want, err := strconv.ParseFloat(field, 64)
				if field == "" || field == "NA" {
					want, err = math.NaN(), nil
				}
				if err != nil || want != x && (want == want || x == x) {
					t.Fatalf("row %d, column %d of %q: got %v, want %q", i, j, text, x, field)
				}
			}
		}
	})
}

// TestNumbersReadBack writes numbers of every size and reads them.
func TestNumbersReadBack(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	for range 10000 {
		x := math.Float64frombits(rng.Uint64())
		got, err := parseField(appendNumber(nil, x))
		if err != nil || math.Float64bits(got) != math.Float64bits(x) && (got == got || x == x) {
			t.Fatalf("%v became %v, %v", x, got, err)
		}
		if y := float64(float32(x)); y-y == 0 {
			got, err := strconv.ParseFloat(string(appendNumber(nil, y)), 32)
			if err != nil || float32(got) != float32(x) {
				t.Fatalf("float32 %v became %v, %v", y, got, err)
			}
		}
	}
}
