package lightgbm

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/pppq/pppq/gbdt"
)

// benchFile is a model of 1,200 trees of 31 leaves, and its text.
func benchFile(b *testing.B) (*File, []byte) {
	b.Helper()
	rng := rand.New(rand.NewPCG(1, 1))
	m := &gbdt.Model{
		Family: gbdt.LightGBM, FeatureNames: []string{"x", "y"}, Outputs: 4, BaseMargin: make([]float64, 4),
		Objective: gbdt.Objective{Name: "multiclass"},
	}
	for i := range 1200 {
		t := randomTree(rng, 31, false)
		t.Output = i % 4
		m.Trees = append(m.Trees, t)
		if i%4 == 3 {
			m.RoundEnds = append(m.RoundEnds, int32(i+1))
		}
	}
	f, err := New(m)
	if err != nil {
		b.Fatal(err)
	}
	var text bytes.Buffer
	if err := Write(&text, f); err != nil {
		b.Fatal(err)
	}
	return f, text.Bytes()
}

func BenchmarkRead(b *testing.B) {
	_, text := benchFile(b)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(bytes.NewReader(text)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	f, text := benchFile(b)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Write(io.Discard, f); err != nil {
			b.Fatal(err)
		}
	}
}
