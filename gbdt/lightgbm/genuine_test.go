package lightgbm

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/internal/genuine"
)

const genuineScript = "../../scripts/gbdt/check_genuine.py"

// TestGenuine lets LightGBM load models that package gbdt trained, and one of numbers of every size and kind. It must
// give the same bits, and write the same trees when it saves them.
func TestGenuine(t *testing.T) {
	t.Parallel()
	cases := append(genuine.Trained(t, gbdt.LightGBM, "model.txt"), numbers())
	again := genuine.Compare(t, "lightgbm", genuineScript, cases, func(path string, c genuine.Case) error {
		f, err := New(c.Model)
		if err != nil {
			return err
		}
		return Save(path, f)
	})
	for _, c := range cases {
		compareTrees(t, c, again[c.Name])
	}
}

func numbers() genuine.Case {
	rng := rand.New(rand.NewPCG(7, 11))
	m := &gbdt.Model{
		Family: gbdt.LightGBM, FeatureNames: []string{"x", "y"}, Outputs: 1, BaseMargin: []float64{0},
		Objective: gbdt.Objective{Name: "regression"},
	}
	for i := range 40 {
		m.Trees = append(m.Trees, randomTree(rng, 200, i%2 == 1))
		m.RoundEnds = append(m.RoundEnds, int32(i+1))
	}
	rows := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 5e-324, 1e-35, -1e-35, 0}
	for range 300 {
		rows = append(rows, anyFloat(rng), anyFloat(rng))
	}
	return genuine.Case{Name: "numbers", Model: m, File: "model.txt", Rows: rows}
}

// randomTree makes a tree of a chain of splits with numbers of every size.
func randomTree(rng *rand.Rand, leaves int, linear bool) gbdt.Tree {
	t := gbdt.Tree{Shrinkage: 0.1}
	for i := range leaves - 1 {
		t.Feature = append(t.Feature, int32(rng.IntN(2)))
		t.Threshold = append(t.Threshold, anyFloat(rng))
		t.Decision = append(t.Decision, gbdt.Decision(false, rng.IntN(2) == 0, gbdt.MissingType(rng.IntN(3))))
		t.Left, t.Right = append(t.Left, ^int32(i)), append(t.Right, int32(i+1))
		t.Gain = append(t.Gain, math.Abs(float64(float32(rng.NormFloat64()))))
		t.InternalValue = append(t.InternalValue, rng.NormFloat64())
		t.InternalWeight = append(t.InternalWeight, float64(rng.IntN(1e9)))
		t.InternalCount = append(t.InternalCount, rng.Int32())
	}
	t.Right[leaves-2] = ^int32(leaves - 1)
	for range leaves {
		t.LeafValue = append(t.LeafValue, anyFloat(rng))
		t.LeafWeight = append(t.LeafWeight, math.Abs(anyFloat(rng)))
		t.LeafCount = append(t.LeafCount, rng.Int32())
	}
	if linear {
		l := &gbdt.LinearLeaves{Start: []int32{0}}
		for range leaves {
			l.Const = append(l.Const, 10*rng.NormFloat64())
			for f := range rng.IntN(3) {
				l.Features = append(l.Features, int32(f))
				l.Coeff = append(l.Coeff, rng.NormFloat64()/64)
			}
			l.Start = append(l.Start, int32(len(l.Coeff)))
		}
		t.Linear = l
	}
	return t
}

// anyFloat returns a finite number of any size.
func anyFloat(rng *rand.Rand) float64 {
	for {
		if x := math.Float64frombits(rng.Uint64()); math.Abs(x) < 1e306 {
			return x
		}
	}
}

// compareTrees compares the text of the trees.
func compareTrees(t *testing.T, c genuine.Case, again []byte) {
	t.Helper()
	f, err := New(c.Model)
	if err != nil {
		t.Fatal(err)
	}
	var ours bytes.Buffer
	if err := Write(&ours, f); err != nil {
		t.Fatal(err)
	}
	end := []byte("\nend of trees\n")
	got, _, ok := bytes.Cut(ours.Bytes(), end)
	want, _, ok2 := bytes.Cut(again, end)
	if !ok || !ok2 {
		t.Errorf("%s: no end of trees", c.Name)
		return
	}
	if i := firstDifference(got, want); i >= 0 {
		t.Errorf("%s: text differs at byte %d: %q, LightGBM writes %q", c.Name, i, around(got, i), around(want, i))
	}
}
