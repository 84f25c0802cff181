package bundle_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pppq/pppq/internal/bundle"
)

// TestInconsistentManifest: a manifest whose checksum holds is refused all the
// same if it does not hold together.
func TestInconsistentManifest(t *testing.T) {
	t.Parallel()
	f := folder(t)
	v := write(t, lock(t, f), 1)[0]
	whole := *load(t, f, v).Manifest
	for name, c := range map[string]struct {
		change func(*bundle.Manifest)
		want   string
	}{
		"format":       {func(m *bundle.Manifest) { m.Format = 2 }, "was written by pppq 1.2.3 in format 2, this is pppq 1.2.3 with format 1: run `pppq train`"},
		"program":      {func(m *bundle.Manifest) { m.Program = "2.0.0" }, "was written by pppq 2.0.0 in format 1, this is pppq 1.2.3 with format 1: run `pppq train`"},
		"features":     {func(m *bundle.Manifest) { m.FeaturesHash = "" }, "the columns of its features are not those of this program: run `pppq train`"},
		"version":      {func(m *bundle.Manifest) { m.Version = "x" }, `version "x"`},
		"created":      {func(m *bundle.Manifest) { m.Created = m.Created.Add(time.Second) }, "created 2026-11-22T18:15:01Z is not the time of version"},
		"content":      {func(m *bundle.Manifest) { m.Content = "4f2a" }, "content does not match"},
		"hash":         {func(m *bundle.Manifest) { m.Files[2].SHA256 = "" }, "content does not match"},
		"size":         {func(m *bundle.Manifest) { m.Files[2].Size = 1 << 40; renamed(m) }, "files: core.json has 1099511627776 bytes, want at most"},
		"negative":     {func(m *bundle.Manifest) { m.Files[2].Size = -1; renamed(m) }, "files: core.json has -1 bytes"},
		"order":        {func(m *bundle.Manifest) { m.Files[0], m.Files[1] = m.Files[1], m.Files[0]; renamed(m) }, "files: lightgbm.txt is not where it belongs"},
		"missing":      {func(m *bundle.Manifest) { m.Files = m.Files[:9]; renamed(m) }, "files: golden.json is not where it belongs"},
		"too many":     {func(m *bundle.Manifest) { m.Files = append(m.Files, bundle.File{Name: "x"}); renamed(m) }, "files: 11 are listed, want 10"},
		"path":         {func(m *bundle.Manifest) { m.Files[2].Name = "../core.json"; renamed(m) }, "files: core.json is not where it belongs"},
		"baseline":     {func(m *bundle.Manifest) { m.Baseline = true; m.Files = m.Files[2:]; renamed(m) }, "is of version"},
		"other assets": {func(m *bundle.Manifest) { m.Assets = slices.Clone(m.Assets); m.Assets[1] = "Lead" }, "asset 2 is Lead, the files have Treasury10"},
		"fewer assets": {func(m *bundle.Manifest) { m.Assets = m.Assets[1:] }, "assets is not that of the files"},
		"weights":      {func(m *bundle.Manifest) { m.Weights.XGB = 1 }, "weights is not that of the files"},
		"seed":         {func(m *bundle.Manifest) { m.Seed = 1 }, "seed is not that of the files"},
	} {
		m := whole
		m.Files = slices.Clone(whole.Files)
		c.change(&m)
		b, err := bundle.Sign(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(f.Dir, "pppq", v, "manifest.json"), b, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err = f.Load(v)
		var r *bundle.Refusal
		if !errors.As(err, &r) || r.File != "manifest.json" || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want a refusal of manifest.json with %q", name, err, c.want)
		}
		incompatible := strings.HasSuffix(c.want, "`pppq train`")
		if errors.Is(err, bundle.ErrIncompatible) != incompatible {
			t.Errorf("%s: incompatible is %v, want %v", name, !incompatible, incompatible)
		}
	}
}

// renamed gives a changed manifest the content and version that fit it.
func renamed(m *bundle.Manifest) {
	m.Content = bundle.ContentHash(m.Files)
	m.Version = m.Version[:17] + m.Content[:4]
}

func TestShow(t *testing.T) {
	t.Parallel()
	f := folder(t)
	v := write(t, lock(t, f), 1)[0]
	if m, err := f.Show(v); err != nil || m.Version != v {
		t.Fatalf("got %v, %v", m, err)
	}
	path := filepath.Join(f.Dir, "pppq", v, "history.csv")
	b := files(t, f, v)["history.csv"]
	b[len(b)/2] ^= 1
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	var r *bundle.Refusal
	if _, err := f.Show(v); !errors.As(err, &r) || r.File != "history.csv" {
		t.Errorf("got %v, want a refusal of history.csv", err)
	}
}
