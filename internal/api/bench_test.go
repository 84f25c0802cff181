package api

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pppq/pppq/internal/telemetry"
)

// A sunk answer counts its bytes and keeps its header map between requests.
type sunk struct {
	header http.Header
	status int
}

func (s *sunk) Header() http.Header         { return s.header }
func (s *sunk) WriteHeader(status int)      { s.status = status }
func (s *sunk) Write(b []byte) (int, error) { return len(b), nil }

// A body that can be read again.
type again struct{ strings.Reader }

func (*again) Close() error { return nil }

// BenchmarkHandler is the way of a request without the network: keys, metrics
// and the access log switched on.
func BenchmarkHandler(b *testing.B) {
	key, line := testKey(b, "bench", "read")
	for _, c := range []struct{ name, method, target, body string }{
		{"predict-repeated", "POST", "/api/v1/predict", `{"asset":"Gold","horizon_years":5,"model_type":"ensemble"}`},
		{"forecast-repeated", "GET", "/api/v1/forecast/Gold?horizon_years=5", ""},
		{"what-if", "POST", "/api/v1/predict", `{"asset":"SP500","horizon_years":5,"features":{"bill_rate":0.031},"explain":false}`},
		{"what-if-explained", "POST", "/api/v1/predict", `{"asset":"SP500","horizon_years":5,"features":{"bill_rate":0.031},"explain":true}`},
		{"infer", "POST", "/v2/models/pppq/infer", string(must(json.Marshal(inferExample())))},
		{"health", "GET", "/health", ""},
	} {
		b.Run(c.name, func(b *testing.B) {
			sink := must(telemetry.NewSink(io.Discard, "", nil))
			defer sink.Close()
			f := setup(b, func(o *Options) {
				o.Keys, o.AccessLog, o.Log = parseKeys(b, line), sink, telemetry.NewLogger(sink, slog.LevelInfo)
				o.Now = time.Now
				o.Cache = strings.HasSuffix(c.name, "repeated")
			})
			w := &sunk{header: http.Header{}}
			r := httptest.NewRequest(c.method, c.target, nil)
			r.Header.Set("Content-Type", jsonType)
			r.Header.Set("X-Api-Key", key)
			body := new(again)
			r.ContentLength = int64(len(c.body))
			b.ReportAllocs()
			for b.Loop() {
				body.Reset(c.body)
				req := *r
				req.Body = body
				clear(w.header)
				f.ServeHTTP(w, &req)
			}
			if w.status != 200 {
				b.Fatalf("status %d", w.status)
			}
		})
	}
}
