package xgboost

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/pppq/pppq/gbdt"
)

// fuzzLimits keep single runs small.
var fuzzLimits = Limits{MaxBytes: 1 << 20, MaxTrees: 1000, MaxFeatures: 1000, MaxOutputs: 100, MaxCategoryWords: 10000}

// FuzzReadJSON and FuzzReadUBJSON check that any document is refused or gives a model that predicts, and that what was
// read is written, in both forms, as a document that reads and writes the same again.
func FuzzReadJSON(f *testing.F) {
	f.Add([]byte(small))
	for _, a := range archives(f) {
		for i, c := range a.Cases {
			if i%9 == 0 {
				f.Add(c.File("model.json"))
			}
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) { checkAnyDocument(t, in) })
}

func FuzzReadUBJSON(f *testing.F) {
	f.Add(asUBJSON(f, mustRead(f, small)))
	for _, a := range archives(f) {
		for i, c := range a.Cases {
			if b := c.File("model.ubj"); i%9 == 0 && b != nil {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) { checkAnyDocument(t, in) })
}

// checkAnyDocument fails if a document is neither refused with a located error nor a model.
func checkAnyDocument(t *testing.T, in []byte) (accepted bool) {
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
	for _, x := range []float64{0, math.NaN(), -3.5, 1e30} {
		for j := range row {
			row[j] = x
		}
		if err := errors.Join(p.Raw(raw, row), p.LeafIndex(leaf, row)); err != nil {
			t.Fatal(err)
		}
	}
	if len(file.Model.Trees) == 0 {
		return true // such a model is not written
	}
	for _, form := range []Form{{}, file.ReadForm} {
		file.Form = form
		for _, write := range []func(*bytes.Buffer, *File) error{
			func(b *bytes.Buffer, f *File) error { return WriteJSON(b, f) },
			func(b *bytes.Buffer, f *File) error { return WriteUBJSON(b, f) },
		} {
			var once, twice bytes.Buffer
			if err := write(&once, file); err != nil {
				t.Fatalf("the model that was read cannot be written: %v", err)
			}
			limits := fuzzLimits
			limits.MaxBytes = 1 << 30
			again, err := limits.Read(bytes.NewReader(once.Bytes()))
			if err != nil {
				t.Fatalf("what was written cannot be read: %v\n%q", err, once.Bytes())
			}
			again.Form = form
			if err := write(&twice, again); err != nil || !bytes.Equal(once.Bytes(), twice.Bytes()) {
				t.Fatalf("writing again gives another document (%v):\n%q\n%q", err, once.Bytes(), twice.Bytes())
			}
		}
	}
	return true
}

// TestTruncated cuts documents off everywhere: each piece must be refused.
func TestTruncated(t *testing.T) {
	t.Parallel()
	for _, doc := range [][]byte{[]byte(small), asUBJSON(t, mustRead(t, small))} {
		for n := range doc {
			if checkAnyDocument(t, doc[:n]) {
				t.Errorf("a document cut off at byte %d of %d was read", n, len(doc))
			}
		}
	}
}

// TestDamaged flips bits and exchanges bytes: each document must be refused or give a model.
func TestDamaged(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for form, doc := range map[string][]byte{"JSON": []byte(small), "UBJSON": asUBJSON(t, mustRead(t, small))} {
		accepted, refused := 0, 0
		count := func(in []byte) {
			if checkAnyDocument(t, in) {
				accepted++
			} else {
				refused++
			}
		}
		for i := range len(doc) {
			b := bytes.Clone(doc)
			b[i] ^= 1 << rng.IntN(8)
			count(b)
		}
		for _, a := range archives(t) {
			for range 150 {
				c := a.Cases[rng.IntN(len(a.Cases))]
				b := bytes.Clone(c.File(map[string]string{"JSON": "model.json", "UBJSON": "model.ubj"}[form]))
				for n := rng.IntN(3); n >= 0 && len(b) > 0; n-- {
					b[rng.IntN(len(b))] = "0123456789-.E,]\"\x00\xff"[rng.IntN(18)]
				}
				count(b)
			}
		}
		t.Logf("%s: %d damaged documents refused, %d read as models", form, refused, accepted)
		if refused == 0 || accepted == 0 {
			t.Errorf("%s: %d refused and %d accepted: the test sees one side only", form, refused, accepted)
		}
	}
}
