package bundle_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/pppq/pppq/internal/bundle"
)

// fuzzAgain feeds a parser: refusing is fine, panicking is not, and what it
// takes it writes such that reading that gives the same again.
func fuzzAgain(f *testing.F, name string, seeds ...string) {
	_, all := inMemory(f)
	f.Add(all[name])
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	again := bundle.Again[name]
	f.Fuzz(func(t *testing.T, in []byte) {
		first, err := again(in)
		if err != nil {
			return
		}
		second, err := again(first)
		if err != nil {
			t.Fatalf("what was written is refused: %v\n%q", err, first)
		}
		if !bytes.Equal(first, second) {
			t.Errorf("reading and writing again gives\n%q, want\n%q", second, first)
		}
	})
}

func FuzzManifest(f *testing.F) {
	fuzzAgain(f, "manifest.json", `{}`, `{"format": 1, "program": "1.0.0"}`, `{"format": 1, "program": "1.0.0", "files": [{}], "created": "2026-11-22T18:15:00Z"}`)
}

func FuzzLatest(f *testing.F) {
	_, all := inMemory(f)
	header, rows, _ := strings.Cut(string(all["latest.csv"]), "\n")
	row, _, _ := strings.Cut(rows, "\n")
	blank := "\nA,2000-02,2000-01" + strings.Repeat(",", strings.Count(header, ",")-2) + "\n"
	fuzzAgain(f, "latest.csv", header+"\n", header+"\n"+row+"\n", header+blank, "\ufeff"+header+"\r"+strings.Replace(blank, "A", `"A"`, 1))
}

func FuzzHistory(f *testing.F) {
	fuzzAgain(f, "history.csv", "month,CPI\n2000-01,1\n", "month,CPI,EGGS,X_nominal,X_real\n1999-12,,1e-05,,\n2000-01,,,-0,\n2000-02,5e-324,,,1.7976931348623157e+308\n",
		"month,CPI,A_nominal_nominal,A_nominal_real\n2000-01,1,,2\n")
}

func FuzzCore(f *testing.F) {
	_, all := inMemory(f)
	core := string(all["core.json"])
	// One asset, without the list of series.
	head, rest, _ := strings.Cut(core, `"series": [`)
	_, rest, _ = strings.Cut(rest, `"assets": [`)
	asset, _, _ := strings.Cut(rest, "\n    },\n")
	fuzzAgain(f, "core.json", head+`"series": []},"assets": [`+asset+"}]}", `{"tiers":[1,0.9,0.7],"assets":[{"id":"A","kind":"coin","months":1}]}`)
}

func FuzzCalibration(f *testing.F) {
	fuzzAgain(f, "calibration.json", `{"mean_target": {}}`, `{"temperature": 0, "interval": 1e2, "mean_target": {"lgbm": -0}, "references": {"xgb": [{}]}}`)
}
