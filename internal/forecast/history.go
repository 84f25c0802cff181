package forecast

import (
	"math"

	"github.com/pppq/pppq/internal/series"
)

// A Good is something whose price everyone knows.
type Good struct {
	Series string
	Name   string
	Unit   string
	Prices series.View
}

// Goods are the goods of every answer, without prices.
func Goods() []Good {
	return []Good{
		{Series: "EGGS", Name: "eggs", Unit: "dozen"},
		{Series: "MILK", Name: "milk", Unit: "gallons"},
		{Series: "BREAD", Name: "bread", Unit: "one-pound loaves"},
		{Series: "GASOLINE", Name: "gasoline", Unit: "gallons"},
	}
}

// An AssetHistory is an asset's nominal and real total-return index, 100 at its
// first month; NaN is missing.
type AssetHistory struct {
	ID            string
	Nominal, Real series.View
}

// A History holds what charts and comparisons are drawn from.
type History struct {
	CPI    series.View
	Goods  []Good
	Assets []AssetHistory
}

// Asset returns an asset's history; the id must be exact.
func (h *History) Asset(id string) (AssetHistory, bool) {
	for _, a := range h.Assets {
		if a.ID == id {
			return a, true
		}
	}
	return AssetHistory{}, false
}

// Compare says how much of each good 100 $ in the asset buys at month now, and
// what the same holding bought one and five years before. A count whose price
// or index is missing is left out; nothing stands in for it.
func (h *History) Compare(id string, now series.Month) []GoodsLine {
	asset, ok := h.Asset(id)
	if !ok {
		return nil
	}
	var lines []GoodsLine
	for _, g := range h.Goods {
		line := GoodsLine{Good: g.Name, Unit: g.Unit}
		at := newestBoth(asset.Nominal, g.Prices, now)
		line.Now = count(asset.Nominal, g.Prices, at, at)
		line.YearAgo = count(asset.Nominal, g.Prices, at, at-12)
		line.FiveYearsAgo = count(asset.Nominal, g.Prices, at, at-60)
		lines = append(lines, line)
	}
	return lines
}

// newestBoth is the newest month up to now, at most a year back, with a price
// and an index; now if there is none.
func newestBoth(index, price series.View, now series.Month) series.Month {
	for m := now; m > now-12; m-- {
		if !math.IsNaN(index.At(m)) && !math.IsNaN(price.At(m)) {
			return m
		}
	}
	return now
}

// count is what the holding that is worth 100 $ at month base bought at month m.
func count(index, price series.View, base, m series.Month) *GoodsCount {
	units := 100 * index.At(m) / index.At(base) / price.At(m)
	if math.IsNaN(units) || math.IsInf(units, 0) {
		return nil
	}
	return &GoodsCount{Units: units, Month: m}
}
