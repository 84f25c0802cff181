package telemetry

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// ModelFigures are what the model in service is known by. A nil figure or zero
// time is not exported: nothing stands in for a number that was not computed.
type ModelFigures struct {
	Version string
	// Accuracy and MacroF1 are of the served forecast in the walk-forward test,
	// RPSSkill is against the best baseline.
	Accuracy, MacroF1, RPSSkill *float64
	// NewDataRows is how many rows of data its predecessor did not have.
	NewDataRows *float64
	// DataAsOf is the end of the newest month whose figures the model uses.
	DataAsOf time.Time
	// PipelineSuccess is when the model was made.
	PipelineSuccess time.Time
}

// A modelCollector exports the figures of the model in service; all figures of
// one scrape are of one model.
type modelCollector struct {
	figures atomic.Pointer[ModelFigures]

	info, newRows, f1, accuracy, skill, asOf, success *prometheus.Desc
}

func newModelCollector() *modelCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &modelCollector{
		info:     desc("pppq_model_info", "1 for the model version in service.", "version"),
		newRows:  desc("pppq_new_data_rows", "Rows of the model's data that its predecessor did not have."),
		f1:       desc("pppq_model_f1_score", "Macro-averaged F1 over the four classes in the walk-forward test."),
		accuracy: desc("pppq_model_accuracy", "Share of right classes in the walk-forward test."),
		skill:    desc("pppq_model_rps_skill", "1 - RPS / RPS of the best baseline in the walk-forward test, horizons pooled."),
		asOf:     desc("pppq_dataset_as_of_timestamp_seconds", "End of the newest month whose figures the model uses."),
		success:  desc("pppq_pipeline_last_success_timestamp_seconds", "When the model in service was made."),
	}
}

// Describe implements prometheus.Collector.
func (c *modelCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.info, c.newRows, c.f1, c.accuracy, c.skill, c.asOf, c.success} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *modelCollector) Collect(ch chan<- prometheus.Metric) {
	f := c.figures.Load()
	if f == nil {
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(c.info, 1, f.Version)
	for _, x := range []struct {
		desc  *prometheus.Desc
		value *float64
	}{{c.newRows, f.NewDataRows}, {c.f1, f.MacroF1}, {c.accuracy, f.Accuracy}, {c.skill, f.RPSSkill}} {
		if x.value != nil {
			gauge(x.desc, *x.value)
		}
	}
	for _, x := range []struct {
		desc *prometheus.Desc
		at   time.Time
	}{{c.asOf, f.DataAsOf}, {c.success, f.PipelineSuccess}} {
		if !x.at.IsZero() {
			gauge(x.desc, float64(x.at.UnixMilli())/1e3)
		}
	}
}
