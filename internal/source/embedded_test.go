package source

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pppq/pppq/internal/series"
)

// TestEmbedded is also what "make verify" runs: every embedded file agrees with
// its catalogue entry.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	set, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(set.IDs()), 23; got != want {
		t.Errorf("got %d series, want %d", got, want)
	}
	cpi, err := set.Get("CPIAUCNS")
	if err != nil {
		t.Fatal(err)
	}
	october, _ := series.ParseMonth("2025-10")
	if v := cpi.Latest().At(october); v == v {
		t.Errorf("CPI of 2025-10: got %v, want missing: it was never published", v)
	}
	// The figure of a month with lag 1 is not known at that month's end.
	if v := cpi.AsOf(october - 1).Last(); v != october-2 {
		t.Errorf("newest CPI known at the end of 2025-09: got %s, want 2025-08", v)
	}
}

func TestReadFSRefuses(t *testing.T) {
	t.Parallel()
	const head = "id,title,unit,frequency,sampling,lag,source,licence,role\n"
	const entry = "X,t,u,monthly,month,1,s,l,feature\n"
	for name, c := range map[string]struct{ catalogue, file, want string }{
		"header":        {"id,title\n", "period,value\n2020-01,1\n", "catalogue.csv: record on line 1"},
		"sampling":      {head + "X,t,u,monthly,weekly,1,s,l,feature\n", "period,value\n2020-01,1\n", `line 2: unknown sampling "weekly"`},
		"role":          {head + "X,t,u,monthly,month,1,s,l,king\n", "period,value\n2020-01,1\n", `line 2: unknown role "king"`},
		"lag":           {head + "X,t,u,monthly,month,99,s,l,feature\n", "period,value\n2020-01,1\n", "line 2: lag"},
		"no licence":    {head + "X,t,u,monthly,month,1,s,,feature\n", "period,value\n2020-01,1\n", "line 2: licence: is empty"},
		"month":         {head + entry, "period,value\n2020-13,1\n", "series/X.csv: line 2: month"},
		"value":         {head + entry, "period,value\n2020-01,one\n", `series/X.csv: line 2: value "one"`},
		"order":         {head + entry, "period,value\n2020-02,1\n2020-01,1\n", "series/X.csv: line 3: 2020-01 follows 2020-02"},
		"not finite":    {head + entry, "period,value\n2020-01,NaN\n", "not finite"},
		"empty":         {head + entry, "period,value\n", "no observations"},
		"file no entry": {head, "period,value\n2020-01,1\n", "catalogue.csv has no entry X"},
	} {
		_, err := readFS(fstest.MapFS{
			"catalogue.csv": {Data: []byte(c.catalogue)}, "series/X.csv": {Data: []byte(c.file)},
		})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, c.want)
		}
	}
}
