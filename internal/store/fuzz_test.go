package store

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pppq/pppq/internal/csvfile"
	"github.com/pppq/pppq/internal/series"
)

var fuzzInfo = series.Info{
	ID: "X", Title: "X", Unit: "$", Frequency: series.Monthly, Sampling: series.End, Source: "s", Licence: "l", Role: series.RoleAsset,
}

// text is a file of at most 64 KiB.
func text(in []byte) (*csvfile.Text, bool) {
	small := limits
	small.Bytes = 1 << 16
	t, err := csvfile.Read(bytes.NewReader(in), "f", small)
	return t, err == nil
}

// FuzzReadSeries: what is accepted is finite, in order, and written back reads
// as the same series.
func FuzzReadSeries(f *testing.F) {
	const head = "period,value,known_from,retrieved_at,source\n"
	for _, s := range []string{
		head + "2026-01,4000,2026-02-28,,\"World Bank, Pink Sheet\"\n2026-02,4100.5,2026-03-31,,B\n2026-01,4001,2026-11-23,2026-11-23T09:30:00Z,import\n",
		head + "1913-01,9.8,1913-02-28,,B\r\n",
		head + "2026-01,1e-7,2026-02-28,,\"\"\"\"\n",
		head + "2026-13,NaN,2026-02-30,x,\n",
		head,
		"",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		in1, ok := text(in)
		if !ok {
			return
		}
		got, err := parseSeries(in1, fuzzInfo)
		if err != nil {
			return
		}
		obs := slices.Clone(got.series.Observations())
		for _, o := range obs {
			if o.Value-o.Value != 0 || o.KnownFrom < o.Period.Start() || o.RetrievedAt.After(got.retrieved) {
				t.Fatalf("accepted %+v", o)
			}
		}
		sortAsWritten(obs)
		var b bytes.Buffer
		c := csv.NewWriter(&b)
		_ = c.Write(seriesHeader)
		for _, o := range obs {
			_ = c.Write(observationRecord(o))
		}
		c.Flush()
		big, err := csvfile.Read(&b, "f", limits)
		if err != nil {
			t.Fatal(err)
		}
		back, err := parseSeries(big, fuzzInfo)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got.series.Observations(), back.series.Observations()); diff != "" {
			t.Fatalf("round trip (-want +got):\n%s", diff)
		}
	})
}

// FuzzReadCatalogue: what is accepted has ascending ids and written back reads
// as the same entries.
func FuzzReadCatalogue(f *testing.F) {
	const head = "id,title,unit,frequency,sampling,lag,source,licence,role\n"
	for _, s := range []string{
		head + "CPI,\"Prices, all\",index,monthly,month,1,Bureau,free,deflator\nGOLD,Gold,$,monthly,average,6; 12 before 1936-01,Bank,CC BY 4.0,asset\n",
		head + "GOLD,Gold,$,monthly,average,25,Bank,CC BY 4.0,asset\n",
		head + "a\n",
		head,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		in1, ok := text(in)
		if !ok {
			return
		}
		got, err := parseCatalogue(in1)
		if err != nil {
			return
		}
		var b bytes.Buffer
		c := csv.NewWriter(&b)
		_ = c.Write(series.CatalogueHeader)
		for _, info := range got {
			_ = c.Write(info.Record())
		}
		c.Flush()
		big, err := csvfile.Read(&b, "f", limits)
		if err != nil {
			t.Fatal(err)
		}
		back, err := parseCatalogue(big)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, back); diff != "" {
			t.Fatalf("round trip (-want +got):\n%s", diff)
		}
	})
}

// FuzzReadAssets: what is accepted passes the checks of a new asset, once each.
func FuzzReadAssets(f *testing.F) {
	month := series.Of(2026, time.January)
	s, err := series.New(fuzzInfo, []series.Observation{{Period: month, Value: 1, KnownFrom: month.End(), Source: "s"}})
	if err != nil {
		f.Fatal(err)
	}
	set, err := series.NewSet(s)
	if err != nil {
		f.Fatal(err)
	}
	const head = "id,title,kind,unit,price,income,fee\n"
	for _, s := range []string{
		head + "Fund,My fund,custom,share,X,,0.004\nOther,\"O\"\"\",custom,,X,X,0\n",
		head + "gold,Gold,custom,,X,,0\n",
		head + "Fund,My fund,custom,share,Y,,1e99\n",
		head,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		in1, ok := text(in)
		if !ok {
			return
		}
		got, err := parseAssets(in1, set)
		if err != nil {
			return
		}
		for i, a := range got {
			if _, err := checkAsset(a); err != nil || a.First != month || a.Price != "X" {
				t.Fatalf("accepted %+v: %v", a, err)
			}
			if i > 0 && strings.EqualFold(got[i-1].ID, a.ID) {
				t.Fatalf("accepted %s twice", a.ID)
			}
		}
	})
}
