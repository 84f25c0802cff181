package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// mostDrawnLeaves bounds the size of a picture.
const mostDrawnLeaves = 4096

// Measures of the picture, in pixels. The root is on the left and leaves are on the right, one below the other; of two
// branches the upper one is the answer yes.
const (
	svgMargin     = 28
	svgHead       = 84
	svgLeafStep   = 34 // from a leaf to the next
	svgNodeHeight = 40
	svgLeafHeight = 24
	svgGap        = 74 // between a node and its children
	svgCharWidth  = 7.2
	svgLongest    = 26 // characters of a line of text
	svgThickest   = 16 // of a branch
)

// svgStyle follows the reader's choice of a light or a dark page.
const svgStyle = `
  svg { --page: #fcfcfa; --ink: #23292f; --faint: #6b747d; --card: #ffffff; --edge: #c9d0d6; --branch: #9fb0bd; background: var(--page); }
  @media (prefers-color-scheme: dark) {
    svg { --page: #15191d; --ink: #e8ecef; --faint: #97a1aa; --card: #20262c; --edge: #3c464f; --branch: #566672; }
  }
  text { font-family: "Inter", "Segoe UI", "Helvetica Neue", Arial, sans-serif; font-size: 12.5px; fill: var(--ink); }
  .title { font-size: 19px; font-weight: 650; }
  .faint, .way { fill: var(--faint); font-size: 11.5px; }
  .way { font-size: 10.5px; }
  .name { font-weight: 600; }
  .card { fill: var(--card); stroke: var(--edge); stroke-width: 1; }
  .branch { fill: none; stroke: var(--branch); stroke-linecap: round; opacity: .55; }
  .missing { fill: var(--page); stroke: var(--branch); stroke-width: 2; }
  .leaf text { fill: #1d2227; }
`

// drawnNode is a node with its place.
type drawnNode struct {
	node, parent int32 // parent is an index into the drawn nodes, -1 for the root
	depth        int
	y            float64
	yes, missing bool
	feature      string
	test         string
}

// writeSVG draws the tree. Branches are as thick as what goes through them, leaves are coloured by their value.
func (v *treeView) writeSVG(w io.Writer) error {
	nodes := v.layout()
	left, widths := columns(nodes)
	last := len(left) - 1
	width := max(left[last]+widths[last], 560) + 2*svgMargin
	height := float64(svgHead + svgLeafStep*v.tree.NumLeaves() + svgMargin)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, "<title>%s</title>\n<style>%s</style>\n", escape(v.title()), svgStyle)
	fmt.Fprintf(&b, `<text class="title" x="%d" y="38">%s</text>`+"\n", svgMargin, escape(strings.ToUpper(v.title()[:1])+v.title()[1:]))
	objective := v.model.Objective.Name
	if objective != "" {
		objective = ", objective " + objective
	}
	fmt.Fprintf(&b, `<text class="faint" x="%d" y="60">%s</text>`+"\n", svgMargin, escape(fmt.Sprintf(
		"%v model%s. Upper branch: yes. A ring marks where missing values go. Thickness: share of the training rows.", v.model.Family, objective)))
	v.drawBranches(&b, nodes, left, widths)
	v.drawNodes(&b, nodes, left, widths)
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// layout places the nodes, parents before children.
func (v *treeView) layout() []drawnNode {
	nodes := []drawnNode{{node: v.root(), parent: -1}}
	leaves := 0
	// Depth first, the upper branch first, so that leaves come in the order of their places.
	stack := []int32{0}
	for len(stack) > 0 {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if nodes[at].node < 0 {
			nodes[at].y = svgHead + svgLeafStep*(float64(leaves)+0.5)
			leaves++
			continue
		}
		feature, test, yes, no, missing := v.condition(int(nodes[at].node))
		nodes[at].feature, nodes[at].test = feature, test
		depth := nodes[at].depth + 1
		nodes = append(nodes, drawnNode{node: yes, parent: at, depth: depth, yes: true, missing: missing},
			drawnNode{node: no, parent: at, depth: depth, missing: !missing})
		stack = append(stack, int32(len(nodes)-1), int32(len(nodes)-2))
	}
	for i := len(nodes) - 1; i > 0; i-- { // both children have their place before the parent gets its own
		nodes[nodes[i].parent].y += nodes[i].y / 2
	}
	return nodes
}

// columns returns where the nodes of each depth start, and how wide they are.
func columns(nodes []drawnNode) (left, widths []float64) {
	for i := range nodes {
		n := &nodes[i]
		for len(widths) <= n.depth {
			widths = append(widths, 90)
		}
		longest := max(utf8.RuneCountInString(shorten(n.feature)), utf8.RuneCountInString(shorten(n.test)))
		widths[n.depth] = max(widths[n.depth], 24+svgCharWidth*float64(longest))
	}
	x := 0.0
	for _, w := range widths {
		left = append(left, x)
		x += w + svgGap
	}
	return left, widths
}

func (v *treeView) drawBranches(b *strings.Builder, nodes []drawnNode, left, widths []float64) {
	total, _, known := v.cover(v.root())
	for i := range nodes {
		n := &nodes[i]
		if n.parent < 0 {
			continue
		}
		p := &nodes[n.parent]
		thick := 2.0
		if c, _, ok := v.cover(n.node); ok && known && total > 0 && c >= 0 {
			thick = max(1.2, svgThickest*math.Sqrt(min(1, c/total)))
		}
		x1, x2 := svgMargin+left[p.depth]+widths[p.depth], svgMargin+left[n.depth]
		y1 := p.y - 7
		if !n.yes {
			y1 = p.y + 7
		}
		middle := (x1 + x2) / 2
		fmt.Fprintf(b, `<path class="branch" stroke-width="%.1f" d="M%.1f %.1f C%.1f %.1f %.1f %.1f %.1f %.1f"/>`+"\n", thick, x1, y1, middle, y1, middle, n.y, x2, n.y)
		if n.missing {
			fmt.Fprintf(b, `<circle class="missing" cx="%.1f" cy="%.1f" r="4"><title>missing values go here</title></circle>`+"\n", x1+9, y1)
		}
	}
}

func (v *treeView) drawNodes(b *strings.Builder, nodes []drawnNode, left, widths []float64) {
	largest := 0.0
	for _, value := range v.tree.LeafValue {
		if math.Abs(value) <= math.MaxFloat64 {
			largest = max(largest, math.Abs(value))
		}
	}
	for i := range nodes {
		n := &nodes[i]
		x, wide := svgMargin+left[n.depth], widths[n.depth]
		cover := v.coverText(n.node)
		if n.node < 0 {
			value := v.tree.LeafValue[^n.node]
			text := fmt.Sprintf("%+.4g", value)
			fmt.Fprintf(b, `<g class="leaf"><title>%s</title><rect x="%.1f" y="%.1f" width="90" height="%d" rx="12" fill="%s"/>`,
				escape(fmt.Sprintf("leaf %d: %v\n%s", v.leafName(^n.node), value, cover)), x, n.y-svgLeafHeight/2, svgLeafHeight, leafColour(value, largest))
			fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">%s</text></g>`+"\n", x+45, n.y+4.5, text)
			continue
		}
		fmt.Fprintf(b, `<g><title>%s</title><rect class="card" x="%.1f" y="%.1f" width="%.1f" height="%d" rx="8"/>`,
			escape(fmt.Sprintf("%s %s\n%s", n.feature, n.test, cover)), x, n.y-svgNodeHeight/2, wide, svgNodeHeight)
		fmt.Fprintf(b, `<text class="name" x="%.1f" y="%.1f">%s</text>`, x+12, n.y-3.5, escape(shorten(n.feature)))
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f">%s</text></g>`+"\n", x+12, n.y+12.5, escape(strings.Replace(shorten(n.test), "<=", "≤", 1)))
	}
}

// leafColour goes from blue over a near white to orange.
func leafColour(value, largest float64) string {
	if largest == 0 || value != value {
		return "#eceff1"
	}
	share := math.Sqrt(min(1, math.Abs(value)/largest))
	to := [3]float64{246, 164, 92}
	if value < 0 {
		to = [3]float64{104, 168, 222}
	}
	from := [3]float64{240, 241, 240}
	var c [3]int
	for i := range c {
		c[i] = int(from[i] + share*(to[i]-from[i]))
	}
	return fmt.Sprintf("#%02x%02x%02x", c[0], c[1], c[2])
}

// shorten cuts a line of text to what a node has room for.
func shorten(text string) string {
	if utf8.RuneCountInString(text) <= svgLongest {
		return text
	}
	return string([]rune(text)[:svgLongest-1]) + "…"
}

// escape makes text safe inside XML; characters that XML does not have become U+FFFD.
func escape(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '&':
			b.WriteString("&amp;")
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '"':
			b.WriteString("&quot;")
		case r < ' ' && r != '\n' && r != '\t' || r == 0xfffe || r == 0xffff:
			b.WriteRune(utf8.RuneError)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
