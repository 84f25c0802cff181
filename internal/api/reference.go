package api

import (
	"embed"
	"encoding/json"
	"net/http"
	"sync"
)

// reference is the page of /docs: one document, one script, one style sheet.
//
//go:embed reference
var reference embed.FS

// referencePolicy lets the page use its own script, style sheet and this
// service, and nothing else.
const referencePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (h *Handler) registerReference() {
	static := policy{scope: open}
	file := func(path, name, media string) {
		text, err := reference.ReadFile("reference/" + name)
		if err != nil {
			panic("api: " + err.Error()) // the file is part of the program
		}
		h.plain(http.MethodGet, path, static, func(c *call) {
			header := c.w.Header()
			pageHeaders(header)
			header.Set("Content-Type", media)
			header.Set("Content-Security-Policy", referencePolicy)
			header.Set("Cache-Control", "no-cache")
			c.status = http.StatusOK
			c.out.Write(text)
		})
	}
	file("/docs", "page.html", "text/html; charset=utf-8")
	file("/docs/page.js", "page.js", "text/javascript; charset=utf-8")
	file("/docs/page.css", "page.css", "text/css; charset=utf-8")
	document := sync.OnceValues(h.OpenAPI)
	h.plain(http.MethodGet, "/openapi.json", static, func(c *call) {
		text, err := document()
		if err != nil {
			c.failed = err
			return
		}
		c.w.Header().Set("Content-Type", jsonType)
		c.w.Header().Set("Cache-Control", "no-cache")
		c.status = http.StatusOK
		c.out.Write(text)
	})
}

// OpenAPI returns the OpenAPI 3.1 document of every operation, indented; its
// bytes are the same each time.
func (h *Handler) OpenAPI() ([]byte, error) {
	text, err := json.MarshalIndent(h.api.OpenAPI(), "", "  ")
	return append(text, '\n'), err
}
