package xgboost

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonDecoder reads JSON as XGBoost writes it: RFC 8259, and the bare tokens NaN, Infinity and -Infinity.
type jsonDecoder struct {
	data []byte
	pos  int
	// start is where the last value or key began.
	start int
	// fresh marks that the object or array begun last has had no member yet.
	fresh bool
}

func (d *jsonDecoder) fail(err error) error {
	return &ParseError{Offset: int64(d.start), Err: err}
}

// skipSpace moves to the next byte of a token and returns it, 0 at the end.
func (d *jsonDecoder) skipSpace() byte {
	for ; d.pos < len(d.data); d.pos++ {
		switch c := d.data[d.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			d.start = d.pos
			return c
		}
	}
	d.start = d.pos
	return 0
}

// want consumes c or fails.
func (d *jsonDecoder) want(c byte, what string) error {
	if got := d.skipSpace(); got != c {
		return d.unexpected(what)
	}
	d.pos++
	return nil
}

func (d *jsonDecoder) unexpected(what string) error {
	if d.pos >= len(d.data) {
		return d.fail(fmt.Errorf("the file ends, want %s", what))
	}
	return d.fail(fmt.Errorf("want %s, got %q", what, d.data[d.pos:min(len(d.data), d.pos+20)]))
}

func (d *jsonDecoder) beginObject() error {
	d.fresh = true
	return d.want('{', "an object")
}

func (d *jsonDecoder) beginArray() error {
	d.fresh = true
	return d.want('[', "an array")
}

// more moves past a comma; ok is false if the closing byte came instead, which it consumes.
func (d *jsonDecoder) more(closing byte) (ok bool, err error) {
	c := d.skipSpace()
	fresh := d.fresh
	d.fresh = false
	switch {
	case c == closing:
		d.pos++
		return false, nil
	case fresh:
		return true, nil
	case c == ',':
		d.pos++
		d.skipSpace()
		return true, nil
	}
	return false, d.unexpected(`"," or ` + strconv.Quote(string(closing)))
}

func (d *jsonDecoder) nextKey() (string, bool, error) {
	ok, err := d.more('}')
	if err != nil || !ok {
		return "", false, err
	}
	key, err := d.text()
	if err != nil {
		return "", false, err
	}
	start := d.start
	if err := d.want(':', `":"`); err != nil {
		return "", false, err
	}
	d.start = start
	return key, true, nil
}

func (d *jsonDecoder) nextItem() (bool, error) { return d.more(']') }

func (d *jsonDecoder) peek() (kind, error) {
	switch d.skipSpace() {
	case 0:
		return 0, d.unexpected("a value")
	case '"':
		return kindText, nil
	case '[':
		return kindArray, nil
	case '{':
		return kindObject, nil
	}
	return kindScalar, nil
}

func (d *jsonDecoder) text() (string, error) {
	if err := d.want('"', "a string"); err != nil {
		return "", err
	}
	start := d.start
	for i, c := range d.data[d.pos:] {
		switch {
		case c == '"':
			s := string(d.data[d.pos : d.pos+i])
			d.pos += i + 1
			return s, nil
		case c < ' ':
			return "", d.fail(errors.New("a control character in a string"))
		case c == '\\':
			s, err := d.escaped()
			d.start = start
			return s, err
		}
	}
	return "", d.fail(errors.New("the file ends inside a string"))
}

// escaped reads the rest of a string that has escapes.
func (d *jsonDecoder) escaped() (string, error) {
	var s []byte
	for d.pos < len(d.data) {
		c := d.data[d.pos]
		d.pos++
		switch {
		case c == '"':
			return string(s), nil
		case c < ' ':
			return "", d.fail(errors.New("a control character in a string"))
		case c != '\\':
			s = append(s, c)
			continue
		}
		if d.pos == len(d.data) {
			break
		}
		c = d.data[d.pos]
		d.pos++
		if i := bytes.IndexByte([]byte(`"\/bfnrt`), c); i >= 0 {
			s = append(s, "\"\\/\b\f\n\r\t"[i])
			continue
		}
		if c != 'u' {
			return "", d.fail(fmt.Errorf("escape \\%c is not known", c))
		}
		r, err := d.hex4()
		if err != nil {
			return "", err
		}
		if utf16.IsSurrogate(r) {
			if !bytes.HasPrefix(d.data[d.pos:], []byte(`\u`)) {
				return "", d.fail(errors.New("half a surrogate pair in a string"))
			}
			d.pos += 2
			low, err := d.hex4()
			if err != nil {
				return "", err
			}
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				return "", d.fail(errors.New("half a surrogate pair in a string"))
			}
		}
		s = utf8.AppendRune(s, r)
	}
	return "", d.fail(errors.New("the file ends inside a string"))
}

// hex4 reads the four digits of a \u escape.
func (d *jsonDecoder) hex4() (rune, error) {
	if len(d.data)-d.pos < 4 {
		return 0, d.fail(errors.New("the file ends inside a string"))
	}
	n, err := strconv.ParseUint(string(d.data[d.pos:d.pos+4]), 16, 16)
	if err != nil {
		return 0, d.fail(fmt.Errorf("escape \\u%q is not known", d.data[d.pos:d.pos+4]))
	}
	d.pos += 4
	return rune(n), nil
}

// token consumes the characters of a number or a word.
func (d *jsonDecoder) token() []byte {
	d.skipSpace()
	for ; d.pos < len(d.data); d.pos++ {
		switch c := d.data[d.pos]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '+', c == '.':
			continue
		}
		break
	}
	return d.data[d.start:d.pos]
}

var errWord = errors.New("not a number, true, false or null")

func (d *jsonDecoder) number() (any, error) {
	t := d.token()
	switch string(t) {
	case "":
		return nil, d.unexpected("a number")
	case "null":
		return nil, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	if n, ok := jsonInteger(t); ok {
		return n, nil
	}
	x, err := jsonFloat(t)
	if err != nil {
		return nil, d.fail(err)
	}
	return x, nil
}

// jsonInteger reads an integer that int64 holds.
func jsonInteger(t []byte) (int64, bool) {
	digits := t
	if len(t) > 0 && t[0] == '-' {
		digits = t[1:]
	}
	if len(digits) == 0 || len(digits) > 1 && digits[0] == '0' {
		return 0, false
	}
	if len(digits) > 18 {
		n, err := strconv.ParseInt(string(t), 10, 64)
		return n, err == nil
	}
	n := int64(0)
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	if len(digits) < len(t) {
		n = -n
	}
	return n, true
}

// jsonFloat reads a number as the nearest float32.
func jsonFloat(t []byte) (float32, error) {
	switch string(t) {
	case "NaN":
		return float32(math.NaN()), nil
	case "Infinity":
		return float32(math.Inf(1)), nil
	case "-Infinity":
		return float32(math.Inf(-1)), nil
	}
	if !jsonNumber(t) {
		return 0, fmt.Errorf("%w: %q", errWord, t[:min(len(t), 40)])
	}
	x, err := strconv.ParseFloat(string(t), 32)
	if err != nil {
		return 0, fmt.Errorf("number %q is out of the range of float32", t[:min(len(t), 40)])
	}
	return float32(x), nil
}

// jsonNumber reports whether t has the form of a JSON number.
func jsonNumber(t []byte) bool {
	digits := func() bool {
		n := 0
		for n < len(t) && t[n] >= '0' && t[n] <= '9' {
			n++
		}
		t = t[n:]
		return n > 0
	}
	if len(t) > 0 && t[0] == '-' {
		t = t[1:]
	}
	if len(t) > 1 && t[0] == '0' && t[1] >= '0' && t[1] <= '9' || !digits() {
		return false
	}
	if len(t) > 0 && t[0] == '.' {
		if t = t[1:]; !digits() {
			return false
		}
	}
	if len(t) > 0 && (t[0] == 'e' || t[0] == 'E') {
		if t = t[1:]; len(t) > 0 && (t[0] == '-' || t[0] == '+') {
			t = t[1:]
		}
		if !digits() {
			return false
		}
	}
	return len(t) == 0
}

// arrayLength returns how many values the flat array at the current position has at most.
func (d *jsonDecoder) arrayLength() int {
	rest := d.data[d.pos:]
	if i := bytes.IndexByte(rest, ']'); i >= 0 {
		rest = rest[:i]
	}
	return bytes.Count(rest, []byte{','}) + 1
}

func (d *jsonDecoder) ints(low, high int64) (intArray, error) {
	if err := d.beginArray(); err != nil {
		return intArray{}, err
	}
	x := make([]int64, 0, d.arrayLength())
	for {
		ok, err := d.nextItem()
		if err != nil || !ok {
			return intArray{0, x}, err
		}
		t := d.token()
		n, ok := jsonInteger(t)
		if !ok {
			switch string(t) {
			case "true":
				n = 1
			case "false":
			default:
				return intArray{}, d.fail(fmt.Errorf("value %d: want an integer", len(x)))
			}
		}
		if n < low || n > high {
			return intArray{}, d.fail(fmt.Errorf("value %d: %d is outside [%d, %d]", len(x), n, low, high))
		}
		x = append(x, n)
	}
}

func (d *jsonDecoder) floats() ([]float32, error) {
	if err := d.beginArray(); err != nil {
		return nil, err
	}
	x := make([]float32, 0, d.arrayLength())
	for {
		ok, err := d.nextItem()
		if err != nil || !ok {
			return x, err
		}
		v, err := jsonFloat(d.token())
		if err != nil {
			return nil, d.fail(fmt.Errorf("value %d: %w", len(x), err))
		}
		x = append(x, v)
	}
}

func (d *jsonDecoder) end() error {
	if d.skipSpace(); d.pos < len(d.data) {
		return d.fail(errors.New("more text after the document"))
	}
	return nil
}
