package gbdt

import (
	"errors"
	"fmt"
	"math"
	"sync"
)

// shap is the part of a Predictor that contributions need; it is made when first asked for.
type shap struct {
	trees []shapTree
	// mean is the expected raw score of each output.
	mean []float64
	// vectors and edges are the largest numbers that a tree needs.
	vectors, edges int
	pool           sync.Pool
	err            error
}

// shapTree is a tree prepared for contributions. The contribution of feature i to the part of a leaf of value v, on whose
// path are the features j, is
//
//	v (o[i] - z[i]) * integral over t from 0 to 1 of the product over j != i of F[j](t),   F[j](t) = o[j] t + z[j] (1-t)
//
// where o[j] is 1 if the row follows the path at all nodes of feature j and 0 if not, and z[j] is the part of the cover
// that follows it there: the integral of t^s (1-t)^(n-1-s) is the Shapley weight of s known features of n. The integrand
// is a polynomial, so a Gauss-Legendre rule with half as many points as there are features on a path is exact, and all its
// terms are positive. With the product of all F at each point carried down the tree, and the sums over leaves carried up,
// each edge costs a few operations for each point:
//
//	phi[i] += sum over points of H * ((o - z)/F - (o' - z')/F')
//
// where H is the sum over the leaves below of v and the product, and o', z', F' are those of the edge's feature above the
// edge, if it stands on the path before. What depends on the row is only whether it follows both (2), the edge above but
// not this one (1) or not even that (0), so all factors are made in advance.
//
// The integral form of the weights is in Yu et al., Linear TreeShap (2022), and in XGBoost since 3.3 with 8 points.
type shapTree struct {
	walk   *walkTree
	output int32
	// blocks is the number of points in units of shapLanes.
	blocks int32
	nodes  []shapNode
	// factors has for each edge, 2i for the left one of node i and 2i+1 for the right one, and each of the 3 cases first
	// the blocks by which the product grows, then the blocks by which H counts.
	// They are nil if the model's do not fit shapBudget: they are made again for each block of rows then.
	factors [][shapLanes]float64
	// zero is z of each edge.
	zero []float64
	rule quadrature
}

const (
	// shapBudget is the number of float64 factors that a predictor keeps.
	shapBudget = 1 << 23
	// shapLimit bounds the points of all edges of a tree.
	shapLimit = 1 << 22
)

// shapLanes is the number of points that are computed together.
const shapLanes = 4

// shapNode is an inner node.
type shapNode struct {
	feature int32
	// column and rank say that the row goes right if its rank in column is above rank; column is -1 if the tree is walked
	// node by node.
	column, rank int32
	// into is the edge that leads to the node, -1 at the root.
	into int32
	// above is the last edge of the same feature on the path to the node, -1 if there is none.
	above int32
	// value are the leaf values, with the tree's weight, where leaf says that the child is a leaf.
	value [2]float64
	leaf  [2]bool
}

// add adds the contributions of row number i of the block to dst.
func (t *shapTree) add(w *shapScratch, dst, row []float64, i int, p *Predictor) {
	each := p.NumFeatures() + 1
	phi := dst[int(t.output)*each : (int(t.output)+1)*each]
	columns := p.compiled.ranks.columns
	ranks := w.ranks[i*columns : (i+1)*columns]
	known := w.known[:2*len(t.nodes)]
	for j := range t.nodes {
		n := &t.nodes[j]
		right := uint8(0)
		if n.column >= 0 {
			right = uint8(uint32(n.rank-int32(ranks[n.column])) >> 31)
		} else if !t.walk.goesLeft(p.model.Family, &t.walk.nodes[j], row[n.feature]) {
			right = 1
		}
		above := uint8(1)
		if n.above >= 0 {
			above = known[n.above] >> 1
		}
		// The case of an edge, and of it whether the row follows its feature so far, which is bit 1 of the case.
		known[2*j] = above + (above & (right ^ 1))
		known[2*j+1] = above + (above & right)
	}
	factors := t.factors
	if factors == nil {
		factors = w.factors
	}
	if t.blocks == 1 {
		t.sumOne(w.vectors, factors, known, phi)
	} else {
		t.sum(w.vectors, factors, known, phi)
	}
}

// sumOne adds the contributions to phi, where the tree needs no more than shapLanes points. vectors[e] is the product, and
// on the way up H, of edge e.
func (t *shapTree) sumOne(vectors, factors [][shapLanes]float64, known []uint8, phi []float64) {
	vectors = vectors[:len(known)]
	factors = factors[:len(known)*6]
	for j := range t.nodes {
		n := &t.nodes[j]
		from := &t.rule.weight[0]
		if n.into >= 0 {
			from = &vectors[n.into]
		}
		for side := range 2 {
			e := 2*j + side
			f := &factors[e*6+int(known[e])*2]
			v := &vectors[e]
			if n.leaf[side] {
				x := n.value[side]
				v[0], v[1], v[2], v[3] = x*(from[0]*f[0]), x*(from[1]*f[1]), x*(from[2]*f[2]), x*(from[3]*f[3])
			} else {
				v[0], v[1], v[2], v[3] = from[0]*f[0], from[1]*f[1], from[2]*f[2], from[3]*f[3]
			}
		}
	}
	for j := len(t.nodes) - 1; j >= 0; j-- {
		n := &t.nodes[j]
		a, b := &vectors[2*j], &vectors[2*j+1]
		f, g := &factors[2*j*6+int(known[2*j])*2+1], &factors[(2*j+1)*6+int(known[2*j+1])*2+1]
		phi[n.feature] += float64(a[0]*f[0]) + float64(a[1]*f[1]) + (float64(a[2]*f[2]) + float64(a[3]*f[3])) +
			(float64(b[0]*g[0]) + float64(b[1]*g[1]) + (float64(b[2]*g[2]) + float64(b[3]*g[3])))
		if n.into >= 0 {
			v := &vectors[n.into]
			v[0], v[1], v[2], v[3] = a[0]+b[0], a[1]+b[1], a[2]+b[2], a[3]+b[3]
		}
	}
}

// sum is sumOne for any number of points; the vectors of edge e are blocks of them, from e*blocks on.
func (t *shapTree) sum(vectors, factors [][shapLanes]float64, known []uint8, phi []float64) {
	blocks := int(t.blocks)
	for j := range t.nodes {
		n := &t.nodes[j]
		from := t.rule.weight
		if n.into >= 0 {
			from = vectors[int(n.into)*blocks:][:blocks]
		}
		for side := range 2 {
			e := 2*j + side
			f := factors[(e*3+int(known[e]))*2*blocks:][:blocks]
			v := vectors[e*blocks:][:blocks]
			value := 1.0
			if n.leaf[side] {
				value = n.value[side]
			}
			for b := range v {
				for q := range v[b] {
					v[b][q] = value * float64(from[b][q]*f[b][q])
				}
			}
		}
	}
	for j := len(t.nodes) - 1; j >= 0; j-- {
		n := &t.nodes[j]
		total := 0.0
		for side := range 2 {
			e := 2*j + side
			f := factors[((e*3+int(known[e]))*2+1)*blocks:][:blocks]
			for b, v := range vectors[e*blocks:][:blocks] {
				for q := range v {
					total += float64(v[q] * f[b][q])
				}
			}
		}
		phi[n.feature] += total
		if n.into >= 0 {
			v := vectors[int(n.into)*blocks:][:blocks]
			for b := range v {
				for q := range v[b] {
					v[b][q] = vectors[2*j*blocks+b][q] + vectors[(2*j+1)*blocks+b][q]
				}
			}
		}
	}
}

// shapBuilder makes shapTrees.
type shapBuilder struct {
	p     *Predictor
	rules map[int]quadrature
	// inner and leaf are the covers of the tree at hand: rows (LightGBM) or sums of hessians (XGBoost).
	inner, leaf []float64
}

// cover sets the covers and returns the cover-weighted mean of the leaf values.
func (b *shapBuilder) cover(w *walkTree) (float64, error) {
	t := w.tree
	if t.Linear != nil {
		return 0, errors.New("linear leaves")
	}
	b.leaf, b.inner = t.LeafWeight, t.InternalWeight
	if b.p.model.Family == LightGBM {
		b.leaf, b.inner = toFloats(t.LeafCount), toFloats(t.InternalCount)
	}
	if len(t.Left) == 0 {
		return t.LeafValue[0], nil
	}
	if len(b.leaf) == 0 || len(b.inner) == 0 {
		return 0, errors.New("no covers")
	}
	mean := 0.0
	for l, value := range t.LeafValue {
		mean += float64(b.leaf[l] / b.inner[0] * value)
	}
	return mean, nil
}

func toFloats(counts []int32) []float64 {
	out := make([]float64, len(counts))
	for i, n := range counts {
		out[i] = float64(n)
	}
	return out
}

// add appends tree number i, which has a split, to s.
func (b *shapBuilder) add(s *shap, i int) error {
	w := &b.p.trees[i]
	t := shapTree{walk: w, output: int32(w.tree.Output), nodes: make([]shapNode, len(w.nodes))}
	t.zero = make([]float64, 2*len(t.nodes))
	most := b.place(&t)
	t.rule = b.rule((most + 1) / 2)
	t.blocks = int32(len(t.rule.weight))
	edges := 2 * len(t.nodes)
	if edges*int(t.blocks)*shapLanes > shapLimit {
		return fmt.Errorf("%d features on a path and %d nodes are too many", most, len(t.nodes))
	}
	if c := &b.p.compiled.trees[i]; c.walk == nil {
		for j := range t.nodes {
			test := b.p.compiled.tests[int(c.test)+j]
			t.nodes[j].column, t.nodes[j].rank = int32(test>>16), int32(test&0xffff)
		}
	}
	s.vectors, s.edges = max(s.vectors, edges*int(t.blocks)), max(s.edges, edges)
	s.trees = append(s.trees, t)
	return nil
}

// numFactors returns the length of factors.
func (t *shapTree) numFactors() int { return 2 * len(t.nodes) * 6 * int(t.blocks) }

// fillFactors writes the factors to dst.
func (t *shapTree) fillFactors(dst [][shapLanes]float64) {
	blocks := int(t.blocks)
	for e, z := range t.zero {
		above, repeated := 1.0, t.nodes[e/2].above >= 0
		if repeated {
			above = t.zero[t.nodes[e/2].above]
		}
		for which := range 3 {
			f := dst[(e*3+which)*2*blocks:][:2*blocks]
			for b, points := range t.rule.point {
				for q, point := range points {
					f[b][q], f[blocks+b][q] = shapFactors(which, z, above, repeated, point)
				}
			}
		}
	}
}

// place fills zero and the nodes, but for their tests, and returns the largest number of features on a path.
func (b *shapBuilder) place(t *shapTree) int {
	w := t.walk
	depth := make([]int, len(t.nodes)) // features on the path to each node
	for j := range t.nodes {
		t.nodes[j].into, t.nodes[j].above, t.nodes[j].column = -1, -1, -1
	}
	most := 0
	for j := range t.nodes {
		n, node := &t.nodes[j], &w.nodes[j]
		n.feature = node.feature
		for e := n.into; e >= 0; e = t.nodes[e/2].into {
			if t.nodes[e/2].feature == n.feature {
				n.above = e
				break
			}
		}
		features, above := depth[j], 1.0
		if n.above < 0 {
			features++
		} else {
			above = t.zero[n.above]
		}
		most = max(most, features)
		for side, c := range [2]int32{node.left, node.right} {
			e := 2*j + side
			cover := 0.0
			if c < 0 {
				cover = b.leaf[^c]
				n.leaf[side], n.value[side] = true, float64(w.weight)*w.tree.LeafValue[^c]
			} else {
				cover = b.inner[c]
				t.nodes[c].into, depth[c] = int32(e), features
			}
			t.zero[e] = above * ratio(cover, b.inner[j])
		}
	}
	return most
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// shapFactors returns, for one point t of the rule, by what the product grows along an edge and how much H of it counts.
// The edge's feature has z below it and above above it, if repeated; which is the case (2: the row follows the path so
// far, 1: it leaves it here, 0: it left it before).
func shapFactors(which int, z, above float64, repeated bool, t float64) (grow, count float64) {
	one := float64(which / 2)
	f := one*t + z*(1-t)
	grow, count = f, ratio(one-z, f)
	if one == 0 {
		count = -1 / (1 - t) // also the limit for z = 0, where H is 0
	}
	if !repeated {
		return grow, count
	}
	oneAbove := math.Ceil(float64(which) / 2)
	g := oneAbove*t + above*(1-t)
	grow = ratio(f, g)
	if oneAbove == 0 {
		return grow, count + 1/(1-t)
	}
	return grow, count - ratio(oneAbove-above, g)
}

// rule returns the Gauss-Legendre rule of at least n points, a multiple of shapLanes.
func (b *shapBuilder) rule(n int) quadrature {
	n = (n + shapLanes - 1) / shapLanes * shapLanes
	r, ok := b.rules[n]
	if !ok {
		r = gaussLegendre(n)
		b.rules[n] = r
	}
	return r
}

// quadrature is a rule for integrals over [0, 1].
type quadrature struct{ point, weight [][shapLanes]float64 }

// gaussLegendre returns the rule of n points, a multiple of shapLanes, which is exact for polynomials of a degree below
// 2n.
func gaussLegendre(n int) quadrature {
	r := quadrature{make([][shapLanes]float64, n/shapLanes), make([][shapLanes]float64, n/shapLanes)}
	for i := range n {
		// Newton's method on the Legendre polynomial, from a start that leads to root number i.
		x := math.Cos(math.Pi * (float64(i) + 0.75) / (float64(n) + 0.5))
		derivative := 0.0
		for range 100 {
			p, q := 1.0, 0.0
			for k := range n {
				p, q = (float64(2*k+1)*x*p-float64(k)*q)/float64(k+1), p
			}
			derivative = float64(n) * (x*p - q) / (x*x - 1)
			step := p / derivative
			x -= step
			if math.Abs(step) < 1e-16 {
				break
			}
		}
		r.point[i/shapLanes][i%shapLanes] = (1 + x) / 2
		r.weight[i/shapLanes][i%shapLanes] = 1 / ((1 - x*x) * derivative * derivative)
	}
	return r
}
