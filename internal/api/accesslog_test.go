package api

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/pppq/pppq/internal/telemetry"
)

// Metrics and log count the bytes of bodies that were sent: none for HEAD, and
// those read of a body whose size was not announced.
func TestBytesAreCounted(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	sink, err := telemetry.NewSink(&out, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	f := setup(t, func(o *Options) { o.AccessLog, o.Log = sink, telemetry.NewLogger(sink, slog.LevelInfo) })
	r := serve(t, f)
	resp, err := http.Head(r.url + "/api/v1/assets")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	body := `{"asset":"Gold","horizon_years":5}`
	resp, err = http.Post(r.url+"/api/v1/predict", jsonType, io.MultiReader(strings.NewReader(body)))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	r.end()
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"method":"HEAD","route":"/api/v1/assets","path":"/api/v1/assets","status":200`, `"bytes":0,`, `"request_bytes":34,`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in %s", want, &out)
		}
	}
	metrics := f.get("/metrics").Body.String()
	for _, want := range []string{`http_response_size_bytes_sum{method="GET",route="/api/v1/assets"} 0`, `http_request_size_bytes_sum{method="POST",route="/api/v1/predict"} 34`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s", want)
		}
	}
}
