package gbdt

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// What training believes each row's raw score to be is, to the last bit, what the model answers: for rows in and out
// of the sample, missing values, signed zeros, the smallest numbers and numbers that float32 does not hold.
func TestTrainingScoresAreThePredictions(t *testing.T) {
	all := allLosses()
	for _, p := range variants() {
		all = append(all, p)
	}
	for _, p := range all {
		for _, bin := range []int{2, 7, 255} {
			p.MaxBin = bin
			d := testDataset(t, 41, 800, 10, p)
			tr, err := newTrainer(&p, d, TrainOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for r := range p.Rounds {
				if _, err := tr.round(t.Context(), r); err != nil {
					t.Fatal(err)
				}
			}
			m := tr.result().Model
			raw := mustRaw(t, m, d.x)
			got := make([]float64, 0, len(raw))
			for i := range d.Rows() {
				for k := range m.Outputs {
					got = append(got, tr.scores[k][i])
				}
			}
			if !sameBits(got, raw) {
				t.Errorf("%s, %d bins: training and prediction differ", p.testName(), bin)
			}
		}
	}
}

func TestInitialScoresAndValidationScores(t *testing.T) {
	for _, p := range allLosses() {
		d := testDataset(t, 42, 600, 7, p)
		rng := rand.New(rand.NewPCG(1, 4))
		targets := d.Targets()
		targets.InitScores = make([]float64, 600*p.outputs())
		for i := range targets.InitScores {
			targets.InitScores[i] = p.Family.stored(rng.NormFloat64())
		}
		d, err := d.WithTargets(targets)
		if err != nil {
			t.Fatal(err)
		}
		var raw []float64
		metric := Metric{Name: "keep", Eval: func(r []float64, _ Targets) float64 {
			raw = slices.Clone(r)
			return 0
		}}
		m := mustTrain(t, p, d, TrainOptions{Valid: []ValidSet{{"itself", d}}, Metric: metric}).Model
		want := slices.Clone(targets.InitScores)
		for n := range m.Trees {
			w := newWalkTree(&m.Trees[n])
			for i := range d.Rows() {
				s := &want[i*m.Outputs+w.tree.Output]
				*s = p.Family.addLeaf(*s, w.tree.LeafValue[w.leaf(p.Family, d.x.row(i, nil))])
			}
		}
		if !sameBits(raw, want) {
			t.Errorf("%s: scores from initial scores differ from their sum with the trees'", p.testName())
		}
	}
}

// A model that starts from another model's scores learns what that one left over.
func TestInitialScoresContinueATraining(t *testing.T) {
	p := DefaultParams(LightGBM)
	p.Rounds, p.BoostFromAverage = 10, false
	d := testDataset(t, 43, 2000, 6, p)
	p.Rounds = 20
	whole := mustTrain(t, p, d, TrainOptions{}).Model
	p.Rounds = 10
	first := mustTrain(t, p, d, TrainOptions{}).Model
	targets := d.Targets()
	targets.InitScores = mustRaw(t, first, d.x)
	rest, err := d.WithTargets(targets)
	if err != nil {
		t.Fatal(err)
	}
	second := mustTrain(t, p, rest, TrainOptions{}).Model
	if !reflect.DeepEqual(whole.Trees, slices.Concat(first.Trees, second.Trees)) {
		t.Error("10 rounds and 10 more on their scores are not the 20 rounds in one")
	}
}

func TestSameModelAtAnyNumberOfThreads(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	all := allLosses()
	for name, p := range variants() {
		all = append(all, p)
		if strings.HasSuffix(name, "/categories") {
			p.Boosting, p.SkipDrop = Dart, 0
			all = append(all, p)
			p.Boosting = RandomForest
			all = append(all, p)
		}
	}
	for _, p := range all {
		p.Rounds = 2
		if p.Boosting == Dart {
			p.Rounds = 5
		}
		cols := 20
		if p.MonotoneConstraints != nil {
			cols = len(p.MonotoneConstraints)
		}
		var models []*Model
		for _, procs := range []int{1, 2, 5} {
			runtime.GOMAXPROCS(procs)
			d := testDataset(t, 44, 9000, cols, p) // several chunks and blocks
			models = append(models, mustTrain(t, p, d, TrainOptions{}).Model)
		}
		for _, m := range models {
			for i := range m.Features { // NaN is not equal to itself
				m.Features[i].Min = max(m.Features[i].Min, -9)
			}
			if !reflect.DeepEqual(m.Trees, models[0].Trees) || !reflect.DeepEqual(m.RoundEnds, models[0].RoundEnds) {
				t.Errorf("%s: models differ by the number of threads", p.testName())
			}
		}
		p.Seed++
		if p.BaggingFraction == 1 {
			continue // the seed counts in late rounds only
		}
		if other := mustTrain(t, p, testDataset(t, 44, 9000, cols, p), TrainOptions{}).Model; reflect.DeepEqual(other.Trees, models[0].Trees) {
			t.Errorf("%s: another seed gives the same model", p.testName())
		}
	}
}

// A row of weight 3 is like three rows, up to the rounding of gradients to integers.
func TestWeightsAreLikeRepeatedRows(t *testing.T) {
	for _, p := range allLosses() {
		p.BaggingFraction, p.FeatureFraction, p.MinDataInLeaf, p.MinSumHessian, p.MinDataInBin = 1, 1, 1, 20, 1
		p.Rounds, p.MaxLeaves = 5, 5
		if p.Loss == Poisson || p.Loss == Tweedie {
			p.MinSumHessian = 300 // a row's hessian is large, and the share of a row must not be what decides
		}
		x := testMatrix(t, rand.New(rand.NewPCG(3, 5)), 900, 2)
		base := testDataset(t, 45, 900, 7, p)
		values := make([]float64, 900)
		for i := range values {
			values[i] = math.Round(3*base.x.At(i, 0)) + 0*x.At(i, 0) // few distinct ones: the same bins for any weights
		}
		x, err := NewMatrix(values, 1)
		if err != nil {
			t.Fatal(err)
		}
		labels, weights := base.Targets().Labels, make([]float64, 900)
		var rows []int32
		for i := range weights {
			weights[i] = float64(1 + i%3)
			for range 1 + i%3 {
				rows = append(rows, int32(i))
			}
		}
		weighted := mustDataset(t, x, Targets{Labels: labels, Weights: weights})
		repeated, err := mustDataset(t, x, Targets{Labels: labels}).Subset(rows)
		if err != nil {
			t.Fatal(err)
		}
		a := mustRaw(t, mustTrain(t, p, weighted, TrainOptions{}).Model, x)
		b := mustRaw(t, mustTrain(t, p, repeated, TrainOptions{}).Model, x)
		spread := slices.Max(a) - slices.Min(a)
		if spread < 0.05 {
			t.Errorf("%s: the model is all but constant (%v)", p.testName(), spread)
		}
		for i := range a {
			if math.Abs(a[i]-b[i]) > 1e-5 {
				t.Errorf("%s: raw score %d: weighted %v, repeated %v", p.testName(), i, a[i], b[i])
				break
			}
		}
	}
}

// The missing values go where they belong, also where training had none.
func TestMissingValuesAreRouted(t *testing.T) {
	for _, family := range []Family{LightGBM, XGBoost} {
		p := DefaultParams(family)
		p.Rounds, p.LearningRate, p.L2, p.MinDataInLeaf, p.MaxLeaves, p.MaxDepth = 30, 0.5, 0, 1, 4, 2
		values, labels := make([]float64, 600), make([]float64, 600)
		for i := range values {
			values[i] = float64(i % 10)
			labels[i] = 1
			if i%10 >= 5 {
				labels[i] = 3
			}
			if i%4 == 3 {
				values[i], labels[i] = math.NaN(), 7
			}
		}
		x, err := NewMatrix(values, 1)
		if err != nil {
			t.Fatal(err)
		}
		pr := mustPredictor(t, mustTrain(t, p, mustDataset(t, x, Targets{Labels: labels}), TrainOptions{}).Model, PredictOptions{})
		for _, c := range []struct{ x, want float64 }{{0, 1}, {4, 1}, {5, 3}, {1e300, 3}, {-1e30, 1}, {math.NaN(), 7}} {
			var got [1]float64
			if err := pr.Raw(got[:], []float64{c.x}); err != nil {
				t.Fatal(err)
			}
			if c.x == 1e300 && family == XGBoost {
				continue // +Inf as float32, which the threshold above all values sends the missing values' way
			}
			if math.Abs(got[0]-c.want) > 1e-3 {
				t.Errorf("%v: f(%v): got %v, want %v", family, c.x, got[0], c.want)
			}
		}
	}
}

func TestNaNWhereTrainingHadNone(t *testing.T) {
	values, labels := make([]float64, 400), make([]float64, 400)
	for i := range values {
		values[i] = float64(i%100) - 20 // 0 lies on the left of the threshold, most rows on the right
		if values[i] > 10 {
			labels[i] = 5
		}
	}
	x, err := NewMatrix(values, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		family Family
		like   float64
	}{{LightGBM, 0}, {XGBoost, 70}} {
		p := DefaultParams(c.family)
		p.MaxLeaves, p.MaxDepth, p.Rounds = 2, 1, 3
		pr := mustPredictor(t, mustTrain(t, p, mustDataset(t, x, Targets{Labels: labels}), TrainOptions{}).Model, PredictOptions{})
		var got, want [1]float64
		if err := errors.Join(pr.Raw(got[:], []float64{math.NaN()}), pr.Raw(want[:], []float64{c.like})); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%v: NaN gives %v, want that of %v: %v", c.family, got, c.like, want)
		}
	}
}

func TestEarlyStopping(t *testing.T) {
	for _, family := range []Family{LightGBM, XGBoost} {
		p := DefaultParams(family)
		p.Loss, p.Rounds, p.LearningRate, p.EarlyStopping, p.MinDataInLeaf = Logistic, 300, 0.3, 7, 2
		d, valid := testDataset(t, 46, 500, 8, p), testDataset(t, 47, 500, 8, p)
		var rounds []Round
		r := mustTrain(t, p, d, TrainOptions{Valid: []ValidSet{{"valid", valid}, {"train", d}}, Progress: func(r Round) error {
			rounds = append(rounds, r)
			return nil
		}})
		n := len(r.History)
		if n == p.Rounds || n != r.BestRound+p.EarlyStopping || len(rounds) != n {
			t.Fatalf("%v: %d rounds made, best %d, %d told of", family, n, r.BestRound, len(rounds))
		}
		for i, h := range r.History {
			if h[0] < r.History[r.BestRound-1][0] {
				t.Errorf("%v: round %d has %v, better than the best's %v", family, i+1, h[0], r.History[r.BestRound-1][0])
			}
		}
		if r.History[n-1][1] >= r.History[0][1] {
			t.Errorf("%v: the loss on the training data does not fall: %v, %v", family, r.History[0][1], r.History[n-1][1])
		}
		if r.Model.NumRounds() != r.BestRound || len(r.Model.Trees) != r.BestRound {
			t.Errorf("%v: the model has %d rounds, best %d", family, r.Model.NumRounds(), r.BestRound)
		}
		got := DefaultMetric(p).Eval(mustRaw(t, r.Model, valid.x), valid.Targets())
		if got != r.History[r.BestRound-1][0] {
			t.Errorf("%v: the model's loss is %v, history says %v", family, got, r.History[r.BestRound-1][0])
		}
	}
}

func TestProgressErrorAndCancelEndTraining(t *testing.T) {
	p := DefaultParams(LightGBM)
	d := testDataset(t, 48, 300, 5, p)
	stop := errors.New("stop")
	_, err := Train(t.Context(), p, d, TrainOptions{Progress: func(r Round) error {
		if r.Number == 3 {
			return stop
		}
		return nil
	}})
	if !errors.Is(err, stop) {
		t.Errorf("got %v, want %v", err, stop)
	}
	ctx, cancel := context.WithCancel(t.Context())
	rounds := 0
	_, err = Train(ctx, p, d, TrainOptions{Progress: func(Round) error {
		rounds++
		if rounds == 2 {
			cancel()
		}
		return nil
	}})
	if !errors.Is(err, context.Canceled) || rounds != 2 {
		t.Errorf("got %v after %d rounds, want %v after 2", err, rounds, context.Canceled)
	}
}

// Rows of a known function with noise of variance 0.01: the model's mean squared error to the function itself.
func TestLearnsKnownFunctions(t *testing.T) {
	for _, c := range []struct {
		name string
		f    func(a, b float64) float64
		want float64
	}{
		{"step", func(a, _ float64) float64 {
			if a > 0.3 {
				return 1
			}
			return 0
		}, 0.001},
		{"product of signs", func(a, b float64) float64 { return math.Copysign(1, (a-0.1)*(b-0.1)) }, 0.01},
		{"wave", func(a, b float64) float64 { return math.Sin(6*a) + b*b }, 0.01},
	} {
		for _, family := range []Family{LightGBM, XGBoost} {
			rng := rand.New(rand.NewPCG(6, 6))
			const n = 5000
			values, labels := make([]float64, 3*n), make([]float64, n)
			for i := range labels {
				a, b := 2*rng.Float64()-1, 2*rng.Float64()-1
				values[3*i], values[3*i+1], values[3*i+2] = a, b, rng.Float64()
				labels[i] = c.f(a, b) + 0.1*rng.NormFloat64()
			}
			x, err := NewMatrix(values, 3)
			if err != nil {
				t.Fatal(err)
			}
			p := DefaultParams(family)
			p.LearningRate, p.Rounds, p.MinDataInLeaf, p.MaxDepth = 0.1, 100, 20, 5
			raw := mustRaw(t, mustTrain(t, p, mustDataset(t, x, Targets{Labels: labels}), TrainOptions{}).Model, x)
			mse := 0.0
			for i := range labels {
				e := raw[i] - c.f(values[3*i], values[3*i+1])
				mse += e * e / n
			}
			if mse > c.want {
				t.Errorf("%s, %v: mean squared error %v, want at most %v", c.name, family, mse, c.want)
			}
		}
	}
}

func TestQuantileCoversItsPart(t *testing.T) {
	for _, family := range []Family{LightGBM, XGBoost} {
		for _, alpha := range []float64{0.1, 0.5, 0.9} {
			p := DefaultParams(family)
			p.Loss, p.Alpha, p.Rounds, p.LearningRate, p.MinDataInLeaf, p.MaxDepth = Quantile, alpha, 100, 0.1, 50, 4
			train, test := testDataset(t, 50, 4000, 5, p), testDataset(t, 51, 4000, 5, p)
			m := mustTrain(t, p, train, TrainOptions{}).Model
			for _, c := range []struct {
				d         *Dataset
				tolerance float64
			}{{train, 0.01}, {test, 0.05}} { // boosting fits the rows it sees better than others
				d := c.d
				raw := mustRaw(t, m, d.x)
				below, total := 0.0, 0.0
				for i, y := range d.Targets().Labels {
					w := d.targets.weight(i)
					total += w
					if y <= raw[i] {
						below += w
					}
				}
				if got := below / total; math.Abs(got-alpha) > c.tolerance {
					t.Errorf("%v: level %v covers %v", family, alpha, got)
				}
			}
		}
	}
}

func TestLossFallsEveryRound(t *testing.T) {
	for _, p := range allLosses() {
		p.BaggingFraction, p.FeatureFraction, p.LearningRate, p.Rounds = 1, 1, 0.1, 30
		d := testDataset(t, 52, 1500, 6, p)
		r := mustTrain(t, p, d, TrainOptions{Valid: []ValidSet{{"train", d}}})
		for i := 1; i < len(r.History); i++ {
			if r.History[i][0] > r.History[i-1][0] {
				t.Errorf("%s: %s rises in round %d: %v, %v", p.testName(), r.Metric, i+1, r.History[i-1][0], r.History[i][0])
				break
			}
		}
		if first, last := r.History[0][0], r.History[len(r.History)-1][0]; last > 0.95*first {
			t.Errorf("%s: %s falls from %v to %v only", p.testName(), r.Metric, first, last)
		}
	}
}

// With a learning rate of 1, no penalty and a single split the leaves of a gamma model are the logarithms of the means
// on both sides, once Newton's steps have come to rest.
func TestGammaFindsTheMeans(t *testing.T) {
	for _, family := range []Family{LightGBM, XGBoost} {
		p := DefaultParams(family)
		p.Loss, p.Rounds, p.LearningRate, p.MaxLeaves, p.MaxDepth, p.L2 = Gamma, 12, 1, 2, 1, 0
		d := mustDataset(t, Matrix{rows: 400, cols: 1, f64: make([]float64, 400)}, Targets{Labels: make([]float64, 400)})
		for i := range 400 {
			d.x.f64[i] = float64(i % 2)
			d.targets.Labels[i] = 0.5 + 4*float64(i%2) + float64(i%10)/10
		}
		m := mustTrain(t, p, d, TrainOptions{}).Model
		raw := mustRaw(t, m, d.x)
		for i, mean := range []float64{0.5 + 0.4, 4.5 + 0.5} {
			if math.Abs(raw[i]-math.Log(mean)) > 1e-5 {
				t.Errorf("%v: raw score %v, want %v", family, raw[i], math.Log(mean))
			}
		}
	}
}

func TestNothingToLearn(t *testing.T) {
	for _, p := range allLosses() {
		p.BaggingFraction, p.FeatureFraction = 1, 1
		d := testDataset(t, 53, 50, 5, p)
		x, err := NewMatrix(make([]float32, 50), 1) // one value
		if err != nil {
			t.Fatal(err)
		}
		d = mustDataset(t, x, d.Targets())
		m := mustTrain(t, p, d, TrainOptions{}).Model
		if m.NumRounds() != 1 || len(m.Trees) != m.Outputs {
			t.Fatalf("%s: %d rounds, %d trees", p.testName(), m.NumRounds(), len(m.Trees))
		}
		o, targets := newObjective(&p), d.Targets()
		for k, raw := range mustRaw(t, m, x)[:m.Outputs] {
			if want := p.Family.stored(o.start(k, &targets)); raw != want {
				t.Errorf("%s: raw score %d: got %v, want the best constant %v", p.testName(), k, raw, want)
			}
		}
	}
}
