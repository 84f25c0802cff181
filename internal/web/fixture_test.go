package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"flag"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
	"github.com/pppq/pppq/internal/source"
)

var update = flag.Bool("update", false, "run the walk-forward test again and write "+fixtureFile)

// fixtureFile is a walk-forward report on the embedded figures, seed 1, vault
// open, as JSON, without the scores of each month, which no page shows. It is
// made by
//
//	go test ./internal/web -run TestFixture -update
//
// first on 2026-11-23 from figures to 2026-07.
const fixtureFile = "testdata/report.json.gz"

// today is long enough after the figures for them to be stale, fresh is not.
var (
	today = time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC)
	fresh = time.Date(2026, time.September, 1, 0, 0, 0, 0, time.UTC)
)

// loadReport reads the fixture anew, so that a test may change it.
func loadReport(t testing.TB) *backtest.Report {
	t.Helper()
	packed, err := os.ReadFile(fixtureFile)
	if err != nil {
		t.Fatalf("%v; to make it: go test ./internal/web -run TestFixture -update", err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	r := new(backtest.Report)
	if err := json.Unmarshal(text, r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFixture(t *testing.T) {
	if *update {
		writeFixture(t)
	}
	r := loadReport(t)
	if len(r.Assets) != 9 || len(r.Horizons) != 5 || len(r.Rungs) != 14 || len(r.Paths) != 45 {
		t.Errorf("fixture holds %d assets, %d horizons, %d rungs, %d paths, want 9, 5, 14, 45",
			len(r.Assets), len(r.Horizons), len(r.Rungs), len(r.Paths))
	}
}

func writeFixture(t *testing.T) {
	p, core, training := figures9(t)
	r, err := backtest.Run(context.Background(), p.panel, core, training, power.DefaultTiers(), backtest.Options{Seed: 1, OpenVault: true, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Paths {
		r.Paths[i].RPS = nil
	}
	text, err := json.Marshal(r, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(fixtureFile, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A dataset is the embedded figures and the panel made of them.
type dataset struct {
	set   *series.Set
	panel *panel.Panel
}

func figures9(t testing.TB) (dataset, *forecast.CoreHistory, *forecast.TrainingSet) {
	t.Helper()
	set, err := source.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	p, err := panel.Build(context.Background(), set, series.BuiltinAssets())
	if err != nil {
		t.Fatal(err)
	}
	core := forecast.NewCoreHistory(p)
	training, err := forecast.NewTrainingSet(p, core, power.DefaultTiers())
	if err != nil {
		t.Fatal(err)
	}
	return dataset{set, p}, core, training
}

// A trained is a forecaster with boosters, made once for all tests.
var trained struct {
	once sync.Once
	f    *forecast.Forecaster
}

// loadModel returns a model of the embedded figures; the forecaster is a copy
// whose list of assets may be changed. The boosters are trained on the oldest
// windows alone, which is fast and enough to have contributions.
func loadModel(t testing.TB) *Model {
	t.Helper()
	trained.once.Do(func() {
		d, core, training := figures9(t)
		f, skipped, err := forecast.Build(d.set, d.panel, core, power.DefaultTiers())
		if err != nil || len(skipped) > 0 {
			t.Fatalf("build: %v, skipped %v", err, skipped)
		}
		for family, b := range map[gbdt.Family]**forecast.Booster{gbdt.LightGBM: &f.LGBM, gbdt.XGBoost: &f.XGB} {
			if *b, err = training.FitSpread(context.Background(), family, 3000, 1); err != nil {
				t.Fatal(err)
			}
		}
		f.Weights = forecast.Weights{LGBM: 1, XGB: 1, Ensemble: 1}
		f.References[forecast.Ensemble] = []forecast.Reference{{HorizonYears: 10, RPS: 0.1528, Baseline: "climatology_partial", Skill: 0.1961, Low: 0.1617, High: 0.2287, Blocks: 3}}
		f.Version = "20261122T181500Z-4f2a"
		trained.f = f
	})
	if trained.f == nil {
		t.Fatal("an earlier test could not make the model")
	}
	f := *trained.f
	f.Assets = append([]forecast.AssetState(nil), f.Assets...)
	return NewModel(&f, loadReport(t))
}
