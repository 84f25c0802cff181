package ledger_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/ledger"
	"github.com/pppq/pppq/internal/ledger/ledgertest"
	"github.com/pppq/pppq/internal/lockfile"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
	"github.com/pppq/pppq/internal/source"
)

// then is a day whose forecasts over up to five years have an outcome in the
// embedded figures, today one with them all.
var (
	then  = time.Date(2020, time.November, 22, 18, 15, 0, 0, time.UTC)
	today = time.Date(2026, time.September, 22, 18, 15, 0, 0, time.UTC)
)

// A study is what was known at a day: the panel and a baseline made of it.
type study struct {
	panel    *panel.Panel
	contents bundle.Contents
}

var (
	past    = sync.OnceValues(func() (study, error) { return newStudy(then) })
	present = sync.OnceValues(func() (study, error) { return newStudy(today) })
)

func newStudy(day time.Time) (study, error) {
	all, err := source.Embedded()
	if err != nil {
		return study{}, err
	}
	set, err := knownAt(all, series.DateOf(day))
	if err != nil {
		return study{}, err
	}
	p, err := panel.Build(context.Background(), set, series.BuiltinAssets())
	if err != nil {
		return study{}, err
	}
	f, _, err := forecast.Build(set, p, forecast.NewCoreHistory(p), power.DefaultTiers())
	if err != nil {
		return study{}, err
	}
	data, err := bundle.DescribeData(set)
	return study{p, bundle.Contents{Forecaster: f, Data: data, Created: day, Report: &backtest.Report{
		From: series.Of(1985, 1), Method: forecast.Method, Alarms: []backtest.Alarm{}, Calibration: f.Calibration,
		Rungs:    []backtest.RungInfo{{Name: "carry_core", Served: true}},
		Horizons: []backtest.HorizonReport{{Months: 12, Rungs: []backtest.RungScore{{Rung: "carry_core"}}}},
	}}}, err
}

// knownAt is the set as a user saw it on a day.
func knownAt(all *series.Set, day series.Date) (*series.Set, error) {
	var known []*series.Series
	for _, id := range all.IDs() {
		s, err := all.Get(id)
		if err != nil {
			return nil, err
		}
		observations := slices.DeleteFunc(slices.Clone(s.Observations()), func(o series.Observation) bool { return o.KnownFrom > day })
		if s, err = series.New(s.Info, observations); err != nil {
			return nil, err
		}
		known = append(known, s)
	}
	return series.NewSet(known...)
}

// promote puts a study into service as a version of its own.
func promote(t *testing.T, k ledger.Keeper, of func() (study, error)) string {
	t.Helper()
	s, err := of()
	if err != nil {
		t.Fatal(err)
	}
	w, err := k.Models.Lock("test", then)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	version, err := w.Write(s.contents)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Promote(version); err != nil {
		t.Fatal(err)
	}
	return version
}

// newKeeper keeps new folders; it knows what is known at a day.
func newKeeper(t *testing.T, now *time.Time) ledger.Keeper {
	t.Helper()
	dir := t.TempDir()
	k := ledger.Keeper{
		DataDir: filepath.Join(dir, "data"), Models: bundle.Folder{Dir: filepath.Join(dir, "models"), Program: "1.2.3"},
		Command: "test", Now: func() time.Time { return *now },
		Panel: func(context.Context) (*panel.Panel, error) {
			s, err := past()
			if now.After(then.AddDate(0, 1, 0)) {
				s, err = present()
			}
			return s.panel, err
		},
	}
	if err := os.Mkdir(k.DataDir, 0o755); err != nil {
		t.Fatal(err)
	}
	return k
}

func update(t *testing.T, k ledger.Keeper) ledger.Kept {
	t.Helper()
	kept, err := k.Update(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range kept.Versions {
		if k.Behind(v) {
			t.Errorf("the keeper is behind after it recorded %s", v)
		}
	}
	return kept
}

// verified returns the lines of a keeper's ledger, which the snapshot must equal.
func verified(t *testing.T, k ledger.Keeper) []ledger.Line {
	t.Helper()
	url := k.URL
	if url == "" {
		url = ledger.DefaultURL(k.DataDir)
	}
	_, lines := ledgertest.Verify(t, ledgertest.Open(t, url))
	if behind, err := ledger.CheckSnapshot(filepath.Join(k.DataDir, ledger.SnapshotName), lines); behind != 0 || err != nil {
		t.Errorf("the snapshot is %d entries behind, %v", behind, err)
	}
	return lines
}

// A table of 2020 is recorded as it was served then, and scored in 2026 by what
// became of it.
func TestKeeper(t *testing.T) {
	t.Parallel()
	now := then
	k := newKeeper(t, &now)
	if kept := update(t, k); kept.Recorded != 0 {
		t.Errorf("no model in service: got %+v", kept)
	}
	old := promote(t, k, past)
	if !k.Behind(old) {
		t.Error("a keeper without the version in service is not behind")
	}
	s, err := past()
	if err != nil {
		t.Fatal(err)
	}
	all := len(s.contents.Forecaster.Assets) * len(forecast.TrainedHorizons) * len(forecast.ModelTypes)
	if kept := update(t, k); kept.Recorded != all || kept.Scored != 0 || !slices.Equal(kept.Versions, []string{old}) {
		t.Errorf("got %+v, want %d forecasts of %s", kept, all, old)
	}
	lines := verified(t, k)
	checkServed(t, k, lines, old)

	now = today
	promote(t, k, present)
	kept := update(t, k)
	if scored := all * 4 / 5; kept.Recorded != all || kept.Scored != scored { // not those over ten years
		t.Errorf("got %+v, want %d new and %d scored", kept, all, scored)
	}
	if kept := update(t, k); kept.Recorded != 0 || kept.Scored != 0 {
		t.Errorf("again: got %+v, want nothing", kept)
	}
	checkOutcomes(t, verified(t, k)[:all])
}

// A database that lost its past does not take the snapshot's with it.
func TestSnapshotOutlivesTheDatabase(t *testing.T) {
	t.Parallel()
	now := then
	k := newKeeper(t, &now)
	promote(t, k, past)
	update(t, k)
	path := filepath.Join(k.DataDir, ledger.SnapshotName)
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lost, err := filepath.Glob(filepath.Join(k.DataDir, "ledger.sqlite*"))
	if err != nil || len(lost) == 0 {
		t.Fatalf("no database to lose: %v", err)
	}
	for _, name := range lost {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	now = today
	promote(t, k, present)
	kept, err := k.Update(t.Context())
	var fault *ledger.Fault
	if !errors.As(err, &fault) || kept.Recorded == 0 {
		t.Errorf("got %+v, %v, want forecasts recorded and a fault of the snapshot", kept, err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != string(want) {
		t.Errorf("the snapshot was replaced, %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	update(t, k)
	verified(t, k)
}

// checkServed compares lines with the answers of the version.
func checkServed(t *testing.T, k ledger.Keeper, lines []ledger.Line, version string) {
	t.Helper()
	b, err := k.Models.Load(version)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		f := l.Forecast.Forecast
		a, err := b.Forecaster.Answer(forecast.Question{Asset: f.Asset, Months: f.Months, Model: f.Model}, then)
		if err != nil {
			t.Fatal(err)
		}
		p, base := a.Probabilities, a.BaseRate
		if f.Probs != [4]float64{p.A, p.B, p.C, p.D} || f.Loss != a.ProbabilityLoss || f.Evidence != a.Evidence || f.DataMonth != a.DataAsOf ||
			f.Median != a.Multiple.Median || f.P10 != a.Multiple.P10 || f.P90 != a.Multiple.P90 ||
			f.Base != [4]float64{base.A, base.B, base.C, base.D} || f.BaseWindows != base.Windows {
			t.Fatalf("%s: got %+v, want the answer %+v", f.Key, f, a)
		}
		if f.Version != version || f.DataHash != b.Data.Hash || !f.Baseline || f.Tiers != power.DefaultTiers() ||
			f.DataMonth != series.Of(2020, 9) || f.Origin != series.Of(2020, 10) {
			t.Fatalf("got %+v", f)
		}
	}
}

// checkOutcomes compares scores with quotients of today's real indices.
func checkOutcomes(t *testing.T, lines []ledger.Line) {
	t.Helper()
	s, err := present()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		f := l.Forecast.Forecast
		if f.Months == 120 {
			if l.Score != nil {
				t.Errorf("%s is scored", f.Key)
			}
			continue
		}
		if l.Score == nil {
			t.Fatalf("%s is not scored", f.Key)
		}
		real, _ := s.contents.Forecaster.History.Asset(f.Asset)
		to := f.Origin + series.Month(f.Months)
		want := real.Real.At(to) / real.Real.At(f.Origin)
		// Revisions since then, and the imputed price index, move it a little.
		if got := l.Score.Score.Multiple; math.Abs(got/want-1) > 0.01 {
			t.Errorf("%s: outcome %v, want about %v", f.Key, got, want)
		}
		if known := l.Score.Score.Known; known <= to || known > to+2 {
			t.Errorf("%s: known at %s, the window ends with %s", f.Key, known, to)
		}
	}
}

// What can't be recorded is told and made up for: also for a version that is no
// more in service, nor the one before, when the database is back.
func TestKeeperOutage(t *testing.T) {
	t.Parallel()
	now := today
	k := newKeeper(t, &now)
	k.URL = "postgresql://u:hunter2@127.0.0.1:1/d"
	var versions []string
	for range 3 {
		versions = append(versions, promote(t, k, present))
		if !k.Behind(versions[len(versions)-1]) {
			t.Error("a keeper without a snapshot is not behind")
		}
		if _, err := k.Update(t.Context()); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Fatalf("got %v, want an error without the password", err)
		}
	}
	k.URL = ""
	if kept := update(t, k); !slices.Equal(kept.Versions, versions) {
		t.Errorf("recorded %v, want %v", kept.Versions, versions)
	}
	verified(t, k)

	// A version that is gone is told once.
	pending := filepath.Join(k.DataDir, "ledger.pending")
	if err := os.WriteFile(pending, []byte("20200101T000000Z-0000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !k.Behind(versions[2]) {
		t.Error("a keeper that has something to make up for is not behind")
	}
	if _, err := k.Update(t.Context()); err == nil || !strings.Contains(err.Error(), "20200101T000000Z-0000") {
		t.Errorf("got %v, want an error that names the version", err)
	}
	update(t, k)

	// A damaged note is not thrown away.
	if err := os.WriteFile(pending, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Update(t.Context()); err == nil || !strings.Contains(err.Error(), "ledger.pending: line 1") {
		t.Errorf("got %v, want an error with the line", err)
	}
	if _, err := os.Stat(pending); err != nil {
		t.Error(err)
	}
}

// Without a panel forecasts are recorded and exported all the same.
func TestKeeperWithoutFigures(t *testing.T) {
	t.Parallel()
	now := today
	k := newKeeper(t, &now)
	promote(t, k, present)
	fault := errors.New("no figures")
	k.Panel = func(context.Context) (*panel.Panel, error) { return nil, fault }
	kept, err := k.Update(t.Context())
	if !errors.Is(err, fault) || kept.Recorded == 0 {
		t.Errorf("got %+v, %v, want forecasts and %v", kept, err, fault)
	}
	verified(t, k)
}

// Two keepers of one folder take turns; one waits no longer than it is told.
func TestKeepersTakeTurns(t *testing.T) {
	t.Parallel()
	now := today
	k := newKeeper(t, &now)
	promote(t, k, present)
	var wg sync.WaitGroup
	recorded := make([]int, 3)
	for i := range recorded {
		wg.Go(func() {
			kept, err := k.Update(t.Context())
			if err != nil {
				t.Error(err)
			}
			recorded[i] = kept.Recorded
		})
	}
	wg.Wait()
	slices.Sort(recorded)
	if recorded[0] != 0 || recorded[1] != 0 || recorded[2] == 0 {
		t.Errorf("got %v new, want one keeper to record them", recorded)
	}
	lock, err := lockfile.Acquire(filepath.Join(k.DataDir, "ledger.lock"), "other", now)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var held *lockfile.HeldError
	if _, err := k.Update(ctx); !errors.As(err, &held) {
		t.Errorf("got %v, want a held lock", err)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
	verified(t, k)
}
