package power_test

import (
	"math"
	"testing"

	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
)

func near(t *testing.T, name string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: got %.9g, want %.9g", name, got, want)
	}
}

// The expected numbers are the published vectors of docs/method.md.
func TestReturns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ c, y, want float64 }{
		{0.04, 0.04, 0.00330589}, {0.04, 0.041, -0.00477613}, {0.02, 0.03, -0.08357196}, {0.1385, 0.1432, -0.01328221},
	} {
		near(t, "BondReturn", power.BondReturn(c.c, c.y), c.want, 5e-9)
	}
	near(t, "BondReturn at 0", power.BondReturn(0.02, 0), 0.2, 1e-12)
	near(t, "BondReturn near 0", power.BondReturn(0.02, 2e-9), 0.2, 1e-6)
	for d, want := range map[float64]float64{0.0524: 0.00446991, 0.01: 0.00084691, 0.155: 0.01345844} {
		near(t, "BillReturn", power.BillReturn(d), want, 5e-9)
	}
	near(t, "EquityReturn", power.EquityReturn(4121.47, 4146.17, 68.54), 0.00737884, 5e-9)
}

// The second-order form in duration and convexity agrees to a few basis points
// for small changes (Swinkels 2019).
func TestBondReturnTaylor(t *testing.T) {
	t.Parallel()
	for _, y0 := range []float64{0.02, 0.05, 0.1} {
		for _, dy := range []float64{-0.002, 0.001, 0.003} {
			y := y0 + dy
			v := 1 / (1 + y0/2)
			duration := (1 - math.Pow(v, 20)) / y0
			convexity := 2/(y0*y0)*(1-math.Pow(v, 20)) - 20*math.Pow(v, 21)/y0
			taylor := y0/12 - duration*dy + convexity*dy*dy/2
			near(t, "Taylor", power.BondReturn(y0, y), taylor, 5e-4)
		}
	}
}

func TestMultipleDividesAndDoesNotSubtract(t *testing.T) {
	t.Parallel()
	m := power.Multiple(1, math.Pow(1.08, 10), 1, math.Pow(1.04, 10))
	near(t, "ten years at 8 % nominal and 4 % inflation", m, 1.458, 5e-4)
	near(t, "a year", power.AnnualReturn(m, 120), 1.08/1.04-1, 1e-12)
}

func TestTiers(t *testing.T) {
	t.Parallel()
	tiers := power.DefaultTiers()
	for m, want := range map[float64]string{
		1: "A_PRESERVER", 0.9999999: "B_PARTIAL", 0.9: "B_PARTIAL", 0.8999: "C_ERODER", 0.7: "C_ERODER", 0.6999: "D_DESTROYER", 0: "D_DESTROYER",
	} {
		if got := tiers.Class(m).String(); got != want {
			t.Errorf("Class(%v): got %s, want %s", m, got, want)
		}
		if got := tiers.ClassOfLog(math.Log(m)).String(); got != want {
			t.Errorf("ClassOfLog(ln %v): got %s, want %s", m, got, want)
		}
	}
}

func TestBasket(t *testing.T) {
	t.Parallel()
	base := series.Of(2000, 1)
	views := []series.View{
		{First: base - 1, Values: []float64{1, 2, 3}}, {First: base, Values: []float64{4, 4}},
	}
	shares := []power.Share{{Series: "A", Part: 0.25}, {Series: "B", Part: 0.75}}
	b, err := power.Basket(shares, views, base)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "base", b.At(base), 1, 1e-15)
	near(t, "next", b.At(base+1), 0.25*1.5+0.75, 1e-15)
	if v := b.At(base - 1); !math.IsNaN(v) {
		t.Errorf("a month without one price: got %v, want NaN", v)
	}
	if _, err := power.Basket(shares, views, base-1); err == nil {
		t.Error("base month without a price: got no error")
	}
	if _, err := power.Basket(shares[:1], views[:1], base); err == nil {
		t.Error("shares that sum to 0.25: got no error")
	}
}
