package lightgbm

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// appendFloat appends x as C's printf does with %.{digits}g: LightGBM writes values that must be exact with 17 digits
// and the rest with 6.
func appendFloat(dst []byte, x float64, digits int) []byte {
	switch {
	case x != x && math.Signbit(x):
		return append(dst, "-nan"...)
	case x != x:
		return append(dst, "nan"...)
	case x > math.MaxFloat64:
		return append(dst, "inf"...)
	case x < -math.MaxFloat64:
		return append(dst, "-inf"...)
	}
	return strconv.AppendFloat(dst, x, 'g', digits, 64)
}

var errNumber = errors.New("not a number")

// parseFloat reads one decimal number, inf or nan, rounding to the nearest float64.
func parseFloat(b []byte) (float64, error) {
	for _, c := range b {
		if c == 'x' || c == 'X' || c == '_' { // Go's own forms
			return 0, fmt.Errorf("%w: %q", errNumber, short(b))
		}
	}
	x, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		if errors.Is(err, strconv.ErrRange) {
			return 0, fmt.Errorf("%w: %q is out of range", errNumber, short(b))
		}
		// The sign of a NaN is not Go's syntax, but printf's.
		if bytes.EqualFold(b, []byte("-nan")) {
			return math.Copysign(math.NaN(), -1), nil
		}
		return 0, fmt.Errorf("%w: %q", errNumber, short(b))
	}
	return x, nil
}

// parseInt reads one decimal integer in [low, high].
func parseInt(b []byte, low, high int64) (int64, error) {
	digits, negative := b, false
	if len(b) > 0 && b[0] == '-' {
		digits, negative = b[1:], true
	}
	if len(digits) == 0 || len(digits) > 18 {
		return 0, fmt.Errorf("not an integer: %q", short(b))
	}
	n := int64(0)
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, fmt.Errorf("not an integer: %q", short(b))
		}
		n = 10*n + int64(c-'0')
	}
	if negative {
		n = -n
	}
	if n < low || n > high {
		return 0, fmt.Errorf("%d is outside [%d, %d]", n, low, high)
	}
	return n, nil
}

// short returns at most the first 40 bytes of b, for messages.
func short(b []byte) []byte { return b[:min(len(b), 40)] }

// nextToken cuts the first blank-separated token off b; the token is empty at the end.
func nextToken(b []byte) (token, rest []byte) {
	i := 0
	for i < len(b) && b[i] == ' ' {
		i++
	}
	j := i
	for j < len(b) && b[j] != ' ' {
		j++
	}
	return b[i:j], b[j:]
}

// checkRoom reports whether b can hold n numbers, so that memory is given only for what the text really has.
func checkRoom(b []byte, n int) error {
	if most := (len(b) + 1) / 2; n > most {
		return fmt.Errorf("want %d values, the line has at most %d", n, most)
	}
	return nil
}

// parseFloats fills dst from exactly len(dst) blank-separated numbers.
func parseFloats(dst []float64, b []byte) (err error) {
	var token []byte
	powers := powers()
	for i := range dst {
		if x, length := quickFloat(b, powers); length > 0 {
			dst[i], b = x, b[min(length+1, len(b)):]
			continue
		}
		if token, b = nextToken(b); len(token) == 0 {
			return fmt.Errorf("want %d values, got %d", len(dst), i)
		}
		if dst[i], err = parseFloat(token); err != nil {
			return fmt.Errorf("value %d: %w", i, err)
		}
	}
	return endOfValues(b, len(dst))
}

// parseInts fills dst from exactly len(dst) blank-separated integers in [low, high].
func parseInts[T int32 | uint32 | uint8](dst []T, b []byte, low, high int64) error {
	var token []byte
	for i := range dst {
		if n, length := quickInt(b); length > 0 && n >= low && n <= high {
			dst[i], b = T(n), b[min(length+1, len(b)):]
			continue
		}
		if token, b = nextToken(b); len(token) == 0 {
			return fmt.Errorf("want %d values, got %d", len(dst), i)
		}
		n, err := parseInt(token, low, high)
		if err != nil {
			return fmt.Errorf("value %d: %w", i, err)
		}
		dst[i] = T(n)
	}
	return endOfValues(b, len(dst))
}

// quickInt reads the integer of at most 14 digits that b starts with, up to a blank or the end, and returns its length, 0
// if it is none.
func quickInt(b []byte) (n int64, length int) {
	negative, x, digits := leadingInt(b)
	i := int(negative) + digits
	if digits >= 7 { // or more
		var more uint64
		more, digits = leadingDigits(eightBytes(b, i))
		x = x*smallPowers[digits] + more
		i += digits
	}
	if digits == 8 || i == int(negative) || i < len(b) && b[i] != ' ' {
		return 0, 0
	}
	minus := -int64(negative) // all bits, or none
	return int64(x) ^ minus - minus, i
}

func endOfValues(b []byte, n int) error {
	if token, _ := nextToken(b); len(token) > 0 {
		return fmt.Errorf("want %d values, got more", n)
	}
	return nil
}
