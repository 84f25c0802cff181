// Package gbdt trains, explains and runs gradient-boosted decision trees with the exact arithmetic of LightGBM and of
// XGBoost, in Go alone.
//
// Start with [NewDataset] and [Train], which give a [Model], or read one with the packages gbdt/lightgbm and
// gbdt/xgboost. A Model is plain data; [NewPredictor] checks it and makes the form that answers rows: raw scores,
// link outputs (probabilities, means), classes, leaf numbers and contributions (TreeSHAP).
//
// What the package promises:
//
//   - Raw scores are the bits that the family's own library gives for the same file: float64 for [LightGBM], float32
//     for [XGBoost] ([Family] says how). The models that [Train] makes obey the rules of the family asked for.
//   - The same data, parameters and seed give the same model at any number of threads and on any machine.
//   - A row's missing values are NaN, in training and in prediction.
//   - A Predictor is safe for any number of goroutines and allocates nothing for a row.
package gbdt
