// Package xgboost reads and writes XGBoost's models as JSON and UBJSON: what Booster.save_model writes to *.json and
// *.ubj.
//
// Start with [Load] or [Read], which tell the two apart by content and give a [File] whose Model predicts the bits that
// XGBoost predicts, and with [New] and [Save] for a model that package gbdt trained. Files of XGBoost 1.6 to 3.4 are
// read; what is written holds the same values, can be loaded by all of them, and is the same text byte for byte once
// [Form] asks for the spelling of the release.
//
// Not read: gblinear boosters, trees with vector leaves (multi_strategy=multi_output_tree), the binary format that
// XGBoost 3.1 gave up, memory snapshots (pickles) and dump_model texts. Each is refused with an error that says so.
//
// Deliberate differences from XGBoost's own reader:
//
//   - Arrays that do not fit together, children that are not numbered in pairs, unknown objectives and trailing bytes
//     are refused with a [ParseError].
//   - JSON is read strictly, but for the tokens NaN, Infinity and -Infinity that XGBoost writes, and \u escapes are
//     decoded, which XGBoost keeps as they stand.
package xgboost
