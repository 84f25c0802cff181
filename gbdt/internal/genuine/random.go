package genuine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/internal/golden"
)

// Tolerance says how far answers may be apart that are not compared bit for bit.
type Tolerance struct {
	// Output is that of an output, as a part of its size, and Contribution that of a contribution, as a part of the
	// largest of its model or, if that is larger, of the base margin: XGBoost adds the one to the other in float32.
	Output, Contribution float64
}

// counts are what Random has compared.
type counts struct {
	models, raws, leaves, outs, outsOff, contributions int
	// undefined are contributions that the library answers with NaN: XGBoost divides by a cover of 0.
	undefined int
	worst     float64
}

// Random lets the library train small random models and compares the answers to their files: raw scores bit for bit,
// leaves exactly, outputs and contributions within the tolerance. $GENUINE_MODELS and $GENUINE_SEED choose other numbers
// of models than the given one, and others than those of seed 1. The test is skipped where python3 or the library is
// not there.
func Random(t *testing.T, library, script string, models int, read func(text []byte) (*gbdt.Model, error), tolerance Tolerance) {
	t.Helper()
	folder := t.TempDir()
	seed := number(t, "GENUINE_SEED", 1)
	models = number(t, "GENUINE_MODELS", models)
	version := run(t, library, script, folder, strconv.Itoa(seed), strconv.Itoa(models))
	folders, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(folders) < models/2 || models == 0 {
		t.Fatalf("%d of %d models: %v", len(folders), models, err)
	}
	var n counts
	for _, d := range folders {
		if t.Failed() {
			break
		}
		n.compare(t, d, read, tolerance)
	}
	t.Logf("%s %s, seed %d: %d random models; %d raw scores and %d leaves the same; %d outputs, %d of them not the same bits; %d contributions, the worst off by %.2g of the largest, and %d that the library has as NaN",
		library, version, seed, n.models, n.raws, n.leaves, n.outs, n.outsOff, n.contributions, n.worst, n.undefined)
}

// number returns an environment variable, or other if there is none.
func number(t *testing.T, name string, other int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return other
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s: want a number above 0, got %q", name, text)
	}
	return n
}

func (n *counts) compare(t *testing.T, folder string, read func([]byte) (*gbdt.Model, error), tolerance Tolerance) {
	t.Helper()
	file := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil && name != "contrib.f64" {
			t.Error(err)
		}
		return b
	}
	paths, _ := filepath.Glob(filepath.Join(folder, "model.*"))
	if len(paths) != 1 {
		t.Fatalf("%s: %d models", folder, len(paths))
	}
	about := filepath.Base(folder) + " " + string(bytes.TrimSpace(file("about.txt")))
	m, err := read(file(filepath.Base(paths[0])))
	if err != nil {
		t.Errorf("%s: %v", about, err)
		return
	}
	p, err := gbdt.NewPredictor(m, gbdt.PredictOptions{})
	if err != nil {
		t.Errorf("%s: %v", about, err)
		return
	}
	x, err := gbdt.NewMatrix(golden.Float64s(file("rows.f64")), p.NumFeatures())
	if err != nil {
		t.Fatal(err)
	}
	rows := x.Rows()
	raw, out, leaf := make([]float64, rows*p.NumRaw()), make([]float64, rows*p.NumOutputs()), make([]int32, rows*p.NumTrees())
	wantRaw, wantOut, wantLeaf := golden.Float64s(file("raw.f64")), golden.Float64s(file("out.f64")), file("leaf.i32")
	if err := errors.Join(p.RawBatch(t.Context(), raw, x), p.PredictBatch(t.Context(), out, x), p.LeafIndexBatch(t.Context(), leaf, x)); err != nil {
		t.Fatal(err)
	}
	if len(raw) != len(wantRaw) || len(out) != len(wantOut) || 4*len(leaf) != len(wantLeaf) {
		t.Errorf("%s: %d raw scores, %d outputs, %d leaves, want %d, %d, %d", about, len(raw), len(out), len(leaf), len(wantRaw), len(wantOut), len(wantLeaf)/4)
		return
	}
	n.models++
	for i, got := range raw {
		if want := wantRaw[i]; math.Float64bits(got) != math.Float64bits(want) && (got == got || want == want) {
			t.Errorf("%s: raw score %d of row %d is %v, the library's %v", about, i%p.NumRaw(), i/p.NumRaw(), got, want)
			return
		}
	}
	for i, got := range leaf {
		if want := int32(binary.LittleEndian.Uint32(wantLeaf[4*i:])); got != want {
			t.Errorf("%s: leaf of tree %d in row %d is %d, the library's %d", about, i%p.NumTrees(), i/p.NumTrees(), got, want)
			return
		}
	}
	for i, got := range out {
		want := wantOut[i]
		if math.Float64bits(got) == math.Float64bits(want) || got != got && want != want {
			continue
		}
		n.outsOff++
		if !(math.Abs(got-want) <= tolerance.Output*math.Abs(want)) {
			t.Errorf("%s: output %d of row %d is %v, the library's %v", about, i%p.NumOutputs(), i/p.NumOutputs(), got, want)
			return
		}
	}
	n.raws, n.leaves, n.outs = n.raws+len(raw), n.leaves+len(leaf), n.outs+len(out)
	if want := golden.Float64s(file("contrib.f64")); len(want) > 0 {
		n.explain(t, about, m, p, x, want, tolerance.Contribution)
	}
}

func (n *counts) explain(t *testing.T, about string, m *gbdt.Model, p *gbdt.Predictor, x gbdt.Matrix, want []float64, tolerance float64) {
	t.Helper()
	got := make([]float64, x.Rows()*p.NumRaw()*(p.NumFeatures()+1))
	if err := p.ContributionsBatch(t.Context(), got, x); err != nil {
		t.Errorf("%s: %v", about, err)
		return
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d contributions, want %d", about, len(got), len(want))
		return
	}
	largest := 0.0
	for _, b := range m.BaseMargin {
		largest = max(largest, math.Abs(b))
	}
	for _, w := range want {
		if w == w {
			largest = max(largest, math.Abs(w))
		}
	}
	for i := range want {
		if want[i] != want[i] {
			n.undefined++
			continue
		}
		off := math.Abs(got[i] - want[i])
		if !(off <= tolerance*largest) {
			t.Errorf("%s: contribution %d of row %d is %v, the library's %v, the largest %v", about, i%(len(got)/x.Rows()), i/(len(got)/x.Rows()), got[i], want[i], largest)
			return
		}
		n.contributions++
		if largest > 0 {
			n.worst = max(n.worst, off/largest)
		}
	}
}
