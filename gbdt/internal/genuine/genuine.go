// Package genuine asks the genuine LightGBM and XGBoost, where they are installed, what they make of models that this
// module wrote. Only tests use it.
package genuine

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/internal/golden"
)

// Case is one model to ask about.
type Case struct {
	Name  string
	Model *gbdt.Model
	// File is the name of the file: model.txt, model.json or model.ubj.
	File string
	// Rows are row after row.
	Rows []float64
}

// Python is the interpreter that has the libraries: $GENUINE_PYTHON, else python3.
func python() string {
	if p := os.Getenv("GENUINE_PYTHON"); p != "" {
		return p
	}
	return "python3"
}

// Compare writes each case with save, lets the library answer, and compares raw scores bit for bit, leaf numbers
// exactly and outputs to a few units in the last place. It returns the texts that the library writes of the models, by
// case. The test is skipped where python3 or the library is not there.
func Compare(t *testing.T, library, script string, cases []Case, save func(path string, c Case) error) map[string][]byte {
	t.Helper()
	folder := t.TempDir()
	for _, c := range cases {
		d := filepath.Join(folder, c.Name)
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := save(filepath.Join(d, c.File), c); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		if err := os.WriteFile(filepath.Join(d, "rows.f64"), encode(c.Rows), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	version := run(t, library, script, folder)
	raws, again := 0, map[string][]byte{}
	for _, c := range cases {
		d := filepath.Join(folder, c.Name)
		if message, err := os.ReadFile(filepath.Join(d, "error.txt")); err == nil {
			t.Errorf("%s: %s %s: %s", c.Name, library, version, bytes.TrimSpace(message))
			continue
		}
		raws += compare(t, c, d)
		for _, name := range []string{"again.txt", "again.json"} {
			if b, err := os.ReadFile(filepath.Join(d, name)); err == nil {
				again[c.Name] = b
			}
		}
	}
	t.Logf("%s %s: %d models written here, %d raw scores the same bits", library, version, len(cases), raws)
	return again
}

// run starts the script and returns the library's version.
func run(t *testing.T, library, script, folder string, more ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python(), append([]string{script, library, folder}, more...)...)
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1", "PYTHONDONTWRITEBYTECODE=1")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skipf("no comparison with the genuine %s: %s is not installed", library, python())
	}
	if e := (*exec.ExitError)(nil); errors.As(err, &e) && e.ExitCode() == 3 {
		t.Skipf("no comparison with the genuine %s: %s has no such module (%s)", library, python(), strings.TrimSpace(stderr.String()))
	}
	if err != nil {
		t.Fatalf("%s: %v: %s", script, err, stderr.String())
	}
	lines := strings.Fields(stdout.String())
	return lines[len(lines)-1]
}

// compare returns the number of raw scores compared.
func compare(t *testing.T, c Case, folder string) int {
	t.Helper()
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Error(err)
		}
		return b
	}
	p, err := gbdt.NewPredictor(c.Model, gbdt.PredictOptions{})
	if err != nil {
		t.Errorf("%s: %v", c.Name, err)
		return 0
	}
	wantRaw, wantOut, wantLeaf := golden.Float64s(read("raw.f64")), golden.Float64s(read("out.f64")), read("leaf.i32")
	n := len(c.Rows) / p.NumFeatures()
	raw, out, leaf := make([]float64, p.NumRaw()), make([]float64, p.NumOutputs()), make([]int32, p.NumTrees())
	if len(wantRaw) != n*len(raw) || len(wantOut) != n*len(out) || len(wantLeaf) != 4*n*len(leaf) {
		t.Errorf("%s: %d raw scores, %d outputs, %d leaves for %d rows", c.Name, len(wantRaw), len(wantOut), len(wantLeaf)/4, n)
		return 0
	}
	for i := range n {
		row := c.Rows[i*p.NumFeatures() : (i+1)*p.NumFeatures()]
		if err := errors.Join(p.Raw(raw, row), p.Predict(out, row), p.LeafIndex(leaf, row)); err != nil {
			t.Fatal(err)
		}
		for k, got := range raw {
			if want := wantRaw[i*len(raw)+k]; math.Float64bits(got) != math.Float64bits(want) {
				t.Errorf("%s, row %d: raw score %d is %v, the library's %v", c.Name, i, k, got, want)
				return 0
			}
		}
		for k, got := range out {
			// A float32 output that is off by two units differs by 2.4e-7 of its size at most.
			if want := wantOut[i*len(out)+k]; math.Abs(got-want) > 2.4e-7*math.Abs(want) {
				t.Errorf("%s, row %d: output %d is %v, the library's %v", c.Name, i, k, got, want)
				return 0
			}
		}
		for k, got := range leaf {
			if want := int32(binary.LittleEndian.Uint32(wantLeaf[4*(i*len(leaf)+k):])); got != want {
				t.Errorf("%s, row %d: leaf of tree %d is %d, the library's %d", c.Name, i, k, got, want)
				return 0
			}
		}
	}
	return n * len(raw)
}

func encode(x []float64) []byte {
	b := make([]byte, 0, 8*len(x))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b
}

// features is the number of columns of the models that Trained makes.
const features = 6

// Trained makes models of every loss with the trainer of package gbdt, in the family's arithmetic, and rows with
// missing values for them.
func Trained(t *testing.T, family gbdt.Family, files ...string) []Case {
	t.Helper()
	var cases []Case
	seed := uint64(20261122)
	for _, loss := range []gbdt.Loss{gbdt.SquaredError, gbdt.Quantile, gbdt.Gamma, gbdt.Logistic, gbdt.Softmax} {
		for _, growth := range []gbdt.Growth{gbdt.LeafWise, gbdt.DepthWise} {
			for _, file := range files {
				seed++
				p := gbdt.DefaultParams(family)
				p.Loss, p.NumClass, p.Alpha, p.Rounds, p.Growth = loss, 4, 0.3, 6, growth
				p.MaxLeaves, p.MaxDepth, p.MinDataInLeaf, p.Seed = 12, 5, 3, seed
				p.BaggingFraction, p.FeatureFraction = 0.8, 0.9
				rng := rand.New(rand.NewPCG(seed, 1))
				x, err := gbdt.NewMatrix(rows(rng, 400), features)
				if err != nil {
					t.Fatal(err)
				}
				labels := make([]float64, x.Rows())
				for i := range labels {
					labels[i] = label(loss, rng, x, i)
				}
				d, err := gbdt.NewDataset(x, []string{"a", "b_2", "C3", "holes", "few", "zeros"}, gbdt.Targets{Labels: labels})
				if err != nil {
					t.Fatal(err)
				}
				r, err := gbdt.Train(t.Context(), p, d, gbdt.TrainOptions{})
				if err != nil {
					t.Fatalf("%s: %v", loss, err)
				}
				name := fmt.Sprintf("%s-%d-%s", loss, growth, filepath.Ext(file)[1:])
				cases = append(cases, Case{Name: name, Model: r.Model, File: file, Rows: rows(rng, 200)})
			}
		}
	}
	return cases
}

func rows(rng *rand.Rand, n int) []float64 {
	x := make([]float64, n*features)
	for i := range n {
		row := x[i*features : (i+1)*features]
		row[0], row[1], row[2] = rng.NormFloat64(), 10*rng.Float64(), math.Exp(3*rng.NormFloat64())
		row[3], row[4], row[5] = rng.NormFloat64(), float64(rng.IntN(4)), float64(rng.IntN(3)-1)*1e-3
		if rng.IntN(3) == 0 {
			row[3] = math.NaN()
		}
		if rng.IntN(10) == 0 {
			row[rng.IntN(features)] = math.NaN()
		}
	}
	return x
}

func label(loss gbdt.Loss, rng *rand.Rand, x gbdt.Matrix, i int) float64 {
	s := 0.3 * rng.NormFloat64()
	for j := range features {
		if v := x.At(i, j); v == v {
			s += math.Tanh(v)
		} else {
			s += 0.5
		}
	}
	switch loss {
	case gbdt.Gamma:
		return math.Exp(s / 3)
	case gbdt.Logistic:
		return min(1, max(0, math.Floor(s/2)))
	case gbdt.Softmax:
		return min(3, max(0, math.Floor(s)))
	}
	return s
}
