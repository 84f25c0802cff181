package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/ledger"
	"github.com/pppq/pppq/internal/series"
)

// A ledgerReport is what ledger show prints as JSON.
type ledgerReport struct {
	// Count is how many forecasts are selected, Forecasts those of the newest
	// versions.
	Count     int              `json:"count"`
	Summary   []ledger.Summary `json:"summary"`
	Forecasts []ledgerLine     `json:"forecasts"`
}

// A ledgerLine is one past forecast.
type ledgerLine struct {
	Entry         int64              `json:"entry"`
	WrittenAt     string             `json:"written_at"`
	DataMonth     series.Month       `json:"data_month"`
	OriginMonth   series.Month       `json:"origin_month"`
	Asset         string             `json:"asset"`
	HorizonYears  float64            `json:"horizon_years"`
	ModelType     forecast.ModelType `json:"model_type"`
	ModelVersion  string             `json:"model_version"`
	Baseline      bool               `json:"baseline"`
	DataHash      string             `json:"data_hash"`
	Probabilities forecast.Classes   `json:"probability_breakdown"`
	Loss          float64            `json:"probability_of_loss"`
	Multiple      forecast.Range     `json:"multiple"`
	Evidence      forecast.Evidence  `json:"evidence"`
	BaseRate      *forecast.Classes  `json:"base_rate,omitempty"`
	BaseWindows   float64            `json:"base_windows"`
	Hash          string             `json:"hash"`
	Outcome       *ledgerOutcome     `json:"outcome,omitempty"`
}

// A ledgerOutcome is what became of it.
type ledgerOutcome struct {
	Entry     int64        `json:"entry"`
	WrittenAt string       `json:"written_at"`
	Known     series.Month `json:"known_month"`
	Multiple  float64      `json:"multiple"`
	Class     string       `json:"class"`
	RPS       float64      `json:"rps"`
	LogLoss   float64      `json:"log_loss"`
	Hash      string       `json:"hash"`
}

// newest returns the lines of the newest versions first, each version's in the
// order of its table; limit 0 is all.
func newest(lines []ledger.Line, limit int) []ledger.Line {
	lines = slices.Clone(lines)
	slices.SortStableFunc(lines, func(a, b ledger.Line) int {
		return cmp.Compare(b.Forecast.Forecast.Version, a.Forecast.Forecast.Version)
	})
	if limit > 0 && limit < len(lines) {
		lines = lines[:limit]
	}
	return lines
}

func newLedgerReport(lines []ledger.Line, limit int) ledgerReport {
	r := ledgerReport{Count: len(lines), Summary: ledger.Summarize(lines), Forecasts: []ledgerLine{}}
	classes := func(p [4]float64) forecast.Classes { return forecast.Classes{A: p[0], B: p[1], C: p[2], D: p[3]} }
	const form = "2006-01-02T15:04:05Z"
	for _, l := range newest(lines, limit) {
		f := l.Forecast.Forecast
		line := ledgerLine{
			Entry: l.Forecast.Number, WrittenAt: l.Forecast.WrittenAt.Format(form), DataMonth: f.DataMonth, OriginMonth: f.Origin,
			Asset: f.Asset, HorizonYears: float64(f.Months) / 12, ModelType: f.Model, ModelVersion: f.Version, Baseline: f.Baseline,
			DataHash: f.DataHash, Probabilities: classes(f.Probs), Loss: f.Loss, Multiple: forecast.Range{Median: f.Median, P10: f.P10, P90: f.P90},
			Evidence: f.Evidence, BaseWindows: f.BaseWindows, Hash: l.Forecast.Hash,
		}
		if f.BaseWindows > 0 {
			base := classes(f.Base)
			line.BaseRate = &base
		}
		if l.Score != nil {
			s := l.Score.Score
			line.Outcome = &ledgerOutcome{
				Entry: l.Score.Number, WrittenAt: l.Score.WrittenAt.Format(form), Known: s.Known, Multiple: s.Multiple,
				Class: s.Class.String(), RPS: s.RPS, LogLoss: s.LogLoss, Hash: l.Score.Hash,
			}
		}
		r.Forecasts = append(r.Forecasts, line)
	}
	return r
}

// printLedger prints the newest lines, then the scores of all.
func printLedger(w io.Writer, lines []ledger.Line, limit int) error {
	if len(lines) == 0 {
		_, err := fmt.Fprintln(w, "no such forecast is on record")
		return err
	}
	shown := newest(lines, limit)
	t := newTable(w)
	fmt.Fprintln(t, "figures to\tasset\tyears\tmodel\tversion\tP(keeps)\tmedian\t80 % interval\tevidence\twhat became of it")
	for _, l := range shown {
		f := l.Forecast.Forecast
		version := f.Version
		if f.Baseline {
			version += " (baseline)"
		}
		outcome := fmt.Sprintf("known after %s", f.Origin+series.Month(f.Months))
		if l.Score != nil {
			s := l.Score.Score
			outcome = fmt.Sprintf("%.2f, %s, known %s, RPS %.3f", s.Multiple, s.Class, s.Known, s.RPS)
		}
		fmt.Fprintf(t, "%s\t%s\t%g\t%s\t%s\t%.0f %%\t%.2f\t%.2f to %.2f\t%s\t%s\n", f.DataMonth, f.Asset, float64(f.Months)/12, f.Model, version,
			100*f.Probs[0], f.Median, f.P10, f.P90, f.Evidence, outcome)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if more := len(lines) - len(shown); more > 0 {
		fmt.Fprintf(w, "and %d older; --limit 0 shows all\n", more)
	}
	return printLedgerScores(w, ledger.Summarize(lines))
}

func printLedgerScores(w io.Writer, summary []ledger.Summary) error {
	fmt.Fprintln(w, "\nMean scores of the forecasts whose outcome is known; the smaller the better. Windows that overlap are not independent.")
	t := newTable(w)
	fmt.Fprintln(t, "years\tmodel\tforecasts\tscored\tRPS\tbase rate's RPS\tskill\tP(loss) said\tseen\tin 80 % interval")
	for _, s := range summary {
		fmt.Fprintf(t, "%g\t%s\t%d\t%d\t", s.Years, s.Model, s.Count, s.Scored)
		m := s.Scores
		if m == nil {
			fmt.Fprintln(t, "-\t-\t-\t-\t-\t-")
			continue
		}
		base, skill := "-", "-"
		if b := m.BaseRate; b != nil {
			base, skill = fmt.Sprintf("%.3f", b.RPS), fmt.Sprintf("%+.3f", b.Skill)
		}
		fmt.Fprintf(t, "%.3f\t%s\t%s\t%.2f\t%.2f\t%.2f\n", m.RPS, base, skill, m.LossForecast, m.LossSeen, m.Within80)
	}
	return t.Flush()
}
