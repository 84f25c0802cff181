package web

import (
	"strings"
	"unicode"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// maxEcho is how much of what a reader asked for is said back, in characters.
const maxEcho = 64

// printable makes what a reader typed safe to show: what can't be seen is a
// dot, what is long is cut.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '·'
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > maxEcho {
		return string(runes[:maxEcho]) + "…"
	}
	return s
}

// messagePage says what is wrong and what to do; near are assets to go to.
func messagePage(title, what, next string, near []string) *document {
	body := []g.Node{h.H1(g.Text(title)), h.P(h.Class("lead"), g.Text(what))}
	if next != "" {
		body = append(body, para(next))
	}
	if len(near) > 0 {
		body = append(body, para("Perhaps you meant:"), assetLinks(near, ""))
	}
	return &document{
		title: title + " · pppq", description: what,
		body: append(body, h.P(h.A(h.Href("/"), g.Text("To the overview")))),
	}
}

// assetLinks are links to the pages of assets; here is the one the reader is on.
func assetLinks(ids []string, here string) g.Node {
	items := make(g.Group, 0, len(ids))
	for _, id := range ids {
		items = append(items, h.Li(h.A(h.Href(assetPath(id)), g.If(id == here, h.Aria("current", "page")), g.Text(id))))
	}
	return h.Ul(h.Class("links"), items)
}
