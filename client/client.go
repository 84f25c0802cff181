// Package client calls a pppq service over HTTP.
//
//	c, err := client.New("http://127.0.0.1:8000", client.Options{})
//	f, err := c.Predict(ctx, client.Question{Asset: "Gold", HorizonYears: 5})
//
// Refusals are a *Problem, with the fields that are wrong. The types hold the
// parts of the service's OpenAPI document (/openapi.json) that programs mostly
// need; members that a newer service adds are ignored. The package needs nothing
// but the standard library.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// maxAnswer bounds an answer that is read into memory.
	maxAnswer = 64 << 20
	// maxAttempts and maxWait bound how a request is tried again.
	maxAttempts = 3
	maxWait     = 10 * time.Second
)

// Options say how to call a service; the zero value is fine for one without keys.
type Options struct {
	// Key is an API key, sent as a bearer token.
	Key string
	// HTTP is the client to use; nil for one with a timeout of 60 seconds.
	HTTP *http.Client
	// UserAgent is sent along if set.
	UserAgent string
}

// A Client calls one service. It is safe for concurrent use.
type Client struct {
	base    *url.URL
	options Options
}

// New makes a client of the service at address, as "https://pppq.example.com".
func New(address string, o Options) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil || strings.ContainsAny(address, "?#") || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("client: address %q: want http://host or https://host", address)
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{Timeout: time.Minute}
	}
	return &Client{base: base, options: o}, nil
}

// A Problem is a refusal of the service (RFC 9457).
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	// Errors has one entry a wrong field.
	Errors []Fault `json:"errors"`
	// Near are names that come near an unknown asset.
	Near      []string `json:"near"`
	RequestID string   `json:"request_id"`
	// RetryAfter is how long to wait before trying again; 0 if the service did
	// not say.
	RetryAfter time.Duration `json:"-"`
}

// A Fault is one wrong field.
type Fault struct {
	// Pointer is a JSON pointer into the body, Parameter the name of a parameter.
	Pointer   string `json:"pointer"`
	Parameter string `json:"parameter"`
	Detail    string `json:"detail"`
}

// Error says what was wrong, the fields included.
func (p *Problem) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%d)", p.Title, p.Status)
	if p.Detail != "" {
		b.WriteString(": " + p.Detail)
	}
	for _, f := range p.Errors {
		fmt.Fprintf(&b, "; %s: %s", f.Pointer+f.Parameter, f.Detail)
	}
	if len(p.Near) > 0 {
		b.WriteString("; near: " + strings.Join(p.Near, ", "))
	}
	return b.String()
}

// Predict forecasts one asset.
func (c *Client) Predict(ctx context.Context, q Question) (*Forecast, error) {
	return post[Forecast](ctx, c, "/api/v1/predict", q)
}

// PredictBatch answers up to 1,000 questions; the result has one entry a
// question, in order.
func (c *Client) PredictBatch(ctx context.Context, questions []Question) ([]BatchLine, error) {
	out, err := post[struct {
		Items []BatchLine `json:"items"`
	}](ctx, c, "/api/v1/predict/batch", map[string]any{"items": questions})
	if err != nil {
		return nil, err
	}
	return out.Items, nil
}

// Compare ranks 2 to 10 assets over one horizon.
func (c *Client) Compare(ctx context.Context, assets []string, horizonYears float64, modelType string) ([]Ranked, error) {
	body := map[string]any{"assets": assets, "horizon_years": horizonYears}
	if modelType != "" {
		body["model_type"] = modelType
	}
	out, err := post[struct {
		Ranking []Ranked `json:"ranking"`
	}](ctx, c, "/api/v1/compare", body)
	if err != nil {
		return nil, err
	}
	return out.Ranking, nil
}

// Assets lists what can be forecast.
func (c *Client) Assets(ctx context.Context) ([]Asset, error) {
	out, err := get[struct {
		Assets []Asset `json:"assets"`
	}](ctx, c, "/api/v1/assets")
	if err != nil {
		return nil, err
	}
	return out.Assets, nil
}

// Model says what is in service.
func (c *Client) Model(ctx context.Context) (*Model, error) {
	return get[Model](ctx, c, "/api/v1/model")
}

// Health says whether the service can answer; one that can't is a *Health too,
// not an error.
func (c *Client) Health(ctx context.Context) (*Health, error) {
	h, err := get[Health](ctx, c, "/health")
	var p *unhealthy
	if errors.As(err, &p) {
		return &p.Health, nil
	}
	return h, err
}

// History returns the rows of an asset's history from one month to another
// ("YYYY-MM", "" for the whole record) in a deflator ("" for consumer prices),
// page by page until it is complete.
func (c *Client) History(ctx context.Context, asset, from, to, in string) ([]HistoryRow, error) {
	query := url.Values{"limit": {"1200"}}
	for name, v := range map[string]string{"from": from, "to": to, "in": in} {
		if v != "" {
			query.Set(name, v)
		}
	}
	var rows []HistoryRow
	for next := "/api/v1/assets/" + url.PathEscape(asset) + "/history?" + query.Encode(); next != ""; {
		page, err := get[struct {
			Rows []HistoryRow `json:"rows"`
			Next string       `json:"next"`
		}](ctx, c, next)
		if err != nil {
			return nil, err
		}
		rows = append(rows, page.Rows...)
		next = page.Next
		if len(page.Rows) == 0 {
			break
		}
	}
	return rows, nil
}

// Promote puts a version into service, Rollback the one before it, Reload what
// the service's folder of models has in service. They need an admin key and
// return the version that answers then.
func (c *Client) Promote(ctx context.Context, version string) (string, error) {
	return c.administer(ctx, "promote", map[string]string{"version": version})
}

// Rollback is described at Promote.
func (c *Client) Rollback(ctx context.Context) (string, error) {
	return c.administer(ctx, "rollback", nil)
}

// Reload is described at Promote.
func (c *Client) Reload(ctx context.Context) (string, error) { return c.administer(ctx, "reload", nil) }

func (c *Client) administer(ctx context.Context, what string, body any) (string, error) {
	out, err := post[struct {
		Version string `json:"version"`
	}](ctx, c, "/api/v1/models/"+what, body)
	if err != nil {
		return "", err
	}
	return out.Version, nil
}

func get[T any](ctx context.Context, c *Client, target string) (*T, error) {
	return do[T](ctx, c, http.MethodGet, target, nil)
}

func post[T any](ctx context.Context, c *Client, target string, body any) (*T, error) {
	if body == nil {
		return do[T](ctx, c, http.MethodPost, target, nil)
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	return do[T](ctx, c, http.MethodPost, target, text)
}

// do sends a request; what the service was too busy for (429, 503 with
// Retry-After) is tried again, waiting as long as it says.
func do[T any](ctx context.Context, c *Client, method, target string, body []byte) (*T, error) {
	for attempt := 1; ; attempt++ {
		out, err := once[T](ctx, c, method, target, body)
		var p *Problem
		if err == nil || attempt == maxAttempts || !errors.As(err, &p) || p.RetryAfter == 0 || p.RetryAfter > maxWait || p.Status != http.StatusTooManyRequests && p.Status != http.StatusServiceUnavailable {
			return out, err
		}
		wait := time.NewTimer(p.RetryAfter)
		select {
		case <-ctx.Done():
			wait.Stop()
			return nil, errors.Join(err, ctx.Err())
		case <-wait.C:
		}
	}
}

func once[T any](ctx context.Context, c *Client, method, target string, body []byte) (*T, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base.String()+target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.options.Key != "" {
		req.Header.Set("Authorization", "Bearer "+c.options.Key)
	}
	if c.options.UserAgent != "" {
		req.Header.Set("User-Agent", c.options.UserAgent)
	}
	resp, err := c.options.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("client: read the answer to %s: %w", target, err)
	case len(text) > maxAnswer:
		return nil, fmt.Errorf("client: the answer to %s is larger than %d bytes", target, maxAnswer)
	case resp.StatusCode != http.StatusOK:
		return nil, refusal(resp, text)
	}
	out := new(T)
	if err := json.Unmarshal(text, out); err != nil {
		return nil, fmt.Errorf("client: the answer to %s is not what a pppq service gives: %w", target, err)
	}
	return out, nil
}

// unhealthy carries the answer of /health that is no problem.
type unhealthy struct{ Health }

func (u *unhealthy) Error() string { return "unhealthy: " + u.Reason }

// refusal is the problem of an answer, or what can be said of one by something
// else on the way.
func refusal(resp *http.Response, text []byte) error {
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	var h unhealthy
	if media == "application/json" && json.Unmarshal(text, &h) == nil && h.Status == "unhealthy" {
		return &h
	}
	p := &Problem{}
	if media != "application/problem+json" || json.Unmarshal(text, p) != nil {
		p = &Problem{Title: http.StatusText(resp.StatusCode), Detail: "not an answer of a pppq service"}
	}
	p.Status = resp.StatusCode
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
		p.RetryAfter = time.Duration(s) * time.Second
	}
	return p
}
