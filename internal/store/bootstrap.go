package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/pppq/pppq/internal/atomicfile"
	"github.com/pppq/pppq/internal/series"
)

// Bootstrapped says what Bootstrap did.
type Bootstrapped struct {
	// Created series were not in the folder before.
	Created int `json:"created"`
	// Added months and Revised figures went into series that were.
	Added   int `json:"added"`
	Revised int `json:"revised"`
	// Changed describes each of those series.
	Changed []Merged `json:"changed,omitempty"`
}

// Bootstrap brings the program's reference figures into the folder. An empty
// folder gets them as they are. In a folder that holds the series already,
//
//   - a month after the last or before the first held one is added, known from
//     the day the reference says;
//   - a month between held ones is added, known from now on: what came out after
//     it was known without it;
//   - a figure that no vintage of its month has is a revision, known from now on;
//   - a figure that some vintage has is passed over, so that a figure which the
//     user replaced stays replaced.
//
// Lines that stand in the folder are not changed. Catalogue entries of reference
// series follow the program. Nothing is written if nothing is new, so a current
// folder may be read-only. The caller holds Lock if the folder can be written.
func (s *Store) Bootstrap(ctx context.Context, reference *series.Set, now time.Time) (Bootstrapped, error) {
	var result Bootstrapped
	before, err := s.catalogue()
	if err != nil {
		return result, err
	}
	type pending struct {
		id, old string
		obs     []series.Observation
	}
	var writes []pending
	infos := slices.Clone(before)
	for _, id := range reference.IDs() {
		if err := ctx.Err(); err != nil {
			return result, err
		}
		ref, err := reference.Get(id)
		if err != nil {
			return result, err
		}
		if infos, err = adopt(infos, ref.Info); err != nil {
			return result, fmt.Errorf("data folder %s: %w", s.dir, err)
		}
		held, err := s.readSeries(ref.Info)
		if errors.Is(err, fs.ErrNotExist) {
			result.Created++
			writes = append(writes, pending{id: id, obs: slices.Clone(ref.Observations())})
			continue
		}
		if err != nil {
			return result, err
		}
		added, merged, err := merge(held, ref.Info, newest(ref), mergeRules{now: now, gapsAreLate: true, keepSuperseded: true})
		if err != nil {
			return result, fmt.Errorf("%s: %w", seriesPath(s, id), err)
		}
		if len(added) > 0 {
			result.Added += merged.Added
			result.Revised += len(merged.Revised)
			result.Changed = append(result.Changed, merged)
			writes = append(writes, pending{id: id, old: held.text, obs: added})
		}
	}
	newCatalogue := !slices.Equal(before, infos)
	if newCatalogue || len(writes) > 0 {
		if err := s.prepare(); err != nil {
			return result, err
		}
	}
	for _, w := range writes {
		if err := ctx.Err(); err != nil {
			return result, err
		}
		if err := s.writeSeries(w.id, w.old, w.obs); err != nil {
			return result, err
		}
	}
	if newCatalogue {
		if err := s.writeCatalogue(infos); err != nil {
			return result, err
		}
	}
	set, _, err := s.Load(ctx)
	if err != nil {
		return result, err
	}
	return result, s.refreshConsolidated(set)
}

// prepare makes the folders and clears them of what killed writers left.
func (s *Store) prepare() error {
	if err := s.makeDirs(); err != nil {
		return err
	}
	for _, dir := range []string{s.dir, s.path("series")} {
		if err := atomicfile.Clean(dir); err != nil {
			return fmt.Errorf("data folder %s: %w", s.dir, err)
		}
	}
	return nil
}

// adopt puts the program's entry of a series into the catalogue.
func adopt(infos []series.Info, info series.Info) ([]series.Info, error) {
	i, found := slices.BinarySearchFunc(infos, info.ID, func(i series.Info, id string) int {
		return strings.Compare(i.ID, id)
	})
	if !found {
		return slices.Insert(infos, i, info), nil
	}
	switch held := infos[i]; {
	case held.Licence == LicenceOwn:
		return nil, fmt.Errorf("%s is a series of your own and now also one of the program's: "+
			"export it, remove its asset with \"pppq dataset remove\", and import it under another id", info.ID)
	case held.Sampling != info.Sampling:
		return nil, fmt.Errorf("%s holds figures of sampling %q, the program's are %q, and the two don't mix: "+
			"move %s.csv out of the folder and start again", info.ID, held.Sampling, info.Sampling, info.ID)
	}
	infos[i] = info
	return infos, nil
}

// newest returns the newest vintage of each month, oldest month first.
func newest(s *series.Series) []series.Observation {
	last := make([]series.Observation, s.Last()-s.First()+1)
	for _, o := range s.Observations() {
		last[o.Period-s.First()] = o
	}
	return slices.DeleteFunc(last, func(o series.Observation) bool { return o == series.Observation{} })
}
