// Package reference embeds the figures that pppq works from before anyone
// gives it newer ones: one file a series under series/, described by
// catalogue.csv. README.md says where each comes from and what was left out.
package reference

import "embed"

// Files holds catalogue.csv and series/<ID>.csv.
//
//go:embed catalogue.csv series/*.csv
var Files embed.FS
