package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pppq/pppq/internal/forecast"
)

// A Problem is the body of every answer that is not a success (RFC 9457).
type Problem struct {
	Type   string `json:"type" doc:"What kind of problem, as a URN" example:"urn:pppq:problem:invalid-value"`
	Title  string `json:"title" doc:"The kind in words" example:"A value is not acceptable"`
	Status int    `json:"status" doc:"The HTTP status" example:"422"`
	Detail string `json:"detail,omitempty" doc:"What is wrong with this request"`
	// Errors has one entry a wrong field.
	Errors []Fault `json:"errors,omitempty" doc:"Each wrong field"`
	// Near are ids that come near an unknown one.
	Near      []string `json:"near,omitempty" doc:"Names that come near the unknown one"`
	RequestID string   `json:"request_id,omitempty" doc:"The X-Request-Id of this request"`
	// Text is Detail or Title for clients of the Open Inference Protocol.
	Text string `json:"error,omitempty" doc:"All of it as one text in the member that clients of the Open Inference Protocol read; under /v2 alone"`

	kind    kind
	headers http.Header
	cause   error // for the log alone
}

// A Fault is one wrong field: a JSON pointer into the body, or the name of a
// parameter or header.
type Fault struct {
	Pointer   *string `json:"pointer,omitzero" doc:"JSON pointer into the body; empty for the body as a whole" example:"/horizon_years"`
	Parameter string  `json:"parameter,omitempty" doc:"Name of a path or query parameter"`
	Detail    string  `json:"detail" example:"want at most 10"`
}

func at(pointer, detail string) Fault { return Fault{Pointer: &pointer, Detail: detail} }

// A kind is one line of the table below.
type kind int

const (
	kindMalformed kind = iota
	kindUnauthorized
	kindForbidden
	kindNotFound
	kindUnknownAsset
	kindUnknownVersion
	kindMethod
	kindSlowBody
	kindConflict
	kindTooLarge
	kindURITooLong
	kindMediaType
	kindMisdirected
	kindInvalid
	kindNoForecast
	kindTooFast
	kindClientGone
	kindBug
	kindNoModel
	kindBusy
	kindDeadline
	numKinds
)

// kinds is the one table from kinds of errors to statuses.
var kinds = [numKinds]struct {
	status      int
	name, title string
}{
	kindMalformed:      {http.StatusBadRequest, "malformed", "The request cannot be read"},
	kindUnauthorized:   {http.StatusUnauthorized, "unauthorized", "A key is needed"},
	kindForbidden:      {http.StatusForbidden, "forbidden", "This caller may not do that"},
	kindNotFound:       {http.StatusNotFound, "not-found", "There is nothing here"},
	kindUnknownAsset:   {http.StatusNotFound, "unknown-asset", "No such asset"},
	kindUnknownVersion: {http.StatusNotFound, "unknown-version", "No such model version"},
	kindMethod:         {http.StatusMethodNotAllowed, "method-not-allowed", "This method does not work here"},
	kindSlowBody:       {http.StatusRequestTimeout, "slow-body", "The body did not arrive in time"},
	kindConflict:       {http.StatusConflict, "refused", "The model was refused"},
	kindTooLarge:       {http.StatusRequestEntityTooLarge, "too-large", "The body is too large"},
	kindURITooLong:     {http.StatusRequestURITooLong, "uri-too-long", "The address is too long"},
	kindMediaType:      {http.StatusUnsupportedMediaType, "unsupported-media-type", "The body has a form that is not accepted"},
	kindMisdirected:    {http.StatusMisdirectedRequest, "misdirected", "This host is not served here"},
	kindInvalid:        {http.StatusUnprocessableEntity, "invalid-value", "A value is not acceptable"},
	kindNoForecast:     {http.StatusUnprocessableEntity, "no-forecast", "There is no forecast for this question"},
	kindTooFast:        {http.StatusTooManyRequests, "too-many-requests", "Too many requests from this caller"},
	kindClientGone:     {statusClientGone, "client-gone", "The caller left"},
	kindBug:            {http.StatusInternalServerError, "internal", "A fault of the service"},
	kindNoModel:        {http.StatusServiceUnavailable, "no-model", "No model is in service"},
	kindBusy:           {http.StatusServiceUnavailable, "busy", "The service is busy"},
	kindDeadline:       {http.StatusServiceUnavailable, "deadline", "The work took too long"},
}

// statusClientGone counts requests whose caller went away; nobody sees it.
const statusClientGone = 499

func newProblem(k kind, detail string) *Problem {
	row := kinds[k]
	return &Problem{Type: "urn:pppq:problem:" + row.name, Title: row.title, Status: row.status, Detail: detail, kind: k}
}

func (p *Problem) with(name, value string) *Problem {
	if p.headers == nil {
		p.headers = http.Header{}
	}
	p.headers.Set(name, value)
	return p
}

// invalid is a 422 of one or more faults.
func invalid(faults ...Fault) *Problem {
	p := newProblem(kindInvalid, "see errors for each field")
	p.Errors = faults
	return p
}

// words are the whole problem as one text, for clients that read no more.
func (p *Problem) words() string {
	if len(p.Errors) == 0 {
		return cmp.Or(p.Detail, p.Title)
	}
	var all []string
	if p.kind != kindInvalid && p.Detail != "" {
		all = append(all, p.Detail)
	}
	for _, f := range p.Errors {
		place := f.Parameter
		if f.Pointer != nil {
			place = *f.Pointer
		}
		all = append(all, strings.TrimPrefix(place+": "+f.Detail, ": "))
	}
	return strings.Join(all, "; ")
}

// Error implements error; it is for logs.
func (p *Problem) Error() string {
	if p.cause != nil {
		return p.Title + ": " + p.cause.Error()
	}
	return p.Title + ": " + p.Detail
}

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header { return p.headers }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return problemType }

const (
	jsonType    = "application/json"
	problemType = "application/problem+json"
	textType    = "text/plain"
)

// maxName is how much of a foreign parameter's name a problem shows, in bytes.
const maxName = 64

// errNoModel stands where a handler finds no model in service.
var errNoModel = newProblem(kindNoModel, "the service has not loaded a model yet, or none exists; train one, then try again").with("Retry-After", "5")

// problemOf turns any error of a handler into a problem. What is in no line of
// the table is a bug: the caller learns nothing of it, the log everything.
func problemOf(err error) *Problem {
	var (
		problem *Problem
		asset   *forecast.UnknownAsset
		value   *forecast.InvalidValue
	)
	switch {
	case errors.As(err, &problem):
		return problem
	case errors.As(err, &asset):
		p := newProblem(kindUnknownAsset, "no asset has this id; GET /api/v1/assets lists them")
		p.Near = asset.Near
		return p
	case errors.As(err, &value):
		return invalid(at(fieldPointer(value.Field), value.Reason))
	case errors.Is(err, forecast.ErrNoRow):
		return newProblem(kindNoForecast, "the asset has too few figures to be forecast over this time")
	case errors.Is(err, context.DeadlineExceeded):
		return newProblem(kindDeadline, "the work was stopped at its deadline; ask for less at once").with("Retry-After", "1")
	case errors.Is(err, context.Canceled):
		return newProblem(kindClientGone, "the caller closed the connection")
	}
	p := modelProblem(err)
	if p == nil {
		p = newProblem(kindBug, "this is a bug; the log has it under the request id")
	}
	p.cause = err
	return p
}

// fieldPointer is the JSON pointer of a Question's field: "horizon_years", or
// "features/" and a name that may hold anything.
func fieldPointer(field string) string {
	head, name, nested := strings.Cut(field, "/")
	if !nested {
		return "/" + escapePointer(head)
	}
	return "/" + escapePointer(head) + "/" + escapePointer(name)
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// escapePointer escapes one name for a JSON pointer (RFC 6901).
func escapePointer(name string) string { return pointerEscapes.Replace(name) }

// huma keeps some switches for the whole process: how it makes errors, whether
// names of fields are told apart by case, and whether lists may be null.
func init() {
	huma.ValidateStrictCasing = true
	huma.DefaultArrayNullable = false
	huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
		p := fromHuma(status, msg, errs)
		if c, ok := ctx.(*call); ok {
			c.failed = p
		}
		return p
	}
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return fromHuma(status, msg, errs)
	}
}

// fromHuma turns what huma finds wrong with parameters into a problem, without
// the values it would echo.
func fromHuma(status int, msg string, errs []error) *Problem {
	k := kindBug
	switch status {
	case http.StatusUnprocessableEntity:
		k = kindInvalid
	case http.StatusBadRequest:
		k = kindMalformed
	}
	p := newProblem(k, "see errors for each field")
	if k == kindBug {
		p.Detail, p.cause = "this is a bug; the log has it under the request id", errors.Join(append(slices.Clone(errs), errors.New(msg))...)
		return p
	}
	for _, err := range errs {
		var d *huma.ErrorDetail
		if !errors.As(err, &d) {
			continue
		}
		_, name, _ := strings.Cut(d.Location, ".")
		name = name[:min(len(name), maxName)]
		p.Errors = append(p.Errors, Fault{Parameter: name, Detail: d.Message})
	}
	slices.SortStableFunc(p.Errors, func(a, b Fault) int { return strings.Compare(a.Parameter, b.Parameter) })
	return p
}
