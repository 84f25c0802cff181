package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pppq/pppq/internal/series"
)

// Health is the answer of /health.
type Health struct {
	Status  string `json:"status" enum:"healthy,unhealthy"`
	Version string `json:"version" doc:"The program's version"`
	// Reason says why it is unhealthy.
	Reason string      `json:"reason,omitempty"`
	Model  string      `json:"model,omitempty" doc:"The model version in service"`
	Data   *HealthData `json:"data,omitempty"`
}

// HealthData says how old the figures are.
type HealthData struct {
	AsOf  series.Month `json:"as_of" doc:"Newest month whose figures the model uses" example:"2026-09"`
	Stale bool         `json:"stale" doc:"Whether newer figures should be out"`
}

type healthOutput struct {
	Status int
	Body   Health
}

// Readiness is the answer of /readyz and /livez.
type Readiness struct {
	Status string `json:"status" enum:"ok,not ready"`
	Reason string `json:"reason,omitempty"`
}

type readinessOutput struct {
	Status int
	Body   Readiness
}

func (h *Handler) registerProbes() {
	probe := policy{scope: open, quiet: true}
	operate(h, huma.Operation{
		OperationID: "health", Method: http.MethodGet, Path: "/health", Tags: []string{"service"},
		Summary:     "Whether the service can answer",
		Description: "200 while a model is in service; 503 with the reason when none is. Old figures do not make it unhealthy: data says so.",
		Responses:   map[string]*huma.Response{"503": {Description: "No model is in service", Content: h.content(jsonType, reflect.TypeFor[Health](), nil)}},
	}, probe, func(_ context.Context, c *call, _ *none) (*healthOutput, error) {
		out := &healthOutput{Status: http.StatusOK, Body: Health{Status: "healthy", Version: h.options.Version}}
		if c.model == nil {
			out.Status, out.Body.Status, out.Body.Reason = http.StatusServiceUnavailable, "unhealthy", "no model is in service"
			return out, nil
		}
		out.Body.Model = c.model.Manifest.Version
		out.Body.Data = &HealthData{AsOf: c.model.Manifest.DataAsOf, Stale: c.model.stale(c.now())}
		return out, nil
	})
	operate(h, huma.Operation{
		OperationID: "live", Method: http.MethodGet, Path: "/livez", Tags: []string{"service"},
		Summary: "Whether the process runs",
	}, probe, func(context.Context, *call, *none) (*readinessOutput, error) {
		return &readinessOutput{Status: http.StatusOK, Body: Readiness{Status: "ok"}}, nil
	})
	operate(h, huma.Operation{
		OperationID: "ready", Method: http.MethodGet, Path: "/readyz", Tags: []string{"service"},
		Summary:     "Whether requests should be sent here",
		Description: "200 when the model in service has answered its golden questions; 503 before that and while the service ends.",
		Responses:   map[string]*huma.Response{"503": {Description: "Send requests elsewhere", Content: h.content(jsonType, reflect.TypeFor[Readiness](), nil)}},
	}, probe, func(_ context.Context, c *call, _ *none) (*readinessOutput, error) {
		out := &readinessOutput{Status: http.StatusServiceUnavailable, Body: Readiness{Status: "not ready"}}
		switch {
		case h.draining.Load():
			out.Body.Reason = "the service is about to end"
		case c.model == nil:
			out.Body.Reason = "no model is in service"
		default:
			out.Status, out.Body.Status = http.StatusOK, "ok"
		}
		return out, nil
	})
	metrics := h.options.Metrics.Handler()
	h.describe(huma.Operation{
		OperationID: "metrics", Method: http.MethodGet, Path: "/metrics", Tags: []string{"service"},
		Summary:   "Metrics for Prometheus, as text or protobuf as the scraper asks",
		Responses: texts(map[string]string{"200": "OK"}),
	}, probe)
	h.plain(http.MethodGet, "/metrics", probe, func(c *call) {
		c.w.Header().Del("Cache-Control")
		metrics.ServeHTTP(&c.w, c.r)
	})
}
