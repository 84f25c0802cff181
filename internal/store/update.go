package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pppq/pppq/internal/atomicfile"
	"github.com/pppq/pppq/internal/series"
)

var (
	// ErrSampling is wrapped by the refusal to mix month ends and averages.
	ErrSampling = errors.New("month ends and averages don't mix in one series")
	// ErrUnknownAsset is wrapped by errors about an asset that is not the user's.
	ErrUnknownAsset = errors.New("unknown asset")
)

// An Update is figures to add, and an asset of the user's to make or change.
type Update struct {
	Series []SeriesUpdate
	// Asset is nil if only known series get figures. Its series must be held or
	// stand in Series.
	Asset *series.Asset
	Now   time.Time
	// DryRun reports what would be done and writes nothing.
	DryRun bool
}

// A SeriesUpdate is figures for one series.
type SeriesUpdate struct {
	// Info describes a new series. For one that is held its ID and Sampling must
	// agree with the catalogue; if it is the user's own, the rest replaces the entry.
	Info series.Info
	// Figures have one entry a month, KnownFrom being the day from which the
	// figure of a month never seen counts as known. RetrievedAt is set by Apply.
	Figures []series.Observation
}

// Apply adds figures and reports on each series in turn. Months never seen are
// known from the day given, revisions from the day of u.Now; a month between held
// ones is known from the day given in a series of the user's own, whose history
// is taken as known when it happened, and from u.Now in any other, since its
// publisher left it out. The folder must hold figures already.
func (s *Store) Apply(ctx context.Context, u Update) ([]Merged, error) {
	set, assets, err := s.Load(ctx)
	if err != nil {
		return nil, err
	}
	before, err := s.catalogue()
	if err != nil {
		return nil, err
	}
	infos := slices.Clone(before)
	own := slices.DeleteFunc(assets, func(a series.Asset) bool { return IsBuiltin(a.ID) })
	var results []Merged
	var writes []func() error
	for _, su := range u.Series {
		held, err := s.heldFor(su.Info, infos, own)
		if err != nil {
			return nil, err
		}
		info := su.Info
		if entry, ok := findInfo(infos, info.ID); ok && info.Licence != LicenceOwn {
			info = entry
		}
		added, merged, err := merge(held, info, su.Figures, mergeRules{now: u.Now, gapsAreLate: info.Licence != LicenceOwn})
		if err != nil {
			return nil, err
		}
		results = append(results, merged)
		infos = slices.DeleteFunc(infos, func(i series.Info) bool { return i.ID == info.ID })
		infos = append(infos, info)
		old := ""
		if held != nil {
			old = held.text
		} else {
			stamp(added, u.Now)
		}
		if len(added) > 0 {
			writes = append(writes, func() error { return s.writeSeries(info.ID, old, added) })
		}
	}
	if u.Asset != nil {
		if _, err := checkAsset(*u.Asset); err != nil {
			return nil, err
		}
		for _, id := range []string{u.Asset.Price, u.Asset.Income} {
			if _, err := set.Get(id); err != nil && id != "" && !slices.ContainsFunc(u.Series, func(su SeriesUpdate) bool { return su.Info.ID == id }) {
				return nil, fmt.Errorf("asset %s: %w", u.Asset.ID, err)
			}
		}
		own = slices.DeleteFunc(own, func(a series.Asset) bool { return strings.EqualFold(a.ID, u.Asset.ID) })
		own = append(own, *u.Asset)
	}
	if u.DryRun {
		return results, nil
	}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	slices.SortFunc(infos, func(a, b series.Info) int { return strings.Compare(a.ID, b.ID) })
	if !slices.Equal(before, infos) {
		writes = append(writes, func() error { return s.writeCatalogue(infos) })
	}
	if u.Asset != nil {
		writes = append(writes, func() error { return s.writeAssets(own) })
	}
	for _, write := range writes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := write(); err != nil {
			return nil, err
		}
	}
	return results, s.rebuildConsolidated(ctx)
}

// heldFor returns the file of the series that info adds to, nil if it is new. A
// series of the user's own that no asset uses was left by an interrupted import
// or removal and counts as new.
func (s *Store) heldFor(info series.Info, infos []series.Info, own []series.Asset) (*seriesFile, error) {
	if _, err := series.ParseInfo(info.Record()); err != nil {
		return nil, fmt.Errorf("series %s: %w", info.ID, err)
	}
	if reservedID(info.ID) {
		return nil, fmt.Errorf("series %s: the name is taken by the system, choose another id", info.ID)
	}
	entry, ok := findInfo(infos, info.ID)
	if !ok || entry.Licence == LicenceOwn && !used(own, info.ID) {
		return nil, nil
	}
	if (entry.Licence == LicenceOwn) != (info.Licence == LicenceOwn) {
		return nil, fmt.Errorf("series %s is held already as %q: choose another id", info.ID, entry.Title)
	}
	if entry.Sampling != info.Sampling {
		return nil, fmt.Errorf("series %s holds figures of sampling %q, these are %q: %w", info.ID, entry.Sampling, info.Sampling, ErrSampling)
	}
	return s.readSeries(entry)
}

// used reports whether one of the assets is made from the series.
func used(assets []series.Asset, id string) bool {
	return slices.ContainsFunc(assets, func(a series.Asset) bool { return a.Price == id || a.Income == id })
}

// stamp notes when figures of a new series were written down.
func stamp(obs []series.Observation, now time.Time) {
	for i := range obs {
		obs[i].RetrievedAt = now.UTC().Truncate(time.Second)
	}
}

// RemoveAsset removes one of the user's own assets, without case, and those of
// its series that no other asset uses; it returns their ids. Built-in assets are
// refused; the error wraps ErrUnknownAsset if there is none of the name. On a full
// disk the wide table makes room, and is made anew by the next writer.
func (s *Store) RemoveAsset(ctx context.Context, id string) ([]string, error) {
	if IsBuiltin(id) {
		return nil, fmt.Errorf("asset %s is built in and can't be removed", id)
	}
	set, assets, err := s.Load(ctx)
	if err != nil {
		return nil, err
	}
	infos, err := s.catalogue()
	if err != nil {
		return nil, err
	}
	candidates := []string{SeriesID(id), IncomeID(id)}
	asset, found := FindAsset(assets, id)
	if found {
		candidates = []string{asset.Price, asset.Income}
	}
	rest := slices.DeleteFunc(assets, func(a series.Asset) bool { return IsBuiltin(a.ID) || a.ID == asset.ID })
	var remove []string
	for _, id := range candidates {
		if held, err := set.Get(id); err == nil && held.Licence == LicenceOwn && !used(rest, id) {
			remove = append(remove, id)
		}
	}
	if !found && len(remove) == 0 {
		return nil, fmt.Errorf("%w %s: it is not one of your own", ErrUnknownAsset, id)
	}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	err = s.writeAssets(rest)
	if atomicfile.Full(err) {
		if err = s.dropConsolidated(); err == nil {
			err = s.writeAssets(rest)
		}
	}
	if err != nil {
		return nil, err
	}
	infos = slices.DeleteFunc(infos, func(i series.Info) bool { return slices.Contains(remove, i.ID) })
	if err := s.writeCatalogue(infos); err != nil {
		return nil, err
	}
	for _, id := range remove {
		if err := s.removeSeries(id); err != nil {
			return nil, err
		}
	}
	if err = s.rebuildConsolidated(ctx); atomicfile.Full(err) {
		err = s.dropConsolidated()
	}
	return remove, err
}
