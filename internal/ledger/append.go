package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/series"
)

// ErrBroken is wrapped where the newest entry is not the one that the ledger
// ended with: nothing is added to such a ledger.
var ErrBroken = errors.New("`pppq ledger verify` says which entry was changed; restore the database from a backup")

// ErrNoHead says that the note of the newest entry is gone. What is left may be
// whole; nothing shows that no entry was cut off at its end.
var ErrNoHead = errors.New("the note of the newest entry (table pppq_ledger_head) is gone, and with it the proof that none was cut off at the end: " +
	"restore the database from a backup")

// Recorded counts what Record did with forecasts.
type Recorded struct {
	// New were added, Known were there already, Ended are no forecasts any more.
	New, Known, Ended int
}

// Record adds forecasts in one transaction, all or none. One whose key is there
// stays as it is, and one whose window has ended is left out: it would not have
// been a forecast.
func (l *Ledger) Record(ctx context.Context, forecasts []Forecast, now time.Time) (Recorded, error) {
	var r Recorded
	for i := range forecasts {
		if err := forecasts[i].check(); err != nil {
			return r, fmt.Errorf("record %s: %w", forecasts[i].Key, err)
		}
	}
	err := l.append(ctx, now, func(_ *sql.Tx, add func(Entry) (bool, error)) error {
		r = Recorded{}
		for i := range forecasts {
			if forecasts[i].Ended(now) {
				r.Ended++
				continue
			}
			added, err := add(Entry{Forecast: &forecasts[i]})
			if err != nil {
				return fmt.Errorf("%s: %w", forecasts[i].Key, err)
			}
			if added {
				r.New++
			} else {
				r.Known++
			}
		}
		return nil
	})
	if err != nil {
		return Recorded{}, fmt.Errorf("record forecasts: %w", err)
	}
	return r, nil
}

// Outcomes returns the logarithm of the multiple of an asset from the end of a
// month over a horizon, and the month at whose end it was first known; 0 while
// it is not known.
type Outcomes func(asset string, origin series.Month, months int) (lnMultiple float64, known series.Month)

// PanelOutcomes are those of a panel: each as first known, so that a later
// revision of the sources does not change a score.
func PanelOutcomes(p *panel.Panel) Outcomes {
	return func(asset string, origin series.Month, months int) (float64, series.Month) {
		rows, found := p.Find(asset)
		h, ok := panel.HorizonIndex(months)
		if !found || !ok {
			return 0, 0
		}
		return rows.Outcome(origin, h)
	}
}

// Score adds a score for each forecast that has none and whose outcome is known,
// in one transaction, and returns how many.
func (l *Ledger) Score(ctx context.Context, outcomes Outcomes, now time.Time) (scored int, err error) {
	err = l.append(ctx, now, func(tx *sql.Tx, add func(Entry) (bool, error)) error {
		var open []Entry
		for e, err := range entries(ctx, tx, `WHERE kind = 'forecast' AND NOT EXISTS (
			SELECT 1 FROM pppq_ledger s WHERE s.kind = 'score' AND s.data_month = e.data_month AND s.asset = e.asset AND
			s.horizon_months = e.horizon_months AND s.model_type = e.model_type AND s.model_version = e.model_version)`) {
			if err != nil {
				return err
			}
			open = append(open, e)
		}
		scored = 0
		for _, e := range open {
			f := e.Forecast
			ln, known := outcomes(f.Asset, f.Origin, f.Months)
			if known == 0 {
				continue
			}
			s := newScore(e, ln, known)
			if err := s.check(); err != nil {
				return fmt.Errorf("%s: %w", f.Key, err)
			}
			added, err := add(Entry{Score: &s})
			if err != nil {
				return fmt.Errorf("%s: %w", f.Key, err)
			}
			if added {
				scored++
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("score forecasts: %w", err)
	}
	return scored, nil
}

// insert adds an entry unless one of its kind and key is there.
var insert = func() string {
	names := make([]string, len(columns))
	marks := make([]string, len(columns))
	for i, c := range columns {
		names[i], marks[i] = c.name, fmt.Sprintf("$%d", i+1)
	}
	return "INSERT INTO pppq_ledger (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(marks, ", ") +
		") ON CONFLICT (kind, data_month, asset, horizon_months, model_type, model_version) DO NOTHING"
}()

// append runs f in a transaction that no other writer runs beside. What f adds
// gets its number, time, predecessor and hash; add reports whether it is new.
func (l *Ledger) append(ctx context.Context, now time.Time, f func(tx *sql.Tx, add func(Entry) (bool, error)) error) error {
	return l.write(ctx, func(tx *sql.Tx) error {
		head, err := readHead(ctx, tx, l.dialect.forUpdate)
		if err != nil {
			return err
		}
		if err := matches(ctx, tx, head); err != nil {
			return err
		}
		statement, err := tx.PrepareContext(ctx, insert)
		if err != nil {
			return err
		}
		defer statement.Close()
		began := head
		err = f(tx, func(e Entry) (bool, error) {
			e.Number, e.WrittenAt, e.Previous = head.Entries+1, now.UTC().Truncate(time.Second), head.Hash
			e.Hash = e.Sum()
			result, err := statement.ExecContext(ctx, e.values()...)
			if err != nil {
				return false, err
			}
			n, err := result.RowsAffected()
			if n == 0 || err != nil {
				return false, err
			}
			head = Head{Entries: e.Number, Hash: e.Hash}
			return true, nil
		})
		if err != nil || head == began {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE pppq_ledger_head SET entries = $1, hash = $2 WHERE id = 1`, head.Entries, head.Hash)
		return err
	})
}

// readHead reads what the last writer noted; suffix ends the query.
func readHead(ctx context.Context, q querier, suffix string) (h Head, err error) {
	err = q.QueryRowContext(ctx, `SELECT entries, hash FROM pppq_ledger_head WHERE id = 1`+suffix).Scan(&h.Entries, &h.Hash)
	if errors.Is(err, sql.ErrNoRows) {
		return h, ErrNoHead
	}
	return h, err
}

// matches compares the head with the newest entry.
func matches(ctx context.Context, q querier, h Head) error {
	newest := Head{Hash: Genesis}
	err := q.QueryRowContext(ctx, `SELECT entry, hash FROM pppq_ledger ORDER BY entry DESC LIMIT 1`).Scan(&newest.Entries, &newest.Hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if newest != h {
		return fmt.Errorf("entry %d is the newest, but entry %d was written last, or it had another hash: %w", newest.Entries, h.Entries, ErrBroken)
	}
	return nil
}
