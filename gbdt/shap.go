package gbdt

import (
	"context"
	"errors"
	"fmt"
)

// ErrNoContributions is wrapped where a model cannot be explained: linear leaves, trees without counts (LightGBM) or
// weights (XGBoost), or trees so deep that the memory for it has no reasonable bound.
var ErrNoContributions = errors.New("no contributions")

// shapPathLimit bounds the path elements that one row's computation holds.
const shapPathLimit = 1 << 20

// shapTree is a tree prepared for contributions.
type shapTree struct {
	walk *walkTree
	// inner and leaf are the covers of the nodes: rows (LightGBM) or sums of hessians (XGBoost).
	inner, leaf []float64
	// mean is the cover-weighted mean of the leaf values, without the tree's weight.
	mean float64
	// depth is the tree's.
	depth int
}

// shap is the part of a Predictor that contributions need; it is made when first asked for.
type shap struct {
	trees []shapTree
	// depth is the largest of the trees, width the largest number of elements of a path.
	depth, width int
	err          error
}

// pathElement is one feature on the way to a node: the part of the paths that go on where the feature is not known
// (zero) and where it is (one), and the summed weight of the subsets that hold as many features as stand before it.
type pathElement struct {
	feature   int32
	zero, one float64
	weight    float64
}

// Contributions writes how much each feature adds to each raw score of the row to dst: for each of the NumRaw outputs
// NumFeatures values and, last, the expected raw score. They add up to the raw score. These are Shapley values of the
// game in which an unknown feature is averaged over by the covers in the trees (path-dependent TreeSHAP), in float64.
// It allocates working memory. The error wraps ErrNoContributions for models that cannot be explained.
//
// Source: Lundberg et al., From local explanations to global understanding with explainable AI for trees (2020),
// algorithm 2.
func (p *Predictor) Contributions(dst, row []float64) error {
	if err := p.checkRow(len(dst), p.NumRaw()*(p.NumFeatures()+1), row); err != nil {
		return err
	}
	s, err := p.prepareShap()
	if err != nil {
		return err
	}
	s.contributions(p, dst, row, s.newPaths())
	return nil
}

// ContributionsBatch is Contributions for each row of x, as RawBatch is Raw.
func (p *Predictor) ContributionsBatch(ctx context.Context, dst []float64, x Matrix) error {
	width := p.NumRaw() * (p.NumFeatures() + 1)
	if err := p.checkBatch(len(dst), width, x); err != nil {
		return err
	}
	s, err := p.prepareShap()
	if err != nil {
		return err
	}
	free := make(chan []pathElement, threadCount(p.threads))
	return p.batch(ctx, x, func(i int, row []float64) {
		var paths []pathElement
		select {
		case paths = <-free:
		default:
			paths = s.newPaths()
		}
		s.contributions(p, dst[i*width:(i+1)*width], row, paths)
		select {
		case free <- paths:
		default:
		}
	})
}

func (p *Predictor) prepareShap() (*shap, error) {
	p.shapOnce.Do(func() { p.shap = newShap(p) })
	return p.shap, p.shap.err
}

func newShap(p *Predictor) *shap {
	s := &shap{trees: make([]shapTree, len(p.trees))}
	fail := func(i int, why string) *shap {
		return &shap{err: fmt.Errorf("gbdt: %w: tree %d: %s", ErrNoContributions, p.from+i, why)}
	}
	for i := range p.trees {
		t := p.trees[i].tree
		st := shapTree{walk: &p.trees[i], depth: t.Depth(), leaf: t.LeafWeight, inner: t.InternalWeight}
		if t.Linear != nil {
			return fail(i, "linear leaves")
		}
		if p.model.Family == LightGBM {
			st.leaf, st.inner = toFloats(t.LeafCount), toFloats(t.InternalCount)
		}
		if len(t.Left) > 0 && (len(st.leaf) == 0 || len(st.inner) == 0) {
			return fail(i, "no covers")
		}
		if len(t.Left) == 0 {
			st.mean = t.LeafValue[0]
		} else {
			for l, value := range t.LeafValue {
				st.mean += float64(st.leaf[l] / st.inner[0] * value)
			}
		}
		s.depth = max(s.depth, st.depth)
		s.trees[i] = st
	}
	s.width = min(s.depth, p.NumFeatures()) + 2
	if (s.depth+1)*s.width > shapPathLimit {
		return fail(0, fmt.Sprintf("a depth of %d is too large", s.depth))
	}
	return s
}

func toFloats(counts []int32) []float64 {
	out := make([]float64, len(counts))
	for i, n := range counts {
		out[i] = float64(n)
	}
	return out
}

// newPaths returns room for the paths of all depths.
func (s *shap) newPaths() []pathElement { return make([]pathElement, (s.depth+1)*s.width) }

func (s *shap) contributions(p *Predictor, dst, row []float64, paths []pathElement) {
	clear(dst)
	each := p.NumFeatures() + 1
	for k, b := range p.model.BaseMargin {
		dst[(k+1)*each-1] = b
	}
	for i := range s.trees {
		t := &s.trees[i]
		k := t.walk.tree.Output
		phi := dst[k*each : (k+1)*each]
		weight := float64(t.walk.weight)
		phi[each-1] += float64(weight * t.mean)
		if len(t.walk.nodes) == 0 {
			continue
		}
		v := shapVisit{shap: s, tree: t, family: p.model.Family, row: row, phi: phi, paths: paths, weight: weight}
		v.visit(0, 0, 0, pathElement{feature: -1, zero: 1, one: 1})
	}
}

// shapVisit is the computation for one tree and row.
type shapVisit struct {
	shap   *shap
	tree   *shapTree
	family Family
	row    []float64
	phi    []float64
	paths  []pathElement
	weight float64
}

// visit goes down to a node (c < 0: leaf ^c) at the given depth. The path of its parent has n elements; last is the
// one to be added.
func (v *shapVisit) visit(c int32, depth, n int, last pathElement) {
	width := v.shap.width
	path := v.paths[depth*width : (depth+1)*width]
	if depth > 0 {
		copy(path, v.paths[(depth-1)*width:(depth-1)*width+n])
	}
	// The last feature may stand on the path already: take it out, its fractions multiply.
	for i := 1; i < n; i++ {
		if path[i].feature == last.feature {
			last.zero *= path[i].zero
			last.one *= path[i].one
			unwind(path[:n], i)
			n--
			break
		}
	}
	extend(path[:n+1], last)
	n++
	if c < 0 {
		value := v.weight * v.tree.walk.tree.LeafValue[^c]
		for i := 1; i < n; i++ {
			e := &path[i]
			v.phi[e.feature] += float64(float64(unwoundSum(path[:n], i)*(e.one-e.zero)) * value)
		}
		return
	}
	node := &v.tree.walk.nodes[c]
	hot, cold := node.right, node.left
	if v.tree.walk.goesLeft(v.family, node, v.row[node.feature]) {
		hot, cold = cold, hot
	}
	cover := v.tree.inner[c]
	v.visit(hot, depth+1, n, pathElement{feature: node.feature, zero: ratio(v.tree.cover(hot), cover), one: 1})
	if z := ratio(v.tree.cover(cold), cover); z != 0 { // no row went there: no weight
		v.visit(cold, depth+1, n, pathElement{feature: node.feature, zero: z, one: 0})
	}
}

// cover returns the cover of node c (c < 0: leaf ^c).
func (t *shapTree) cover(c int32) float64 {
	if c < 0 {
		return t.leaf[^c]
	}
	return t.inner[c]
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// extend puts e at the end of a path, of which it is the last place, and gives each number of features its new weight.
func extend(path []pathElement, e pathElement) {
	d := len(path) - 1
	e.weight = 0
	if d == 0 {
		e.weight = 1
	}
	path[d] = e
	for i := d - 1; i >= 0; i-- {
		path[i+1].weight += float64(e.one * path[i].weight * float64(i+1) / float64(d+1))
		path[i].weight = e.zero * path[i].weight * float64(d-i) / float64(d+1)
	}
}

// unwind takes element at out of a path.
func unwind(path []pathElement, at int) {
	d := len(path) - 1
	one, zero := path[at].one, path[at].zero
	next := path[d].weight
	for i := d - 1; i >= 0; i-- {
		if one != 0 {
			w := path[i].weight
			path[i].weight = next * float64(d+1) / (float64(i+1) * one)
			next = w - float64(path[i].weight*zero*float64(d-i)/float64(d+1))
		} else {
			path[i].weight = path[i].weight * float64(d+1) / (zero * float64(d-i))
		}
	}
	for i := at; i < d; i++ {
		path[i].feature, path[i].zero, path[i].one = path[i+1].feature, path[i+1].zero, path[i+1].one
	}
}

// unwoundSum returns the sum of the weights that a path would have without element at.
func unwoundSum(path []pathElement, at int) float64 {
	d := len(path) - 1
	one, zero := path[at].one, path[at].zero
	next, total := path[d].weight, 0.0
	for i := d - 1; i >= 0; i-- {
		if one != 0 {
			w := next * float64(d+1) / (float64(i+1) * one)
			total += w
			next = path[i].weight - float64(w*zero*(float64(d-i)/float64(d+1)))
		} else {
			total += path[i].weight / zero / (float64(d-i) / float64(d+1))
		}
	}
	return total
}
