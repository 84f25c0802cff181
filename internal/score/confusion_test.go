package score

import (
	"math"
	"slices"
	"testing"
)

func TestConfusionVector(t *testing.T) {
	t.Parallel()
	// Method section 7.
	c := Confusion{{20, 5, 1, 0}, {6, 10, 4, 0}, {2, 4, 8, 2}, {0, 1, 3, 4}}
	if c.Total() != 70 {
		t.Errorf("Total: got %d, want 70", c.Total())
	}
	near(t, "Kappa", c.Kappa(), 0.71831, 5e-6)
	near(t, "Accuracy", c.Accuracy(), 0.6, 1e-15)
	near(t, "BalancedAccuracy", c.BalancedAccuracy(), 0.567308, 5e-7)
	near(t, "MacroF1", c.MacroF1(), 0.578042, 5e-7)
	if got := c.Absent(); got != nil {
		t.Errorf("Absent: got %v, want none", got)
	}
}

func TestConfusionAdd(t *testing.T) {
	t.Parallel()
	var c Confusion
	c.Add(2, 1)
	c.Add(2, 1)
	c.Add(0, 3)
	if c[2][1] != 2 || c[0][3] != 1 || c.Total() != 3 {
		t.Errorf("got %v", c)
	}
	mustPanic(t, "class 4", func() { c.Add(0, 4) })
	mustPanic(t, "class -1", func() { c.Add(-1, 0) })
}

func TestConfusionAbsentClasses(t *testing.T) {
	t.Parallel()
	// C and D never came true; C was forecast once.
	c := Confusion{{6, 1, 1}, {1, 3}}
	if got, want := c.Absent(), []int{2, 3}; !slices.Equal(got, want) {
		t.Errorf("Absent: got %v, want %v", got, want)
	}
	f1A, f1B := 12.0/15, 6.0/8
	near(t, "MacroF1", c.MacroF1(), (f1A+f1B+0+0)/4, 1e-15)
	near(t, "BalancedAccuracy", c.BalancedAccuracy(), (6.0/8+3.0/4)/2, 1e-15)
	// sum w O = 1+4+1 = 6; actual 8,4; forecast 7,4,1: sum w E = (8*(4+4) + 4*(7+1))/12 = 8.
	near(t, "Kappa", c.Kappa(), 1-6.0/8, 1e-15)
}

func TestConfusionDegenerate(t *testing.T) {
	t.Parallel()
	var empty Confusion
	for name, f := range map[string]func() float64{
		"Accuracy": empty.Accuracy, "BalancedAccuracy": empty.BalancedAccuracy, "MacroF1": empty.MacroF1, "Kappa": empty.Kappa,
	} {
		if got := f(); !math.IsNaN(got) {
			t.Errorf("%s of no rows: got %v, want NaN", name, got)
		}
	}
	one := Confusion{{9}}
	near(t, "Kappa of one class", one.Kappa(), math.NaN(), 0)
	perfect := Confusion{{3}, {0, 2}, {0, 0, 4}, {0, 0, 0, 1}}
	near(t, "Kappa, perfect", perfect.Kappa(), 1, 0)
	near(t, "MacroF1, perfect", perfect.MacroF1(), 1, 0)
}
