// Package bundle keeps model versions on disk: an immutable folder a version,
// and one small file that names the version in service.
//
//	models/pppq/current                the name of the version in service
//	models/pppq/history                the versions put into service, oldest first
//	models/pppq/.lock                  who writes
//	models/pppq/<version>/             a bundle:
//	  manifest.json                    what it is, and size and sha256 of the other files
//	  lightgbm.txt xgboost.json        the boosters of the spread; absent in a baseline
//	  core.json calibration.json       the rest of the forecaster
//	  features.json                    the columns that the boosters and the panel read
//	  latest.csv history.csv           each asset's newest row; indices and prices
//	  evaluation.json MODEL_CARD.md    the walk-forward test, for programs and people
//	  golden.json                      answers that a loaded bundle must give again
//
// Start with a Folder: LoadCurrent or Load to answer, Watch to follow what is
// in service, Lock to write.
//
// What it promises:
//
//   - A process killed at any instant leaves the old version in service. Files
//     are written to a temporary folder, synced, read back, and get their name in
//     one step; current is replaced last. Leftovers have names that no reader
//     looks at, and the next writer removes them.
//   - Load checks the size and the sha256 of every file before it parses any, and
//     that the forecaster gives the answers it gave when it was written. What
//     does not hold is refused with the name of the file; nothing stands in.
//   - The same forecaster, report and data give the same bytes. Only
//     manifest.json holds the version, the time and the program's version.
//   - A bundle of another format, or of another major version of the program, is
//     refused: train a new one.
package bundle
