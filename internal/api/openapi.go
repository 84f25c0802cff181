package api

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
)

// openAPI is the frame of the OpenAPI document.
func openAPI(version string) huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:   "pppq",
				Version: version,
				Description: "Of 100 dollars of purchasing power put into an asset today, how much is left after some years, how sure is that, and why? " +
					"Every problem is an application/problem+json (RFC 9457) with a JSON pointer for each wrong field.",
				License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
			},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"bearer": {Type: "http", Scheme: "bearer", Description: "A key made by `pppq keys new`; needed only if the service has keys"},
					"apiKey": {Type: "apiKey", In: "header", Name: "X-API-Key", Description: "The same key in a header of its own"},
				},
			},
			Tags: []*huma.Tag{
				{Name: "forecasts", Description: "What becomes of purchasing power"},
				{Name: "assets", Description: "What can be forecast, and the figures behind it"},
				{Name: "models", Description: "What is in service and how good it is"},
				{Name: "service", Description: "Probes and metrics"},
				{Name: "protocols", Description: "Doors for clients of other model servers"},
			},
		},
		Formats:       map[string]huma.Format{jsonType: format, "json": format},
		DefaultFormat: jsonType,
	}
}

// operate registers a typed operation. What fn returns as an error goes through
// the table of problems.
func operate[I, O any](h *Handler, op huma.Operation, p policy, fn func(context.Context, *call, *I) (*O, error)) {
	op.Metadata = map[string]any{policyKey: p}
	// Bodies are read and checked before (call.readBody, shape.check).
	op.SkipValidateBody, op.MaxBodyBytes, op.BodyReadTimeout = true, -1, -1
	op.Security = security(p.scope)
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	op.Responses["default"] = h.problem(otherProblems)
	op.Errors = append(op.Errors, refusals(p)...)
	if !p.quiet { // the query string
		op.Errors = append(op.Errors, http.StatusBadRequest, http.StatusUnprocessableEntity)
	}
	slices.Sort(op.Errors)
	op.Errors = slices.Compact(op.Errors)
	huma.Register(h.api, op, func(ctx context.Context, in *I) (*O, error) {
		c := ctx.Value(callKey{}).(*call)
		out, err := fn(ctx, c, in)
		if err != nil {
			c.failed = err
			return nil, nil
		}
		return out, nil
	})
}

// otherProblems is what an operation does not list.
const otherProblems = "Any other problem: 405, 414 and 421 come before an operation"

// refusals are the statuses of problems that a policy brings along.
func refusals(p policy) []int {
	var out []int
	if p.scope != open {
		out = append(out, http.StatusUnauthorized, http.StatusTooManyRequests)
	}
	if p.scope == administers {
		out = append(out, http.StatusForbidden)
	}
	if p.body > 0 {
		out = append(out, http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
	}
	if p.model || p.work != little {
		out = append(out, http.StatusServiceUnavailable)
	}
	return out
}

// problem describes an answer that is a problem.
func (h *Handler) problem(description string) *huma.Response {
	return &huma.Response{Description: description, Content: h.content(problemType, reflect.TypeFor[Problem](), nil)}
}

// security is what an operation of a scope asks for; {} is no key.
func security(s scope) []map[string][]string {
	keys := []map[string][]string{{"bearer": {}}, {"apiKey": {}}}
	switch s {
	case open:
		return nil
	case administers:
		return keys
	}
	return append([]map[string][]string{{}}, keys...)
}

// describe adds a plain handler to the OpenAPI document.
func (h *Handler) describe(op huma.Operation, p policy) {
	op.Security = security(p.scope)
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	for _, status := range refusals(p) {
		op.Responses[strconv.Itoa(status)] = h.problem(http.StatusText(status))
	}
	op.Responses["default"] = h.problem(otherProblems)
	if op.RequestBody != nil {
		op.RequestBody.Required = true
	}
	h.api.OpenAPI().AddOperation(&op)
}

// content describes a body.
func (h *Handler) content(media string, of reflect.Type, example any) map[string]*huma.MediaType {
	return map[string]*huma.MediaType{media: {Schema: h.api.OpenAPI().Components.Schemas.Schema(of, true, ""), Example: example}}
}

// body and answers describe what plain handlers take and give.
func (h *Handler) body(of reflect.Type, example any) *huma.RequestBody {
	return &huma.RequestBody{Content: h.content(jsonType, of, example)}
}

func (h *Handler) answers(of reflect.Type) map[string]*huma.Response {
	return map[string]*huma.Response{"200": {Description: "OK", Content: h.content(jsonType, of, nil)}}
}

// texts describes answers of plain text, by status and description.
func texts(described map[string]string) map[string]*huma.Response {
	out := map[string]*huma.Response{}
	for status, description := range described {
		out[status] = &huma.Response{Description: description, Content: map[string]*huma.MediaType{textType: {Schema: &huma.Schema{Type: huma.TypeString}}}}
	}
	return out
}

// json leaves an answer in out.
func (c *call) json(status int, v any) {
	c.out.Reset()
	if err := json.MarshalWrite(&c.out, v, writeOptions); err != nil {
		c.failed = err
		return
	}
	c.w.Header()["Content-Type"] = headerJSON
	c.status = status
}

// none is the input or output of operations that have none.
type none struct{}
