package lightgbm

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
	"sync"
)

// The decimal powers of the numbers that quickFloat reads.
const (
	lowestPower  = -60
	highestPower = 22
)

// power is a power of ten, from mantissa*2^exponent up to, but not with, (mantissa+1)*2^exponent, where the mantissa of
// 128 bits (high, low) has its highest bit set.
type power struct {
	high, low uint64
	exponent  int
}

// powers returns those from lowestPower to highestPower.
var powers = sync.OnceValue(func() *[highestPower - lowestPower + 1]power {
	var all [highestPower - lowestPower + 1]power
	for i := range all {
		e := i + lowestPower
		x := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(e, -e))), nil)
		shift := 128 - x.BitLen() // of 10^|e|, so that it fills the mantissa
		if e >= 0 {
			x.Lsh(x, uint(shift))
			shift = -shift
		} else {
			n := x.BitLen() + 127
			x.Div(new(big.Int).Lsh(big.NewInt(1), uint(n)), x)
			shift = -n
		}
		var b [16]byte
		x.FillBytes(b[:])
		all[i] = power{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:]), shift}
	}
	return &all
})

// quickFloat reads the decimal number that b starts with, up to a blank or the end, rounded to the nearest float64, and
// returns what follows it. ok is false for what it leaves to parseFloat: long and very large or small numbers, what is no
// number, and the rare ones that lie so near the middle of two float64 values that 128 bits do not tell.
func quickFloat(b []byte, powers *[highestPower - lowestPower + 1]power) (x float64, rest []byte, ok bool) {
	i := 0
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		i++
	}
	mantissa, e := uint64(0), 0
	start := i
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		mantissa = 10*mantissa + uint64(b[i]-'0')
	}
	digits, significant := i-start, i-start
	if i < len(b) && b[i] == '.' {
		i++
		start = i
		if mantissa == 0 { // its zeros and those that follow do not count
			for i < len(b) && b[i] == '0' {
				i++
			}
			significant = start - i
		}
		for i+8 <= len(b) {
			eight, ok := eightDigits(binary.LittleEndian.Uint64(b[i:]))
			if !ok {
				break
			}
			mantissa = 100_000_000*mantissa + eight
			i += 8
		}
		for ; i < len(b) && b[i]-'0' <= 9; i++ {
			mantissa = 10*mantissa + uint64(b[i]-'0')
		}
		e = start - i
		digits += i - start
		significant += i - start
	}
	if digits == 0 || significant > 19 { // 19 digits fit 64 bits
		return 0, b, false
	}
	if i < len(b) && b[i] == 'e' {
		i++
		sign := 1
		if i < len(b) && (b[i] == '-' || b[i] == '+') {
			if b[i] == '-' {
				sign = -1
			}
			i++
		}
		start, n := i, 0
		for ; i < len(b) && i-start < 4 && b[i]-'0' <= 9; i++ {
			n = 10*n + int(b[i]-'0')
		}
		if i == start {
			return 0, b, false
		}
		e += sign * n
	}
	if i < len(b) && b[i] != ' ' {
		return 0, b, false
	}
	if mantissa == 0 {
		if negative {
			return math.Copysign(0, -1), b[i:], true
		}
		return 0, b[i:], true
	}
	if e < lowestPower || e > highestPower {
		return 0, b, false
	}
	x, ok = scaleDecimal(mantissa, &powers[e-lowestPower])
	if negative {
		x = -x
	}
	return x, b[i:], ok
}

// eightDigits returns the number that eight characters make, the first in the low byte; ok is false if one is no digit.
func eightDigits(w uint64) (n uint64, ok bool) {
	const zeros = 0x3030303030303030
	d := w - zeros
	if (d|(w+0x4646464646464646))&0x8080808080808080 != 0 {
		return 0, false
	}
	d = d*10 + d>>8 // pairs, in every second byte
	return (d&0x000000ff000000ff*0x000f424000000064 + d>>16&0x000000ff000000ff*0x0000271000000001) >> 32, true
}

// scaleDecimal returns mantissa times the power, rounded to the nearest float64, which is neither subnormal nor infinite
// for the powers there are. With the mantissa shifted to 64 bits, the true product is at least the first 128 bits of the
// product of both mantissas, and less than 2 above: the power is less than 1 too small. ok is false if that leaves open
// to which side it is rounded.
func scaleDecimal(mantissa uint64, p *power) (x float64, ok bool) {
	zeros := bits.LeadingZeros64(mantissa)
	mantissa <<= uint(zeros)
	high, mid := bits.Mul64(mantissa, p.high)
	carry, _ := bits.Mul64(mantissa, p.low)
	mid, c := bits.Add64(mid, carry, 0)
	high += c
	exponent := p.exponent - zeros + 128 // of high
	if high>>63 == 0 {
		high, mid = high<<1|mid>>63, mid<<1
		exponent--
	}
	// The 53 highest bits stay; 11 of high and mid are the rest.
	const restBits, half = 11, 1 << 10
	rest := high & (1<<restBits - 1)
	kept := high >> restBits
	switch {
	case rest < half-1 || rest == half-1 && mid < math.MaxUint64-4: // below the middle by more than the error
	case rest > half || rest == half && mid > 0:
		kept++
	default:
		return 0, false
	}
	if kept == 1<<53 {
		kept >>= 1
		exponent++
	}
	return math.Float64frombits(uint64(exponent+restBits+52+1023)<<52 | kept&(1<<52-1)), true
}
