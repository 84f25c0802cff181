// Package logit is a four-class multinomial logistic regression that corrects a forecast given as an offset:
//
//	P(y = k | x) = softmax_k( offset_k + intercept_k + sum_j x_j * coef_jk )
//
// with offset_k = ln p_k of the forecast to be corrected (method section 6.4). All coefficients are shrunk to zero, so
// with a strong penalty the answer is that forecast. Start with Fit.
//
// The caller standardises the inputs with figures of the training rows and clips them (at ±3); this package neither
// scales nor fills in missing values. A Model is plain data and may be written in any format; call Validate after reading.
package logit

import (
	"errors"
	"fmt"
	"math"
)

// Classes is the number of classes.
const Classes = 4

var (
	// ErrInput reports rows or parameters that cannot be fitted.
	ErrInput = errors.New("logit: input")
	// ErrNotConverged reports that the gradient is still above Params.Tolerance after Params.MaxIterations.
	ErrNotConverged = errors.New("logit: not converged")
)

// Data holds the training rows, row-major. Nothing in it is modified.
type Data struct {
	// Features is the number of inputs f a row, 0 or more. Zero fits the intercepts alone.
	Features int
	// X holds n*f inputs, finite.
	X []float64
	// Offset holds n*Classes log-probabilities up to a constant a row, finite (floor the probabilities first); nil for
	// zeros.
	Offset []float64
	// Y holds n classes in [0, Classes).
	Y []int
	// Weight holds n row weights >= 0 with a positive sum; nil for ones. The penalty is counted in their units: let them
	// sum to the number of effective observations.
	Weight []float64
}

// Params sets up Fit.
type Params struct {
	// L2 is the penalty L2/2 * coef^2 of each slope, above 0. Default 100 (method: 10 to 100).
	L2 float64
	// L2Intercept is the same for the intercepts, above 0. Default 100.
	L2Intercept float64
	// MaxIterations bounds the work, at least 1. Default 1000. A few dozen are usual; separable rows with L2 under 0.1
	// take hundreds.
	MaxIterations int
	// Tolerance ends the fit when no partial derivative exceeds Tolerance * (sum of weights), above 0. Default 1e-9.
	Tolerance float64
}

// DefaultParams returns L2 = 100 on slopes and intercepts.
func DefaultParams() Params {
	return Params{L2: 100, L2Intercept: 100, MaxIterations: 1000, Tolerance: 1e-9}
}

// Validate reports all faults of p.
func (p Params) Validate() error {
	var errs []error
	for _, c := range []struct {
		name string
		v    float64
	}{{"L2", p.L2}, {"L2Intercept", p.L2Intercept}, {"Tolerance", p.Tolerance}} {
		if !(c.v > 0) || math.IsInf(c.v, 1) {
			errs = append(errs, fmt.Errorf("%w: %s = %v, want above 0 and finite", ErrInput, c.name, c.v))
		}
	}
	if p.MaxIterations < 1 {
		errs = append(errs, fmt.Errorf("%w: MaxIterations = %d, want at least 1", ErrInput, p.MaxIterations))
	}
	return errors.Join(errs...)
}

// A Model holds fitted coefficients. Over the classes those of one input sum to zero.
type Model struct {
	// Intercept of each class, log-odds.
	Intercept [Classes]float64
	// Coef holds a row of Classes slopes for each input, log-odds per unit of the input.
	Coef [][Classes]float64
	// Iterations that the fit took.
	Iterations int
}

// Validate returns an error that wraps ErrInput if a coefficient is NaN or infinite.
func (m *Model) Validate() error {
	for k, v := range m.Intercept {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%w: intercept %d is %v", ErrInput, k, v)
		}
	}
	for j, row := range m.Coef {
		for k, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("%w: coefficient %d of class %d is %v", ErrInput, j, k, v)
			}
		}
	}
	return nil
}

// Predict returns the class probabilities of one row x of len(m.Coef) inputs on top of offset (log-probabilities up to a
// constant). A NaN in x or offset gives NaN. It allocates nothing and panics if x has another length.
func (m *Model) Predict(x []float64, offset [Classes]float64) [Classes]float64 {
	if len(x) != len(m.Coef) {
		panic("logit: row of another length than the model")
	}
	z := offset
	for k, v := range m.Intercept {
		z[k] += v
	}
	for j, v := range x {
		for k, c := range m.Coef[j] {
			z[k] += v * c
		}
	}
	softmax(&z)
	return z
}

// softmax replaces log-odds by probabilities and returns ln sum exp(z).
func softmax(z *[Classes]float64) float64 {
	top := math.Max(math.Max(z[0], z[1]), math.Max(z[2], z[3]))
	sum := 0.0
	for k, v := range z {
		z[k] = math.Exp(v - top)
		sum += z[k]
	}
	for k := range z {
		z[k] /= sum
	}
	return top + math.Log(sum)
}

// check returns the number of rows and the sum of the weights.
func (d Data) check() (rows int, weight float64, err error) {
	rows = len(d.Y)
	switch {
	case rows == 0:
		return 0, 0, fmt.Errorf("%w: no rows", ErrInput)
	case d.Features < 0 || len(d.X) != rows*d.Features:
		return 0, 0, fmt.Errorf("%w: %d inputs for %d rows of %d", ErrInput, len(d.X), rows, d.Features)
	case d.Offset != nil && len(d.Offset) != rows*Classes:
		return 0, 0, fmt.Errorf("%w: %d offsets for %d rows", ErrInput, len(d.Offset), rows)
	case d.Weight != nil && len(d.Weight) != rows:
		return 0, 0, fmt.Errorf("%w: %d weights for %d rows", ErrInput, len(d.Weight), rows)
	}
	for i, y := range d.Y {
		if y < 0 || y >= Classes {
			return 0, 0, fmt.Errorf("%w: class %d in row %d", ErrInput, y, i)
		}
	}
	for _, in := range []struct {
		name string
		x    []float64
		wide int
	}{{"input", d.X, d.Features}, {"offset", d.Offset, Classes}, {"weight", d.Weight, 1}} {
		for i, v := range in.x {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return 0, 0, fmt.Errorf("%w: %s %d of row %d is %v", ErrInput, in.name, i%in.wide, i/in.wide, v)
			}
		}
	}
	if d.Weight == nil {
		return rows, float64(rows), nil
	}
	for i, w := range d.Weight {
		if w < 0 {
			return 0, 0, fmt.Errorf("%w: weight of row %d is %v", ErrInput, i, w)
		}
		weight += w
	}
	if !(weight > 0) || math.IsInf(weight, 1) {
		return 0, 0, fmt.Errorf("%w: weights sum to %v", ErrInput, weight)
	}
	return rows, weight, nil
}
