package client

// A Question asks for a forecast. Horizons are 1 to 10 years in steps of 0.25.
type Question struct {
	// Asset is an id, without case.
	Asset        string  `json:"asset"`
	HorizonYears float64 `json:"horizon_years"`
	// ModelType is "lgbm", "xgb" or "ensemble"; empty is the ensemble.
	ModelType string `json:"model_type,omitempty"`
	// Features replaces figures by name; the answer is then hypothetical.
	Features map[string]float64 `json:"features,omitempty"`
	// Explain adds contributions; nil is true unless Features is given.
	Explain *bool `json:"explain,omitempty"`
}

// A Forecast is the answer to a Question. Shares and probabilities go from 0 to
// 1, multiples are of purchasing power (1 is exactly kept), annual returns are
// real and 0.01 is 1 % a year.
type Forecast struct {
	Asset            string         `json:"asset"`
	Title            string         `json:"title"`
	HorizonYears     float64        `json:"horizon_years"`
	ModelType        string         `json:"model_type"`
	PredictedClass   string         `json:"predicted_class"`
	Confidence       float64        `json:"confidence"`
	Probabilities    Classes        `json:"probability_breakdown"`
	ProbabilityLoss  float64        `json:"probability_of_loss"`
	Multiple         Range          `json:"multiple"`
	AnnualReturn     Range          `json:"annual_real_return"`
	Buys             Range          `json:"buys"`
	BaseRate         BaseRate       `json:"base_rate"`
	EffectiveWindows float64        `json:"effective_windows"`
	Evidence         string         `json:"evidence"`
	Core             Account        `json:"core"`
	Contributions    []Contribution `json:"contributions"`
	Goods            []GoodsLine    `json:"real_commodity_comparison"`
	Strengths        []string       `json:"strengths"`
	Weaknesses       []string       `json:"weaknesses"`
	Notes            []string       `json:"notes"`
	DataAsOf         string         `json:"data_as_of"`
	Stale            bool           `json:"stale"`
	Hypothetical     bool           `json:"hypothetical"`
	ModelVersion     string         `json:"model_version"`
	Reference        *Reference     `json:"reference_score"`
	Sources          []string       `json:"sources"`
	NotCovered       string         `json:"not_covered"`
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

// A BaseRate is how often each class came true in the asset's own past.
type BaseRate struct {
	Classes
	Windows float64 `json:"windows"`
	From    string  `json:"from"`
	To      string  `json:"to"`
}

// An Account explains the centre: yearly rates that add up.
type Account struct {
	Center        float64 `json:"center"`
	CenterUsed    float64 `json:"center_used"`
	Parts         []Part  `json:"parts"`
	Spread        float64 `json:"spread"`
	SpreadUsed    float64 `json:"spread_used"`
	LossCore      float64 `json:"probability_of_loss_core"`
	BoosterWeight float64 `json:"booster_weight"`
}

// A Part is one line of an Account.
type Part struct {
	Name string  `json:"name"`
	Rate float64 `json:"rate"`
}

// A Contribution is what one family of features did to the spread, and through
// it to the probability of loss.
type Contribution struct {
	Family   string  `json:"family"`
	LnSpread float64 `json:"ln_spread"`
	Loss     float64 `json:"probability_of_loss"`
}

// A GoodsLine says how much of a good 100 $ buys; what is not known is nil.
type GoodsLine struct {
	Good         string      `json:"good"`
	Unit         string      `json:"unit"`
	Now          *GoodsCount `json:"now"`
	YearAgo      *GoodsCount `json:"one_year_ago"`
	FiveYearsAgo *GoodsCount `json:"five_years_ago"`
}

// A GoodsCount is a number of units and the month of the prices.
type GoodsCount struct {
	Units float64 `json:"units"`
	Month string  `json:"month"`
}

// A Reference is how forecasts of this kind scored in the walk-forward test.
type Reference struct {
	HorizonYears float64 `json:"horizon_years"`
	RPS          float64 `json:"rps"`
	Baseline     string  `json:"baseline"`
	Skill        float64 `json:"skill"`
	Low          float64 `json:"low"`
	High         float64 `json:"high"`
	Blocks       int     `json:"blocks"`
	// Assets are the skills asset by asset, in a Model; Own is that of a Forecast's asset.
	Assets []AssetSkill `json:"assets"`
	Own    *AssetSkill  `json:"own"`
}

// An AssetSkill is the skill for one asset over its own best climatology. Where
// Difference is set, a ratio says nothing, and Skill, Low and High are
// differences of the ranked probability score.
type AssetSkill struct {
	Asset      string  `json:"asset"`
	Skill      float64 `json:"skill"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Difference bool    `json:"difference"`
}

// A BatchLine is the answer to one question of a batch, or why there is none.
type BatchLine struct {
	Index    int       `json:"index"`
	Forecast *Forecast `json:"forecast"`
	Problem  *Problem  `json:"problem"`
}

// A Ranked asset; rank 1 is the best.
type Ranked struct {
	Rank     int      `json:"rank"`
	Forecast Forecast `json:"forecast"`
}

// An Asset is something that can be forecast.
type Asset struct {
	ID        string   `json:"id"`
	Title     string   `json:"title"`
	Kind      string   `json:"kind"`
	Unit      string   `json:"unit"`
	HasIncome bool     `json:"has_income"`
	Fee       float64  `json:"fee"`
	From      string   `json:"from"`
	To        string   `json:"to"`
	Months    int      `json:"months"`
	Sources   []string `json:"sources"`
	Evidence  []struct {
		HorizonYears float64 `json:"horizon_years"`
		// Windows are past ones of that length that do not overlap.
		Windows  float64 `json:"windows"`
		Evidence string  `json:"evidence"`
	} `json:"evidence"`
}

// A Model is the version in service, without the full report of its test.
type Model struct {
	Version  string   `json:"version"`
	Created  string   `json:"created"`
	Program  string   `json:"program"`
	Baseline bool     `json:"baseline"`
	DataFrom string   `json:"data_from"`
	DataAsOf string   `json:"data_as_of"`
	Stale    bool     `json:"stale"`
	DataHash string   `json:"data_hash"`
	Assets   []string `json:"assets"`
	// References are the scores of each model type, by horizon.
	References map[string][]Reference `json:"reference_scores"`
	Metrics    struct {
		Rung     string  `json:"rung"`
		RPSSkill float64 `json:"rps_skill"`
		Accuracy float64 `json:"accuracy"`
		F1       float64 `json:"f1"`
	} `json:"metrics"`
}

// Health says whether a service can answer.
type Health struct {
	// Status is "healthy" or "unhealthy".
	Status  string `json:"status"`
	Version string `json:"version"`
	Reason  string `json:"reason"`
	Model   string `json:"model"`
	Data    *struct {
		AsOf  string `json:"as_of"`
		Stale bool   `json:"stale"`
	} `json:"data"`
}

// A HistoryRow is one month of an asset; nil is a missing figure.
type HistoryRow struct {
	Month      string   `json:"month"`
	Nominal    *float64 `json:"nominal"`
	Real       *float64 `json:"real"`
	Drawdown   *float64 `json:"real_drawdown"`
	UnderWater int      `json:"months_under_water"`
}
