package bundle

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
)

// maxAssets bounds the assets of a bundle.
const maxAssets = 256

// coreFile is core.json: what the carry core knows of each asset, and the
// figures behind it.
type coreFile struct {
	Tiers  power.Tiers `json:"tiers"`
	Data   Data        `json:"data"`
	Assets []coreAsset `json:"assets"`
}

// coreAsset is an AssetState without its newest row, which stands in latest.csv.
type coreAsset struct {
	ID       string        `json:"id"`
	Title    string        `json:"title"`
	Kind     series.Kind   `json:"kind"`
	Unit     string        `json:"unit"`
	Price    string        `json:"price"`
	Income   string        `json:"income"`
	Earnings string        `json:"earnings"`
	First    series.Month  `json:"first"`
	Fee      float64       `json:"fee"`
	Months   int           `json:"months"`
	BaseFrom series.Month  `json:"base_from"`
	Sources  []string      `json:"sources"`
	Horizons []coreHorizon `json:"horizons"`
}

// coreHorizon holds the rule's own past errors and the counts of past windows
// by class, A to D, at one horizon.
type coreHorizon struct {
	Months  int     `json:"months"`
	RMS     float64 `json:"rms"`
	Origins int     `json:"origins"`
	A       float64 `json:"A"`
	B       float64 `json:"B"`
	C       float64 `json:"C"`
	D       float64 `json:"D"`
}

func (h *coreHorizon) base() forecast.Counts { return forecast.Counts{h.A, h.B, h.C, h.D} }

func newCoreFile(f *forecast.Forecaster, data Data) coreFile {
	c := coreFile{Tiers: f.Tiers, Data: data}
	for _, s := range f.Assets {
		a := coreAsset{
			ID: s.Asset.ID, Title: s.Asset.Title, Kind: s.Asset.Kind, Unit: s.Asset.Unit, Price: s.Asset.Price,
			Income: s.Asset.Income, Earnings: s.Asset.Earnings, First: s.Asset.First, Fee: s.Asset.Fee,
			Months: s.Months, BaseFrom: s.BaseFrom, Sources: s.Sources,
		}
		for h := range panel.NumHorizons {
			n := s.Base[h]
			a.Horizons = append(a.Horizons, coreHorizon{panel.Horizon(h), s.Errors[h].RMS, s.Errors[h].Origins, n[0], n[1], n[2], n[3]})
		}
		c.Assets = append(c.Assets, a)
	}
	return c
}

// parseCore reads core.json and checks every value.
func parseCore(b []byte) (*coreFile, error) {
	c := new(coreFile)
	if err := decodeJSON(b, c); err != nil {
		return nil, err
	}
	return c, c.check()
}

func (c *coreFile) check() error {
	above := math.Inf(1)
	for _, t := range c.Tiers {
		if !(t > 0 && t < above) {
			return fmt.Errorf("tiers: want numbers above 0 that descend, got %v", c.Tiers)
		}
		above = t
	}
	if len(c.Assets) == 0 || len(c.Assets) > maxAssets {
		return fmt.Errorf("assets: %d, want 1 to %d", len(c.Assets), maxAssets)
	}
	seen := map[string]bool{}
	for i := range c.Assets {
		a := &c.Assets[i]
		if err := series.CheckAssetID(a.ID); err != nil {
			return err
		}
		if low := strings.ToLower(a.ID); seen[low] {
			return fmt.Errorf("asset %s is there twice", a.ID)
		} else {
			seen[low] = true
		}
		if err := a.check(); err != nil {
			return fmt.Errorf("asset %s: %w", a.ID, err)
		}
	}
	return nil
}

func (a *coreAsset) check() error {
	switch {
	case !slices.Contains(series.Kinds, a.Kind):
		return fmt.Errorf("unknown kind %q", short(string(a.Kind)))
	case a.First == 0:
		return errors.New("no first month")
	case !(a.Fee >= 0 && a.Fee < 1):
		return fmt.Errorf("fee %v, want a share from 0 to 1", a.Fee)
	case a.Months < 1 || a.Months > series.MaxMonths:
		return fmt.Errorf("%d months, want 1 to %d", a.Months, series.MaxMonths)
	case len(a.Horizons) != panel.NumHorizons:
		return fmt.Errorf("%d horizons, want %d", len(a.Horizons), panel.NumHorizons)
	}
	for i, h := range a.Horizons {
		if h.Months != panel.Horizon(i) {
			return fmt.Errorf("horizon %d is %d months, want %d", i+1, h.Months, panel.Horizon(i))
		}
		if !(h.RMS >= 0) || math.IsInf(h.RMS, 1) || h.Origins < 0 || h.Origins > series.MaxMonths {
			return fmt.Errorf("%d months: rms %v of %d origins", h.Months, h.RMS, h.Origins)
		}
		for _, n := range h.base() {
			if !(n >= 0 && n <= series.MaxMonths) {
				return fmt.Errorf("%d months: %v past windows", h.Months, n)
			}
		}
	}
	return nil
}

// states joins the assets with their newest rows.
func (c *coreFile) states(rows []latestRow) ([]forecast.AssetState, error) {
	if len(rows) != len(c.Assets) {
		return nil, fmt.Errorf("%d rows, %s has %d assets", len(rows), coreName, len(c.Assets))
	}
	states := make([]forecast.AssetState, len(rows))
	for i, a := range c.Assets {
		if rows[i].asset != a.ID {
			return nil, fmt.Errorf("row %d is of %s, %s has %s there", i+1, rows[i].asset, coreName, a.ID)
		}
		s := &states[i]
		*s = forecast.AssetState{
			Asset: series.Asset{
				ID: a.ID, Title: a.Title, Kind: a.Kind, Unit: a.Unit, Price: a.Price,
				Income: a.Income, Earnings: a.Earnings, First: a.First, Fee: a.Fee,
			},
			Row: rows[i].row, Months: a.Months, BaseFrom: a.BaseFrom, Sources: a.Sources,
		}
		for h, at := range a.Horizons {
			s.Errors[h] = forecast.Errors{RMS: at.RMS, Origins: at.Origins}
			s.Base[h] = at.base()
		}
	}
	return states, nil
}
