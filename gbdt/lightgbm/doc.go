// Package lightgbm reads and writes LightGBM's text models, versions v2, v3 and v4: what Booster.save_model writes and
// Booster(model_file=...) reads.
//
// Start with [Load] or [Read], which give a [File] whose Model predicts the bits that LightGBM predicts, and with [New]
// and [Save] for a model that package gbdt trained. Every text that LightGBM 2.1 to 4.7 wrote comes back from [Write]
// byte for byte: keys that older versions lack stay absent, and what this package does not use is kept as it was.
// What New makes is of version v4.
//
// Deliberate differences from LightGBM's own reader:
//
//   - A file that is cut off, has a wrong block size or a tree that does not hold together is refused with a
//     [ParseError]; LightGBM ends the process or predicts from what is there.
//   - Numbers outside the range of a float64 are refused; LightGBM reads an infinity.
//   - Lines may end in \r\n, also together with tree_sizes. They are written with \n.
package lightgbm
