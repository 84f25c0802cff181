package convert

import (
	"strings"
)

// forbidden are the characters that the families' libraries refuse in names of features, beside LightGBM's blanks and
// control characters.
const (
	forbiddenByLightGBM = `,:"[]{}`
	forbiddenByXGBoost  = "[]<"
)

// renamed returns the names with "_" for each character that is forbidden, or blank if that is forbidden too, as
// LightGBM's Python package does with blanks. Names that become the same are refused.
func renamed(names []string, forbidden string, blanks bool) ([]string, error) {
	out := make([]string, len(names))
	seen := make(map[string]int, len(names))
	for i, name := range names {
		out[i] = strings.Map(func(r rune) rune {
			if strings.ContainsRune(forbidden, r) || blanks && (r <= ' ' || r == 0x7f || r == 0x85 || r == 0xa0) {
				return '_'
			}
			return r
		}, name)
		if out[i] == "" {
			return nil, refuse("feature %d has no name", i)
		}
		if first, ok := seen[out[i]]; ok {
			return nil, refuse("features %d and %d would both be named %q", first, i, out[i])
		}
		seen[out[i]] = i
	}
	return out, nil
}
