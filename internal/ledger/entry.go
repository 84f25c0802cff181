package ledger

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/score"
	"github.com/pppq/pppq/internal/series"
)

// A Key names a forecast: there is one of each.
type Key struct {
	// DataMonth is the newest month whose figures it used.
	DataMonth series.Month
	Asset     string
	// Months is the horizon.
	Months int
	Model  forecast.ModelType
	// Version is that of the bundle.
	Version string
}

func (k Key) String() string {
	return fmt.Sprintf("%s %s over %d months, %s of %s", k.DataMonth, k.Asset, k.Months, k.Model, k.Version)
}

// A Forecast is what was said of one asset and horizon.
type Forecast struct {
	Key
	// Origin is the month at whose end the holding begins: the one in which the
	// figures of DataMonth became known. The walk-forward test counts in the same
	// way.
	Origin series.Month
	// DataHash sums up all figures behind it.
	DataHash string
	// Baseline says that the core alone was in service.
	Baseline bool
	// Tiers are the bounds of the classes.
	Tiers power.Tiers
	// Probs are of the classes A to D; they sum to 1. Loss is P(multiple < 1).
	Probs score.Probs
	Loss  float64
	// Median, P10 and P90 are of the multiple of purchasing power.
	Median, P10, P90 float64
	Evidence         forecast.Evidence
	// Base is how often each class had come true in the asset's own past, over
	// BaseWindows windows that do not overlap; zero if there were none.
	Base        score.Probs
	BaseWindows float64
}

// A Score is what became of a forecast.
type Score struct {
	Key
	// Forecast is the entry that is scored.
	Forecast int64
	// Known is the month at whose end the outcome was first known.
	Known    series.Month
	Multiple float64
	Class    power.Class
	// RPS is the ranked probability score and LogLoss is in nats; 0 is perfect.
	RPS, LogLoss float64
}

// An Entry is one link of the chain: a Forecast or a Score, never both.
type Entry struct {
	// Number counts from 1 without gaps.
	Number int64
	// WrittenAt is in UTC, to the second.
	WrittenAt time.Time
	Forecast  *Forecast
	Score     *Score
	// Previous is the hash of the entry before, Genesis for the first.
	Previous string
	// Hash is what Sum gives of everything else.
	Hash string
}

// newScore scores a forecast by the logarithm of the multiple that came true.
func newScore(e Entry, lnMultiple float64, known series.Month) Score {
	f := e.Forecast
	s := Score{Key: f.Key, Forecast: e.Number, Known: known, Multiple: math.Exp(lnMultiple), Class: f.Tiers.ClassOfLog(lnMultiple)}
	s.RPS, s.LogLoss = f.scores(s.Class)
	return s
}

// scores are the two scores of f when class c came true.
func (f *Forecast) scores(c power.Class) (rps, logLoss float64) {
	logLoss, _ = score.LogLoss(f.Probs, int(c))
	return score.RPS(f.Probs, int(c)), logLoss
}

// Ended reports whether the window of f is over at a moment; what is written
// then is no forecast.
func (f *Forecast) Ended(now time.Time) bool {
	return series.DateOf(now).Month() > f.Origin+series.Month(f.Months)
}

// check refuses what can't be a key.
func (k Key) check() error {
	if err := series.CheckAssetID(k.Asset); err != nil {
		return err
	}
	if _, ok := panel.HorizonIndex(k.Months); !ok {
		return fmt.Errorf("horizon of %d months: want %d to %d in steps of %d", k.Months, panel.MinHorizon, panel.MaxHorizon, panel.HorizonStep)
	}
	if !slices.Contains(forecast.ModelTypes, k.Model) {
		return fmt.Errorf("model type %q: want lgbm, xgb or ensemble", k.Model)
	}
	if k.DataMonth <= 0 {
		return errors.New("no data month")
	}
	return bundle.CheckVersion(k.Version)
}

// check refuses what can't be a forecast.
func (f *Forecast) check() error {
	if err := f.Key.check(); err != nil {
		return err
	}
	if f.Origin < f.DataMonth {
		return fmt.Errorf("origin %s lies before the data month %s", f.Origin, f.DataMonth)
	}
	if !isHash(f.DataHash) {
		return errors.New("the data hash is not a sha256 in hexadecimal digits")
	}
	if err := checkProbs(f.Probs); err != nil {
		return fmt.Errorf("class probabilities: %w", err)
	}
	if err := checkProbs(f.Base); err != nil && f.BaseWindows > 0 {
		return fmt.Errorf("base rate: %w", err)
	}
	switch {
	case !(f.Tiers[0] > f.Tiers[1] && f.Tiers[1] > f.Tiers[2] && f.Tiers[2] > 0) || !isFinite(f.Tiers[0]):
		return fmt.Errorf("tiers %v: want positive bounds that fall", f.Tiers)
	case !(f.Loss >= 0 && f.Loss <= 1):
		return fmt.Errorf("probability of loss %v: want 0 to 1", f.Loss)
	case !(f.P10 >= 0 && f.P10 <= f.Median && f.Median <= f.P90) || !isFinite(f.P90):
		return fmt.Errorf("multiples %v, %v, %v: want finite ones that rise", f.P10, f.Median, f.P90)
	case !(f.BaseWindows >= 0) || !isFinite(f.BaseWindows) || f.BaseWindows == 0 && f.Base != (score.Probs{}):
		return fmt.Errorf("base rate over %v windows", f.BaseWindows)
	}
	return checkEvidence(f.Evidence)
}

func checkEvidence(e forecast.Evidence) error {
	switch e {
	case forecast.Sufficient, forecast.Thin, forecast.Insufficient:
		return nil
	}
	return fmt.Errorf("evidence %q: want sufficient, thin or insufficient", e)
}

// check refuses what can't be a score.
func (s *Score) check() error {
	if err := s.Key.check(); err != nil {
		return err
	}
	switch {
	case s.Forecast < 1:
		return fmt.Errorf("entry %d can't be scored", s.Forecast)
	case s.Known <= s.DataMonth:
		return fmt.Errorf("the outcome can't be known at %s", s.Known)
	case !(s.Multiple >= 0) || !isFinite(s.Multiple):
		return fmt.Errorf("outcome %v: want a multiple", s.Multiple)
	case !(s.RPS >= 0 && s.RPS <= 1):
		return fmt.Errorf("ranked probability score %v: want 0 to 1", s.RPS)
	case !(s.LogLoss >= 0) || !isFinite(s.LogLoss):
		return fmt.Errorf("log loss %v: want 0 or more", s.LogLoss)
	}
	return nil
}

// checkProbs wants probabilities that sum to 1 but for rounding.
func checkProbs(p score.Probs) error {
	sum := 0.0
	for _, x := range p {
		if !(x >= 0 && x <= 1) {
			return fmt.Errorf("%v: want 0 to 1 each", p)
		}
		sum += x
	}
	if math.Abs(sum-1) > 1e-9 {
		return fmt.Errorf("%v sum to %v", p, sum)
	}
	return nil
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
