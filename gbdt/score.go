package gbdt

// validScores are the raw scores of a dataset, row after row.
type validScores struct {
	data    *Dataset
	family  Family
	outputs int
	raw     []float64
}

func newValidScores(d *Dataset, family Family, outputs int) *validScores {
	v := &validScores{data: d, family: family, outputs: outputs, raw: make([]float64, d.Rows()*outputs)}
	for i, s := range d.targets.InitScores {
		v.raw[i] = family.stored(s)
	}
	return v
}

// begin sets the raw scores of rows without initial ones to where a model's sums start.
func (v *validScores) begin(margin []float64) {
	if v.data.targets.InitScores == nil {
		for i := range v.raw {
			v.raw[i] = margin[i%v.outputs]
		}
	}
}

// add adds the trees to the raw scores.
func (v *validScores) add(trees []Tree, threads int) { v.addWeighted(trees, 1, threads) }

// addWeighted adds the trees' answers, multiplied by weight, to the raw scores.
func (v *validScores) addWeighted(trees []Tree, weight float64, threads int) {
	walks := make([]walkTree, len(trees))
	for i := range trees {
		walks[i] = newWalkTree(&trees[i])
	}
	n := v.data.Rows()
	parallel(chunks(n), threads, func(c int) {
		from, to := chunk(c, n)
		buf := make([]float64, v.data.x.cols)
		for i := from; i < to; i++ {
			row := v.data.x.row(v.data.sourceRow(i), buf)
			for j := range walks {
				w := &walks[j]
				raw := &v.raw[i*v.outputs+w.tree.Output]
				leaf := w.leaf(v.family, row)
				*raw = v.family.addLeaf(*raw, weight*w.leafOutput(leaf, row))
			}
		}
	})
}
