package xgboost

import (
	"bytes"
	"io"
	"testing"
)

// benchFile is a tree of 20,000 leaves.
func benchFile(b *testing.B) *File {
	b.Helper()
	f, err := New(numbersModel())
	if err != nil {
		b.Fatal(err)
	}
	return f
}

func BenchmarkRead(b *testing.B) {
	f := benchFile(b)
	for name, doc := range map[string][]byte{"JSON": []byte(asJSON(b, f)), "UBJSON": asUBJSON(b, f)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Read(bytes.NewReader(doc)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	f := benchFile(b)
	for name, write := range map[string]func(io.Writer, *File) error{"JSON": WriteJSON, "UBJSON": WriteUBJSON} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := write(io.Discard, f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
