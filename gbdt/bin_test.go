package gbdt

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

func TestThreshold(t *testing.T) {
	inf := math.Inf(1)
	next := math.Nextafter(1, 2)
	next32 := float64(math.Nextafter32(1, 2))
	for _, c := range []struct {
		name     string
		family   Family
		a, b     float64
		want     float64
		possible bool
	}{
		{"half-way", LightGBM, 1, 2, 1.5, true},
		{"neighbours", LightGBM, 1, next, 1, true},
		{"no overflow", LightGBM, math.MaxFloat64 / 2, math.MaxFloat64, math.MaxFloat64 * 0.75, true},
		{"below infinity", LightGBM, 7, inf, 7, true},
		{"above minus infinity", LightGBM, -inf, -7, math.Nextafter(-7, -inf), true},
		{"between the infinities", LightGBM, -inf, inf, zeroThreshold, true},
		{"nothing finite", LightGBM, -inf, -math.MaxFloat64, 0, false},
		{"above 0", LightGBM, 0, 5, zeroThreshold, true},
		{"below 0", LightGBM, -5, 0, -zeroThreshold, true},
		{"around zero", LightGBM, -1, 5, zeroThreshold, true},
		{"the upper neighbour", XGBoost, 1, 2, 2, true},
		{"neighbours", XGBoost, 1, next32, next32, true},
		{"below infinity", XGBoost, 7, inf, math.MaxFloat32, true},
		{"nothing finite", XGBoost, math.MaxFloat32, inf, 0, false},
		{"above minus infinity", XGBoost, -inf, 7, 7, true},
		{"around zero", XGBoost, -1, 1, 1, true},
	} {
		got, ok := threshold(c.family, c.a, c.b)
		if ok != c.possible || ok && math.Float64bits(got) != math.Float64bits(c.want) {
			t.Errorf("%v %s: threshold(%v, %v): got %v, %v, want %v, %v", c.family, c.name, c.a, c.b, got, ok, c.want, c.possible)
		}
	}
}

func TestThresholdSeparatesRandomNeighbours(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range 20_000 {
		a := math.Float64frombits(rng.Uint64())
		b := math.Nextafter(a, math.Inf(1))
		if rng.IntN(2) == 0 {
			b = math.Float64frombits(rng.Uint64())
		}
		for _, family := range []Family{LightGBM, XGBoost} {
			x, y := family.normalize(a), family.normalize(b)
			if x > y {
				x, y = y, x
			}
			if !(x < y) {
				continue
			}
			th, ok := threshold(family, x, y)
			if !ok {
				if isFinite(x) && isFinite(y) {
					t.Fatalf("%v: no threshold between %v and %v", family, x, y)
				}
				continue
			}
			if !family.left(x, th) || family.left(y, th) || family == XGBoost && !isFloat32(th) || !isFinite(th) {
				t.Fatalf("%v: threshold %v does not separate %v and %v", family, th, x, y)
			}
		}
	}
}

func TestCutBins(t *testing.T) {
	for _, c := range []struct {
		name           string
		rows           []int
		limit, minRows int
		want           []int
	}{
		{"a bin each", []int{5, 1, 3}, 10, 1, []int{0, 1}},
		{"one value", []int{5}, 10, 1, nil},
		{"small ones joined", []int{1, 1, 1, 1, 1, 1, 1}, 10, 3, []int{2, 5}},
		{"even spread", []int{1, 1, 1, 1, 1, 1, 1, 1}, 4, 1, []int{1, 3, 5}},
		{"a large value alone", []int{1, 1, 90, 1, 1}, 3, 1, []int{1, 2}},
		{"fewer rows than a bin wants", []int{1, 1}, 10, 5, nil},
	} {
		got := cutBins(c.rows, c.limit, c.minRows)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestCutAroundZero(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []float64
		rows   []int
		limit  int
		want   []int
	}{
		{"all above", []float64{1, 2, 3, 4}, []int{1, 1, 1, 1}, 3, []int{1}},
		{"all above, at least two bins", []float64{1, 2}, []int{1, 1}, 2, []int{0}},
		{"from 0 on", []float64{0, 1, 2, 3}, []int{7, 1, 1, 1}, 10, []int{0, 1, 2}},
		{"both sides", []float64{-2, -1, 0, 1, 2}, []int{1, 1, 1, 1, 1}, 10, []int{0, 1, 2, 3}},
		{"both sides without 0", []float64{-2, -1, 1, 2}, []int{1, 1, 1, 1}, 10, []int{0, 1, 2}},
		{"shares", []float64{-3, -2, -1, 0, 1}, []int{1, 1, 1, 9, 1}, 4, []int{1, 2, 3}},
		{"no bin left for the upper part", []float64{-1, 0, 1}, []int{1, 1, 1}, 2, []int{0}},
		{"all below", []float64{-3, -2, -1}, []int{1, 1, 1}, 10, []int{0, 1}},
		{"0 alone", []float64{0}, []int{3}, 10, nil},
	} {
		if got := cutAroundZero(c.values, c.rows, c.limit, 1); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// The bins begin with the values that XGBoost 3.2.0 says (QuantileDMatrix.get_quantile_cut) for the same rows.
func TestCutEvenly(t *testing.T) {
	for _, c := range []struct {
		name           string
		rows           []int
		limit, minRows int
		want           []int
	}{
		{"a bin each", []int{5, 1, 3}, 10, 1, []int{0, 1}},
		{"one value more than bins", []int{1, 1, 1, 1, 1}, 4, 1, []int{0, 1, 2}},
		{"even spread", []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 4, 1, []int{2, 4, 6}},
		{"a large value", []int{1, 1, 90, 1, 1}, 3, 1, []int{1, 3}},
		{"bins of two rows", []int{1, 1, 1, 1, 1, 1, 1, 1}, 7, 2, []int{1, 3, 6}},
	} {
		if got := cutEvenly(c.rows, c.limit, c.minRows); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestCutBinsKeepsItsLimits(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for range 2000 {
		rows := make([]int, 1+rng.IntN(200))
		total := 0
		for i := range rows {
			rows[i] = 1 + int(rng.ExpFloat64()*rng.ExpFloat64()*20)
			total += rows[i]
		}
		limit := 2 + rng.IntN(40)
		values := make([]float64, len(rows))
		below := rng.IntN(3 * len(rows))
		for i := range values {
			values[i] = float64(i - below)
		}
		for name, cuts := range map[string][]int{
			"cutBins": cutBins(rows, limit, 1), "cutEvenly": cutEvenly(rows, limit, 1), "cutAroundZero": cutAroundZero(values, rows, limit, 1),
		} {
			if len(cuts) >= limit {
				t.Fatalf("%s: %d cuts for at most %d bins of %d values", name, len(cuts), limit, len(rows))
			}
			for i, c := range cuts {
				if c < 0 || c >= len(rows)-1 || i > 0 && c <= cuts[i-1] {
					t.Fatalf("%s: cuts %v of %d values", name, cuts, len(rows))
				}
			}
		}
	}
}

// naiveBin counts the thresholds that x does not pass.
func naiveBin(f *feature, family Family, x float64) int {
	x = family.normalize(x)
	if x != x {
		return f.values
	}
	bin := 0
	for _, u := range f.upper {
		if !family.left(x, u) {
			bin++
		}
	}
	return bin
}

func TestBinnedHoldsEveryRowsBin(t *testing.T) {
	for _, family := range []Family{LightGBM, XGBoost} {
		p := DefaultParams(family)
		p.MaxBin = 16
		d := testDataset(t, 7, 500, 12, p)
		b := newBinned(d, &p)
		if len(b.features) < 10 {
			t.Fatalf("%v: %d features in use", family, len(b.features))
		}
		for s := range b.features {
			f := &b.features[s]
			if f.bins() > p.MaxBin {
				t.Errorf("%v: feature %d has %d bins", family, f.column, f.bins())
			}
			for i := range d.Rows() {
				if got, want := int(b.bin(s, int32(i))), naiveBin(f, family, d.x.At(i, f.column)); got != want {
					t.Fatalf("%v: bin of row %d in column %d: got %d, want %d", family, i, f.column, got, want)
				}
			}
		}
	}
}

func TestBinsByRankAndByValueAgree(t *testing.T) {
	for _, family := range []Family{LightGBM, XGBoost} {
		for _, maxBin := range []int{2, 20, 256} {
			p := DefaultParams(family)
			p.MaxBin, p.MinDataInBin = maxBin, 1
			d := testDataset(t, 8, 700, 11, p)
			sub, err := d.Subset([]int32{5, 3, 3, 600, 2, 9, 77, 78, 79, 80})
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range []*Dataset{d, sub} {
				rank, value := binByRank(d, &p), binByValue(d, &p)
				for _, b := range []*binned{rank, value} {
					for s := range b.features { // NaN is not equal to itself
						b.features[s].above = max(b.features[s].above, 0)
					}
				}
				for j, a := range rank.infos {
					b := value.infos[j]
					if !sameBits([]float64{a.Min, a.Max}, []float64{b.Min, b.Max}) {
						t.Errorf("%v: column %d: info by rank %v, by value %v", family, j, a, b)
					}
				}
				rank.infos, value.infos = nil, nil
				if !reflect.DeepEqual(rank, value) {
					t.Errorf("%v, %d bins, %d rows: by rank and by value differ", family, maxBin, d.Rows())
				}
			}
		}
	}
}

// More rows than the sample for the edges: each row is still in the bin that the thresholds say, and a column whose
// only missing value is in a row outside the sample has a bin for it.
func TestBinsOfManyRows(t *testing.T) {
	const rows = sampleRows + 50_000
	rng := rand.New(rand.NewPCG(1, 2))
	values := make([]float32, 2*rows)
	for i := range values {
		values[i] = float32(rng.NormFloat64())
	}
	p := DefaultParams(XGBoost)
	drawn := make(map[int]bool)
	for _, i := range (&binned{rows: rows}).sample(&p) {
		drawn[i] = true
	}
	if len(drawn) < sampleRows*9/10 {
		t.Fatalf("the sample has %d different rows", len(drawn))
	}
	at := 0
	for drawn[at] {
		at++
	}
	values[2*at+1] = float32(math.NaN())
	x, err := NewMatrix(values, 2)
	if err != nil {
		t.Fatal(err)
	}
	b := newBinned(mustDataset(t, x, Targets{Labels: make([]float64, rows)}), &p)
	if len(b.features) != 2 || b.features[0].missing || !b.features[1].missing {
		t.Fatalf("features: %+v", b.features)
	}
	for s := range b.features {
		f := &b.features[s]
		counts := make([]int, f.bins())
		for i := range rows {
			got := int(b.bin(s, int32(i)))
			counts[got]++
			if want := naiveBin(f, p.Family, x.At(i, s)); got != want {
				t.Fatalf("row %d, slot %d: got bin %d, want %d", i, s, got, want)
			}
		}
		for bin, n := range counts[:f.values] {
			if n < rows/f.values/2 || n > rows/f.values*2 {
				t.Errorf("slot %d: bin %d of %d has %d of %d rows", s, bin, f.values, n, rows)
			}
		}
	}
}

// The bins of a subset come from its rows alone: they are those of a dataset that never held the others.
func TestSubsetBinsSeeOnlyTheirRows(t *testing.T) {
	for _, family := range []Family{LightGBM, XGBoost} {
		p := DefaultParams(family)
		p.MaxBin = 12
		whole := testDataset(t, 9, 600, 6, p)
		rng := rand.New(rand.NewPCG(9, 9))
		rows := make([]int32, 300)
		var values []float64
		for i := range rows {
			rows[i] = int32(rng.IntN(200)) // repeats, and never the last 400
			values = append(values, whole.x.row(int(rows[i]), nil)...)
		}
		sub, err := whole.Subset(rows)
		if err != nil {
			t.Fatal(err)
		}
		x, err := NewMatrix(values, 6)
		if err != nil {
			t.Fatal(err)
		}
		alone := mustDataset(t, x, sub.Targets())
		a, b := newBinned(sub, &p), newBinned(alone, &p)
		if !reflect.DeepEqual(a.blocks, b.blocks) {
			t.Errorf("%v: bins of a subset and of its rows alone differ", family)
		}
		for s := range a.features {
			if !slices.Equal(a.features[s].upper, b.features[s].upper) {
				t.Errorf("%v: thresholds of slot %d: %v, alone %v", family, s, a.features[s].upper, b.features[s].upper)
			}
		}
	}
}

func TestColumnsOfOneValueAreLeftOut(t *testing.T) {
	nan := math.NaN()
	x, err := NewMatrix([]float64{
		1, nan, 0, 3, nan,
		1, nan, 1e-40, 3, 2,
		1, nan, -1e-40, 4, 2,
		1, nan, 0, 4, 2,
	}, 5)
	if err != nil {
		t.Fatal(err)
	}
	p := DefaultParams(LightGBM)
	p.MinDataInBin = 1
	b := newBinned(mustDataset(t, x, Targets{Labels: make([]float64, 4)}), &p)
	var got []int
	for _, f := range b.features {
		got = append(got, f.column)
	}
	if want := []int{3, 4}; !slices.Equal(got, want) {
		t.Errorf("columns in use: got %v, want %v", got, want)
	}
	if info := b.infos[3]; info.Min != 3 || info.Max != 4 || !math.IsNaN(b.infos[0].Min) {
		t.Errorf("infos: got %v", b.infos)
	}
}

func TestRankColumn(t *testing.T) {
	nan := math.NaN()
	x, err := NewMatrix([]float64{3, math.Copysign(0, -1), nan, -5, 0, math.Inf(1), 3, math.Inf(-1)}, 1)
	if err != nil {
		t.Fatal(err)
	}
	c := rankColumn(x, 0)
	if want := []float64{math.Inf(-1), -5, 0, 3, math.Inf(1)}; !sameBits(c.values, want) {
		t.Errorf("values: got %v, want %v", c.values, want)
	}
	if want := []uint32{3, 2, 5, 1, 2, 4, 3, 0}; !slices.Equal(c.ranks, want) {
		t.Errorf("ranks: got %v, want %v", c.ranks, want)
	}
}
