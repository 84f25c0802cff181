package score

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestBlock(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ h, n, want int }{
		{12, 487, 12},
		{1, 487, 12},  // at least a year
		{60, 439, 60}, // the horizon
		{120, 379, 120},
		{120, 200, 100}, // at most half the months
		{12, 20, 10},
		{12, 1, 1},
	} {
		if got := DefaultBootstrap(c.h).Block(c.n); got != c.want {
			t.Errorf("horizon %d, %d months: got block %d, want %d", c.h, c.n, got, c.want)
		}
	}
}

func TestResamplingFlagsFewBlocks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		months     int
		unreliable bool
	}{{59, true}, {60, false}} {
		_, rs, err := DefaultBootstrap(12).Mean(make([]float64, c.months))
		if err != nil {
			t.Fatal(err)
		}
		near(t, "Blocks", rs.Blocks, float64(c.months)/12, 1e-15)
		if rs.Unreliable != c.unreliable || rs.Months != c.months || rs.BlockMonths != 12 {
			t.Errorf("%d months: got %+v, want unreliable %v", c.months, rs, c.unreliable)
		}
	}
}

// The running sums must give what adding up the drawn months one by one gives.
func TestDrawAgainstPlainSums(t *testing.T) {
	t.Parallel()
	r := newRand(4)
	for _, n := range []int{1, 2, 25, 137} {
		months := make([]monthSums, n)
		for i := range months {
			months[i] = monthSums{r.NormFloat64(), r.Float64(), 1 + r.Float64()}
		}
		b := Bootstrap{HorizonMonths: 24, Draws: 50, Level: 0.9, Seed: 9}
		block := b.Block(n)
		plain := rand.New(rand.NewPCG(9, 0x626c6f636b73))
		draws := 0
		b.draw(months, func(got monthSums) {
			draws++
			var want monthSums
			for taken := 0; taken < n; {
				start := plain.IntN(n)
				for k := 0; k < block && taken < n; k++ {
					want = want.plus(months[(start+k)%n])
					taken++
				}
			}
			near(t, "score", got.score, want.score, 1e-11)
			near(t, "ref", got.ref, want.ref, 1e-11)
			near(t, "n", got.n, want.n, 1e-11)
		})
		if draws != 50 {
			t.Errorf("got %d draws, want 50", draws)
		}
	}
}

// The interval must be as wide as theory says: z*sd/sqrt(n) for independent months, sqrt(k) times that when each shock
// lasts k months, up to the loss at the blocks' ends.
func TestMeanIntervalWidth(t *testing.T) {
	t.Parallel()
	r := newRand(5)
	const n, k = 3000, 12
	shocks := make([]float64, n+k)
	for i := range shocks {
		shocks[i] = r.NormFloat64()
	}
	independent, overlapping := shocks[:n], make([]float64, n)
	for i := range overlapping {
		for j := range k {
			overlapping[i] += shocks[i+j] / math.Sqrt(k)
		}
	}
	width := func(x []float64, h int) float64 {
		est, _, err := DefaultBootstrap(h).Mean(x)
		if err != nil {
			t.Fatal(err)
		}
		if !(est.Lo < est.Value && est.Value < est.Hi) {
			t.Fatalf("estimate %+v is not inside its interval", est)
		}
		return est.Hi - est.Lo
	}
	theory := 2 * 1.6449 / math.Sqrt(n)
	near(t, "independent", width(independent, 12)/theory, 1, 0.12)
	near(t, "overlapping, long blocks", width(overlapping, 120)/(theory*math.Sqrt(k)), 1, 0.2)
	if w := width(overlapping, 1) / (theory * math.Sqrt(k)); w > 0.95 {
		t.Errorf("blocks of a year on overlapping years: width ratio %v, want visibly under 1", w)
	}
}

func TestBootstrapIsDeterministic(t *testing.T) {
	t.Parallel()
	r := newRand(6)
	x := make([]float64, 200)
	for i := range x {
		x[i] = r.NormFloat64()
	}
	b := DefaultBootstrap(24)
	first, _, _ := b.Mean(x)
	second, _, _ := b.Mean(x)
	b.Seed = 2
	other, _, _ := b.Mean(x)
	if first != second {
		t.Errorf("same seed: got %v and %v", first, second)
	}
	if first.Lo == other.Lo || first.Value != other.Value {
		t.Errorf("other seed: got %v after %v, want the same value with another interval", other, first)
	}
}

func TestShare(t *testing.T) {
	t.Parallel()
	// Month 3 has three rows, month 1 has one: rows count once each.
	est, rs, err := DefaultBootstrap(12).Share([]int{3, 1, 3, 3}, []bool{true, false, false, true})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "share", est.Value, 0.5, 0)
	if rs.Months != 2 || est.Lo != 0 || math.Abs(est.Hi-2.0/3) > 1e-15 {
		t.Errorf("got %+v %+v, want 2 months and [0, 2/3]", est, rs)
	}
	if _, _, err := DefaultBootstrap(12).Share([]int{1}, nil); !errors.Is(err, ErrShape) {
		t.Errorf("lengths: got %v, want ErrShape", err)
	}
}

func TestBootstrapRefuses(t *testing.T) {
	t.Parallel()
	good := DefaultBootstrap(12)
	for _, c := range []struct {
		name string
		b    Bootstrap
		x    []float64
		want error
	}{
		{"no months", good, nil, ErrTooFew},
		{"NaN", good, []float64{1, math.NaN()}, ErrMissing},
		{"infinity", good, []float64{1, math.Inf(1)}, ErrMissing},
		{"horizon", Bootstrap{0, 2000, 0.9, 1}, []float64{1}, ErrShape},
		{"draws", Bootstrap{12, 0, 0.9, 1}, []float64{1}, ErrShape},
		{"level", Bootstrap{12, 10, 1, 1}, []float64{1}, ErrShape},
		{"NaN level", Bootstrap{12, 10, math.NaN(), 1}, []float64{1}, ErrShape},
	} {
		if _, _, err := c.b.Mean(c.x); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func TestQuantileSorted(t *testing.T) {
	t.Parallel()
	// numpy 2 quantile of [3,1,4,1,5,9,2,6]: 1, 3.5, 7.95.
	x := []float64{3, 1, 4, 1, 5, 9, 2, 6}
	slices.Sort(x)
	near(t, "5 %", quantileSorted(x, .05), 1, 1e-14)
	near(t, "50 %", quantileSorted(x, .5), 3.5, 1e-14)
	near(t, "95 %", quantileSorted(x, .95), 7.95, 1e-14)
	near(t, "100 %", quantileSorted(x, 1), 9, 0)
	near(t, "one value", quantileSorted([]float64{2}, .3), 2, 0)
	near(t, "infinities", quantileSorted([]float64{1, math.Inf(1), math.Inf(1)}, .75), math.Inf(1), 0)
}

func BenchmarkBootstrapSkill(b *testing.B) {
	r := newRand(8)
	const months = 500
	p := Paired{}
	for m := range months {
		p.Month, p.Asset = append(p.Month, m), append(p.Asset, 0)
		p.Score, p.Ref = append(p.Score, r.Float64()), append(p.Ref, r.Float64())
	}
	for _, h := range []int{12, 120} {
		b.Run(fmt.Sprintf("block=%d", h), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Skill(EqualMonths, DefaultBootstrap(h)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSkillOfPanel(b *testing.B) {
	r := newRand(8)
	for _, months := range []int{250, 500, 1000} {
		p := Paired{}
		for m := range months {
			for a := range 9 {
				p.Month, p.Asset = append(p.Month, m), append(p.Asset, a)
				p.Score, p.Ref = append(p.Score, r.Float64()), append(p.Ref, r.Float64())
			}
		}
		b.Run(fmt.Sprintf("months=%d", months), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Skill(EqualMonths, DefaultBootstrap(12)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
