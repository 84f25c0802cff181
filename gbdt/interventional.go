package gbdt

import (
	"context"
	"fmt"
)

// InterventionalContributions writes how much each feature adds to each raw score of each row of x to dst, as
// ContributionsBatch does, but for another game: an unknown feature takes its value from a background row, and the
// contributions are averaged over the rows of background, whose mean raw score is the last value of each output. They are
// exact, in float64, and add up to the row's raw score (in XGBoost's float32 sums up to rounding). Unlike path-dependent
// contributions they need no counts in the trees and give 0 to a feature that the model does not use.
//
// x and background have NumFeatures columns; background has at least one row. The time grows with the product of both
// numbers of rows; some 100 background rows usually do. The error wraps ErrShape for lengths that do not fit,
// ErrNoContributions for models with linear leaves, and is the context's if that ends first.
//
// Source: Lundberg et al., From local explanations to global understanding with explainable AI for trees (2020),
// interventional Tree SHAP.
func (p *Predictor) InterventionalContributions(ctx context.Context, dst []float64, x, background Matrix) error {
	width := p.NumRaw() * (p.NumFeatures() + 1)
	if err := p.checkBatch(len(dst), width, x); err != nil {
		return err
	}
	if background.cols != p.NumFeatures() || background.rows < 1 {
		return fmt.Errorf("gbdt: %w: background of %d rows of %d values, want rows of %d", ErrShape, background.rows, background.cols, p.NumFeatures())
	}
	weights, err := p.interventionWeights()
	if err != nil {
		return err
	}
	b := p.rankRows(background, 0, background.rows)
	mean := p.meanOver(background)
	threads := threadCount(p.threads)
	block := max(min(interventionRows, (x.rows+threads-1)/threads), 1)
	parallel((x.rows+block-1)/block, threads, func(n int) {
		from, to := n*block, min((n+1)*block, x.rows)
		in := intervention{p: p, weights: weights, known: make([]uint8, p.NumFeatures())}
		rows, part := p.rankRows(x, from, to), dst[from*width:to*width]
		clear(part)
		var foreground, other []uint8
		for t := range p.trees {
			if ctx.Err() != nil {
				return
			}
			in.tree = &p.trees[t]
			nodes := len(in.tree.nodes)
			if nodes == 0 {
				continue
			}
			foreground = p.directions(foreground[:0], t, rows)
			other = p.directions(other[:0], t, b)
			output := in.tree.tree.Output
			for i := range to - from {
				in.phi = part[i*width:][output*(p.NumFeatures()+1):][:p.NumFeatures()]
				in.row = foreground[i*nodes:][:nodes]
				for j := range background.rows {
					in.other = other[j*nodes:][:nodes]
					in.visit(0, 0, 0)
				}
			}
		}
		for i := range part {
			part[i] /= float64(background.rows)
		}
		for i := range to - from {
			for k, m := range mean {
				part[i*width+(k+1)*(p.NumFeatures()+1)-1] = m
			}
		}
	})
	return ctx.Err()
}

const (
	// interventionRows is the number of rows for which the ways of the background rows through a tree are kept.
	interventionRows = 32
	// interventionLimit is the largest number of features on a path.
	interventionLimit = 1000
)

// intervention is the computation for one tree, row and background row.
type intervention struct {
	p    *Predictor
	tree *walkTree
	// row and other have a 1 for each inner node at which the row and the background row go right.
	row, other []uint8
	// known has the features for which they went apart on the path: 1 where the row's way was followed, 2 the other's.
	known []uint8
	phi   []float64
	// weights has at [a][b] the Shapley weight (a-1)! b! / (a+b)!, 0 for an a of 0.
	weights [][]float64
}

// visit goes down to node c (c < 0: leaf ^c), on whose path a features must be the row's and b the background row's for
// it to be reached. It adds to the contributions of the features at which the path goes apart below c, and returns what the
// leaves below give to each feature of the first kind and take from each of the second.
func (in *intervention) visit(c int32, a, b int) (gain, loss float64) {
	for c >= 0 {
		n := &in.tree.nodes[c]
		right := in.row[c]
		if right == in.other[c] {
			c = n.child(right)
			continue
		}
		switch in.known[n.feature] {
		case 1:
			c = n.child(right)
		case 2:
			c = n.child(1 - right)
		default:
			in.known[n.feature] = 1
			gainRow, lossRow := in.visit(n.child(right), a+1, b)
			in.known[n.feature] = 2
			gainOther, lossOther := in.visit(n.child(1-right), a, b+1)
			in.known[n.feature] = 0
			in.phi[n.feature] += gainRow - lossOther
			return gainRow + gainOther, lossRow + lossOther
		}
	}
	value := float64(in.tree.weight) * in.tree.tree.LeafValue[^c]
	return float64(value * in.weights[a][b]), float64(value * in.weights[b][a])
}

// child returns the left child for 0, the right one for 1.
func (n *walkNode) child(right uint8) int32 {
	if right == 0 {
		return n.left
	}
	return n.right
}

// interventionWeights returns the weights for all the trees.
func (p *Predictor) interventionWeights() ([][]float64, error) {
	most := 0
	for i := range p.trees {
		t := p.trees[i].tree
		if t.Linear != nil {
			return nil, fmt.Errorf("gbdt: %w: tree %d: linear leaves", ErrNoContributions, p.from+i)
		}
		most = max(most, min(t.Depth(), p.NumFeatures()))
		if most > interventionLimit {
			return nil, fmt.Errorf("gbdt: %w: tree %d: %d features on a path are too many", ErrNoContributions, p.from+i, most)
		}
	}
	weights := make([][]float64, most+1)
	for a := range weights {
		weights[a] = make([]float64, most+1)
		if a == 0 {
			continue
		}
		weights[a][0] = 1 / float64(a)
		for b := 1; b <= most; b++ {
			weights[a][b] = weights[a][b-1] * float64(b) / float64(a+b)
		}
	}
	return weights, nil
}

// rankedRows are rows of a matrix with their ranks.
type rankedRows struct {
	rows  [][]float64
	ranks [][]uint32
}

// rankRows returns rows [from, to) of x with their ranks.
func (p *Predictor) rankRows(x Matrix, from, to int) rankedRows {
	var r rankedRows
	columns := p.compiled.ranks.columns
	ranks := make([]uint32, (to-from)*columns)
	for i := from; i < to; i++ {
		var buf []float64
		if x.f64 == nil {
			buf = make([]float64, x.cols)
		}
		row := x.row(i, buf)
		p.compiled.ranks.rankRow(ranks[:columns], row, 0)
		r.rows, r.ranks = append(r.rows, row), append(r.ranks, ranks[:columns])
		ranks = ranks[columns:]
	}
	return r
}

// directions appends for each row and inner node of tree t a 1 if the row goes right there.
func (p *Predictor) directions(dst []uint8, t int, rows rankedRows) []uint8 {
	w, c := &p.trees[t], &p.compiled.trees[t]
	for i, row := range rows.rows {
		if c.walk == nil {
			ranks := rows.ranks[i]
			for _, test := range p.compiled.tests[c.test:][:len(w.nodes)] {
				dst = append(dst, uint8((test&0xffff-ranks[test>>16])>>31))
			}
			continue
		}
		for j := range w.nodes {
			right := uint8(1)
			if n := &w.nodes[j]; w.goesLeft(p.model.Family, n, row[n.feature]) {
				right = 0
			}
			dst = append(dst, right)
		}
	}
	return dst
}

// meanOver returns the mean raw scores over the rows of x, in float64.
func (p *Predictor) meanOver(x Matrix) []float64 {
	mean := make([]float64, p.NumRaw())
	buf := make([]float64, x.cols)
	for i := range x.rows {
		row := x.row(i, buf)
		for t := range p.trees {
			w := &p.trees[t]
			mean[w.tree.Output] += float64(float64(w.weight) * w.tree.LeafValue[w.leaf(p.model.Family, row)])
		}
	}
	for k, base := range p.model.BaseMargin {
		mean[k] = base + mean[k]/float64(x.rows)
	}
	return mean
}
