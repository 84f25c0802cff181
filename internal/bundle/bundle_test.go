package bundle_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
	"github.com/pppq/pppq/internal/source"
)

const program = "1.2.3"

// created is a time of writing; versions made with it sort by when they were
// written all the same.
var created = time.Date(2026, time.November, 22, 18, 15, 0, 0, time.UTC)

// made is a forecaster trained on the embedded figures, with a report made by
// hand.
var made = sync.OnceValues(func() (bundle.Contents, error) {
	ctx := context.Background()
	set, err := source.Embedded()
	if err != nil {
		return bundle.Contents{}, err
	}
	p, err := panel.Build(ctx, set, series.BuiltinAssets())
	if err != nil {
		return bundle.Contents{}, err
	}
	core := forecast.NewCoreHistory(p)
	f, _, err := forecast.Build(set, p, core, power.DefaultTiers())
	if err != nil {
		return bundle.Contents{}, err
	}
	training, err := forecast.NewTrainingSet(p, core, f.Tiers)
	if err != nil {
		return bundle.Contents{}, err
	}
	if f.LGBM, err = training.FitSpread(ctx, gbdt.LightGBM, len(training.Examples), 7); err != nil {
		return bundle.Contents{}, err
	}
	if f.XGB, err = training.FitSpread(ctx, gbdt.XGBoost, len(training.Examples), 7); err != nil {
		return bundle.Contents{}, err
	}
	f.Weights = forecast.Weights{LGBM: 1, XGB: 0, Ensemble: 1}
	f.Calibration = forecast.Calibration{Temperature: 1.1, Interval: 0.97}
	f.References = map[forecast.ModelType][]forecast.Reference{
		forecast.LGBM:     {{HorizonYears: 1, RPS: 0.1, Baseline: "climatology_partial", Skill: 0.07, Low: -0.01, High: 0.1, Blocks: 40}},
		forecast.Ensemble: {{HorizonYears: 1, RPS: 0.11}, {HorizonYears: 10, RPS: 1.0 / 3, Blocks: 3, Assets: []forecast.OwnSkill{{Asset: "Gold", Skill: -0.01, Difference: true}, {Asset: "SP500", High: 0.1}}}},
	}
	data, err := bundle.DescribeData(set)
	return bundle.Contents{Forecaster: f, Report: report(), Data: data, Created: created, NewDataRows: 9}, err
})

func contents(t testing.TB) bundle.Contents {
	t.Helper()
	c, err := made()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// baseline is contents without boosters.
func baseline(t testing.TB) bundle.Contents {
	t.Helper()
	c := contents(t)
	f := *c.Forecaster
	f.LGBM, f.XGB, f.Weights = nil, nil, forecast.Weights{}
	c.Forecaster = &f
	return c
}

// report is a walk-forward report with every kind of field in use.
func report() *backtest.Report {
	num := func(x float64) *float64 { return &x }
	r := &backtest.Report{
		From: series.Of(1985, 1), To: series.Of(2025, 7), DataAsOf: series.Of(2026, 7), Seed: math.MaxUint64, Method: forecast.Method,
		Assets: []string{"SP500", "Gold"},
		Rungs: []backtest.RungInfo{
			{Name: "climatology_partial", Title: "shares"},
			{Name: "carry_core", Title: "what it yields", Below: "climatology_partial", Served: true},
			{Name: "ensemble", Title: "mean of both spreads", Below: "carry_core", Served: true},
		},
		Pooled:      []backtest.Skill{{Rung: "ensemble", Reference: "carry_core", Value: 0.1234567890123456789, Low: -1e-300, High: 1}},
		Weights:     forecast.Weights{LGBM: 1, Ensemble: 1},
		Calibration: forecast.Calibration{Temperature: 1.1, Interval: 0.97},
		Alarms:      []backtest.Alarm{},
		Paths: []backtest.Path{{
			Asset: "Gold", Months: 12, From: series.Of(1985, 1), Loss: []int16{-1, 0, 1000}, Outcome: []int8{-1, 0, 1}, RPS: []float64{-1, 0.25, 1.0 / 3},
		}},
	}
	for i, months := range []int{12, 120} {
		x := float64(i)
		h := backtest.HorizonReport{
			Months: months, Origins: 480, Rows: 3941, Last: series.Of(2025, 7), EffectiveCases: 328.4, BestClimatology: "climatology_partial",
			LikelyClass: 0.6, NonOverlapping: 0.05,
			Eras:        []backtest.EraScore{{From: series.Of(1985, 1), To: series.Of(1998, 12), Rung: "ensemble", Skill: 0.0625}},
			Reliability: []backtest.ReliabilityBin{{Forecast: 0.15, Seen: 0.16, Rows: 394}},
		}
		for k, rung := range []string{"climatology_partial", "carry_core", "ensemble"} {
			y := float64(k)
			s := backtest.RungScore{
				Rung: rung, RPS: 0.12 - y/100, LogLoss: 0.9, Floored: 3, Brier: 0.4, BrierLoss: 0.2, Accuracy: 0.60 + y/100 + x/50,
				MacroF1: 0.3 + y/20, MaxProb: 0.9, ECE: 0.01, AbsentClasses: []string{"D_DESTROYER"},
				Skill: backtest.Skill{Reference: "climatology_partial", Value: y/20 + x/10, Low: y / 40, High: y / 10, Blocks: 40 - 37*i},
			}
			if k > 0 {
				s.CRPS, s.AUC, s.Kappa, s.Width80, s.IntervalScore = num(0.1), num(0.75), num(0.3), num(0.5), num(0.7)
				s.ECEExpected, s.Intercept, s.Slope, s.Coverage = num(0.02), num(-0.1), num(0.98), &[3]float64{0.5, 0.8, 0.95}
				s.OverBelow = &backtest.Skill{Reference: "climatology_partial", Value: 0.1, P: num(0.04)}
				s.OverCore = &backtest.Skill{Reference: "carry_core", Value: 0.007, Low: -0.001, High: 0.011, Blocks: 4, Difference: true}
			}
			h.Rungs = append(h.Rungs, s)
		}
		for k, g := range []string{"stocks", "SP500", "Gold"} {
			h.Groups = append(h.Groups, backtest.GroupScore{
				Group: g, Asset: k > 0, Rung: "ensemble", Rows: 480, Windows: 40, RPS: 0.1, Climatology: 0.11, Coverage80: 0.77,
				Skill: backtest.Skill{Reference: "own best climatology", Value: 0.05 - float64(k)/20, Low: 0.01 - float64(k)/20, High: 0.1, Blocks: 6 - 3*k},
			})
		}
		r.Horizons = append(r.Horizons, h)
	}
	return r
}

func folder(t testing.TB) bundle.Folder {
	t.Helper()
	return bundle.Folder{Dir: t.TempDir(), Program: program}
}

// lock takes a folder's lock for the time of the test.
func lock(t testing.TB, f bundle.Folder) *bundle.Writer {
	t.Helper()
	w, err := f.Lock("test", created)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// write puts n bundles into a folder; each serves after the one before it.
func write(t testing.TB, w *bundle.Writer, n int) []string {
	t.Helper()
	var versions []string
	for range n {
		v, err := w.Write(contents(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Promote(v); err != nil {
			t.Fatal(err)
		}
		versions = append(versions, v)
	}
	return versions
}

func load(t testing.TB, f bundle.Folder, version string) *bundle.Bundle {
	t.Helper()
	b, err := f.Load(version)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// files reads every file of a bundle.
func files(t testing.TB, f bundle.Folder, version string) map[string][]byte {
	t.Helper()
	dir := filepath.Join(f.Dir, "pppq", version)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, e := range entries {
		if all[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// sameForecaster asks both everything. Answers are the same bit for bit, but for
// contributions: XGBoost's files hold the covers that these are averaged with as
// float32, a model just trained as float64.
func sameForecaster(t *testing.T, got, want *forecast.Forecaster) {
	t.Helper()
	named := *want
	named.Version = got.Version
	if diff := cmp.Diff(named.Assets, got.Assets, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("assets (-want +got):\n%s", diff)
	}
	contributions := cmp.FilterPath(func(p cmp.Path) bool {
		return slices.ContainsFunc(p, func(s cmp.PathStep) bool { return s.String() == ".Contributions" })
	}, cmpopts.EquateApprox(0, 1e-6))
	asked := 0
	for _, a := range want.Assets {
		for h := range panel.NumHorizons {
			for _, model := range forecast.ModelTypes {
				q := forecast.Question{Asset: a.Asset.ID, Months: panel.Horizon(h), Model: model, Explain: true}
				was, err := named.Answer(q, created)
				if err != nil {
					t.Fatal(err)
				}
				is, err := got.Answer(q, created)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(was, is, contributions); diff != "" {
					t.Fatalf("%+v (-want +got):\n%s", q, diff)
				}
				asked++
			}
		}
	}
	if asked == 0 {
		t.Error("nothing was asked")
	}
}

func sameView(t *testing.T, name string, got, want series.View) {
	t.Helper()
	for m := series.Of(1900, 1); m < series.Of(2030, 1); m++ {
		if g, w := got.At(m), want.At(m); math.Float64bits(g) != math.Float64bits(w) && !(math.IsNaN(g) && math.IsNaN(w)) {
			t.Errorf("%s of %s: got %v, want %v", name, m, g, w)
			return
		}
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]bundle.Contents{"boosters": contents(t), "baseline": baseline(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := folder(t)
			v, err := lock(t, f).Write(c)
			if err != nil {
				t.Fatal(err)
			}
			b := load(t, f, v)
			if b.Manifest.Version != v || b.Forecaster.Version != v || b.Manifest.Program != program || !b.Manifest.Created.Equal(created) {
				t.Errorf("got %+v, want version %s", b.Manifest, v)
			}
			sameForecaster(t, b.Forecaster, c.Forecaster)
			if diff := cmp.Diff(c.Report, b.Report, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.Data, b.Data); diff != "" {
				t.Errorf("data (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.Forecaster.References, b.Forecaster.References, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("references (-want +got):\n%s", diff)
			}
			was, is := c.Forecaster.History, b.Forecaster.History
			sameView(t, "CPI", is.CPI, was.CPI)
			for i, g := range was.Goods {
				sameView(t, g.Series, is.Goods[i].Prices, g.Prices)
			}
			for i, a := range was.Assets {
				sameView(t, a.ID+" nominal", is.Assets[i].Nominal, a.Nominal)
				sameView(t, a.ID+" real", is.Assets[i].Real, a.Real)
			}
		})
	}
}

// TestSameBytes: who writes, when and where changes nothing but the manifest,
// and neither does reading a bundle and writing it again.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	f, other := folder(t), bundle.Folder{Dir: t.TempDir(), Program: "1.9.0"}
	v, err := lock(t, f).Write(contents(t))
	if err != nil {
		t.Fatal(err)
	}
	again := load(t, f, v).Contents()
	again.Created = created.Add(36 * time.Hour)
	v2, err := lock(t, other).Write(again)
	if err != nil {
		t.Fatal(err)
	}
	a, b := files(t, f, v), files(t, other, v2)
	if len(a) != 11 || len(b) != len(a) {
		t.Errorf("got %d and %d files, want 11", len(a), len(b))
	}
	for name := range a {
		if name == "manifest.json" {
			continue
		}
		if !bytes.Equal(a[name], b[name]) {
			t.Errorf("%s differs", name)
		}
		for _, text := range []string{v, v[:16], "18:15", program, f.Dir, "1.9.0"} {
			if bytes.Contains(a[name], []byte(text)) {
				t.Errorf("%s contains %q", name, text)
			}
		}
	}
	was, is := load(t, f, v).Manifest, load(t, other, v2).Manifest
	if diff := cmp.Diff(was, is, cmpopts.IgnoreFields(bundle.Manifest{}, "Version", "Created", "Program", "Checksum")); diff != "" {
		t.Errorf("manifest (-first +second):\n%s", diff)
	}
}

func TestManifest(t *testing.T) {
	t.Parallel()
	f := folder(t)
	w := lock(t, f)
	v, err := w.Write(contents(t))
	if err != nil {
		t.Fatal(err)
	}
	m, err := f.Show(v)
	if err != nil {
		t.Fatal(err)
	}
	want := bundle.Metrics{Rung: "ensemble", RPSSkill: 0.15, Accuracy: 0.63, F1: 0.4}
	opts := cmp.Options{cmpopts.IgnoreFields(bundle.Metrics{}, "Horizons"), cmpopts.EquateApprox(0, 1e-12)}
	if diff := cmp.Diff(want, m.Metrics, opts); diff != "" || len(m.Metrics.Horizons) != 2 {
		t.Errorf("metrics of %d horizons (-want +got):\n%s", len(m.Metrics.Horizons), diff)
	}
	if m.DataFrom != series.Of(1926, 1) || m.DataAsOf != contents(t).Forecaster.Assets[0].Row.U || m.NewDataRows != 9 || m.Seed != math.MaxUint64 || m.Baseline {
		t.Errorf("got %+v", m)
	}
	v, err = w.Write(baseline(t))
	if err != nil {
		t.Fatal(err)
	}
	if m, err = f.Show(v); err != nil {
		t.Fatal(err)
	}
	if !m.Baseline || m.Metrics.Rung != "carry_core" || len(m.Files) != 8 {
		t.Errorf("baseline: got rung %q and %d files", m.Metrics.Rung, len(m.Files))
	}
	c := contents(t)
	c.Headline = "climatology_partial"
	if v, err = w.Write(c); err != nil {
		t.Fatal(err)
	}
	if m, err = f.Show(v); err != nil || m.Metrics.Rung != "climatology_partial" || m.Metrics.F1 != 0.3 {
		t.Errorf("named rung: got %+v, %v", m.Metrics, err)
	}
}

// TestWriteRefuses: what a bundle can't hold is refused by the name of its file,
// and leaves nothing behind.
func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	changed := func(change func(*forecast.Forecaster)) bundle.Contents {
		c := contents(t)
		f := *c.Forecaster
		f.Assets = slices.Clone(f.Assets)
		h := *f.History
		h.Goods, h.Assets = slices.Clone(h.Goods), slices.Clone(h.Assets)
		f.History = &h
		change(&f)
		c.Forecaster = &f
		return c
	}
	withReport := func(change func(*backtest.Report)) bundle.Contents {
		c := contents(t)
		c.Report = report()
		change(c.Report)
		return c
	}
	none, noReport, noRung := contents(t), contents(t), contents(t)
	none.Forecaster, noReport.Report, noRung.Headline = nil, nil, "oracle"
	row := func(f *forecast.Forecaster, i int, x float64) {
		values := slices.Clone(f.Assets[0].Row.Values)
		values[i] = x
		f.Assets[0].Row.Values = values
	}
	for name, c := range map[string]struct {
		contents bundle.Contents
		want     string
	}{
		"no forecaster": {none, "needs a forecaster"},
		"no report":     {noReport, "walk-forward report"},
		"no history":    {changed(func(f *forecast.Forecaster) { f.History = nil }), "history"},
		"one booster":   {changed(func(f *forecast.Forecaster) { f.XGB = nil }), "both boosters"},
		"unknown rung":  {noRung, `no scores of rung "oracle"`},
		"infinite":      {changed(func(f *forecast.Forecaster) { row(f, panel.LnCAPE, math.Inf(1)) }), "latest.csv: asset SP500: ln_cape is +Inf"},
		"short row":     {changed(func(f *forecast.Forecaster) { f.Assets = []forecast.AssetState{{Asset: f.Assets[0].Asset, Months: 9}} }), "latest.csv: asset SP500 has 0 features"},
		"NaN score":     {withReport(func(r *backtest.Report) { r.Horizons[0].Rungs[1].RPS = math.NaN() }), "evaluation.json: /horizons/0/rungs/1/rps"},
		"other method":  {withReport(func(r *backtest.Report) { r.Method = "x" }), "evaluation.json: is of method"},
		"twice":         {changed(func(f *forecast.Forecaster) { f.Assets[1].Asset.ID = "sp500" }), "core.json: asset sp500 is there twice"},
		"bad id":        {changed(func(f *forecast.Forecaster) { f.Assets[1].Asset.ID = "a,b" }), `core.json: asset id "a,b"`},
		"bad kind":      {changed(func(f *forecast.Forecaster) { f.Assets[1].Asset.Kind = "house" }), `core.json: asset Treasury10: unknown kind "house"`},
		"bad fee":       {changed(func(f *forecast.Forecaster) { f.Assets[1].Asset.Fee = 1 }), "core.json: asset Treasury10: fee 1"},
		"bad tiers":     {changed(func(f *forecast.Forecaster) { f.Tiers[2] = 2 }), "core.json: tiers"},
		"bad errors":    {changed(func(f *forecast.Forecaster) { f.Assets[0].Errors[3].RMS = math.NaN() }), "core.json: asset SP500: 21 months: rms NaN"},
		"bad counts":    {changed(func(f *forecast.Forecaster) { f.Assets[0].Base[3][1] = -1 }), "core.json: asset SP500: 21 months: -1 past"},
		"temperature":   {changed(func(f *forecast.Forecaster) { f.Calibration.Temperature = 9 }), "calibration.json: temperature 9"},
		"interval":      {changed(func(f *forecast.Forecaster) { f.Calibration.Interval = math.NaN() }), "calibration.json: interval NaN"},
		"weight":        {changed(func(f *forecast.Forecaster) { f.Weights.XGB = 1.5 }), "calibration.json: weight 1.5"},
		"empty history": {changed(func(f *forecast.Forecaster) { f.History = &forecast.History{} }), "history.csv: no figures"},
		"infinite price": {changed(func(f *forecast.Forecaster) {
			f.History.CPI = series.View{First: 24000, Values: []float64{math.Inf(1)}}
		}), "history.csv: CPI of 2000-01 is +Inf"},
		"unknown good": {changed(func(f *forecast.Forecaster) { f.History.Goods[0].Series = "TEA" }), "history.csv: good TEA"},
		"baseline weight": {func() bundle.Contents {
			c := baseline(t)
			c.Forecaster.Weights.LGBM = 1
			return c
		}(), "calibration.json: a baseline gives weight"},
	} {
		f := folder(t)
		w := lock(t, f)
		v, err := w.Write(c.contents)
		if err == nil || v != "" || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %q and %v, want one line with %q", name, v, err, c.want)
		}
		if got := names(t, filepath.Join(f.Dir, "pppq")); !slices.Equal(got, []string{".lock"}) {
			t.Errorf("%s: left %v", name, got)
		}
	}
}

// names lists a folder.
func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// TestIncompatible: a bundle of another program is refused with what to do.
func TestIncompatible(t *testing.T) {
	t.Parallel()
	f := folder(t)
	v := write(t, lock(t, f), 1)[0]
	for by, ok := range map[string]bool{
		"1.2.3": true, "1.0.0": true, "v1.99.0-rc.1": true, "1": true,
		"2.0.0": false, "0.9.0": false, "10.2.3": false, "": false, "devel": false,
	} {
		_, err := bundle.Folder{Dir: f.Dir, Program: by}.Load(v)
		if ok && err != nil {
			t.Errorf("%s: %v", by, err)
		}
		if ok {
			continue
		}
		var r *bundle.Refusal
		if !errors.As(err, &r) || !errors.Is(err, bundle.ErrIncompatible) || r.File != "manifest.json" || !strings.Contains(err.Error(), "run `pppq train`") {
			t.Errorf("%q: got %v, want a refusal of manifest.json that says what to do", by, err)
		}
	}
	devel := bundle.Folder{Dir: t.TempDir(), Program: "devel"}
	v = write(t, lock(t, devel), 1)[0]
	load(t, devel, v)
}

func ExampleFolder() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	models := bundle.Folder{Dir: dir, Program: "1.0.0"}

	// The writer: one process at a time.
	w, err := models.Lock("pppq train", time.Now())
	if err != nil {
		panic(err)
	}
	c, err := made() // a trained forecaster, its report, and its data
	if err != nil {
		panic(err)
	}
	version, err := w.Write(c)
	if err != nil {
		panic(err)
	}
	if err := w.Promote(version); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}

	// A reader.
	b, refused, err := models.LoadCurrent()
	if err != nil {
		panic(err)
	}
	a, err := b.Forecaster.Answer(forecast.Question{Asset: "bills", Months: 60, Model: forecast.Ensemble}, created)
	if err != nil {
		panic(err)
	}
	fmt.Println(a.Asset, a.DataAsOf, len(refused), b.Manifest.Version == version)
	// Output: Bills 2026-07 0 true
}

func BenchmarkLoad(b *testing.B) {
	f := folder(b)
	v := write(b, lock(b, f), 1)[0]
	b.ReportAllocs()
	for b.Loop() {
		load(b, f, v)
	}
}

func BenchmarkWrite(b *testing.B) {
	w := lock(b, folder(b))
	c := contents(b)
	b.ReportAllocs()
	for b.Loop() {
		v, err := w.Write(c)
		if err != nil {
			b.Fatal(err)
		}
		if err := w.Promote(v); err != nil {
			b.Fatal(err)
		}
		if _, err := w.Prune(1); err != nil {
			b.Fatal(err)
		}
	}
}
