package convert_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/convert"
	"github.com/pppq/pppq/gbdt/xgboost"
)

// A model that was trained in LightGBM's arithmetic is written as XGBoost's, which xgboost.Booster(model_file=...) loads.
func ExampleToXGBoost() {
	x, err := gbdt.NewMatrix([]float64{1, 2, 3, 4, 5, 6, 7, 8}, 1)
	if err != nil {
		log.Fatal(err)
	}
	data, err := gbdt.NewDataset(x, []string{"x"}, gbdt.Targets{Labels: []float64{0, 0, 0, 0, 1, 1, 1, 1}})
	if err != nil {
		log.Fatal(err)
	}
	params := gbdt.DefaultParams(gbdt.LightGBM)
	params.Loss, params.Rounds, params.MinDataInLeaf, params.MinDataInBin = gbdt.Logistic, 3, 1, 1
	result, err := gbdt.Train(context.Background(), params, data, gbdt.TrainOptions{})
	if err != nil {
		log.Fatal(err)
	}

	model, err := convert.ToXGBoost(result.Model)
	if err != nil {
		log.Fatal(err) // a *convert.RefusedError says what XGBoost cannot say
	}
	file, err := xgboost.New(model)
	if err != nil {
		log.Fatal(err)
	}
	path := os.TempDir() + "/model.ubj"
	defer os.Remove(path)
	if err := xgboost.Save(path, file); err != nil {
		log.Fatal(err)
	}
	fmt.Println(model.Objective.Name, len(model.Trees), "trees")
	// Output: binary:logistic 3 trees
}
