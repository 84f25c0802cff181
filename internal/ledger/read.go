package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
)

// selectEntries reads the table e.
var selectEntries = func() string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return "SELECT " + strings.Join(names, ", ") + " FROM pppq_ledger e "
}()

// entries yields the entries that a condition on table e selects, in order. An
// entry that can't be read ends them with a *Fault.
func entries(ctx context.Context, q querier, where string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		rows, err := q.QueryContext(ctx, selectEntries+where+" ORDER BY e.entry")
		if err != nil {
			yield(Entry{}, err)
			return
		}
		defer rows.Close()
		values, pointers := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		for rows.Next() {
			if err := rows.Scan(pointers...); err != nil {
				yield(Entry{}, err)
				return
			}
			e, err := entryOf(values)
			if err != nil {
				err = &Fault{e.Number, err}
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Entry{}, err)
		}
	}
}

// Entries yields all entries in order, as one moment saw them. An entry that
// can't be read ends them with a *Fault. Whoever ranges over them must not use
// the ledger for anything else meanwhile.
func (l *Ledger) Entries(ctx context.Context) iter.Seq2[Entry, error] { return entries(ctx, l.db, "") }

// Verify walks the whole chain and returns its head and all lines. The error is
// a *Fault that names the first entry which does not hold, or wraps ErrNoHead.
//
// It finds what was changed, removed, put in or moved by anyone who did not
// compute all later hashes anew. Whoever did is found out by a head that was
// noted elsewhere before (CheckHead), or by an older snapshot (CheckSnapshot).
func (l *Ledger) Verify(ctx context.Context) (head Head, lines []Line, err error) {
	err = l.read(func() error {
		head, lines, err = l.verify(ctx)
		return err
	})
	return head, lines, err
}

func (l *Ledger) verify(ctx context.Context) (Head, []Line, error) {
	noted, err := readHead(ctx, l.db, "")
	if err != nil {
		return Head{}, nil, fmt.Errorf("verify: %w", err)
	}
	c := newChain()
	for e, err := range l.Entries(ctx) {
		var unreadable *Fault
		if errors.As(err, &unreadable) {
			err = cmp.Or(c.place(unreadable.Entry), err)
		}
		if err == nil {
			err = c.add(e)
		}
		var fault *Fault
		if errors.As(err, &fault) {
			return Head{}, nil, fault
		}
		if err != nil {
			return Head{}, nil, fmt.Errorf("verify: %w", err)
		}
	}
	if c.head.Entries < noted.Entries {
		return Head{}, nil, &Fault{c.head.Entries + 1, fmt.Errorf("is missing: the last writer ended with entry %d", noted.Entries)}
	}
	// A writer may have added entries since the note was read.
	if err := CheckHead(c.all.lines, noted); err != nil {
		return Head{}, nil, &Fault{noted.Entries, errors.New("is not the one that the last writer ended with")}
	}
	return c.head, c.all.lines, nil
}

// CheckHead reports whether a head that was noted before is an entry of a
// verified ledger. The error is a *Fault.
func CheckHead(lines []Line, noted Head) error {
	if noted.Entries == 0 {
		return nil
	}
	for _, l := range lines {
		for _, e := range []*Entry{&l.Forecast, l.Score} {
			if e != nil && e.Number == noted.Entries {
				if e.Hash == noted.Hash {
					return nil
				}
				return &Fault{e.Number, fmt.Errorf("had the hash %s, now it has %s: it or one before it was changed", noted.Hash, e.Hash)}
			}
		}
	}
	return &Fault{noted.Entries, errors.New("is missing")}
}

// Recorded reports whether forecasts of a version are on record; they are added
// all or none.
func (l *Ledger) Recorded(ctx context.Context, version string) (bool, error) {
	var n int
	err := l.db.QueryRowContext(ctx, `SELECT count(*) FROM pppq_ledger WHERE kind = 'forecast' AND model_version = $1`, version).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look up version %s: %w", version, err)
	}
	return n > 0, nil
}

// A Line is a forecast and, once its outcome is known, its score.
type Line struct {
	Forecast Entry
	Score    *Entry
}

// Lines returns all forecasts in the order in which they were recorded. The
// chain is not checked.
func (l *Ledger) Lines(ctx context.Context) ([]Line, error) {
	var all lineList
	err := l.read(func() error {
		for e, err := range l.Entries(ctx) {
			if err == nil {
				err = all.add(e)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	return all.lines, nil
}

// A lineList puts scores beside their forecasts.
type lineList struct {
	lines []Line
	at    map[int64]int
}

// add takes the next entry; the error is a *Fault.
func (b *lineList) add(e Entry) error {
	if e.Forecast != nil {
		if b.at == nil {
			b.at = map[int64]int{}
		}
		b.at[e.Number] = len(b.lines)
		b.lines = append(b.lines, Line{Forecast: e})
		return nil
	}
	i, ok := b.at[e.Score.Forecast]
	if !ok || b.lines[i].Forecast.Forecast.Key != e.Score.Key || b.lines[i].Score != nil {
		return &Fault{e.Number, fmt.Errorf("scores entry %d, which is not its forecast or has a score", e.Score.Forecast)}
	}
	b.lines[i].Score = &e
	return nil
}

// of returns the forecast that a score, once added, belongs to.
func (b *lineList) of(s *Score) *Forecast { return b.lines[b.at[s.Forecast]].Forecast.Forecast }
