package main

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
)

// printSBOM lists what the program is linked from, as CycloneDX 1.6. The Go
// command wrote the list into the program, so it can't differ from it.
//
// A module's h1 sum is a SHA-256 over the sums of its files, not over an
// archive; it stands as a property and not as a hash.
func printSBOM(w io.Writer) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("the program has no build information: build it with modules")
	}
	type property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	type component struct {
		Type       string     `json:"type"`
		Ref        string     `json:"bom-ref"`
		Name       string     `json:"name"`
		Version    string     `json:"version"`
		PURL       string     `json:"purl"`
		Properties []property `json:"properties,omitempty"`
	}
	module := func(kind, path, version, sum string) component {
		purl := fmt.Sprintf("pkg:golang/%s@%s", path, version)
		c := component{Type: kind, Ref: purl, Name: path, Version: version, PURL: purl}
		if digest, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(sum, "h1:")); err == nil && len(digest) > 0 {
			c.Properties = []property{{"pppq:go:h1", hex.EncodeToString(digest)}}
		}
		return c
	}
	components := []component{module("library", "std", strings.TrimPrefix(info.GoVersion, "go"), "")}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		components = append(components, module("library", m.Path, m.Version, m.Sum))
	}
	main := module("application", info.Main.Path, version, "")
	commit, at := buildStamp()
	for _, p := range []property{{"pppq:revision", commit}, {"pppq:built", at}} {
		if p.Value != "" {
			main.Properties = append(main.Properties, p)
		}
	}
	return printJSON(w, struct {
		Format   string `json:"bomFormat"`
		Spec     string `json:"specVersion"`
		Version  int    `json:"version"`
		Metadata any    `json:"metadata"`
		Parts    any    `json:"components"`
	}{"CycloneDX", "1.6", 1, map[string]any{"component": main}, components})
}
