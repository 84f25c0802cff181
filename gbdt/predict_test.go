package gbdt

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

var nan, inf = math.NaN(), math.Inf(1)

// stump returns a model of one tree with one split: value 1 on the left, 2 on the right.
func stump(family Family, threshold float64, decision uint8, set ...uint32) *Model {
	m := &Model{
		Family: family, FeatureNames: []string{"x"}, Outputs: 1, BaseMargin: []float64{0}, RoundEnds: []int32{1},
		Trees: []Tree{{
			Feature: []int32{0}, Threshold: []float64{threshold}, Decision: []uint8{decision}, Left: []int32{^0}, Right: []int32{^1},
			LeafValue: []float64{1, 2},
		}},
	}
	if family == XGBoost {
		m.Objective.Name = "reg:squarederror"
	}
	if set != nil {
		m.Trees[0].CatBits = set
		m.Trees[0].CatBoundaries = []int32{0, int32(len(set))}
	}
	return m
}

func TestDecisions(t *testing.T) {
	const z = zeroThreshold
	above := math.Nextafter(z, 1)
	type answers map[string][]float64 // "left" and "right" rows
	for _, c := range []struct {
		name string
		m    *Model
		want answers
	}{
		{"lightgbm, no missing type", stump(LightGBM, 0.5, Decision(false, true, MissingNone)), answers{
			"left": {0.5, 0, -inf, nan}, "right": {math.Nextafter(0.5, 1), inf}}},
		{"lightgbm, no missing type, NaN is 0", stump(LightGBM, -0.5, Decision(false, true, MissingNone)), answers{
			"left": {-0.5, -inf}, "right": {nan, 0}}},
		{"lightgbm, NaN left", stump(LightGBM, 0.5, Decision(false, true, MissingNaN)), answers{
			"left": {nan, 0.5, 0}, "right": {1}}},
		{"lightgbm, NaN right", stump(LightGBM, 0.5, Decision(false, false, MissingNaN)), answers{
			"left": {0.5, 0}, "right": {1, nan}}},
		{"lightgbm, zero left", stump(LightGBM, -3, Decision(false, true, MissingZero)), answers{
			"left": {nan, 0, math.Copysign(0, -1), z, -z, 1e-36, -4}, "right": {above, -above, 1}}},
		{"lightgbm, zero right", stump(LightGBM, 3, Decision(false, false, MissingZero)), answers{
			"left": {above, -above, 1, 3}, "right": {nan, 0, z, -z, 4}}},
		{"lightgbm, the smallest numbers are 0", stump(LightGBM, 0, Decision(false, true, MissingNone)), answers{
			"left": {0, z, 5e-324, -1}, "right": {above}}},
		{"lightgbm, threshold at the edge of 0", stump(LightGBM, -z, Decision(false, true, MissingNone)), answers{
			"left": {-above}, "right": {-z, 0, z}}},
		{"lightgbm, categories", stump(LightGBM, 0, Decision(true, false, MissingNone), 1<<0|1<<5, 1<<1), answers{
			"left": {0, 5, 5.9, -0.5, 33}, "right": {1, 32, 64, -1, -5, nan, 1e10, inf, -inf}}},
		{"lightgbm, categories, NaN is right for any type", stump(LightGBM, 0, Decision(true, true, MissingNaN), 1), answers{
			"left": {0}, "right": {nan}}},
		{"xgboost, NaN left", stump(XGBoost, 0.5, Decision(false, true, MissingNone)), answers{
			"left": {nan, 0.4, -inf}, "right": {0.5, inf}}},
		{"xgboost, NaN right", stump(XGBoost, 0.5, Decision(false, false, MissingNone)), answers{
			"left": {0.4}, "right": {nan, 0.5}}},
		{"xgboost, rows are float32", stump(XGBoost, float64(float32(0.1)), Decision(false, false, MissingNone)), answers{
			"left": {float64(math.Nextafter32(0.1, 0))}, "right": {0.1, float64(float32(0.1))}}},
		{"xgboost, the smallest numbers stay", stump(XGBoost, 0, Decision(false, false, MissingNone)), answers{
			"left": {-1e-40}, "right": {0, math.Copysign(0, -1), -1e-60}}},
		{"xgboost, categories", stump(XGBoost, 0, Decision(true, false, MissingNone), 1<<0|1<<5), answers{
			"left": {1, 6, 32, -0.5, -1, 1 << 24, inf, -inf}, "right": {0, 5, 5.9, nan}}},
		{"xgboost, categories, NaN left", stump(XGBoost, 0, Decision(true, true, MissingNone), 1), answers{
			"left": {nan}, "right": {0}}},
	} {
		p := mustPredictor(t, c.m, PredictOptions{})
		for side, xs := range c.want {
			want := map[string]float64{"left": 1, "right": 2}[side]
			for _, x := range xs {
				var got [1]float64
				if err := p.Raw(got[:], []float64{x}); err != nil {
					t.Fatal(err)
				}
				if got[0] != want {
					t.Errorf("%s: %v does not go %s", c.name, x, side)
				}
			}
		}
	}
}

func TestRawSums(t *testing.T) {
	leaf := func(output int, value float64) Tree { return Tree{Output: output, LeafValue: []float64{value}} }
	base := func(m Model) *Model {
		m.FeatureNames, m.Outputs, m.BaseMargin = []string{"x"}, 2, []float64{0, 0}
		if m.Family == XGBoost {
			m.Objective.Name, m.BaseMargin = "multi:softprob", []float64{0.5, -1}
		}
		return &m
	}
	third := float64(float32(1) / 3)
	var sum32 float32 = 0.5
	sum32 += float32(third)
	sum32 += 1e-8
	sum32 += float32(third)
	sum64 := []float64{0.1, 0.2, 0.3}
	sum64[0] += sum64[1]
	sum64[0] += sum64[2]
	for _, c := range []struct {
		name    string
		m       *Model
		options PredictOptions
		want    []float64
	}{
		{"no trees", base(Model{Family: XGBoost}), PredictOptions{}, []float64{0.5, -1}},
		{"float64 in tree order", base(Model{Family: LightGBM, RoundEnds: []int32{4},
			Trees: []Tree{leaf(0, 0.1), leaf(0, 0.2), leaf(0, 0.3), leaf(1, 7)}}), PredictOptions{}, []float64{sum64[0], 7}},
		{"float32 from the base margin", base(Model{Family: XGBoost, RoundEnds: []int32{3},
			Trees: []Tree{leaf(0, third), leaf(0, float64(float32(1e-8))), leaf(0, third)}}), PredictOptions{}, []float64{float64(sum32), -1}},
		{"weights", base(Model{Family: XGBoost, RoundEnds: []int32{1, 2}, TreeWeights: []float32{0.1, 3},
			Trees: []Tree{leaf(0, third), leaf(1, 2)}}), PredictOptions{}, []float64{float64(float32(0.5) + float32(0.1)*float32(third)), 5}},
		{"first round", base(Model{Family: LightGBM, RoundEnds: []int32{2, 4},
			Trees: []Tree{leaf(0, 1), leaf(1, 2), leaf(0, 4), leaf(1, 8)}}), PredictOptions{Rounds: 1}, []float64{1, 2}},
		{"second round", base(Model{Family: LightGBM, RoundEnds: []int32{2, 4},
			Trees: []Tree{leaf(0, 1), leaf(1, 2), leaf(0, 4), leaf(1, 8)}}), PredictOptions{FirstRound: 1, Rounds: 9}, []float64{4, 8}},
		{"averages stay sums", base(Model{Family: LightGBM, AverageOutput: true, RoundEnds: []int32{1, 2},
			Trees: []Tree{leaf(0, 1), leaf(0, 2)}}), PredictOptions{}, []float64{3, 0}},
	} {
		got := make([]float64, 2)
		if err := mustPredictor(t, c.m, c.options).Raw(got, []float64{0}); err != nil {
			t.Fatal(err)
		}
		if !sameBits(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestLinearLeaves(t *testing.T) {
	m := stump(LightGBM, 0, Decision(false, true, MissingNaN))
	m.FeatureNames = []string{"x", "y"}
	m.Trees[0].Linear = &LinearLeaves{Const: []float64{0.5, 9}, Start: []int32{0, 2, 2}, Features: []int32{1, 0}, Coeff: []float64{2, 10}}
	p := mustPredictor(t, m, PredictOptions{})
	for _, c := range []struct {
		x, y, want float64
	}{{-1, 3, 0.5 + 6 - 10}, {-1, nan, 1}, {nan, 3, 1}, {1, nan, 9}, {-1, 1e-36, 0.5 - 10}} {
		var got [1]float64
		if err := p.Raw(got[:], []float64{c.x, c.y}); err != nil {
			t.Fatal(err)
		}
		if got[0] != c.want {
			t.Errorf("f(%v, %v): got %v, want %v", c.x, c.y, got[0], c.want)
		}
	}
	if err := p.Contributions(make([]float64, 3), []float64{1, 1}); !errors.Is(err, ErrNoContributions) {
		t.Errorf("contributions: got %v, want %v", err, ErrNoContributions)
	}
}

func TestClassAndLeafIndex(t *testing.T) {
	for _, c := range []struct {
		name   string
		family Family
		o      Objective
		raw    []float64
		want   int
		err    error
	}{
		{"first of equals", LightGBM, Objective{Name: "multiclass"}, []float64{1, 3, 3}, 1, nil},
		{"softmax", XGBoost, Objective{Name: "multi:softmax"}, []float64{1, 2, 3}, 2, nil},
		{"one against all", LightGBM, Objective{Name: "multiclassova", Sigmoid: 1}, []float64{-1, -3, -2}, 0, nil},
		{"binary 1", LightGBM, Objective{Name: "binary", Sigmoid: 1}, []float64{0.1}, 1, nil},
		{"binary 0", XGBoost, Objective{Name: "binary:logistic"}, []float64{0}, 0, nil},
		{"hinge", XGBoost, Objective{Name: "binary:hinge"}, []float64{0.5}, 1, nil},
		{"custom", LightGBM, Objective{}, []float64{1, 2}, 1, nil},
		{"regression", LightGBM, Objective{Name: "regression"}, []float64{1}, 0, ErrNoClasses},
		{"quantiles", XGBoost, Objective{Name: "reg:quantileerror"}, []float64{1, 2}, 0, ErrNoClasses},
	} {
		m := &Model{Family: c.family, Objective: c.o, FeatureNames: []string{"x"}, Outputs: len(c.raw), BaseMargin: make([]float64, len(c.raw))}
		for k, r := range c.raw {
			m.Trees = append(m.Trees, Tree{Output: k, LeafValue: []float64{r}})
		}
		m.RoundEnds = []int32{int32(len(m.Trees))}
		p := mustPredictor(t, m, PredictOptions{})
		got, err := p.Class([]float64{0})
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: got %d, %v, want %d, %v", c.name, got, err, c.want, c.err)
		}
	}
	m := stump(XGBoost, 0.5, 0)
	m.Trees[0].InnerID, m.Trees[0].LeafID = []int32{0}, []int32{1, 2}
	for _, c := range []struct {
		m    *Model
		x    float64
		want int32
	}{{m, 0, 1}, {m, 1, 2}, {stump(LightGBM, 0.5, 0), 0, 0}, {stump(LightGBM, 0.5, 0), 1, 1}} {
		var got [1]int32
		if err := mustPredictor(t, c.m, PredictOptions{}).LeafIndex(got[:], []float64{c.x}); err != nil || got[0] != c.want {
			t.Errorf("%v leaf of %v: got %d, %v, want %d", c.m.Family, c.x, got[0], err, c.want)
		}
	}
}

// All the ways to ask give the same answers: a row at a time, in a batch, with many goroutines, from float32.
func TestBatchesAreTheRows(t *testing.T) {
	for _, p := range allLosses() {
		d := testDataset(t, 61, 1000, 8, p)
		pr := mustPredictor(t, mustTrain(t, p, d, TrainOptions{}).Model, PredictOptions{Threads: 3})
		narrow := make([]float32, len(d.x.f64))
		wide := make([]float64, len(narrow))
		for i, v := range d.x.f64 {
			narrow[i] = float32(v)
			wide[i] = float64(narrow[i])
		}
		x32, err := NewMatrix(narrow, d.x.cols)
		if err != nil {
			t.Fatal(err)
		}
		x64, err := NewMatrix(wide, d.x.cols)
		if err != nil {
			t.Fatal(err)
		}
		k, n := pr.NumRaw(), x64.Rows()
		raw, out, leaves := make([]float64, n*k), make([]float64, n*k), make([]int32, n*pr.NumTrees())
		for _, x := range []Matrix{x32, x64} {
			if err := errors.Join(pr.RawBatch(t.Context(), raw, x), pr.PredictBatch(t.Context(), out, x), pr.LeafIndexBatch(t.Context(), leaves, x)); err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for worker := range 3 {
				wg.Go(func() {
					gotRaw, gotOut, gotLeaves := make([]float64, k), make([]float64, k), make([]int32, pr.NumTrees())
					for i := worker; i < n; i += 3 {
						row := x64.row(i, nil)
						if err := errors.Join(pr.Raw(gotRaw, row), pr.Predict(gotOut, row), pr.LeafIndex(gotLeaves, row)); err != nil {
							t.Error(err)
							return
						}
						if !sameBits(gotRaw, raw[i*k:(i+1)*k]) || !sameBits(gotOut, out[i*k:(i+1)*k]) ||
							!slices.Equal(gotLeaves, leaves[i*pr.NumTrees():(i+1)*pr.NumTrees()]) {
							t.Errorf("%s: row %d: alone and in the batch differ", p.testName(), i)
							return
						}
					}
				})
			}
			wg.Wait()
		}
		row := d.x.row(0, nil)
		dst, leaf := make([]float64, k), make([]int32, pr.NumTrees())
		if allocs := testing.AllocsPerRun(20, func() {
			_ = pr.Raw(dst, row)
			_ = pr.Predict(dst, row)
			_ = pr.LeafIndex(leaf, row)
			_, _ = pr.Class(row)
		}); allocs != 0 {
			t.Errorf("%s: %v allocations for a row", p.testName(), allocs)
		}
	}
}

func TestPredictorRefuses(t *testing.T) {
	m := stump(LightGBM, 0, 2)
	p := mustPredictor(t, m, PredictOptions{})
	x := Matrix{rows: 2, cols: 1, f64: []float64{1, 2}}
	wide := Matrix{rows: 1, cols: 2, f64: []float64{1, 2}}
	one, two := make([]float64, 1), make([]float64, 2)
	_, classErr := p.Class(two)
	for name, err := range map[string]error{
		"raw room": p.Raw(two, []float64{1}), "raw row": p.Raw(one, two), "predict room": p.Predict(nil, []float64{1}), "class row": classErr,
		"leaf room": p.LeafIndex(nil, []float64{1}), "batch room": p.RawBatch(t.Context(), one, x), "batch columns": p.RawBatch(t.Context(), one, wide),
		"predict batch": p.PredictBatch(t.Context(), one, x), "leaf batch": p.LeafIndexBatch(t.Context(), nil, x),
		"contributions room": p.Contributions(one, []float64{1}), "contributions batch": p.ContributionsBatch(t.Context(), one, x),
	} {
		if !errors.Is(err, ErrShape) {
			t.Errorf("%s: got %v, want %v", name, err, ErrShape)
		}
	}
	for _, o := range []PredictOptions{{FirstRound: -1}, {FirstRound: 2}, {Rounds: -1}} {
		if _, err := NewPredictor(m, o); err == nil || !strings.Contains(err.Error(), "rounds") {
			t.Errorf("%+v: got %v", o, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.RawBatch(ctx, two, x); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled batch: got %v", err)
	}
	if _, err := NewMatrix([]float64{1, 2, 3}, 2); !errors.Is(err, ErrShape) {
		t.Errorf("matrix of 3 values in rows of 2: got %v", err)
	}
}

// The values of exp and expf that glibc 2.36 gives on an x86-64 processor with fused multiply-add; math.Exp differs
// from it in one of ten.
func TestExpIsGlibcs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	for range 100_000 {
		x := 1400*rng.Float64() - 700
		if got, want := exp64(x), math.Exp(x); math.Abs(got-want) > 5e-16*want {
			t.Fatalf("exp64(%v): got %v, math.Exp %v", x, got, want)
		}
		if got, want := float64(exp32(float32(x/8))), math.Exp(float64(float32(x/8))); math.Abs(got-want) > 7e-8*want {
			t.Fatalf("exp32(%v): got %v, math.Exp %v", x/8, got, want)
		}
		y := math.Exp(x)
		if got := log64(y); math.Abs(got-math.Log(y)) > 1e-15*max(math.Abs(x), 0.01) {
			t.Fatalf("log64(%v): got %v, math.Log %v", y, got, math.Log(y))
		}
	}
	for _, c := range expGolden {
		if got := math.Float64bits(exp64(c.x)); got != c.bits {
			t.Errorf("exp64(%v): got %#x, want %#x", c.x, got, c.bits)
		}
	}
	for _, c := range []struct{ x, want float64 }{
		{inf, inf}, {-inf, 0}, {nan, nan}, {0, 1}, {1e-300, 1}, {-1e-300, 1}, {710, inf}, {1e300, inf}, {-746, 0}, {-1e300, 0},
	} {
		got, got32 := exp64(c.x), float64(exp32(float32(c.x)))
		if !sameBits([]float64{got, got32}, []float64{c.want, c.want}) && !(c.want != c.want && got != got && got32 != got32) {
			t.Errorf("exp(%v): got %v and %v, want %v", c.x, got, got32, c.want)
		}
	}
	for _, c := range []struct{ x, want float64 }{{0, -inf}, {inf, inf}, {1, 0}} {
		if got := log64(c.x); got != c.want {
			t.Errorf("log64(%v): got %v, want %v", c.x, got, c.want)
		}
	}
}

// expGolden was printed by a C program that calls exp (glibc 2.36, x86-64 with FMA, November 2026).
var expGolden = []struct {
	x    float64
	bits uint64
}{
	{-745.10000000000002, 0x1},
	{-740, 0x55},
	{-720.5, 0x5cf08fff0},
	{-709, 0x8bfe55de02338},
	{-708.5, 0xe6cf6d08897ac},
	{709.70000000000005, 0x7fed75ae7a50ee14},
	{-626.05507297454642, 0x77bbb3ffd8ab5b0},
	{-547.30081871495349, 0xe95492da0f3efc2},
	{600.25, 0x760f8256bde4abac},
	{1e-10, 0x3ff000000006df38},
	{-0.5, 0x3fe368b2fc6f960a},
	{1, 0x4005bf0a8b145769},
	{0.10000000000000001, 0x3ff1aec7b35a00d4},
	{-14.013348194075448, 0x3eab881150c15891},
	{10.922113811437271, 0x40eb0b7825560bd1},
	{-14.070564394380014, 0x3eaa001fa9826e41},
	{-22.253349068763129, 0x3dedc2099309b044},
	{-0.32371294846150533, 0x3fe72691250cedf0},
	{-12.145629977750048, 0x3ed647373308f836},
	{-20.402298105127201, 0x3e17ae89394a2cfb},
	{13.226456402467335, 0x4120eec7ae2ca9ee},
	{-29.396671713853166, 0x3d4813a4830e2b13},
	{-24.399307417875207, 0x3dbbd7cb97d8544f},
	{16.931293798650202, 0x417581a2e5dd2701},
	{23.462790757774741, 0x420cd5432f9dc269},
	{1.9657092093796535, 0x401c8f557bd28ed3},
	{23.269999278951161, 0x4207c6fca9cc461f},
	{-12.587190838794626, 0x3ecca6b3241d866b},
	{-5.14913829915983, 0x3f77c65be59f177e},
	{-28.659915585841205, 0x3d5926612a086cd1},
	{-26.316741833050514, 0x3d905eace77b72c2},
	{-8.8631727694274076, 0x3f228c2205448d65},
	{-0.8828781361258109, 0x3fda7845a83c6d82},
}
