package xgboost

import (
	"bytes"
	"context"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/pppq/pppq/gbdt"
)

// TestTrainedIsRead says that a model answers and explains rows with the same bits, and has the same statistics, before
// it is written and after it has been read.
func TestTrainedIsRead(t *testing.T) {
	t.Parallel()
	const rows, cols = 600, 6
	rng := rand.New(rand.NewPCG(4, 4))
	values, labels := make([]float64, rows*cols), make([]float64, rows)
	for i := range labels {
		row := values[i*cols : (i+1)*cols]
		for j := range row {
			row[j] = rng.NormFloat64()
		}
		row[4] = float64(rng.IntN(12))
		if rng.IntN(5) == 0 {
			row[1] = math.NaN()
		}
		labels[i] = math.Abs(row[0]+rng.NormFloat64()) + row[2] + float64(int(row[4])%3)
	}
	x, err := gbdt.NewMatrix(values, cols)
	if err != nil {
		t.Fatal(err)
	}
	for _, loss := range []gbdt.Loss{gbdt.SquaredError, gbdt.Quantile, gbdt.Logistic, gbdt.Softmax} {
		for _, boosting := range []gbdt.Boosting{gbdt.Plain, gbdt.Dart, gbdt.RandomForest} {
			p := gbdt.DefaultParams(gbdt.XGBoost)
			p.Loss, p.Boosting, p.Rounds, p.NumClass, p.Alpha, p.CategoricalFeatures = loss, boosting, 20, 3, 0.3, []int{4}
			p.BaggingFraction = 0.8
			if boosting == gbdt.Dart {
				p.Growth = gbdt.LeafWise
			}
			of := append([]float64(nil), labels...)
			for i, y := range labels {
				switch loss {
				case gbdt.Logistic:
					of[i] = math.Floor(min(1, max(0, y/2)))
				case gbdt.Softmax:
					of[i] = math.Floor(min(2, max(0, y)))
				}
			}
			data, err := gbdt.NewDataset(x, nil, gbdt.Targets{Labels: of})
			if err != nil {
				t.Fatal(err)
			}
			r, err := gbdt.Train(context.Background(), p, data, gbdt.TrainOptions{})
			if err != nil {
				t.Fatal(err)
			}
			f, err := New(r.Model)
			if err != nil {
				t.Fatal(err)
			}
			for name, write := range map[string]func(io.Writer, *File) error{"JSON": WriteJSON, "UBJSON": WriteUBJSON} {
				var b bytes.Buffer
				if err := write(&b, f); err != nil {
					t.Fatal(err)
				}
				again, err := Read(&b)
				if err != nil {
					t.Fatal(err)
				}
				want, got := explain(t, r.Model, x), explain(t, again.Model, x)
				for i := range want {
					if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
						t.Fatalf("%s, %s, boosting %d: entry %d: got %v after reading, %v before", name, loss, boosting, i, got[i], want[i])
					}
				}
				for i := range r.Model.Trees {
					a, b := &r.Model.Trees[i], &again.Model.Trees[i]
					if !reflect.DeepEqual(sums(a), sums(b)) {
						t.Fatalf("%s, %s, boosting %d: tree %d: statistics %v after reading, %v before", name, loss, boosting, i, sums(b), sums(a))
					}
				}
			}
		}
	}
}

// explain returns the raw scores and contributions of all rows.
func explain(t *testing.T, m *gbdt.Model, x gbdt.Matrix) []float64 {
	t.Helper()
	p, err := gbdt.NewPredictor(m, gbdt.PredictOptions{})
	if err != nil {
		t.Fatal(err)
	}
	raw := make([]float64, x.Rows()*p.NumRaw())
	if err := p.RawBatch(context.Background(), raw, x); err != nil {
		t.Fatal(err)
	}
	contributions := make([]float64, x.Rows()*p.NumRaw()*(x.Cols()+1))
	if err := p.ContributionsBatch(context.Background(), contributions, x); err != nil {
		t.Fatal(err)
	}
	return append(raw, contributions...)
}

// sums returns, by the numbers that a file gives the nodes, what a tree says of them.
func sums(t *gbdt.Tree) map[int32][3]float64 {
	all := map[int32][3]float64{}
	for i, id := range t.InnerID {
		all[id] = [3]float64{t.InternalValue[i], t.InternalWeight[i], t.Gain[i]}
	}
	for i, id := range t.LeafID {
		all[id] = [3]float64{t.LeafBaseWeight[i], t.LeafWeight[i], t.LeafValue[i]}
	}
	return all
}
