package gbdt

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// plainTrees returns the trees of a model to be walked node by node.
func plainTrees(m *Model) []walkTree {
	trees := make([]walkTree, len(m.Trees))
	for i := range trees {
		trees[i] = newWalkTree(&m.Trees[i])
		if m.TreeWeights != nil {
			trees[i].weight = m.TreeWeights[i]
		}
	}
	return trees
}

// plainRaw is what Raw must answer: leaf values added in tree order.
func plainRaw(m *Model, trees []walkTree, row []float64) []float64 {
	raw := slices.Clone(m.BaseMargin)
	for i := range trees {
		w := &trees[i]
		k := w.tree.Output
		if leaf := w.leaf(m.Family, row); m.Family == XGBoost {
			raw[k] = float64(float32(raw[k]) + float32(w.weight*float32(w.tree.LeafValue[leaf])))
		} else {
			raw[k] += w.leafOutput(leaf, row)
		}
	}
	return raw
}

// modelShape says what randomModel makes.
type modelShape struct {
	family                             Family
	features, trees, leaves, outputs   int
	values                             int // distinct thresholds of a feature
	missing                            bool
	categorical, linear, nan, weighted bool
	deep                               bool
}

// randomModel returns a model of random trees with thresholds among awkward numbers.
func randomModel(rng *rand.Rand, s modelShape) *Model {
	m := &Model{Family: s.family, Outputs: s.outputs, BaseMargin: make([]float64, s.outputs)}
	for f := range s.features {
		m.FeatureNames = append(m.FeatureNames, fmt.Sprint("f", f))
	}
	if s.family == XGBoost {
		m.Objective.Name = "multi:softprob"
		for k := range m.BaseMargin {
			m.BaseMargin[k] = float64(rng.Float32())
		}
	}
	for i := range s.trees {
		t := Tree{Output: i % s.outputs, LeafValue: []float64{0}}
		leaves := 1 + rng.IntN(s.leaves)
		ends := []int32{-1} // where the leaf hangs: 2*node, or 2*node+1 on the right
		for node := range int32(leaves - 1) {
			split := rng.IntN(len(ends))
			if s.deep {
				split = len(ends) - 1
			}
			if at := ends[split]; at >= 0 && at%2 == 0 {
				t.Left[at/2] = node
			} else if at >= 0 {
				t.Right[at/2] = node
			}
			decision := Decision(false, rng.IntN(2) == 0, MissingNone)
			if s.missing && s.family == LightGBM {
				decision = Decision(false, rng.IntN(2) == 0, MissingType(rng.IntN(3)))
			}
			threshold := awkward(rng, s.values)
			if s.family == XGBoost {
				threshold = float64(float32(threshold))
			}
			if s.nan && rng.IntN(9) == 0 {
				threshold = nan
			}
			if s.categorical && rng.IntN(4) == 0 {
				decision |= DecisionCategorical
				threshold = float64(max(len(t.CatBoundaries)-1, 0))
				if t.CatBoundaries == nil {
					t.CatBoundaries = []int32{0}
				}
				t.CatBits = append(t.CatBits, rng.Uint32())
				t.CatBoundaries = append(t.CatBoundaries, int32(len(t.CatBits)))
			}
			t.Feature, t.Threshold = append(t.Feature, int32(rng.IntN(s.features))), append(t.Threshold, threshold)
			t.Decision = append(t.Decision, decision)
			t.Left, t.Right = append(t.Left, ^int32(split)), append(t.Right, ^int32(len(ends)))
			ends[split] = 2 * node
			ends = append(ends, 2*node+1)
		}
		t.LeafValue = make([]float64, leaves)
		for l := range t.LeafValue {
			t.LeafValue[l] = rng.NormFloat64()
			if s.family == XGBoost {
				t.LeafValue[l] = float64(float32(t.LeafValue[l]))
			}
		}
		if s.linear && rng.IntN(3) == 0 {
			l := &LinearLeaves{Start: []int32{0}}
			for range leaves {
				l.Const = append(l.Const, rng.NormFloat64())
				for range rng.IntN(3) {
					l.Features, l.Coeff = append(l.Features, int32(rng.IntN(s.features))), append(l.Coeff, rng.NormFloat64())
				}
				l.Start = append(l.Start, int32(len(l.Coeff)))
			}
			t.Linear = l
		}
		m.Trees = append(m.Trees, t)
		if (i+1)%s.outputs == 0 || i == s.trees-1 {
			m.RoundEnds = append(m.RoundEnds, int32(i+1))
		}
		if s.weighted {
			m.TreeWeights = append(m.TreeWeights, rng.Float32())
		}
	}
	return m
}

// awkward returns one of about n numbers near the edges of both families' arithmetic.
func awkward(rng *rand.Rand, n int) float64 {
	edges := []float64{0, math.Copysign(0, -1), zeroThreshold, -zeroThreshold, math.Nextafter(zeroThreshold, 1),
		math.Nextafter(-zeroThreshold, -1), 1e-36, -1e-36, 5e-324, -1e-40, 1e300, -1e300, inf, -inf, math.MaxFloat32, 1 + 0x1p-25, 1 - 0x1p-40}
	i := rng.IntN(n)
	if i < len(edges) && rng.IntN(2) == 0 {
		return edges[i]
	}
	return float64(i-n/2)/8 + float64(i%3-1)*0x1p-26
}

var modelShapes = []modelShape{
	{family: LightGBM, features: 5, trees: 40, leaves: 12, outputs: 1, values: 60, missing: true},
	{family: LightGBM, features: 3, trees: 33, leaves: 31, outputs: 3, values: 500, missing: true},
	{family: LightGBM, features: 1, trees: 9, leaves: 2, outputs: 1, values: 1},
	{family: LightGBM, features: 4, trees: 30, leaves: 9, outputs: 2, values: 40, missing: true, categorical: true},
	{family: LightGBM, features: 4, trees: 30, leaves: 9, outputs: 2, values: 40, linear: true, nan: true},
	{family: LightGBM, features: 4, trees: 10, leaves: 60, outputs: 1, values: 99, missing: true, deep: true},
	{family: LightGBM, features: 4, trees: 10, leaves: 700, outputs: 20, values: 99, missing: true},
	{family: LightGBM, features: 2, trees: 40, leaves: 60, outputs: 1, values: 3000, missing: true},
	{family: XGBoost, features: 2, trees: 40, leaves: 60, outputs: 1, values: 3000},
	{family: LightGBM, features: 300, trees: 60, leaves: 40, outputs: 2, values: 99, missing: true},
	{family: XGBoost, features: 5, trees: 40, leaves: 12, outputs: 1, values: 60},
	{family: XGBoost, features: 3, trees: 33, leaves: 31, outputs: 3, values: 500, weighted: true},
	{family: XGBoost, features: 4, trees: 30, leaves: 9, outputs: 2, values: 40, categorical: true, nan: true},
	{family: XGBoost, features: 4, trees: 10, leaves: 60, outputs: 1, values: 99, deep: true},
	{family: XGBoost, features: 4, trees: 50, leaves: 300, outputs: 20, values: 99, weighted: true},
}

// awkwardRows returns rows of values that thresholds of randomModel may have, their neighbours, and NaN.
func awkwardRows(t testing.TB, rng *rand.Rand, rows int, s modelShape) Matrix {
	t.Helper()
	x := make([]float64, rows*s.features)
	for i := range x {
		switch v := awkward(rng, s.values); rng.IntN(6) {
		case 0:
			x[i] = nan
		case 1:
			x[i] = math.Nextafter(v, inf)
		case 2:
			x[i] = math.Nextafter(v, -inf)
		case 3:
			x[i] = float64(float32(v))
		case 4:
			x[i] = float64(math.Nextafter32(float32(v), float32(inf)))
		default:
			x[i] = v
		}
	}
	m, err := NewMatrix(x, s.features)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// checkPredictor compares all ways to ask p with the plain walk.
func checkPredictor(t *testing.T, name string, p *Predictor, m *Model, x Matrix) {
	t.Helper()
	plain := plainTrees(m)
	k, trees := m.Outputs, len(m.Trees)
	f32 := make([]float32, len(x.f64))
	rounded := make([]float64, len(x.f64))
	for i, v := range x.f64 {
		f32[i] = float32(v)
		rounded[i] = float64(f32[i])
	}
	for _, c := range []struct {
		name string
		x    Matrix
		rows Matrix // the same as float64
	}{{"float64", x, x}, {"float32", Matrix{rows: x.rows, cols: x.cols, f32: f32}, Matrix{rows: x.rows, cols: x.cols, f64: rounded}}} {
		raw, leaves := make([]float64, x.rows*k), make([]int32, x.rows*trees)
		if err := errors.Join(p.RawBatch(t.Context(), raw, c.x), p.LeafIndexBatch(t.Context(), leaves, c.x)); err != nil {
			t.Fatal(err)
		}
		gotRaw, gotLeaves := make([]float64, k), make([]int32, trees)
		for i := range x.rows {
			row := c.rows.row(i, nil)
			want := plainRaw(m, plain, row)
			if err := errors.Join(p.Raw(gotRaw, row), p.LeafIndex(gotLeaves, row)); err != nil {
				t.Fatal(err)
			}
			if !sameBits(gotRaw, want) || !sameBits(raw[i*k:(i+1)*k], want) {
				t.Fatalf("%s, %s: row %d %v: alone %v, in the batch %v, want %v", name, c.name, i, row, gotRaw, raw[i*k:(i+1)*k], want)
			}
			for n := range trees {
				if want := plain[n].leaf(m.Family, row); gotLeaves[n] != want || leaves[i*trees+n] != want {
					t.Fatalf("%s, %s: row %d, tree %d: alone leaf %d, in the batch %d, want %d", name, c.name, i, n, gotLeaves[n], leaves[i*trees+n], want)
				}
			}
		}
	}
}

// The compiled form gives the leaves and the bits of the plain walk.
func TestCompiledIsThePlainWalk(t *testing.T) {
	for n, s := range modelShapes {
		for seed := range uint64(3) {
			rng := rand.New(rand.NewPCG(seed, uint64(n)))
			m := randomModel(rng, s)
			x := awkwardRows(t, rng, 90+int(seed), s)
			for _, portable := range []bool{false, true} {
				p := mustPredictor(t, m, PredictOptions{Threads: 1 + int(seed), Portable: portable})
				checkPredictor(t, fmt.Sprintf("shape %d, seed %d, portable %v", n, seed, portable), p, m, x)
			}
		}
	}
}

// The shapes above reach every form: words of both sizes, deep trees, trees that are walked node by node.
func TestCompiledForms(t *testing.T) {
	forms := map[string]int{}
	for n, s := range modelShapes {
		c := mustPredictor(t, randomModel(rand.New(rand.NewPCG(0, uint64(n))), s), PredictOptions{}).compiled
		words := slices.ContainsFunc(c.trees, func(t compiledTree) bool { return t.walk == nil })
		for name, in := range map[string]bool{
			"single rows in 32 bits": c.rows.words != nil, "single rows in 64 bits": c.rows.words == nil && words,
			"some trees walked": c.slow && words,
			"compact arrays":    c.compact && words,
			"long arrays":       !c.compact && words,
			"long keys":         !c.ranks.compact && words,
			"deep trees":        slices.ContainsFunc(c.source, func(w walkTree) bool { return w.tree.Depth() > 2*shortWalk }),
			"many columns":      c.ranks.columns > rowColumns,
		} {
			if in {
				forms[name]++
			}
		}
	}
	for _, name := range []string{"single rows in 32 bits", "single rows in 64 bits", "some trees walked", "compact arrays", "long arrays", "long keys",
		"deep trees", "many columns"} {
		if forms[name] == 0 {
			t.Errorf("no model has %s", name)
		}
	}
}

// Models past the limits of ranks or words are walked node by node and answer all the same.
func TestCompiledLimits(t *testing.T) {
	many := modelShape{family: XGBoost, features: 1, trees: 12, leaves: 20_000, outputs: 1, values: 1 << 20}
	wide := modelShape{family: LightGBM, features: maxColumns + 500, trees: 40, leaves: 900, outputs: 1, values: 9, missing: true}
	for name, s := range map[string]modelShape{"many thresholds": many, "many features": wide} {
		rng := rand.New(rand.NewPCG(5, 5))
		m := randomModel(rng, s)
		for i := range m.Trees {
			if s.features == 1 { // every leaf count is drawn; take care that the limit is passed
				for j := range m.Trees[i].Threshold {
					m.Trees[i].Threshold[j] = float64(float32(i*70_000 + j))
				}
			}
		}
		p := mustPredictor(t, m, PredictOptions{Threads: 1})
		if n := slices.IndexFunc(p.compiled.trees, func(t compiledTree) bool { return t.walk == nil }); n >= 0 {
			t.Errorf("%s: tree %d is not walked, want all trees walked", name, n)
		}
		checkPredictor(t, name, p, m, awkwardRows(t, rng, 11, s))
	}
}

func TestRanksAreCounts(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, family := range []Family{LightGBM, XGBoost} {
		for _, n := range []int{1, 2, 3, 4, 7, 8, 255, 256, 1000} {
			var keys []uint64
			var thresholds []float64
			for range n {
				v := float64(float32(awkward(rng, 3*n)))
				thresholds = append(thresholds, v)
				keys = append(keys, thresholdKey(family, v))
			}
			k := newRanker(family, [][]uint64{slices.Clone(keys)}, [][missingRules]bool{{nanRight: true}})
			for range 300 {
				x := float64(float32(awkward(rng, 3*n)))
				if family == LightGBM && math.Abs(x) <= zeroThreshold {
					x = 0
				}
				distinct := map[uint64]bool{}
				for i, v := range thresholds {
					if family == LightGBM && !(x <= v) || family == XGBoost && !(x < v) {
						distinct[keys[i]] = true
					}
				}
				var got [1]uint32
				k.rankRow(got[:], []float64{x}, 0)
				if int(got[0]) != len(distinct) {
					t.Fatalf("%v, %d thresholds: rank of %v is %d, want %d", family, n, x, got[0], len(distinct))
				}
			}
		}
	}
}

// Link outputs and classes of a batch are those of the rows, for few and many outputs.
func TestBatchOutputsAreTheRows(t *testing.T) {
	for n, c := range []struct {
		shape     modelShape
		objective Objective
	}{
		{modelShape{family: XGBoost, features: 3, trees: 40, leaves: 9, outputs: 4, values: 40}, Objective{Name: "multi:softmax"}},
		{modelShape{family: XGBoost, features: 3, trees: 60, leaves: 9, outputs: 20, values: 40}, Objective{Name: "multi:softmax"}},
		{modelShape{family: XGBoost, features: 3, trees: 40, leaves: 9, outputs: 4, values: 40}, Objective{Name: "multi:softprob"}},
		{modelShape{family: LightGBM, features: 3, trees: 60, leaves: 300, outputs: 20, values: 400}, Objective{Name: "multiclass"}},
	} {
		rng := rand.New(rand.NewPCG(8, uint64(n)))
		m := randomModel(rng, c.shape)
		m.Objective = c.objective
		p := mustPredictor(t, m, PredictOptions{Threads: 2})
		x, k := awkwardRows(t, rng, 150, c.shape), p.NumOutputs()
		plain := plainTrees(m)
		out, one := make([]float64, 150*k), make([]float64, k)
		if err := p.PredictBatch(t.Context(), out, x); err != nil {
			t.Fatal(err)
		}
		for i := range 150 {
			row := x.row(i, nil)
			class, err := p.Class(row)
			if err := errors.Join(err, p.Predict(one, row)); err != nil {
				t.Fatal(err)
			}
			raw := plainRaw(m, plain, row)
			best := 0
			for k, r := range raw {
				if r > raw[best] {
					best = k
				}
			}
			if class != best || !sameBits(one, out[i*k:(i+1)*k]) || k == 1 && one[0] != float64(best) {
				t.Fatalf("model %d, row %d: class %d, want %d; outputs alone %v, in the batch %v", n, i, class, best, one, out[i*k:(i+1)*k])
			}
		}
	}
}

// A context that has ended stops every kind of batch.
func TestBatchesHeedTheContext(t *testing.T) {
	s := modelShape{family: LightGBM, features: 3, trees: 4, leaves: 9, outputs: 2, values: 40}
	rng := rand.New(rand.NewPCG(9, 9))
	m, x := randomModel(rng, s), awkwardRows(t, rng, 50, s)
	withCovers(m, x)
	p := mustPredictor(t, m, PredictOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, importanceErr := p.PermutationImportance(ctx, x, func([]float64) float64 { return 0 }, DefaultPermutationOptions())
	for name, err := range map[string]error{
		"raw": p.RawBatch(ctx, make([]float64, 100), x), "outputs": p.PredictBatch(ctx, make([]float64, 100), x),
		"leaves": p.LeafIndexBatch(ctx, make([]int32, 200), x), "contributions": p.ContributionsBatch(ctx, make([]float64, 400), x),
		"interventional": p.InterventionalContributions(ctx, make([]float64, 400), x, x), "importance": importanceErr,
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want %v", name, err, context.Canceled)
		}
	}
}
