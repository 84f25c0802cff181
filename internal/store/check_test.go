package store_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pppq/pppq/internal/series"
	"github.com/pppq/pppq/internal/store"
)

// wave returns n plausible prices: a slow rise with a small, uneven swing.
func wave(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = 100 * math.Exp(0.002*float64(i)+0.02*math.Sin(1.7*float64(i)))
	}
	return v
}

// found returns the findings of one check in the only series of a report.
func found(r store.Report, name store.CheckName) []store.Finding {
	var all []store.Finding
	for _, f := range r.Series[0].Findings {
		if f.Check == name {
			all = append(all, f)
		}
	}
	return all
}

func TestCheck(t *testing.T) {
	t.Parallel()
	// 2026-09 is due at the end of October for lag 1.
	const first, n = "2016-01", 129 // to 2026-09
	months := func(ms ...string) (all []series.Month) {
		for _, m := range ms {
			all = append(all, month(t, m))
		}
		return all
	}
	for name, c := range map[string]struct {
		check    store.CheckName
		change   func(info *series.Info, v []float64) []float64
		severity store.Severity
		months   []series.Month
		message  string
	}{
		"gap long ago": {store.CheckGap, func(_ *series.Info, v []float64) []float64 { v[1], v[2] = math.NaN(), math.NaN(); return v },
			store.Note, months("2016-02", "2016-03"), "2 months without a figure: 2016-02 to 2016-03"},
		"gaps of late": {store.CheckGap, func(_ *series.Info, v []float64) []float64 { v[n-3], v[n-6] = math.NaN(), math.NaN(); return v },
			store.Warning, months("2026-04", "2026-07"), "2 months without a figure: 2026-04, 2026-07"},
		"stale": {store.CheckStale, func(_ *series.Info, v []float64) []float64 { return v[:n-2] },
			store.Warning, nil, "newest figure is of 2026-07, 2 months older than 2026-09, which is out by its usual lag of 1"},
		"useless": {store.CheckStale, func(_ *series.Info, v []float64) []float64 { return v[:n-19] },
			store.Fault, nil, "newest figure is of 2025-02, 19 months older"},
		"old outlier": {store.CheckOutlier, func(_ *series.Info, v []float64) []float64 { v[60] *= 2; return v },
			store.Note, months("2021-01", "2021-02"), "2 changes beyond 8 median absolute deviations, the largest +"},
		"new outlier": {store.CheckOutlier, func(_ *series.Info, v []float64) []float64 { v[n-1] *= 10; return v },
			store.Warning, months("2026-09"), "1 change beyond 8 median absolute deviations, the largest +"},
		"rate outlier": {store.CheckOutlier, func(i *series.Info, v []float64) []float64 { i.Unit = "% a year"; v[60] -= 90; return v },
			store.Note, months("2021-01", "2021-02"), " points in 2021-0"},
		"run": {store.CheckRepeatedRun, func(_ *series.Info, v []float64) []float64 {
			for i := 10; i < 16; i++ {
				v[i] = v[10]
			}
			return v
		}, store.Warning, months("2016-11", "2016-12", "2017-01", "2017-02", "2017-03", "2017-04"), "the same price for 6 months or more: 2016-11 to 2017-04"},
		"year": {store.CheckRepeatedYear, func(_ *series.Info, v []float64) []float64 { copy(v[24:36], v[:12]); return v },
			store.Warning, months("2018-01", "2018-02", "2018-03", "2018-04", "2018-05", "2018-06", "2018-07", "2018-08", "2018-09", "2018-10", "2018-11", "2018-12"),
			"years that equal another month by month: 2018 as 2016"},
		"not a price": {store.CheckRange, func(_ *series.Info, v []float64) []float64 { v[5] = 0; return v },
			store.Fault, months("2016-06"), "figures that are not above 0: 2016-06"},
	} {
		info := gold
		values := c.change(&info, wave(n))
		r := store.Check(set(t, map[*series.Info][]series.Observation{&info: figures(t, info, first, values...)}), now)
		got := found(r, c.check)
		if len(got) != 1 {
			t.Errorf("%s: got %+v, want one finding", name, r.Series[0].Findings)
			continue
		}
		f := got[0]
		if f.Severity != c.severity || !strings.Contains(f.Message, c.message) {
			t.Errorf("%s: got %s %q, want %s %q", name, f.Severity, f.Message, c.severity, c.message)
		}
		if diff := cmp.Diff(c.months, f.Months); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if r.Worst < c.severity {
			t.Errorf("%s: worst is %s", name, r.Worst)
		}
	}
}

func TestCheckIsQuietAboutAGoodSeries(t *testing.T) {
	t.Parallel()
	five := wave(128)
	for i := 10; i < 15; i++ {
		five[i] = five[10] // one short of a run
	}
	steady := make([]float64, 128)
	for i := range steady {
		steady[i] = 4.25
	}
	rate := gold
	rate.Unit = "% a year"
	payments := own
	payments.Role, payments.Sampling = series.RoleIncome, series.Whole
	for name, c := range map[string]struct {
		info   series.Info
		values []float64
	}{"price": {gold, five}, "rate": {rate, steady}, "payments": {payments, []float64{1, math.NaN(), math.NaN(), 1}}} {
		r := store.Check(set(t, map[*series.Info][]series.Observation{&c.info: figures(t, c.info, "2016-01", c.values...)}), now)
		if len(r.Series[0].Findings) > 0 || len(r.Findings) > 0 || r.Worst != store.Note || r.Warnings+r.Faults+r.Notes != 0 {
			t.Errorf("%s: got %+v", name, r)
		}
	}
}

func TestCheckVintagesAndSampling(t *testing.T) {
	t.Parallel()
	obs := figures(t, gold, "2016-01", wave(128)...)
	revised := obs[3]
	revised.Value++
	revised.KnownFrom += 400
	again := obs[5]
	again.KnownFrom += 400
	again.Source = "import of gold.csv"
	ends := own
	r := store.Check(set(t, map[*series.Info][]series.Observation{
		&gold: append(obs, revised, again), &ends: figures(t, ends, "2016-01", wave(130)...),
	}), now)
	var got []string
	for _, f := range append(r.Findings, append(r.Series[0].Findings, r.Series[1].Findings...)...) {
		got = append(got, string(f.Check)+": "+f.Message)
	}
	want := []string{
		"sampling: prices are month ends in FUND and averages in GOLD: an average moves less, so their volatilities don't compare as they are",
		"revisions: 1 month revised: 2016-04",
		"duplicates: 1 month with a later vintage of the same value: 2016-06",
		"sources: figures of several sources: 129 from World Bank, Pink Sheet; 1 from import of gold.csv",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReportText(t *testing.T) {
	t.Parallel()
	r := store.Check(small(t), time.Date(2026, time.June, 2, 0, 0, 0, 0, time.UTC))
	var b strings.Builder
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`2 series, looked at in 2026-06: 0 faults, 1 warning, 1 note
CPI: 2 months, 2026-01 to 2026-02
  warning  stale  newest figure is of 2026-02, 2 months older than 2026-04, which is out by its usual lag of 1
GOLD: 3 months, 2026-01 to 2026-04
  note  gap  1 month without a figure: 2026-03
`, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	j, err := json.Marshal(r.Series[1])
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(j), `{"id":"GOLD","first":"2026-01","last":"2026-04","months":3,"findings":[{"check":"gap","severity":"note","months":["2026-03"],"message":"1 month without a figure: 2026-03"}]}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSeverityNames(t *testing.T) {
	t.Parallel()
	for s, want := range map[store.Severity]string{store.Note: "note", store.Warning: "warning", store.Fault: "fault", store.Fault + 1: "Severity(3)"} {
		if got := s.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestSummaries(t *testing.T) {
	t.Parallel()
	all := store.Summarize(small(t))
	want := store.Summary{
		ID: "GOLD", Title: "Gold", Unit: "$ per troy ounce", Sampling: series.Average, Lag: "1", Role: series.RoleAsset,
		Months: 3, Gaps: 1, First: month(t, "2026-01"), Last: month(t, "2026-04"), NewestKnownFrom: "2026-05-31",
		Source: "World Bank, Pink Sheet", Licence: "CC BY 4.0",
	}
	if diff := cmp.Diff(want, all[1]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var b strings.Builder
	if err := store.WriteSummaries(&b, all); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`series  months  gaps  revised  from     to       known from  sampling  lag  unit              title
CPI     2       0     0        2026-01  2026-02  2026-03-31  month     1    index             Consumer prices
GOLD    3       1     0        2026-01  2026-04  2026-05-31  average   1    $ per troy ounce  Gold

CPI: Bureau
    licence: public domain
GOLD: World Bank, Pink Sheet
    licence: CC BY 4.0
`, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
