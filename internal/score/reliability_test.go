package score

import (
	"errors"
	"math"
	"testing"
)

func TestReliabilityByHand(t *testing.T) {
	t.Parallel()
	p := []float64{.9, .1, .2, .8, .3, .7}
	y := []bool{true, false, true, true, false, false}
	got, err := Reliability(p, y, 10, 10) // 10 effective cases: 2 bins of 3
	if err != nil {
		t.Fatal(err)
	}
	want := []ReliabilityBin{
		{Rows: 3, Low: .1, High: .3, MeanForecast: .2, Frequency: 1.0 / 3},
		{Rows: 3, Low: .7, High: .9, MeanForecast: .8, Frequency: 2.0 / 3},
	}
	if len(got.Bins) != len(want) {
		t.Fatalf("got %+v, want %+v", got.Bins, want)
	}
	for i, w := range want {
		g := got.Bins[i]
		near(t, "mean forecast", g.MeanForecast, w.MeanForecast, 1e-15)
		near(t, "frequency", g.Frequency, w.Frequency, 1e-15)
		if g.Rows != w.Rows || g.Low != w.Low || g.High != w.High {
			t.Errorf("bin %d: got %+v, want %+v", i, g, w)
		}
	}
	near(t, "ECE", got.ECE, (1.0/3-.2+.8-2.0/3)/2, 1e-15)
}

func TestReliabilityBinCount(t *testing.T) {
	t.Parallel()
	spread, tied := make([]float64, 100), make([]float64, 100)
	for i := range spread {
		spread[i] = float64(i) / 100
		tied[i] = 0.25
		if i >= 60 {
			tied[i] = 0.75
		}
	}
	y := make([]bool, 100)
	for _, c := range []struct {
		name      string
		p         []float64
		effective float64
		maxBins   int
		want      int
	}{
		{"enough cases", spread, 500, 10, 10},
		{"27 cases", spread, 27, 10, 5},
		{"2 cases", spread, 2, 10, 1},
		{"more bins than rows", spread, 1e6, 1000, 100},
		{"two forecasts", tied, 500, 10, 2},
	} {
		got, err := Reliability(c.p, y, c.effective, c.maxBins)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Bins) != c.want {
			t.Errorf("%s: got %d bins, want %d", c.name, len(got.Bins), c.want)
		}
		rows := 0
		for i, b := range got.Bins {
			rows += b.Rows
			if i > 0 && b.Low <= got.Bins[i-1].High {
				t.Errorf("%s: bins %d and %d share a forecast", c.name, i-1, i)
			}
		}
		if rows != 100 {
			t.Errorf("%s: bins hold %d rows, want 100", c.name, rows)
		}
	}
}

func TestReliabilityRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		p         []float64
		effective float64
		maxBins   int
		want      error
	}{
		{"no rows", nil, 5, 10, ErrTooFew},
		{"NaN", []float64{math.NaN()}, 5, 10, ErrMissing},
		{"above 1", []float64{1.1}, 5, 10, ErrShape},
		{"bins", []float64{.5}, 5, 0, ErrShape},
		{"effective", []float64{.5}, math.NaN(), 10, ErrMissing},
	} {
		n := len(c.p)
		if _, err := Reliability(c.p, make([]bool, n), c.effective, c.maxBins); !errors.Is(err, c.want) {
			t.Errorf("Reliability, %s: got %v, want %v", c.name, err, c.want)
		}
		if _, err := ExpectedECE(c.p, make([]int, n), make([]int, n), c.effective, c.maxBins, DefaultBootstrap(12)); !errors.Is(err, c.want) {
			t.Errorf("ExpectedECE, %s: got %v, want %v", c.name, err, c.want)
		}
	}
	if _, err := Reliability([]float64{.5}, nil, 5, 10); !errors.Is(err, ErrShape) {
		t.Errorf("lengths: got %v, want ErrShape", err)
	}
	if _, err := ExpectedECE([]float64{.5}, nil, nil, 5, 10, DefaultBootstrap(12)); !errors.Is(err, ErrShape) {
		t.Errorf("lengths: got %v, want ErrShape", err)
	}
}

// binomialMeanDeviation returns E|K - n*p| / n of a binomial count K.
func binomialMeanDeviation(n int, p float64) float64 {
	lg := func(a int) float64 { v, _ := math.Lgamma(float64(a + 1)); return v }
	sum := 0.0
	for k := range n + 1 {
		logP := lg(n) - lg(k) - lg(n-k) + float64(k)*math.Log(p) + float64(n-k)*math.Log(1-p)
		sum += math.Exp(logP) * math.Abs(float64(k)-float64(n)*p)
	}
	return sum / float64(n)
}

func TestExpectedECE(t *testing.T) {
	t.Parallel()
	const n = 240
	p, month, own, shared := make([]float64, n), make([]int, n), make([]int, n), make([]int, n)
	for i := range p {
		p[i], month[i], own[i] = 0.3, i, i
	}
	b := DefaultBootstrap(12)
	independent, err := ExpectedECE(p, month, own, 240, 10, b)
	if err != nil {
		t.Fatal(err)
	}
	// Each row its own series and one bin: a binomial count.
	want := binomialMeanDeviation(n, 0.3)
	near(t, "independent rows, relative", independent.Mean/want, 1, 0.05)
	if !(independent.P95 > 2*independent.Mean && independent.P95 < 3*independent.Mean) {
		t.Errorf("independent rows: 95th percentile %v of mean %v, want about 2.46 times as for a half-normal", independent.P95, independent.Mean)
	}
	overlapping, err := ExpectedECE(p, month, shared, 240, 10, b)
	if err != nil {
		t.Fatal(err)
	}
	// Blocks of 12 months count once: about 20 cases instead of 240.
	near(t, "overlapping rows, relative", overlapping.Mean/binomialMeanDeviation(20, 0.3), 1, 0.12)
	again, err := ExpectedECE(p, month, shared, 240, 10, b)
	if err != nil || again != overlapping {
		t.Errorf("same seed: got %v, %v, want %v", again, err, overlapping)
	}
}

// A gap in the months must not let a block reach over it with the wrong phase: rows 12 months apart never share a block.
func TestExpectedECEGaps(t *testing.T) {
	t.Parallel()
	const n = 200
	p, month, series := make([]float64, n), make([]int, n), make([]int, n)
	for i := range p {
		p[i], month[i] = 0.5, 12*i
	}
	got, err := ExpectedECE(p, month, series, n, 1, DefaultBootstrap(12))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "a row a block, relative", got.Mean/binomialMeanDeviation(n, 0.5), 1, 0.05)
}

// Pairs of rows six months apart, far from the next pair, share a block of twelve months for half of the phases.
func TestExpectedECEPhase(t *testing.T) {
	t.Parallel()
	const pairs = 100
	p, month, series := make([]float64, 2*pairs), make([]int, 2*pairs), make([]int, 2*pairs)
	for i := range p {
		p[i], month[i] = 0.5, i/2*60+i%2*6
	}
	got, err := ExpectedECE(p, month, series, pairs, 1, DefaultBootstrap(12))
	if err != nil {
		t.Fatal(err)
	}
	want := (binomialMeanDeviation(pairs, 0.5) + binomialMeanDeviation(2*pairs, 0.5)) / 2
	near(t, "half of the pairs alike, relative", got.Mean/want, 1, 0.05)
}

func BenchmarkExpectedECE(b *testing.B) {
	r := newRand(31)
	var p []float64
	var month, series []int
	for s := range 9 {
		for m := range 480 {
			p, month, series = append(p, r.Float64()), append(month, m), append(series, s)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ExpectedECE(p, month, series, 300, 10, DefaultBootstrap(12)); err != nil {
			b.Fatal(err)
		}
	}
}
