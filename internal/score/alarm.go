package score

import (
	"fmt"
	"math"
	"slices"
)

// AlarmMinHistory is the number of past readings under which RateAgainst does not judge.
const AlarmMinHistory = 20

// An Alarm is the judgement of a drift measure by its own history.
type Alarm int

const (
	// AlarmUnknown: too little history, or no reading.
	AlarmUnknown Alarm = iota
	// AlarmNone: up to the 95th percentile of the past.
	AlarmNone
	// AlarmWarn: above the 95th percentile.
	AlarmWarn
	// AlarmRaised: above the 99th percentile.
	AlarmRaised
)

// String returns "unknown", "none", "warn" or "raised".
func (a Alarm) String() string {
	switch a {
	case AlarmUnknown:
		return "unknown"
	case AlarmNone:
		return "none"
	case AlarmWarn:
		return "warn"
	case AlarmRaised:
		return "raised"
	}
	return fmt.Sprintf("Alarm(%d)", int(a))
}

// OwnHistory applies a drift measure to the last window values of x (oldest first) against all values before them, and to
// every earlier window of that length against the values before it, as long as at least minBefore stand before. past is
// in order of time. measure gets either sample in ascending order, NaN first, which makes sorting it again cheap, and must
// keep neither. The error wraps ErrShape for window or minBefore under 1 and ErrTooFew if x has no window with
// minBefore values before it.
func OwnHistory(x []float64, window, minBefore int, measure func(before, recent []float64) float64) (current float64, past []float64, err error) {
	if window < 1 || minBefore < 1 {
		return 0, nil, fmt.Errorf("%w: window %d, at least %d before", ErrShape, window, minBefore)
	}
	if len(x) < window+minBefore {
		return 0, nil, fmt.Errorf("%w: %d values, need %d", ErrTooFew, len(x), window+minBefore)
	}
	before, recent := make([]float64, minBefore, len(x)), make([]float64, window)
	copy(before, x)
	slices.Sort(before)
	for end := window + minBefore; ; end++ {
		copy(recent, x[end-window:end])
		slices.Sort(recent)
		if current = measure(before, recent); end == len(x) {
			return current, past, nil
		}
		past = append(past, current)
		v := x[end-window]
		at, _ := slices.BinarySearch(before, v)
		before = slices.Insert(before, at, v)
	}
}

// RateAgainst judges current by the readings past of the same measure: above their 95th percentile is AlarmWarn, above
// their 99th AlarmRaised. NaN readings are left out; with fewer than AlarmMinHistory left, or a NaN current, the answer is
// AlarmUnknown. The percentiles (NaN when unknown) are returned to be shown.
func RateAgainst(past []float64, current float64) (a Alarm, p95, p99 float64) {
	known := make([]float64, 0, len(past))
	for _, v := range past {
		if !math.IsNaN(v) {
			known = append(known, v)
		}
	}
	if len(known) < AlarmMinHistory || math.IsNaN(current) {
		return AlarmUnknown, math.NaN(), math.NaN()
	}
	slices.Sort(known)
	p95, p99 = quantileSorted(known, 0.95), quantileSorted(known, 0.99)
	switch {
	case current > p99:
		return AlarmRaised, p95, p99
	case current > p95:
		return AlarmWarn, p95, p99
	}
	return AlarmNone, p95, p99
}
