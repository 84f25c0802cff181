package xgboost_test

import (
	"bytes"
	"fmt"
	"log"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/xgboost"
)

// A model that XGBoost saved, as JSON or UBJSON, is read and asked. Missing values are NaN.
func Example() {
	const saved = `{"learner":{"attributes":{},"feature_names":["age"],"feature_types":["float"],"gradient_booster":{"model":{` +
		`"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"1"},"iteration_indptr":[0,1],"tree_info":[0],"trees":[{` +
		`"base_weights":[0E0,-1E0,1E0],"categories":[],"categories_nodes":[],"categories_segments":[],"categories_sizes":[],` +
		`"default_left":[1,0,0],"id":0,"left_children":[1,-1,-1],"loss_changes":[5E0,0E0,0E0],"parents":[2147483647,0,0],` +
		`"right_children":[2,-1,-1],"split_conditions":[4E1,-1E0,1E0],"split_indices":[0,0,0],"split_type":[0,0,0],` +
		`"sum_hessian":[9E0,4E0,5E0],"tree_param":{"num_deleted":"0","num_feature":"1","num_nodes":"3","size_leaf_vector":"1"}}]},` +
		`"name":"gbtree"},"learner_model_param":{"base_score":"[5E-1]","boost_from_average":"1","num_class":"0","num_feature":"1",` +
		`"num_target":"1"},"objective":{"name":"binary:logistic","reg_loss_param":{"scale_pos_weight":"1"}}},"version":[3,2,0]}`

	file, err := xgboost.Read(bytes.NewReader([]byte(saved)))
	if err != nil {
		log.Fatal(err)
	}
	predictor, err := gbdt.NewPredictor(file.Model, gbdt.PredictOptions{})
	if err != nil {
		log.Fatal(err)
	}
	probability := make([]float64, 1)
	for _, age := range []float64{39, 40} {
		if err := predictor.Predict(probability, []float64{age}); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%v: %.3f\n", age, probability[0])
	}
	// Output:
	// 39: 0.269
	// 40: 0.731
}
