package lightgbm

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

// checkQuick compares quickFloat with strconv, and reports whether it read the text.
func checkQuick(t *testing.T, text string) bool {
	t.Helper()
	for _, after := range []string{"", " 1"} {
		got, length := quickFloat([]byte(text+after), powers())
		if length == 0 {
			return false
		}
		want, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatalf("%q: got %v, strconv %v", text, got, err)
		}
		if math.Float64bits(got) != math.Float64bits(want) || length != len(text) {
			t.Fatalf("%q: got %v (%x) of %d bytes, want %v (%x)", text, got, math.Float64bits(got), length, want, math.Float64bits(want))
		}
	}
	return true
}

func TestQuickFloat(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(9, 9))
	const texts = 300_000
	read := 0
	for range texts {
		x := math.Float64frombits(rng.Uint64())
		if rng.IntN(4) > 0 {
			x = math.Ldexp(rng.NormFloat64(), rng.IntN(80)-60)
		}
		if rng.IntN(8) == 0 {
			x = math.Round(x*1e4) / 1e4
		}
		if x-x != 0 {
			continue
		}
		for _, digits := range []int{17, 6, -1} {
			if checkQuick(t, strconv.FormatFloat(x, 'g', digits, 64)) {
				read++
			}
		}
	}
	if read < texts {
		t.Errorf("%d of %d texts read", read, 3*texts)
	}
	// The middle of two neighbours, and what lies next to it, which 17 digits seldom come near.
	for range 20_000 {
		n := 1<<53 + rng.Uint64N(1<<52)
		checkQuick(t, strconv.FormatUint(2*n+1, 10))
		checkQuick(t, strconv.FormatUint((2*n+1)*2-1, 10)+"e-5")
	}
	for text, ok := range map[string]bool{
		"0": true, "-0": true, "0.0": true, "1": true, "-1.5": true, "1e22": true, "1e-05": true, "9007199254740993": true,
		"1.0000000180025095e-35": true, "": false, "-": false, ".": false, "1e": false, "1e+": false, "+1": false, "1x": false, "inf": false,
		"nan": false, "0x10": false, "1_0": false, "1e300": false, "1e-300": false, "1e99999": false, "12345678901234567890": true, "18446744073709551599": true, "18446744073709551616": false, "1.5e3.": false,
		".5": true, "5.": true, "1E5": false, "0.00000000000000000000": true, "0.0012345678901234567": true, "-0.00000000000000000000012345": true,
		"00000000000000000001": true, "0.12345678901234567891": true, "0.18446744073709551616": false, "184467440.73709549615": true, "10.000000000000000000001": false, "\x001": false, "1\n": false,
	} {
		if text == "9007199254740993" { // the middle of two neighbours
			ok = false
		}
		if got := checkQuick(t, text); got != ok {
			t.Errorf("%q: read %v, want %v", text, got, ok)
		}
	}
}

func TestLeadingDigits(t *testing.T) {
	t.Parallel()
	text := []byte("90817263")
	for i := range text {
		for c := range 256 {
			b := append([]byte(nil), text...)
			b[i] = byte(c)
			want := 8
			if c < '0' || c > '9' {
				want = i
			}
			if got, digits := leadingDigits(eightBytes(b, 0)); digits != want || got != mustParse(t, b[:want]) {
				t.Fatalf("%q: got %d of %d digits, want %d", b, got, digits, want)
			}
			if got, digits := leadingDigits(eightBytes(b[:i], 0)); digits != i || got != mustParse(t, b[:i]) {
				t.Fatalf("%q: got %d of %d digits", b[:i], got, digits)
			}
		}
	}
}

// mustParse returns the number that digits make, 0 for none.
func mustParse(t *testing.T, digits []byte) uint64 {
	t.Helper()
	n, err := strconv.ParseUint("0"+string(digits), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
