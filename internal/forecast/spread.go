package forecast

import (
	"fmt"
	"math"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/series"
)

// spreadPanel are the panel's columns that the spread boosters read.
var spreadPanel = [...]int{
	panel.Return12, panel.Return36, panel.Return60, panel.Return120,
	panel.Vol12, panel.Vol36, panel.VolRatio, panel.Downside36,
	panel.Drawdown, panel.TrendDistance, panel.PriceToMean10,
	panel.Inflation12, panel.InflationChange, panel.BillRate, panel.TreasuryYield, panel.TermSpread, panel.RealBill,
	panel.LnCAPE, panel.UnemploymentChange, panel.M2Growth,
}

// spreadOwn are the columns that come from the core and the question.
var spreadOwn = [...]panel.Feature{
	{Name: "core_mean", Family: "core", Unit: "log", Help: "the core's centre of ln M over the horizon"},
	{Name: "core_sd", Family: "core", Unit: "log", Help: "the core's standard deviation of ln M over the horizon"},
	{Name: "core_mean_over_sd", Family: "core", Unit: "sd", Help: "core_mean / core_sd"},
	{Name: "horizon_years", Family: "horizon", Unit: "yr", Help: "the horizon"},
	{Name: "is_yielding", Family: "asset group", Unit: "0 or 1", Help: "bills, Treasury bonds, banknotes"},
	{Name: "is_equity", Family: "asset group", Unit: "0 or 1", Help: "stocks"},
	{Name: "is_price_only", Family: "asset group", Unit: "0 or 1", Help: "metals, oil, coins, and a user's own without income"},
}

// NumSpread is the number of columns that the boosters read.
const NumSpread = len(spreadPanel) + len(spreadOwn)

// Places of the core's columns in a SpreadRow.
const (
	SpreadCoreMean = len(spreadPanel) + iota
	SpreadCoreSD
)

// SpreadPanel are the places of the panel's features that the boosters read.
func SpreadPanel() []int { return spreadPanel[:] }

// SpreadFeatures describes the boosters' columns in order.
func SpreadFeatures() []panel.Feature {
	out := make([]panel.Feature, 0, NumSpread)
	for _, i := range spreadPanel {
		out = append(out, panel.Features()[i])
	}
	return append(out, spreadOwn[:]...)
}

// A SpreadRow is one input of the boosters.
type SpreadRow [NumSpread]float64

// Fill sets the row from an asset's features and the core's forecast.
func (r *SpreadRow) Fill(kind series.Kind, f []float64, core Normal, months int) {
	for k, i := range spreadPanel {
		r[k] = f[i]
	}
	flag := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	copy(r[len(spreadPanel):], []float64{
		core.Mean, core.SD, core.Mean / core.SD, float64(months) / 12,
		flag(yields(kind)), flag(kind == series.Equity), flag(!yields(kind) && kind != series.Equity),
	})
}

// dampen is how much of what the boosters say of the variance is used: the
// standard deviation is multiplied by v^(1/4), half of its logarithm.
const dampen = 0.25

// A Booster forecasts how far off the core will be: the ratio v of the squared
// error expected to the average one.
type Booster struct {
	Model *gbdt.Model
	// MeanTarget is the weighted mean of the target in training.
	MeanTarget float64
	predictor  *gbdt.Predictor
}

// NewBooster prepares a model whose raw score is ln of the squared scaled error.
func NewBooster(m *gbdt.Model, meanTarget float64) (*Booster, error) {
	p, err := gbdt.NewPredictor(m, gbdt.PredictOptions{})
	if err != nil {
		return nil, err
	}
	switch {
	case p.NumFeatures() != NumSpread || p.NumRaw() != 1:
		return nil, fmt.Errorf("spread booster: %d features and %d outputs, want %d and 1", p.NumFeatures(), p.NumRaw(), NumSpread)
	case !(meanTarget > 0) || math.IsInf(meanTarget, 0):
		return nil, fmt.Errorf("spread booster: mean target %v, want a number above 0", meanTarget)
	}
	return &Booster{Model: m, MeanTarget: meanTarget, predictor: p}, nil
}

// LnSpread is what the booster adds to the logarithm of the core's standard
// deviation.
func (b *Booster) LnSpread(row *SpreadRow) float64 {
	var raw [1]float64
	if err := b.predictor.Raw(raw[:], row[:]); err != nil {
		panic("forecast: booster of another shape: " + err.Error()) // NewBooster checked it
	}
	return dampen * (raw[0] - math.Log(b.MeanTarget))
}
