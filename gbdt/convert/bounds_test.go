package convert

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestUpperBound compares LightGBM's x <= t with XGBoost's x < bound for values at, next to and far from each bound.
func TestUpperBound(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200000 {
		at := anyFloat64(rng)
		if math.IsInf(at, 1) || at != at {
			continue
		}
		bound := upperBound(at)
		for _, x := range around(rng, bound, float32(at)) {
			read := float64(x)
			if math.Abs(read) <= float64(smallest) {
				read = 0
			}
			if got, want := x < bound, read <= at; got != want {
				t.Fatalf("threshold %v, bound %v: x = %v goes left: got %v, want %v", at, bound, x, got, want)
			}
		}
	}
}

// TestLastBelow compares XGBoost's float32(x) < s with LightGBM's x <= t, for float64 values of x.
func TestLastBelow(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	refused := 0
	for range 200000 {
		s := float32(anyFloat64(rng))
		if s != s || math.IsInf(float64(s), -1) {
			continue
		}
		for _, options := range []Options{{}, {TinyAsZero: true}} {
			at, reason := lastBelow(s, options)
			parts := s > -smallest && s <= smallest
			if (reason != "") != (parts && !options.TinyAsZero) {
				t.Fatalf("threshold %v, %+v: refused with %q", s, options, reason)
			}
			if reason != "" {
				refused++
				continue
			}
			for _, x := range []float64{at, math.Nextafter(at, math.Inf(1)), math.Nextafter(at, math.Inf(-1)), float64(s),
				float64(below(s)), float64(above(s)), 0, math.Inf(1), math.Inf(-1), anyFloat64(rng)} {
				read, tiny := x, x != 0 && math.Abs(x) <= float64(smallest)
				if math.Abs(x) <= float64(smallest) {
					read = 0
				}
				if x != x || tiny && parts {
					continue
				}
				if got, want := read <= at, float32(x) < s; got != want {
					t.Fatalf("threshold %v became %v: x = %v goes left: got %v, want %v", s, at, x, got, want)
				}
			}
		}
	}
	if refused == 0 {
		t.Error("no threshold was refused")
	}
}

// anyFloat64 returns a number of any size, often a float32 number, one near 0 or a special one.
func anyFloat64(rng *rand.Rand) float64 {
	special := []float64{0, math.Copysign(0, -1), 1e-35, -1e-35, float64(smallest), -float64(smallest), 1e300, -1e300,
		math.MaxFloat32, -math.MaxFloat32, math.Inf(1), math.Inf(-1), 0x1p128 - 0x1p103, 5e-324, 1e-45}
	switch rng.IntN(6) {
	case 0:
		return math.Float64frombits(rng.Uint64())
	case 1:
		return float64(math.Float32frombits(rng.Uint32()))
	case 2:
		return special[rng.IntN(len(special))]
	case 3:
		return math.Nextafter(special[rng.IntN(len(special))], rng.NormFloat64())
	case 4:
		return 1.1e-35 * rng.NormFloat64()
	}
	return rng.NormFloat64()
}

// around returns the values at and next to the given ones, the special ones, and others.
func around(rng *rand.Rand, at ...float32) []float32 {
	all := []float32{0, smallest, -smallest, above(smallest), below(-smallest), 1e-45, -1e-45, float32(math.Inf(1)), float32(math.Inf(-1)),
		math.MaxFloat32, -math.MaxFloat32, float32(rng.NormFloat64())}
	for _, x := range at {
		all = append(all, x, above(x), below(x))
	}
	return all
}
