// Package csvfile reads delimited text under limits and says where a fault
// stands: file, line and column.
//
// It reads one line a record. Fields may be quoted as in RFC 4180, but a quoted
// field ends on its line, so that one broken quote can't swallow the rest of a
// file. Lines end with LF or CRLF. A UTF-8 byte order mark is skipped.
package csvfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Limits bound what is read before memory is given to it.
type Limits struct {
	// Bytes of the whole file.
	Bytes int64
	// LineBytes of one line, without its end.
	LineBytes int
	// Lines of the file.
	Lines int
	// Fields of one line.
	Fields int
}

// A ParseError locates a fault in a file. Line and Column count from 1, columns
// in bytes; 0 stands for the file, or the line, as a whole.
type ParseError struct {
	File         string
	Line, Column int
	Err          error
}

func (e *ParseError) Error() string {
	switch {
	case e.Line == 0:
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	case e.Column == 0:
		return fmt.Sprintf("%s: line %d: %v", e.File, e.Line, e.Err)
	}
	return fmt.Sprintf("%s: line %d, column %d: %v", e.File, e.Line, e.Column, e.Err)
}

func (e *ParseError) Unwrap() error { return e.Err }

// A Text is a file in memory that is free of NUL bytes and within its limits.
type Text struct {
	// Name stands in errors.
	Name   string
	body   string
	limits Limits
}

// Load reads the file at path; errors call it name. A file above the limit is
// refused by its size before it is read.
func Load(path, name string, limits Limits) (*Text, error) {
	f, err := os.Open(path)
	if err != nil {
		var pathErr *os.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return nil, &ParseError{File: name, Err: err}
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return nil, &ParseError{File: name, Err: err}
	}
	if stat.IsDir() {
		return nil, &ParseError{File: name, Err: errors.New("is a folder, want a file")}
	}
	if stat.Size() > limits.Bytes {
		return nil, tooLarge(name, limits)
	}
	return read(f, name, limits, stat.Size())
}

// Read reads all of r, which errors call name. The error is a *ParseError.
func Read(r io.Reader, name string, limits Limits) (*Text, error) {
	return read(r, name, limits, 0)
}

// read reads r, which probably has size bytes.
func read(r io.Reader, name string, limits Limits, size int64) (*Text, error) {
	var b strings.Builder
	b.Grow(int(min(size, limits.Bytes)))
	n, err := io.Copy(&b, io.LimitReader(r, limits.Bytes+1))
	if err != nil {
		return nil, &ParseError{File: name, Err: err}
	}
	if n > limits.Bytes {
		return nil, tooLarge(name, limits)
	}
	body := b.String()
	if strings.HasPrefix(body, "\xff\xfe") || strings.HasPrefix(body, "\xfe\xff") {
		return nil, &ParseError{File: name, Line: 1, Err: errors.New("the text is UTF-16; save it as UTF-8")}
	}
	body = strings.TrimPrefix(body, "\ufeff")
	if i := strings.IndexByte(body, 0); i >= 0 {
		return nil, &ParseError{
			File: name, Line: 1 + strings.Count(body[:i], "\n"), Column: i - strings.LastIndexByte(body[:i], '\n'),
			Err: errors.New("a NUL byte: this is not text, or the file is damaged"),
		}
	}
	return &Text{Name: name, body: body, limits: limits}, nil
}

func tooLarge(name string, limits Limits) error {
	return &ParseError{File: name, Err: fmt.Errorf("larger than %d bytes, the most that is read", limits.Bytes)}
}

// String returns the text without the byte order mark.
func (t *Text) String() string { return t.body }

// Terminated reports as an error that the last line has no end: a file whose
// writer ends every line has then lost some of it. An empty file is an error too.
func (t *Text) Terminated() error {
	if t.body == "" {
		return &ParseError{File: t.Name, Err: errors.New("is empty")}
	}
	if !strings.HasSuffix(t.body, "\n") {
		return &ParseError{
			File: t.Name, Line: 1 + strings.Count(t.body, "\n"), Column: len(t.body) - strings.LastIndexByte(t.body, '\n'),
			Err: errors.New("the last line is cut off: a line feed must end it"),
		}
	}
	return nil
}

// Rows starts at the first line; separator is one byte of ASCII.
func (t *Text) Rows(separator byte) *Rows {
	return &Rows{text: t, rest: t.body, separator: separator}
}

// Rows walks through the lines of a Text:
//
//	for rows.Next() {
//		use(rows.Fields())
//	}
//	return rows.Err()
type Rows struct {
	text      *Text
	rest      string
	separator byte
	line      int
	fields    []string
	columns   []int
	err       error
}

// Next splits the next line; it returns false at the end and at the first fault.
func (r *Rows) Next() bool {
	if r.err != nil || r.rest == "" {
		return false
	}
	line, rest, _ := strings.Cut(r.rest, "\n")
	r.rest = rest
	line = strings.TrimSuffix(line, "\r")
	r.line++
	if r.line > r.text.limits.Lines {
		r.err = r.fault(0, fmt.Errorf("more than %d lines", r.text.limits.Lines))
		return false
	}
	if len(line) > r.text.limits.LineBytes {
		r.err = r.fault(0, fmt.Errorf("longer than %d bytes", r.text.limits.LineBytes))
		return false
	}
	r.err = r.split(line)
	return r.err == nil
}

// Err returns the fault that ended Next, nil at the end of the text.
func (r *Rows) Err() error { return r.err }

// Line returns the number of the line, from 1.
func (r *Rows) Line() int { return r.line }

// Fields returns the fields of the line without their quotes, valid until Next;
// an empty line has one empty field. The strings stay valid.
func (r *Rows) Fields() []string { return r.fields }

// Column returns where field i begins.
func (r *Rows) Column(i int) int { return r.columns[i] }

// Blank reports whether the line holds nothing but white space.
func (r *Rows) Blank() bool { return len(r.fields) == 1 && strings.TrimSpace(r.fields[0]) == "" }

// Fault places err at field i of the line; i below 0 is the line as a whole.
func (r *Rows) Fault(i int, err error) error {
	if i < 0 || i >= len(r.columns) {
		return r.fault(0, err)
	}
	return r.fault(r.columns[i], err)
}

func (r *Rows) fault(column int, err error) error {
	return &ParseError{File: r.text.Name, Line: r.line, Column: column, Err: err}
}

// split fills fields and columns from one line.
func (r *Rows) split(line string) error {
	r.fields, r.columns = r.fields[:0], r.columns[:0]
	for at := 0; ; {
		if len(r.fields) == r.text.limits.Fields {
			return r.fault(at+1, fmt.Errorf("more than %d fields", r.text.limits.Fields))
		}
		r.columns = append(r.columns, at+1)
		if at < len(line) && line[at] == '"' {
			field, next, err := r.quoted(line, at)
			if err != nil {
				return err
			}
			r.fields = append(r.fields, field)
			at = next
		} else {
			end := len(line)
			if n := strings.IndexByte(line[at:], r.separator); n >= 0 {
				end = at + n
			}
			if q := strings.IndexByte(line[at:end], '"'); q >= 0 {
				return r.fault(at+q+1, errors.New("a quote inside a field: put the whole field in quotes and double those inside"))
			}
			r.fields = append(r.fields, line[at:end])
			at = end
		}
		if at == len(line) {
			return nil
		}
		at++ // the separator
	}
}

// quoted reads the field whose opening quote stands at start and returns the
// place after its closing quote.
func (r *Rows) quoted(line string, start int) (field string, next int, err error) {
	var b strings.Builder
	at := start + 1
	for {
		n := strings.IndexByte(line[at:], '"')
		if n < 0 {
			return "", 0, r.fault(start+1, errors.New("a quote is opened and not closed on its line"))
		}
		end := at + n
		next = end + 1
		switch {
		case next < len(line) && line[next] == '"':
			b.WriteString(line[at:next])
			at = next + 1
			continue
		case next < len(line) && line[next] != r.separator:
			return "", 0, r.fault(next+1, fmt.Errorf("%q follows a closing quote", line[next]))
		case b.Len() == 0:
			return line[at:end], next, nil
		}
		b.WriteString(line[at:end])
		return b.String(), next, nil
	}
}
