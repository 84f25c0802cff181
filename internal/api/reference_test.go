package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

func TestOpenAPIGolden(t *testing.T) {
	t.Parallel()
	got, err := setup(t, nil).OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "openapi.json")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the OpenAPI document changed; look at the difference after `go test ./internal/api -run OpenAPIGolden -update`")
	}
	if again, _ := setup(t, nil).OpenAPI(); !bytes.Equal(got, again) {
		t.Error("the document is not the same each time")
	}
}

// A document as the examples need it.
type document struct {
	Paths map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Parameters  []struct {
			Name, In string
			Required bool
			Example  any
			Schema   struct {
				Examples []any
			}
		}
		RequestBody struct {
			Content map[string]struct{ Example any }
		}
		Responses map[string]any
		Security  []map[string]any
	}
}

// Every operation is called with the examples of the document and must answer
// with a status that the document names.
func TestExamplesOfTheReference(t *testing.T) {
	t.Parallel()
	key, line := testKey(t, "admin", "admin")
	dir := t.TempDir()
	f := setup(t, func(o *Options) { o.Keys = parseKeys(t, line); o.Models.Dir = copyStore(t, dir) })
	text := f.get("/openapi.json").want(200).Body.Bytes()
	var doc document
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	// What these change is not there to be changed.
	others := map[string]int{"promote": 404, "rollback": 409}
	called := 0
	for path, item := range doc.Paths {
		for method, op := range item {
			target, query := path, url.Values{}
			for _, p := range op.Parameters {
				ex := p.Example
				if ex == nil && len(p.Schema.Examples) > 0 {
					ex = p.Schema.Examples[0]
				}
				if ex == nil {
					if p.Required {
						t.Errorf("%s: parameter %s has no example", op.OperationID, p.Name)
					}
					continue
				}
				word := strings.Trim(string(must(json.Marshal(ex))), `"`)
				if p.In == "path" {
					target = strings.ReplaceAll(target, "{"+p.Name+"}", url.PathEscape(word))
				} else {
					query.Set(p.Name, word)
				}
			}
			if len(query) > 0 {
				target += "?" + query.Encode()
			}
			body, media := "", ""
			for m, c := range op.RequestBody.Content {
				if c.Example == nil {
					continue
				}
				media = m
				if body, _ = c.Example.(string); body == "" {
					body = string(must(json.Marshal(c.Example)))
				}
			}
			if len(op.RequestBody.Content) > 0 && body == "" {
				t.Errorf("%s: a body without an example", op.OperationID)
			}
			x := f.do(strings.ToUpper(method), target, body, "X-API-Key", key, "Content-Type", media)
			want := 200
			if other, ok := others[op.OperationID]; ok {
				want = other
			}
			if x.Code != want {
				t.Errorf("%s: status %d, want %d: %.300s", op.OperationID, x.Code, want, x.Body)
			}
			if _, named := op.Responses[itoa(x.Code)]; !named && op.Responses["default"] == nil {
				t.Errorf("%s: status %d is not in the document", op.OperationID, x.Code)
			}
			called++
		}
	}
	if called < 20 {
		t.Errorf("%d operations in the document", called)
	}
}

// Every operation names the problem of whatever it does not list, and what its
// answers look like.
func TestEveryAnswerIsDescribed(t *testing.T) {
	t.Parallel()
	var doc struct {
		Paths map[string]map[string]struct {
			Responses map[string]struct{ Content map[string]any }
		}
	}
	if err := json.Unmarshal(must(setup(t, nil).OpenAPI()), &doc); err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.Paths {
		for method, op := range item {
			if op.Responses["default"].Content[problemType] == nil {
				t.Errorf("%s %s has no default", method, path)
			}
			for status, r := range op.Responses {
				if len(r.Content) == 0 && status != "304" {
					t.Errorf("%s %s: %s has no content", method, path, status)
				}
			}
		}
	}
}

// The page uses nothing but its own script and style sheet.
func TestReferenceIsOffline(t *testing.T) {
	t.Parallel()
	f := setupPages(t, nil, map[string]http.Handler{"GET /{$}": http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})})
	page := f.get("/docs").want(200)
	policy := page.Header().Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("policy %q without %s", policy, part)
		}
	}
	html := page.Body.String()
	if regexp.MustCompile(`(?i)https?:|style=|<style|onclick|javascript:|<script>`).MatchString(html) {
		t.Error("the page has a foreign address, or script or style inside it")
	}
	refs := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(html, -1)
	if len(refs) < 3 {
		t.Fatalf("%d references in the page", len(refs))
	}
	for _, ref := range refs {
		f.get(ref[1]).want(200)
	}
	script := f.get("/docs/page.js").Body.String()
	if regexp.MustCompile(`innerHTML|eval\(|https?:|import\(`).MatchString(script) {
		t.Error("the script makes markup of text, or loads from elsewhere")
	}
}

// Every route has an entry, but for pages and files.
func TestEveryRouteIsDocumented(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	doc := f.api.OpenAPI()
	for _, r := range f.routes {
		if slices.Contains([]string{"/docs", "/docs/page.js", "/docs/page.css", "/openapi.json"}, r.template) {
			continue
		}
		item := doc.Paths[r.template]
		if item == nil || r.method == http.MethodGet && item.Get == nil || r.method == http.MethodPost && item.Post == nil {
			t.Errorf("%s %s is not in the document", r.method, r.template)
		}
	}
}
