package lightgbm

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// TestMemory reads texts that are made to take much memory for their size. What reading asks for in all, garbage of
// growing lists included, must stay within 100 times their size.
func TestMemory(t *testing.T) {
	const n = 20000
	header := func(features int, names, infos string) string {
		return fmt.Sprintf("tree\nversion=v3\nnum_class=1\nlabel_index=0\nmax_feature_idx=%d\nfeature_names=%s\nfeature_infos=%s\n", features-1, names, infos)
	}
	one := header(1, "a", "none")
	var trees strings.Builder
	for i := range n {
		fmt.Fprintf(&trees, "Tree=%d\nnum_leaves=1\nnum_cat=0\nleaf_value=0\n\n", i)
	}
	for name, text := range map[string]string{
		"trees of a leaf": one + "\n" + trees.String(),
		"names":           header(n, strings.Repeat("a ", n-1)+"a", strings.Repeat("none ", n-1)+"none") + "\n",
		"infos":           header(n, strings.Repeat("a ", n-1)+"a", strings.Repeat("1 ", n-1)+"1") + "\n",
		"sizes":           one + "tree_sizes=" + strings.Repeat("1 ", n) + "\n\n",
		"leaves":          one + "\nTree=0\nnum_leaves=2000000000\nnum_cat=0\nleaf_value=" + strings.Repeat("0 ", n) + "\n\n",
		"short leaves":    one + fmt.Sprintf("\nTree=0\nnum_leaves=%d\nnum_cat=0\nleaf_value=", n) + strings.Repeat("0 ", n) + "\n\n",
		"sets":            one + "\nTree=0\nnum_leaves=1\nnum_cat=2000000000\nleaf_value=0\ncat_boundaries=" + strings.Repeat("0 ", n) + "\n\n",
		"header lines":    "tree\n" + strings.Repeat("k=1\n", n),
		"empty lines":     one + strings.Repeat("\n", n),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Read(strings.NewReader(text))
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: read without an error", name)
		}
		used := after.TotalAlloc - before.TotalAlloc
		t.Logf("%s: %d bytes took %d, %.1f times: %v", name, len(text), used, float64(used)/float64(len(text)), err)
		if used > 100*uint64(len(text))+1<<16 {
			t.Errorf("%s: reading %d bytes took %d", name, len(text), used)
		}
	}
}
