package xgboost

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// decoder hands out the parts of a document in order, JSON or UBJSON. The caller says what it expects; anything else
// is a *ParseError. No method asks for memory that the input does not have the bytes to fill.
type decoder interface {
	beginObject() error
	// nextKey moves to the next member of the object begun last; ok is false at its end.
	nextKey() (key string, ok bool, err error)
	beginArray() error
	// nextItem moves to the next item of the array begun last; ok is false at its end.
	nextItem() (ok bool, err error)
	text() (string, error)
	// number reads a scalar: a nil, bool, int64, or a float32 or float64 that was not written as an integer.
	number() (any, error)
	// peek tells what comes next.
	peek() (kind, error)
	// ints and floats read whole arrays: integers in [low, high] with false and true as 0 and 1, and float32 numbers.
	ints(low, high int64) (intArray, error)
	floats() ([]float32, error)
	// fail makes an error located at the last value.
	fail(err error) error
	// end reports what follows the document.
	end() error
}

// kind is what a value can be, as far as the reader must know before it reads.
type kind uint8

const (
	kindScalar kind = iota // numbers, booleans, null
	kindText
	kindArray
	kindObject
)

// intArray is an array of integers with the element type that UBJSON gives it, 0 for a plain array.
type intArray struct {
	mark   byte
	values []int64
}

// maxDepth bounds the nesting of values that are kept or skipped without being looked at.
const maxDepth = 32

// maxKept bounds the number of values that are kept without being looked at.
const maxKept = 1 << 22

// maxKeys bounds the members of the objects whose keys are known.
const maxKeys = 256

// object reads an object, calling field for each member with its key.
func object(d decoder, field func(key string) error) error {
	if err := d.beginObject(); err != nil {
		return err
	}
	var seen []string
	for {
		key, ok, err := d.nextKey()
		if err != nil || !ok {
			return err
		}
		for _, s := range seen {
			if s == key {
				return under(key, d.fail(errors.New("given twice")))
			}
		}
		if len(seen) == maxKeys {
			return d.fail(fmt.Errorf("more than %d keys", maxKeys))
		}
		seen = append(seen, key)
		if err := field(key); err != nil {
			return under(key, err)
		}
	}
}

// list reads an array, calling item for each of its items.
func list(d decoder, item func(i int) error) error {
	if err := d.beginArray(); err != nil {
		return err
	}
	for i := 0; ; i++ {
		ok, err := d.nextItem()
		if err != nil || !ok {
			return err
		}
		if err := item(i); err != nil {
			return under(fmt.Sprintf("[%d]", i), err)
		}
	}
}

// integer reads an integer in [low, high].
func integer(d decoder, low, high int64) (int64, error) {
	x, err := d.number()
	if err != nil {
		return 0, err
	}
	n, ok := x.(int64)
	if !ok {
		return 0, d.fail(errors.New("want an integer"))
	}
	if n < low || n > high {
		return 0, d.fail(fmt.Errorf("%d is outside [%d, %d]", n, low, high))
	}
	return n, nil
}

// int32s reads an array of integers in [low, high], a range within int32.
func int32s(d decoder, low, high int64) ([]int32, error) {
	a, err := d.ints(low, high)
	if err != nil {
		return nil, err
	}
	x := make([]int32, len(a.values))
	for i, v := range a.values {
		x[i] = int32(v)
	}
	return x, nil
}

// texts reads an array of strings.
func texts(d decoder) ([]string, error) {
	x := []string{}
	err := list(d, func(int) error {
		s, err := d.text()
		x = append(x, s)
		return err
	})
	return x, err
}

// stringMap reads an object whose values are strings.
func stringMap(d decoder) (map[string]string, error) {
	if err := d.beginObject(); err != nil {
		return nil, err
	}
	m := map[string]string{}
	for {
		key, ok, err := d.nextKey()
		if err != nil || !ok {
			return m, err
		}
		if _, ok := m[key]; ok {
			return nil, under(key, d.fail(errors.New("given twice")))
		}
		if m[key], err = d.text(); err != nil {
			return nil, under(key, err)
		}
	}
}

// A value is one that is kept as it is: nil, bool, int64, float32, float64, string, []any, intArray, []float32 or
// members.
type value = any

// members is an object.
type members struct {
	keys   []string
	values []value
}

// get returns the value of a key.
func (m members) get(key string) (value, bool) {
	if i := slices.Index(m.keys, key); i >= 0 {
		return m.values[i], true
	}
	return nil, false
}

func (m *members) add(key string, v value) {
	m.keys, m.values = append(m.keys, key), append(m.values, v)
}

// keep reads any value. budget is the number of values that may still be kept.
func keep(d decoder, depth int, budget *int) (value, error) {
	if depth > maxDepth {
		return nil, d.fail(fmt.Errorf("nested deeper than %d", maxDepth))
	}
	if *budget--; *budget < 0 {
		return nil, d.fail(fmt.Errorf("more than %d values that are only kept", maxKept))
	}
	k, err := d.peek()
	if err != nil {
		return nil, err
	}
	switch k {
	case kindText:
		return d.text()
	case kindObject:
		return keepObject(d, depth, budget)
	case kindArray:
		return keepArray(d, depth, budget)
	default:
		return d.number()
	}
}

func keepObject(d decoder, depth int, budget *int) (value, error) {
	if err := d.beginObject(); err != nil {
		return nil, err
	}
	m := members{}
	seen := map[string]bool{}
	for {
		key, ok, err := d.nextKey()
		if err != nil || !ok {
			return m, err
		}
		if seen[key] {
			return nil, under(key, d.fail(errors.New("given twice")))
		}
		seen[key] = true
		v, err := keep(d, depth+1, budget)
		if err != nil {
			return nil, under(key, err)
		}
		m.keys, m.values = append(m.keys, key), append(m.values, v)
	}
}

// typed is a decoder that knows the element type of the array that comes next.
type typed interface {
	// mark returns it, 0 for a plain array.
	mark() (byte, error)
}

func keepArray(d decoder, depth int, budget *int) (value, error) {
	if t, ok := d.(typed); ok {
		switch mark, err := t.mark(); {
		case err != nil:
			return nil, err
		case mark == 'd':
			return d.floats()
		case mark != 0 && mark != 'D':
			return d.ints(math.MinInt64, math.MaxInt64)
		}
	}
	items := []any{}
	err := list(d, func(int) error {
		v, err := keep(d, depth+1, budget)
		items = append(items, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	if x, ok := all[int64](items); ok {
		return intArray{0, x}, nil
	}
	if _, ok := d.(typed); ok {
		return items, nil // a plain array of floats stays one
	}
	if x, ok := all[float32](items); ok {
		return x, nil
	}
	return items, nil
}

// all returns the items as values of one type, if they are and there are any.
func all[T any](items []any) ([]T, bool) {
	x := make([]T, 0, len(items))
	for _, item := range items {
		v, ok := item.(T)
		if !ok {
			return nil, false
		}
		x = append(x, v)
	}
	return x, len(x) > 0
}
