package ledger_test

import (
	"encoding/json"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/pppq/pppq/internal/api"
	"github.com/pppq/pppq/internal/ledger"
	"github.com/pppq/pppq/internal/ledger/ledgertest"
)

// The service reads the snapshot as it is written.
func TestServed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := ledgertest.Open(t, ledger.DefaultURL(dir))
	ledgertest.Record(t, l, 1)
	if _, err := l.Score(t.Context(), ledgertest.Outcomes, ledgertest.Now); err != nil {
		t.Fatal(err)
	}
	ledgertest.Record(t, l, 2)
	if err := l.Export(t.Context(), filepath.Join(dir, ledger.SnapshotName)); err != nil {
		t.Fatal(err)
	}

	o := api.DefaultOptions()
	o.Version, o.DataDir, o.Log = "1.2.3", dir, slog.New(slog.DiscardHandler)
	h := api.NewHandler(api.NewService(o), nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/track-record?limit=1000", nil))
	var got api.TrackRecord
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("status %d, %v: %s", w.Code, err, w.Body)
	}
	_, lines := ledgertest.Verify(t, l)
	if len(got.Rows) != len(lines) || got.Scored != len(ledgertest.Forecasts(1))/2 {
		t.Fatalf("%d rows and %d scored are served, want %d and %d", len(got.Rows), got.Scored, len(lines), len(ledgertest.Forecasts(1))/2)
	}
	for i, row := range got.Rows { // newest first
		line := lines[len(lines)-1-i]
		f := line.Forecast.Forecast
		c, m := row.Classes, row.Multiple
		if row.DataMonth != f.DataMonth || row.Asset != f.Asset || row.HorizonYears != float64(f.Months)/12 || row.ModelType != f.Model ||
			row.ModelVersion != f.Version || f.Probs != [4]float64{c.A, c.B, c.C, c.D} || m.Median != f.Median || m.P10 != f.P10 || m.P90 != f.P90 ||
			(row.Outcome == nil) != (line.Score == nil) {
			t.Errorf("got %+v, want %+v", row, f)
		}
		if row.Outcome == nil || line.Score == nil {
			continue
		}
		if s := line.Score.Score; row.Outcome.Multiple != s.Multiple || row.Outcome.Class != s.Class.String() || row.Outcome.RPS != s.RPS {
			t.Errorf("outcome: got %+v, want %+v", row.Outcome, s)
		}
	}

	// Both sum up the same.
	summary := ledger.Summarize(lines)
	for _, sum := range got.Summary {
		for _, own := range summary {
			if own.Model != sum.ModelType || own.Years != sum.HorizonYears {
				continue
			}
			for name, x := range map[string][2]float64{
				"RPS": {own.Scores.RPS, sum.RPS}, "loss forecast": {own.Scores.LossForecast, sum.LossForecast},
				"loss seen": {own.Scores.LossSeen, sum.LossSeen}, "within 80 %": {own.Scores.Within80, sum.Within80},
			} {
				if math.Abs(x[0]-x[1]) > 1e-12 {
					t.Errorf("%s over %g years: %s is %v here and %v served", own.Model, own.Years, name, x[0], x[1])
				}
			}
		}
	}
	if len(got.Summary) != 3 {
		t.Errorf("%d sums are served, want 3", len(got.Summary))
	}
}
