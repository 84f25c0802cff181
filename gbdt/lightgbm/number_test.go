package lightgbm

import (
	"math"
	"testing"
)

// TestAppendFloat has numbers as C's printf prints them (glibc 2.36).
func TestAppendFloat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		x            float64
		short, exact string // %g and %.17g
	}{
		{0, "0", "0"},
		{math.Copysign(0, -1), "-0", "-0"},
		{1, "1", "1"},
		{-0.1, "-0.1", "-0.10000000000000001"},
		{100000, "100000", "100000"},
		{1e6, "1e+06", "1000000"},
		{123456.5, "123456", "123456.5"},
		{123457.5, "123458", "123457.5"},
		{999999.5, "1e+06", "999999.5"},
		{0.0001, "0.0001", "0.0001"},
		{0.00001, "1e-05", "1.0000000000000001e-05"},
		{1.0000000180025095e-35, "1e-35", "1.0000000180025095e-35"},
		{1e16, "1e+16", "10000000000000000"},
		{1e17, "1e+17", "1e+17"},
		{1e300, "1e+300", "1.0000000000000001e+300"},
		{5e-324, "4.94066e-324", "4.9406564584124654e-324"},
		{math.MaxFloat64, "1.79769e+308", "1.7976931348623157e+308"},
		{math.Inf(1), "inf", "inf"},
		{math.Inf(-1), "-inf", "-inf"},
		{math.NaN(), "nan", "nan"},
		{math.Copysign(math.NaN(), -1), "-nan", "-nan"},
	} {
		if got := string(appendFloat(nil, c.x, 6)); got != c.short {
			t.Errorf("%%g of %v: got %s, want %s", c.x, got, c.short)
		}
		if got := string(appendFloat(nil, c.x, 17)); got != c.exact {
			t.Errorf("%%.17g of %v: got %s, want %s", c.x, got, c.exact)
		}
		back, err := parseFloat([]byte(c.exact))
		if err != nil || math.Float64bits(back) != math.Float64bits(c.x) && back == back {
			t.Errorf("%s read back: got %v, %v", c.exact, back, err)
		}
		if math.Signbit(back) != math.Signbit(c.x) {
			t.Errorf("%s read back: got sign of %v", c.exact, back)
		}
	}
}

func TestParseFloatRefuses(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "x", "1x", "0x1p3", "1_0", "1e999", "-1e999", "--1", "1 ", "infin", "na"} {
		if x, err := parseFloat([]byte(s)); err == nil {
			t.Errorf("%q: got %v, want an error", s, x)
		}
	}
}

func TestParseInt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s    string
		want int64
		ok   bool
	}{
		{"0", 0, true}, {"-5", -5, true}, {"10", 10, true}, {"007", 7, true}, {"11", 0, false}, {"-6", 0, false},
		{"", 0, false}, {"-", 0, false}, {"+1", 0, false}, {"1.0", 0, false}, {"9999999999999999999", 0, false},
	} {
		if got, err := parseInt([]byte(c.s), -5, 10); (err == nil) != c.ok || c.ok && got != c.want {
			t.Errorf("%q: got %d, %v, want %d (ok: %v)", c.s, got, err, c.want, c.ok)
		}
	}
}
