// Package golden reads the archives of models and predictions that scripts/gbdt/make_golden.py makes with the genuine
// libraries. Only tests use it.
package golden

import (
	"archive/tar"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"slices"
	"strings"
)

// Archive is the content of one tar.gz file.
type Archive struct {
	// Made says which releases made it, and when.
	Made struct {
		Library       string `json:"library"`
		TrainedWith   string `json:"trained_with"`
		PredictedWith string `json:"predicted_with"`
		Cases         int    `json:"cases"`
	}
	// Cases are sorted by name.
	Cases []Case
	files map[string][]byte
}

// Case is one model and what the genuine library answers with it.
type Case struct {
	Name  string
	files map[string][]byte
}

// Open reads the archive at file. An archive without cases, or with another number of them than it says, is an error.
func Open(file string) (*Archive, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	a := &Archive{files: map[string][]byte{}}
	cases := map[string]map[string][]byte{}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		b, err := io.ReadAll(t)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		name := path.Dir(h.Name)
		if name == "." {
			a.files[h.Name] = b
			continue
		}
		if cases[name] == nil {
			cases[name] = map[string][]byte{}
		}
		cases[name][path.Base(h.Name)] = b
	}
	if err := json.Unmarshal(a.files["made.json"], &a.Made); err != nil {
		return nil, fmt.Errorf("%s: made.json: %w", file, err)
	}
	for name, files := range cases {
		a.Cases = append(a.Cases, Case{name, files})
	}
	slices.SortFunc(a.Cases, func(x, y Case) int { return strings.Compare(x.Name, y.Name) })
	if len(a.Cases) == 0 || len(a.Cases) != a.Made.Cases {
		return nil, fmt.Errorf("%s: %d cases, made.json says %d", file, len(a.Cases), a.Made.Cases)
	}
	return a, nil
}

// Rows returns the rows of width values in the file of that name.
func (a *Archive) Rows(name string, width int) [][]float64 {
	return slices.Collect(slices.Chunk(Float64s(a.files[name]), width))
}

// File returns the file of that name, nil if there is none.
func (c Case) File(name string) []byte { return c.files[name] }

// Float64s decodes little-endian numbers.
func Float64s(b []byte) []float64 {
	x := make([]float64, len(b)/8)
	for i := range x {
		x[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return x
}

// Float32s decodes little-endian numbers.
func Float32s(b []byte) []float32 {
	x := make([]float32, len(b)/4)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return x
}
