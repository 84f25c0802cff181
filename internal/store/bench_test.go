package store_test

import (
	"testing"

	"github.com/pppq/pppq/internal/source"
)

// BenchmarkLoad reads all embedded figures, and BenchmarkBootstrap compares them
// with the program's, as each start does.
func BenchmarkLoad(b *testing.B) {
	reference, err := source.Embedded()
	if err != nil {
		b.Fatal(err)
	}
	st := open(b, reference)
	b.ReportAllocs()
	for b.Loop() {
		load(b, st)
	}
}

func BenchmarkBootstrap(b *testing.B) {
	reference, err := source.Embedded()
	if err != nil {
		b.Fatal(err)
	}
	st := open(b, reference)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := st.Bootstrap(b.Context(), reference, now); err != nil {
			b.Fatal(err)
		}
	}
}
