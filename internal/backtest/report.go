package backtest

import (
	"fmt"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/series"
)

// A Report is everything that one walk-forward test found. Scores of a rung and
// of what it is compared with are always over the same rows.
type Report struct {
	// From and To are the first and last origin month tested.
	From series.Month `json:"from"`
	To   series.Month `json:"to"`
	// DataAsOf is the newest month whose price index was known.
	DataAsOf series.Month `json:"data_as_of"`
	Seed     uint64       `json:"seed"`
	// Method names the rules of the forecast; two reports with the same one differ
	// in figures alone.
	Method string `json:"method"`
	// VaultOpen says that the newest VaultMonths origins of each horizon are in.
	VaultOpen bool     `json:"vault_open"`
	Assets    []string `json:"assets"`
	// Rungs describes what was tried, from dull to clever.
	Rungs    []RungInfo      `json:"rungs"`
	Horizons []HorizonReport `json:"horizons"`
	// Pooled compares rungs over all horizons together, each horizon with equal
	// weight: the skill that earns weight.
	Pooled []Skill `json:"pooled"`
	// DeepLosses is the reliability of the probabilities of losing a tenth and more,
	// and three tenths and more; that of any loss stands with the horizon. Coverage
	// is that of the intervals by group of assets and by inflation. Reports made
	// before these were measured have neither.
	DeepLosses []DeepLoss      `json:"deep_losses,omitempty"`
	Coverage   []CoverageScore `json:"coverage,omitempty"`
	// Drift is how far the newest DriftMonths of what the boosters read are from
	// what came before; absent from reports made before it was measured.
	Drift []Drift `json:"drift,omitempty"`
	// Weights and Calibration are what the served forecast takes from this test.
	Weights     forecast.Weights     `json:"weights"`
	Calibration forecast.Calibration `json:"calibration"`
	// Alarms name results that are too good to be true; a release with one is
	// held.
	Alarms []Alarm `json:"alarms"`
	// Paths are the forecasts of loss through time, for pictures.
	Paths []Path `json:"paths"`
}

// A RungInfo names one kind of forecast.
type RungInfo struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	// Below is the rung it has to beat.
	Below string `json:"below,omitempty"`
	// Served says that the rung is part of what is served.
	Served bool `json:"served"`
}

// A HorizonReport holds all scores at one horizon.
type HorizonReport struct {
	Months int `json:"months"`
	// Origins is the number of origin months, Rows of asset months.
	Origins int `json:"origins"`
	Rows    int `json:"rows"`
	// Last is the newest origin whose outcome is known.
	Last series.Month `json:"last"`
	// EffectiveCases is Rows / Months: windows that do not overlap, over assets.
	EffectiveCases float64 `json:"effective_cases"`
	// BestClimatology is the best of the climatologies at this horizon, the
	// reference of Skill.
	BestClimatology string      `json:"best_climatology"`
	Rungs           []RungScore `json:"rungs"`
	// Groups are the scores by asset and by group of assets.
	Groups []GroupScore `json:"groups"`
	// LikelyClass is the accuracy of the partially pooled climatology's most
	// likely class.
	LikelyClass float64 `json:"likely_class_accuracy"`
	// NonOverlapping is the mean skill of the ensemble over start offsets of
	// windows that do not overlap.
	NonOverlapping float64    `json:"non_overlapping_skill"`
	Eras           []EraScore `json:"eras"`
	// Reliability of P(loss) of the served rung.
	Reliability []ReliabilityBin `json:"reliability"`
}

// A RungScore is how one rung did at one horizon.
type RungScore struct {
	Rung    string  `json:"rung"`
	RPS     float64 `json:"rps"`
	LogLoss float64 `json:"log_loss"`
	// Floored is how many probabilities of what happened were under the floor of
	// the log loss.
	Floored int `json:"floored"`
	// CRPS of ln M; absent for rungs that give classes only.
	CRPS  *float64 `json:"crps,omitempty"`
	Brier float64  `json:"brier"`
	// BrierLoss and AUC are of P(loss).
	BrierLoss float64 `json:"brier_loss"`
	// AUC is absent where all or none lost; Kappa, Intercept and Slope likewise
	// where they are not defined.
	AUC      *float64 `json:"auc,omitempty"`
	Accuracy float64  `json:"accuracy"`
	// AccuracyMedian is of the class that minimises the expected RPS.
	AccuracyMedian float64  `json:"accuracy_median"`
	BalancedAcc    float64  `json:"balanced_accuracy"`
	MacroF1        float64  `json:"macro_f1"`
	Kappa          *float64 `json:"kappa,omitempty"`
	// MaxProb is the largest class probability given to a price-only asset or stocks.
	MaxProb float64 `json:"max_probability"`
	// Coverage of the 50, 80 and 95 % intervals of ln M, the mean width and the
	// interval score of the 80 % one; absent for rungs that give classes only.
	Coverage      *[3]float64 `json:"coverage,omitempty"`
	Width80       *float64    `json:"width_80,omitempty"`
	IntervalScore *float64    `json:"interval_score_80,omitempty"`
	// ECE of P(loss) with the value expected of a perfect forecast, and the
	// logistic recalibration (intercept 0 and slope 1 are perfect).
	ECE         float64  `json:"ece"`
	ECEExpected *float64 `json:"ece_expected,omitempty"`
	Intercept   *float64 `json:"intercept,omitempty"`
	Slope       *float64 `json:"slope,omitempty"`
	// AbsentClasses never came true; they count 0 in MacroF1.
	AbsentClasses []string `json:"absent_classes,omitempty"`
	// Skill is against the best climatology, OverBelow against the rung below,
	// OverCore against the carry core.
	Skill     Skill  `json:"skill"`
	OverBelow *Skill `json:"over_below,omitempty"`
	OverCore  *Skill `json:"over_core,omitempty"`
}

// A Skill is 1 - score/reference with its 90 % block-bootstrap interval.
type Skill struct {
	Rung      string  `json:"rung,omitempty"`
	Reference string  `json:"reference"`
	Value     float64 `json:"value"`
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	// Blocks is the number of blocks that fit into the months; under 5 the
	// interval is itself unreliable.
	Blocks int `json:"blocks"`
	// Difference is set where the reference is so small that a ratio says
	// nothing: Value, Low and High are then reference - score.
	Difference bool `json:"difference,omitempty"`
	// P is the two-sided p-value of the Diebold-Mariano test; absent where the
	// horizon is too long for it.
	P *float64 `json:"dm_p,omitempty"`
}

// A GroupScore compares a rung with the group's own best climatology.
type GroupScore struct {
	// Group is an asset's id, or "yielding", "stocks", "metals and oil", "coin".
	Group   string  `json:"group"`
	Asset   bool    `json:"asset"`
	Rung    string  `json:"rung"`
	Rows    int     `json:"rows"`
	Windows float64 `json:"windows"`
	RPS     float64 `json:"rps"`
	// Climatology is the RPS of each asset's own best climatology.
	Climatology float64 `json:"climatology_rps"`
	Skill       Skill   `json:"skill"`
	Coverage80  float64 `json:"coverage_80"`
}

// An EraScore is a rung's skill against the best climatology in one era.
type EraScore struct {
	From  series.Month `json:"from"`
	To    series.Month `json:"to"`
	Rung  string       `json:"rung"`
	Skill float64      `json:"skill"`
}

// A ReliabilityBin compares forecast and seen frequency of loss.
type ReliabilityBin struct {
	Forecast float64 `json:"forecast"`
	Seen     float64 `json:"seen"`
	Rows     int     `json:"rows"`
}

// A DeepLoss says how well P(M < Below) of one rung, the core or the ensemble,
// kept its word at one horizon; figures are as in RungScore.
type DeepLoss struct {
	Months int     `json:"months"`
	Below  float64 `json:"below"`
	Rung   string  `json:"rung"`
	// Seen is the share of outcomes below.
	Seen        float64          `json:"seen"`
	ECE         float64          `json:"ece"`
	ECEExpected float64          `json:"ece_expected"`
	Intercept   *float64         `json:"intercept,omitempty"`
	Slope       *float64         `json:"slope,omitempty"`
	Bins        []ReliabilityBin `json:"bins"`
}

// A CoverageScore measures the intervals of one rung, the core or the ensemble,
// at one horizon over some of the rows.
type CoverageScore struct {
	Months int `json:"months"`
	// By is "assets", and Name a group as in GroupScore, or "inflation", and Name a
	// range of consumer price inflation over the 12 months known at the origin.
	By      string  `json:"by"`
	Name    string  `json:"name"`
	Rung    string  `json:"rung"`
	Rows    int     `json:"rows"`
	Windows float64 `json:"windows"`
	// Coverage is of the 50, 80 and 95 % intervals; Low80 and High80 bound that of
	// the 80 % one, a 90 % block-bootstrap interval over so many blocks.
	Coverage [3]float64 `json:"coverage"`
	Low80    float64    `json:"coverage_80_low"`
	High80   float64    `json:"coverage_80_high"`
	Blocks   int        `json:"blocks"`
	// Width80 is the mean width of the 80 % interval of ln M.
	Width80         float64 `json:"width_80"`
	IntervalScore80 float64 `json:"interval_score_80"`
}

// A Drift holds a feature's newest months against its past.
type Drift struct {
	// Asset is empty where the feature is the same for several.
	Asset    string         `json:"asset,omitempty"`
	Feature  string         `json:"feature"`
	Readings []DriftReading `json:"readings,omitempty"`
}

// A DriftReading is one measure of drift: "psi" (population stability index),
// "ks" (Kolmogorov-Smirnov) or "wasserstein" (in standard deviations). P95 and P99
// are percentiles of the same measure over all past windows of the length; State
// is "none", above P95 "warn" and above P99 "raised".
type DriftReading struct {
	Measure string  `json:"measure"`
	Value   float64 `json:"value"`
	P95     float64 `json:"p95"`
	P99     float64 `json:"p99"`
	State   string  `json:"state"`
}

// An Alarm is a result past the level at which one looks for a leak first.
type Alarm struct {
	What  string  `json:"what"`
	Value float64 `json:"value"`
	// Level is what Value lies above, or below if Below is set.
	Level float64 `json:"level"`
	Below bool    `json:"below,omitempty"`
}

// String says what was found and what it should not pass.
func (a Alarm) String() string {
	side := "above"
	if a.Below {
		side = "below"
	}
	return fmt.Sprintf("%s is %.3f, %s %.3f", a.What, a.Value, side, a.Level)
}

// A Path is the forecast probability of loss of one asset and horizon at each
// origin, and what happened.
type Path struct {
	Asset  string       `json:"asset"`
	Months int          `json:"months"`
	From   series.Month `json:"from"`
	// Loss is P(loss) in thousandths, -1 where there was no forecast; Outcome is
	// 1 for a loss, 0 for none, -1 where it is not known yet or in the vault.
	Loss    []int16 `json:"loss"`
	Outcome []int8  `json:"outcome"`
	// RPS of the forecast, -1 where Outcome is.
	RPS []float64 `json:"rps"`
}

// Rung returns the scores of the rung of that name; all zero if there is none.
func (h *HorizonReport) Rung(name string) RungScore {
	for _, s := range h.Rungs {
		if s.Rung == name {
			return s
		}
	}
	return RungScore{}
}

// years writes a horizon of whole years.
func years(months int) string {
	if months == 12 {
		return "1 year"
	}
	return fmt.Sprintf("%d years", months/12)
}
