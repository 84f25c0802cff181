package api

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/csvfile"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/series"
)

// LedgerFile is the snapshot of the ledger of forecasts in DATA_DIR.
//
// It is a CSV with a header, one forecast a row, in the order in which they were
// made; these columns are read, others may stand beside them:
//
//	data_month       newest month whose figures the forecast used, YYYY-MM
//	asset            id
//	horizon_months   12 to 120
//	model_type       lgbm, xgb or ensemble
//	model_version    version of the bundle
//	p_a p_b p_c p_d  class probabilities
//	multiple_median  median of the purchasing-power multiple
//	multiple_p10 multiple_p90
//	outcome_multiple what became of it, empty while it is not known
//	outcome_class    A_PRESERVER, B_PARTIAL, C_ERODER, D_DESTROYER, or empty
//	rps              ranked probability score, empty while it is not known
const LedgerFile = "ledger.csv"

var ledgerColumns = []string{
	"data_month", "asset", "horizon_months", "model_type", "model_version", "p_a", "p_b", "p_c", "p_d",
	"multiple_median", "multiple_p10", "multiple_p90", "outcome_multiple", "outcome_class", "rps",
}

// ledgerLimits bound the file: 60 years of all assets, horizons and models.
var ledgerLimits = csvfile.Limits{Bytes: 64 << 20, LineBytes: 4 << 10, Lines: 500_000, Fields: 64}

// A ledger is the record of past forecasts as last read.
type ledger struct {
	Forecasts []PastForecast
	size      int64
	modified  time.Time
}

// A PastForecast is a forecast that was given, and its outcome once known.
type PastForecast struct {
	DataMonth    series.Month       `json:"data_month" doc:"Newest month whose figures it used"`
	Asset        string             `json:"asset"`
	HorizonYears float64            `json:"horizon_years"`
	ModelType    forecast.ModelType `json:"model_type"`
	ModelVersion string             `json:"model_version"`
	Classes      forecast.Classes   `json:"probability_breakdown"`
	Multiple     forecast.Range     `json:"multiple"`
	Outcome      *Outcome           `json:"outcome,omitempty" doc:"What became of it; absent while it is not known"`
}

// An Outcome is what became of a forecast.
type Outcome struct {
	Multiple float64 `json:"multiple"`
	Class    string  `json:"class"`
	RPS      float64 `json:"rps" doc:"Ranked probability score of the forecast; 0 is perfect"`
}

// readLedger takes over the ledger of DATA_DIR if it changed. A file that can't
// be read is logged once and the last one stays.
func (s *Service) readLedger() {
	path := filepath.Join(s.options.DataDir, LedgerFile)
	stat, err := os.Stat(path)
	last := s.record.Load()
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) && last == nil {
			s.options.Log.Warn("ledger", "error", err.Error())
			s.record.Store(&ledger{})
		}
		return
	}
	if last != nil && last.size == stat.Size() && last.modified.Equal(stat.ModTime()) {
		return
	}
	next := &ledger{size: stat.Size(), modified: stat.ModTime()}
	next.Forecasts, err = loadLedger(path)
	if err != nil {
		s.options.Log.Error("the ledger is refused; what was read before stays", "error", err.Error())
		if last != nil {
			next.Forecasts = last.Forecasts
		}
	}
	s.record.Store(next)
}

func loadLedger(path string) ([]PastForecast, error) {
	text, err := csvfile.Load(path, LedgerFile, ledgerLimits)
	if err != nil {
		return nil, err
	}
	return parseLedger(text)
}

// parseLedger reads the whole file; an error names line and column.
func parseLedger(text *csvfile.Text) ([]PastForecast, error) {
	if err := text.Terminated(); err != nil {
		return nil, err
	}
	rows := text.Rows(',')
	if !rows.Next() {
		return nil, cmp.Or(rows.Err(), errors.New(LedgerFile+": is empty"))
	}
	place := map[string]int{}
	for _, name := range ledgerColumns {
		i := slices.Index(rows.Fields(), name)
		if i < 0 {
			return nil, rows.Fault(-1, fmt.Errorf("no column %s", name))
		}
		place[name] = i
	}
	width := len(rows.Fields())
	var out []PastForecast
	for rows.Next() {
		if len(rows.Fields()) != width {
			return nil, rows.Fault(-1, fmt.Errorf("%d fields, want %d", len(rows.Fields()), width))
		}
		r := ledgerRow{rows: rows, place: place}
		f := r.forecast()
		if r.err != nil {
			return nil, r.err
		}
		out = append(out, f)
	}
	return out, rows.Err()
}

// A ledgerRow reads cells and keeps the first fault.
type ledgerRow struct {
	rows  *csvfile.Rows
	place map[string]int
	err   error
}

func (r *ledgerRow) text(name string) string { return r.rows.Fields()[r.place[name]] }

func (r *ledgerRow) fault(name string, err error) {
	if r.err == nil {
		r.err = r.rows.Fault(r.place[name], fmt.Errorf("%s: %w", name, err))
	}
}

func (r *ledgerRow) number(name string, low, high float64) float64 {
	x, err := strconv.ParseFloat(r.text(name), 64)
	if err != nil || !(x >= low && x <= high) {
		r.fault(name, fmt.Errorf("want a number from %g to %g", low, high))
	}
	return x
}

func (r *ledgerRow) forecast() PastForecast {
	f := PastForecast{
		Asset: r.text("asset"), ModelType: forecast.ModelType(r.text("model_type")), ModelVersion: r.text("model_version"),
		Classes:  forecast.Classes{A: r.number("p_a", 0, 1), B: r.number("p_b", 0, 1), C: r.number("p_c", 0, 1), D: r.number("p_d", 0, 1)},
		Multiple: forecast.Range{Median: r.number("multiple_median", 0, math.MaxFloat64), P10: r.number("multiple_p10", 0, math.MaxFloat64), P90: r.number("multiple_p90", 0, math.MaxFloat64)},
	}
	var err error
	if f.DataMonth, err = series.ParseMonth(r.text("data_month")); err != nil {
		r.fault("data_month", err)
	}
	if err := series.CheckAssetID(f.Asset); err != nil {
		r.fault("asset", err)
	}
	if err := bundle.CheckVersion(f.ModelVersion); err != nil {
		r.fault("model_version", err)
	}
	if !slices.Contains(forecast.ModelTypes, f.ModelType) {
		r.fault("model_type", errors.New(wantModel))
	}
	h := r.number("horizon_months", panel.MinHorizon, panel.MaxHorizon)
	f.HorizonYears = h / 12
	if class := r.text("outcome_class"); class != "" {
		if !slices.Contains(classNames(), class) {
			r.fault("outcome_class", errors.New("want the name of a class"))
		}
		f.Outcome = &Outcome{Class: class, Multiple: r.number("outcome_multiple", 0, math.MaxFloat64), RPS: r.number("rps", 0, 1)}
	}
	return f
}
