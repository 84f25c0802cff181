package forecast

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/series"
	"github.com/pppq/pppq/internal/source"
)

func rps(p [4]float64, y int) float64 {
	F, s := 0.0, 0.0
	for k := 0; k < 3; k++ {
		F += p[k]
		o := 0.0
		if y <= k {
			o = 1
		}
		s += (F - o) * (F - o)
	}
	return s / 3
}
func probs(n Normal) [4]float64 {
	a, b, c := n.CDF(0), n.CDF(math.Log(.9)), n.CDF(math.Log(.7))
	return [4]float64{1 - a, a - b, b - c, c}
}
func class(ln float64) int {
	switch {
	case ln >= 0:
		return 0
	case ln >= math.Log(.9):
		return 1
	case ln >= math.Log(.7):
		return 2
	}
	return 3
}

func TestProbe(t *testing.T) {
	set, err := source.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	st := time.Now()
	p, err := panel.Build(context.Background(), set, series.BuiltinAssets())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("panel", time.Since(st), p.Last)
	st = time.Now()
	core := NewCoreHistory(p)
	fmt.Println("core", time.Since(st))
	for _, H := range []int{12, 24, 36, 60, 120} {
		h, _ := panel.HorizonIndex(H)
		type cl struct{ asset, pooled, part [4]float64 }
		clim := map[int][]cl{}
		for y := 1985; y <= 2026; y++ {
			o := series.Of(y, 1)
			var pool [4]float64
			per := make([][4]float64, len(p.Assets))
			T := make([]float64, len(p.Assets))
			for a, r := range p.Assets {
				for m := r.First(); m+series.Month(H)+1 <= o; m++ {
					ln, known := r.Outcome(m, h)
					if math.IsNaN(ln) || known > o {
						continue
					}
					per[a][class(ln)]++
					pool[class(ln)]++
					T[a]++
				}
			}
			norm := func(c [4]float64) [4]float64 {
				s := 0.0
				for i := range c {
					c[i] += .5
					s += c[i]
				}
				for i := range c {
					c[i] /= s
				}
				return c
			}
			pp := norm(pool)
			var out []cl
			for a := range p.Assets {
				pa := norm(per[a])
				n := T[a] / float64(H)
				var part [4]float64
				for i := range part {
					part[i] = (n*pa[i] + 2*pp[i]) / (n + 2)
				}
				out = append(out, cl{pa, pp, part})
			}
			clim[y] = out
		}
		var sum [4]float64
		months := 0.0
		for m := series.Of(1985, 1); m <= p.Last; m++ {
			var s [4]float64
			k := 0.0
			for a, r := range p.Assets {
				if m < r.First()+panel.ScoredAfter {
					continue
				}
				ln, known := r.Outcome(m, h)
				if known == 0 {
					continue
				}
				i := -1
				for j := range r.Rows {
					if r.Rows[j].T == m {
						i = j
					}
				}
				if i < 0 {
					fmt.Println("no row", r.Asset.ID, m)
					continue
				}
				y := class(ln)
				c := clim[m.Year()][a]
				s[0] += rps(probs(core.At(a, h, i)), y)
				s[1] += rps(c.asset, y)
				s[2] += rps(c.pooled, y)
				s[3] += rps(c.part, y)
				k++
			}
			if k == 0 {
				continue
			}
			months++
			for j := range s {
				sum[j] += s[j] / k
			}
		}
		for j := range sum {
			sum[j] /= months
		}
		fmt.Printf("H %d core %.4f asset %.4f pooled %.4f part %.4f skill %+.4f months %v\n", H, sum[0], sum[1], sum[2], sum[3], 1-sum[0]/sum[3], months)
	}
}
