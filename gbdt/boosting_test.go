package gbdt

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"sort"
	"testing"
)

// Dart's scores in training, from which trees come and go, and those of its validation sets are the model's answers, up
// to the rounding of those sums.
func TestDartScoresAreThePredictions(t *testing.T) {
	for _, family := range []Family{LightGBM, XGBoost} {
		for _, loss := range []Loss{SquaredError, Softmax} {
			p := DefaultParams(family)
			p.Loss, p.NumClass, p.Boosting, p.Rounds, p.DropRate, p.SkipDrop, p.MinDataInLeaf = loss, 3, Dart, 25, 0.3, 0.2, 5
			p.BaggingFraction, p.LearningRate = 0.8, 0.2
			d, valid := testDataset(t, 81, 700, 6, p), testDataset(t, 82, 300, 6, p)
			tr, err := newTrainer(&p, d, TrainOptions{Valid: []ValidSet{{"valid", valid}}, Metric: DefaultMetric(p)})
			if err != nil {
				t.Fatal(err)
			}
			drops := 0
			for r := range p.Rounds {
				if _, err := tr.round(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				drops += len(tr.dart.dropped)
			}
			if drops < 10 {
				t.Fatalf("only %d rounds left out", drops)
			}
			m := tr.result().Model
			tolerance := 1e-12
			if family == XGBoost {
				tolerance = 1e-4 // of float32 sums
			}
			raw, seen := mustRaw(t, m, d.x), mustRaw(t, m, valid.x)
			for i := range d.Rows() {
				for k := range m.Outputs {
					if got, want := tr.scores[k][i], raw[i*m.Outputs+k]; math.Abs(got-want) > tolerance {
						t.Fatalf("%v, %s: row %d: score %v, model %v", family, loss, i, got, want)
					}
				}
			}
			for i, want := range seen {
				if got := tr.valid[0].raw[i]; math.Abs(got-want) > tolerance {
					t.Fatalf("%v, %s: validation %d: score %v, model %v", family, loss, i, got, want)
				}
			}
			if first, last := tr.history[0][0], tr.history[p.Rounds-1][0]; last > 0.9*first {
				t.Errorf("%v, %s: the loss falls from %v to %v only", family, loss, first, last)
			}
		}
	}
}

func TestRandomForestAveragesItsTrees(t *testing.T) {
	for _, family := range []Family{LightGBM, XGBoost} {
		p := DefaultParams(family)
		p.Boosting, p.Rounds, p.BaggingFraction, p.FeatureFraction, p.MinDataInLeaf, p.L2 = RandomForest, 30, 0.6, 0.8, 5, 0
		d := testDataset(t, 83, 2000, 6, p)
		r := mustTrain(t, p, d, TrainOptions{Valid: []ValidSet{{"train", d}}})
		out := make([]float64, d.Rows())
		if err := mustPredictor(t, r.Model, PredictOptions{}).PredictBatch(t.Context(), out, d.x); err != nil {
			t.Fatal(err)
		}
		got := DefaultMetric(p).Eval(out, d.Targets())
		if want := r.History[p.Rounds-1][0]; math.Abs(got-want) > 1e-5 {
			t.Errorf("%v: mean squared error %v, history says %v", family, got, want)
		}
		if r.History[p.Rounds-1][0] >= r.History[0][0] {
			t.Errorf("%v: %v of one tree, %v of all", family, r.History[0][0], r.History[p.Rounds-1][0])
		}
		// The first tree answers the mean of its leaves' rows, the start included.
		tree := &r.Model.Trees[0]
		if mean := weightedMean(&d.targets, func(i int) float64 { return d.targets.Labels[i] }); family == LightGBM {
			sum, weight := 0.0, 0.0
			for leaf, v := range tree.LeafValue {
				sum += v * tree.LeafWeight[leaf]
				weight += tree.LeafWeight[leaf]
			}
			if math.Abs(sum/weight-mean) > 0.1 {
				t.Errorf("the leaves' mean is %v, that of the labels %v", sum/weight, mean)
			}
		}
	}
}

// A checkpoint is the model that a training of so many rounds gives, and later rounds leave it alone.
func TestCheckpointsAreModels(t *testing.T) {
	for _, family := range []Family{LightGBM, XGBoost} {
		for _, boosting := range []Boosting{Plain, Dart, RandomForest} {
			p := DefaultParams(family)
			p.Boosting, p.Rounds, p.BaggingFraction, p.MinDataInLeaf, p.SkipDrop = boosting, 6, 0.6, 5, 0
			d := testDataset(t, 89, 400, 6, p)
			var models []*Model
			mustTrain(t, p, d, TrainOptions{Checkpoint: func(m *Model) error { models = append(models, m); return nil }})
			for i, m := range models {
				p.Rounds = i + 1
				want := mustTrain(t, p, d, TrainOptions{}).Model
				if !reflect.DeepEqual(m.Trees, want.Trees) || !reflect.DeepEqual(m.TreeWeights, want.TreeWeights) {
					t.Errorf("%v, boosting %d: checkpoint %d differs", family, boosting, i+1)
				}
			}
			if len(models) != 6 {
				t.Errorf("%v, boosting %d: %d checkpoints, want 6", family, boosting, len(models))
			}
		}
	}
}

func TestLargestImportance(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	tr := &trainer{data: &binned{rows: 5000}, scale: []scales{{1, 1}}, pairs: [][]gradPair{make([]gradPair, 5000)}}
	keys := make([]float64, 5000)
	for i := range keys {
		g, h := int32(rng.IntN(200)-100), uint32(rng.IntN(5)) // many alike
		tr.pairs[0][i] = packPair(g, h)
		keys[i] = math.Abs(float64(g)) * float64(h)
	}
	sort.Float64s(keys)
	slices.Reverse(keys)
	for _, count := range []int{1, 2, 77, 2500, 4999, 5000} {
		limit, ties := tr.largest(count)
		if want := math.Float32bits(float32(keys[count-1])); limit != want {
			t.Errorf("%d largest: limit %x, want %x", count, limit, want)
		}
		want := 0
		for _, k := range keys[:count] {
			if k == keys[count-1] {
				want++
			}
		}
		if ties != want {
			t.Errorf("%d largest: %d of the limit, want %d", count, ties, want)
		}
	}
}

// The sample's sums stand for those of all rows, and it has as many rows as the rates say.
func TestOneSidedSampleKeepsSums(t *testing.T) {
	p := DefaultParams(LightGBM)
	p.Loss, p.TopRate, p.OtherRate, p.LearningRate = Logistic, 0.2, 0.1, 1
	d := testDataset(t, 84, 20_000, 6, p)
	tr, err := newTrainer(&p, d, TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for r := range 2 {
		if _, err := tr.round(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := tr.computeGradients(); err != nil {
		t.Fatal(err)
	}
	sum := func(rows []int32, s scales) (g, h float64) {
		for _, i := range rows {
			g += math.Abs(float64(tr.pairs[0][i].gradient())) / s.gradient
			h += float64(tr.pairs[0][i].hessian()) / s.hessian
		}
		return g, h
	}
	all := newBag(&p, 20_000).in
	wantG, wantH := sum(all, tr.scale[0])
	tr.sample(2)
	gotG, gotH := sum(tr.bag.in, tr.used[0])
	if math.Abs(gotG/wantG-1) > 0.05 || math.Abs(gotH/wantH-1) > 0.05 {
		t.Errorf("sums %v, %v, want about %v, %v", gotG, gotH, wantG, wantH)
	}
	if n := len(tr.bag.in); math.Abs(float64(n)-6000) > 200 || n+len(tr.bag.out) != 20_000 {
		t.Errorf("%d rows in the sample and %d not, want about 6000", n, len(tr.bag.out))
	}
}

// Going on from a model gives what one training gives: same trees, same validation figures.
func TestGoingOnIsOneTraining(t *testing.T) {
	all := allLosses()
	for _, p := range variants() {
		all = append(all, p)
	}
	for _, p := range all {
		p.Rounds, p.BaggingFreq = 12, 3
		d, valid := testDataset(t, 85, 600, 10, p), testDataset(t, 86, 200, 10, p)
		var checkpoints []*Model
		whole := mustTrain(t, p, d, TrainOptions{
			Valid: []ValidSet{{"valid", valid}}, CheckpointEvery: 5,
			Checkpoint: func(m *Model) error { checkpoints = append(checkpoints, m); return nil },
		})
		if len(checkpoints) != 2 || checkpoints[0].NumRounds() != 5 {
			t.Fatalf("%s: %d checkpoints, want one after 5 and 10 rounds", p.testName(), len(checkpoints))
		}
		p.Rounds = 7
		rest := mustTrain(t, p, d, TrainOptions{From: checkpoints[0], Valid: []ValidSet{{"valid", valid}}})
		if !reflect.DeepEqual(rest.Model.Trees, whole.Model.Trees) || !reflect.DeepEqual(rest.Model.RoundEnds, whole.Model.RoundEnds) {
			t.Errorf("%s: 5 and 7 rounds are not the 12 in one", p.testName())
		}
		if !reflect.DeepEqual(rest.History, whole.History[5:]) || rest.BestRound != 7 {
			t.Errorf("%s: figures %v, want %v", p.testName(), rest.History, whole.History[5:])
		}
		if checkpoints[0].NumRounds() != 5 {
			t.Errorf("%s: the checkpoint has grown", p.testName())
		}
	}
}

func TestProgressStopsTraining(t *testing.T) {
	p := DefaultParams(XGBoost)
	d := testDataset(t, 87, 300, 5, p)
	r := mustTrain(t, p, d, TrainOptions{Progress: func(r Round) error {
		if r.Number == 4 {
			return ErrStop
		}
		return nil
	}})
	if r.Model.NumRounds() != 4 {
		t.Errorf("%d rounds, want 4", r.Model.NumRounds())
	}
	fault := errors.New("disk full")
	_, err := Train(t.Context(), p, d, TrainOptions{Checkpoint: func(*Model) error { return fault }})
	if !errors.Is(err, fault) {
		t.Errorf("got %v, want %v", err, fault)
	}
}

func TestCrossValidate(t *testing.T) {
	p := DefaultParams(LightGBM)
	p.Loss, p.Rounds, p.MinDataInLeaf = Logistic, 15, 5
	d := testDataset(t, 88, 900, 5, p)
	rows := func(from, to int) []int32 {
		var out []int32
		for i := from; i < to; i++ {
			out = append(out, int32(i))
		}
		return out
	}
	folds := []Fold{{rows(0, 400), rows(450, 600)}, {rows(0, 600), rows(650, 900)}}
	results, err := CrossValidate(t.Context(), p, d, folds, TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range folds {
		train, err := d.Subset(f.Train)
		if err != nil {
			t.Fatal(err)
		}
		test, err := d.Subset(f.Test)
		if err != nil {
			t.Fatal(err)
		}
		want := mustTrain(t, p, train, TrainOptions{Valid: []ValidSet{{"test", test}}})
		if !reflect.DeepEqual(results[i].Model.Trees, want.Model.Trees) || !reflect.DeepEqual(results[i].History, want.History) {
			t.Errorf("fold %d is not the training on its rows", i)
		}
		if got := DefaultMetric(p).Eval(results[i].Raw, test.Targets()); got != want.History[p.Rounds-1][0] {
			t.Errorf("fold %d: loss of the raw scores %v, want %v", i, got, want.History[p.Rounds-1][0])
		}
	}
	mean, deviation := MeanHistory(results)
	a, b := results[0].History[3][0], results[1].History[3][0]
	if math.Abs(mean[3]-(a+b)/2) > 1e-12 || math.Abs(deviation[3]-math.Abs(a-b)/math.Sqrt2) > 1e-12 {
		t.Errorf("mean %v, deviation %v of %v and %v", mean[3], deviation[3], a, b)
	}
	if _, err := CrossValidate(t.Context(), p, d, []Fold{{rows(0, 3), []int32{900}}}, TrainOptions{}); !errors.Is(err, ErrShape) {
		t.Errorf("a row outside the data: got %v, want %v", err, ErrShape)
	}
}
