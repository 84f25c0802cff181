package store

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/pppq/pppq/internal/csvfile"
	"github.com/pppq/pppq/internal/series"
)

// MaxFee bounds an asset's yearly fee, a share of the holding.
const MaxFee = 0.2

// assetsHeader names the columns of the file of the user's own assets.
var assetsHeader = []string{"id", "title", "kind", "unit", "price", "income", "fee"}

// SeriesID returns the id of the price series of a user's own asset.
func SeriesID(asset string) string { return strings.ToUpper(asset) }

// IncomeID returns the id of the income series of a user's own asset.
func IncomeID(asset string) string { return strings.ToUpper(asset) + "_INCOME" }

// FindAsset returns the asset whose id is id without case.
func FindAsset(assets []series.Asset, id string) (series.Asset, bool) {
	i := slices.IndexFunc(assets, func(a series.Asset) bool { return strings.EqualFold(a.ID, id) })
	if i < 0 {
		return series.Asset{}, false
	}
	return assets[i], true
}

// IsBuiltin reports whether id names one of the program's assets, without case.
func IsBuiltin(id string) bool {
	_, ok := FindAsset(series.BuiltinAssets(), id)
	return ok
}

// ownAssets reads the user's assets, each from its first price on, ordered by
// id; none if there is no file. Their series must be in the set.
func (s *Store) ownAssets(set *series.Set) ([]series.Asset, error) {
	path := s.path("assets.csv")
	text, err := csvfile.Load(path, path, limits)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseAssets(text, set)
}

func parseAssets(text *csvfile.Text, set *series.Set) ([]series.Asset, error) {
	if err := text.Terminated(); err != nil {
		return nil, err
	}
	rows := text.Rows(',')
	if err := readHeader(rows, assetsHeader); err != nil {
		return nil, err
	}
	var assets []series.Asset
	for rows.Next() {
		a, err := parseAsset(rows, set)
		if err != nil {
			return nil, err
		}
		if other, ok := FindAsset(assets, a.ID); ok {
			return nil, rows.Fault(0, fmt.Errorf("asset %s is also given as %s", a.ID, other.ID))
		}
		assets = append(assets, a)
	}
	slices.SortFunc(assets, func(a, b series.Asset) int { return strings.Compare(a.ID, b.ID) })
	return assets, rows.Err()
}

func parseAsset(rows *csvfile.Rows, set *series.Set) (series.Asset, error) {
	fields := rows.Fields()
	if len(fields) != len(assetsHeader) {
		return series.Asset{}, rows.Fault(-1, fmt.Errorf("%d fields, want %d", len(fields), len(assetsHeader)))
	}
	a := series.Asset{
		ID: fields[0], Title: fields[1], Kind: series.Kind(fields[2]), Unit: fields[3], Price: fields[4], Income: fields[5],
	}
	var err error
	if a.Fee, err = strconv.ParseFloat(fields[6], 64); err != nil {
		return a, rows.Fault(6, fmt.Errorf("fee %q is not a number", fields[6]))
	}
	if field, err := checkAsset(a); err != nil {
		return a, rows.Fault(field, err)
	}
	price, err := set.Get(a.Price)
	if err != nil {
		return a, rows.Fault(4, err)
	}
	a.First = price.First()
	if a.Income != "" {
		if _, err := set.Get(a.Income); err != nil {
			return a, rows.Fault(5, err)
		}
	}
	return a, nil
}

// checkAsset reports what is wrong with a user's own asset and in which column.
func checkAsset(a series.Asset) (field int, err error) {
	if err := series.CheckAssetID(a.ID); err != nil {
		return 0, err
	}
	if IsBuiltin(a.ID) {
		return 0, fmt.Errorf("asset %s is built in", a.ID)
	}
	if err := series.CheckText(a.Title); err != nil {
		return 1, fmt.Errorf("title: %w", err)
	}
	if a.Kind != series.Custom {
		return 2, fmt.Errorf("kind %q, want %s", a.Kind, series.Custom)
	}
	if a.Unit != "" {
		if err := series.CheckText(a.Unit); err != nil {
			return 3, fmt.Errorf("unit: %w", err)
		}
	}
	if !(a.Fee >= 0 && a.Fee <= MaxFee) {
		return 6, fmt.Errorf("fee %v, want a share of the holding a year from 0 to %v", a.Fee, MaxFee)
	}
	return 0, nil
}

// writeAssets replaces the file of the user's assets.
func (s *Store) writeAssets(assets []series.Asset) error {
	slices.SortFunc(assets, func(a, b series.Asset) int { return strings.Compare(a.ID, b.ID) })
	records := [][]string{assetsHeader}
	for _, a := range assets {
		records = append(records, []string{a.ID, a.Title, string(a.Kind), a.Unit, a.Price, a.Income, formatValue(a.Fee)})
	}
	return writeTable(s.path("assets.csv"), records)
}

// ParseFee reads a yearly fee as a share ("0.004") or in percent ("0.4%" or
// "0.4 %") and returns the share.
func ParseFee(s string) (float64, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(s), "%")
	v, err := parseValue(strings.TrimSpace(number))
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= MaxFee) {
		return 0, fmt.Errorf("fee %q: want a yearly share of the holding, as 0.4%% or 0.004, at most %g%%", s, 100*MaxFee)
	}
	return v, nil
}
