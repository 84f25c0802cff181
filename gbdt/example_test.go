package gbdt_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/lightgbm"
)

// flats makes n flats: size (square metres), floor and distance to the centre (kilometres, often not known), and rents.
func flats(seed uint64, n int) (gbdt.Matrix, []float64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	var values, rents []float64
	for range n {
		size, floor, distance := 20+100*rng.Float64(), float64(rng.IntN(6)), 10*rng.Float64()
		rent := 200 + 9*size + 10*floor - 30*distance
		rents = append(rents, rent*(0.9+0.2*rng.Float64()))
		if rng.IntN(4) == 0 {
			distance = math.NaN() // missing
		}
		values = append(values, size, floor, distance)
	}
	x, err := gbdt.NewMatrix(values, 3)
	if err != nil {
		log.Fatal(err)
	}
	return x, rents
}

var columns = []string{"size", "floor", "distance"}

func dataset(seed uint64, n int) *gbdt.Dataset {
	x, rents := flats(seed, n)
	data, err := gbdt.NewDataset(x, columns, gbdt.Targets{Labels: rents})
	if err != nil {
		log.Fatal(err)
	}
	return data
}

func trained(p gbdt.Params, options gbdt.TrainOptions) *gbdt.Result {
	result, err := gbdt.Train(context.Background(), p, dataset(1, 2000), options)
	if err != nil {
		log.Fatal(err)
	}
	return result
}

func predictor(m *gbdt.Model) *gbdt.Predictor {
	p, err := gbdt.NewPredictor(m, gbdt.PredictOptions{})
	if err != nil {
		log.Fatal(err)
	}
	return p
}

// Train a model, ask it about one row, and save it for LightGBM.
func Example() {
	x, rents := flats(1, 2000)
	data, err := gbdt.NewDataset(x, []string{"size", "floor", "distance"}, gbdt.Targets{Labels: rents})
	if err != nil {
		log.Fatal(err)
	}
	params := gbdt.DefaultParams(gbdt.LightGBM)
	params.Loss, params.Rounds, params.LearningRate = gbdt.SquaredError, 100, 0.1
	result, err := gbdt.Train(context.Background(), params, data, gbdt.TrainOptions{})
	if err != nil {
		log.Fatal(err)
	}

	predictor, err := gbdt.NewPredictor(result.Model, gbdt.PredictOptions{})
	if err != nil {
		log.Fatal(err)
	}
	rent := make([]float64, 1)
	if err := predictor.Predict(rent, []float64{80, 2, math.NaN()}); err != nil { // the distance is not known
		log.Fatal(err)
	}
	fmt.Println("a flat of 80 square metres costs about the 790 that it should:", math.Abs(rent[0]-790) < 50)

	folder, err := os.MkdirTemp("", "model")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	file, err := lightgbm.New(result.Model)
	if err != nil {
		log.Fatal(err)
	}
	if err := lightgbm.Save(filepath.Join(folder, "rents.txt"), file); err != nil {
		log.Fatal(err)
	}
	// In Python, with the same answers bit for bit:
	//
	//	import lightgbm, numpy
	//	model = lightgbm.Booster(model_file="rents.txt")
	//	model.predict(numpy.array([[80, 2, numpy.nan]]))

	// Output: a flat of 80 square metres costs about the 790 that it should: true
}

// Contributions say what each feature adds to the raw score of a row; they add up to it.
func ExamplePredictor_Contributions() {
	p := predictor(trained(gbdt.DefaultParams(gbdt.LightGBM), gbdt.TrainOptions{}).Model)
	row := []float64{110, 0, 9}
	why, raw := make([]float64, len(row)+1), make([]float64, 1)
	if err := p.Contributions(why, row); err != nil {
		log.Fatal(err)
	}
	if err := p.Raw(raw, row); err != nil {
		log.Fatal(err)
	}
	sum := why[len(row)] // the expected rent of a flat of which nothing is known
	for j, name := range columns {
		sign := "less"
		if why[j] > 0 {
			sign = "more"
		}
		fmt.Printf("%s %v: %s\n", name, row[j], sign)
		sum += why[j]
	}
	fmt.Println("they add up:", math.Abs(sum-raw[0]) < 1e-9)
	// Output:
	// size 110: more
	// floor 0: less
	// distance 9: less
	// they add up: true
}

// Two quantile models give an interval that should hold four rents of five.
func Example_quantileInterval() {
	params := gbdt.DefaultParams(gbdt.LightGBM)
	params.Loss, params.MinDataInLeaf = gbdt.Quantile, 60 // rows enough to tell a tenth of them
	bound := func(level float64) *gbdt.Predictor {
		params.Alpha = level
		return predictor(trained(params, gbdt.TrainOptions{}).Model)
	}
	low, high := bound(0.1), bound(0.9)

	x, rents := flats(2, 1000) // others than those of the training
	lows, highs := make([]float64, x.Rows()), make([]float64, x.Rows())
	if err := low.PredictBatch(context.Background(), lows, x); err != nil {
		log.Fatal(err)
	}
	if err := high.PredictBatch(context.Background(), highs, x); err != nil {
		log.Fatal(err)
	}
	inside := 0
	for i, rent := range rents {
		if lows[i] <= rent && rent <= highs[i] {
			inside++
		}
	}
	fmt.Println("from 70 to 85 % of the rents lie inside:", 700 <= inside && inside <= 850)
	// Output: from 70 to 85 % of the rents lie inside: true
}

// Early stopping ends the training when other rows are predicted no better, and keeps the best round.
func Example_earlyStopping() {
	params := gbdt.DefaultParams(gbdt.LightGBM)
	params.Rounds, params.EarlyStopping = 5000, 20
	result := trained(params, gbdt.TrainOptions{
		Valid: []gbdt.ValidSet{{Name: "other flats", Data: dataset(2, 500)}},
		Progress: func(r gbdt.Round) error {
			if r.Number%1000 == 0 {
				fmt.Printf("round %d: %.1f\n", r.Number, r.Valid[0])
			}
			return nil
		},
	})
	fmt.Println("metric:", result.Metric)
	fmt.Println("stopped 20 rounds after the best:", len(result.History) == result.BestRound+20)
	fmt.Println("the model ends with the best:", result.Model.NumRounds() == result.BestRound)
	// Output:
	// metric: l2
	// stopped 20 rounds after the best: true
	// the model ends with the best: true
}

// An XGBoost model follows XGBoost's arithmetic: rows are rounded to float32, and scores are float32 numbers.
func ExampleFamily() {
	params := gbdt.DefaultParams(gbdt.XGBoost)
	p := predictor(trained(params, gbdt.TrainOptions{}).Model)
	raw := make([]float64, 1)
	if err := p.Raw(raw, []float64{60, 3, 2.5}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(params.Family, float64(float32(raw[0])) == raw[0])
	// Output: xgboost true
}
