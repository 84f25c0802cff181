package series_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pppq/pppq/internal/series"
)

func TestInfoRecord(t *testing.T) {
	t.Parallel()
	record := []string{"X_1", `A "title", and more`, "%", "monthly", "trailing-12", "6; 12 before 1936-01", "Bureau", "CC BY 4.0", "income"}
	info, err := series.ParseInfo(record)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(record, info.Record()); diff != "" {
		t.Errorf("round trip (-want +got):\n%s", diff)
	}
	for _, c := range []struct {
		field int
		value string
		want  string
	}{
		{0, "x", `series id "x": want capital letters`},
		{1, " ", "title: is empty"},
		{2, "a\nb", "unit: \"a\\nb\" holds a control character"},
		{3, "daily", `unknown frequency "daily", want monthly`},
		{4, "weekly", `unknown sampling "weekly", want one of`},
		{5, "25", `lag "25": want 0 to 24 months`},
		{6, strings.Repeat("s", 301), "source: 301 bytes long"},
		{7, "\xff", "licence: \"\\xff\" holds a control character or broken UTF-8"},
		{8, "king", `unknown role "king", want one of`},
	} {
		bad := slices.Clone(record)
		bad[c.field] = c.value
		_, err := series.ParseInfo(bad)
		var field *series.FieldError
		if !errors.As(err, &field) || field.Field != c.field || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("field %d: got %v, want it to begin with %s", c.field, err, c.want)
		}
	}
	if _, err := series.ParseInfo(record[:3]); err == nil || err.Error() != "3 fields, want 9" {
		t.Errorf("got %v, want 3 fields, want 9", err)
	}
}
