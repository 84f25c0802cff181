package ledgertest

import (
	"database/sql"
	"encoding/csv"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pppq/pppq/internal/ledger"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/score"
	"github.com/pppq/pppq/internal/series"
)

// A Database is an empty one for one test.
type Database struct {
	// URL is for ledger.Open, SQL is a way around it.
	URL string
	SQL *sql.DB
	// Unguard are the statements that take away the database's own refusal of
	// changes.
	Unguard []string
}

// Exercise is what a ledger must do in any database; open gives a new one at
// each call.
func Exercise(t *testing.T, open func(t *testing.T) Database) {
	for name, test := range map[string]func(*testing.T, Database){
		"None": testNone, "Once": testOnce, "Exact": testExact, "Ended": testEnded, "Refused": testRefused, "Score": testScore,
		"ScoreRefused": testScoreRefused, "Restart": testRestart, "Tampering": testTampering, "Broken": testBroken,
		"Creators": testCreators, "Writers": testWriters, "Snapshot": testSnapshot, "Newer": testNewer,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func testNone(t *testing.T, db Database) {
	if _, err := ledger.Open(t.Context(), db.URL); !errors.Is(err, ledger.ErrNone) {
		t.Errorf("Open of nothing: got %v, want ErrNone", err)
	}
	l := Open(t, db.URL)
	if head, lines := Verify(t, l); head != (ledger.Head{Hash: ledger.Genesis}) || len(lines) != 0 {
		t.Errorf("an empty ledger: got %+v with %d lines", head, len(lines))
	}
	again, err := ledger.Open(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(again.Close(), again.Close()); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

func testOnce(t *testing.T, db Database) {
	l := Open(t, db.URL)
	Record(t, l, 1)
	head, _ := Verify(t, l)
	all := Forecasts(1)

	// The same again, and with other figures under the same keys.
	changed := Forecasts(1)
	for i := range changed {
		changed[i].Median *= 1.01
	}
	for _, again := range [][]ledger.Forecast{all, changed} {
		got, err := l.Record(t.Context(), again, Now.Add(time.Hour))
		if want := (ledger.Recorded{Known: len(all)}); err != nil || got != want {
			t.Errorf("Record again: got %+v, %v, want %+v", got, err, want)
		}
	}
	if after, _ := Verify(t, l); after != head {
		t.Errorf("the head moved from %+v to %+v", head, after)
	}

	// New ones between known ones leave no gap in the numbers.
	mixed := []ledger.Forecast{all[0], Forecasts(2)[0], all[1], Forecasts(2)[1], Forecasts(2)[1]}
	got, err := l.Record(t.Context(), mixed, Now)
	if want := (ledger.Recorded{New: 2, Known: 3}); err != nil || got != want {
		t.Errorf("Record of a mixture: got %+v, %v, want %+v", got, err, want)
	}
	if after, lines := Verify(t, l); after.Entries != head.Entries+2 || len(lines) != len(all)+2 {
		t.Errorf("got %d entries in %d lines, want %d", after.Entries, len(lines), head.Entries+2)
	}
	for version, want := range map[string]bool{Version(1): true, Version(2): true, Version(3): false} {
		if got, err := l.Recorded(t.Context(), version); err != nil || got != want {
			t.Errorf("Recorded(%s): got %v, %v, want %v", version, got, err, want)
		}
	}
}

func testExact(t *testing.T, db Database) {
	l := Open(t, db.URL)
	all := Forecasts(1)
	all[0].Median, all[0].P10, all[0].P90 = 1.0/3, math.SmallestNonzeroFloat64, math.MaxFloat64
	all[1].Median, all[1].P10, all[1].P90 = 2, 0, math.Nextafter(2, 3)
	all[2].Loss, all[2].Probs = 1-0x1p-53, score.Probs{0x1p-53, 0, 0, 1 - 0x1p-53}
	if _, err := l.Record(t.Context(), all, Now.Add(987654321)); err != nil {
		t.Fatal(err)
	}
	_, lines := Verify(t, l)
	var got []ledger.Forecast
	for _, line := range lines {
		got = append(got, *line.Forecast.Forecast)
		if !line.Forecast.WrittenAt.Equal(Now) || line.Forecast.WrittenAt.Location() != time.UTC {
			t.Fatalf("entry %d: written at %s, want %s", line.Forecast.Number, line.Forecast.WrittenAt, Now)
		}
	}
	if !reflect.DeepEqual(got, all) {
		t.Errorf("read: got %+v, want %+v", got, all)
	}
}

func testEnded(t *testing.T, db Database) {
	l := Open(t, db.URL)
	all := Forecasts(1)
	for _, c := range []struct {
		now  time.Time
		want ledger.Recorded
	}{
		// The window of a year ends with October 2027.
		{time.Date(2027, time.November, 1, 0, 0, 0, 0, time.UTC), ledger.Recorded{New: len(all) / 2, Ended: len(all) / 2}},
		{time.Date(2027, time.October, 31, 23, 59, 59, 0, time.UTC), ledger.Recorded{New: len(all) / 2, Known: len(all) / 2}},
	} {
		if got, err := l.Record(t.Context(), all, c.now); err != nil || got != c.want {
			t.Errorf("Record at %s: got %+v, %v, want %+v", c.now, got, err, c.want)
		}
	}
}

func testRefused(t *testing.T, db Database) {
	l := Open(t, db.URL)
	for name, spoil := range map[string]func(*ledger.Forecast){
		"asset":       func(f *ledger.Forecast) { f.Asset = "a,b" },
		"horizon":     func(f *ledger.Forecast) { f.Months = 13 },
		"model":       func(f *ledger.Forecast) { f.Model = "other" },
		"version":     func(f *ledger.Forecast) { f.Version = "1" },
		"data month":  func(f *ledger.Forecast) { f.DataMonth = 0 },
		"origin":      func(f *ledger.Forecast) { f.Origin = f.DataMonth - 1 },
		"data hash":   func(f *ledger.Forecast) { f.DataHash = "abc" },
		"tiers":       func(f *ledger.Forecast) { f.Tiers = power.Tiers{0.7, 0.9, 1} },
		"probability": func(f *ledger.Forecast) { f.Probs = score.Probs{math.NaN(), 0, 0, 1} },
		"sum":         func(f *ledger.Forecast) { f.Probs = score.Probs{0.5, 0.5, 0.5, 0.5} },
		"loss":        func(f *ledger.Forecast) { f.Loss = -0.1 },
		"infinite":    func(f *ledger.Forecast) { f.P90 = math.Inf(1) },
		"order":       func(f *ledger.Forecast) { f.P10 = f.P90 + 1 },
		"evidence":    func(f *ledger.Forecast) { f.Evidence = "" },
		"base":        func(f *ledger.Forecast) { f.Base = score.Probs{1, 1, 1, 1} },
		"windows":     func(f *ledger.Forecast) { f.BaseWindows = -1 },
	} {
		all := Forecasts(1)
		spoil(&all[3])
		if got, err := l.Record(t.Context(), all, Now); err == nil || got != (ledger.Recorded{}) {
			t.Errorf("%s: got %+v, %v, want an error", name, got, err)
		}
	}
	if head, _ := Verify(t, l); head.Entries != 0 {
		t.Errorf("refused forecasts left %d entries", head.Entries)
	}
}

func testScore(t *testing.T, db Database) {
	l := Open(t, db.URL)
	Record(t, l, 1)
	before, _ := Verify(t, l)
	later := Now.AddDate(1, 1, 0)
	half := len(Forecasts(1)) / 2
	for i, want := range []int{half, 0} {
		if got, err := l.Score(t.Context(), Outcomes, later); err != nil || got != want {
			t.Fatalf("Score, time %d: got %d, %v, want %d", i+1, got, err, want)
		}
	}
	head, lines := Verify(t, l)
	if want := before.Entries + int64(half); head.Entries != want {
		t.Errorf("got %d entries, want %d", head.Entries, want)
	}
	if err := ledger.CheckHead(lines, before); err != nil {
		t.Errorf("the head from before the scores: %v", err)
	}
	classes := map[string]power.Class{"Gold": power.Preserver, "Bills": power.Partial, "Own_1": power.Destroyer}
	for i, line := range lines {
		f := line.Forecast.Forecast
		if want := Forecasts(1)[i]; !reflect.DeepEqual(*f, want) {
			t.Errorf("the forecast changed: got %+v, want %+v", *f, want)
		}
		if f.Months != 12 {
			if line.Score != nil {
				t.Errorf("%s is scored", f.Key)
			}
			continue
		}
		ln, known := Outcomes(f.Asset, f.Origin, f.Months)
		class := classes[f.Asset]
		logLoss, _ := score.LogLoss(f.Probs, int(class))
		want := ledger.Score{
			Key: f.Key, Forecast: line.Forecast.Number, Known: known, Multiple: math.Exp(ln), Class: class,
			RPS: score.RPS(f.Probs, int(class)), LogLoss: logLoss,
		}
		if line.Score == nil {
			t.Fatalf("%s is not scored", f.Key)
		}
		if got := *line.Score.Score; !reflect.DeepEqual(got, want) || !line.Score.WrittenAt.Equal(later) {
			t.Errorf("written at %s: got %+v, want %+v", line.Score.WrittenAt, got, want)
		}
	}
}

func testScoreRefused(t *testing.T, db Database) {
	l := Open(t, db.URL)
	Record(t, l, 1)
	before, _ := Verify(t, l)
	n := 0
	_, err := l.Score(t.Context(), func(_ string, origin series.Month, _ int) (float64, series.Month) {
		if n++; n > 3 {
			return math.NaN(), origin + 13
		}
		return 0, origin + 13
	}, Now)
	if err == nil {
		t.Error("an outcome that is no number was taken")
	}
	if after, _ := Verify(t, l); after != before {
		t.Errorf("the head moved from %+v to %+v", before, after)
	}
}

func testRestart(t *testing.T, db Database) {
	var want []ledger.Forecast
	var heads []ledger.Head
	for n := range 3 {
		l, err := ledger.OpenOrCreate(t.Context(), db.URL)
		if err != nil {
			t.Fatal(err)
		}
		Record(t, l, n)
		if _, err := l.Score(t.Context(), Outcomes, Now); err != nil {
			t.Fatal(err)
		}
		head, _ := Verify(t, l)
		heads = append(heads, head)
		want = append(want, Forecasts(n)...)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, lines := Verify(t, Open(t, db.URL))
	for _, head := range heads {
		if err := ledger.CheckHead(lines, head); err != nil {
			t.Errorf("a head of before: %v", err)
		}
	}
	for i, line := range lines {
		if got := *line.Forecast.Forecast; !reflect.DeepEqual(got, want[i]) {
			t.Fatalf("line %d: got %+v, want %+v", i, got, want[i])
		}
	}
	if len(lines) != len(want) {
		t.Errorf("got %d lines, want %d", len(lines), len(want))
	}
}

func testCreators(t *testing.T, db Database) {
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			l, err := ledger.OpenOrCreate(t.Context(), db.URL)
			if err != nil {
				t.Error(err)
				return
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	l := Open(t, db.URL)
	Record(t, l, 1)
	Verify(t, l)
}

func testWriters(t *testing.T, db Database) {
	const writers, versions = 4, 6
	Open(t, db.URL)
	var wg sync.WaitGroup
	var mu sync.Mutex
	total, scored := 0, 0
	for range writers {
		wg.Go(func() {
			l, err := ledger.OpenOrCreate(t.Context(), db.URL)
			if err != nil {
				t.Error(err)
				return
			}
			defer l.Close()
			for n := range versions { // the same for all writers
				r, err := l.Record(t.Context(), Forecasts(n), Now)
				if err != nil {
					t.Error(err)
					return
				}
				s, err := l.Score(t.Context(), Outcomes, Now)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				total, scored = total+r.New, scored+s
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	head, lines := Verify(t, Open(t, db.URL))
	want := versions * len(Forecasts(0))
	if total != want || len(lines) != want || scored != want/2 || head.Entries != int64(want+want/2) {
		t.Errorf("got %d new and %d lines, %d scored, %d entries; want %d, %d, %d", total, len(lines), scored, head.Entries, want, want/2, want+want/2)
	}
}

func testSnapshot(t *testing.T, db Database) {
	l := Open(t, db.URL)
	path := filepath.Join(t.TempDir(), ledger.SnapshotName)
	export := func() string {
		t.Helper()
		if err := l.Export(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got := strings.Count(export(), "\n"); got != 1 {
		t.Errorf("the snapshot of an empty ledger has %d lines, want the header alone", got)
	}
	Record(t, l, 1)
	before := export()
	if _, err := l.Score(t.Context(), Outcomes, Now); err != nil {
		t.Fatal(err)
	}
	Record(t, l, 2)
	_, lines := Verify(t, l)
	all := len(Forecasts(1))
	if behind, err := ledger.CheckSnapshot(path, lines); err != nil || behind != all/2+all {
		t.Errorf("an older snapshot: got %d entries behind, %v, want %d", behind, err, all/2+all)
	}
	text := export()
	if behind, err := ledger.CheckSnapshot(path, lines); err != nil || behind != 0 {
		t.Errorf("a new snapshot: got %d entries behind, %v", behind, err)
	}
	if err := sameAsTable(t, db.SQL, text); err != nil {
		t.Error(err)
	}

	// Entry 1 scored stands in a row with a score, the last row has none.
	rows := strings.SplitAfter(text, "\n")
	for name, c := range map[string]struct {
		text  string
		entry int64
	}{
		"figure":        {strings.Replace(text, ",thin,", ",sufficient,", 1), 1},
		"score":         {strings.Replace(text, "A_PRESERVER", "B_PARTIAL", 1), int64(all + 1)},
		"score removed": {before, 0},
		"row removed":   {strings.Join(append([]string{rows[0], rows[1]}, rows[3:]...), ""), 2},
		"row added":     {text + strings.Replace(rows[1], "1,", "999,", 1), 999},
		"order":         {rows[0] + rows[2] + rows[1], 1},
		"a score too many": {strings.Join(rows[:len(rows)-2], "") + strings.TrimRight(rows[len(rows)-2], ",\n") +
			strings.Repeat(",1", 8) + "\n", int64(2*all + all/2)},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ledger.CheckSnapshot(path, lines)
		var fault *ledger.Fault
		switch {
		case c.entry == 0 && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.entry != 0 && (!errors.As(err, &fault) || fault.Entry != c.entry):
			t.Errorf("%s: got %v, want a fault of entry %d", name, err, c.entry)
		}
	}
}

// sameAsTable compares a snapshot with the table, column by column.
func sameAsTable(t *testing.T, db *sql.DB, text string) error {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return err
	}
	for i, name := range rows[0] {
		column, kind, key := name, "forecast", 0
		switch after, own := strings.CutPrefix(name, "score_"); {
		case own:
			column, kind = after, "score"
		case name == "known_month" || name == "rps" || name == "log_loss" || strings.HasPrefix(name, "outcome_"):
			kind = "score"
		}
		if kind == "score" {
			for key = range rows[0] {
				if rows[0][key] == "score_entry" {
					break
				}
			}
		}
		got := map[string]string{}
		for _, row := range rows[1:] {
			if row[key] != "" {
				got[row[key]] = row[i]
			} else if row[i] != "" {
				return errors.New(name + " is set and there is no score")
			}
		}
		want := map[string]string{}
		table, err := db.QueryContext(t.Context(), "SELECT entry, "+column+" FROM pppq_ledger WHERE kind = '"+kind+"'")
		if err != nil {
			return err
		}
		for table.Next() {
			var entry string
			var value any
			if err := table.Scan(&entry, &value); err != nil {
				return errors.Join(err, table.Close())
			}
			want[entry] = plain(value)
		}
		if err := errors.Join(table.Err(), table.Close()); err != nil {
			return err
		}
		if len(want) == 0 {
			return errors.New("the table has no entry")
		}
		if !maps.Equal(got, want) {
			t.Errorf("column %s: the snapshot has %v, the table %v", name, got, want)
		}
	}
	return nil
}

func testNewer(t *testing.T, db Database) {
	Record(t, Open(t, db.URL), 1)
	if _, err := db.SQL.ExecContext(t.Context(), `INSERT INTO pppq_ledger_schema (version) VALUES (99)`); err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func() (*ledger.Ledger, error){
		"Open":         func() (*ledger.Ledger, error) { return ledger.Open(t.Context(), db.URL) },
		"OpenOrCreate": func() (*ledger.Ledger, error) { return ledger.OpenOrCreate(t.Context(), db.URL) },
	} {
		_, err := open()
		if !errors.Is(err, ledger.ErrNewer) || !strings.Contains(err.Error(), "99") {
			t.Errorf("%s: got %v, want ErrNewer and the version", name, err)
		}
	}
}
