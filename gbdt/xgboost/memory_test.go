package xgboost

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// TestMemory reads documents that are made to take much memory for their size. What reading asks for in all, garbage
// of growing lists included, must stay within 100 times their size.
func TestMemory(t *testing.T) {
	const n = 20000
	repeat := func(item string) string { return "[" + strings.Repeat(item+",", n-1) + item + "]" }
	numbered := func(open, format, end string) string {
		var b strings.Builder
		b.WriteString(open)
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, format, i)
		}
		return b.String() + end
	}
	leaf := `{"base_weights":[0E0],"default_left":[0],"id":%d,"left_children":[-1],"loss_changes":[0E0],"parents":[0],` +
		`"right_children":[-1],"split_conditions":[0E0],"split_indices":[0],"sum_hessian":[0E0],` +
		`"tree_param":{"num_deleted":"0","num_feature":"1","num_nodes":"1","size_leaf_vector":"0"}}`
	for name, doc := range map[string]string{
		"kept lists":      `{"later":` + repeat("[]") + `}`,
		"kept objects":    `{"later":` + repeat("{}") + `}`,
		"kept integers":   `{"later":` + repeat("1") + `}`,
		"kept texts":      `{"later":` + repeat(`""`) + `}`,
		"kept keys":       `{"later":` + numbered("{", `"%d":1`, "}") + `}`,
		"names":           `{"learner":{"feature_names":` + repeat(`""`) + `}}`,
		"attributes":      `{"learner":{"attributes":` + numbered("{", `"%d":""`, "}") + `}}`,
		"base_score":      `{"learner":{"attributes":{},"gradient_booster":{"model":{"gbtree_model_param":{"num_trees":"0"},"trees":[],"tree_info":[]},"name":"gbtree"},"objective":{"name":"reg:gamma"},"learner_model_param":{"num_class":"0","num_feature":"1","base_score":"` + repeat("1") + `"}}}`,
		"trees of a leaf": `{"learner":{"gradient_booster":{"model":{"trees":` + numbered("[", leaf, "]") + `}}}}`,
		"commas":          `{"learner":{"gradient_booster":{"model":{"tree_info":[` + strings.Repeat(",", n) + `]}}}}`,
		"open brackets":   strings.Repeat("[", n),
		"open objects":    strings.Repeat(`{"a":`, n),
		"UBJSON counts":   "{L\x00\x00\x00\x00\x00\x00\x00\x01a" + strings.Repeat("[#L\x00\x00\x00\x00\x00\x00\x10\x00", n),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Read(bytes.NewReader([]byte(doc)))
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: read without an error", name)
		}
		used := after.TotalAlloc - before.TotalAlloc
		t.Logf("%s: %d bytes took %d, %.1f times: %.100v", name, len(doc), used, float64(used)/float64(len(doc)), err)
		if used > 100*uint64(len(doc))+1<<20 {
			t.Errorf("%s: reading %d bytes took %d", name, len(doc), used)
		}
	}
}
