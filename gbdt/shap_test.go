package gbdt

import (
	"errors"
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// bruteShapley is the definition: the mean over all orders of what a feature changes when it becomes known, where the
// value of a set of known features is the tree's mean with unknown features averaged by cover.
func bruteShapley(m *Model, row []float64) []float64 {
	f := m.NumFeatures()
	each := f + 1
	phi := make([]float64, m.Outputs*each)
	factorial := func(n int) float64 { return math.Gamma(float64(n + 1)) }
	for k, b := range m.BaseMargin {
		phi[k*each+f] = b
	}
	for n := range m.Trees {
		t := &m.Trees[n]
		w := newWalkTree(t)
		weight := 1.0
		if m.TreeWeights != nil {
			weight = float64(m.TreeWeights[n])
		}
		cover := func(c int32) float64 {
			switch {
			case m.Family == LightGBM && c < 0:
				return float64(t.LeafCount[^c])
			case m.Family == LightGBM:
				return float64(t.InternalCount[c])
			case c < 0:
				return t.LeafWeight[^c]
			}
			return t.InternalWeight[c]
		}
		var mean func(c int32, known uint) float64
		mean = func(c int32, known uint) float64 {
			if c < 0 {
				return t.LeafValue[^c]
			}
			if known>>t.Feature[c]&1 != 0 {
				if w.goesLeft(m.Family, &w.nodes[c], row[t.Feature[c]]) {
					return mean(t.Left[c], known)
				}
				return mean(t.Right[c], known)
			}
			return (cover(t.Left[c])*mean(t.Left[c], known) + cover(t.Right[c])*mean(t.Right[c], known)) / cover(c)
		}
		root := int32(0)
		if len(t.Left) == 0 {
			root = ^0
		}
		out := phi[t.Output*each : (t.Output+1)*each]
		out[f] += weight * mean(root, 0)
		for known := range uint(1) << f {
			size := bits.OnesCount(known)
			for j := range f {
				if known>>j&1 == 0 {
					share := factorial(size) * factorial(f-size-1) / factorial(f)
					out[j] += weight * share * (mean(root, known|1<<j) - mean(root, known))
				}
			}
		}
	}
	return phi
}

func TestContributionsAgainstAllSubsets(t *testing.T) {
	for _, p := range allLosses() {
		p.Rounds, p.MaxLeaves, p.MaxDepth = 3, 8, 5
		d := testDataset(t, 71, 400, 5, p)
		m := mustTrain(t, p, d, TrainOptions{}).Model
		if p.Family == XGBoost {
			m.TreeWeights = make([]float32, len(m.Trees))
			for i := range m.TreeWeights {
				m.TreeWeights[i] = float32(i+1) / 4
			}
			for k := range m.BaseMargin {
				m.BaseMargin[k] = 0.5
			}
		}
		pr := mustPredictor(t, m, PredictOptions{})
		got := make([]float64, m.Outputs*6)
		for i := range 40 {
			row := d.x.row(i, nil)
			if err := pr.Contributions(got, row); err != nil {
				t.Fatal(err)
			}
			for j, want := range bruteShapley(m, row) {
				if math.Abs(got[j]-want) > 1e-9 {
					t.Fatalf("%s: row %d, contribution %d: got %v, want %v", p.testName(), i, j, got[j], want)
				}
			}
		}
	}
}

func TestContributionsAddUpToTheRawScore(t *testing.T) {
	for _, p := range allLosses() {
		p.Rounds, p.MaxLeaves, p.MaxDepth = 20, 31, 12 // deep trees, features many times on a path
		d := testDataset(t, 72, 1500, 4, p)
		m := mustTrain(t, p, d, TrainOptions{}).Model
		pr := mustPredictor(t, m, PredictOptions{Threads: 2})
		x := testMatrix(t, rand.New(rand.NewPCG(8, 8)), 600, 4)
		raw, phi := mustRaw(t, m, x), make([]float64, 600*m.Outputs*5)
		if err := pr.ContributionsBatch(t.Context(), phi, x); err != nil {
			t.Fatal(err)
		}
		one := make([]float64, m.Outputs*5)
		for i := range 600 {
			if err := pr.Contributions(one, x.row(i, nil)); err != nil {
				t.Fatal(err)
			}
			if !sameBits(one, phi[i*len(one):(i+1)*len(one)]) {
				t.Fatalf("%s: row %d: alone and in the batch differ", p.testName(), i)
			}
			for k := range m.Outputs {
				sum := 0.0
				for _, v := range one[k*5 : (k+1)*5] {
					sum += v
				}
				tolerance := 1e-9
				if p.Family == XGBoost {
					tolerance = 1e-5 // the raw score is a float32 sum of some 20 numbers near 1
				}
				if want := raw[i*m.Outputs+k]; math.Abs(sum-want) > tolerance {
					t.Fatalf("%s: row %d output %d: contributions add up to %v, raw score %v", p.testName(), i, k, sum, want)
				}
			}
		}
	}
}

func TestContributionsOfNodesThatNoRowReached(t *testing.T) {
	m := stump(XGBoost, 0.5, 0)
	m.Trees[0].LeafWeight, m.Trees[0].InternalWeight = []float64{4, 0}, []float64{4}
	var got [2]float64
	for _, c := range []struct{ x, phi float64 }{{0, 0}, {1, 1}} {
		if err := mustPredictor(t, m, PredictOptions{}).Contributions(got[:], []float64{c.x}); err != nil {
			t.Fatal(err)
		}
		if got != [2]float64{c.phi, 1} {
			t.Errorf("x = %v: got %v, want %v", c.x, got, [2]float64{c.phi, 1})
		}
	}
}

func TestContributionsRefused(t *testing.T) {
	bare := stump(LightGBM, 0.5, 2)
	deep := &Model{Family: LightGBM, Outputs: 1, BaseMargin: []float64{0}, RoundEnds: []int32{1}, Trees: []Tree{{}}}
	tree := &deep.Trees[0]
	const depth = 3000
	for i := range int32(depth) {
		deep.FeatureNames = append(deep.FeatureNames, "f")
		tree.Feature = append(tree.Feature, i)
		tree.Threshold = append(tree.Threshold, 0)
		tree.Decision = append(tree.Decision, 2)
		tree.Left = append(tree.Left, ^i)
		tree.Right = append(tree.Right, i+1)
		tree.InternalCount = append(tree.InternalCount, depth+1-i)
	}
	tree.Right[depth-1] = ^int32(depth)
	tree.LeafValue, tree.LeafCount = make([]float64, depth+1), make([]int32, depth+1)
	for name, m := range map[string]*Model{"no counts": bare, "too deep": deep} {
		err := mustPredictor(t, m, PredictOptions{}).Contributions(make([]float64, m.NumFeatures()+1), make([]float64, m.NumFeatures()))
		if !errors.Is(err, ErrNoContributions) {
			t.Errorf("%s: got %v, want %v", name, err, ErrNoContributions)
		}
	}
}

// withCovers gives every node of a random model a cover: the rows of x that reach it.
func withCovers(m *Model, x Matrix) {
	for n := range m.Trees {
		t := &m.Trees[n]
		w := newWalkTree(t)
		leaf, inner := make([]float64, len(t.LeafValue)), make([]float64, len(t.Left))
		for i := range x.rows {
			leaf[w.leaf(m.Family, x.row(i, nil))]++
		}
		for j := len(inner) - 1; j >= 0; j-- {
			for _, c := range [2]int32{t.Left[j], t.Right[j]} {
				if c < 0 {
					inner[j] += leaf[^c]
				} else {
					inner[j] += inner[c]
				}
			}
		}
		t.LeafWeight, t.InternalWeight = leaf, inner
		t.LeafCount, t.InternalCount = make([]int32, len(leaf)), make([]int32, len(inner))
		for i, v := range leaf {
			t.LeafCount[i] = int32(v)
		}
		for i, v := range inner {
			t.InternalCount[i] = int32(v)
		}
	}
}

// Trees with more features on a path than one block of points is exact for, categories, and factors that are not kept.
func TestContributionsOfAllForms(t *testing.T) {
	for n, s := range []modelShape{
		{family: LightGBM, features: 11, trees: 4, leaves: 60, outputs: 2, values: 30, missing: true, deep: true},
		{family: XGBoost, features: 11, trees: 4, leaves: 60, outputs: 1, values: 30, weighted: true, deep: true},
		{family: LightGBM, features: 4, trees: 8, leaves: 20, outputs: 2, values: 30, missing: true, categorical: true},
		{family: XGBoost, features: 4, trees: 8, leaves: 20, outputs: 2, values: 30, categorical: true},
	} {
		rng := rand.New(rand.NewPCG(4, uint64(n)))
		m := randomModel(rng, s)
		withCovers(m, awkwardRows(t, rng, 4000, s))
		p := mustPredictor(t, m, PredictOptions{Threads: 2})
		rows := awkwardRows(t, rng, 5, s)
		width := m.Outputs * (s.features + 1)
		kept, again, batch := make([]float64, width), make([]float64, width), make([]float64, 5*width)
		if err := p.ContributionsBatch(t.Context(), batch, rows); err != nil {
			t.Fatal(err)
		}
		most := int32(0)
		for i := range 5 {
			row := rows.row(i, nil)
			if err := p.Contributions(kept, row); err != nil {
				t.Fatal(err)
			}
			for j, want := range bruteShapley(m, row) {
				if math.Abs(kept[j]-want) > 1e-10 {
					t.Fatalf("model %d, row %d, contribution %d: got %v, want %v", n, i, j, kept[j], want)
				}
			}
			if !sameBits(kept, batch[i*width:(i+1)*width]) {
				t.Fatalf("model %d, row %d: alone and in the batch differ", n, i)
			}
		}
		for i := range p.shap.trees {
			p.shap.trees[i].factors = nil
			most = max(most, p.shap.trees[i].blocks)
		}
		if s.features > 2*shapLanes && most < 2 {
			t.Errorf("model %d: no tree needs more than %d points", n, shapLanes)
		}
		if err := p.Contributions(again, rows.row(4, nil)); err != nil {
			t.Fatal(err)
		}
		if !sameBits(kept, again) {
			t.Errorf("model %d: factors made again give %v, want %v", n, again, kept)
		}
	}
}

func TestGaussLegendre(t *testing.T) {
	for _, n := range []int{4, 8, 40, 200} {
		r := gaussLegendre(n)
		for _, degree := range []int{0, 1, n, 2*n - 1} {
			sum := 0.0
			for b := range r.point {
				for q, x := range r.point[b] {
					sum += r.weight[b][q] * math.Pow(x, float64(degree))
				}
			}
			if want := 1 / float64(degree+1); math.Abs(sum-want) > 1e-13 {
				t.Errorf("%d points, degree %d: got %v, want %v", n, degree, sum, want)
			}
		}
	}
}

func TestContributionsDoNotAllocate(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	s := modelShape{family: LightGBM, features: 5, trees: 10, leaves: 20, outputs: 2, values: 30}
	m := randomModel(rng, s)
	rows := awkwardRows(t, rng, 500, s)
	withCovers(m, rows)
	p := mustPredictor(t, m, PredictOptions{})
	dst := make([]float64, 12)
	// Without the pool a row takes 4; a collection may empty it, and under the race detector it forgets a quarter.
	if allocs := testing.AllocsPerRun(400, func() { _ = p.Contributions(dst, rows.row(0, nil)) }); allocs > 2 {
		t.Errorf("%v allocations for a row", allocs)
	}
}
