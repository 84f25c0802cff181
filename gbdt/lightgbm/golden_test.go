package lightgbm

import (
	"bytes"
	"math"
	"path/filepath"
	"testing"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/internal/golden"
)

// archives opens the fixtures: models of LightGBM 2.1 to 4.7 and what LightGBM 4.7.0 answers when it reads them.
func archives(tb testing.TB) []*golden.Archive {
	tb.Helper()
	paths, err := filepath.Glob("testdata/golden-*.tar.gz")
	if err != nil || len(paths) == 0 {
		tb.Fatalf("no golden archives in testdata: %v", err)
	}
	var all []*golden.Archive
	for _, p := range paths {
		a, err := golden.Open(p)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, a)
	}
	return all
}

// TestGolden compares raw scores bit for bit, leaf numbers exactly, link outputs to a few units in the last place, and
// the rewritten text byte for byte.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, a := range archives(t) {
		t.Run(a.Made.TrainedWith, func(t *testing.T) {
			t.Parallel()
			if a.Made.PredictedWith != "4.7.0" {
				t.Errorf("predictions are of LightGBM %s, want 4.7.0", a.Made.PredictedWith)
			}
			rows := a.Rows("rows.f64", 8)
			raws, leaves, links, worst := 0, 0, 0, uint64(0)
			for _, c := range a.Cases {
				text := c.File("model.txt")
				f, err := Read(bytes.NewReader(text))
				if err != nil {
					t.Errorf("%s: %v", c.Name, err)
					continue
				}
				var again bytes.Buffer
				if err := Write(&again, f); err != nil {
					t.Errorf("%s: %v", c.Name, err)
				} else if i := firstDifference(again.Bytes(), text); i >= 0 {
					t.Errorf("%s: rewritten text differs at byte %d: %q, want %q", c.Name, i, around(again.Bytes(), i), around(text, i))
				}
				p, err := gbdt.NewPredictor(f.Model, gbdt.PredictOptions{})
				if err != nil {
					t.Errorf("%s: %v", c.Name, err)
					continue
				}
				wantRaw, wantOut, wantLeaf := golden.Float64s(c.File("raw.f64")), golden.Float64s(c.File("out.f64")), c.File("leaf.u8")
				raw, out, leaf := make([]float64, p.NumRaw()), make([]float64, p.NumOutputs()), make([]int32, p.NumTrees())
				if len(wantRaw) != len(raw)*len(rows) || len(wantOut) != len(out)*len(rows) || len(wantLeaf) != len(leaf)*len(rows) {
					t.Errorf("%s: %d raw scores, %d outputs, %d leaves for %d rows", c.Name, len(wantRaw), len(wantOut), len(wantLeaf), len(rows))
					continue
				}
				for i, row := range rows {
					if err := p.Raw(raw, row); err != nil {
						t.Fatal(err)
					}
					if err := p.Predict(out, row); err != nil {
						t.Fatal(err)
					}
					if err := p.LeafIndex(leaf, row); err != nil {
						t.Fatal(err)
					}
					for k, got := range raw {
						raws++
						if want := wantRaw[i*len(raw)+k]; math.Float64bits(got) != math.Float64bits(want) {
							t.Errorf("%s, row %d: raw score %d is %v, want %v", c.Name, i, k, got, want)
						}
					}
					for k, got := range out {
						links++
						want := wantOut[i*len(out)+k]
						d := ulps(got, want)
						worst = max(worst, d)
						if d > 4 {
							t.Errorf("%s, row %d: output %d is %v, want %v", c.Name, i, k, got, want)
						}
					}
					for k, got := range leaf {
						leaves++
						if want := int32(wantLeaf[i*len(leaf)+k]); got != want {
							t.Errorf("%s, row %d: leaf of tree %d is %d, want %d", c.Name, i, k, got, want)
						}
					}
				}
			}
			t.Logf("LightGBM %s: %d models, %d raw scores, %d leaf numbers, %d outputs (at most %d units in the last place off)",
				a.Made.TrainedWith, len(a.Cases), raws, leaves, links, worst)
		})
	}
}

// ulps returns how many float64 numbers lie between a and b; two NaN are equal.
func ulps(a, b float64) uint64 {
	if a == b || a != a && b != b {
		return 0
	}
	order := func(x float64) int64 {
		i := int64(math.Float64bits(x))
		if i < 0 {
			return math.MinInt64 - i
		}
		return i
	}
	d := order(a) - order(b)
	return uint64(max(d, -d))
}

// firstDifference returns where a and b start to differ, -1 if they are equal.
func firstDifference(a, b []byte) int {
	if bytes.Equal(a, b) {
		return -1
	}
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	return i
}

func around(b []byte, i int) []byte { return b[max(0, i-20):min(len(b), i+20)] }
