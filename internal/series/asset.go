package series

import (
	"fmt"
	"strings"
	"time"
)

// Kind says how an asset's total return is made from its series and what it
// yields today.
type Kind string

const (
	// Equity: a price and dividends; earnings give its yield.
	Equity Kind = "equity"
	// Bond: a constant-maturity par yield, bought and sold each month.
	Bond Kind = "bond"
	// Bill: a discount rate, rolled over each month.
	Bill Kind = "bill"
	// Banknote: nominal value constant, no series.
	Banknote Kind = "banknote"
	// Commodity: a price without income.
	Commodity Kind = "commodity"
	// Coin: a price without income and without a long record.
	Coin Kind = "coin"
	// Custom: a user's own price, with income if a file gives it.
	Custom Kind = "custom"
)

// Kinds are the accepted values.
var Kinds = []Kind{Equity, Bond, Bill, Banknote, Commodity, Coin, Custom}

// An Asset is something that purchasing power can be put into.
type Asset struct {
	// ID is matched without case; CheckAssetID says what it may hold.
	ID    string
	Title string
	Kind  Kind
	// Unit of the thing itself, as "troy ounce"; empty where nobody holds one of it.
	Unit string
	// Price is the id of the price, yield or rate; empty for Banknote.
	Price string
	// Income is the id of what a unit pays: trailing twelve-month sums for
	// Equity, the month's own payment for Custom; empty for none.
	Income string
	// Earnings is the id of trailing earnings (Equity).
	Earnings string
	// First is the month of the first index figure that is used.
	First Month
	// Fee is what holding costs a year, as a share of the holding; a user sets it.
	Fee float64
}

// HasIncome reports whether the asset pays or yields anything. What does not is
// "price only": nothing but a change of price can keep its purchasing power.
func (a Asset) HasIncome() bool {
	switch a.Kind {
	case Equity, Bond, Bill:
		return true
	case Custom:
		return a.Income != ""
	}
	return false
}

// BuiltinAssets are the nine assets made from the reference figures. The first
// months are those of the published tables; earlier figures of SP500 and the
// price index feed valuation and inflation means only.
func BuiltinAssets() []Asset {
	at := func(year int, month time.Month) Month { return Of(year, month) }
	return []Asset{
		{ID: "SP500", Title: "US stocks (S&P 500, dividends reinvested)", Kind: Equity, Price: "SP500", Income: "SP500_DIVIDEND", Earnings: "SP500_EARNINGS", First: at(1926, time.January)},
		{ID: "Treasury10", Title: "US Treasury bonds, 10 years, rolled", Kind: Bond, Price: "GS10", First: at(1953, time.April)},
		{ID: "Bills", Title: "US Treasury bills, 3 months, rolled", Kind: Bill, Price: "TB3MS", First: at(1934, time.January)},
		{ID: "Banknotes", Title: "US dollar banknotes", Kind: Banknote, Unit: "dollar", First: at(1934, time.January)},
		{ID: "Gold", Title: "Gold", Kind: Commodity, Unit: "troy ounce", Price: "GOLD", First: at(1971, time.August)},
		{ID: "Silver", Title: "Silver", Kind: Commodity, Unit: "troy ounce", Price: "SILVER", First: at(1970, time.January)},
		{ID: "Copper", Title: "Copper", Kind: Commodity, Unit: "metric ton", Price: "COPPER", First: at(1970, time.January)},
		{ID: "Oil", Title: "Crude oil (WTI)", Kind: Commodity, Unit: "barrel", Price: "OIL", First: at(1986, time.January)},
		{ID: "Bitcoin", Title: "Bitcoin", Kind: Coin, Unit: "bitcoin", Price: "BTC", First: at(2010, time.July)},
	}
}

// CheckAssetID reports whether id may name an asset: [A-Za-z][A-Za-z0-9_]{0,31},
// so that its capitals name its series and file.
func CheckAssetID(id string) error {
	if len(id) > 32 || CheckID(strings.ToUpper(id)) != nil {
		return fmt.Errorf("asset id %q: want letters, digits and underscores, a letter first, at most 32", id)
	}
	return nil
}
