package web

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/url"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// styleSheet is the look of every page.
//
//go:embed style.css
var styleSheet string

// icon is the picture on a browser's tab, as a data URL.
const icon = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E" +
	"%3Crect width='32' height='32' rx='6' fill='%23005f9e'/%3E" +
	"%3Cpath d='M5 22 L16 17 L27 6 L27 27 L16 21 Z' fill='%23fff' fill-opacity='.45'/%3E" +
	"%3Cpath d='M5 22 L27 15' stroke='%23fff' stroke-width='2.5'/%3E%3C/svg%3E"

// stylePath is where the style sheet is served; its name changes with its
// content, so that it may be kept for ever.
func stylePath() string {
	sum := sha256.Sum256([]byte(styleSheet))
	return "/static/style-" + hex.EncodeToString(sum[:6]) + ".css"
}

// referencePath is where the service shows its API; that page is not ours.
const referencePath = "/docs"

// assetPath is the page of an asset.
func assetPath(id string) string { return "/assets/" + url.PathEscape(id) }

// A document is one page.
type document struct {
	title, description string
	// here is the path of the page, for the navigation; empty in a single file.
	here string
	body []g.Node
}

// write writes the page as it is served: with a link to the style sheet and to
// the other pages.
func (d *document) write(w io.Writer) error {
	return d.html(
		h.Link(h.Rel("stylesheet"), h.Href(stylePath())),
		h.Header(h.Class("top"),
			h.A(h.Class("brand"), h.Href("/"), g.Text("pppq")),
			h.Nav(h.Aria("label", "Pages"),
				d.tab("/", "Overview"), d.tab("/report", "How good is it?"), d.tab(referencePath, "API"),
			),
		),
	).Render(w)
}

func (d *document) tab(path, name string) g.Node {
	return h.A(h.Href(path), g.If(d.here == path, h.Aria("current", "page")), g.Text(name))
}

// writeFile writes the page as one file that needs nothing beside it.
func (d *document) writeFile(w io.Writer) error {
	sum := sha256.Sum256([]byte(styleSheet))
	policy := "default-src 'none'; img-src data:; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	return d.html(
		g.Group{
			h.Meta(g.Attr("http-equiv", "Content-Security-Policy"), h.Content(policy)),
			h.StyleEl(g.Raw(styleSheet)),
		},
		h.Header(h.Class("top"), h.Span(h.Class("brand"), g.Text("pppq"))),
	).Render(w)
}

func (d *document) html(style, header g.Node) g.Node {
	return h.Doctype(h.HTML(h.Lang("en"),
		h.Head(
			h.Meta(h.Charset("utf-8")),
			h.Meta(h.Name("viewport"), h.Content("width=device-width, initial-scale=1")),
			h.Meta(h.Name("color-scheme"), h.Content("light dark")),
			h.Meta(h.Name("description"), h.Content(d.description)),
			h.TitleEl(g.Text(d.title)),
			h.Link(h.Rel("icon"), h.Href(icon)),
			style,
		),
		h.Body(
			h.A(h.Class("skip"), h.Href("#main"), g.Text("Skip to the content")),
			header,
			h.Main(h.ID("main"), g.Group(d.body)),
			h.Footer(
				h.P(g.Text("No advice. A forecast is a probability from one country's record; it can be right and you can still lose. "+
					"Before taxes, trading costs and storage.")),
			),
		),
	))
}

// A cell is one field of a table.
type cell struct {
	text  string
	class string
	// node stands in place of text, where it is set.
	node g.Node
}

func (c cell) content() g.Node {
	if c.node != nil {
		return c.node
	}
	return g.Text(c.text)
}

func (c cell) attrs() g.Node { return g.If(c.class != "", h.Class(c.class)) }

// cells makes plain ones.
func cells(texts ...string) []cell {
	out := make([]cell, len(texts))
	for i, t := range texts {
		out[i].text = t
	}
	return out
}

// A table is a caption, a line of headings and rows whose first field is a
// heading too.
type table struct {
	caption string
	class   string
	head    []string
	rows    [][]cell
}

// node renders the table inside a region that scrolls by itself where the
// screen is too narrow.
func (t table) node() g.Node {
	head := make(g.Group, 0, len(t.head))
	for _, s := range t.head {
		head = append(head, h.Th(h.Scope("col"), g.Text(s)))
	}
	rows := make(g.Group, 0, len(t.rows))
	for _, row := range t.rows {
		fields := make(g.Group, 0, len(row))
		for i, c := range row {
			if i == 0 {
				fields = append(fields, h.Th(h.Scope("row"), c.attrs(), c.content()))
			} else {
				fields = append(fields, h.Td(c.attrs(), c.content()))
			}
		}
		rows = append(rows, h.Tr(fields))
	}
	return scrolling(t.caption, h.Table(g.If(t.class != "", h.Class(t.class)),
		h.Caption(g.Text(t.caption)), h.THead(h.Tr(head)), h.TBody(rows)))
}

// scrolling is a region that can be reached and moved by keyboard.
func scrolling(label string, n g.Node) g.Node {
	return h.Div(h.Class("scroll"), h.Role("region"), h.Aria("label", label), h.TabIndex("0"), n)
}

// section is a part of a page with a heading that can be linked to.
func section(id, title string, nodes ...g.Node) g.Node {
	return h.Section(h.ID(id), h.Aria("labelledby", id+"-title"), h.H2(h.ID(id+"-title"), g.Text(title)), g.Group(nodes))
}

// panels shows pictures side by side with what they say under them.
func panels(class, caption string, pictures ...g.Node) g.Node {
	return h.Figure(h.Class("panels "+class), h.Div(h.Class("grid"), g.Group(pictures)), h.FigCaption(g.Text(caption)))
}

func para(text string) g.Node { return h.P(g.Text(text)) }

// bullets is a list of lines, nothing if there are none.
func bullets(class string, lines []string) g.Node {
	if len(lines) == 0 {
		return nil
	}
	items := make(g.Group, 0, len(lines))
	for _, l := range lines {
		items = append(items, h.Li(g.Text(l)))
	}
	return h.Ul(h.Class(class), items)
}

// notice is a banner; strong ones are read out at once.
func notice(class, text string) g.Node {
	return h.P(h.Class("notice "+class), h.Role("note"), g.Text(text))
}
