package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// csvTable reads a table of numbers from CSV text (RFC 4180) with a header, in blocks of whole lines, so that blocks
// can be parsed on several goroutines and memory stays flat. Fields may be quoted; blanks around numbers are ignored,
// and so are blank lines. An empty field, NA or NaN is a missing value.
type csvTable struct {
	// name is that of the file, for errors.
	name string
	// header has the names of the columns, which are unique.
	header []string

	source io.Reader
	// size is the number of bytes that a block aims at.
	size int
	// rest has been read and not been given out; it starts at line, counted from 1.
	rest []byte
	line int
	end  bool
	// read counts the bytes that came; others may ask while blocks are cut.
	read atomic.Int64
}

// csvBlock is the text of whole rows.
type csvBlock struct {
	text []byte
	// line is the number of the first line.
	line int
}

const (
	// csvBlockSize is what a block aims at, csvMaxRow the size of the longest row that is read.
	csvBlockSize = 256 << 10
	csvMaxRow    = 16 << 20
	// csvMaxColumns bounds the header.
	csvMaxColumns = 1 << 20
)

// csvError locates a fault in a CSV text.
type csvError struct {
	name         string
	line, column int // the column counts bytes from 1; 0 stands for the whole line
	err          error
}

func (e *csvError) Error() string {
	if e.column == 0 {
		return fmt.Sprintf("%s:%d: %v", e.name, e.line, e.err)
	}
	return fmt.Sprintf("%s:%d:%d: %v", e.name, e.line, e.column, e.err)
}

func (e *csvError) Unwrap() error { return e.err }

// newCSVTable reads the header.
func newCSVTable(name string, r io.Reader) (*csvTable, error) {
	mark := make([]byte, 3) // of the byte order
	n, err := io.ReadFull(r, mark)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	mark = bytes.TrimPrefix(mark[:n], []byte("\xef\xbb\xbf"))
	t := &csvTable{name: name, source: io.MultiReader(bytes.NewReader(mark), r), size: csvBlockSize, line: 1}
	b, err := t.cut(true)
	if err == io.EOF {
		return nil, &csvError{name, 1, 0, errors.New("no header: the file is empty")}
	}
	if err != nil {
		return nil, err
	}
	text := b.text
	seen := map[string]int{}
	for last := false; !last; {
		var f csvField
		if f, err = nextField(text); err != nil {
			return nil, &csvError{name, b.line, 0, fmt.Errorf("header: %w", err)}
		}
		text, last = text[f.size:], f.last
		column := string(bytes.TrimSpace(f.unquote()))
		if first, ok := seen[column]; ok {
			return nil, &csvError{name, b.line, 0, fmt.Errorf("header: columns %d and %d are both named %q", first+1, len(t.header)+1, column)}
		}
		if len(t.header) == csvMaxColumns {
			return nil, &csvError{name, b.line, 0, fmt.Errorf("header: more than %d columns", csvMaxColumns)}
		}
		seen[column] = len(t.header)
		t.header = append(t.header, column)
	}
	return t, nil
}

// next returns the next rows, io.EOF after the last. The block stays valid.
func (t *csvTable) next() (csvBlock, error) { return t.cut(false) }

// cut returns the next whole rows that are no blank lines at the start, or one row.
func (t *csvTable) cut(one bool) (csvBlock, error) {
	for {
		t.skipBlank()
		if at := t.endOfRows(one); at > 0 {
			b := csvBlock{t.rest[:at:at], t.line}
			t.line += bytes.Count(b.text, []byte{'\n'})
			t.rest = t.rest[at:]
			return b, nil
		}
		if t.end {
			return csvBlock{}, io.EOF
		}
		if len(t.rest) >= csvMaxRow {
			return csvBlock{}, &csvError{t.name, t.line, 0, fmt.Errorf("no end of the row in %d bytes; is a quote missing?", csvMaxRow)}
		}
		if err := t.fill(); err != nil {
			return csvBlock{}, err
		}
	}
}

// fill reads more text behind the rest, into new memory.
func (t *csvTable) fill() error {
	buf := make([]byte, len(t.rest)+max(t.size, len(t.rest)))
	n := copy(buf, t.rest)
	for n < len(buf) {
		m, err := t.source.Read(buf[n:])
		n += m
		if err == io.EOF {
			t.end = true
			break
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	t.read.Add(int64(n - len(t.rest)))
	t.rest = buf[:n]
	return nil
}

func (t *csvTable) skipBlank() {
	for len(t.rest) > 0 {
		switch {
		case t.rest[0] == '\n':
			t.rest = t.rest[1:]
			t.line++
		case t.rest[0] == '\r' && len(t.rest) > 1 && t.rest[1] == '\n':
			t.rest = t.rest[1:]
		default:
			return
		}
	}
}

// endOfRows returns where the first row of the rest ends, or the last that is there as a whole; 0 if none is. A line
// feed ends a row if an even number of quotes stands before it.
func (t *csvTable) endOfRows(one bool) int {
	if one {
		quotes := 0
		for from := 0; ; {
			i := bytes.IndexByte(t.rest[from:], '\n')
			if i < 0 {
				break
			}
			quotes += bytes.Count(t.rest[from:from+i], []byte{'"'})
			from += i + 1
			if quotes%2 == 0 {
				return from
			}
		}
	} else {
		quotes := bytes.Count(t.rest, []byte{'"'})
		for to := len(t.rest); ; {
			i := bytes.LastIndexByte(t.rest[:to], '\n')
			if i < 0 {
				break
			}
			quotes -= bytes.Count(t.rest[i:to], []byte{'"'})
			if quotes%2 == 0 {
				return i + 1
			}
			to = i
		}
	}
	if t.end {
		return len(t.rest)
	}
	return 0
}

// csvField is one field of a row.
type csvField struct {
	// text is without the quotes around it; in a quoted field, each quote is doubled.
	text   []byte
	quoted bool
	// size counts the bytes up to the next field, lines the line feeds inside the quotes.
	size, lines int
	// last marks the end of the row.
	last bool
}

func (f *csvField) unquote() []byte {
	if f.quoted {
		return bytes.ReplaceAll(f.text, []byte(`""`), []byte{'"'})
	}
	return f.text
}

var (
	errQuoteInside = errors.New("a quote inside a field that does not start with one")
	errQuoteEnd    = errors.New("a quoted field that does not end with a quote and a comma or line end")
)

// nextField cuts the first field of text, which is not at the end of a row.
func nextField(text []byte) (csvField, error) {
	if len(text) > 0 && text[0] == '"' {
		return quotedField(text)
	}
	var f csvField
	i := 0
	for i < len(text) && text[i] != ',' && text[i] != '\n' {
		if text[i] == '"' {
			return f, errQuoteInside
		}
		i++
	}
	f.text, f.size = text[:i], min(i+1, len(text))
	if f.last = i == len(text) || text[i] == '\n'; f.last {
		f.text = bytes.TrimSuffix(f.text, []byte{'\r'})
	}
	return f, nil
}

func quotedField(text []byte) (csvField, error) {
	f := csvField{quoted: true}
	i := 1
	for {
		j := bytes.IndexByte(text[i:], '"')
		if j < 0 {
			return f, errQuoteEnd
		}
		i += j + 1
		if i == len(text) || text[i] != '"' {
			break
		}
		i++
	}
	f.text = text[1 : i-1]
	f.lines = bytes.Count(f.text, []byte{'\n'})
	switch rest := text[i:]; {
	case len(rest) == 0:
		f.last = true
	case rest[0] == ',':
		i++
	case rest[0] == '\n':
		f.last = true
		i++
	case bytes.HasPrefix(rest, []byte("\r\n")) || len(rest) == 1 && rest[0] == '\r':
		f.last = true
		i += len(rest[:min(2, len(rest))])
	default:
		return f, errQuoteEnd
	}
	f.size = i
	return f, nil
}

// csvColumns says what becomes of the columns of a table.
type csvColumns struct {
	// place has for each column its place in a row of numbers, or -1 if it is left out.
	place []int
	// width is the number of places.
	width int
	// required are the places where a missing value is a fault.
	required []int
}

// columns gives the named columns the places 0, 1, ... The error names columns that are missing and, unless all
// others are left out, columns that are not named and not ignored.
func (t *csvTable) columns(names, ignored []string, others bool) (*csvColumns, error) {
	c := &csvColumns{place: slices.Repeat([]int{-1}, len(t.header)), width: len(names)}
	at := make(map[string]int, len(t.header))
	for j, column := range t.header {
		at[column] = j
	}
	var missing, unknown []string
	for i, name := range names {
		j, ok := at[name]
		if !ok {
			missing = append(missing, name)
			continue
		}
		if c.place[j] >= 0 {
			return nil, fmt.Errorf("%s: the model has two features named %q, which a header cannot tell apart", t.name, name)
		}
		c.place[j] = i
	}
	for _, name := range ignored {
		j, ok := at[name]
		if !ok {
			return nil, fmt.Errorf("%s: no column %q to ignore; the header has %s", t.name, name, listed(t.header))
		}
		if c.place[j] >= 0 {
			return nil, usageError("--ignore: %s: column %q is needed and cannot be ignored", t.name, name)
		}
		c.place[j] = -2
	}
	for j, column := range t.header {
		if c.place[j] == -1 && !others {
			unknown = append(unknown, column)
		}
	}
	switch {
	case len(missing) > 0:
		return nil, fmt.Errorf("%s: the header lacks %s; it has %s", t.name, listed(missing), listed(t.header))
	case len(unknown) > 0:
		return nil, fmt.Errorf("%s: the model knows no %s; leave columns out with --ignore", t.name, listed(unknown))
	}
	return c, nil
}

// listed names at most ten columns.
func listed(names []string) string {
	const most = 10
	var quoted []string
	for _, n := range names[:min(most, len(names))] {
		quoted = append(quoted, strconv.Quote(n))
	}
	text := strings.Join(quoted, ", ")
	if len(names) > most {
		text += fmt.Sprintf(" and %d more", len(names)-most)
	}
	return text
}

// parse appends the rows of the block to dst, width numbers each, NaN for missing values.
func (t *csvTable) parse(dst []float64, b csvBlock, c *csvColumns) ([]float64, error) {
	text, line := b.text, b.line
	for len(text) > 0 {
		if n := blankLine(text); n > 0 {
			text = text[n:]
			line++
			continue
		}
		from := len(dst)
		dst = slices.Grow(dst, c.width)[:from+c.width]
		start, row := line, text
		for j, last := 0, false; !last; j++ {
			f, err := nextField(text)
			if err == nil && j >= len(c.place) {
				err = fmt.Errorf("more than the %s of the header", plural(len(c.place), "field", "fields"))
			}
			if err == nil && c.place[j] >= 0 {
				dst[from+c.place[j]], err = parseField(f.text)
				if err != nil {
					err = fmt.Errorf("column %q: %w", t.header[j], err)
				}
			}
			if err != nil {
				return dst, t.fieldError(start, row, text, err)
			}
			text, last, line = text[f.size:], f.last, line+f.lines
			if last && j+1 < len(c.place) {
				return dst, &csvError{t.name, start, 0, fmt.Errorf("%s, the header has %d", plural(j+1, "field", "fields"), len(c.place))}
			}
		}
		line++
		for _, i := range c.required {
			if x := dst[from+i]; x-x != 0 {
				return dst, &csvError{t.name, start, 0, fmt.Errorf("column %q: missing or infinite", t.header[slices.Index(c.place, i)])}
			}
		}
	}
	return dst, nil
}

// fieldError locates a fault at the field with which text starts, in the row that starts at a line.
func (t *csvTable) fieldError(line int, row, text []byte, err error) error {
	before := row[:len(row)-len(text)]
	column := len(before) - (bytes.LastIndexByte(before, '\n') + 1) + 1
	return &csvError{t.name, line + bytes.Count(before, []byte{'\n'}), column, err}
}

// blankLine returns the length of the blank line with which text starts, 0 if there is none.
func blankLine(text []byte) int {
	switch {
	case text[0] == '\n':
		return 1
	case bytes.HasPrefix(text, []byte("\r\n")):
		return 2
	}
	return 0
}

// parseField reads a number, NaN for a missing value.
func parseField(field []byte) (float64, error) {
	for len(field) > 0 && (field[0] == ' ' || field[0] == '\t') {
		field = field[1:]
	}
	for len(field) > 0 && (field[len(field)-1] == ' ' || field[len(field)-1] == '\t') {
		field = field[:len(field)-1]
	}
	if len(field) == 0 || string(field) == "NA" {
		return math.NaN(), nil
	}
	x, err := strconv.ParseFloat(string(field), 64)
	if errors.Is(err, strconv.ErrRange) && math.IsInf(x, 0) {
		return 0, fmt.Errorf("%.40q is outside the range of numbers", field)
	}
	if err != nil {
		return 0, fmt.Errorf("%.40q is no number", field)
	}
	return x, nil
}

// appendField appends a column name as a CSV field.
func appendField(b []byte, name string) []byte {
	if !strings.ContainsAny(name, ",\"\r\n") && strings.TrimSpace(name) == name {
		return append(b, name...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(name, `"`, `""`)...)
	return append(b, '"')
}

// appendNumber appends x in the fewest digits that read back to the same bits, "nan" for NaN.
func appendNumber(b []byte, x float64) []byte {
	switch {
	case x != x:
		return append(b, "nan"...)
	case math.IsInf(x, 1):
		return append(b, "inf"...)
	case math.IsInf(x, -1):
		return append(b, "-inf"...)
	}
	return strconv.AppendFloat(b, x, 'g', -1, 64)
}
