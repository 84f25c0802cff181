package gbdt

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// naiveGrower grows a tree by the rules of grower with nothing but loops over rows: for each leaf, feature, threshold
// and way for the missing values it adds up the rows that would go left.
type naiveGrower struct {
	p     *Params
	data  *Dataset
	b     *binned
	in    treeInput
	rule  splitRule
	tree  Tree
	leafs []naiveLeaf
}

type naiveLeaf struct {
	rows   []int32
	depth  int
	id     int32
	parent int32
	best   *naiveSplit
}

type naiveSplit struct {
	gain        float64
	slot        int
	threshold   float64
	defaultLeft bool
	left, right []int32
}

func (g *naiveGrower) sum(rows []int32) gradPair {
	var s gradPair
	for _, r := range rows {
		s += g.in.pairs[r]
	}
	return s
}

func (g *naiveGrower) divide(rows []int32, f *feature, threshold float64, defaultLeft bool) (left, right []int32) {
	for _, r := range rows {
		x := g.p.Family.normalize(g.data.x.At(int(r), f.column))
		if x != x && defaultLeft || x == x && g.p.Family.left(x, threshold) {
			left = append(left, r)
		} else {
			right = append(right, r)
		}
	}
	return left, right
}

func (g *naiveGrower) best(rows []int32, counted bool) *naiveSplit {
	var best *naiveSplit
	top := g.rule.minGain
	total := g.sum(rows)
	gt, ht := g.rule.unpack(total)
	for _, s := range g.in.slots {
		f := &g.b.features[s]
		hasMissing := false
		for _, r := range rows {
			x := g.data.x.At(int(r), f.column)
			hasMissing = hasMissing || x != x && (counted || g.in.pairs[r] != 0)
		}
		thresholds := f.upper
		if hasMissing && !math.IsNaN(f.above) {
			thresholds = append(append([]float64{}, f.upper...), f.above)
		}
		for _, defaultLeft := range []bool{false, true} {
			if defaultLeft && !hasMissing {
				break
			}
			for i, threshold := range thresholds {
				if defaultLeft && i == len(f.upper) {
					break
				}
				left, right := g.divide(rows, f, threshold, defaultLeft)
				l := g.sum(left)
				r := total - l
				gl, hl := g.rule.unpack(l)
				gr, hr := g.rule.unpack(r)
				least := math.Max(1, math.Ceil(g.rule.minSumHessian*g.rule.scale.hessian))
				if counted {
					if len(left) < g.p.MinDataInLeaf || len(right) < g.p.MinDataInLeaf {
						continue
					}
				} else if g.p.MinDataInLeaf > 1 {
					share := math.Ceil((float64(g.p.MinDataInLeaf) - 0.5) * float64(total.hessian()) / float64(len(rows)))
					least = math.Max(least, share)
				}
				if float64(l.hessian()) < least || float64(r.hessian()) < least {
					continue
				}
				gain := g.rule.score(gl, hl) + g.rule.score(gr, hr) - g.rule.score(gt, ht)
				// LightGBM takes the last of thresholds that say the same, but the first if missing values go right.
				alike := best != nil && best.slot == s && g.p.Family == LightGBM && (defaultLeft || !hasMissing) && l == g.sum(best.left) &&
					(!counted || len(left) == len(best.left))
				if gain > top || alike {
					top = gain
					best = &naiveSplit{gain, s, threshold, defaultLeft, left, right}
					if !hasMissing {
						best.defaultLeft = 2*l.hessian() >= total.hessian()
					}
				}
			}
		}
	}
	return best
}

func (g *naiveGrower) mayGrow(l *naiveLeaf) bool {
	return (g.p.MaxLeaves == 0 || len(g.leafs) < g.p.MaxLeaves) && (g.p.MaxDepth == 0 || l.depth < g.p.MaxDepth) &&
		len(l.rows) >= 2*g.p.MinDataInLeaf
}

func (g *naiveGrower) grow() {
	g.leafs = []naiveLeaf{{rows: g.in.rows, parent: -1}}
	g.leafs[0].best = g.best(g.in.rows, false)
	for {
		chosen := -1
		for i := range g.leafs {
			l := &g.leafs[i]
			if l.best == nil || !g.mayGrow(l) {
				continue
			}
			if chosen < 0 || g.p.Growth == LeafWise && l.best.gain > g.leafs[chosen].best.gain ||
				g.p.Growth == DepthWise && l.id < g.leafs[chosen].id {
				chosen = i
			}
		}
		if chosen < 0 {
			return
		}
		l := g.leafs[chosen]
		if s := l.best; min(len(s.left), len(s.right)) < g.p.MinDataInLeaf {
			g.leafs[chosen].best = g.best(l.rows, true)
			continue
		}
		f := &g.b.features[l.best.slot]
		node := int32(len(g.tree.Left))
		if l.parent >= 0 {
			if g.tree.Left[l.parent] == ^int32(chosen) {
				g.tree.Left[l.parent] = node
			} else {
				g.tree.Right[l.parent] = node
			}
		}
		g.tree.Feature = append(g.tree.Feature, int32(f.column))
		g.tree.Threshold = append(g.tree.Threshold, l.best.threshold)
		g.tree.Gain = append(g.tree.Gain, l.best.gain)
		g.tree.Left = append(g.tree.Left, ^int32(chosen))
		g.tree.Right = append(g.tree.Right, ^int32(len(g.leafs)))
		switch {
		case g.p.Family == XGBoost:
			g.tree.Decision = append(g.tree.Decision, Decision(false, l.best.defaultLeft, MissingNone))
		case f.missing:
			g.tree.Decision = append(g.tree.Decision, Decision(false, l.best.defaultLeft, MissingNaN))
		default:
			g.tree.Decision = append(g.tree.Decision, Decision(false, true, MissingNone))
		}
		g.leafs[chosen] = naiveLeaf{rows: l.best.left, depth: l.depth + 1, id: 2*node + 1, parent: node}
		g.leafs = append(g.leafs, naiveLeaf{rows: l.best.right, depth: l.depth + 1, id: 2*node + 2, parent: node})
		for _, i := range []int{chosen, len(g.leafs) - 1} {
			if g.mayGrow(&g.leafs[i]) {
				g.leafs[i].best = g.best(g.leafs[i].rows, false)
			}
		}
	}
}

func TestGrowAgainstPlainSearch(t *testing.T) {
	cases := 0
	for _, family := range []Family{LightGBM, XGBoost} {
		for _, growth := range []Growth{LeafWise, DepthWise} {
			for variant := range 7 {
				p := DefaultParams(family)
				p.Growth, p.MaxBin, p.MaxLeaves, p.MaxDepth, p.MinDataInLeaf, p.MinSumHessian = growth, 14, 8, 5, 4, 0.5
				switch variant {
				case 1:
					p.L1, p.L2, p.MinGain = 1.5, 3, 0.2
				case 2:
					p.MaxLeaves = 0
				case 3:
					p.MaxDepth, p.MaxLeaves = 0, 12
				case 4:
					p.MinDataInLeaf = 60 // the hessians' share often says otherwise
				case 5:
					p.MinSumHessian = 30
				case 6:
					p.MinDataInLeaf, p.MinSumHessian = 40, 0 // with rows of weight 0
				}
				t.Run(fmt.Sprintf("%v/growth %d/%d", family, growth, variant), func(t *testing.T) {
					cases++
					rng := rand.New(rand.NewPCG(uint64(variant), 77))
					d := testDataset(t, uint64(20+variant), 350, 6, p)
					b := newBinned(d, &p)
					pairs := make([]gradPair, b.rows)
					for i := range pairs {
						// Large hessians stand where a feature is large, so that their share is far from that of rows.
						h := math.Exp(1.5 * d.x.At(i, 0))
						pairs[i] = packPair(int32(1e4*(signal(d.x, i)+rng.NormFloat64())), uint32(1e4*h))
						if x := d.x.At(i, 2); variant == 6 && (i%3 == 0 || x != x) {
							pairs[i] = 0
						}
					}
					var rows []int32
					for i := range b.rows {
						if rng.IntN(5) > 0 {
							rows = append(rows, int32(i))
						}
					}
					slots := []int{0, 1, 2, 3, 5}
					in := treeInput{pairs: pairs, scale: scales{1e4, 1e4}, rows: rows, slots: slots, rate: p.LearningRate}
					g := newGrower(&p, b, 2)
					g.grow(in) // the second tree must not see the first one
					got := g.grow(in)
					naive := naiveGrower{p: &p, data: d, b: b, in: in, rule: g.rule}
					naive.grow()
					if len(naive.leafs) < 3 && variant != 5 {
						t.Fatalf("only %d leaves: the case is too easy", len(naive.leafs))
					}
					want := naive.tree
					stored := func(gains []float64) (s []float64) {
						for _, x := range gains {
							s = append(s, family.stored(x))
						}
						return s
					}
					for _, c := range []struct {
						name      string
						got, want any
					}{
						{"Feature", got.Feature, want.Feature}, {"Threshold", got.Threshold, want.Threshold},
						{"Decision", got.Decision, want.Decision}, {"Gain", got.Gain, stored(want.Gain)},
						{"Left", got.Left, want.Left}, {"Right", got.Right, want.Right},
					} {
						if !reflect.DeepEqual(c.got, c.want) {
							t.Errorf("%s: got %v, want %v", c.name, c.got, c.want)
						}
					}
					for i, l := range naive.leafs {
						if int(got.LeafCount[i]) != len(l.rows) || len(l.rows) < p.MinDataInLeaf {
							t.Errorf("leaf %d: %d rows, want %d, at least %d", i, got.LeafCount[i], len(l.rows), p.MinDataInLeaf)
						}
						if !slices.Equal(got.rowsOf(i), l.rows) {
							t.Errorf("leaf %d: rows %v, want %v", i, got.rowsOf(i), l.rows)
						}
						for _, r := range l.rows {
							if got.leafOf(b, r) != i {
								t.Fatalf("row %d reaches leaf %d, want %d", r, got.leafOf(b, r), i)
							}
						}
						gs, hs := g.rule.unpack(naive.sum(l.rows))
						if value := family.stored(-g.rule.soften(gs) / (hs + p.L2) * p.LearningRate); got.LeafValue[i] != value {
							t.Errorf("leaf %d: value %v, want %v", i, got.LeafValue[i], value)
						}
					}
				})
			}
		}
	}
	if cases == 0 {
		t.Fatal("no cases")
	}
}

// The smaller child's histogram is built and the larger one's subtracted; with every number of rows and leaf size the
// counts in a tree must add up.
func TestTreeStatisticsAddUp(t *testing.T) {
	for _, p := range allLosses() {
		d := testDataset(t, 31, 900, 8, p)
		m := mustTrain(t, p, d, TrainOptions{}).Model
		if err := m.Validate(); err != nil {
			t.Fatalf("%s: %v", p.testName(), err)
		}
		splits, tolerance := 0, 1e-9
		if p.Family == XGBoost {
			tolerance = 0x1p-22 // each is rounded to float32
		}
		for n := range m.Trees {
			tree := &m.Trees[n]
			for i := len(tree.Left) - 1; i >= 0; i-- {
				splits++
				count, weight := int32(0), 0.0
				for _, c := range []int32{tree.Left[i], tree.Right[i]} {
					if c < 0 {
						count, weight = count+tree.LeafCount[^c], weight+tree.LeafWeight[^c]
					} else {
						count, weight = count+tree.InternalCount[c], weight+tree.InternalWeight[c]
					}
				}
				if count != tree.InternalCount[i] || math.Abs(weight-tree.InternalWeight[i]) > tolerance*weight {
					t.Fatalf("%s: tree %d node %d: %d rows of weight %v, children %d of %v", p.testName(), n, i,
						tree.InternalCount[i], tree.InternalWeight[i], count, weight)
				}
				if tree.Gain[i] <= p.MinGain {
					t.Fatalf("%s: tree %d node %d gains %v", p.testName(), n, i, tree.Gain[i])
				}
			}
			if p.MaxLeaves > 0 && tree.NumLeaves() > p.MaxLeaves || tree.Depth() > p.MaxDepth {
				t.Fatalf("%s: tree %d has %d leaves, depth %d", p.testName(), n, tree.NumLeaves(), tree.Depth())
			}
		}
		if splits < 20 {
			t.Fatalf("%s: only %d splits", p.testName(), splits)
		}
	}
}

// Rows of weight 0 with a missing value show in the counts of rows but not in the sums: 10 rows have value 0, 3 have
// value 1, 30 have none and no weight. Leaves of at least 5 rows are possible only with the missing values beside the 1s.
func TestLeastRowsWithMissingValuesOfNoWeight(t *testing.T) {
	for _, family := range []Family{LightGBM, XGBoost} {
		values, targets := make([]float64, 43), Targets{Labels: make([]float64, 43), Weights: make([]float64, 43)}
		for i := range values {
			switch {
			case i < 10:
				targets.Weights[i] = 1
			case i < 13:
				values[i], targets.Labels[i], targets.Weights[i] = 1, 1, 1
			default:
				values[i] = math.NaN()
			}
		}
		x, err := NewMatrix(values, 1)
		if err != nil {
			t.Fatal(err)
		}
		p := DefaultParams(family)
		p.Rounds, p.MinDataInLeaf, p.MinDataInBin = 1, 5, 1
		tree := &mustTrain(t, p, mustDataset(t, x, targets), TrainOptions{}).Model.Trees[0]
		if want := []int32{10, 33}; !reflect.DeepEqual(tree.LeafCount, want) {
			t.Errorf("%v: rows in the leaves: got %v, want %v", family, tree.LeafCount, want)
		}
	}
}
