package main

import (
	"strings"
	"testing"
	"time"

	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/pipeline"
	"github.com/pppq/pppq/internal/series"
)

// A training names what has no forecast, and what has one that is not from today.
func TestTrainedNamesAssets(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	err := printTrained(&b, &pipeline.Trained{
		Version: "v", Promoted: true, Report: new(backtest.Report), Skipped: []string{"Short"},
		Ended: []pipeline.Ended{{Asset: "Fold", FiguresTo: series.Of(2003, time.April)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "Short has too few figures for a forecast\n" +
		"Fold has figures to 2003-04 only: forecasts of it count their years from there, not from today\n"
	if !strings.HasSuffix(b.String(), want) {
		t.Errorf("got %q, want %q at the end", b.String(), want)
	}
}
