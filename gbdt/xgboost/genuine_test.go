package xgboost

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/internal/genuine"
)

const genuineScript = "../../scripts/gbdt/check_genuine.py"

// TestGenuine lets XGBoost load what is written here, as JSON and as UBJSON: models that package gbdt trained, one of
// numbers of every size, and files of XGBoost's own that were read and are written in the form for all releases (one
// base_score where they are equal, weights of dart outside the model). It must give the same bits.
//
// GENUINE_PYTHON may name a python with another release. Those to 3.0 then differ for base scores that are not all
// equal, those to 2.0 do not read names of categories from UBJSON, those to 1.7 do not know some objectives, and 1.6
// sends unseen categories another way.
func TestGenuine(t *testing.T) {
	t.Parallel()
	cases := genuine.Trained(t, gbdt.XGBoost, "model.json", "model.ubj")
	files := map[string]*File{}
	for _, c := range append(cases, numbers(t)) {
		f, err := New(c.Model)
		if err != nil {
			t.Fatal(err)
		}
		files[c.Name] = f
	}
	cases = append(cases, numbers(t))
	for _, a := range archives(t) {
		finite := a.Rows("finite.f64", 8)
		for _, c := range a.Cases {
			if strings.HasPrefix(c.Name, "refused/") || strings.Contains(c.Name, "quantile_3") {
				continue // several quantiles are sorted since 3.4 only
			}
			f, err := Read(bytes.NewReader(c.File("model.json")))
			if err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			one := genuine.Case{Name: a.Made.TrainedWith + "-" + c.Name, Model: f.Model, File: "model.json", Rows: slices.Concat(finite...)}
			if len(cases)%2 == 1 {
				one.File = "model.ubj"
			}
			files[one.Name] = f
			cases = append(cases, one)
		}
	}
	again := genuine.Compare(t, "xgboost", genuineScript, cases, func(path string, c genuine.Case) error {
		f := files[c.Name]
		var b bytes.Buffer
		write := WriteJSON
		if c.File == "model.ubj" {
			write = WriteUBJSON
		}
		if err := write(&b, f); err != nil {
			return err
		}
		written, err := Read(bytes.NewReader(b.Bytes()))
		if err != nil {
			return err
		}
		equal := !slices.ContainsFunc(f.Model.BaseMargin, func(b float64) bool { return b != f.Model.BaseMargin[0] })
		if written.ReadForm.WeightsInModel || written.ReadForm.ListBaseScore && equal {
			t.Errorf("%s: written in the form %+v", c.Name, written.ReadForm)
		}
		return os.WriteFile(path, b.Bytes(), 0o644)
	})
	compareNumbers(t, files["numbers"], again["numbers"])
}

// numbers is the case of numbersModel, with the leaf numbers of its file.
func numbers(t *testing.T) genuine.Case {
	t.Helper()
	f, err := New(numbersModel())
	if err != nil {
		t.Fatal(err)
	}
	m := mustRead(t, asJSON(t, f)).Model
	return genuine.Case{Name: "numbers", Model: m, File: "model.ubj", Rows: []float64{0, 1, math.NaN(), -1e30, 1e-40}}
}

// numbersModel is a tree of float32 numbers of every size.
func numbersModel() *gbdt.Model {
	rng := rand.New(rand.NewPCG(3, 5))
	const leaves = 20000
	tree := gbdt.Tree{Shrinkage: 1}
	for i := range leaves - 1 {
		tree.Feature = append(tree.Feature, 0)
		tree.Threshold = append(tree.Threshold, float64(anyFloat(rng)))
		tree.Decision = append(tree.Decision, 0)
		tree.Gain = append(tree.Gain, float64(anyFloat(rng)))
		tree.Left, tree.Right = append(tree.Left, ^int32(i)), append(tree.Right, int32(i+1))
	}
	tree.Right[leaves-2] = ^int32(leaves - 1)
	for range leaves {
		tree.LeafValue = append(tree.LeafValue, float64(anyFloat(rng)))
		tree.LeafWeight = append(tree.LeafWeight, float64(anyFloat(rng)))
	}
	return &gbdt.Model{
		Family: gbdt.XGBoost, FeatureNames: []string{"x"}, Outputs: 1, BaseMargin: []float64{float64(float32(0.1))},
		Objective: gbdt.Objective{Name: "reg:squarederror"}, Trees: []gbdt.Tree{tree}, RoundEnds: []int32{1},
	}
}

// compareNumbers compares the text of numbers with what XGBoost made of it.
func compareNumbers(t *testing.T, f *File, again []byte) {
	t.Helper()
	ours := []byte(asJSON(t, f))
	for _, key := range []string{"split_conditions", "loss_changes", "sum_hessian"} {
		got, want := array(t, ours, key), array(t, again, key)
		if i := firstDifference(got, want); i >= 0 {
			t.Errorf("%s differs at byte %d: %q, XGBoost writes %q", key, i, around(got, i), around(want, i))
		}
	}
}

func anyFloat(rng *rand.Rand) float32 {
	for {
		if x := math.Float32frombits(rng.Uint32()); x-x == 0 {
			return x
		}
	}
}

// array returns the text of the first array of the key.
func array(t *testing.T, text []byte, key string) []byte {
	t.Helper()
	_, rest, ok := bytes.Cut(text, []byte(`"`+key+`":[`))
	value, _, ok2 := bytes.Cut(rest, []byte("]"))
	if !ok || !ok2 {
		t.Fatalf("no array %s", key)
	}
	return value
}
