package score

import (
	"math"
	"testing"
)

func TestCRPSStudentTVectors(t *testing.T) {
	t.Parallel()
	// Numerical integration of (F - 1{u>=x})^2 with scipy 1.17.1 (integrate.quad, stats.t), 2026-11.
	for _, c := range []struct{ location, scale, df, x, want float64 }{
		{0, 1, 6, 0, 0.2527819014973872},
		{0.1, 0.2, 6, -0.5, 0.4710300515990961},
		{0, 1, 3, 2.5, 1.8113587823234456},
		{-1, 2, 30, 4, 3.8521045567598464},
		{0, 1, 1.5, 1, 0.6418544020476883},
	} {
		near(t, "CRPS", CRPSStudentT(c.location, c.scale, c.df, c.x), c.want, 1e-9)
	}
	// Many degrees of freedom: the normal distribution's z(2F-1) + 2f - 1/sqrt(pi) at z = 0.7.
	near(t, "normal limit", CRPSStudentT(0, 1, 1e7, 0.7), 0.42156917007346395, 1e-6)
}

// integrateCRPS applies the definition, integral of (F(u) - 1{u >= x})^2, to the standard Student-t, with F itself
// summed up from the density: no formula shared with CRPSStudentT. The tails beyond +-reach hold less than 1e-7.
func integrateCRPS(df, x float64) float64 {
	lg := func(a float64) float64 { v, _ := math.Lgamma(a); return v }
	norm := math.Exp(lg((df+1)/2)-lg(df/2)) / math.Sqrt(df*math.Pi)
	density := func(u float64) float64 { return norm * math.Pow(1+u*u/df, -(df+1)/2) }
	const reach, n = 60.0, 240_000
	const du = 2 * reach / n
	cdf, sum := 0.0, 0.0
	for i := range n {
		u := -reach + float64(i)*du
		f := (density(u) + 4*density(u+du/2) + density(u+du)) / 6 * du // Simpson
		mid := cdf + f/2
		if u+du/2 >= x {
			mid--
		}
		sum += mid * mid * du
		cdf += f
	}
	return sum
}

func TestCRPSStudentTIntegral(t *testing.T) {
	t.Parallel()
	for _, df := range []float64{5, 6, 12} {
		for _, z := range []float64{-3.01, 0, 0.5, 1.7} {
			want := integrateCRPS(df, z)
			near(t, "standard", CRPSStudentT(0, 1, df, z), want, 2e-5)
			near(t, "scaled", CRPSStudentT(-0.3, 0.25, df, -0.3+0.25*z), 0.25*want, 1e-5)
		}
	}
}

func TestCRPSStudentTExtremes(t *testing.T) {
	t.Parallel()
	// Far out the score tends to |z| minus a constant.
	near(t, "far", CRPSStudentT(0, 1, 6, 1e200)/1e200, 1, 1e-12)
	near(t, "symmetry", CRPSStudentT(0, 1, 6, 1.3), CRPSStudentT(0, 1, 6, -1.3), 1e-15)
	nan := math.NaN()
	for _, c := range [][4]float64{{0, 0, 6, 1}, {0, -1, 6, 1}, {0, 1, 1, 1}, {nan, 1, 6, 1}, {0, nan, 6, 1}, {0, 1, nan, 1}, {0, 1, 6, nan}, {0, math.Inf(1), 6, 1}} {
		if got := CRPSStudentT(c[0], c[1], c[2], c[3]); !math.IsNaN(got) {
			t.Errorf("CRPSStudentT%v: got %v, want NaN", c, got)
		}
	}
}

// Whatever the arguments, the answer is NaN or a score that is not negative beyond rounding; nothing panics.
func TestCRPSStudentTAnyArguments(t *testing.T) {
	t.Parallel()
	r := newRand(9)
	wide := func() float64 { return math.Ldexp(r.NormFloat64(), r.IntN(1200)-600) }
	for range 20_000 {
		location, scale, df, x := wide(), math.Abs(wide()), 1+math.Abs(math.Ldexp(r.NormFloat64(), r.IntN(24))), wide()
		if got := CRPSStudentT(location, scale, df, x); got < -1e-6*scale {
			t.Fatalf("CRPSStudentT(%v, %v, %v, %v) = %v", location, scale, df, x, got)
		}
	}
}

func TestStudentTProbabilities(t *testing.T) {
	t.Parallel()
	// scipy 1.17.1, 2*stats.t.sf(|z|, df), 2026-11.
	for _, c := range []struct{ z, df, want float64 }{
		{0.5, 6, 0.63488},
		{2, 40, 0.05232234321504919},
		{1e-9, 6, 0.9999999992345344},
		{-30, 5, 7.718648620496053e-07},
		{1.96, 499, 0.05055190288410031},
	} {
		near(t, "tail", studentTTail(c.z, c.df), c.want, 1e-12*c.want+1e-15)
		near(t, "central", studentTCentral(c.z, c.df), 1-c.want, 1e-12)
	}
	near(t, "tail at Inf", studentTTail(math.Inf(1), 5), 0, 0)
	near(t, "central at Inf", studentTCentral(math.Inf(-1), 5), 1, 0)
}
