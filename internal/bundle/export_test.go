package bundle

import (
	"errors"
	"slices"

	"github.com/pppq/pppq/internal/forecast"
)

// What the tests in package bundle_test see beyond the exported names.

var (
	EncodeJSON = encodeJSON
	DecodeJSON = decodeJSON
)

// Assemble makes a bundle of files in memory; m must list them.
func Assemble(m *Manifest, all map[string][]byte) (*Bundle, error) {
	b, r := assemble(m, all, goldenTolerance)
	if r != nil {
		return nil, r
	}
	return b, nil
}

// Again reads a file and writes what was read.
var Again = map[string]func([]byte) ([]byte, error){
	manifestName: func(b []byte) ([]byte, error) {
		m, err := parseManifest(b, "1.2.3")
		if err != nil {
			return nil, err
		}
		return m.encode()
	},
	latestName: func(b []byte) ([]byte, error) {
		rows, err := parseLatest(b)
		if err != nil {
			return nil, err
		}
		var states []forecast.AssetState
		for _, r := range rows {
			s := forecast.AssetState{Row: r.row}
			s.Asset.ID = r.asset
			states = append(states, s)
		}
		return encodeLatest(states)
	},
	historyName: func(b []byte) ([]byte, error) {
		h, err := parseHistory(b)
		if err != nil {
			return nil, err
		}
		if err := checkHistory(h); err != nil {
			panic(err)
		}
		return encodeHistory(h)
	},
	coreName: func(b []byte) ([]byte, error) {
		c, err := parseCore(b)
		if err != nil {
			return nil, err
		}
		return encodeJSON(c)
	},
	calibrationName: func(b []byte) ([]byte, error) {
		c, err := parseCalibration(b, false)
		if err != nil {
			return nil, err
		}
		return encodeJSON(c)
	},
	goldenName: func(b []byte) ([]byte, error) {
		var g goldenFile
		if err := decodeJSON(b, &g); err != nil {
			return nil, err
		}
		return encodeJSON(g)
	},
	featuresName: func(b []byte) ([]byte, error) {
		if err := checkFeatures(b); err != nil {
			return nil, err
		}
		return encodeJSON(programFeatures())
	},
}

// Join puts rows and core together as a load does.
func Join(core, latest []byte) error {
	c, err := parseCore(core)
	if err != nil {
		return err
	}
	rows, err := parseLatest(latest)
	if err != nil {
		return err
	}
	states, err := c.states(rows)
	if err == nil && !slices.EqualFunc(states, c.Assets, func(s forecast.AssetState, a coreAsset) bool { return s.Asset.ID == a.ID }) {
		return errors.New("the order changed")
	}
	return err
}

// Sign writes a manifest as if it were whole.
func Sign(m Manifest) ([]byte, error) { return m.encode() }

// ContentHash sums up the files of a manifest.
var ContentHash = contentHash
