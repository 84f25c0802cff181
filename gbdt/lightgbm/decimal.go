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
// returns its length. It is 0 for what it leaves to parseFloat: long and very large or small numbers, what is no number,
// and the rare ones that lie so near the middle of two float64 values that 128 bits do not tell.
//
// Signs, lengths and digits are those of chance, so it has few branches that depend on them.
func quickFloat(b []byte, powers *[highestPower - lowestPower + 1]power) (x float64, length int) {
	negative, mantissa, digits := leadingInt(b)
	i := int(negative) + digits
	e := 0
	if digits >= 7 { // or more
		for ; i < len(b) && b[i]-'0' <= 9; i++ {
			if mantissa > room[1] {
				return 0, 0
			}
			mantissa = 10*mantissa + uint64(b[i]-'0')
			digits++
		}
	}
	if i < len(b) && b[i] == '.' {
		i++
		point := i
		for {
			more, n := leadingDigits(eightBytes(b, i))
			if mantissa > room[n] {
				return 0, 0
			}
			if n < 8 {
				mantissa = mantissa*smallPowers[n] + more
				i += n
				break
			}
			mantissa = 100_000_000*mantissa + more
			i += 8
		}
		e = point - i
		digits -= e
	}
	if digits == 0 {
		return 0, 0
	}
	if i < len(b) && b[i] == 'e' {
		n, length := quickExponent(b[i+1:])
		if length == 0 {
			return 0, 0
		}
		e += n
		i += 1 + length
	}
	if i < len(b) && b[i] != ' ' {
		return 0, 0
	}
	sign := negative << 63
	if mantissa == 0 {
		return math.Float64frombits(sign), i
	}
	if e < lowestPower || e > highestPower {
		return 0, 0
	}
	bits, ok := scaleDecimal(mantissa, &powers[e-lowestPower])
	if !ok {
		return 0, 0
	}
	return math.Float64frombits(bits | sign), i
}

// smallPowers are the powers of ten that leadingDigits counts.
var smallPowers = [9]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8}

// room has the largest numbers that 64 bits hold with so many digits more, whichever those are.
var room = func() (room [len(smallPowers)]uint64) {
	for n, p := range smallPowers {
		room[n] = (math.MaxUint64 - (p - 1)) / p
	}
	return room
}()

// leadingInt returns the number that b starts with, up to 7 or 8 digits, and how many they are; negative is 1 if a minus
// stands before it, else 0.
func leadingInt(b []byte) (negative, x uint64, digits int) {
	w := eightBytes(b, 0)
	negative = ((w&0xff ^ '-') - 1) >> 63
	x, digits = leadingDigits(w >> (8 * negative))
	return negative, x, digits
}

// eightBytes returns the bytes of b from i on, the first in the low byte, with zeros after the end.
func eightBytes(b []byte, i int) uint64 {
	if i+8 <= len(b) {
		return binary.LittleEndian.Uint64(b[i:])
	}
	var last [8]byte
	copy(last[:], b[min(i, len(b)):])
	return binary.LittleEndian.Uint64(last[:])
}

// leadingDigits returns the number that the digits make with which eight characters start, the first in the low byte, and
// how many they are.
func leadingDigits(w uint64) (x uint64, digits int) {
	d := w ^ 0x3030303030303030                                // 0 to 9 for digits, more for others
	other := (d + 0x7676767676767676 | d) & 0x8080808080808080 // right up to the first that is none
	digits = bits.TrailingZeros64(other) / 8
	d <<= uint(64-8*digits) & 127 // zeros before them
	d = d*10 + d>>8               // pairs, in every second byte
	return (d&0x000000ff000000ff*0x000f424000000064 + d>>16&0x000000ff000000ff*0x0000271000000001) >> 32, digits
}

// quickExponent reads a sign and up to four digits. The length is 0 if there are none.
func quickExponent(b []byte) (e, length int) {
	i, sign := 0, 1
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		if b[0] == '-' {
			sign = -1
		}
		i++
	}
	start := i
	for ; i < len(b) && i-start < 4 && b[i]-'0' <= 9; i++ {
		e = 10*e + int(b[i]-'0')
	}
	if i == start {
		return 0, 0
	}
	return sign * e, i
}

// scaleDecimal returns the bits of mantissa times the power, rounded to the nearest float64, which is neither subnormal
// nor infinite for the powers there are. With the mantissa shifted to 64 bits, the true product is at least the first 128
// bits of the product of both mantissas, and less than 2 above: the power is less than 1 too small. ok is false if that
// leaves open to which side it is rounded.
func scaleDecimal(mantissa uint64, p *power) (x uint64, ok bool) {
	zeros := bits.LeadingZeros64(mantissa)
	mantissa <<= uint(zeros) & 63
	high, mid := bits.Mul64(mantissa, p.high)
	carry, _ := bits.Mul64(mantissa, p.low)
	mid, c := bits.Add64(mid, carry, 0)
	high += c
	shift := high>>63 ^ 1 // so that the highest bit is set
	high = high<<shift | mid>>1>>(63-shift)
	mid <<= shift
	exponent := uint64(p.exponent-zeros+128) - shift // of high
	// The 53 highest bits stay; 11 of high and mid are the rest.
	const restBits, half = 11, 1 << 10
	rest := high & (1<<restBits - 1)
	if rest == half-1 && mid >= math.MaxUint64-4 || rest == half && mid == 0 { // within the error of the middle
		return 0, false
	}
	kept := high>>restBits + rest>>(restBits-1)
	return (exponent+restBits+52+1023)<<52 + kept - 1<<52, true // a kept of 1<<53 carries into the exponent
}
