package logit

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s: got %v, want %v (tolerance %g)", what, got, want, tol)
	}
}

// simulate returns n rows of f standard normal inputs clipped at ±3, mildly correlated, with offsets from made-up
// forecasts and outcomes of the model with the given slopes.
func simulate(seed uint64, n, f int, coef [][Classes]float64) Data {
	r := rand.New(rand.NewPCG(seed, 1))
	d := Data{Features: f, Weight: make([]float64, n), Y: make([]int, n)}
	m := Model{Coef: coef}
	for i := range n {
		common := r.NormFloat64()
		for range f {
			d.X = append(d.X, min(max(0.8*r.NormFloat64()+0.6*common, -3), 3))
		}
		var offset [Classes]float64
		for k := range offset {
			offset[k] = math.Log(0.05 + r.Float64())
		}
		d.Offset = append(d.Offset, offset[:]...)
		p := m.Predict(d.X[i*f:], offset)
		u := r.Float64()
		for d.Y[i] < Classes-1 && u >= p[d.Y[i]] {
			u -= p[d.Y[i]]
			d.Y[i]++
		}
		d.Weight[i] = 0.2 + r.Float64()
	}
	return d
}

func truth(f int) [][Classes]float64 {
	coef := make([][Classes]float64, f)
	for j := range coef {
		s := 0.5 * math.Sin(float64(j+1))
		coef[j] = [Classes]float64{s, -s / 2, s / 2, -s}
	}
	return coef
}

func mustFit(t *testing.T, d Data, p Params) *Model {
	t.Helper()
	m, err := Fit(d, p)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	return m
}

// Rows from formulas, fitted with scipy 1.17.1 (optimize.minimize, BFGS, gtol 1e-11) in 2026-11.
func TestFitVector(t *testing.T) {
	t.Parallel()
	const n, f = 60, 3
	d := Data{Features: f}
	for i := range n {
		for j := range f {
			d.X = append(d.X, math.Sin(1.3*float64(i)+2.1*float64(j)+0.7*float64(i*j)))
		}
		for k := range Classes {
			d.Offset = append(d.Offset, 0.5*math.Cos(0.9*float64(i)+1.1*float64(k)))
		}
		d.Y = append(d.Y, (7*i*i+3*i)%11%4)
		d.Weight = append(d.Weight, 0.5+float64(i%5)/4)
	}
	p := DefaultParams()
	p.L2, p.L2Intercept = 2, 0.5
	m := mustFit(t, d, p)
	want := [][Classes]float64{
		{0.130030273923, -0.161965817125, -0.140070548665, 0.172006091866},
		{0.260512133033, -0.091964434146, -0.058715719221, -0.109831979666},
		{-0.122330845501, 0.205611920553, -0.169550332047, 0.086269256995},
	}
	intercept := [Classes]float64{0.050970884335, -0.242825226053, 0.430984420035, -0.239130078317}
	for k := range Classes {
		near(t, "intercept", m.Intercept[k], intercept[k], 2e-8)
		for j := range want {
			near(t, "slope", m.Coef[j][k], want[j][k], 2e-8)
		}
	}
}

// newton is the plain twin of Fit: the full Hessian of all coefficients, solved by elimination.
func newton(d Data, p Params) [][Classes]float64 {
	n, size := len(d.Y), d.Features+1
	dim := size * Classes
	theta := make([][Classes]float64, size)
	for range 30 {
		g := make([]float64, dim)
		h := make([][]float64, dim)
		for a := range h {
			h[a] = make([]float64, dim)
			l2 := p.L2
			if a/Classes == d.Features {
				l2 = p.L2Intercept
			}
			h[a][a] = l2
			g[a] = l2 * theta[a/Classes][a%Classes]
		}
		for i := range n {
			x := append(slices.Clone(d.X[i*d.Features:(i+1)*d.Features]), 1)
			var e [Classes]float64
			sum := 0.0
			for k := range e {
				z := d.Offset[i*Classes+k]
				for j, v := range x {
					z += v * theta[j][k]
				}
				e[k] = math.Exp(z)
				sum += e[k]
			}
			for a := range dim {
				k := a % Classes
				pk := e[k] / sum
				hit := 0.0
				if d.Y[i] == k {
					hit = 1
				}
				g[a] += d.Weight[i] * x[a/Classes] * (pk - hit)
				for b := range dim {
					l := b % Classes
					cov := -pk * e[l] / sum
					if k == l {
						cov += pk
					}
					h[a][b] += d.Weight[i] * x[a/Classes] * x[b/Classes] * cov
				}
			}
		}
		for a := range dim { // Gauss-Jordan; h is positive definite
			for b := range dim {
				if b == a {
					continue
				}
				q := h[b][a] / h[a][a]
				for c := a; c < dim; c++ {
					h[b][c] -= q * h[a][c]
				}
				g[b] -= q * g[a]
			}
		}
		for a := range dim {
			theta[a/Classes][a%Classes] -= g[a] / h[a][a]
		}
	}
	return theta
}

func TestFitAgainstNewton(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		n, f   int
		l2     float64
		factor float64 // scale of the last input
	}{
		{"plain", 300, 4, 1, 1},
		{"hardly penalised", 300, 4, 0.01, 1},
		{"strongly penalised", 300, 4, 100, 1},
		{"badly scaled", 300, 4, 1, 1000},
		{"no inputs", 50, 0, 1, 1},
		{"more inputs than rows", 6, 9, 0.5, 1},
	} {
		d := simulate(1, c.n, c.f, truth(c.f))
		for i := range c.n {
			if c.f > 0 {
				d.X[i*c.f+c.f-1] *= c.factor
			}
		}
		p := DefaultParams()
		p.L2, p.L2Intercept = c.l2, c.l2/2
		m := mustFit(t, d, p)
		want := newton(d, p)
		for k := range Classes {
			near(t, c.name+" intercept", m.Intercept[k], want[c.f][k], 1e-6)
			for j := range m.Coef {
				near(t, c.name+" slope", m.Coef[j][k], want[j][k], 1e-6)
			}
		}
		if m.Iterations > 60 {
			t.Errorf("%s: took %d iterations", c.name, m.Iterations)
		}
	}
}

func TestFitFindsTheTruth(t *testing.T) {
	t.Parallel()
	want := truth(3)
	p := DefaultParams()
	p.L2, p.L2Intercept = 1, 1
	m := mustFit(t, simulate(2, 20_000, 3, want), p)
	for j := range want {
		sum := 0.0
		for k := range Classes {
			near(t, "slope", m.Coef[j][k], want[j][k], 0.06)
			sum += m.Coef[j][k]
		}
		near(t, "sum over classes", sum, 0, 1e-10)
	}
}

// With a strong penalty the forecast that was to be corrected comes back.
func TestFitStrongPenaltyKeepsOffset(t *testing.T) {
	t.Parallel()
	d := simulate(3, 200, 2, truth(2))
	p := DefaultParams()
	p.L2, p.L2Intercept = 1e9, 1e9
	m := mustFit(t, d, p)
	core := [Classes]float64{.5, .3, .15, .05}
	var offset [Classes]float64
	for k, v := range core {
		offset[k] = math.Log(v)
	}
	got := m.Predict([]float64{3, -3}, offset)
	for k := range core {
		near(t, "probability", got[k], core[k], 1e-5)
	}
}

func TestFitInvariances(t *testing.T) {
	t.Parallel()
	d := simulate(4, 400, 3, truth(3))
	p := DefaultParams()
	p.L2, p.L2Intercept = 2, 2
	want := mustFit(t, d, p)
	compare := func(name string, got *Model) {
		t.Helper()
		for k := range Classes {
			near(t, name, got.Intercept[k], want.Intercept[k], 1e-7)
			for j := range want.Coef {
				near(t, name, got.Coef[j][k], want.Coef[j][k], 1e-7)
			}
		}
	}
	// A constant a row in the offsets changes nothing.
	shifted := d
	shifted.Offset = slices.Clone(d.Offset)
	for i := range shifted.Offset {
		shifted.Offset[i] += float64(i/Classes%7) * 100
	}
	compare("shifted offsets", mustFit(t, shifted, p))
	// A row of weight w twice is a row of weight 2w; a row of weight 0 is none.
	double := Data{Features: 3}
	for i := range d.Y {
		for _, w := range []float64{d.Weight[i] / 2, d.Weight[i] / 2, 0} {
			double.X = append(double.X, d.X[i*3:i*3+3]...)
			double.Offset = append(double.Offset, d.Offset[i*Classes:(i+1)*Classes]...)
			double.Y = append(double.Y, d.Y[i])
			double.Weight = append(double.Weight, w)
		}
	}
	for i := 2; i < len(double.Y); i += 3 {
		double.Y[i] = 3 // must not matter
	}
	compare("split weights", mustFit(t, double, p))
	// Nil weights are ones, nil offsets zeros.
	ones, nils := d, d
	ones.Weight, ones.Offset = make([]float64, len(d.Y)), make([]float64, len(d.Offset))
	for i := range ones.Weight {
		ones.Weight[i] = 1
	}
	nils.Weight, nils.Offset = nil, nil
	want = mustFit(t, ones, p)
	compare("nil weights and offsets", mustFit(t, nils, p))
}

func TestFitIsDeterministic(t *testing.T) {
	t.Parallel()
	d := simulate(5, 1000, 6, truth(6))
	before := Data{d.Features, slices.Clone(d.X), slices.Clone(d.Offset), slices.Clone(d.Y), slices.Clone(d.Weight)}
	a, b := mustFit(t, d, DefaultParams()), mustFit(t, d, DefaultParams())
	if a.Intercept != b.Intercept || !slices.Equal(a.Coef, b.Coef) || a.Iterations != b.Iterations {
		t.Errorf("two fits differ: %+v and %+v", a, b)
	}
	if !slices.Equal(d.X, before.X) || !slices.Equal(d.Offset, before.Offset) || !slices.Equal(d.Y, before.Y) || !slices.Equal(d.Weight, before.Weight) {
		t.Error("Fit modified its rows")
	}
}

// Separable rows and a class that never came true have no finite optimum without a penalty; with it they must fit.
func TestFitSeparable(t *testing.T) {
	t.Parallel()
	d := Data{Features: 1, X: []float64{-1, -2, 1, 2}, Y: []int{0, 0, 1, 1}}
	p := DefaultParams()
	p.L2, p.L2Intercept = 1e-3, 1e-3
	m := mustFit(t, d, p)
	if got := m.Predict([]float64{2}, [Classes]float64{}); !(got[1] > 0.99 && got[3] < 0.01) {
		t.Errorf("got %v, want class B nearly certain", got)
	}
}

// hard returns a few rows with sharp, wrong offsets, most often separable.
func hard(seed uint64) (d Data, p Params) {
	r := rand.New(rand.NewPCG(seed, 2))
	n := 2 + r.IntN(40)
	d.Features = 1 + r.IntN(4)
	for range n {
		for range d.Features {
			d.X = append(d.X, min(max(r.NormFloat64(), -3), 3))
		}
		for range Classes {
			d.Offset = append(d.Offset, math.Log(1e-3+math.Pow(r.Float64(), 5)))
		}
		d.Y = append(d.Y, r.IntN(Classes))
	}
	p = DefaultParams()
	p.L2 = math.Pow(10, -float64(r.IntN(4)))
	p.L2Intercept = p.L2
	return d, p
}

func TestFitHardRows(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		d, p := hard(seed)
		p.L2, p.L2Intercept = max(p.L2, 0.1), max(p.L2, 0.1)
		if m := mustFit(t, d, p); m.Iterations > 200 {
			t.Errorf("seed %d: took %d iterations", seed, m.Iterations)
		}
	}
	// These four rows with a penalty of 0.01 converge only because steps that raise the loss are shortened.
	d, p := hard(128)
	p.MaxIterations = 500
	m := mustFit(t, d, p)
	if d.Features != 1 {
		t.Fatalf("the rows have %d inputs, want 1", d.Features)
	}
	// At the minimum the penalty balances the residuals: L2*coef + sum_i (p_i - o_i) x_i = 0.
	for k := range Classes {
		slope, intercept := p.L2*m.Coef[0][k], p.L2Intercept*m.Intercept[k]
		for i, x := range d.X {
			residual := m.Predict([]float64{x}, [Classes]float64(d.Offset[i*Classes:]))[k]
			if d.Y[i] == k {
				residual--
			}
			slope += residual * x
			intercept += residual
		}
		near(t, "derivative by the slope", slope, 0, 1e-8)
		near(t, "derivative by the intercept", intercept, 0, 1e-8)
	}
}

func TestFitRefuses(t *testing.T) {
	t.Parallel()
	good := func() Data {
		return Data{Features: 1, X: []float64{-1, 1}, Offset: make([]float64, 8), Y: []int{0, 3}, Weight: []float64{1, 1}}
	}
	for name, spoil := range map[string]func(*Data, *Params){
		"no rows":           func(d *Data, _ *Params) { *d = Data{Features: 1} },
		"negative features": func(d *Data, _ *Params) { d.Features = -1 },
		"inputs":            func(d *Data, _ *Params) { d.X = d.X[1:] },
		"offsets":           func(d *Data, _ *Params) { d.Offset = d.Offset[:6] },
		"weights":           func(d *Data, _ *Params) { d.Weight = d.Weight[1:] },
		"class":             func(d *Data, _ *Params) { d.Y[0] = 4 },
		"negative class":    func(d *Data, _ *Params) { d.Y[0] = -1 },
		"NaN input":         func(d *Data, _ *Params) { d.X[1] = math.NaN() },
		"infinite offset":   func(d *Data, _ *Params) { d.Offset[5] = math.Inf(-1) },
		"NaN weight":        func(d *Data, _ *Params) { d.Weight[0] = math.NaN() },
		"negative weight":   func(d *Data, _ *Params) { d.Weight[0] = -1 },
		"weights of zero":   func(d *Data, _ *Params) { d.Weight = []float64{0, 0} },
		"huge input":        func(d *Data, _ *Params) { d.X[0] = 1e200 },
		"L2":                func(_ *Data, p *Params) { p.L2 = 0 },
		"NaN L2":            func(_ *Data, p *Params) { p.L2Intercept = math.NaN() },
		"tolerance":         func(_ *Data, p *Params) { p.Tolerance = -1 },
		"iterations":        func(_ *Data, p *Params) { p.MaxIterations = 0 },
	} {
		d, p := good(), DefaultParams()
		spoil(&d, &p)
		if m, err := Fit(d, p); !errors.Is(err, ErrInput) || m != nil {
			t.Errorf("%s: got %v, %v; want ErrInput", name, m, err)
		}
	}
	if _, err := Fit(good(), DefaultParams()); err != nil {
		t.Errorf("unspoilt: got %v", err)
	}
	p := DefaultParams()
	p.MaxIterations = 1
	if m, err := Fit(simulate(6, 200, 3, truth(3)), p); !errors.Is(err, ErrNotConverged) || m != nil {
		t.Errorf("one iteration: got %v, %v; want ErrNotConverged", m, err)
	}
}

func TestPredict(t *testing.T) { // not parallel: it counts allocations
	m := Model{Intercept: [Classes]float64{.1, .2, .3, .4}, Coef: [][Classes]float64{{1, 0, 0, -1}, {0, 2, 0, 0}}}
	got := m.Predict([]float64{.5, -1}, [Classes]float64{0, 1, 0, 0})
	z := []float64{.1 + .5, .2 - 2 + 1, .3, .4 - .5}
	sum := 0.0
	for _, v := range z {
		sum += math.Exp(v)
	}
	for k := range z {
		near(t, "probability", got[k], math.Exp(z[k])/sum, 1e-15)
	}
	// Large log-odds neither overflow nor vanish.
	got = m.Predict([]float64{5000, 0}, [Classes]float64{})
	if got != [Classes]float64{1, 0, 0, 0} {
		t.Errorf("large log-odds: got %v", got)
	}
	if got := m.Predict([]float64{math.NaN(), 0}, [Classes]float64{}); !math.IsNaN(got[0]) {
		t.Errorf("missing input: got %v, want NaN", got)
	}
	if n := testing.AllocsPerRun(100, func() { m.Predict([]float64{1, 2}, [Classes]float64{}) }); n != 0 {
		t.Errorf("Predict allocates %v times", n)
	}
	defer func() {
		if recover() == nil {
			t.Error("short row: got no panic")
		}
	}()
	m.Predict([]float64{1}, [Classes]float64{})
}

func TestModelValidate(t *testing.T) {
	t.Parallel()
	ok := Model{Coef: [][Classes]float64{{1, 2, 3, 4}}}
	if err := ok.Validate(); err != nil {
		t.Errorf("good model: got %v", err)
	}
	nan := Model{Coef: [][Classes]float64{{1, math.NaN(), 3, 4}}}
	inf := Model{Intercept: [Classes]float64{math.Inf(1)}}
	for _, m := range []Model{nan, inf} {
		if err := m.Validate(); !errors.Is(err, ErrInput) {
			t.Errorf("%+v: got %v, want ErrInput", m, err)
		}
	}
}

func BenchmarkFit(b *testing.B) {
	for _, n := range []int{15_000, 30_000} {
		d := simulate(7, n, 30, truth(30))
		for i := range d.Weight { // as in use: weights sum to a few hundred effective cases
			d.Weight[i] *= 600 / float64(n)
		}
		b.Run(fmt.Sprintf("rows=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m, err := Fit(d, DefaultParams())
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(m.Iterations), "iterations")
			}
		})
	}
	d := simulate(7, 30_000, 30, truth(30))
	p := DefaultParams()
	p.L2, p.L2Intercept = 1, 1
	b.Run("rows=30000,weak penalty", func(b *testing.B) {
		for b.Loop() {
			m, err := Fit(d, p)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(m.Iterations), "iterations")
		}
	})
}

func BenchmarkPredict(b *testing.B) {
	m := Model{Coef: truth(30)}
	x := make([]float64, 30)
	for b.Loop() {
		m.Predict(x, [Classes]float64{})
	}
}
