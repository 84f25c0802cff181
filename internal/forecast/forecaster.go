package forecast

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/score"
	"github.com/pppq/pppq/internal/series"
)

// An AssetState is what a Forecaster knows of one asset: its newest row and how
// often each class came true.
type AssetState struct {
	Asset series.Asset
	Row   panel.Row
	// Months is the number of monthly figures of its real index.
	Months int
	Errors [panel.NumHorizons]Errors
	// Base counts the known windows by horizon, from month BaseFrom on.
	Base     [panel.NumHorizons]Counts
	BaseFrom series.Month
	// Source names where its figures come from.
	Sources []string
}

// Weights are what each part of the served forecast earned in the walk-forward
// test: 0 for what was not better than the rung below it.
type Weights struct {
	LGBM     float64 `json:"lgbm"`
	XGB      float64 `json:"xgb"`
	Ensemble float64 `json:"ensemble"`
}

// Of returns the weight of a model type.
func (w Weights) Of(m ModelType) float64 {
	switch m {
	case LGBM:
		return w.LGBM
	case XGB:
		return w.XGB
	}
	return w.Ensemble
}

// Calibration corrects the forecast by what past forecasts out of their fold
// showed; 1 leaves it as it is, and stands where a correction did not earn its
// place.
type Calibration struct {
	// Temperature divides the logarithms of the class probabilities.
	Temperature float64 `json:"temperature"`
	// Interval stretches the interval around the median of ln M.
	Interval float64 `json:"interval"`
}

// A Forecaster answers questions. It is not changed after it is made.
type Forecaster struct {
	Version string
	Tiers   power.Tiers
	Assets  []AssetState
	// LGBM and XGB are nil in a baseline that has the core alone.
	LGBM, XGB   *Booster
	Weights     Weights
	Calibration Calibration
	// References by model type, ascending by horizon.
	References map[ModelType][]Reference
	History    *History
}

// An UnknownAsset error names the assets that come nearest.
type UnknownAsset struct {
	Asset string
	Near  []string
}

func (e *UnknownAsset) Error() string {
	if len(e.Near) == 0 {
		return fmt.Sprintf("unknown asset %q", e.Asset)
	}
	return fmt.Sprintf("unknown asset %q; near: %s", e.Asset, strings.Join(e.Near, ", "))
}

// An InvalidValue error names the field of a Question that cannot be answered.
type InvalidValue struct {
	Field  string
	Reason string
}

func (e *InvalidValue) Error() string { return e.Field + ": " + e.Reason }

// ErrNoRow is wrapped where an asset has too few figures to be forecast.
var ErrNoRow = errors.New("no forecast")

// Find returns an asset by its id, without case. The error is *UnknownAsset.
func (f *Forecaster) Find(id string) (*AssetState, error) {
	for i := range f.Assets {
		if strings.EqualFold(f.Assets[i].Asset.ID, id) {
			return &f.Assets[i], nil
		}
	}
	return nil, &UnknownAsset{Asset: id, Near: f.near(id)}
}

// near returns at most three ids that differ from id by few letters or begin
// with it.
func (f *Forecaster) near(id string) []string {
	type hit struct {
		id string
		d  int
	}
	low := strings.ToLower(id[:min(len(id), 64)])
	var hits []hit
	for _, a := range f.Assets {
		own := strings.ToLower(a.Asset.ID)
		d := editDistance(low, own)
		if low != "" && (strings.HasPrefix(own, low) || strings.HasPrefix(low, own)) {
			d = min(d, 1)
		}
		if d <= max(2, len(own)/3) {
			hits = append(hits, hit{a.Asset.ID, d})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(a.d, b.d) })
	var ids []string
	for _, h := range hits[:min(3, len(hits))] {
		ids = append(ids, h.id)
	}
	return ids
}

// editDistance is Levenshtein's, by bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// A view is one question resolved: the figures the answer is read from.
type view struct {
	state    *AssetState
	values   []float64 // the row's features, overrides applied
	h        int
	windows  float64
	evidence Evidence
	used     float64 // the yearly rate of served
	core     Normal  // the core's plain forecast
	served   Normal  // after the rule for thin evidence and the boosters
	learned  bool    // whether a booster moved the spread
	lnSpread float64
}

// resolve checks a question and computes the distribution that answers it.
func (f *Forecaster) resolve(q Question) (view, error) {
	state, err := f.Find(q.Asset)
	if err != nil {
		return view{}, err
	}
	h, ok := panel.HorizonIndex(q.Months)
	if !ok {
		return view{}, &InvalidValue{"horizon_years", "want 1 to 10 in steps of 0.25"}
	}
	if !slices.Contains(ModelTypes, q.Model) {
		return view{}, &InvalidValue{"model_type", "want lgbm, xgb or ensemble"}
	}
	v := view{state: state, h: h, values: state.Row.Values}
	if len(q.Features) > 0 {
		if v.values, err = override(v.values, q.Features); err != nil {
			return view{}, err
		}
	}
	v.windows = float64(state.Months) / float64(q.Months)
	v.evidence = EvidenceOf(v.windows)
	rate, _ := Center(state.Asset.Kind, v.values, q.Months)
	v.core = Normal{Mean: rate * float64(q.Months) / 12, SD: Spread(state.Asset.Kind, v.values, state.Errors[h], q.Months)}
	if math.IsNaN(v.core.Mean) || math.IsNaN(v.core.SD) {
		return view{}, fmt.Errorf("%w for %s over %d months: a figure that it needs is missing", ErrNoRow, state.Asset.ID, q.Months)
	}
	v.served, v.used = v.core, rate
	if state.Asset.HasIncome() || state.Asset.Kind == series.Banknote || v.evidence == Sufficient {
		v.lnSpread, v.learned = f.lnSpread(&v, q.Model, q.Months)
		v.served.SD *= math.Exp(v.lnSpread)
		return v, nil
	}
	if v.evidence == Thin {
		v.served.Mean, v.served.SD, v.used = v.core.Mean/2, v.core.SD*1.25, rate/2
	} else {
		v.served.Mean, v.served.SD, v.used = 0, v.core.SD*1.5, 0
	}
	return v, nil
}

// boosters returns those that answer for a model type: the one named, or, for
// the ensemble, those that earned weight.
func (f *Forecaster) boosters(m ModelType) []*Booster {
	var out []*Booster
	if f.LGBM != nil && (m == LGBM || m == Ensemble && f.Weights.LGBM > 0) {
		out = append(out, f.LGBM)
	}
	if f.XGB != nil && (m == XGB || m == Ensemble && f.Weights.XGB > 0) {
		out = append(out, f.XGB)
	}
	return out
}

// lnSpread is the logarithm of what the boosters make of the core's spread; ok
// is false if there are none.
func (f *Forecaster) lnSpread(v *view, m ModelType, months int) (ln float64, ok bool) {
	boosters := f.boosters(m)
	if len(boosters) == 0 {
		return 0, false
	}
	var row SpreadRow
	row.Fill(v.state.Asset.Kind, v.values, v.core, months)
	for _, b := range boosters {
		ln += b.LnSpread(&row) / float64(len(boosters))
	}
	return ln, true
}

// Probabilities are the class probabilities of a distribution of ln M.
func Probabilities(n Normal, tiers power.Tiers) score.Probs {
	var p score.Probs
	above := 1.0
	for i, bound := range tiers {
		below := n.CDF(math.Log(bound))
		p[i] = max(0, above-below)
		above = below
	}
	p[len(tiers)] = above
	return p
}

// Calibrate applies a temperature to class probabilities.
func (c Calibration) Calibrate(p score.Probs) score.Probs {
	if c.Temperature == 1 || c.Temperature == 0 {
		return p
	}
	return score.ApplyTemperature(p, c.Temperature)
}

// loss is the calibrated probability of loss of a distribution.
func (f *Forecaster) loss(n Normal) float64 {
	return 1 - f.Calibration.Calibrate(Probabilities(n, f.Tiers))[0]
}

// Classify returns the calibrated class probabilities of a question.
func (f *Forecaster) Classify(q Question) (score.Probs, error) {
	v, err := f.resolve(q)
	if err != nil {
		return score.Probs{}, err
	}
	return f.Calibration.Calibrate(Probabilities(v.served, f.Tiers)), nil
}
