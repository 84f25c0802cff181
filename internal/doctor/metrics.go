package doctor

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Handler serves /metrics, looked up anew at each scrape, and /livez. What can't
// be known has no sample.
func Handler(s Subject) http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(&collector{subject: s}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(r, promhttp.HandlerOpts{MaxRequestsInFlight: 2}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintln(w, `{"status":"ok"}`)
	})
	return mux
}

var (
	certificateDesc = prometheus.NewDesc("pppq_certificate_expiry_timestamp_seconds", "Until when the edge's certificate holds.", nil, nil)
	backupDesc      = prometheus.NewDesc("pppq_backup_last_success_timestamp_seconds", "When the database was last backed up.", nil, nil)
	diskDesc        = prometheus.NewDesc("pppq_disk_free_bytes", "Bytes that can still be written.", []string{"folder"}, nil)
	databaseDesc    = prometheus.NewDesc("pppq_database_up", "1 if the database of the ledger answers.", nil, nil)
)

type collector struct{ subject Subject }

func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{certificateDesc, backupDesc, diskDesc, databaseDesc} {
		ch <- d
	}
}

func (c *collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	seconds := func(t time.Time) float64 { return float64(t.Unix()) }
	if c.subject.Certificate != "" {
		if until, _, err := CertificateEnd(c.subject.Certificate); err == nil {
			gauge(certificateDesc, seconds(until))
		}
	}
	if c.subject.Backups != "" {
		if last, err := LastBackup(c.subject.Backups); err == nil {
			gauge(backupDesc, seconds(last))
		}
	}
	for _, f := range []struct{ name, path string }{{"data", c.subject.Settings.DataDir}, {"models", c.subject.Settings.ModelsDir}} {
		if free, err := DiskFree(f.path); err == nil {
			gauge(diskDesc, float64(free), f.name)
		}
	}
	if url := c.subject.Settings.DatabaseURL; url != "" {
		up := 1.0
		if err := pingDatabase(context.Background(), url); err != nil {
			up = 0
		}
		gauge(databaseDesc, up)
	}
}
