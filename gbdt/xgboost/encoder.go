package xgboost

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
)

// encoder writes the parts of a document in order, JSON or UBJSON.
type encoder interface {
	beginObject()
	key(name string)
	endObject()
	// beginArray starts an array of n items whose types are their own.
	beginArray(n int)
	endArray()
	text(s string)
	integer(n int64)
	float(x float32)
	double(x float64)
	boolean(b bool)
	null()
	// ints and floats write arrays of one type: mark is UBJSON's, 0 for a plain array.
	ints(mark byte, values []int64)
	floats(values []float32)
	// flush hands everything to the writer and returns its first error.
	flush() error
}

// output collects bytes and hands them on in large pieces.
type output struct {
	w   io.Writer
	b   []byte
	err error
}

// drain hands the bytes on if there are many.
func (o *output) drain() {
	if len(o.b) >= 1<<16 {
		_ = o.flush() // kept in o.err
	}
}

func (o *output) flush() error {
	if o.err == nil && len(o.b) > 0 {
		_, o.err = o.w.Write(o.b)
	}
	o.b = o.b[:0]
	return o.err
}

// jsonEncoder writes JSON as XGBoost does: no blanks, float32 numbers as 5E-1, bare NaN and Infinity.
type jsonEncoder struct {
	output
	// comma marks that the next key or item follows another.
	comma bool
}

// item starts a value: after a comma if one stands before it.
func (e *jsonEncoder) item() {
	if e.comma {
		e.b = append(e.b, ',')
	}
	e.comma = true
	e.drain()
}

func (e *jsonEncoder) beginObject() {
	e.item()
	e.b = append(e.b, '{')
	e.comma = false
}

func (e *jsonEncoder) key(name string) {
	e.text(name)
	e.b = append(e.b, ':')
	e.comma = false
}

func (e *jsonEncoder) endObject() {
	e.b = append(e.b, '}')
	e.comma = true
}

func (e *jsonEncoder) beginArray(int) {
	e.item()
	e.b = append(e.b, '[')
	e.comma = false
}

func (e *jsonEncoder) endArray() {
	e.b = append(e.b, ']')
	e.comma = true
}

func (e *jsonEncoder) text(s string) {
	e.item()
	e.b = append(e.b, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			e.b = append(e.b, '\\', c)
		case '\b':
			e.b = append(e.b, `\b`...)
		case '\f':
			e.b = append(e.b, `\f`...)
		case '\n':
			e.b = append(e.b, `\n`...)
		case '\r':
			e.b = append(e.b, `\r`...)
		case '\t':
			e.b = append(e.b, `\t`...)
		default:
			if c < ' ' {
				e.b = fmt.Appendf(e.b, `\u%04x`, c)
			} else {
				e.b = append(e.b, c)
			}
		}
	}
	e.b = append(e.b, '"')
}

func (e *jsonEncoder) integer(n int64) {
	e.item()
	e.b = strconv.AppendInt(e.b, n, 10)
}

func (e *jsonEncoder) float(x float32) {
	e.item()
	e.b = appendFloat(e.b, x)
}

// double writes the nearest float32: XGBoost reads no other numbers from JSON.
func (e *jsonEncoder) double(x float64) { e.float(float32(x)) }

func (e *jsonEncoder) boolean(b bool) {
	e.item()
	e.b = strconv.AppendBool(e.b, b)
}

func (e *jsonEncoder) null() {
	e.item()
	e.b = append(e.b, "null"...)
}

func (e *jsonEncoder) ints(_ byte, values []int64) {
	e.beginArray(len(values))
	for _, v := range values {
		e.integer(v)
	}
	e.endArray()
}

func (e *jsonEncoder) floats(values []float32) {
	e.beginArray(len(values))
	for _, v := range values {
		e.float(v)
	}
	e.endArray()
}

// appendFloat appends x in XGBoost's form: the fewest digits that read back as the same float32, as 5E-1.
func appendFloat(dst []byte, x float32) []byte {
	switch {
	case x != x:
		return append(dst, "NaN"...)
	case x > math.MaxFloat32:
		return append(dst, "Infinity"...)
	case x < -math.MaxFloat32:
		return append(dst, "-Infinity"...)
	}
	dst = strconv.AppendFloat(dst, float64(x), 'E', -1, 32)
	// Go ends it with a sign and two digits, E-01 or E+10; XGBoost with as few characters as do.
	n := len(dst)
	sign, tens, ones := dst[n-3], dst[n-2], dst[n-1]
	dst = dst[:n-3]
	if sign == '-' {
		dst = append(dst, '-')
	}
	if tens != '0' {
		dst = append(dst, tens)
	}
	return append(dst, ones)
}

// ubjEncoder writes UBJSON as XGBoost does; ubjDecoder says what is particular about it.
type ubjEncoder struct{ output }

func (e *ubjEncoder) beginObject()    { e.b = append(e.b, '{') }
func (e *ubjEncoder) endObject()      { e.b = append(e.b, '}') }
func (e *ubjEncoder) key(name string) { e.sized(name) }
func (e *ubjEncoder) endArray()       {}

func (e *ubjEncoder) beginArray(n int) {
	e.b = append(e.b, '[')
	e.count(n)
}

// count writes the number of items of an array.
func (e *ubjEncoder) count(n int) {
	e.b = append(e.b, '#', 'L')
	e.b = binary.BigEndian.AppendUint64(e.b, uint64(n))
	e.drain()
}

// sized writes a length and the bytes of s.
func (e *ubjEncoder) sized(s string) {
	e.b = append(e.b, 'L')
	e.b = binary.BigEndian.AppendUint64(e.b, uint64(len(s)))
	e.b = append(e.b, s...)
	e.drain()
}

func (e *ubjEncoder) text(s string) {
	e.b = append(e.b, 'S')
	e.sized(s)
}

// integer takes the smallest type whose range holds n with room on both sides, as XGBoost does.
func (e *ubjEncoder) integer(n int64) {
	switch {
	case math.MinInt8 < n && n < math.MaxInt8:
		e.b = append(e.b, 'i')
		e.put('i', n)
	case math.MinInt16 < n && n < math.MaxInt16:
		e.b = append(e.b, 'I')
		e.put('I', n)
	case math.MinInt32 < n && n < math.MaxInt32:
		e.b = append(e.b, 'l')
		e.put('l', n)
	default:
		e.b = append(e.b, 'L')
		e.put('L', n)
	}
}

// put writes n in the bytes of a type.
func (e *ubjEncoder) put(mark byte, n int64) {
	switch ubjWidth(mark) {
	case 1:
		e.b = append(e.b, byte(n))
	case 2:
		e.b = binary.BigEndian.AppendUint16(e.b, uint16(n))
	case 4:
		e.b = binary.BigEndian.AppendUint32(e.b, uint32(n))
	default:
		e.b = binary.BigEndian.AppendUint64(e.b, uint64(n))
	}
	e.drain()
}

func (e *ubjEncoder) float(x float32) {
	e.b = append(e.b, 'd')
	e.put('d', int64(math.Float32bits(x)))
}

func (e *ubjEncoder) double(x float64) {
	e.b = append(e.b, 'D')
	e.put('D', int64(math.Float64bits(x)))
}

func (e *ubjEncoder) boolean(b bool) {
	if b {
		e.b = append(e.b, 'T')
	} else {
		e.b = append(e.b, 'F')
	}
}

func (e *ubjEncoder) null() { e.b = append(e.b, 'Z') }

func (e *ubjEncoder) ints(mark byte, values []int64) {
	if mark == 0 {
		e.beginArray(len(values))
		for _, v := range values {
			e.integer(v)
		}
		return
	}
	e.b = append(e.b, '[', '$', mark)
	e.count(len(values))
	for _, v := range values {
		e.put(mark, v)
	}
}

func (e *ubjEncoder) floats(values []float32) {
	e.b = append(e.b, '[', '$', 'd')
	e.count(len(values))
	for _, v := range values {
		e.put('d', int64(math.Float32bits(v)))
	}
}

// putValue writes a value that was kept.
func putValue(e encoder, v value) {
	switch v := v.(type) {
	case nil:
		e.null()
	case bool:
		e.boolean(v)
	case int64:
		e.integer(v)
	case float32:
		e.float(v)
	case float64:
		e.double(v)
	case string:
		e.text(v)
	case intArray:
		e.ints(v.mark, v.values)
	case []float32:
		e.floats(v)
	case []any:
		e.beginArray(len(v))
		for _, item := range v {
			putValue(e, item)
		}
		e.endArray()
	case members:
		putMembers(e, v)
	}
}

func putMembers(e encoder, m members) {
	e.beginObject()
	for i, key := range m.keys {
		e.key(key)
		putValue(e, m.values[i])
	}
	e.endObject()
}

// putTexts writes an object of strings, sorted by key.
func putTexts(e encoder, m map[string]string) {
	e.beginObject()
	for _, key := range sortedKeys(m) {
		e.key(key)
		e.text(m[key])
	}
	e.endObject()
}

func putList(e encoder, items []string) {
	e.beginArray(len(items))
	for _, s := range items {
		e.text(s)
	}
	e.endArray()
}

// putInts writes an array of any integer type; mark is as in encoder.ints.
func putInts[T int | int32 | int64 | uint8](e encoder, mark byte, values []T) {
	wide := make([]int64, len(values))
	for i, v := range values {
		wide[i] = int64(v)
	}
	e.ints(mark, wide)
}

// sortedKeys returns the keys of m in the order of bytes.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
