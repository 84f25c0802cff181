package power

import "math"

// A Class says how much purchasing power is left, the same for every asset and
// horizon. Classes are ordered from best to worst.
type Class int

const (
	Preserver Class = iota // multiple >= 1.00
	Partial                // 0.90 <= multiple < 1.00
	Eroder                 // 0.70 <= multiple < 0.90
	Destroyer              // multiple < 0.70
)

// NumClasses is the number of classes.
const NumClasses = 4

// String names the class as in every answer.
func (c Class) String() string {
	switch c {
	case Preserver:
		return "A_PRESERVER"
	case Partial:
		return "B_PARTIAL"
	case Eroder:
		return "C_ERODER"
	case Destroyer:
		return "D_DESTROYER"
	}
	return "invalid"
}

// Tiers are the lower bounds of the first three classes, as multiples,
// descending. A boundary belongs to the better class. They are recorded in
// every model.
type Tiers [NumClasses - 1]float64

// DefaultTiers are the bounds 1.00, 0.90 and 0.70.
func DefaultTiers() Tiers { return Tiers{1, 0.9, 0.7} }

// Class returns the class of a multiple, which must not be NaN.
func (t Tiers) Class(multiple float64) Class {
	for i, bound := range t {
		if multiple >= bound {
			return Class(i)
		}
	}
	return Destroyer
}

// ClassOfLog is Class of exp(lnMultiple); it compares logarithms, so that a
// bound of 1 is exact.
func (t Tiers) ClassOfLog(lnMultiple float64) Class {
	for i, bound := range t {
		if lnMultiple >= math.Log(bound) {
			return Class(i)
		}
	}
	return Destroyer
}
