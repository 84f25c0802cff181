package api

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// A param is a parameter of the path or the query string.
type param struct {
	name            string
	query, required bool
	shape           *shape
}

// paramsOf compiles the parameters of an operation, headers left out.
func paramsOf(r huma.Registry, op *huma.Operation) []param {
	var out []param
	for _, p := range op.Parameters {
		if p.In != "header" {
			out = append(out, param{p.Name, p.In == "query", p.Required, compile(r, p.Schema)})
		}
	}
	return out
}

// checkParams reports what is wrong with path and query: a 400 for a query
// string that could be read in two ways (escapes that are none, bytes that are
// not UTF-8), a 422 with a fault for each parameter that is not known, given
// twice, missing, or not what its schema says. An empty one is a missing one.
func (c *call) checkParams() *Problem {
	// Probes answer whatever monitors put behind them.
	if c.route.operation == nil || c.route.quiet || c.r.URL.RawQuery == "" && len(c.route.params) == 0 {
		return nil
	}
	query, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil || strings.Contains(c.r.URL.RawQuery, ";") {
		return newProblem(kindMalformed, "the query string is not valid")
	}
	c.query = query
	var faults []Fault
	fault := func(name, detail string) {
		faults = append(faults, Fault{Parameter: name[:min(len(name), maxName)], Detail: detail})
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		values := query[name]
		switch {
		case !utf8.ValidString(name) || !utf8.ValidString(values[0]):
			return newProblem(kindMalformed, "the query string is not UTF-8")
		case !slices.ContainsFunc(c.route.params, func(p param) bool { return p.query && p.name == name }):
			fault(name, "this name is not known here")
		case len(values) > 1:
			fault(name, "is given more than once")
		}
	}
	for _, p := range c.route.params {
		text := query.Get(p.name)
		if !p.query {
			text = c.r.PathValue(p.name)
		}
		if text == "" {
			if p.required {
				fault(p.name, "is missing")
			}
		} else if detail := p.shape.param(text); detail != "" {
			fault(p.name, detail)
		}
	}
	if len(faults) > 0 {
		return invalid(faults[:min(len(faults), maxFaults)]...)
	}
	return nil
}

// param says what is wrong with the text of a parameter, "" for nothing.
func (s *shape) param(text string) string {
	switch s.kind {
	case huma.TypeBoolean:
		if text != "true" && text != "false" {
			return "want true or false"
		}
	case huma.TypeInteger:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return s.wantNumber
		}
		return s.numberFault(float64(n))
	case huma.TypeNumber:
		x, ok := parseDecimal(text)
		if !ok {
			return s.wantNumber
		}
		return s.numberFault(x)
	case huma.TypeString:
		return s.textFault(text)
	}
	return ""
}

// parseDecimal reads a decimal number; what only Go understands, as 0x1p4, Inf
// or 1_000, is none.
func parseDecimal(text string) (float64, bool) {
	if strings.Trim(text, "+-.0123456789eE") != "" {
		return 0, false
	}
	x, err := strconv.ParseFloat(text, 64)
	return x, err == nil
}
