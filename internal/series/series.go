// Package series holds what every other package shares: months, observations
// with the day from which they could be known, series, and the catalogue entry
// that describes one.
//
// The only way from a Series to figures for a feature is through time: AsOf, or
// a Cursor that moves forward, shows what was known at the end of a month and
// nothing later.
package series

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Sampling says what one monthly figure stands for. Averages and month ends
// must not be mixed in one series.
type Sampling string

const (
	// Average is the mean of the month's daily figures.
	Average Sampling = "average"
	// End is the last figure of the month.
	End Sampling = "end"
	// Whole is a figure for the month as such, like a price index.
	Whole Sampling = "month"
	// Trailing12 is a sum over the twelve months that end with this one.
	Trailing12 Sampling = "trailing-12"
)

// Samplings are the accepted values, in the order in which help texts name them.
var Samplings = []Sampling{Average, End, Whole, Trailing12}

// Role says what a series is used for.
type Role string

const (
	RoleAsset    Role = "asset"
	RoleIncome   Role = "income"
	RoleDeflator Role = "deflator"
	RoleGood     Role = "good"
	RoleFeature  Role = "feature"
)

// Roles are the accepted values.
var Roles = []Role{RoleAsset, RoleIncome, RoleDeflator, RoleGood, RoleFeature}

// Info is the catalogue entry of a series.
type Info struct {
	// ID names the series and its file: [A-Z][A-Z0-9_]{0,39}.
	ID    string
	Title string
	// Unit of a value, as "index 1982-84=100", "% a year", "$ per dozen".
	Unit      string
	Frequency string
	Sampling  Sampling
	// Lag says when a period's figure becomes known where no release date is stored.
	Lag     Lag
	Source  string
	Licence string
	Role    Role
}

// An Observation is one figure of one month as published at one time. A later
// Observation of the same period with a later KnownFrom is a revision; the
// earlier one stays.
type Observation struct {
	Period Month
	// Value is finite; a missing month has no Observation.
	Value float64
	// KnownFrom is the day from which a real user could have used the figure.
	KnownFrom Date
	// RetrievedAt is when it was written down here; zero for embedded figures.
	RetrievedAt time.Time
	Source      string
}

// A Series is the catalogue entry and all vintages of its figures. It is not
// changed after New.
type Series struct {
	Info
	// obs is ordered by KnownFrom, then Period.
	obs         []Observation
	first, last Month
}

// MaxMonths bounds the span of a series; 600 years are more than any source has.
const MaxMonths = 7200

// New checks observations and orders them. The error names the first fault:
// a value that is not finite, a figure known before its month began, two
// figures of one period with the same KnownFrom, or a span above MaxMonths.
func New(info Info, obs []Observation) (*Series, error) {
	if err := CheckID(info.ID); err != nil {
		return nil, err
	}
	s := &Series{Info: info, obs: slices.Clone(obs)}
	if len(obs) == 0 {
		return nil, fmt.Errorf("series %s: no observations", info.ID)
	}
	s.first, s.last = obs[0].Period, obs[0].Period
	for _, o := range obs {
		switch {
		case math.IsNaN(o.Value) || math.IsInf(o.Value, 0):
			return nil, fmt.Errorf("series %s: %s: value %v is not finite", info.ID, o.Period, o.Value)
		case o.KnownFrom < o.Period.Start():
			return nil, fmt.Errorf("series %s: %s: known from %s, before the month began", info.ID, o.Period, o.KnownFrom)
		}
		s.first, s.last = min(s.first, o.Period), max(s.last, o.Period)
	}
	if s.last-s.first >= MaxMonths {
		return nil, fmt.Errorf("series %s: spans %s to %s, more than %d months", info.ID, s.first, s.last, MaxMonths)
	}
	slices.SortStableFunc(s.obs, func(a, b Observation) int {
		return cmp.Or(cmp.Compare(a.KnownFrom, b.KnownFrom), cmp.Compare(a.Period, b.Period))
	})
	for i := 1; i < len(s.obs); i++ {
		if s.obs[i].KnownFrom == s.obs[i-1].KnownFrom && s.obs[i].Period == s.obs[i-1].Period {
			return nil, fmt.Errorf("series %s: %s: two figures known from %s", info.ID, s.obs[i].Period, s.obs[i].KnownFrom)
		}
	}
	return s, nil
}

// Observations returns every vintage, ordered by KnownFrom, then Period. The
// caller must not change it.
func (s *Series) Observations() []Observation { return s.obs }

// First and Last are the span of the periods over all vintages.
func (s *Series) First() Month { return s.first }

// Last is the newest period over all vintages.
func (s *Series) Last() Month { return s.last }

// Latest shows the newest vintage of every period: what is known today.
func (s *Series) Latest() View { return s.AsOf(s.obs[len(s.obs)-1].KnownFrom.Month()) }

// AsOf shows what was known at the end of month m.
func (s *Series) AsOf(m Month) View {
	c := s.Cursor()
	c.Advance(m)
	return c.View
}

// A View is a run of months from First on; NaN marks a missing month. The last
// value is never missing.
type View struct {
	First  Month
	Values []float64
}

// At returns the figure of month m, NaN if it is missing or outside the view.
func (v View) At(m Month) float64 {
	if m < v.First || int(m-v.First) >= len(v.Values) {
		return math.NaN()
	}
	return v.Values[m-v.First]
}

// Last returns the newest month that has a figure; First-1 if there is none.
func (v View) Last() Month { return v.First + Month(len(v.Values)) - 1 }

// A Cursor walks a series forward in time and keeps the view of the moment, so
// that reading all months in turn costs one pass over the observations.
type Cursor struct {
	View
	s    *Series
	next int
}

// Cursor starts before the first figure was known.
func (s *Series) Cursor() *Cursor { return &Cursor{s: s, View: View{First: s.first}} }

// Advance moves to the end of month m, which must not lie before the last one,
// and returns the earliest period whose figure appeared or changed; ok is false
// if nothing did.
func (c *Cursor) Advance(m Month) (changed Month, ok bool) {
	end := m.End()
	for ; c.next < len(c.s.obs) && c.s.obs[c.next].KnownFrom <= end; c.next++ {
		o := c.s.obs[c.next]
		i := int(o.Period - c.First)
		for len(c.Values) <= i {
			c.Values = append(c.Values, math.NaN())
		}
		if c.Values[i] == o.Value {
			continue
		}
		c.Values[i] = o.Value
		if !ok || o.Period < changed {
			changed, ok = o.Period, true
		}
	}
	return changed, ok
}

// ErrUnknownSeries is wrapped by errors about a series that a Set does not hold.
var ErrUnknownSeries = errors.New("unknown series")

// A Set is a collection of series by id, in a fixed order.
type Set struct {
	byID map[string]*Series
	ids  []string
}

// NewSet collects series; two with one id are an error.
func NewSet(all ...*Series) (*Set, error) {
	set := &Set{byID: make(map[string]*Series, len(all))}
	for _, s := range all {
		if _, ok := set.byID[s.ID]; ok {
			return nil, fmt.Errorf("series %s: given twice", s.ID)
		}
		set.byID[s.ID] = s
		set.ids = append(set.ids, s.ID)
	}
	slices.Sort(set.ids)
	return set, nil
}

// Get returns the series; the error wraps ErrUnknownSeries.
func (set *Set) Get(id string) (*Series, error) {
	if s, ok := set.byID[id]; ok {
		return s, nil
	}
	return nil, fmt.Errorf("%w %s", ErrUnknownSeries, id)
}

// IDs returns the ids in alphabetical order. The caller must not change it.
func (set *Set) IDs() []string { return set.ids }

// CheckID reports whether id may name a series and its file.
func CheckID(id string) error {
	ok := len(id) >= 1 && len(id) <= 40 && id[0] >= 'A' && id[0] <= 'Z'
	for i := range len(id) {
		c := id[i]
		ok = ok && (c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_')
	}
	if !ok {
		return fmt.Errorf("series id %q: want capital letters, digits and underscores, a letter first, at most 40", id)
	}
	return nil
}
