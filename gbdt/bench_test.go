package gbdt

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// spreadDataset is of the shape of the first user's: 27 features, weights, a gamma target that depends on a few.
func spreadDataset(b *testing.B, rows int) *Dataset {
	const cols = 27
	rng := rand.New(rand.NewPCG(1, 2))
	values, t := make([]float64, rows*cols), Targets{Labels: make([]float64, rows), Weights: make([]float64, rows)}
	for i := range rows {
		row := values[i*cols : (i+1)*cols]
		for j := range row {
			row[j] = rng.NormFloat64()
		}
		if rng.IntN(10) == 0 {
			row[3] = math.NaN()
		}
		z := rng.NormFloat64()
		t.Labels[i] = min(max(math.Exp(0.3*row[0]+0.5*math.Abs(row[1]))*z*z, 0.02), 9)
		t.Weights[i] = 0.1 + rng.Float64()
	}
	x, err := NewMatrix(values, cols)
	if err != nil {
		b.Fatal(err)
	}
	return mustDataset(b, x, t)
}

func spreadParams(family Family) Params {
	p := DefaultParams(family)
	p.Loss, p.Rounds, p.LearningRate, p.MaxLeaves, p.MaxDepth = Gamma, 80, 0.03, 8, 3
	p.L2, p.MinDataInLeaf, p.MaxBin, p.BaggingFraction, p.FeatureFraction = 20, 400, 63, 0.7, 0.55
	return p
}

// BenchmarkTrainSpread: ns/op must grow no faster than the rows.
func BenchmarkTrainSpread(b *testing.B) {
	for _, rows := range []int{3_000, 30_000, 300_000} {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("rows=%d/threads=%d", rows, threads), func(b *testing.B) {
				d, p := spreadDataset(b, rows), spreadParams(LightGBM)
				p.Threads = threads
				mustTrain(b, p, d, TrainOptions{}) // sorts the columns
				b.ReportAllocs()
				for b.Loop() {
					mustTrain(b, p, d, TrainOptions{})
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
			})
		}
	}
}

// BenchmarkTrainSoftmax has 4 classes, 40 features, 31 leaves, 255 bins.
func BenchmarkTrainSoftmax(b *testing.B) {
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			const rows, cols = 20_000, 40
			rng := rand.New(rand.NewPCG(3, 4))
			values, labels := make([]float32, rows*cols), make([]float64, rows)
			for i := range rows {
				row := values[i*cols : (i+1)*cols]
				for j := range row {
					row[j] = float32(rng.NormFloat64())
				}
				labels[i] = float64(int(math.Abs(float64(row[0]+row[1]*row[2]))+rng.Float64()) % 4)
			}
			x, err := NewMatrix(values, cols)
			if err != nil {
				b.Fatal(err)
			}
			d, p := mustDataset(b, x, Targets{Labels: labels}), DefaultParams(LightGBM)
			p.Loss, p.NumClass, p.Rounds, p.MaxDepth, p.LearningRate, p.L2, p.Threads = Softmax, 4, 20, 7, 0.05, 1, threads
			b.ReportAllocs()
			for b.Loop() {
				mustTrain(b, p, d, TrainOptions{})
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)/float64(p.Rounds), "ms/round")
		})
	}
}

func BenchmarkPredict(b *testing.B) {
	d := spreadDataset(b, 10_000)
	for _, family := range []Family{LightGBM, XGBoost} {
		p := spreadParams(family)
		p.MaxLeaves, p.MaxDepth, p.MinDataInLeaf, p.Rounds = 31, 7, 20, 300
		pr := mustPredictor(b, mustTrain(b, p, d, TrainOptions{}).Model, PredictOptions{Threads: 1})
		raw := make([]float64, d.Rows())
		b.Run(family.String()+"/batch", func(b *testing.B) {
			for b.Loop() {
				if err := pr.RawBatch(b.Context(), raw, d.x); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(d.Rows()), "ns/row")
		})
		b.Run(family.String()+"/row", func(b *testing.B) {
			i := 0
			for b.Loop() {
				if err := pr.Raw(raw[:1], d.x.row(i%d.Rows(), nil)); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
		b.Run(family.String()+"/contributions", func(b *testing.B) {
			dst, i := make([]float64, 28), 0
			for b.Loop() {
				if err := pr.Contributions(dst, d.x.row(i%d.Rows(), nil)); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}
