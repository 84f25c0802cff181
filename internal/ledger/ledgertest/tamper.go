package ledgertest

import (
	"errors"
	"fmt"
	"strconv"
	"testing"

	"github.com/pppq/pppq/internal/ledger"
)

// plain writes a value of the database as a snapshot does.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}

// testTampering changes the table behind the ledger's back; the first entry that
// does not hold is named each time.
func testTampering(t *testing.T, db Database) {
	l := Open(t, db.URL)
	Record(t, l, 1)
	if _, err := l.Score(t.Context(), Outcomes, Now); err != nil {
		t.Fatal(err)
	}
	Record(t, l, 2)
	all := int64(len(Forecasts(1)))
	scored := all + 1 // the first score
	last := 2*all + all/2

	run := func(statements ...string) error {
		for _, s := range statements {
			if _, err := db.SQL.ExecContext(t.Context(), s); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
		return nil
	}
	must := func(statements ...string) {
		t.Helper()
		if err := run(statements...); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range []string{"UPDATE pppq_ledger SET p_a = 0.5 WHERE entry = 1", "DELETE FROM pppq_ledger WHERE entry = 1"} {
		if err := run(s); err == nil {
			t.Errorf("%s: the database took it", s)
		}
	}
	must(append(db.Unguard, "DROP INDEX pppq_ledger_once")...)
	must("CREATE TABLE kept AS SELECT * FROM pppq_ledger", "CREATE TABLE kept_head AS SELECT * FROM pppq_ledger_head")
	restore := []string{
		"DELETE FROM pppq_ledger", "INSERT INTO pppq_ledger SELECT * FROM kept",
		"DELETE FROM pppq_ledger_head", "INSERT INTO pppq_ledger_head SELECT * FROM kept_head",
	}
	check := func(name string, want int64) {
		t.Helper()
		_, _, err := l.Verify(t.Context())
		var fault *ledger.Fault
		if !errors.As(err, &fault) || fault.Entry != want {
			t.Errorf("%s: got %v, want a fault of entry %d", name, err, want)
		}
		must(restore...)
	}
	renumber := func(from, by int64) []string { // by way of numbers that are free
		return []string{
			fmt.Sprintf("UPDATE pppq_ledger SET entry = -entry WHERE entry >= %d", from),
			fmt.Sprintf("UPDATE pppq_ledger SET entry = -entry + %d WHERE entry < 0", by),
		}
	}

	// Every column of a forecast and of a score.
	columns := 0
	for _, c := range []struct {
		entry  int64
		change map[string]string
	}{
		{5, map[string]string{
			"written_at": "'2026-11-22T18:15:01Z'", "data_month": "'2026-08'", "asset": "'Silver'", "horizon_months": "24",
			"model_type": "'lgbm'", "model_version": "'" + Version(7) + "'", "origin_month": "'2026-11'",
			"data_hash": "'" + ledger.Genesis + "'", "baseline": "1 - baseline", "tier_a": "1.01", "tier_b": "0.91", "tier_c": "0.71",
			"p_a": "p_a + 1e-12", "p_b": "p_b + 1e-12", "p_c": "p_c + 1e-12", "p_d": "p_d + 1e-12", "p_loss": "p_loss - 1e-15",
			"multiple_median": "multiple_median + 1e-15", "multiple_p10": "multiple_p10 + 1e-15", "multiple_p90": "multiple_p90 + 1e-15",
			"evidence": "'sufficient'", "base_a": "base_a + 1e-12", "base_b": "base_b + 1e-12", "base_c": "base_c + 1e-12",
			"base_d": "base_d + 1e-12", "base_windows": "base_windows + 1", "previous_hash": "'" + ledger.Genesis + "'", "hash": "'" + ledger.Genesis + "'",
		}},
		{scored, map[string]string{
			"written_at": "'1999-11-22T18:15:01Z'", "forecast_entry": "2", "known_month": "'2030-01'", "outcome_multiple": "1.5",
			"outcome_class": "'B_PARTIAL'", "rps": "0", "log_loss": "0",
		}},
	} {
		for column, value := range c.change {
			must(fmt.Sprintf("UPDATE pppq_ledger SET %s = %s WHERE entry = %d", column, value, c.entry))
			check(fmt.Sprintf("%s of entry %d", column, c.entry), c.entry)
			columns++
		}
	}
	if want := 28 + 7; columns != want {
		t.Errorf("tried %d columns, want %d", columns, want)
	}

	// Foreign text and types.
	for _, value := range []string{"'nonsense'", "''", "'2026-13'"} {
		must("UPDATE pppq_ledger SET data_month = " + value + " WHERE entry = 3")
		check("data_month "+value, 3)
	}
	must("UPDATE pppq_ledger SET horizon_months = 9223372036854775807 WHERE entry = 3")
	check("horizon", 3)

	for _, n := range []int64{1, 7, scored, last} {
		must(fmt.Sprintf("DELETE FROM pppq_ledger WHERE entry = %d", n))
		check(fmt.Sprintf("entry %d removed", n), n)
	}
	must(append([]string{"DELETE FROM pppq_ledger WHERE entry = 7"}, renumber(8, -1)...)...)
	check("entry 7 removed and the rest moved up", 7)
	must("DELETE FROM pppq_ledger WHERE entry = 7", "UPDATE pppq_ledger SET data_month = 'x' WHERE entry = 9")
	check("entry 7 removed and entry 9 spoiled", 7)

	// A copy of entry 2 under another key takes the place of entry 7.
	must(renumber(7, 1)...)
	must("CREATE TABLE forged AS SELECT * FROM pppq_ledger WHERE entry = 2", "UPDATE forged SET entry = 7, asset = 'Silver'",
		"INSERT INTO pppq_ledger SELECT * FROM forged")
	check("an entry put in", 7)
	must(fmt.Sprintf("UPDATE forged SET entry = %d", last+1), "INSERT INTO pppq_ledger SELECT * FROM forged")
	check("an entry put at the end", last+1)
	must("UPDATE pppq_ledger SET entry = -7 WHERE entry = 7",
		"UPDATE pppq_ledger SET entry = 7 WHERE entry = 8", "UPDATE pppq_ledger SET entry = 8 WHERE entry = -7")
	check("entries 7 and 8 swapped", 7)
	must("DELETE FROM pppq_ledger")
	check("everything removed", 1)
	must("UPDATE pppq_ledger_head SET hash = '" + ledger.Genesis + "'")
	check("the head changed", last)
	if head, _ := Verify(t, l); head.Entries != last {
		t.Errorf("restored: got %d entries, want %d", head.Entries, last)
	}

	// Whoever computes everything anew is found out by a head noted before.
	_, lines := Verify(t, l)
	noted := ledger.Head{Entries: 5, Hash: ledger.Genesis}
	var fault *ledger.Fault
	if err := ledger.CheckHead(lines, noted); !errors.As(err, &fault) || fault.Entry != 5 {
		t.Errorf("another hash was noted: got %v, want a fault of entry 5", err)
	}
	noted.Entries = last + 1
	if err := ledger.CheckHead(lines, noted); !errors.As(err, &fault) || fault.Entry != last+1 {
		t.Errorf("a later entry was noted: got %v, want a fault of entry %d", err, last+1)
	}
}

// testBroken adds nothing to a ledger that lost its newest entry.
func testBroken(t *testing.T, db Database) {
	l := Open(t, db.URL)
	Record(t, l, 1)
	for _, s := range append(db.Unguard, fmt.Sprintf("DELETE FROM pppq_ledger WHERE entry = %d", len(Forecasts(1)))) {
		if _, err := db.SQL.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Record(t.Context(), Forecasts(2), Now); !errors.Is(err, ledger.ErrBroken) {
		t.Errorf("Record: got %v, want ErrBroken", err)
	}
	if _, err := l.Score(t.Context(), Outcomes, Now); !errors.Is(err, ledger.ErrBroken) {
		t.Errorf("Score: got %v, want ErrBroken", err)
	}
}
