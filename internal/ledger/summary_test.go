package ledger

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/score"
)

func TestSummarize(t *testing.T) {
	t.Parallel()
	line := func(months int, model forecast.ModelType, p, base score.Probs, class int, multiple float64) Line {
		f, _ := example()
		c := *f.Forecast
		c.Months, c.Model, c.Probs, c.Loss, c.Base = months, model, p, 1-p[0], base
		if c.BaseWindows = 10; base == (score.Probs{}) {
			c.BaseWindows = 0
		}
		f.Forecast = &c
		if class < 0 {
			return Line{Forecast: f}
		}
		s := Score{Key: c.Key, Multiple: multiple, Class: power.Class(class)}
		s.RPS, s.LogLoss = c.scores(s.Class)
		return Line{Forecast: f, Score: &Entry{Score: &s}}
	}
	sure, even := score.Probs{1, 0, 0, 0}, score.Probs{0.25, 0.25, 0.25, 0.25}
	got := Summarize([]Line{
		line(120, forecast.LGBM, even, sure, -1, 0),
		line(12, forecast.Ensemble, sure, even, 0, 1.2),           // in the interval of 0.75 to 1.5
		line(12, forecast.Ensemble, even, sure, 3, 0.5),           // below it
		line(12, forecast.Ensemble, even, score.Probs{}, 1, 0.95), // in it, no base rate
		line(12, forecast.Ensemble, even, sure, -1, 0),
		line(12, forecast.LGBM, sure, sure, 0, 1), // the base rate is perfect
	})
	// RPS of even: class 0 or 3 (9+4+1)/16/3, class 1 (1+4+1)/16/3.
	outer, inner := 14.0/48, 6.0/48
	want := []Summary{
		{Model: forecast.LGBM, Years: 1, Count: 1, Scored: 1, Scores: &Means{Within80: 1, BaseRate: &AgainstBase{Compared: 1}}},
		{Model: forecast.Ensemble, Years: 1, Count: 4, Scored: 3, Scores: &Means{
			RPS: (0 + outer + inner) / 3, LogLoss: 2 * math.Log(4) / 3, LossForecast: 1.5 / 3, LossSeen: 2.0 / 3, Within80: 2.0 / 3,
			BaseRate: &AgainstBase{Compared: 2, RPS: (outer + 1) / 2, LogLoss: (math.Log(4) + math.Log(1000)) / 2, Skill: 1 - outer/(outer+1)},
		}},
		{Model: forecast.LGBM, Years: 10, Count: 1},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
