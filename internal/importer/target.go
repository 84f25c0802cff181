package importer

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/pppq/pppq/internal/series"
	"github.com/pppq/pppq/internal/source"
	"github.com/pppq/pppq/internal/store"
)

// A target is what a file is for.
type target struct {
	// price is the entry of the series that gets the figures, as it will be.
	price series.Info
	// income is set if there is an income file.
	income *series.Info
	// asset is the user's own, nil if a series of the program's is extended.
	asset *series.Asset
	// names may head the column of values.
	names []string
}

// findTarget decides what the file is for: the series or the asset asked for,
// else the one whose id a column of the header bears, else the file's name.
func findTarget(set *series.Set, assets []series.Asset, file *source.CSV, o Options) (target, error) {
	refuse := func(format string, args ...any) (target, error) { return target{}, usage(format, args...) }
	if o.ID != "" {
		return ownTarget(set, assets, o)
	}
	name := o.Series
	if name == "" {
		var found []string
		for _, c := range file.Columns() {
			if _, ok := match(set, assets, c); ok {
				found = append(found, c)
			}
		}
		base := filepath.Base(file.Name())
		base = strings.TrimSuffix(base, filepath.Ext(base))
		if _, ok := match(set, assets, base); ok && len(found) == 0 {
			found = []string{base}
		}
		switch len(found) {
		case 0:
			return refuse("what is %s for? Say --series ID to extend a series, or --id ID --title TITLE for an asset of your own; known are %s",
				file.Name(), known(set, assets))
		case 1:
			name = found[0]
		default:
			return refuse("%s has figures of %s: say which with --series ID", file.Name(), strings.Join(found, ", "))
		}
	}
	m, ok := match(set, assets, name)
	if !ok {
		return refuse("unknown series %q; known are %s", name, known(set, assets))
	}
	if m.asset != nil {
		o.ID = m.asset.ID
		return ownTarget(set, assets, o)
	}
	switch {
	case o.IncomeFile != "":
		return refuse("--income goes with an asset of your own (--id)")
	case o.Title != "" || o.Unit != "" || o.Fee != nil:
		return refuse("--title, --unit and --fee go with an asset of your own (--id)")
	}
	if err := checkSampling(o.Sampling, m.info); err != nil {
		return target{}, err
	}
	return target{price: m.info, names: []string{m.info.ID, name}}, nil
}

// A matched name is a series of the program's, or an asset of the user's own.
type matched struct {
	info  series.Info
	asset *series.Asset
}

// match finds what a name stands for, without case: one of the user's assets, a
// series, or a built-in asset for its price.
func match(set *series.Set, assets []series.Asset, name string) (matched, bool) {
	asset, isAsset := store.FindAsset(assets, name)
	if isAsset && !store.IsBuiltin(asset.ID) {
		return matched{asset: &asset}, true
	}
	id := strings.ToUpper(name)
	if _, err := set.Get(id); err != nil && isAsset {
		id = asset.Price
	}
	s, err := set.Get(id)
	if err != nil || s.Licence == store.LicenceOwn {
		return matched{}, false
	}
	return matched{info: s.Info}, true
}

// checkSampling refuses to mix.
func checkSampling(asked series.Sampling, info series.Info) error {
	if asked != "" && asked != info.Sampling {
		return fmt.Errorf("series %s holds figures of sampling %q, asked for are %q: %w", info.ID, info.Sampling, asked, store.ErrSampling)
	}
	return nil
}

// ownTarget describes the user's own asset o.ID, new or held.
func ownTarget(set *series.Set, assets []series.Asset, o Options) (target, error) {
	asset, held := store.FindAsset(assets, o.ID)
	if !held {
		asset = series.Asset{ID: o.ID, Title: o.ID, Kind: series.Custom, Price: store.SeriesID(o.ID)}
	}
	if o.Title != "" {
		asset.Title = o.Title
	}
	if o.Unit != "" {
		asset.Unit = o.Unit
	}
	if o.Fee != nil {
		asset.Fee = *o.Fee
	}
	if o.IncomeFile != "" && asset.Income == "" {
		asset.Income = store.IncomeID(asset.ID)
	}
	for _, other := range assets {
		for _, id := range []string{asset.Price, asset.Income} {
			if id != "" && !strings.EqualFold(other.ID, asset.ID) && (id == other.Price || id == other.Income) {
				return target{}, usage("asset %s would share the series %s with %s: choose another --id", asset.ID, id, other.ID)
			}
		}
	}
	t := target{asset: &asset, names: []string{asset.Price, asset.ID}}
	var err error
	if t.price, err = ownInfo(set, held, asset.Price, series.Info{
		Title: asset.Title, Unit: unitOf(asset), Sampling: series.End, Role: series.RoleAsset,
	}, o.Sampling); err != nil {
		return target{}, err
	}
	if o.IncomeFile == "" {
		return t, nil
	}
	income, err := ownInfo(set, held, asset.Income, series.Info{
		Title: cut(asset.Title + ", income"), Unit: unitOf(asset), Sampling: series.Whole, Role: series.RoleIncome,
	}, "")
	t.income = &income
	return t, err
}

// ownInfo completes the entry of one of the user's series. A held one keeps its
// sampling; an id that one of the program's series bears is refused.
func ownInfo(set *series.Set, held bool, id string, info series.Info, asked series.Sampling) (series.Info, error) {
	info.ID, info.Frequency = id, series.Monthly
	info.Source, info.Licence = "file of the user's", store.LicenceOwn
	s, err := set.Get(id)
	switch {
	case err == nil && s.Licence != store.LicenceOwn:
		return info, usage("%s is a series of the program's: extend it with --series %s, or choose another --id", id, id)
	case err == nil && held:
		info.Sampling = s.Sampling
		return info, checkSampling(asked, info)
	case asked != "":
		info.Sampling = asked
	}
	return info, nil
}

// unitOf is the unit of an own asset's figures.
func unitOf(a series.Asset) string {
	if a.Unit == "" {
		return "$"
	}
	return cut("$ per " + a.Unit)
}

// cut keeps a made-up text within what a catalogue takes.
func cut(s string) string {
	if len(s) > 300 {
		return strings.ToValidUTF8(s[:300], "")
	}
	return s
}
