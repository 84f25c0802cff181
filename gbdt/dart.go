package gbdt

// dart is the state of the boosting method Dart (Rashmi and Gilad-Bachrach, 2015): each round leaves some earlier ones
// out, and then they and the new one share what they answer.
type dart struct {
	// rounds[r] has the trees of round r as training needs them.
	rounds [][]*grownTree
	// dropped are the rounds left out at present.
	dropped []int
	// weight multiplies the present round's trees: 1 but for XGBoost's models, whose weights stand beside the trees.
	weight float64
}

// rate returns the learning rate of the present round's trees.
func (d *dart) rate(p *Params) float64 {
	if p.Family == LightGBM {
		return p.LearningRate / float64(1+len(d.dropped))
	}
	return p.LearningRate
}

// dropTrees chooses the rounds that round r leaves out, and takes their answers off the scores. The first round holds
// the start and always stays.
func (t *trainer) dropTrees(r int) {
	p, d := t.params, &t.dart
	random := newRandom(p.Seed, streamDrop, uint64(r))
	d.dropped, d.weight = d.dropped[:0], 1
	if random.float64() >= p.SkipDrop {
		for i := 1; i < r && (p.MaxDrop == 0 || len(d.dropped) < p.MaxDrop); i++ {
			if random.float64() < p.DropRate {
				d.dropped = append(d.dropped, i)
			}
		}
	}
	for _, i := range d.dropped {
		t.addRound(i, -1)
	}
	if k := float64(len(d.dropped)); k > 0 && p.Family == XGBoost {
		d.weight = float64(float32(1 / (k + p.LearningRate)))
	}
}

// restoreTrees makes the dropped rounds smaller and adds them to the scores again, after the new trees.
func (t *trainer) restoreTrees(grown []*grownTree) {
	p, d := t.params, &t.dart
	outputs := t.model.Outputs
	for k := range grown {
		grown[k].grower = nil // its rows are not needed
	}
	d.rounds = append(d.rounds, grown)
	if p.Family == XGBoost {
		for range outputs {
			t.model.TreeWeights = append(t.model.TreeWeights, float32(d.weight))
		}
	}
	for _, v := range t.valid {
		v.addWeighted(t.model.Trees[len(t.model.Trees)-outputs:], d.weight, t.threads)
	}
	k := float64(len(d.dropped))
	factor := k / (k + 1)
	if p.Family == XGBoost {
		factor = k / (k + p.LearningRate)
	}
	for _, i := range d.dropped {
		for o := range outputs {
			at := i*outputs + o
			if p.Family == XGBoost {
				t.model.TreeWeights[at] *= float32(factor)
				continue
			}
			tree := &t.model.Trees[at] // whose leaf values the grown tree shares
			for j := range tree.LeafValue {
				tree.LeafValue[j] *= factor
			}
			for j := range tree.InternalValue {
				tree.InternalValue[j] *= factor
			}
			tree.Shrinkage *= factor
		}
		t.addRound(i, 1)
	}
}

// addRound adds sign times what the trees of a round answer to all scores.
func (t *trainer) addRound(round int, sign float64) {
	outputs := t.model.Outputs
	for k, grown := range t.dart.rounds[round] {
		at, scores := round*outputs+k, t.scores[k]
		weight := sign
		if t.model.TreeWeights != nil {
			weight *= float64(t.model.TreeWeights[at])
		}
		parallel(chunks(t.data.rows), t.threads, func(c int) {
			from, to := chunk(c, t.data.rows)
			for i := from; i < to; i++ {
				leaf := grown.LeafValue[grown.leafOf(t.data, int32(i))]
				scores[i] = t.params.Family.addLeaf(scores[i], weight*leaf)
			}
		})
		for _, v := range t.valid {
			v.addWeighted(t.model.Trees[at:at+1], weight, t.threads)
		}
	}
}
