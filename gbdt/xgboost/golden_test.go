package xgboost

import (
	"bytes"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/internal/golden"
)

// archives opens the fixtures: models of XGBoost 1.6 to 3.4, and what XGBoost answers when it reads them: 3.4.1 its own,
// 3.2.0 the others.
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

// TestGolden compares raw scores and link outputs bit for bit, node numbers exactly, and the rewritten documents byte
// for byte.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, a := range archives(t) {
		t.Run(a.Made.TrainedWith, func(t *testing.T) {
			t.Parallel()
			want := "3.2.0"
			if a.Made.TrainedWith == "3.4.1" {
				want = "3.4.1"
			}
			if a.Made.PredictedWith != want {
				t.Errorf("predictions are of XGBoost %s, want %s", a.Made.PredictedWith, want)
			}
			g := &goldenTest{T: t, rows: a.Rows("rows.f64", 8), finite: a.Rows("finite.f64", 8)}
			for _, c := range a.Cases {
				if strings.HasPrefix(c.Name, "refused/") {
					continue
				}
				g.rewrite(c)
				g.predict(c)
			}
			t.Logf("XGBoost %s: %d models, %d raw scores, %d node numbers, %d outputs (%d not the same bits), %d JSON and %d UBJSON documents rewritten",
				a.Made.TrainedWith, g.models, g.raws, g.nodes, g.outs, g.outsOff, g.json, g.ubjson)
		})
	}
}

type goldenTest struct {
	*testing.T
	rows, finite                                     [][]float64
	models, raws, nodes, outs, outsOff, json, ubjson int
}

// rewrite writes what was read in both forms, from both forms.
func (g *goldenTest) rewrite(c golden.Case) {
	text, binary := c.File("model.json"), c.File("model.ubj")
	for _, from := range [][]byte{text, binary} {
		if from == nil {
			continue
		}
		f, err := Read(bytes.NewReader(from))
		if err != nil {
			g.Errorf("%s: %v", c.Name, err)
			continue
		}
		f.Form = f.ReadForm
		var asJSON, asUBJSON bytes.Buffer
		if err := WriteJSON(&asJSON, f); err != nil {
			g.Errorf("%s: %v", c.Name, err)
		}
		if i := firstDifference(asJSON.Bytes(), text); i >= 0 {
			g.Errorf("%s: JSON differs at byte %d: %q, want %q", c.Name, i, around(asJSON.Bytes(), i), around(text, i))
		}
		g.json++
		if binary == nil {
			continue
		}
		if err := WriteUBJSON(&asUBJSON, f); err != nil {
			g.Errorf("%s: %v", c.Name, err)
		}
		if i := firstDifference(asUBJSON.Bytes(), binary); i >= 0 {
			g.Errorf("%s: UBJSON differs at byte %d: %q, want %q", c.Name, i, around(asUBJSON.Bytes(), i), around(binary, i))
		}
		g.ubjson++
	}
}

func (g *goldenTest) predict(c golden.Case) {
	wantRaw, wantOut, wantLeaf := golden.Float32s(c.File("raw.f32")), golden.Float32s(c.File("out.f32")), c.File("leaf.u8")
	f, err := Read(bytes.NewReader(c.File("model.json")))
	if err != nil {
		return // rewrite has said so
	}
	p, err := gbdt.NewPredictor(f.Model, gbdt.PredictOptions{})
	if err != nil {
		g.Errorf("%s: %v", c.Name, err)
		return
	}
	g.models++
	raw, out, leaf := make([]float64, p.NumRaw()), make([]float64, p.NumOutputs()), make([]int32, p.NumTrees())
	if len(wantRaw) != len(raw)*len(g.rows) || len(wantOut) != len(out)*len(g.rows) || len(wantLeaf) != len(leaf)*len(g.finite) {
		g.Errorf("%s: %d raw scores, %d outputs, %d nodes for %d rows", c.Name, len(wantRaw), len(wantOut), len(wantLeaf), len(g.rows))
		return
	}
	rows := g.rows
	if f.Model.TreeWeights != nil {
		rows = g.finite // a matrix holds no infinity, and only predict(matrix) is exact for dart
	}
	for i, row := range rows {
		if err := p.Raw(raw, row); err != nil {
			g.Fatal(err)
		}
		if err := p.Predict(out, row); err != nil {
			g.Fatal(err)
		}
		if err := p.LeafIndex(leaf, g.finite[i]); err != nil {
			g.Fatal(err)
		}
		for k, got := range raw {
			g.raws++
			if want := wantRaw[i*len(raw)+k]; math.Float32bits(float32(got)) != math.Float32bits(want) {
				g.Errorf("%s, row %d: raw score %d is %v, want %v", c.Name, i, k, got, want)
			}
		}
		wantOut := wantOut[i*len(out) : (i+1)*len(out)]
		if f.Model.Objective.Name == "reg:quantileerror" {
			slices.Sort(wantOut) // as XGBoost 3.4 does
		}
		for k, got := range out {
			g.outs++
			if want := wantOut[k]; math.Float32bits(float32(got)) != math.Float32bits(want) {
				g.outsOff++
				if d := ulps(float32(got), want); d > 2 {
					g.Errorf("%s, row %d: output %d is %v, want %v", c.Name, i, k, got, want)
				}
			}
		}
		for k, got := range leaf {
			g.nodes++
			if want := int32(wantLeaf[i*len(leaf)+k]); got != want {
				g.Errorf("%s, row %d: node of tree %d is %d, want %d", c.Name, i, k, got, want)
			}
		}
	}
}

// ulps returns how many float32 numbers lie between a and b; two NaN are equal.
func ulps(a, b float32) uint32 {
	if a == b || a != a && b != b {
		return 0
	}
	order := func(x float32) int64 {
		i := int64(int32(math.Float32bits(x)))
		if i < 0 {
			return math.MinInt32 - i
		}
		return i
	}
	d := order(a) - order(b)
	return uint32(max(d, -d))
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

// TestRefused reads models that are genuine but of kinds that this package does not read.
func TestRefused(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"refused/linear": "gblinear boosters are not read",
		"refused/vector": "leaves of 2 values (multi_strategy=multi_output_tree) are not read",
	}
	seen := 0
	for _, a := range archives(t) {
		for _, c := range a.Cases {
			if !strings.HasPrefix(c.Name, "refused/") {
				continue
			}
			for _, file := range []string{"model.json", "model.ubj"} {
				seen++
				_, err := Read(bytes.NewReader(c.File(file)))
				if err == nil || want[c.Name] == "" || !strings.Contains(err.Error(), want[c.Name]) {
					t.Errorf("%s, %s: got %v, want an error with %q", c.Name, file, err, want[c.Name])
				}
			}
		}
	}
	if seen != 4 {
		t.Errorf("%d documents to refuse, want 4", seen)
	}
}
