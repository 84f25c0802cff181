package score

import (
	"errors"
	"math"
	"testing"
)

func TestPSIVector(t *testing.T) {
	t.Parallel()
	expected := []float64{.1, .1, .1, .1, .1, .1, .1, .1, .1, .1}
	actual := []float64{.05, .08, .1, .12, .1, .1, .15, .1, .1, .1}
	got, err := PSI(expected, actual)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "method section 9", got, 0.06304, 5e-6)
	back, err := PSI(actual, expected)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "symmetric", back, got, 1e-15)
	for _, c := range []struct {
		name             string
		expected, actual []float64
		want             float64
		err              error
	}{
		{"equal", []float64{.3, .7}, []float64{.3, .7}, 0, nil},
		{"empty on both sides", []float64{0, 1}, []float64{0, 1}, 0, nil},
		{"empty on one side", []float64{0, 1}, []float64{.2, .8}, math.Inf(1), nil},
		{"lengths", []float64{1}, nil, 0, ErrShape},
		{"no bins", nil, nil, 0, ErrShape},
		{"negative", []float64{-1, 2}, []float64{.5, .5}, 0, ErrShape},
		{"NaN", []float64{math.NaN()}, []float64{1}, 0, ErrMissing},
	} {
		got, err := PSI(c.expected, c.actual)
		if !errors.Is(err, c.err) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.err)
		}
		near(t, c.name, got, c.want, 0)
	}
}

func TestPSIWithoutDrift(t *testing.T) {
	t.Parallel()
	near(t, "method section 9", PSIWithoutDrift(10, 60, 2000), 0.154, 6e-4)
	// Samples of one distribution must read that on average, far above the habitual 0.1.
	r := newRand(61)
	const runs = 300
	sum := 0.0
	for range runs {
		reference, recent := make([]float64, 2000), make([]float64, 60)
		for i := range reference {
			reference[i] = r.NormFloat64()
		}
		for i := range recent {
			recent[i] = r.NormFloat64()
		}
		psi, used, err := BinnedPSI(reference, recent, 10)
		if err != nil || used != 10 {
			t.Fatalf("got %d bins, %v; want 10", used, err)
		}
		sum += psi / runs
	}
	near(t, "simulated mean", sum, PSIWithoutDrift(10, 60, 2000), 0.02)
}

func TestBinnedPSI(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	// Reference 1..4 in two bins (x <= 2, x > 2); recent 3 of 4 above; 1/2 added to each count.
	got, used, err := BinnedPSI([]float64{4, 1, 3, 2}, []float64{1, 3, 4, 9}, 2)
	if err != nil || used != 2 {
		t.Fatalf("got %d bins, %v; want 2", used, err)
	}
	want := (1.5/5-2.5/5)*math.Log(1.5/2.5) + (3.5/5-2.5/5)*math.Log(3.5/2.5)
	near(t, "by hand", got, want, 1e-15)
	// A boundary belongs to the lower bin.
	low, _, _ := BinnedPSI([]float64{1, 2, 3, 4}, []float64{2}, 2)
	also, _, _ := BinnedPSI([]float64{1, 2, 3, 4}, []float64{1}, 2)
	near(t, "boundary", low, also, 0)
	for _, c := range []struct {
		name              string
		reference, recent []float64
		bins, used        int
		err               error
	}{
		{"missing in recent", []float64{1, 2, 3, 4}, []float64{nan, nan}, 2, 3, nil},
		{"missing in reference", []float64{1, nan, 3, 4}, []float64{1}, 2, 3, nil},
		{"all missing", []float64{nan}, []float64{nan}, 4, 2, nil},
		{"constant", []float64{5, 5, 5, 5}, []float64{5}, 3, 1, nil},
		{"two values", []float64{0, 0, 0, 0, 0, 0, 0, 1}, []float64{1}, 4, 2, nil},
		{"no reference", nil, []float64{1}, 2, 0, ErrTooFew},
		{"no recent", []float64{1}, nil, 2, 0, ErrTooFew},
		{"bins", []float64{1}, []float64{1}, 0, 0, ErrShape},
	} {
		psi, used, err := BinnedPSI(c.reference, c.recent, c.bins)
		if !errors.Is(err, c.err) || used != c.used || math.IsNaN(psi) || math.IsInf(psi, 0) {
			t.Errorf("%s: got %v, %d bins, %v; want %d bins, %v", c.name, psi, used, err, c.used, c.err)
		}
	}
}

func TestSampleDistances(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	a := []float64{0.3, -1.2, nan, 2.5, 0.3, 4, -0.7}
	b := []float64{1, 0.3, -2, nan, 3.5}
	// scipy 1.17.1, stats.wasserstein_distance and stats.ks_2samp without the NaNs, 2026-11.
	near(t, "Wasserstein", Wasserstein1(a, b), 0.7333333333333334, 1e-15)
	near(t, "Kolmogorov-Smirnov", KolmogorovSmirnov(a, b), 0.25, 1e-15)
	near(t, "Wasserstein, swapped", Wasserstein1(b, a), 0.7333333333333334, 1e-15)

	shifted := make([]float64, len(a))
	for i := range a {
		shifted[i] = a[i] + 1.5
	}
	near(t, "shift", Wasserstein1(a, shifted), 1.5, 1e-14)
	near(t, "same", KolmogorovSmirnov(a, a), 0, 0)
	near(t, "apart", KolmogorovSmirnov([]float64{1, 2}, []float64{3}), 1, 0)
	near(t, "nothing known", Wasserstein1([]float64{nan}, b), nan, 0)
	near(t, "nothing at all", KolmogorovSmirnov(a, nil), nan, 0)
}
