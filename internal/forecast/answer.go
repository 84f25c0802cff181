package forecast

import (
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/series"
)

// ModelType chooses whose spread an answer uses.
type ModelType string

const (
	// LGBM is the carry core with the spread of the leaf-wise booster.
	LGBM ModelType = "lgbm"
	// XGB is the carry core with the spread of the depth-wise booster.
	XGB ModelType = "xgb"
	// Ensemble averages the logarithms of both spreads.
	Ensemble ModelType = "ensemble"
)

// ModelTypes are the accepted values.
var ModelTypes = []ModelType{LGBM, XGB, Ensemble}

// A Question asks for one forecast.
type Question struct {
	// Asset is matched without case.
	Asset string
	// Months is the horizon: 12 to 120 in steps of 3.
	Months int
	Model  ModelType
	// Features replaces figures by name (panel.Features, ShortNames); the answer
	// is then hypothetical.
	Features map[string]float64
	// Explain adds contributions.
	Explain bool
}

// Evidence grades how many independent cases stand behind an answer.
type Evidence string

const (
	Sufficient   Evidence = "sufficient"
	Thin         Evidence = "thin"
	Insufficient Evidence = "insufficient"
)

// EvidenceOf grades a number of windows that do not overlap.
func EvidenceOf(windows float64) Evidence {
	switch {
	case windows >= 5:
		return Sufficient
	case windows >= 2:
		return Thin
	}
	return Insufficient
}

// An Answer is everything that is said to one Question. Shares and probabilities
// go from 0 to 1, multiples are of purchasing power (1 is exactly kept), annual
// returns are real and 0.01 is 1 % a year.
type Answer struct {
	Asset           string    `json:"asset"`
	Title           string    `json:"title"`
	HorizonYears    float64   `json:"horizon_years"`
	ModelType       ModelType `json:"model_type"`
	PredictedClass  string    `json:"predicted_class"`
	Confidence      float64   `json:"confidence"`
	Probabilities   Classes   `json:"probability_breakdown"`
	ProbabilityLoss float64   `json:"probability_of_loss"`
	Multiple        Range     `json:"multiple"`
	AnnualReturn    Range     `json:"annual_real_return"`
	// Buys is what the purchasing power of 100 $ then buys, in today's dollars.
	Buys             Range    `json:"buys"`
	BaseRate         BaseRate `json:"base_rate"`
	EffectiveWindows float64  `json:"effective_windows"`
	Evidence         Evidence `json:"evidence"`
	// Core is the account of the centre: yearly rates that add up.
	Core Account `json:"core"`
	// Contributions say what moved the spread, by feature family; absent unless
	// asked for.
	Contributions []Contribution `json:"contributions,omitempty"`
	Goods         []GoodsLine    `json:"real_commodity_comparison"`
	Strengths     []string       `json:"strengths"`
	Weaknesses    []string       `json:"weaknesses"`
	Notes         []string       `json:"notes"`
	// DataAsOf is the newest month whose figures the answer uses.
	DataAsOf     series.Month `json:"data_as_of"`
	Stale        bool         `json:"stale"`
	Hypothetical bool         `json:"hypothetical"`
	ModelVersion string       `json:"model_version"`
	Reference    *Reference   `json:"reference_score,omitempty"`
	Sources      []string     `json:"sources"`
	NotCovered   string       `json:"not_covered"`
}

// Classes are the four probabilities; they sum to 1.
type Classes struct {
	A float64 `json:"A_PRESERVER"`
	B float64 `json:"B_PARTIAL"`
	C float64 `json:"C_ERODER"`
	D float64 `json:"D_DESTROYER"`
}

// A Range is a median with the bounds of its 80 % interval.
type Range struct {
	Median float64 `json:"median"`
	P10    float64 `json:"p10"`
	P90    float64 `json:"p90"`
}

// A BaseRate is how often each class came true over this horizon in the asset's
// own past.
type BaseRate struct {
	Classes
	// Windows is how many past windows there are that do not overlap.
	Windows float64      `json:"windows"`
	From    series.Month `json:"from"`
	To      series.Month `json:"to"`
}

// An Account explains the centre and the spread of the core.
type Account struct {
	// Center is the yearly real log return expected; Parts add up to it.
	// CenterUsed is what the rule for thin evidence leaves of it.
	Center     float64 `json:"center"`
	CenterUsed float64 `json:"center_used"`
	Parts      []Part  `json:"parts"`
	// Spread is the standard deviation of ln M before the boosters, SpreadUsed
	// after them and the rule for thin evidence.
	Spread     float64 `json:"spread"`
	SpreadUsed float64 `json:"spread_used"`
	// LossCore is P(loss) by the core alone, calibrated as the answer is.
	LossCore float64 `json:"probability_of_loss_core"`
	// Booster says how the spread was learned: the weight it earned.
	BoosterWeight float64 `json:"booster_weight"`
}

// Cut says what the rule for thin evidence did to the centre, and by how much a
// year; empty if nothing.
func (a *Answer) Cut() (words string, rate float64) {
	switch c := a.Core; {
	case c.CenterUsed == c.Center:
		return "", 0
	case a.Evidence == Insufficient:
		return "set to nothing: no evidence", c.CenterUsed - c.Center
	case a.Evidence == Thin:
		return "halved: thin evidence", c.CenterUsed - c.Center
	}
	return "", 0
}

// A Contribution is what one family of features did to the spread, and through
// it to the probability of loss. Over all families, and the entry "average
// case", they add up to the difference between the core alone and the answer.
type Contribution struct {
	Family panel.Family `json:"family"`
	// LnSpread is the change of the logarithm of the standard deviation.
	LnSpread float64 `json:"ln_spread"`
	// Loss is the change of P(loss).
	Loss float64 `json:"probability_of_loss"`
}

// A GoodsLine says how much of a good 100 $ in the asset buys today, and what
// the same holding bought before.
type GoodsLine struct {
	Good string `json:"good"`
	Unit string `json:"unit"`
	// Now, YearAgo and FiveYearsAgo are absent where a price is.
	Now          *GoodsCount `json:"now,omitempty"`
	YearAgo      *GoodsCount `json:"one_year_ago,omitempty"`
	FiveYearsAgo *GoodsCount `json:"five_years_ago,omitempty"`
}

// A GoodsCount is a number of units and the month of the prices.
type GoodsCount struct {
	Units float64      `json:"units"`
	Month series.Month `json:"month"`
}

// A Reference is how the served kind of forecast scored in the walk-forward
// test, at the tested horizon nearest to the question's.
type Reference struct {
	HorizonYears float64 `json:"horizon_years"`
	// RPS is the mean ranked probability score (0 is perfect).
	RPS      float64 `json:"rps"`
	Baseline string  `json:"baseline"`
	// Skill is 1 - RPS/RPS of the baseline, with its 90 % interval.
	Skill  float64 `json:"skill"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	Blocks int     `json:"blocks"`
	// Assets are the skills asset by asset; an Answer has its own one in Own.
	Assets []OwnSkill `json:"assets,omitempty"`
	Own    *OwnSkill  `json:"own,omitempty"`
}

// An OwnSkill is the skill for one asset over its own best climatology.
type OwnSkill struct {
	Asset string  `json:"asset"`
	Skill float64 `json:"skill"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	// Difference is set where the climatology's RPS is so small that a ratio says
	// nothing: Skill, Low and High are then differences of RPS.
	Difference bool `json:"difference,omitempty"`
}
