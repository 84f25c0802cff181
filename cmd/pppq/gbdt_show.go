package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/pppq/pppq/gbdt"
)

func gbdtShow() *cobra.Command {
	var model, svg string
	var tree, top int
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show", Short: "Show what is in a model: a summary, importances, a tree as text or as a picture", Args: exactly(0, "no arguments"),
		Example: "  pppq gbdt show --model model.txt\n  pppq gbdt show --model model.json --tree 0\n  pppq gbdt show --model model.txt --tree 0 --svg tree.svg",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needed(cmd, "model"); err != nil {
				return err
			}
			if err := checkTop(top); err != nil {
				return err
			}
			if err := notOver(cmd, "svg", "model"); err != nil {
				return err
			}
			m, err := loadModel(model)
			if err != nil {
				return err
			}
			drawing := svg != ""
			if !cmd.Flags().Changed("tree") && !drawing {
				s, err := summarize(m)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), s)
				}
				return s.print(cmd.OutOrStdout(), top)
			}
			if tree < 0 || tree >= len(m.Trees) {
				return usageError("--tree %d: the model has %s, counted from 0", tree, plural(len(m.Trees), "tree", "trees"))
			}
			v := newTreeView(m.Model, tree)
			switch {
			case drawing && asJSON:
				return usageError("--svg and --json at once")
			case drawing:
				if n := v.tree.NumLeaves(); n > mostDrawnLeaves {
					return fmt.Errorf("%s: tree %d has %d leaves, a picture shows at most %d", model, tree, n, mostDrawnLeaves)
				}
				return writeOut(cmd.OutOrStdout(), svg, v.writeSVG)
			case asJSON:
				return printJSON(cmd.OutOrStdout(), v.nodes())
			}
			return v.writeText(cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&model, "model", "", "`MODEL` file")
	f.IntVar(&tree, "tree", 0, "show tree `N`, counted from 0")
	f.StringVar(&svg, "svg", "", "draw the tree into `FILE`, - for standard output")
	f.IntVar(&top, "top", 20, "how many of the most important features to list")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// modelSummary is what "pppq gbdt show --json" prints.
type modelSummary struct {
	Family     string       `json:"family"`
	Version    string       `json:"version,omitempty"`
	Objective  string       `json:"objective"`
	Outputs    int          `json:"outputs"`
	Rounds     int          `json:"rounds"`
	Trees      int          `json:"trees"`
	Leaves     int          `json:"leaves"`
	MostLeaves int          `json:"most_leaves"`
	Depth      int          `json:"depth"`
	BaseMargin []*float64   `json:"base_margin"`
	Kinds      []string     `json:"kinds"`
	Features   []importance `json:"features"`
}

// importance is what the splits by a feature do.
type importance struct {
	Name   string  `json:"name"`
	Splits int     `json:"splits"`
	Gain   float64 `json:"gain"`
}

// summarize counts; features are in the order of their gain, then of their splits, then of the columns.
func summarize(m *modelFile) (*modelSummary, error) {
	s := &modelSummary{
		Family: m.Family.String(), Objective: cmp.Or(m.Objective.Name, "custom"), Outputs: m.Outputs, Rounds: m.NumRounds(), Trees: len(m.Trees),
		Kinds: []string{},
	}
	for _, b := range m.BaseMargin {
		s.BaseMargin = append(s.BaseMargin, jsonNumber(b))
	}
	if m.light != nil {
		s.Version = m.light.Version
	} else if m.xg.Version != nil {
		s.Version = strings.Trim(strings.ReplaceAll(fmt.Sprint(m.xg.Version), " ", "."), "[]")
	}
	for _, name := range m.FeatureNames {
		s.Features = append(s.Features, importance{Name: name})
	}
	kinds := map[string]bool{"average of rounds (random forest)": m.AverageOutput, "weights of trees (dart)": m.TreeWeights != nil}
	for i := range m.Trees {
		t := &m.Trees[i]
		s.Leaves += t.NumLeaves()
		s.MostLeaves, s.Depth = max(s.MostLeaves, t.NumLeaves()), max(s.Depth, t.Depth())
		kinds["linear leaves"] = kinds["linear leaves"] || t.Linear != nil
		for j := range t.Left {
			kinds["splits by category"] = kinds["splits by category"] || t.Categorical(j)
		}
	}
	if err := s.importances(m.Model); err != nil {
		return nil, err
	}
	for kind, has := range kinds {
		if has {
			s.Kinds = append(s.Kinds, kind)
		}
	}
	slices.Sort(s.Kinds)
	return s, nil
}

// importances fills in what splits do, and sorts. Gains are 0 where the file does not say them, or no numbers.
func (s *modelSummary) importances(m *gbdt.Model) error {
	splits, err := m.Importance(gbdt.ImportanceSplit, 0, 0)
	if err != nil {
		return err
	}
	gains, err := m.Importance(gbdt.ImportanceGain, 0, 0)
	if errors.Is(err, gbdt.ErrNoGain) {
		gains, err = make([]float64, len(splits)), nil
	}
	if err != nil {
		return err
	}
	for f := range s.Features {
		s.Features[f].Splits = int(splits[f])
		if g := gains[f]; g-g == 0 {
			s.Features[f].Gain = g
		}
	}
	slices.SortStableFunc(s.Features, func(a, b importance) int {
		return cmp.Or(cmp.Compare(b.Gain, a.Gain), cmp.Compare(b.Splits, a.Splits))
	})
	return nil
}

func (s *modelSummary) print(w io.Writer, top int) error {
	t := newTable(w)
	fmt.Fprintf(t, "family\t%s %s\n", s.Family, s.Version)
	fmt.Fprintf(t, "objective\t%s, outputs: %d\n", s.Objective, s.Outputs)
	fmt.Fprintf(t, "trees\t%d in %s, of up to %s and depth %d, %s together\n", s.Trees, plural(s.Rounds, "round", "rounds"),
		plural(s.MostLeaves, "leaf", "leaves"), s.Depth, plural(s.Leaves, "leaf", "leaves"))
	for _, kind := range s.Kinds {
		fmt.Fprintf(t, "\t%s\n", kind)
	}
	for k, b := range s.BaseMargin {
		if b != nil && *b != 0 {
			fmt.Fprintf(t, "base margin %d\t%.6g\n", k, *b)
		}
	}
	used, gain := 0, 0.0
	for _, f := range s.Features {
		if f.Splits > 0 {
			used++
		}
		gain += max(0, f.Gain)
	}
	fmt.Fprintf(t, "features\t%d, %d of them used\n", len(s.Features), used)
	if err := t.Flush(); err != nil || used == 0 {
		return err
	}
	t = newTable(w)
	fmt.Fprintln(t, "\nfeature\tsplits\tgain\tshare")
	for _, f := range s.Features[:min(top, used)] {
		share := 0.0
		if gain > 0 {
			share = max(0, f.Gain) / gain
		}
		fmt.Fprintf(t, "%s\t%d\t%.6g\t%4.1f %% %s\n", printable(f.Name), f.Splits, f.Gain, 100*share, strings.Repeat("#", int(share*40+0.5)))
	}
	return t.Flush()
}

// treeView is a tree with what is needed to name its parts.
type treeView struct {
	model  *gbdt.Model
	tree   *gbdt.Tree
	number int
}

func newTreeView(m *gbdt.Model, number int) *treeView {
	return &treeView{m, &m.Trees[number], number}
}

// title says which tree it is.
func (v *treeView) title() string {
	text := fmt.Sprintf("tree %d of %d", v.number, len(v.model.Trees))
	if v.model.Outputs > 1 {
		text += fmt.Sprintf(", output %d", v.tree.Output)
	}
	return text + fmt.Sprintf(", %s, depth %d", plural(v.tree.NumLeaves(), "leaf", "leaves"), v.tree.Depth())
}

// condition returns the feature of an inner node and what is asked of it; the children are the answers yes and no, and
// missing tells whether a missing value counts as yes.
func (v *treeView) condition(i int) (feature, test string, yes, no int32, missing bool) {
	t, light := v.tree, v.model.Family == gbdt.LightGBM
	feature, yes, no, missing = v.model.FeatureNames[t.Feature[i]], t.Left[i], t.Right[i], t.DefaultLeft(i)
	switch {
	case t.Categorical(i):
		test = "in {" + categories(t.CategorySet(i)) + "}"
		if light {
			missing = false
		} else { // XGBoost's sets name what goes right
			yes, no, missing = no, yes, !missing
		}
	case !light:
		test = fmt.Sprintf("< %v", float32(t.Threshold[i]))
	default:
		test = fmt.Sprintf("<= %.6g", t.Threshold[i])
		if t.Missing(i) == gbdt.MissingNone {
			missing = 0 <= t.Threshold[i]
		}
	}
	return feature, test, yes, no, missing
}

// categories lists a set, runs of three and more as first..last.
func categories(set []uint32) string {
	var parts []string
	for c := 0; c < 32*len(set); c++ {
		has := func(c int) bool { return c < 32*len(set) && set[c/32]>>(c%32)&1 != 0 }
		if !has(c) {
			continue
		}
		last := c
		for has(last + 1) {
			last++
		}
		switch {
		case last-c >= 2:
			parts = append(parts, fmt.Sprintf("%d..%d", c, last))
			c = last
		default:
			parts = append(parts, fmt.Sprint(c))
		}
	}
	return strings.Join(parts, ", ")
}

// printable returns a name from a file without what would steer a terminal.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, name)
}

// cover returns what is known of the cover of a node (c < 0: leaf ^c): rows, or else the sum of hessians.
func (v *treeView) cover(c int32) (cover float64, unit string, ok bool) {
	t := v.tree
	pick := func(leaf, inner bool) bool { return c < 0 && leaf || c >= 0 && inner }
	switch {
	case pick(t.LeafCount != nil, t.InternalCount != nil):
		if c < 0 {
			return float64(t.LeafCount[^c]), "rows", true
		}
		return float64(t.InternalCount[c]), "rows", true
	case pick(t.LeafWeight != nil, t.InternalWeight != nil):
		if c < 0 {
			return t.LeafWeight[^c], "hessian", true
		}
		return t.InternalWeight[c], "hessian", true
	}
	return 0, "", false
}

func (v *treeView) coverText(c int32) string {
	n, unit, ok := v.cover(c)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s %.6g", unit, n)
}

// root is the node number of the root: leaf 0 where there is no split.
func (v *treeView) root() int32 {
	if len(v.tree.Left) == 0 {
		return ^0
	}
	return 0
}

// leafName is the number by which the family's library calls a leaf.
func (v *treeView) leafName(leaf int32) int32 {
	if v.tree.LeafID != nil {
		return v.tree.LeafID[leaf]
	}
	return leaf
}

func (v *treeView) writeText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintln(&b, v.title())
	type item struct {
		node           int32
		prefix, branch string
	}
	stack := []item{{v.root(), "", ""}}
	for len(stack) > 0 { // trees may be deeper than a goroutine's stack should be
		it := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		under := it.prefix
		switch it.branch {
		case "yes":
			b.WriteString(it.prefix + "├─ yes: ")
			under += "│  "
		case "no":
			b.WriteString(it.prefix + "└─ no:  ")
			under += "   "
		}
		cover := v.coverText(it.node)
		if cover != "" {
			cover = " (" + cover + ")"
		}
		if it.node < 0 {
			linear := ""
			if v.tree.Linear != nil {
				linear = " and a linear model"
			}
			fmt.Fprintf(&b, "leaf %d: %.6g%s%s\n", v.leafName(^it.node), v.tree.LeafValue[^it.node], linear, cover)
			continue
		}
		feature, test, yes, no, missing := v.condition(int(it.node))
		way := "no"
		if missing {
			way = "yes"
		}
		fmt.Fprintf(&b, "%s %s, missing %s%s\n", printable(feature), test, way, cover)
		stack = append(stack, item{no, under, "no"}, item{yes, under, "yes"})
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// nodeView is a node as "pppq gbdt show --tree N --json" prints it.
type nodeView struct {
	Node    int      `json:"node"`
	Feature string   `json:"feature,omitempty"`
	Test    string   `json:"test,omitempty"`
	Yes     *int     `json:"yes,omitempty"`
	No      *int     `json:"no,omitempty"`
	Missing string   `json:"missing,omitempty"`
	Leaf    *int32   `json:"leaf,omitempty"`
	Value   *float64 `json:"value,omitempty"`
	Cover   *float64 `json:"cover,omitempty"`
	Gain    *float64 `json:"gain,omitempty"`
}

// nodes lists the inner nodes, then the leaves; nodes are named by their place in the list.
func (v *treeView) nodes() []nodeView {
	inner := len(v.tree.Left)
	place := func(c int32) *int {
		n := int(c)
		if c < 0 {
			n = inner + int(^c)
		}
		return &n
	}
	all := make([]nodeView, 0, 2*inner+1)
	add := func(n nodeView, c int32) {
		n.Node = len(all)
		if cover, _, ok := v.cover(c); ok {
			n.Cover = jsonNumber(cover)
		}
		all = append(all, n)
	}
	for i := range inner {
		n := nodeView{Missing: "no"}
		var yes, no int32
		var missing bool
		n.Feature, n.Test, yes, no, missing = v.condition(i)
		if n.Yes, n.No = place(yes), place(no); missing {
			n.Missing = "yes"
		}
		if v.tree.Gain != nil {
			n.Gain = jsonNumber(v.tree.Gain[i])
		}
		add(n, int32(i))
	}
	for i := range v.tree.LeafValue {
		name := v.leafName(int32(i))
		add(nodeView{Leaf: &name, Value: jsonNumber(v.tree.LeafValue[i])}, ^int32(i))
	}
	return all
}
