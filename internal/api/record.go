package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pppq/pppq/internal/forecast"
)

type recordInput struct {
	Asset     string  `query:"asset" maxLength:"64" doc:"Only this asset"`
	Horizon   float64 `query:"horizon_years" minimum:"1" maximum:"10" multipleOf:"0.25" doc:"Only this horizon"`
	ModelType string  `query:"model_type" enum:"lgbm,xgb,ensemble" doc:"Only this model type"`
	Scored    bool    `query:"scored" doc:"Only forecasts whose outcome is known"`
	Offset    int     `query:"offset" minimum:"0" maximum:"1000000" doc:"Rows to pass over; next in an answer holds it"`
	Limit     int     `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

// A TrackRecord is what was forecast and what became of it.
type TrackRecord struct {
	// Forecasts and Scored count what the question selects.
	Forecasts int           `json:"forecasts"`
	Scored    int           `json:"scored" doc:"Forecasts whose outcome is known"`
	Summary   []RecordScore `json:"summary" doc:"By model type and horizon, over forecasts whose outcome is known"`
	// Rows are newest first.
	Rows []PastForecast `json:"rows" doc:"Newest first"`
	Next string         `json:"next,omitempty"`
	Note string         `json:"note,omitempty"`
}

// A RecordScore sums up forecasts of one kind.
type RecordScore struct {
	ModelType    forecast.ModelType `json:"model_type"`
	HorizonYears float64            `json:"horizon_years"`
	Scored       int                `json:"scored"`
	RPS          float64            `json:"rps" doc:"Mean ranked probability score; 0 is perfect"`
	Hits         float64            `json:"hits" doc:"Share whose most likely class came true"`
	LossForecast float64            `json:"loss_forecast" doc:"Mean forecast probability of loss"`
	LossSeen     float64            `json:"loss_seen" doc:"Share that lost purchasing power"`
	Within80     float64            `json:"within_80" doc:"Share whose outcome lay in the 80 % interval"`
}

type recordOutput struct {
	Body TrackRecord
}

func (h *Handler) registerRecord() {
	operate(h, huma.Operation{
		OperationID: "track-record", Method: http.MethodGet, Path: "/api/v1/track-record", Tags: []string{"models"},
		Summary:     "Past forecasts and what became of them",
		Description: "Every forecast is stored when it is made and scored when its outcome is known.",
		Errors:      []int{401, 422, 429},
	}, policy{scope: reads}, func(_ context.Context, _ *call, in *recordInput) (*recordOutput, error) {
		out := TrackRecord{Summary: []RecordScore{}, Rows: []PastForecast{}}
		if l := h.service.record.Load(); l != nil {
			out.fill(l.Forecasts, in)
		}
		if out.Forecasts == 0 {
			out.Note = "no such forecast is on record yet"
		}
		return &recordOutput{Body: out}, nil
	})
}

func (out *TrackRecord) fill(all []PastForecast, in *recordInput) {
	for _, f := range slices.Backward(all) {
		switch {
		case in.Asset != "" && !strings.EqualFold(f.Asset, in.Asset),
			in.Horizon != 0 && f.HorizonYears != in.Horizon,
			in.ModelType != "" && string(f.ModelType) != in.ModelType,
			in.Scored && f.Outcome == nil:
			continue
		}
		if f.Outcome != nil {
			out.Scored++
			out.score(f)
		}
		if out.Forecasts >= in.Offset && len(out.Rows) < in.Limit {
			out.Rows = append(out.Rows, f)
		}
		out.Forecasts++
	}
	for i := range out.Summary {
		s := &out.Summary[i]
		n := float64(s.Scored)
		s.RPS, s.Hits, s.LossForecast, s.LossSeen, s.Within80 = s.RPS/n, s.Hits/n, s.LossForecast/n, s.LossSeen/n, s.Within80/n
	}
	slices.SortFunc(out.Summary, func(a, b RecordScore) int {
		if a.HorizonYears != b.HorizonYears {
			return sign(a.HorizonYears - b.HorizonYears)
		}
		return strings.Compare(string(a.ModelType), string(b.ModelType))
	})
	if seen := in.Offset + len(out.Rows); len(out.Rows) > 0 && seen < out.Forecasts {
		q := url.Values{"offset": {strconv.Itoa(seen)}, "limit": {strconv.Itoa(in.Limit)}}
		for name, v := range map[string]string{"asset": in.Asset, "model_type": in.ModelType} {
			if v != "" {
				q.Set(name, v)
			}
		}
		if in.Horizon != 0 {
			q.Set("horizon_years", strconv.FormatFloat(in.Horizon, 'g', -1, 64))
		}
		if in.Scored {
			q.Set("scored", "true")
		}
		out.Next = "/api/v1/track-record?" + q.Encode()
	}
}

// score adds a forecast to the sums of its kind.
func (out *TrackRecord) score(f PastForecast) {
	i := slices.IndexFunc(out.Summary, func(s RecordScore) bool { return s.ModelType == f.ModelType && s.HorizonYears == f.HorizonYears })
	if i < 0 {
		i = len(out.Summary)
		out.Summary = append(out.Summary, RecordScore{ModelType: f.ModelType, HorizonYears: f.HorizonYears})
	}
	s := &out.Summary[i]
	s.Scored++
	s.RPS += f.Outcome.RPS
	p := []float64{f.Classes.A, f.Classes.B, f.Classes.C, f.Classes.D}
	if classNames()[slices.Index(p, slices.Max(p))] == f.Outcome.Class {
		s.Hits++
	}
	s.LossForecast += 1 - f.Classes.A
	if f.Outcome.Multiple < 1 {
		s.LossSeen++
	}
	if f.Outcome.Multiple >= f.Multiple.P10 && f.Outcome.Multiple <= f.Multiple.P90 {
		s.Within80++
	}
}
