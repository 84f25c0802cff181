package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/series"
)

// Format is the number of the layout that this program reads and writes.
const Format = 1

// ErrIncompatible is wrapped where a bundle was written in another format or by
// another major version of the program.
var ErrIncompatible = errors.New("run `pppq train` to make a new model")

// A Manifest says what a bundle is and lists its files.
type Manifest struct {
	Format  int    `json:"format"`
	Version string `json:"version"`
	// Created is the time in Version.
	Created time.Time `json:"created"`
	// Program is the version of the program that wrote it.
	Program string `json:"program"`
	// Baseline says that it holds the core alone, without boosters.
	Baseline bool   `json:"baseline"`
	Seed     uint64 `json:"seed"`
	// DataFrom is the first month of any asset's figures, DataAsOf the newest
	// month whose price index the forecasts use.
	DataFrom series.Month `json:"data_from"`
	DataAsOf series.Month `json:"data_as_of"`
	// DataHash is Data.Hash.
	DataHash    string `json:"data_hash"`
	NewDataRows int    `json:"new_data_rows"`
	// FeaturesHash sums up names, units and order of all columns.
	FeaturesHash string               `json:"features_hash"`
	Assets       []string             `json:"assets"`
	Tiers        power.Tiers          `json:"tiers"`
	Weights      forecast.Weights     `json:"weights"`
	Calibration  forecast.Calibration `json:"calibration"`
	Metrics      Metrics              `json:"metrics"`
	// Alarms is the number of results of the walk-forward test that are too good
	// to be true.
	Alarms int    `json:"alarms"`
	Files  []File `json:"files"`
	// Content sums up Files; its first digits are part of Version.
	Content string `json:"content"`
	// Checksum is the sha256 of this file with an empty Checksum.
	Checksum string `json:"checksum"`
}

// Metrics are the headline scores of the walk-forward test: of one rung, each
// the mean over the tested horizons.
type Metrics struct {
	Rung string `json:"rung"`
	// RPSSkill is against the best climatology of each horizon.
	RPSSkill float64          `json:"rps_skill"`
	Accuracy float64          `json:"accuracy"`
	F1       float64          `json:"f1"`
	Horizons []HorizonMetrics `json:"horizons"`
}

// HorizonMetrics are the scores at one horizon.
type HorizonMetrics struct {
	Months   int            `json:"months"`
	RPS      float64        `json:"rps"`
	Skill    backtest.Skill `json:"skill"`
	Accuracy float64        `json:"accuracy"`
	F1       float64        `json:"f1"`
}

// headline takes the metrics from the report of c: of c.Headline, else of the
// last rung marked as served, and in a baseline of the first.
func headline(c *Contents) (Metrics, error) {
	r, rung := c.Report, c.Headline
	for _, info := range r.Rungs {
		baseline := c.Forecaster.LGBM == nil
		if c.Headline == "" && info.Served && (rung == "" || !baseline) {
			rung = info.Name
		}
	}
	m := Metrics{Rung: rung}
	for _, h := range r.Horizons {
		for _, s := range h.Rungs {
			if s.Rung == rung {
				m.Horizons = append(m.Horizons, HorizonMetrics{
					Months: h.Months, RPS: s.RPS, Skill: s.Skill, Accuracy: s.Accuracy, F1: s.MacroF1,
				})
			}
		}
	}
	n := float64(len(m.Horizons))
	if n == 0 {
		return Metrics{}, fmt.Errorf("the walk-forward report has no scores of rung %q", rung)
	}
	for _, h := range m.Horizons {
		m.RPSSkill += h.Skill.Value / n
		m.Accuracy += h.Accuracy / n
		m.F1 += h.F1 / n
	}
	return m, nil
}

// newManifest describes contents and files; version, time and program are left
// to the writer.
func newManifest(c *Contents, all texts) (*Manifest, error) {
	f := c.Forecaster
	m := &Manifest{
		Format: Format, Baseline: f.LGBM == nil, Seed: c.Report.Seed,
		DataHash: c.Data.Hash, NewDataRows: c.NewDataRows, FeaturesHash: featuresHash(),
		Tiers: f.Tiers, Weights: f.Weights, Calibration: f.Calibration, Alarms: len(c.Report.Alarms),
	}
	for i, a := range f.Assets {
		if i == 0 || a.Asset.First < m.DataFrom {
			m.DataFrom = a.Asset.First
		}
		m.DataAsOf = max(m.DataAsOf, a.Row.U)
		m.Assets = append(m.Assets, a.Asset.ID)
	}
	var err error
	if m.Metrics, err = headline(c); err != nil {
		return nil, err
	}
	m.Files = all.list()
	m.Content = contentHash(m.Files)
	return m, nil
}

// encode writes the manifest and sets its checksum.
func (m *Manifest) encode() ([]byte, error) {
	m.Checksum = ""
	b, err := encodeJSON(m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", manifestName, err)
	}
	sum := sha256.Sum256(b)
	m.Checksum = hex.EncodeToString(sum[:])
	return encodeJSON(m)
}

// parseManifest reads a manifest that encode wrote, byte for byte: a change of
// any byte is an error. The error wraps ErrIncompatible if another program or
// format wrote it.
func parseManifest(b []byte, program string) (*Manifest, error) {
	var stamp struct {
		Format  int    `json:"format"`
		Program string `json:"program"`
	}
	if err := json.Unmarshal(b, &stamp); err != nil {
		return nil, plain(err)
	}
	if stamp.Format != Format || !sameMajor(stamp.Program, program) {
		return nil, fmt.Errorf("was written by pppq %s in format %d, this is pppq %s with format %d: %w",
			short(stamp.Program), stamp.Format, program, Format, ErrIncompatible)
	}
	m := new(Manifest)
	if err := decodeJSON(b, m); err != nil {
		return nil, err
	}
	again := *m
	want, err := again.encode()
	if err != nil {
		return nil, err
	}
	if again.Checksum != m.Checksum || !bytes.Equal(want, b) {
		return nil, errors.New("is damaged: it does not match its checksum")
	}
	return m, m.check()
}

// check refuses a manifest that does not hold together.
func (m *Manifest) check() error {
	t, err := parseVersion(m.Version)
	if err != nil {
		return err
	}
	if !t.Equal(m.Created) {
		return fmt.Errorf("created %s is not the time of version %s", m.Created.Format(time.RFC3339), m.Version)
	}
	if m.Content != contentHash(m.Files) || version(t, m.Content) != m.Version {
		return errors.New("content does not match the files and the version")
	}
	var names []string
	for _, k := range fileKinds {
		if k.boosters && m.Baseline {
			continue
		}
		names = append(names, k.name)
		i := len(names) - 1
		switch {
		case i >= len(m.Files) || m.Files[i].Name != k.name:
			return fmt.Errorf("files: %s is not where it belongs", k.name)
		case m.Files[i].Size < 0 || m.Files[i].Size > k.max:
			return fmt.Errorf("files: %s has %d bytes, want at most %d", k.name, m.Files[i].Size, k.max)
		}
	}
	if len(m.Files) != len(names) {
		return fmt.Errorf("files: %d are listed, want %d", len(m.Files), len(names))
	}
	if m.FeaturesHash != featuresHash() {
		return fmt.Errorf("the columns of its features are not those of this program: %w", ErrIncompatible)
	}
	return nil
}

// sameMajor reports whether two versions of the program, as "1.4.0" or
// "v1.4.0-rc.1", begin with the same number. Versions without one must be equal.
func sameMajor(a, b string) bool {
	majorA, okA := major(a)
	majorB, okB := major(b)
	if okA && okB {
		return majorA == majorB
	}
	return a == b
}

func major(version string) (int, bool) {
	head, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	n, err := strconv.Atoi(head)
	return n, err == nil && n >= 0
}
