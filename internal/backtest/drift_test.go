package backtest

import (
	"slices"
	"testing"

	"github.com/pppq/pppq/internal/panel"
)

// Figures that jump away from their past are named and the others keep their
// readings; what is the same for all assets is judged once.
func TestDrift(t *testing.T) {
	t.Parallel()
	p := embeddedPanel(t)
	judge := func(threads int) []Drift {
		w := &walk{panel: p, options: Options{Threads: threads}}
		d, err := w.drift(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	same := func(a, b Drift) bool {
		return a.Asset == b.Asset && a.Feature == b.Feature && slices.Equal(a.Readings, b.Readings)
	}
	find := func(all []Drift, asset, feature string) Drift {
		i := slices.IndexFunc(all, func(d Drift) bool { return d.Asset == asset && d.Feature == feature })
		if i < 0 {
			t.Fatalf("no drift of %q %s", asset, feature)
		}
		return all[i]
	}
	before := judge(1)
	if !slices.EqualFunc(before, judge(3), same) {
		t.Error("another number of threads gave other readings")
	}
	inflation := panel.Features()[panel.Inflation12].Name
	if n := len(slices.DeleteFunc(slices.Clone(before), func(d Drift) bool { return d.Feature != inflation })); n != 1 {
		t.Errorf("inflation is judged %d times, want once", n)
	}
	if got := find(before, "", inflation); len(got.Readings) != 3 {
		t.Errorf("got %d readings of inflation, want 3", len(got.Readings))
	}

	gold, _ := p.Find("Gold")
	for i := len(gold.Rows) - DriftMonths; i < len(gold.Rows); i++ {
		gold.Rows[i].Values = slices.Clone(gold.Rows[i].Values)
		gold.Rows[i].Values[panel.Vol12] += 10
	}
	after := judge(2)
	volatility := panel.Features()[panel.Vol12].Name
	for _, m := range find(after, "Gold", volatility).Readings {
		if m.State != "raised" {
			t.Errorf("volatility of gold jumped, %s %v is judged %q against %v and %v", m.Measure, m.Value, m.State, m.P95, m.P99)
		}
	}
	for i, d := range after {
		if d.Asset != "Gold" && !same(d, before[i]) {
			t.Errorf("%s %s changed: got %+v, want %+v", d.Asset, d.Feature, d, before[i])
		}
	}
}
