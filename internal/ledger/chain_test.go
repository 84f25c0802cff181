package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/score"
	"github.com/pppq/pppq/internal/series"
)

// example is a forecast and its score, as docs/ledger.md shows them.
func example() (forecast, score_ Entry) {
	k := Key{DataMonth: series.Of(2026, 9), Asset: "Gold", Months: 12, Model: "ensemble", Version: "20261122T181500Z-4f2a"}
	f := Forecast{
		Key: k, Origin: series.Of(2026, 10), DataHash: strings.Repeat("ab", 32), Baseline: true, Tiers: power.DefaultTiers(),
		Probs: score.Probs{0.5, 0.25, 0.125, 0.125}, Loss: 0.5, Median: 1.0625, P10: 0.75, P90: 1.5, Evidence: "sufficient",
		Base: score.Probs{0.5, 0.25, 0.25, 0}, BaseWindows: 54.25,
	}
	e := Entry{Number: 1, WrittenAt: time.Date(2026, 11, 22, 19, 15, 0, 0, time.FixedZone("", 3600)), Forecast: &f, Previous: Genesis}
	e.Hash = e.Sum()
	s := newScore(e, -0.125, series.Of(2027, 11))
	out := Entry{Number: 2, WrittenAt: time.Date(2027, 11, 20, 0, 0, 0, 0, time.UTC), Score: &s, Previous: e.Hash}
	out.Hash = out.Sum()
	return e, out
}

// The text is written out here as the documentation says.
func TestSum(t *testing.T) {
	t.Parallel()
	f, s := example()
	for _, c := range []struct {
		e    Entry
		text string
	}{
		{f, `pppq ledger 1
entry=1
kind=forecast
written_at=2026-11-22T18:15:00Z
data_month=2026-09
asset=Gold
horizon_months=12
model_type=ensemble
model_version=20261122T181500Z-4f2a
origin_month=2026-10
data_hash=` + strings.Repeat("ab", 32) + `
baseline=1
tier_a=1
tier_b=0.9
tier_c=0.7
p_a=0.5
p_b=0.25
p_c=0.125
p_d=0.125
p_loss=0.5
multiple_median=1.0625
multiple_p10=0.75
multiple_p90=1.5
evidence=sufficient
base_a=0.5
base_b=0.25
base_c=0.25
base_d=0
base_windows=54.25
previous_hash=` + strings.Repeat("0", 64) + "\n"},
		{s, `pppq ledger 1
entry=2
kind=score
written_at=2027-11-20T00:00:00Z
data_month=2026-09
asset=Gold
horizon_months=12
model_type=ensemble
model_version=20261122T181500Z-4f2a
forecast_entry=1
known_month=2027-11
outcome_multiple=0.8824969025845955
outcome_class=C_ERODER
rps=0.2760416666666667
log_loss=2.0794415416798357
previous_hash=` + f.Hash + "\n"},
	} {
		sum := sha256.Sum256([]byte(c.text))
		if got, want := c.e.Sum(), hex.EncodeToString(sum[:]); got != want {
			t.Errorf("entry %d: got %s, want the sum of this text, %s:\n%s", c.e.Number, got, want, c.text)
		}
	}
}

// Every field of an entry must reach its columns.
func TestValues(t *testing.T) {
	t.Parallel()
	f, s := example()
	for _, e := range []Entry{f, s} {
		values := e.values()
		if len(values) != len(columns) {
			t.Fatalf("got %d values, want %d", len(values), len(columns))
		}
		for i, c := range columns {
			want := map[columnType]any{text: "", integer: int64(0), number: 0.0}[c.typ]
			own := c.kind == "" || (c.kind == kindForecast) == (e.Forecast != nil)
			if own && reflect.TypeOf(values[i]) != reflect.TypeOf(want) || !own && values[i] != nil {
				t.Errorf("entry %d: %s is a %T", e.Number, c.name, values[i])
			}
		}
		got, err := entryOf(values)
		e.WrittenAt = e.WrittenAt.UTC()
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Errorf("read back: got %+v, %v, want %+v", got, err, e)
		}
		for i, c := range columns {
			spoiled := e.values()
			if spoiled[i] = any(nil); c.optional || c.kind != "" && (c.kind == kindForecast) != (e.Forecast != nil) {
				spoiled[i] = "foreign"
			}
			if _, err := entryOf(spoiled); err == nil || !strings.Contains(err.Error(), c.name) && c.name != "kind" {
				t.Errorf("entry %d with %s = %v: got %v, want an error that names it", e.Number, c.name, spoiled[i], err)
			}
		}
	}
}

// What is forged with a right hash still has to fit the entries before it.
func TestRelate(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(f, s *Entry){
		"score of itself":     func(_, s *Entry) { s.Score.Forecast = 2 },
		"score of another":    func(_, s *Entry) { s.Score.Asset = "Silver" },
		"better score":        func(_, s *Entry) { s.Score.RPS /= 2 },
		"better log loss":     func(_, s *Entry) { s.Score.LogLoss = 0 },
		"another class":       func(_, s *Entry) { s.Score.Class = power.Preserver },
		"forecast once again": func(f, s *Entry) { s.Score, s.Forecast = nil, f.Forecast },
	} {
		f, s := example()
		spoil(&f, &s)
		s.Hash = s.Sum()
		c := newChain()
		if err := c.add(f); err != nil {
			t.Fatal(err)
		}
		if err := c.add(s); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
	f, s := example()
	c := newChain()
	for _, e := range []Entry{f, s} {
		if err := c.add(e); err != nil {
			t.Fatal(err)
		}
	}
	s.Number, s.Previous = 3, s.Hash
	s.Hash = s.Sum()
	if err := c.add(s); err == nil {
		t.Error("a second score was taken")
	}
}
