package lightgbm_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/lightgbm"
)

// A model is trained, saved as a text that LightGBM's Booster(model_file="model.txt") loads too, loaded and asked.
func Example() {
	var x, y []float64
	for i := range 100 {
		x = append(x, float64(i%10), float64(i/10))
		y = append(y, float64(i%10))
	}
	rows, err := gbdt.NewMatrix(x, 2)
	if err != nil {
		log.Fatal(err)
	}
	data, err := gbdt.NewDataset(rows, []string{"ones", "tens"}, gbdt.Targets{Labels: y})
	if err != nil {
		log.Fatal(err)
	}
	params := gbdt.DefaultParams(gbdt.LightGBM)
	params.Rounds, params.MinDataInLeaf = 50, 5
	result, err := gbdt.Train(context.Background(), params, data, gbdt.TrainOptions{})
	if err != nil {
		log.Fatal(err)
	}

	folder, err := os.MkdirTemp("", "model")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "model.txt")
	file, err := lightgbm.New(result.Model)
	if err != nil {
		log.Fatal(err)
	}
	if err := lightgbm.Save(path, file); err != nil {
		log.Fatal(err)
	}

	loaded, err := lightgbm.Load(path)
	if err != nil {
		log.Fatal(err)
	}
	predictor, err := gbdt.NewPredictor(loaded.Model, gbdt.PredictOptions{})
	if err != nil {
		log.Fatal(err)
	}
	mean := make([]float64, 1)
	if err := predictor.Predict(mean, []float64{7, 3}); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, %d rounds: %.2f\n", loaded.Model.Objective.Name, loaded.Model.NumRounds(), mean[0])
	// Output: regression, 50 rounds: 6.99
}
