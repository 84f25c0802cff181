package ledger

import (
	"cmp"
	"slices"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/score"
)

// A Summary sums up the forecasts of one model type and horizon.
type Summary struct {
	Model  forecast.ModelType `json:"model_type"`
	Years  float64            `json:"horizon_years"`
	Count  int                `json:"forecasts"`
	Scored int                `json:"scored"`
	// Scores are absent while no outcome is known.
	Scores *Means `json:"scores,omitempty"`
}

// Means are means over forecasts whose outcome is known. Windows that overlap
// are counted like others, so that there are fewer independent cases than
// forecasts.
type Means struct {
	RPS     float64 `json:"rps"`
	LogLoss float64 `json:"log_loss"`
	// LossForecast is the mean probability of loss, LossSeen the share that lost.
	LossForecast float64 `json:"loss_forecast"`
	LossSeen     float64 `json:"loss_seen"`
	// Within80 is the share whose outcome lay in the 80 % interval.
	Within80 float64 `json:"within_80"`
	// BaseRate compares with the base rate that was stated beside the forecast;
	// absent if none was.
	BaseRate *AgainstBase `json:"base_rate,omitempty"`
}

// AgainstBase compares forecasts with the base rates stated beside them, over
// those that had one.
type AgainstBase struct {
	Compared int `json:"compared"`
	// RPS and LogLoss are the base rate's.
	RPS     float64 `json:"rps"`
	LogLoss float64 `json:"log_loss"`
	// Skill is 1 - RPS of the forecast / RPS of the base rate; 0 if the latter
	// was perfect.
	Skill float64 `json:"skill"`
}

// Summarize sums up lines by model type and horizon: ascending by horizon, then
// in the order of forecast.ModelTypes.
func Summarize(lines []Line) []Summary {
	type kind struct {
		months int
		model  forecast.ModelType
	}
	groups := map[kind][]Line{}
	for _, l := range lines {
		f := l.Forecast.Forecast
		k := kind{f.Months, f.Model}
		groups[k] = append(groups[k], l)
	}
	out := []Summary{}
	for k, group := range groups {
		s := Summary{Model: k.model, Years: float64(k.months) / 12, Count: len(group)}
		s.Scored, s.Scores = means(group)
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Summary) int {
		return cmp.Or(cmp.Compare(a.Years, b.Years),
			cmp.Compare(slices.Index(forecast.ModelTypes, a.Model), slices.Index(forecast.ModelTypes, b.Model)))
	})
	return out
}

func means(lines []Line) (scored int, _ *Means) {
	var m Means
	var base AgainstBase
	compared := 0.0 // RPS of the forecasts that had a base rate
	for _, l := range lines {
		if l.Score == nil {
			continue
		}
		f, s := l.Forecast.Forecast, l.Score.Score
		scored++
		m.RPS += s.RPS
		m.LogLoss += s.LogLoss
		m.LossForecast += f.Loss
		if s.Multiple < 1 {
			m.LossSeen++
		}
		if s.Multiple >= f.P10 && s.Multiple <= f.P90 {
			m.Within80++
		}
		if f.BaseWindows > 0 {
			loss, _ := score.LogLoss(f.Base, int(s.Class))
			base.Compared++
			base.RPS += score.RPS(f.Base, int(s.Class))
			base.LogLoss += loss
			compared += s.RPS
		}
	}
	if scored == 0 {
		return 0, nil
	}
	for _, x := range []*float64{&m.RPS, &m.LogLoss, &m.LossForecast, &m.LossSeen, &m.Within80} {
		*x /= float64(scored)
	}
	if n := float64(base.Compared); n > 0 {
		if base.RPS > 0 {
			base.Skill = 1 - compared/base.RPS
		}
		base.RPS, base.LogLoss = base.RPS/n, base.LogLoss/n
		m.BaseRate = &base
	}
	return scored, &m
}
