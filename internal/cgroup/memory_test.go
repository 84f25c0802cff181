package cgroup

import (
	"testing"
	"testing/fstest"
)

func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	const v1, v2 = "sys/fs/cgroup/memory/memory.limit_in_bytes", "sys/fs/cgroup/memory.max"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  int64
		ok    bool
	}{
		{"no control groups", nil, 0, false},
		{"version 2", map[string]string{v2: "134217728\n"}, 134217728, true},
		{"version 2 without limit", map[string]string{v2: "max\n"}, 0, false},
		{"version 1", map[string]string{v1: "67108864\n"}, 67108864, true},
		{"version 1 without limit", map[string]string{v1: "9223372036854771712\n"}, 0, false},
		{"both: version 2 holds", map[string]string{v2: "1000", v1: "2000"}, 1000, true},
		{"not a number", map[string]string{v2: "many"}, 0, false},
		{"negative", map[string]string{v2: "-1"}, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			root := fstest.MapFS{}
			for name, text := range c.files {
				root[name] = &fstest.MapFile{Data: []byte(text)}
			}
			if got, ok := MemoryLimit(root); got != c.want || ok != c.ok {
				t.Errorf("MemoryLimit: got %d, %t, want %d, %t", got, ok, c.want, c.ok)
			}
		})
	}
}
