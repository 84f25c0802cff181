package gbdt

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

// The first derivatives are those of the default metrics, by differences. The metrics of some losses are twice or half
// of what training lowers; one-vs-rest and softmax have several outputs.
func TestGradientsAreTheMetricsSlopes(t *testing.T) {
	factor := map[Loss]float64{SquaredError: 2, Gamma: 2, Poisson: 2}
	for _, p := range allLosses() {
		if p.Family == XGBoost && p.Loss == Huber {
			continue // the smooth form has no metric of its own: TestPseudoHuber
		}
		rng := rand.New(rand.NewPCG(9, 9))
		d := testDataset(t, 95, 60, 4, p)
		o, metric, outputs := newObjective(&p), DefaultMetric(p), p.outputs()
		b := &GradientBatch{Scores: table(outputs, 60), Labels: d.targets.Labels, Gradient: table(outputs, 60), Hessian: table(outputs, 60)}
		for k := range b.Scores {
			for i := range b.Scores[k] {
				b.Scores[k][i] = rng.NormFloat64()
			}
		}
		o.gradients(b)
		for i, y := range b.Labels {
			loss := func(k int, step float64) float64 {
				raw := make([]float64, outputs)
				for j := range raw {
					raw[j] = b.Scores[j][i]
				}
				raw[k] += step
				return metric.Eval(raw, Targets{Labels: []float64{y}})
			}
			for k := range outputs {
				const step = 1e-5
				want := (loss(k, step) - loss(k, -step)) / (2 * step)
				got := b.Gradient[k][i]
				if f := factor[p.Loss]; f != 0 {
					got *= f
				}
				if math.Abs(got-want) > 1e-4*(1+math.Abs(want)) {
					t.Fatalf("%s: row %d output %d: gradient %v, slope %v", p.testName(), i, k, got, want)
				}
				if h := b.Hessian[k][i]; !(h > 0) {
					t.Fatalf("%s: row %d output %d: second derivative %v", p.testName(), i, k, h)
				}
			}
		}
	}
}

// Both derivatives of delta**2*(sqrt(1+(e/delta)**2)-1), by differences.
func TestPseudoHuber(t *testing.T) {
	const delta, step = 0.7, 1e-4
	loss := func(e float64) float64 { return delta * delta * (math.Sqrt(1+e*e/(delta*delta)) - 1) }
	o := huberLoss{delta: delta, family: XGBoost}
	for _, e := range []float64{-5, -0.7, -0.1, 0, 0.3, 2} {
		b := &GradientBatch{Scores: [][]float64{{e + 1}}, Labels: []float64{1}, Gradient: table(1, 1), Hessian: table(1, 1)}
		o.gradients(b)
		slope := (loss(e+step) - loss(e-step)) / (2 * step)
		bend := (loss(e+step) - 2*loss(e) + loss(e-step)) / (step * step)
		if math.Abs(b.Gradient[0][0]-slope) > 1e-6 || math.Abs(b.Hessian[0][0]-bend) > 1e-5 {
			t.Errorf("error %v: got %v, %v, want %v, %v", e, b.Gradient[0][0], b.Hessian[0][0], slope, bend)
		}
	}
}

// A custom squared error is the squared error.
func TestCustomObjective(t *testing.T) {
	for _, family := range []Family{LightGBM, XGBoost} {
		p := DefaultParams(family)
		p.Rounds, p.MinDataInLeaf = 10, 5
		d := testDataset(t, 96, 500, 5, p)
		want := mustTrain(t, p, d, TrainOptions{}).Model
		p.Loss, p.NumClass = Custom, 1
		custom := &CustomObjective{
			Start: func(_ int, t Targets) float64 {
				return weightedMean(&t, func(i int) float64 { return t.Labels[i] })
			},
			Gradients: func(b *GradientBatch) {
				for i, y := range b.Labels {
					if d.targets.Labels[b.From+i] != y {
						panic("the batch is of other rows")
					}
					b.Gradient[0][i], b.Hessian[0][i] = b.Scores[0][i]-y, 1
				}
			},
		}
		got := mustTrain(t, p, d, TrainOptions{Objective: custom}).Model
		if !reflect.DeepEqual(got.Trees, want.Trees) {
			t.Errorf("%v: another model", family)
		}
		custom.Gradients = func(b *GradientBatch) { b.Hessian[0][0] = -1 }
		if _, err := Train(t.Context(), p, d, TrainOptions{Objective: custom}); !errors.Is(err, ErrDiverged) {
			t.Errorf("%v: a second derivative below 0: got %v, want %v", family, err, ErrDiverged)
		}
		if _, err := Train(t.Context(), p, d, TrainOptions{}); !errors.Is(err, ErrParams) {
			t.Errorf("%v: no objective: got %v, want %v", family, err, ErrParams)
		}
	}
}

// Class weights are weights of the rows.
func TestClassWeights(t *testing.T) {
	p := DefaultParams(LightGBM)
	p.Loss, p.Rounds, p.MinDataInLeaf = Logistic, 10, 5
	d := testDataset(t, 97, 500, 5, p)
	targets := d.Targets()
	weights := make([]float64, d.Rows())
	for i, y := range targets.Labels {
		weights[i] = targets.Weights[i] * (1 + 2*y)
	}
	targets.Weights = weights
	weighted, err := d.WithTargets(targets)
	if err != nil {
		t.Fatal(err)
	}
	want := mustTrain(t, p, weighted, TrainOptions{}).Model
	p.ClassWeights = []float64{1, 3}
	if got := mustTrain(t, p, d, TrainOptions{}).Model; !reflect.DeepEqual(got.Trees, want.Trees) {
		t.Error("weights of classes and of rows give different models")
	}
	got, err := BalancedWeights([]float64{0, 0, 0, 1}, 2)
	if want := []float64{4.0 / 6, 2}; err != nil || !sameBits(got, want) {
		t.Errorf("balanced: got %v, %v, want %v", got, err, want)
	}
	for _, labels := range [][]float64{{0, 2}, {0, 0}, {0.5, 1}} {
		if _, err := BalancedWeights(labels, 2); err == nil {
			t.Errorf("labels %v: want an error", labels)
		}
	}
}
