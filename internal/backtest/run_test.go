package backtest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
	"github.com/pppq/pppq/internal/source"
)

func TestTable(t *testing.T) {
	set, err := source.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	p, err := panel.Build(context.Background(), set, series.BuiltinAssets())
	if err != nil {
		t.Fatal(err)
	}
	core := forecast.NewCoreHistory(p)
	ts, err := forecast.NewTrainingSet(p, core, power.DefaultTiers())
	if err != nil {
		t.Fatal(err)
	}
	st := time.Now()
	r, err := Run(context.Background(), p, core, ts, power.DefaultTiers(), Options{Seed: 1, OpenVault: true, Threads: 2, Progress: func(s string, d, n int) {
		if d == n || d == 1 {
			fmt.Println(s, d, n, time.Since(st))
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(time.Since(st))
	for _, h := range r.Horizons {
		fmt.Println(h.Months, h.Origins, h.Rows, h.BestClimatology, h.LikelyClass, h.NonOverlapping)
		for _, s := range h.Rungs {
			fmt.Printf("  %-20s %.4f ll %.3f auc %.2f acc %.2f f1 %.2f skill %+.3f [%+.3f %+.3f] b%d", s.Rung, s.RPS, s.LogLoss, *s.AUC, s.Accuracy, s.MacroF1, s.Skill.Value, s.Skill.Low, s.Skill.High, s.Skill.Blocks)
			if s.OverCore != nil {
				fmt.Printf(" core %+.4f [%+.4f %+.4f]", s.OverCore.Value, s.OverCore.Low, s.OverCore.High)
			}
			if s.Coverage != nil {
				fmt.Printf(" cov %.2f max %.2f", *s.Coverage, s.MaxProb)
			}
			fmt.Println()
		}
		for _, g := range h.Groups {
			if g.Rung == "carry_core" {
				fmt.Printf("   %-15s %+.3f %v  %.4f %.4f\n", g.Group, g.Skill.Value, g.Skill.Difference, g.RPS, g.Climatology)
			}
		}
		fmt.Println(h.Eras)
	}
	b, _ := json.Marshal(r.Pooled)
	fmt.Println(string(b))
	fmt.Println(r.Weights, r.Calibration)
	fmt.Println(r.Alarms)
	b, err = json.Marshal(r)
	fmt.Println(len(b), err)
}
