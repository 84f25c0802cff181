package store_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pppq/pppq/internal/series"
	"github.com/pppq/pppq/internal/store"
)

func TestExport(t *testing.T) {
	t.Parallel()
	all := small(t)
	s := get(t, all, "GOLD")
	var b strings.Builder
	if err := store.WriteSeries(&b, s); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("period,value\n2026-01,4000\n2026-02,4100\n2026-04,4300.5\n", b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.Reset()
	empty, err := series.NewSet()
	if err != nil {
		t.Fatal(err)
	}
	if err := store.WriteConsolidated(&b, empty); err != nil || b.String() != "month\n" {
		t.Errorf("no series: got %q, %v", b.String(), err)
	}
}

// Values keep their bits on the way out and in, however large or small.
func TestValuesKeepTheirBits(t *testing.T) {
	t.Parallel()
	values := []float64{1e-300, 1.0 / 3, 5e-324, 123456789012345.6, 1e15, 1.7976931348623157e308, 1e-7, 0.1}
	info := gold
	reference := set(t, map[*series.Info][]series.Observation{&info: figures(t, info, "2020-01", values...)})
	all, _ := load(t, open(t, reference))
	if diff := cmp.Diff(values, get(t, all, "GOLD").Latest().Values); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
