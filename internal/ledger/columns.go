package ledger

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/score"
	"github.com/pppq/pppq/internal/series"
)

// Kinds of entries.
const (
	kindForecast = "forecast"
	kindScore    = "score"
)

// A columnType is a type of both databases.
type columnType int

const (
	text    columnType = iota // TEXT
	integer                   // INTEGER, BIGINT
	number                    // REAL, DOUBLE PRECISION: all 64 bits
)

// A column is one column of the table of entries. The table, the text that is
// hashed and the snapshot all follow columns.
type column struct {
	name string
	typ  columnType
	// kind is that of the entries that have it, empty for both; in others it is
	// NULL.
	kind string
	// optional columns may be NULL all the same.
	optional bool
}

// columns in the order of the table; the hash comes last.
var columns = []column{
	{name: "entry", typ: integer},
	{name: "kind"},
	{name: "written_at"},
	{name: "data_month"},
	{name: "asset"},
	{name: "horizon_months", typ: integer},
	{name: "model_type"},
	{name: "model_version"},
	{name: "origin_month", kind: kindForecast},
	{name: "data_hash", kind: kindForecast},
	{name: "baseline", typ: integer, kind: kindForecast},
	{name: "tier_a", typ: number, kind: kindForecast},
	{name: "tier_b", typ: number, kind: kindForecast},
	{name: "tier_c", typ: number, kind: kindForecast},
	{name: "p_a", typ: number, kind: kindForecast},
	{name: "p_b", typ: number, kind: kindForecast},
	{name: "p_c", typ: number, kind: kindForecast},
	{name: "p_d", typ: number, kind: kindForecast},
	{name: "p_loss", typ: number, kind: kindForecast},
	{name: "multiple_median", typ: number, kind: kindForecast},
	{name: "multiple_p10", typ: number, kind: kindForecast},
	{name: "multiple_p90", typ: number, kind: kindForecast},
	{name: "evidence", kind: kindForecast},
	{name: "base_a", typ: number, kind: kindForecast, optional: true},
	{name: "base_b", typ: number, kind: kindForecast, optional: true},
	{name: "base_c", typ: number, kind: kindForecast, optional: true},
	{name: "base_d", typ: number, kind: kindForecast, optional: true},
	{name: "base_windows", typ: number, kind: kindForecast},
	{name: "forecast_entry", typ: integer, kind: kindScore},
	{name: "known_month", kind: kindScore},
	{name: "outcome_multiple", typ: number, kind: kindScore},
	{name: "outcome_class", kind: kindScore},
	{name: "rps", typ: number, kind: kindScore},
	{name: "log_loss", typ: number, kind: kindScore},
	{name: "previous_hash"},
	{name: "hash"},
}

// writtenAt is the form of times.
const writtenAt = "2006-01-02T15:04:05Z"

// values are an entry's columns: string, int64, float64, or nil for NULL.
func (e *Entry) values() []any {
	v := make([]any, 0, len(columns))
	key := func(kind string, k Key) {
		v = append(v, e.Number, kind, e.WrittenAt.UTC().Format(writtenAt),
			k.DataMonth.String(), k.Asset, int64(k.Months), string(k.Model), k.Version)
	}
	if f := e.Forecast; f != nil {
		key(kindForecast, f.Key)
		baseline := int64(0)
		if f.Baseline {
			baseline = 1
		}
		v = append(v, f.Origin.String(), f.DataHash, baseline)
		v = append(v, numbers(f.Tiers[:]...)...)
		v = append(v, numbers(f.Probs[:]...)...)
		v = append(v, numbers(f.Loss, f.Median, f.P10, f.P90)...)
		v = append(v, string(f.Evidence))
		if f.BaseWindows > 0 {
			v = append(v, numbers(f.Base[:]...)...)
		} else {
			v = append(v, nil, nil, nil, nil)
		}
		v = append(v, numbers(f.BaseWindows)...)
		v = append(v, nil, nil, nil, nil, nil, nil)
	} else {
		s := e.Score
		key(kindScore, s.Key)
		for _, c := range columns {
			if c.kind == kindForecast {
				v = append(v, nil)
			}
		}
		v = append(v, s.Forecast, s.Known.String())
		v = append(v, numbers(s.Multiple)...)
		v = append(v, s.Class.String())
		v = append(v, numbers(s.RPS, s.LogLoss)...)
	}
	return append(v, e.Previous, e.Hash)
}

// numbers makes values; the negative zero, which SQLite does not keep, becomes 0.
func numbers(xs ...float64) []any {
	v := make([]any, len(xs))
	for i, x := range xs {
		v[i] = x + 0
	}
	return v
}

// cell writes a value as it is hashed and exported: a number in the fewest
// decimal digits that read back to the same bits, NULL as nothing.
func cell(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return ""
}

// A reader takes an entry's columns one by one and keeps the first fault.
type reader struct {
	values []any
	at     int
	err    error
}

func (r *reader) fault(c column, err error) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: %w", c.name, err)
	}
}

// next returns the next value of a type; zero for NULL where that may be.
func next[T any](r *reader) (x T) {
	c, v := columns[r.at], r.values[r.at]
	r.at++
	if v == nil && c.optional {
		return x
	}
	x, ok := v.(T)
	if !ok {
		r.fault(c, errors.New("is missing or of another type"))
	}
	return x
}

func (r *reader) month() series.Month {
	c := columns[r.at]
	m, err := series.ParseMonth(next[string](r))
	if err != nil {
		r.fault(c, err)
	}
	return m
}

func (r *reader) probs() (p score.Probs) {
	for i := range p {
		p[i] = next[float64](r)
	}
	return p
}

// skip passes over the columns of the other kind, which must be NULL.
func (r *reader) skip(kind string) {
	for r.at < len(columns) && columns[r.at].kind == kind {
		if r.values[r.at] != nil {
			r.fault(columns[r.at], errors.New("does not belong to this kind of entry"))
		}
		r.at++
	}
}

// entryOf is the inverse of values. The entry is checked, but for its place in
// the chain.
func entryOf(values []any) (Entry, error) {
	r := &reader{values: values}
	e := Entry{Number: next[int64](r)}
	kind := next[string](r)
	var err error
	if e.WrittenAt, err = time.Parse(writtenAt, next[string](r)); err != nil {
		r.fault(columns[r.at-1], errors.New("want a time as 2026-11-22T18:15:00Z"))
	}
	k := Key{DataMonth: r.month(), Asset: next[string](r), Months: int(next[int64](r)), Model: forecast.ModelType(next[string](r)), Version: next[string](r)}
	switch kind {
	case kindForecast:
		e.Forecast = r.forecast(k)
		r.skip(kindScore)
		err = e.Forecast.check()
	case kindScore:
		r.skip(kindForecast)
		e.Score = r.score(k)
		err = e.Score.check()
	default:
		return e, fmt.Errorf("kind: want forecast or score, got %q", kind)
	}
	e.Previous, e.Hash = next[string](r), next[string](r)
	if r.err != nil {
		return e, r.err
	}
	return e, err
}

func (r *reader) forecast(k Key) *Forecast {
	f := &Forecast{Key: k, Origin: r.month(), DataHash: next[string](r)}
	baseline := next[int64](r)
	if f.Baseline = baseline == 1; baseline != 0 && baseline != 1 {
		r.fault(columns[r.at-1], errors.New("want 0 or 1"))
	}
	for i := range f.Tiers {
		f.Tiers[i] = next[float64](r)
	}
	f.Probs = r.probs()
	f.Loss = next[float64](r)
	f.Median, f.P10, f.P90 = next[float64](r), next[float64](r), next[float64](r)
	f.Evidence = forecast.Evidence(next[string](r))
	f.Base = r.probs()
	f.BaseWindows = next[float64](r)
	return f
}

func (r *reader) score(k Key) *Score {
	s := &Score{Key: k, Forecast: next[int64](r), Known: r.month(), Multiple: next[float64](r)}
	name := next[string](r)
	for s.Class = 0; s.Class < power.NumClasses && s.Class.String() != name; s.Class++ {
	}
	if s.Class == power.NumClasses {
		r.fault(columns[r.at-1], fmt.Errorf("unknown class %q", name))
	}
	s.RPS, s.LogLoss = next[float64](r), next[float64](r)
	return s
}
