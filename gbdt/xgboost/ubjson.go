package xgboost

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ubjDecoder reads UBJSON as XGBoost writes it: big-endian numbers, keys without a marker, counted and typed arrays
// without a closing bracket. Objects with a count are not read.
type ubjDecoder struct {
	data []byte
	pos  int
	// start is where the last value or key began.
	start int
	// open has an entry for each array and object that is being read.
	open []ubjContainer
}

// ubjContainer is an open array or object.
type ubjContainer struct {
	// left is the number of items still to come, -1 if a closing bracket tells.
	left int64
	// mark is the type of all items, 0 if each has its own.
	mark byte
}

func (d *ubjDecoder) fail(err error) error {
	return &ParseError{Offset: int64(d.start), Err: err}
}

var errEnds = errors.New("the file ends here")

// take returns the next n bytes.
func (d *ubjDecoder) take(n int) ([]byte, error) {
	if n > len(d.data)-d.pos {
		return nil, d.fail(errEnds)
	}
	b := d.data[d.pos : d.pos+n]
	d.pos += n
	return b, nil
}

// marker starts a value and returns its type: that of the array it stands in, or the next byte.
func (d *ubjDecoder) marker() (byte, error) {
	d.start = d.pos
	if n := len(d.open); n > 0 && d.open[n-1].mark != 0 {
		return d.open[n-1].mark, nil
	}
	b, err := d.take(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

func (d *ubjDecoder) begin(marker byte, what string) error {
	m, err := d.marker()
	if err != nil {
		return err
	}
	if m != marker {
		return d.fail(fmt.Errorf("want %s, got type %q", what, m))
	}
	if len(d.open) > 2*maxDepth {
		return d.fail(fmt.Errorf("nested deeper than %d", 2*maxDepth))
	}
	return nil
}

func (d *ubjDecoder) beginObject() error {
	if err := d.begin('{', "an object"); err != nil {
		return err
	}
	d.open = append(d.open, ubjContainer{left: -1})
	return nil
}

func (d *ubjDecoder) nextKey() (string, bool, error) {
	d.start = d.pos
	if d.pos < len(d.data) && d.data[d.pos] == '}' {
		d.pos++
		d.open = d.open[:len(d.open)-1]
		return "", false, nil
	}
	start := d.pos
	key, err := d.sizedText()
	d.start = start
	return key, err == nil, err
}

// sizedText reads a length and as many bytes.
func (d *ubjDecoder) sizedText() (string, error) {
	n, err := d.size()
	if err != nil {
		return "", err
	}
	b, err := d.take(n)
	return string(b), err
}

// size reads an integer that counts bytes or items that are still to come.
func (d *ubjDecoder) size() (int, error) {
	d.start = d.pos
	b, err := d.take(1)
	if err != nil {
		return 0, err
	}
	n, ok, err := d.integer(b[0])
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, d.fail(fmt.Errorf("want a length, got type %q", b[0]))
	}
	if n < 0 || n > int64(len(d.data)-d.pos) {
		return 0, d.fail(fmt.Errorf("length %d, but %d bytes are left", n, len(d.data)-d.pos))
	}
	return int(n), nil
}

// beginArray reads the head of an array.
func (d *ubjDecoder) beginArray() error {
	if err := d.begin('[', "an array"); err != nil {
		return err
	}
	c := ubjContainer{left: -1}
	if d.pos < len(d.data) && d.data[d.pos] == '$' {
		d.pos++
		b, err := d.take(1)
		if err != nil {
			return err
		}
		if c.mark = b[0]; ubjWidth(c.mark) == 0 {
			return d.fail(fmt.Errorf("an array of type %q", c.mark))
		}
		if d.pos == len(d.data) || d.data[d.pos] != '#' {
			return d.fail(errors.New("a typed array without a count"))
		}
	}
	if d.pos < len(d.data) && d.data[d.pos] == '#' {
		start := d.start
		d.pos++
		n, err := d.size()
		if err != nil {
			return err
		}
		d.start = start
		// An item takes at least one byte, so a count of more items than bytes is refused here.
		if width := max(1, ubjWidth(c.mark)); n > (len(d.data)-d.pos)/width {
			return d.fail(fmt.Errorf("%d items, but %d bytes are left", n, len(d.data)-d.pos))
		}
		c.left = int64(n)
	}
	d.open = append(d.open, c)
	return nil
}

func (d *ubjDecoder) nextItem() (bool, error) {
	c := &d.open[len(d.open)-1]
	switch {
	case c.left > 0:
		c.left--
		return true, nil
	case c.left < 0:
		d.start = d.pos
		if d.pos == len(d.data) {
			return false, d.fail(errEnds)
		}
		if d.data[d.pos] != ']' {
			return true, nil
		}
		d.pos++
	}
	d.open = d.open[:len(d.open)-1]
	return false, nil
}

// ubjWidth returns the number of bytes of a value of the type, 0 for one that has no fixed width.
func ubjWidth(mark byte) int {
	switch mark {
	case 'i', 'U':
		return 1
	case 'I':
		return 2
	case 'l', 'd':
		return 4
	case 'L', 'D':
		return 8
	}
	return 0
}

// integer reads the bytes of an integer; ok is false if the type is none.
func (d *ubjDecoder) integer(mark byte) (n int64, ok bool, err error) {
	switch mark {
	case 'i', 'U', 'I', 'l', 'L':
	default:
		return 0, false, nil
	}
	b, err := d.take(ubjWidth(mark))
	if err != nil {
		return 0, false, err
	}
	return ubjInteger(mark, b), true, nil
}

// ubjInteger returns the integer of the type that b starts with.
func ubjInteger(mark byte, b []byte) int64 {
	switch mark {
	case 'i':
		return int64(int8(b[0]))
	case 'U':
		return int64(b[0])
	case 'I':
		return int64(int16(binary.BigEndian.Uint16(b)))
	case 'l':
		return int64(int32(binary.BigEndian.Uint32(b)))
	}
	return int64(binary.BigEndian.Uint64(b))
}

func (d *ubjDecoder) peek() (kind, error) {
	start := d.pos
	m, err := d.marker()
	d.pos = start
	if err != nil {
		return 0, err
	}
	switch m {
	case 'S':
		return kindText, nil
	case '[':
		return kindArray, nil
	case '{':
		return kindObject, nil
	}
	return kindScalar, nil
}

func (d *ubjDecoder) text() (string, error) {
	m, err := d.marker()
	if err != nil {
		return "", err
	}
	if m != 'S' {
		return "", d.fail(fmt.Errorf("want a string, got type %q", m))
	}
	start := d.start
	s, err := d.sizedText()
	d.start = start
	return s, err
}

func (d *ubjDecoder) number() (any, error) {
	m, err := d.marker()
	if err != nil {
		return nil, err
	}
	switch m {
	case 'Z':
		return nil, nil
	case 'T':
		return true, nil
	case 'F':
		return false, nil
	case 'd':
		b, err := d.take(4)
		if err != nil {
			return nil, err
		}
		return math.Float32frombits(binary.BigEndian.Uint32(b)), nil
	case 'D':
		b, err := d.take(8)
		if err != nil {
			return nil, err
		}
		return math.Float64frombits(binary.BigEndian.Uint64(b)), nil
	}
	n, ok, err := d.integer(m)
	if err == nil && !ok {
		err = d.fail(fmt.Errorf("want a number, got type %q", m))
	}
	return n, err
}

// mark returns the element type of the array that comes next.
func (d *ubjDecoder) mark() (byte, error) {
	d.start = d.pos
	if rest := d.data[d.pos:]; len(rest) >= 3 && rest[0] == '[' && rest[1] == '$' {
		return rest[2], nil
	}
	return 0, nil
}

// array begins an array and returns its element type and, for one of a type, the bytes of its values, which are then
// read; the type is 0 for an array that is to be read item by item.
func (d *ubjDecoder) array() (mark byte, packed []byte, err error) {
	if err := d.beginArray(); err != nil {
		return 0, nil, err
	}
	c := d.open[len(d.open)-1]
	if c.mark == 0 {
		return 0, nil, nil
	}
	d.open = d.open[:len(d.open)-1]
	packed, err = d.take(int(c.left) * ubjWidth(c.mark))
	return c.mark, packed, err
}

func (d *ubjDecoder) ints(low, high int64) (intArray, error) {
	mark, packed, err := d.array()
	if err != nil {
		return intArray{}, err
	}
	a := intArray{mark: mark}
	add := func(n int64) error {
		if n < low || n > high {
			return d.fail(fmt.Errorf("value %d: %d is outside [%d, %d]", len(a.values), n, low, high))
		}
		a.values = append(a.values, n)
		return nil
	}
	if mark != 0 {
		if mark == 'd' || mark == 'D' {
			return intArray{}, d.fail(fmt.Errorf("want integers, got type %q", mark))
		}
		width := ubjWidth(mark)
		a.values = make([]int64, 0, len(packed)/width)
		for ; len(packed) > 0; packed = packed[width:] {
			if err := add(ubjInteger(mark, packed)); err != nil {
				return intArray{}, err
			}
		}
		return a, nil
	}
	a.values = []int64{}
	for {
		ok, err := d.nextItem()
		if err != nil || !ok {
			return a, err
		}
		v, err := d.number()
		if err != nil {
			return intArray{}, err
		}
		n, ok := v.(int64)
		if b, isBool := v.(bool); isBool {
			ok = true
			if b {
				n = 1
			}
		}
		if !ok {
			return intArray{}, d.fail(fmt.Errorf("value %d: want an integer", len(a.values)))
		}
		if err := add(n); err != nil {
			return intArray{}, err
		}
	}
}

func (d *ubjDecoder) floats() ([]float32, error) {
	mark, packed, err := d.array()
	if err != nil {
		return nil, err
	}
	if mark != 0 {
		width := ubjWidth(mark)
		x := make([]float32, 0, len(packed)/width)
		for ; len(packed) > 0; packed = packed[width:] {
			switch mark {
			case 'd':
				x = append(x, math.Float32frombits(binary.BigEndian.Uint32(packed)))
			case 'D':
				x = append(x, float32(math.Float64frombits(binary.BigEndian.Uint64(packed))))
			default:
				x = append(x, float32(ubjInteger(mark, packed)))
			}
		}
		return x, nil
	}
	x := []float32{}
	for {
		ok, err := d.nextItem()
		if err != nil || !ok {
			return x, err
		}
		v, err := d.number()
		if err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case float32:
			x = append(x, v)
		case float64:
			x = append(x, float32(v))
		case int64:
			x = append(x, float32(v))
		default:
			return nil, d.fail(fmt.Errorf("value %d: want a number", len(x)))
		}
	}
}

func (d *ubjDecoder) end() error {
	if d.start = d.pos; d.pos < len(d.data) {
		return d.fail(errors.New("more bytes after the document"))
	}
	return nil
}
