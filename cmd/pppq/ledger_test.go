package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pppq/pppq/internal/ledger"
	"github.com/pppq/pppq/internal/ledger/ledgertest"
)

// madeUp is a data folder whose ledger has 18 forecasts, then scores of half of
// them, then 18 forecasts.
func madeUp(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	l := ledgertest.Open(t, ledger.DefaultURL(dir))
	ledgertest.Record(t, l, 1)
	if _, err := l.Score(t.Context(), ledgertest.Outcomes, ledgertest.Now); err != nil {
		t.Fatal(err)
	}
	ledgertest.Record(t, l, 2)
	if err := l.Export(t.Context(), filepath.Join(dir, ledger.SnapshotName)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// pppq runs a command on a data folder.
func pppq(t *testing.T, wantCode int, dir string, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(context.Background(), append(args, "--data-dir", dir), &out, &errs); code != wantCode {
		t.Fatalf("pppq %s: exit code %d, want %d: %s", strings.Join(args, " "), code, wantCode, errs.String())
	}
	return out.String(), errs.String()
}

func TestLedgerShow(t *testing.T) {
	t.Parallel()
	dir := madeUp(t)
	out, _ := pppq(t, exitDone, dir, "ledger", "show", "--horizon", "1", "--model-type", "lgbm", "--limit", "2")
	lines := strings.Split(out, "\n")
	for i, want := range [][]string{
		{"figures to", "what became of it"},
		{"2026-09", "Gold", "1", "lgbm", ledgertest.Version(2), "known after 2027-10"},
		{"2026-09", "Bills", "1", "lgbm", ledgertest.Version(2), "known after 2027-10"},
		{"and 4 older; --limit 0 shows all"},
		{""},
		{"Mean scores"},
		{"years", "skill", "seen"},
		{"1 ", "lgbm", "6", "3", "0.67"}, // two of three lost
	} {
		for _, w := range want {
			if i >= len(lines) || !strings.Contains(lines[i], w) {
				t.Errorf("line %d lacks %q:\n%s", i+1, w, out)
			}
		}
	}
	out, _ = pppq(t, exitDone, dir, "ledger", "show", "--asset", "OWN_1", "--scored", "--limit", "0")
	if got := strings.Count(out, "0.50, D_DESTROYER, known 2027-11, RPS "); got != 3 || !strings.Contains(out, "(baseline)") {
		t.Errorf("got %d scored lines of Own_1, want 3:\n%s", got, out)
	}
	if out, _ = pppq(t, exitDone, dir, "ledger", "show", "--asset", "Silver"); out != "no such forecast is on record\n" {
		t.Errorf("got %q", out)
	}

	out, _ = pppq(t, exitDone, dir, "ledger", "show", "--scored", "--json")
	var r ledgerReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if r.Count != 9 || len(r.Forecasts) != 9 || len(r.Summary) != 3 {
		t.Fatalf("got %d, %d lines, %d sums, want 9, 9, 3", r.Count, len(r.Forecasts), len(r.Summary))
	}
	last := r.Forecasts[8]
	f := ledgertest.Forecasts(1)[14] // Own_1, one year, ensemble
	if last.Entry != 15 || last.Asset != f.Asset || last.Loss != f.Loss || last.Multiple.P10 != f.P10 || last.BaseRate == nil ||
		last.BaseRate.A != f.Base[0] || last.Outcome == nil || last.Outcome.Multiple != 0.5 || last.Outcome.Entry != 27 {
		t.Errorf("got %+v with outcome %+v, want %+v", last, last.Outcome, f)
	}
}

func TestLedgerVerify(t *testing.T) {
	t.Parallel()
	dir := madeUp(t)
	out, _ := pppq(t, exitDone, dir, "ledger", "verify")
	if !strings.HasPrefix(out, "45 entries, 36 forecasts of which 9 are scored: the chain holds, ledger.csv agrees\nhead 45:") {
		t.Errorf("got %q", out)
	}
	head := strings.TrimSpace(strings.TrimPrefix(strings.Split(out, "\n")[1], "head "))
	pppq(t, exitDone, dir, "ledger", "verify", "--expect", head)
	if _, errs := pppq(t, exitRefused, dir, "ledger", "verify", "--expect", "44"+head[2:]); !strings.Contains(errs, "entry 44: had the hash") {
		t.Errorf("got %q, want entry 44", errs)
	}
	for _, wrong := range []string{"45", "x" + head, "-1" + head[2:], head[:20]} {
		pppq(t, exitUsage, dir, "ledger", "verify", "--expect", wrong)
	}

	db, err := sql.Open("sqlite", filepath.Join(dir, ledger.Name))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range []string{"DROP TRIGGER pppq_ledger_no_update", "UPDATE pppq_ledger SET multiple_median = 1.5 WHERE entry = 30"} {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	const want = "entry 30: was changed: it does not match its hash"
	if out, errs := pppq(t, exitRefused, dir, "ledger", "verify"); out != "" || !strings.Contains(errs, want) {
		t.Errorf("got %q and %q, want %q", out, errs, want)
	}
	out, errs := pppq(t, exitRefused, dir, "ledger", "verify", "--json")
	var v verification
	if err := json.Unmarshal([]byte(out), &v); err != nil || v.Holds || fmt.Sprintf("entry %d: %s", v.BadEntry, v.Reason) != want {
		t.Errorf("got %+v, %v and %q, want %q", v, err, errs, want)
	}
}

// A database that is gone although the snapshot tells of entries is no ledger
// that never was.
func TestLedgerVerifyWithoutDatabase(t *testing.T) {
	t.Parallel()
	dir := madeUp(t)
	for _, name := range []string{ledger.Name, ledger.Name + "-wal", ledger.Name + "-shm"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"there is no database", "ledger.csv tells of past forecasts", "restore the database from a backup"} {
		if _, errs := pppq(t, exitRefused, dir, "ledger", "verify"); !strings.Contains(errs, want) {
			t.Errorf("got %q, want %q", errs, want)
		}
		if _, errs := pppq(t, exitFailed, dir, "ledger", "show"); !strings.Contains(errs, want) {
			t.Errorf("show: got %q, want %q", errs, want)
		}
	}
	out, _ := pppq(t, exitRefused, dir, "ledger", "verify", "--json")
	var v verification
	if err := json.Unmarshal([]byte(out), &v); err != nil || v.Holds || !strings.Contains(v.Reason, "there is no database") {
		t.Errorf("got %q, %v", out, err)
	}
	if err := os.Remove(filepath.Join(dir, ledger.SnapshotName)); err != nil {
		t.Fatal(err)
	}
	if _, errs := pppq(t, exitFailed, dir, "ledger", "verify"); !strings.Contains(errs, "no forecast is on record yet") {
		t.Errorf("got %q", errs)
	}
}

// Verify does not advise to run itself where the note of the newest entry is gone.
func TestLedgerVerifyWithoutHead(t *testing.T) {
	t.Parallel()
	dir := madeUp(t)
	db, err := sql.Open("sqlite", filepath.Join(dir, ledger.Name))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "DELETE FROM pppq_ledger_head"); err != nil {
		t.Fatal(err)
	}
	_, errs := pppq(t, exitRefused, dir, "ledger", "verify")
	if !strings.Contains(errs, "the note of the newest entry (table pppq_ledger_head) is gone") ||
		!strings.Contains(errs, "restore the database from a backup") || strings.Contains(errs, "pppq ledger verify") {
		t.Errorf("got %q", errs)
	}
}
