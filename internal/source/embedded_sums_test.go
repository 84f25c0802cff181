package source

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pppq/pppq/data/reference"
)

// TestEmbeddedChecksums compares every embedded file with its line in
// data/reference/SHA256SUMS, which "sha256sum -c SHA256SUMS" in that folder reads.
func TestEmbeddedChecksums(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("../../data/reference/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Glob(reference.Files, "series/*.csv")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no embedded series")
	}
	var got bytes.Buffer
	for _, name := range append([]string{"catalogue.csv"}, files...) {
		content, err := fs.ReadFile(reference.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "%x  %s\n", sha256.Sum256(content), name)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("if the figures are meant to differ, write the sums anew with\n"+
			"\texport LC_ALL=C; cd data/reference && sha256sum catalogue.csv series/*.csv >SHA256SUMS\n(-want +got):\n%s", diff)
	}
}
