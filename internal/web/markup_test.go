package web

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
)

// An element is a node of a parsed page.
type element struct {
	name     string
	attrs    map[string]string
	children []*element
	// text is the element's own text and that of its children, in order.
	text string
	own  strings.Builder
}

// parseHTML parses a page. It is stricter than a browser: every element that is
// not void must be closed where it belongs.
func parseHTML(page []byte) (*element, error) {
	d := xml.NewDecoder(strings.NewReader(string(page)))
	d.Strict = false
	d.AutoClose = []string{"meta", "link", "br", "hr", "img", "input"}
	d.Entity = xml.HTMLEntity
	root := &element{name: "document"}
	stack := []*element{root}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if len(stack) != 1 {
				return nil, fmt.Errorf("%s is not closed", stack[len(stack)-1].name)
			}
			root.text = root.own.String()
			return root, nil
		}
		if err != nil {
			return nil, err
		}
		switch v := token.(type) {
		case xml.StartElement:
			e := &element{name: v.Name.Local, attrs: map[string]string{}}
			for _, a := range v.Attr {
				if _, twice := e.attrs[a.Name.Local]; twice {
					return nil, fmt.Errorf("%s has the attribute %s twice", e.name, a.Name.Local)
				}
				e.attrs[a.Name.Local] = a.Value
			}
			top := stack[len(stack)-1]
			top.children = append(top.children, e)
			stack = append(stack, e)
		case xml.EndElement:
			top := stack[len(stack)-1]
			if top.name != v.Name.Local {
				return nil, fmt.Errorf("%s is closed by %s", top.name, v.Name.Local)
			}
			top.text = top.own.String()
			stack = stack[:len(stack)-1]
		case xml.CharData:
			for _, e := range stack {
				e.own.Write(v)
			}
		}
	}
}

func mustParse(t testing.TB, page []byte) *element {
	t.Helper()
	root, err := parseHTML(page)
	if err != nil {
		t.Fatalf("page can't be parsed: %v", err)
	}
	return root
}

// each calls f for an element and all under it.
func (e *element) each(f func(*element)) {
	f(e)
	for _, c := range e.children {
		c.each(f)
	}
}

// all returns the elements of a name.
func (e *element) all(name string) []*element {
	var out []*element
	e.each(func(x *element) {
		if x.name == name {
			out = append(out, x)
		}
	})
	return out
}

func (e *element) has(class string) bool {
	for _, c := range strings.Fields(e.attrs["class"]) {
		if c == class {
			return true
		}
	}
	return false
}

// tables returns the tables by caption.
func (e *element) tables() map[string]*element {
	out := map[string]*element{}
	for _, t := range e.all("table") {
		for _, c := range t.all("caption") {
			out[c.text] = t
		}
	}
	return out
}

// rows are the fields of a table's body.
func (e *element) rows() [][]string {
	var out [][]string
	for _, body := range e.all("tbody") {
		for _, tr := range body.all("tr") {
			var row []string
			for _, c := range tr.children {
				row = append(row, c.text)
			}
			out = append(out, row)
		}
	}
	return out
}

// checkMarkup holds a page against the house rules: what can't be seen is told,
// nothing is styled or scripted in place, nothing comes from another host.
func checkMarkup(t *testing.T, page []byte, single bool) *element {
	t.Helper()
	root := mustParse(t, page)
	ids := map[string]bool{}
	root.each(func(e *element) {
		if id, ok := e.attrs["id"]; ok {
			if ids[id] || id == "" {
				t.Errorf("id %q is there twice or empty", id)
			}
			ids[id] = true
		}
	})
	root.each(func(e *element) {
		for name, v := range e.attrs {
			switch {
			case name == "style", strings.HasPrefix(name, "on"):
				t.Errorf("%s has the attribute %s", e.name, name)
			case name == "href", name == "src":
				checkLink(t, e, v, ids, single)
			case name == "aria-labelledby" && !ids[v]:
				t.Errorf("%s: aria-labelledby names %q, which is not there", e.name, v)
			}
		}
		switch e.name {
		case "script", "iframe", "object", "embed", "base", "form":
			t.Errorf("page holds a %s", e.name)
		case "style":
			if !single {
				t.Error("a served page holds a style element")
			}
		case "img":
			if e.attrs["alt"] == "" {
				t.Error("img without alt")
			}
		case "svg":
			if label := strings.TrimSpace(e.attrs["aria-label"]); e.attrs["role"] != "img" || len(label) < 20 || !strings.HasSuffix(label, ".") {
				t.Errorf("svg with role %q and aria-label %q: want img and whole sentences", e.attrs["role"], label)
			}
			if len(e.all("title")) != 1 {
				t.Errorf("svg %q: want one title", e.attrs["aria-label"])
			}
			checkPicture(t, e)
		case "table":
			if c := e.all("caption"); len(c) != 1 || strings.TrimSpace(c[0].text) == "" {
				t.Error("table without a caption")
			}
			for _, th := range e.all("th") {
				if th.attrs["scope"] == "" {
					t.Errorf("table heading %q without a scope", th.text)
				}
			}
		case "figure":
			if len(e.all("figcaption")) != 1 {
				t.Error("figure without a caption")
			}
		case "nav", "section", "article":
			if e.attrs["aria-label"] == "" && e.attrs["aria-labelledby"] == "" {
				t.Errorf("%s without a name", e.name)
			}
		}
	})
	if h1 := root.all("h1"); len(h1) != 1 {
		t.Errorf("%d h1, want 1", len(h1))
	}
	if html := root.all("html"); len(html) != 1 || html[0].attrs["lang"] != "en" {
		t.Error("html without lang")
	}
	return root
}

func checkLink(t *testing.T, e *element, to string, ids map[string]bool, single bool) {
	t.Helper()
	switch {
	case strings.HasPrefix(to, "#"):
		if !ids[to[1:]] {
			t.Errorf("link to %s, which is not there", to)
		}
	case strings.HasPrefix(to, "data:image/svg+xml,") && e.name == "link":
	case single || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//"):
		t.Errorf("%s leads to %q", e.name, to)
	}
}

// A box is where a text of a picture stands.
type box struct {
	text           string
	x1, y1, x2, y2 float64
}

// fontSizes are those of style.css, by class.
var fontSizes = []struct {
	class string
	size  float64
}{{"heading", 13.5}, {"label", 12}, {"value", 12}, {"tick", 10.5}, {"on-fill-a", 14}, {"on-fill-b", 14}, {"on-fill-c", 14}, {"on-fill-d", 14}}

// checkPicture wants every text of a picture inside it and none over another,
// with letters of a mean width of 0.56 of their height.
func checkPicture(t *testing.T, svg *element) {
	t.Helper()
	name := svg.attrs["aria-label"]
	view := strings.Fields(svg.attrs["viewBox"])
	if len(view) != 4 {
		t.Errorf("%s: viewBox %q", name, svg.attrs["viewBox"])
		return
	}
	width, height := number(t, view[2]), number(t, view[3])
	var boxes []box
	for _, e := range svg.all("text") {
		size := 0.0
		for _, f := range fontSizes {
			if e.has(f.class) {
				size = f.size
			}
		}
		if size == 0 {
			t.Errorf("%s: text %q has a class without a size: %q", name, e.text, e.attrs["class"])
			continue
		}
		x, y := number(t, e.attrs["x"]), number(t, e.attrs["y"])
		w := 0.56 * size * float64(len([]rune(e.text)))
		b := box{e.text, x, y - 0.72*size, x + w, y + 0.2*size}
		if e.has("mid") {
			b.x1, b.x2 = x-w/2, x+w/2
		}
		if e.has("end") {
			b.x1, b.x2 = x-w, x
		}
		if strings.HasPrefix(e.attrs["transform"], "rotate(-90") {
			b = box{e.text, x - 0.72*size, y - w/2, x + 0.2*size, y + w/2}
		}
		if b.x1 < -1 || b.y1 < -1 || b.x2 > width+1 || b.y2 > height+1 {
			t.Errorf("%s: text %q reaches outside: %.0f,%.0f to %.0f,%.0f in %.0f x %.0f", name, b.text, b.x1, b.y1, b.x2, b.y2, width, height)
		}
		for _, o := range boxes {
			if b.x1 < o.x2 && o.x1 < b.x2 && b.y1 < o.y2 && o.y1 < b.y2 {
				t.Errorf("%s: text %q stands over %q", name, b.text, o.text)
			}
		}
		boxes = append(boxes, b)
	}
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Errorf("coordinate %q: %v", s, err)
	}
	return v
}
