package gbdt

import "math"

// expRun replaces each number by its exponential, with an error below 2e-16 relative; numbers are taken for at most 700
// and at least -700. Training uses it where exp64, which gives glibc's bits, would be slower: there is no call and no
// case for the ends of the range, so that several exponentials are under way at a time. Its bits do not depend on the
// machine either. NaN gives NaN.
func expRun(values []float64) {
	for i, x := range values {
		x = min(max(x, -700), 700)
		kd := float64(expInvLn2N*x) + expShift
		k := math.Float64bits(kd)
		kd -= expShift
		r := x + float64(kd*expNegLn2Hi) + float64(kd*expNegLn2Lo)
		// |r| <= log(2)/256: the next term of the series is below 1e-18.
		y := float64(r * (1.0/24 + float64(r*(1.0/120))))
		y = float64(r * (1.0/6 + y))
		y = r + float64(float64(r*r)*(1.0/2+y))
		scale := math.Float64frombits(expTable[2*(k%128)+1] + k<<(52-7))
		values[i] = scale + float64(scale*y)
	}
}
