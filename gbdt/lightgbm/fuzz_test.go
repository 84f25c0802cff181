package lightgbm

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/pppq/pppq/gbdt"
)

// fuzzLimits keep single runs small.
var fuzzLimits = Limits{MaxBytes: 1 << 20, MaxTrees: 1000, MaxFeatures: 1000, MaxOutputs: 100}

// FuzzRead checks that any text is refused or gives a model that predicts, and that what was read is written as a text
// that reads and writes the same again.
func FuzzRead(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(withSizes(small, sizesOfSmall)))
	f.Add(bytes.ReplaceAll([]byte(small), []byte("\n"), []byte("\r\n")))
	for _, a := range archives(f) {
		for i, c := range a.Cases {
			if i%11 == 0 {
				f.Add(c.File("model.txt"))
			}
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) { checkAnyText(t, in) })
}

// checkAnyText fails if a text is neither refused with a located error nor a model.
func checkAnyText(t *testing.T, in []byte) (accepted bool) {
	t.Helper()
	file, err := fuzzLimits.Read(bytes.NewReader(in))
	if err != nil {
		var p *ParseError
		if !errors.As(err, &p) && int64(len(in)) <= fuzzLimits.MaxBytes {
			t.Errorf("got %v, want a ParseError", err)
		}
		return false
	}
	p, err := gbdt.NewPredictor(file.Model, gbdt.PredictOptions{})
	if err != nil {
		t.Fatalf("the model that was read cannot predict: %v", err)
	}
	row, raw, leaf := make([]float64, p.NumFeatures()), make([]float64, p.NumRaw()), make([]int32, p.NumTrees())
	for _, x := range []float64{0, math.NaN(), -3.5, 1e300} {
		for j := range row {
			row[j] = x
		}
		if err := errors.Join(p.Raw(raw, row), p.LeafIndex(leaf, row)); err != nil {
			t.Fatal(err)
		}
	}
	var once, twice bytes.Buffer
	if err := Write(&once, file); err != nil {
		t.Fatalf("the model that was read cannot be written: %v", err)
	}
	again, err := Limits{MaxBytes: 1 << 30, MaxTrees: 1000, MaxFeatures: 1000, MaxOutputs: 100}.Read(bytes.NewReader(once.Bytes()))
	if err != nil {
		t.Fatalf("what was written cannot be read: %v\n%s", err, once.Bytes())
	}
	if err := Write(&twice, again); err != nil || !bytes.Equal(once.Bytes(), twice.Bytes()) {
		t.Fatalf("writing again gives another text (%v):\n%s\n%s", err, once.Bytes(), twice.Bytes())
	}
	return true
}

// TestTruncated cuts models off everywhere before their parameters: each piece must be refused.
func TestTruncated(t *testing.T) {
	t.Parallel()
	for _, text := range []string{small, withSizes(small, sizesOfSmall)} {
		end := bytes.Index([]byte(text), []byte("\nend of trees")) + len("\nend of trees")
		for n := range end {
			if checkAnyText(t, []byte(text[:n])) {
				t.Errorf("a text cut off at byte %d of %d was read", n, len(text))
			}
		}
	}
}

// TestDamaged flips bits and exchanges bytes: each text must be refused or give a model.
func TestDamaged(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	accepted, refused := 0, 0
	count := func(in []byte) {
		if checkAnyText(t, in) {
			accepted++
		} else {
			refused++
		}
	}
	for i := range len(small) {
		b := []byte(small)
		b[i] ^= 1 << rng.IntN(8)
		count(b)
	}
	for _, a := range archives(t) {
		for range 150 {
			b := bytes.Clone(a.Cases[rng.IntN(len(a.Cases))].File("model.txt"))
			for range 1 + rng.IntN(3) {
				b[rng.IntN(len(b))] = "0123456789-.e= \n\x00\xff"[rng.IntN(18)]
			}
			count(b)
		}
	}
	t.Logf("%d damaged texts refused, %d read as models", refused, accepted)
	if refused == 0 || accepted == 0 {
		t.Errorf("%d refused and %d accepted: the test sees one side only", refused, accepted)
	}
}
