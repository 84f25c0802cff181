package gbdt

import (
	"cmp"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

// categoryData has one column of codes, the other values of which are in no category, and labels by code.
func categoryData(t *testing.T, rng *rand.Rand, rows, codes int) *Dataset {
	values, labels := make([]float64, rows), make([]float64, rows)
	effect := make([]float64, codes)
	for c := range effect {
		effect[c] = rng.NormFloat64()
	}
	for i := range values {
		c := rng.IntN(codes)
		values[i], labels[i] = float64(c), effect[c]+0.3*rng.NormFloat64()
		switch rng.IntN(20) {
		case 0:
			values[i] = math.NaN()
		case 1:
			values[i] = -3
		case 2:
			values[i] += 0.5 // the same category
		case 3:
			values[i] = 1e9
		}
	}
	x, err := NewMatrix(values, 1)
	if err != nil {
		t.Fatal(err)
	}
	return mustDataset(t, x, Targets{Labels: labels})
}

// naiveCategories returns the largest gain of a division of all rows by category, by loops over the rows.
func naiveCategories(p *Params, d *Dataset, pairs []gradPair, rule *splitRule, codes []int32) (best float64, left []int32) {
	var total gradPair
	for _, q := range pairs {
		total += q
	}
	sums, rows := map[int32]gradPair{}, map[int32]int{}
	for i, q := range pairs {
		c := p.Family.category(d.x.At(i, 0))
		sums[c] += q
		rows[c]++
	}
	score := func(q gradPair, l2 float64) float64 {
		g, h := rule.unpack(q)
		return g * g / (h + p.L2 + l2)
	}
	parent, least := score(total, 0), rule.minSumHessian
	try := func(set []int32, l2 float64) {
		var sum gradPair
		for _, c := range set {
			sum += sums[c]
		}
		_, hl := rule.unpack(sum)
		_, hr := rule.unpack(total - sum)
		if gain := score(sum, l2) + score(total-sum, l2) - parent; hl >= least && hr >= least && gain > best {
			best, left = gain, slices.Clone(set)
		}
	}
	if p.MaxCatToOneHot == 255 {
		for _, c := range codes {
			try([]int32{c}, 0)
		}
		return best, left
	}
	order := slices.DeleteFunc(slices.Clone(codes), func(c int32) bool { return float64(rows[c]) < p.CatSmooth })
	slices.SortStableFunc(order, func(a, b int32) int {
		ga, ha := rule.unpack(sums[a])
		gb, hb := rule.unpack(sums[b])
		return cmp.Compare(ga/(ha+p.CatSmooth), gb/(hb+p.CatSmooth))
	})
	for range 2 {
		for n := 1; n <= min(p.MaxCatThreshold, (len(order)+1)/2); n++ {
			try(order[:n], p.CatL2)
		}
		slices.Reverse(order)
	}
	return best, left
}

func TestCategoriesAgainstPlainSearch(t *testing.T) {
	for _, family := range []Family{LightGBM, XGBoost} {
		for _, oneHot := range []int{0, 255} {
			for _, codes := range []int{3, 12, 90} {
				rng := rand.New(rand.NewPCG(uint64(codes), 2))
				d := categoryData(t, rng, 3000, codes)
				p := DefaultParams(family)
				p.CategoricalFeatures, p.MaxCatToOneHot, p.MinDataPerGroup, p.MaxCatThreshold = []int{0}, oneHot, 1, 20
				p.MinDataInLeaf, p.MinSumHessian, p.MaxLeaves, p.MaxDepth, p.Rounds, p.L2 = 1, 5, 2, 1, 1, 1
				tr, err := newTrainer(&p, d, TrainOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := tr.round(t.Context(), 0); err != nil {
					t.Fatal(err)
				}
				rule := splitRule{scale: tr.scale[0], minSumHessian: p.MinSumHessian}
				want, left := naiveCategories(&p, d, tr.pairs[0], &rule, tr.data.features[0].categories)
				tree := &tr.model.Trees[0]
				if want == 0 || len(tree.Left) != 1 {
					t.Fatalf("%v, %d codes: gain %v, %d splits", family, codes, want, len(tree.Left))
				}
				if math.Abs(tree.Gain[0]-family.stored(want)) > 1e-9*want {
					t.Errorf("%v, one-hot %d, %d codes: gain %v, want %v", family, oneHot, codes, tree.Gain[0], want)
				}
				var got []int32
				for w, word := range tree.CategorySet(0) {
					for b := range 32 {
						if word>>b&1 != 0 {
							got = append(got, int32(32*w+b))
						}
					}
				}
				slices.Sort(left)
				if !slices.Equal(got, left) {
					t.Errorf("%v, one-hot %d, %d codes: set %v, want %v", family, oneHot, codes, got, left)
				}
			}
		}
	}
}

// Below MaxCatToOneHot categories, missing values or not, a split names one of them, as in both libraries (checked with
// LightGBM 4.7.0, whose four categories without missing values were divided two and two).
func TestFewCategoriesAreNamedOneByOne(t *testing.T) {
	effect := [5]float64{-2, 2, -1.9, 1.9, -1.8}
	for _, family := range []Family{LightGBM, XGBoost} {
		for codes := 3; codes <= 5; codes++ {
			for _, missing := range []bool{false, true} {
				values, labels := make([]float64, 5000), make([]float64, 5000)
				for i := range values {
					values[i], labels[i] = float64(i%codes), effect[i%codes]
					if missing && i%11 == 0 {
						values[i] = math.NaN()
					}
				}
				x, err := NewMatrix(values, 1)
				if err != nil {
					t.Fatal(err)
				}
				p := DefaultParams(family)
				p.CategoricalFeatures, p.MaxLeaves, p.Rounds = []int{0}, 2, 1
				r, err := Train(t.Context(), p, mustDataset(t, x, Targets{Labels: labels}), TrainOptions{})
				if err != nil {
					t.Fatal(err)
				}
				named := 0
				for _, word := range r.Model.Trees[0].CategorySet(0) {
					named += bits.OnesCount32(word)
				}
				if one := named == 1; one != (codes < p.MaxCatToOneHot) {
					t.Errorf("%v, %d categories, missing %v: the set names %d", family, codes, missing, named)
				}
			}
		}
	}
}

// More categories than bins: the frequent ones keep a bin, the rare ones are like missing values.
func TestRareCategoriesShareABin(t *testing.T) {
	var values []float64
	for c := range 10 {
		values = append(values, slices.Repeat([]float64{float64(7 * c)}, 1+c)...)
	}
	x, err := NewMatrix(values, 1)
	if err != nil {
		t.Fatal(err)
	}
	p := DefaultParams(LightGBM)
	p.CategoricalFeatures, p.MaxBin, p.MinDataInBin = []int{0}, 5, 1
	d := mustDataset(t, x, Targets{Labels: make([]float64, len(values))})
	for _, b := range []*binned{binByRank(d, &p), binByValue(d, &p)} {
		f := &b.features[0]
		if want := []int32{63, 56, 49, 42}; !slices.Equal(f.categories, want) || !f.missing {
			t.Errorf("categories %v, missing %v, want %v and a bin for others", f.categories, f.missing, want)
		}
		for i, v := range values {
			want := slices.Index(f.categories, int32(v))
			if want < 0 {
				want = 4
			}
			if got := int(b.bin(0, int32(i))); got != want {
				t.Errorf("bin of %v: got %d, want %d", v, got, want)
			}
		}
		if want := []int32{63, 56, 49, 42, -1}; !slices.Equal(b.infos[0].Categories, want) {
			t.Errorf("info: got %v, want %v", b.infos[0].Categories, want)
		}
	}
}
