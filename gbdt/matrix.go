package gbdt

import (
	"errors"
	"fmt"
	"math"
)

// ErrShape is wrapped by errors about lengths that do not fit together.
var ErrShape = errors.New("wrong shape")

// Matrix is a table of feature values, row after row, NaN for missing. It shares the memory it was made from.
type Matrix struct {
	rows, cols int
	f64        []float64
	f32        []float32 // used if f64 is nil
}

// NewMatrix returns the matrix of len(values)/cols rows that values holds row after row. The error wraps ErrShape if
// cols is below 1 or does not divide the length.
func NewMatrix[T float32 | float64](values []T, cols int) (Matrix, error) {
	if cols < 1 || len(values)%cols != 0 {
		return Matrix{}, fmt.Errorf("gbdt: %w: %d values in rows of %d", ErrShape, len(values), cols)
	}
	m := Matrix{rows: len(values) / cols, cols: cols}
	switch v := any(values).(type) {
	case []float64:
		m.f64 = v
	case []float32:
		m.f32 = v
	}
	return m, nil
}

// Rows returns the number of rows.
func (m Matrix) Rows() int { return m.rows }

// Cols returns the number of values in a row.
func (m Matrix) Cols() int { return m.cols }

// At returns the value in row i, column j.
func (m Matrix) At(i, j int) float64 {
	if m.f64 != nil {
		return m.f64[i*m.cols+j]
	}
	return float64(m.f32[i*m.cols+j])
}

// row returns row i; buf, of length Cols, is its memory if the matrix does not hold float64.
func (m Matrix) row(i int, buf []float64) []float64 {
	if m.f64 != nil {
		return m.f64[i*m.cols : (i+1)*m.cols]
	}
	for j, x := range m.f32[i*m.cols : (i+1)*m.cols] {
		buf[j] = float64(x)
	}
	return buf
}

// zeroThreshold is the largest |x| that LightGBM reads as 0: float32(1e-35).
const zeroThreshold = float64(float32(1e-35))

// normalize returns what a model of the family sees of x: LightGBM takes the smallest numbers for 0, XGBoost rounds
// to float32. NaN stays NaN. The function never decreases where x grows.
func (f Family) normalize(x float64) float64 {
	if f == XGBoost {
		return float64(float32(x))
	}
	if math.Abs(x) <= zeroThreshold {
		return 0
	}
	return x
}
