package panel

import "fmt"

// A Family groups features for explanations.
type Family string

// A Feature is one column of the panel.
type Feature struct {
	// Name is [a-z0-9_]+ and stable: models refer to it.
	Name   string
	Family Family
	Unit   string
	Help   string
}

// The columns. "log/yr" is a yearly rate as a logarithm; r is the monthly log
// real total return; everything ends at the last month whose price index was
// known.
const (
	HistoryMonths = iota
	MeanReturn
	MedianReturn
	SDLong
	SD36
	Inflation12
	Inflation120
	InflationChange
	Inflation36
	InflationSD
	BillRate
	BillRate120
	RealBill
	FundsChange
	TreasuryYield
	RealYield
	TermSpread
	Slope
	LnCAPE
	DividendYield
	PriceToMedian
	M2Growth
	RealM2Growth
	ProductionGrowth
	UnemploymentChange
	UnemploymentAboveLow
	Return12
	Return36
	Return60
	Return120
	Excess12
	Excess60
	Basket12
	Basket60
	Eggs12
	Milk12
	Bread12
	Gasoline12
	Vol12
	Vol36
	VolRatio
	Downside36
	Drawdown
	UnderWater
	WorstDrawdown
	TrendDistance
	Momentum
	PriceToMean10
	InflationBeta
	CorrEquities
	CorrGold
	MonthlyAverage
	NumFeatures
)

var features = [NumFeatures]Feature{
	HistoryMonths:        {"history_months", "history", "months", "monthly real returns from the asset's first figure on"},
	MeanReturn:           {"mean_return", "history", "log/yr", "mean of r over the whole known history"},
	MedianReturn:         {"median_return", "history", "log/yr", "median over assets with more than 60 months of their mean returns"},
	SDLong:               {"sd_long", "history", "log/sqrt(yr)", "standard deviation of r over the whole known history"},
	SD36:                 {"sd_36m", "history", "log/sqrt(yr)", "standard deviation of r over the last 36 months"},
	Inflation12:          {"inflation_12m", "inflation", "log/yr", "consumer price inflation over 12 months"},
	Inflation120:         {"inflation_10y", "inflation", "log/yr", "consumer price inflation over 120 months"},
	InflationChange:      {"inflation_change_12m", "inflation", "log/yr", "inflation_12m minus its value 12 months before"},
	Inflation36:          {"inflation_36m", "inflation", "log/yr", "mean of 12-month inflation over 36 months"},
	InflationSD:          {"inflation_sd_5y", "inflation", "log/yr", "standard deviation of 12-month inflation over 60 months"},
	BillRate:             {"bill_rate", "policy", "log/yr", "3-month Treasury bill rate, ln(1+rate)"},
	BillRate120:          {"bill_rate_10y", "policy", "log/yr", "mean of bill_rate over 120 months"},
	RealBill:             {"real_bill", "policy", "log/yr", "bill_rate minus inflation_12m"},
	FundsChange:          {"fed_funds_change_12m", "policy", "pp", "change of the federal funds rate over 12 months"},
	TreasuryYield:        {"treasury_yield", "term", "log/yr", "10-year Treasury yield, ln(1+yield)"},
	RealYield:            {"real_yield", "term", "log/yr", "treasury_yield minus inflation_12m"},
	TermSpread:           {"term_spread", "term", "log/yr", "treasury_yield minus bill_rate"},
	Slope:                {"slope_10y_2y", "term", "pp", "10-year minus 2-year Treasury yield"},
	LnCAPE:               {"ln_cape", "valuation", "log", "S&P 500 real price over mean real earnings of 120 months"},
	DividendYield:        {"dividend_yield", "valuation", "ratio", "S&P 500 trailing dividends, lagged, over price (equity only)"},
	PriceToMedian:        {"price_to_median", "valuation", "log", "real price over its expanding median (price-only assets)"},
	M2Growth:             {"m2_12m", "money", "log/yr", "growth of M2 over 12 months"},
	RealM2Growth:         {"real_m2_12m", "money", "log/yr", "m2_12m minus inflation over the same months"},
	ProductionGrowth:     {"production_12m", "activity", "log/yr", "growth of industrial production over 12 months"},
	UnemploymentChange:   {"unemployment_change_12m", "activity", "pp", "change of the unemployment rate over 12 months"},
	UnemploymentAboveLow: {"unemployment_above_low", "activity", "pp", "unemployment rate minus its lowest of 36 months"},
	Return12:             {"return_12m", "trailing return", "log/yr", "real total return over 12 months"},
	Return36:             {"return_36m", "trailing return", "log/yr", "real total return over 36 months"},
	Return60:             {"return_60m", "trailing return", "log/yr", "real total return over 60 months"},
	Return120:            {"return_120m", "trailing return", "log/yr", "real total return over 120 months"},
	Excess12:             {"excess_12m", "trailing return", "log", "return over 12 months minus that of bills"},
	Excess60:             {"excess_60m", "trailing return", "log", "return over 60 months minus that of bills"},
	Basket12:             {"basket_12m", "goods", "log", "change over 12 months of the baskets of goods a holding buys"},
	Basket60:             {"basket_60m", "goods", "log", "change over 60 months of the baskets of goods a holding buys"},
	Eggs12:               {"eggs_12m", "goods", "log", "change over 12 months of the eggs a holding buys"},
	Milk12:               {"milk_12m", "goods", "log", "change over 12 months of the milk a holding buys"},
	Bread12:              {"bread_12m", "goods", "log", "change over 12 months of the bread a holding buys"},
	Gasoline12:           {"gasoline_12m", "goods", "log", "change over 12 months of the gasoline a holding buys"},
	Vol12:                {"vol_12m", "volatility", "log/sqrt(yr)", "standard deviation of r over 12 months, monthly averages scaled by sqrt(3/2)"},
	Vol36:                {"vol_36m", "volatility", "log/sqrt(yr)", "standard deviation of r over 36 months, monthly averages scaled by sqrt(3/2)"},
	VolRatio:             {"vol_ratio", "volatility", "ratio", "standard deviation of r over 12 months over that of 120"},
	Downside36:           {"downside_36m", "volatility", "log/sqrt(yr)", "root mean square of negative r over 36 months"},
	Drawdown:             {"drawdown", "drawdown", "ratio", "real index over its highest of 120 months, minus 1"},
	UnderWater:           {"months_under_water", "drawdown", "months", "months since that highest"},
	WorstDrawdown:        {"worst_drawdown", "drawdown", "ratio", "deepest drawdown of 120 months"},
	TrendDistance:        {"trend_distance", "trend", "sd", "residual of the log real index on a line through its whole past"},
	Momentum:             {"momentum_12_1", "trend", "log", "real return from 12 months ago to 1 month ago"},
	PriceToMean10:        {"price_to_mean_10m", "trend", "log", "real index over its mean of 10 months"},
	InflationBeta:        {"inflation_beta", "dependence", "ratio", "slope of 12-month returns on changes of inflation over 120 months, shrunk"},
	CorrEquities:         {"corr_equities", "dependence", "ratio", "correlation of r with equities over 60 months"},
	CorrGold:             {"corr_gold", "dependence", "ratio", "correlation of r with gold over 60 months"},
	MonthlyAverage:       {"monthly_average", "descriptor", "0 or 1", "whether the price is an average of the month"},
}

// Features lists the columns in the order of Row.Values.
func Features() []Feature { return features[:] }

// FeatureIndex returns the column of a name.
func FeatureIndex(name string) (int, error) {
	for i, f := range features {
		if f.Name == name {
			return i, nil
		}
	}
	return 0, fmt.Errorf("unknown feature %q", name)
}
