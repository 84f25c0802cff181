package backtest

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
	"github.com/pppq/pppq/internal/source"
)

func study(t testing.TB, p *panel.Panel) (*forecast.CoreHistory, *forecast.TrainingSet) {
	t.Helper()
	core := forecast.NewCoreHistory(p)
	training, err := forecast.NewTrainingSet(p, core, power.DefaultTiers())
	if err != nil {
		t.Fatal(err)
	}
	return core, training
}

func embeddedPanel(t testing.TB) *panel.Panel {
	t.Helper()
	set, err := source.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	p, err := panel.Build(t.Context(), set, series.BuiltinAssets())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// release is the whole test with the vault open, run once for all tests.
var release struct {
	once sync.Once
	r    *Report
	err  error
}

func releaseReport(t *testing.T) *Report {
	t.Helper()
	release.once.Do(func() {
		p := embeddedPanel(t)
		core, training := study(t, p)
		release.r, release.err = Run(context.Background(), p, core, training, power.DefaultTiers(), Options{Seed: 1, OpenVault: true, Threads: 2})
	})
	if release.err != nil {
		t.Fatal(release.err)
	}
	return release.r
}

// The published figures of docs/method.md: an implementation that reaches them
// within 0.01 is right, one that is far above leaks.
func TestPublishedSkill(t *testing.T) {
	t.Parallel()
	r := releaseReport(t)
	within := func(what string, got, want, tolerance float64) {
		t.Helper()
		if !(math.Abs(got-want) <= tolerance) {
			t.Errorf("%s: got %+.4f, want %+.4f within %v", what, got, want, tolerance)
		}
	}
	for i, want := range []struct {
		months                                        int
		climatology, core, skill, low, high, logLoss  float64
		auc, coverage80, coverage95, accuracy, f1     float64
		historical, trees, yielding, stocks, metalOil float64
		blocks                                        int
	}{
		{12, 0.1222, 0.1138, 0.068, 0.04, 0.09, 0.84, 0.75, 0.80, 0.94, 0.66, 0.35, 0.005, 0.004, 0.25, 0.00, 0.03, 40},
		{24, 0.1376, 0.1265, 0.081, 0.05, 0.11, 0.89, 0.77, 0.81, 0.94, 0.67, 0.37, 0.011, 0.008, 0.25, 0.03, 0.03, 20},
		{36, 0.1483, 0.1358, 0.084, 0.05, 0.11, 0.93, 0.79, 0.82, 0.95, 0.67, 0.40, -0.004, 0.009, 0.24, 0.04, 0.00, 13},
		{60, 0.1705, 0.1438, 0.156, 0.11, 0.21, 0.92, 0.78, 0.84, 0.97, 0.66, 0.42, 0.065, 0.003, 0.33, 0.09, -0.02, 7},
		{120, 0.1904, 0.1532, 0.195, 0.17, 0.22, 0.91, 0.78, 0.87, 0.98, 0.63, 0.33, 0.069, 0.005, 0.43, 0.08, -0.06, 3},
	} {
		h := r.Horizons[i]
		if h.Months != want.months || h.BestClimatology != "climatology_partial" {
			t.Fatalf("horizon %d: %d months, best %s", i, h.Months, h.BestClimatology)
		}
		core := h.Rung("carry_core")
		within("best climatology", h.Rung("climatology_partial").RPS, want.climatology, 0.0005)
		within("carry core", core.RPS, want.core, 0.0003)
		within("skill", core.Skill.Value, want.skill, 0.01)
		within("lower bound", core.Skill.Low, want.low, 0.015)
		within("upper bound", core.Skill.High, want.high, 0.015)
		within("log loss", core.LogLoss, want.logLoss, 0.01)
		within("AUC", *core.AUC, want.auc, 0.01)
		within("coverage of 80 %", core.Coverage[1], want.coverage80, 0.01)
		within("coverage of 95 %", core.Coverage[2], want.coverage95, 0.01)
		within("accuracy", core.Accuracy, want.accuracy, 0.01)
		within("macro-F1", core.MacroF1, want.f1, 0.01)
		within("historical core", h.Rung("historical_core").Skill.Value, want.historical, 0.01)
		within("ensemble over the core", h.Rung("ensemble").OverCore.Value, want.trees, 0.01)
		if core.Skill.Blocks != want.blocks && core.Skill.Blocks != want.blocks-1 {
			t.Errorf("blocks: got %d, want about %d", core.Skill.Blocks, want.blocks)
		}
		for group, skill := range map[string]float64{"yielding": want.yielding, "stocks": want.stocks, "metals and oil": want.metalOil} {
			for _, g := range h.Groups {
				if g.Group == group && g.Rung == "carry_core" {
					within(group, g.Skill.Value, skill, 0.02)
				}
			}
		}
	}
	if len(r.Alarms) > 0 {
		t.Errorf("alarms: %v", r.Alarms)
	}
	if r.Weights != (forecast.Weights{LGBM: 1, XGB: 1, Ensemble: 1}) {
		t.Errorf("weights: got %+v, want all 1", r.Weights)
	}
	if _, err := json.Marshal(r); err != nil {
		t.Errorf("the report is no JSON: %v", err)
	}
}

// Two runs, and any number of threads, give the same report; without the vault
// the newest origins are missing.
func TestSameReportAtAnyNumberOfThreads(t *testing.T) {
	t.Parallel()
	p := embeddedPanel(t)
	core, training := study(t, p)
	var first []byte
	for _, threads := range []int{1, 3} {
		r, err := Run(t.Context(), p, core, training, power.DefaultTiers(), Options{Seed: 7, From: series.Of(2012, 1), Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b
		} else if string(first) != string(b) {
			t.Error("another number of threads gave another report")
		}
		want := p.Last - 13 - VaultMonths
		if got := r.Horizons[0].Last; got != want {
			t.Errorf("newest origin without the vault: got %s, want %s", got, want)
		}
		for _, path := range r.Paths {
			for i, o := range path.Outcome {
				if path.Months == 12 && path.From+series.Month(i) > want && (o != -1 || path.RPS[i] != -1) {
					t.Fatalf("%s at %s: an outcome in the vault is told", path.Asset, path.From+series.Month(i))
				}
			}
		}
	}
}

// Leakage test (d): on outcomes in another order nothing learned has skill.
func TestShuffledOutcomesHaveNoSkill(t *testing.T) {
	t.Parallel()
	p := embeddedPanel(t).ShuffleOutcomes(60, 3)
	core, training := study(t, p)
	r, err := Run(t.Context(), p, core, training, power.DefaultTiers(), Options{Seed: 1, OpenVault: true, From: series.Of(2012, 1), Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	// What the core knows of each asset's mean and spread survives the shuffling;
	// on the true outcomes of these years its mean skill is above 0.1.
	core0, over := 0.0, map[string]float64{}
	for _, h := range r.Horizons {
		core0 += h.Rung("carry_core").Skill.Value / float64(len(r.Horizons))
		for _, s := range h.Rungs {
			if s.OverCore != nil {
				over[s.Rung] += s.OverCore.Value / float64(len(r.Horizons))
			}
		}
	}
	if core0 > 0.04 {
		t.Errorf("carry core: mean skill %+.3f on shuffled outcomes", core0)
	}
	for name, skill := range over {
		if skill > 0.02 {
			t.Errorf("%s: mean skill over the core %+.3f on shuffled outcomes", name, skill)
		}
	}
}

// Leakage test (c): a feature that is the outcome with noise is caught.
func TestPlantedFeatureIsCaught(t *testing.T) {
	t.Parallel()
	p := embeddedPanel(t)
	h, _ := panel.HorizonIndex(36)
	random := rand.New(rand.NewPCG(1, 2))
	for _, rows := range p.Assets {
		for i := range rows.Rows {
			row := &rows.Rows[i]
			row.Values = slices.Clone(row.Values)
			ln, _ := rows.Outcome(row.T, h)
			row.Values[panel.VolRatio] = ln + 0.05*random.NormFloat64()
		}
	}
	core, training := study(t, p)
	r, err := Run(t.Context(), p, core, training, power.DefaultTiers(), Options{Seed: 1, OpenVault: true, From: series.Of(2014, 1), Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(r.Alarms, func(a Alarm) bool { return strings.HasPrefix(a.What, "feature vol_ratio alone at 3 years") }) {
		t.Errorf("no alarm names vol_ratio at 3 years: %v", r.Alarms)
	}
	for _, a := range r.Alarms {
		if strings.HasPrefix(a.What, "feature ") && !strings.HasPrefix(a.What, "feature vol_ratio") {
			t.Errorf("an honest feature is accused: %v", a)
		}
	}
	if d := Gate(nil, r, true); d.Promote {
		t.Error("the gate promoted a report with alarms")
	}
}

// Figures that are missing stop no test: the months around a gap have no
// forecast, those after it stand at their own dates on the path, and without
// newer earnings stocks have none.
func TestGapInFigures(t *testing.T) {
	t.Parallel()
	set, err := source.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	gold, err := set.Get("GOLD")
	if err != nil {
		t.Fatal(err)
	}
	gap, lastEarnings := series.Of(2016, 3), series.Of(2015, 12)
	figures := slices.DeleteFunc(slices.Clone(gold.Observations()), func(o series.Observation) bool { return o.Period == gap })
	fund, err := series.New(series.Info{ID: "FUND", Sampling: series.Average}, figures)
	if err != nil {
		t.Fatal(err)
	}
	all := []*series.Series{fund}
	for _, id := range set.IDs() {
		s, _ := set.Get(id)
		if id == "SP500_EARNINGS" {
			early := slices.DeleteFunc(slices.Clone(s.Observations()), func(o series.Observation) bool { return o.Period > lastEarnings })
			if s, err = series.New(s.Info, early); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, s)
	}
	if set, err = series.NewSet(all...); err != nil {
		t.Fatal(err)
	}
	p, err := panel.Build(t.Context(), set, append(series.BuiltinAssets(), series.Asset{ID: "Fund", Kind: series.Custom, Price: "FUND"}))
	if err != nil {
		t.Fatal(err)
	}
	core, training := study(t, p)
	r, err := Run(t.Context(), p, core, training, power.DefaultTiers(), Options{Seed: 1, From: series.Of(2012, 1), Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	rows, _ := p.Find("Fund")
	scored := 0
	for _, path := range r.Paths {
		// Earnings are held for 18 months past those that would be known, six old.
		if end := path.From + series.Month(len(path.Loss)); path.Asset == "SP500" && end != lastEarnings+6+18+2 {
			t.Errorf("SP500 over %d months without newer earnings: forecasts before %s, want before %s", path.Months, end, lastEarnings+6+18+2)
		}
		if path.Asset != "Fund" || path.Months != 12 {
			continue
		}
		h, _ := panel.HorizonIndex(12)
		for i, o := range path.Outcome {
			m := path.From + series.Month(i)
			// From the month in which the gap is the newest figure on until twelve follow it.
			if without := m > gap && m <= gap+panel.MinMonths; without != (path.Loss[i] < 0) {
				t.Errorf("%s: P(loss) %d; without a forecast: %v", m, path.Loss[i], without)
			}
			if o < 0 {
				continue
			}
			scored++
			ln, _ := rows.Outcome(m, h)
			if class := power.DefaultTiers().ClassOfLog(ln); (class > 0) != (o == 1) {
				t.Errorf("%s: outcome %d on the path, class %s", m, o, class)
			}
		}
	}
	if scored < 70 {
		t.Errorf("%d scored months of an asset with a gap, want at least 70", scored)
	}
}

func TestGate(t *testing.T) {
	t.Parallel()
	champion := releaseReport(t)
	if d := Gate(nil, champion, true); !d.Promote {
		t.Errorf("first version: %s", d.Reason)
	}
	edit := func(f func(*Report)) *Report {
		b, err := json.Marshal(champion)
		if err != nil {
			t.Fatal(err)
		}
		r := new(Report)
		if err := json.Unmarshal(b, r); err != nil {
			t.Fatal(err)
		}
		f(r)
		return r
	}
	scale := func(by float64, asset string) func(*Report) {
		return func(r *Report) {
			for i := range r.Paths {
				for j, s := range r.Paths[i].RPS {
					if s >= 0 && (asset == "" || r.Paths[i].Asset == asset) {
						r.Paths[i].RPS[j] = s * by
					}
				}
			}
		}
	}
	// The user's own asset, another one under the same id when the challenger is
	// made.
	fund := func(p []Path) Path {
		own := p[slices.IndexFunc(p, func(p Path) bool { return p.Asset == "Gold" && p.Months == 12 })]
		own.Asset, own.RPS = "Fund", slices.Clone(own.RPS)
		return own
	}
	champion = edit(func(r *Report) { r.Assets, r.Paths = append(r.Assets, "Fund"), append(r.Paths, fund(r.Paths)) })
	for name, c := range map[string]struct {
		edit    func(*Report)
		promote bool
		reason  string
	}{
		"the same":                  {func(*Report) {}, false, "nothing is new"},
		"another seed":              {func(r *Report) { r.Seed++ }, false, "skill over the version in service"},
		"newer figures":             {func(r *Report) { r.DataAsOf++ }, true, "new figures"},
		"newer figures, worse":      {func(r *Report) { r.DataAsOf++; scale(1.03, "")(r) }, false, "not worse at"},
		"newer figures, gold worse": {func(r *Report) { r.DataAsOf++; scale(1.2, "Gold")(r) }, false, "not worse"},
		"newer figures, own worse":  {func(r *Report) { r.DataAsOf++; scale(3, "Fund")(r) }, true, "new figures"},
		"better":                    {func(r *Report) { r.Seed++; scale(0.97, "")(r) }, true, "better than"},
		"another method, the same":  {func(r *Report) { r.Method = "other"; r.DataAsOf++ }, false, "skill over the version in service"},
		"no common rows":            {func(r *Report) { r.DataAsOf++; r.Paths = nil }, false, "rows that both"},
		"bad coverage":              {func(r *Report) { r.DataAsOf++; r.Horizons[1].Rungs[rungEnsemble].Coverage[1] = 0.6 }, false, "coverage"},
		"bad slope":                 {func(r *Report) { r.DataAsOf++; *r.Horizons[1].Rungs[rungEnsemble].Slope = 0.3 }, false, "reliability"},
		"core loses":                {func(r *Report) { r.DataAsOf++; r.Horizons[2].Rungs[rungCarry].RPS = 0.2 }, false, "the core beats"},
		"alarm":                     {func(r *Report) { r.DataAsOf++; r.Alarms = []Alarm{{What: "skill", Value: 0.5, Level: 0.1}} }, false, "too good"},
		"log loss":                  {func(r *Report) { r.DataAsOf++; r.Horizons[0].Rungs[rungEnsemble].LogLoss += 0.05 }, false, "log loss"},
	} {
		r := edit(c.edit)
		d := Gate(champion, r, r.DataAsOf != champion.DataAsOf)
		if d.Promote != c.promote || !strings.Contains(d.Reason, c.reason) {
			t.Errorf("%s: got promote %v, %q; want %v, %q", name, d.Promote, d.Reason, c.promote, c.reason)
		}
	}
}
