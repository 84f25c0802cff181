package gbdt

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// The model rises or falls with its constrained columns wherever the other columns stand, though the data ask for waves.
func TestMonotoneConstraintsHold(t *testing.T) {
	for _, family := range []Family{LightGBM, XGBoost} {
		for _, loss := range []Loss{SquaredError, Quantile, Gamma} {
			rng := rand.New(rand.NewPCG(4, 4))
			const n, cols = 2000, 3
			values, labels := make([]float64, n*cols), make([]float64, n)
			for i := range labels {
				row := values[i*cols : (i+1)*cols]
				for j := range row {
					row[j] = 2*rng.Float64() - 1
				}
				labels[i] = 3 + row[0] - 2*row[0]*row[0]*row[0] - row[1]*row[2] + 0.3*rng.NormFloat64()
				labels[i] = max(labels[i], 0.01)
			}
			x, err := NewMatrix(values, cols)
			if err != nil {
				t.Fatal(err)
			}
			p := DefaultParams(family)
			p.Loss, p.Rounds, p.MinDataInLeaf, p.MonotoneConstraints = loss, 40, 5, []int8{1, -1, 0}
			m := mustTrain(t, p, mustDataset(t, x, Targets{Labels: labels}), TrainOptions{}).Model
			pr := mustPredictor(t, m, PredictOptions{})
			moves := 0
			for range 100 {
				row := []float64{2*rng.Float64() - 1, 2*rng.Float64() - 1, 2*rng.Float64() - 1}
				for j, direction := range []float64{1, -1} {
					at := slices.Clone(row)
					var last, next [1]float64
					for step := range 40 {
						at[j] = -1 + float64(step)/20
						if err := pr.Raw(next[:], at); err != nil {
							t.Fatal(err)
						}
						if step > 0 && (next[0]-last[0])*direction < -1e-6 { // leaves of XGBoost are rounded to float32
							t.Fatalf("%v, %s: column %d goes from %v to %v at %v", family, loss, j, last[0], next[0], at)
						}
						if next != last {
							moves++
						}
						last = next
					}
				}
			}
			if moves < 500 {
				t.Errorf("%v, %s: the model moves %d times only", family, loss, moves)
			}
		}
	}
}

// All columns on a way from the root to a leaf share a group.
func TestInteractionConstraintsHold(t *testing.T) {
	p := DefaultParams(LightGBM)
	p.Rounds, p.MinDataInLeaf = 30, 5
	free := testDataset(t, 71, 900, 8, p)
	groups := [][]int{{0, 1, 2}, {2, 3}, {5, 6}}
	share := func(used []int) bool {
		return len(used) < 2 || slices.ContainsFunc(groups, func(group []int) bool {
			return !slices.ContainsFunc(used, func(j int) bool { return !slices.Contains(group, j) })
		})
	}
	violations := func(m *Model) (bad, paths int) {
		for i := range m.Trees {
			tree := &m.Trees[i]
			var walk func(node int32, used []int)
			walk = func(node int32, used []int) {
				if node < 0 {
					paths++
					if !share(used) {
						bad++
					}
					return
				}
				if j := int(tree.Feature[node]); !slices.Contains(used, j) {
					used = append(slices.Clone(used), j)
				}
				walk(tree.Left[node], used)
				walk(tree.Right[node], used)
			}
			if len(tree.Left) > 0 {
				walk(0, nil)
			}
		}
		return bad, paths
	}
	if bad, _ := violations(mustTrain(t, p, free, TrainOptions{}).Model); bad == 0 {
		t.Fatal("the data do not ask for other interactions")
	}
	p.InteractionConstraints = groups
	if bad, paths := violations(mustTrain(t, p, free, TrainOptions{}).Model); bad > 0 || paths < 100 {
		t.Errorf("%d of %d ways join columns of no common group", bad, paths)
	}
}
