package bundle_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/pppq/pppq/internal/bundle"
)

// fuzzAgain feeds a parser head and the input: refusing is fine, panicking is
// not, and what it takes it writes such that reading that gives the same again.
// Seeds are small: the engine spends its time on making long ones shorter.
func fuzzAgain(f *testing.F, name, head string, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	again := bundle.Again[name]
	f.Fuzz(func(t *testing.T, in []byte) {
		first, err := again(append([]byte(head), in...))
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
	_, all := inMemory(f)
	fuzzAgain(f, "manifest.json", "", string(all["manifest.json"]), `{}`, `{"format": 1, "program": "1.0.0"}`,
		`{"format": 1, "program": "1.0.0", "files": [{}], "created": "2026-11-22T18:15:00Z"}`)
}

// FuzzLatest leaves the header, which must be exact, alone.
func FuzzLatest(f *testing.F) {
	_, all := inMemory(f)
	header, rows, _ := strings.Cut(string(all["latest.csv"]), "\n")
	row, _, _ := strings.Cut(rows, "\n")
	blank := "A,2000-02,2000-01" + strings.Repeat(",", strings.Count(header, ",")-2) + "\n"
	fuzzAgain(f, "latest.csv", header+"\n", "", blank, row+"\n", strings.Replace(blank, ",,", ",-0,5e-324,", 1)+strings.Replace(blank, "A", `"B"`, 1))
}

func FuzzHistory(f *testing.F) {
	fuzzAgain(f, "history.csv", "", "month,CPI\n2000-01,1\n", "month,CPI,EGGS,X_nominal,X_real\n1999-12,,1e-05,,\n2000-01,,,-0,\n2000-02,5e-324,,,1.7976931348623157e+308\n",
		"\ufeffmonth,CPI,A_nominal_nominal,A_nominal_real\r\n2000-01,1,,\"2\"\r\n")
}

// FuzzCore leaves the first asset's horizons, whose number must be exact, alone.
func FuzzCore(f *testing.F) {
	_, all := inMemory(f)
	_, rest, _ := strings.Cut(string(all["core.json"]), `"horizons": [`)
	horizons, _, _ := strings.Cut(rest, "]")
	seed := `"id": "A", "title": "", "kind": "coin", "unit": "", "price": "X", "income": "", "earnings": "", "first": "2000-01", "fee": 0.5, ` +
		`"months": 1, "base_from": "", "sources": ["s"]}], "tiers": [1, 0.9, 0.7], "data": {"hash": "", "series": []}}`
	fuzzAgain(f, "core.json", `{"assets": [{"horizons": [`+horizons+`], `, seed, `"id": "A"}]}`, `"id": "A"}, {"id": "a"}], "tiers": [1, 0.9, 0.7]}`)
}

func FuzzCalibration(f *testing.F) {
	fuzzAgain(f, "calibration.json", "", `{"mean_target": {}}`, `{"temperature": 0, "interval": 1e2, "mean_target": {"lgbm": -0}, "references": {"xgb": [{}]}}`)
}
