package bundle_test

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pppq/pppq/internal/bundle"
)

// inMemory is a bundle's manifest and files.
func inMemory(t testing.TB) (*bundle.Manifest, map[string][]byte) {
	t.Helper()
	f := folder(t)
	w, err := f.Lock("test", created)
	if err != nil {
		t.Fatal(err)
	}
	v, err := w.Write(contents(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return load(t, f, v).Manifest, files(t, f, v)
}

// TestStrict: files whose hashes would hold but whose content does not are
// refused by name and reason.
func TestStrict(t *testing.T) {
	t.Parallel()
	m, all := inMemory(t)
	if _, err := bundle.Assemble(m, all); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ file, old, new, want string }{
		{"core.json", `"tiers"`, `"extra": 1, "tiers"`, "core.json: /extra: unknown object member name"},
		{"core.json", `"tiers": [1, 0.9, 0.7],`, `"tiers": [1, 0.9, 0.7], "tiers": [1, 0.9, 0.7],`, "duplicate object member name"},
		{"core.json", `"Tiers"`, `"tierz"`, ""}, // not there: nothing changes
		{"core.json", `"tiers"`, `"Tiers"`, "unknown object member name"},
		{"core.json", `[1, 0.9, 0.7]`, `[1, 0.9, 0.6]`, "manifest.json: tiers is not that of the files"},
		{"core.json", `[1, 0.9, 0.7]`, `[1, 0.9]`, "core.json: /tiers"},
		{"core.json", `"kind": "bond"`, `"kind": "house"`, `core.json: asset Treasury10: unknown kind "house"`},
		{"core.json", `"first": "1953-04"`, `"first": ""`, "core.json: asset Treasury10: no first month"},
		{"core.json", `"first": "1953-04"`, `"first": "1953-13"`, "core.json: /assets/1/first"},
		{"core.json", `{"months": 12,`, `{"months": 13,`, "core.json: asset SP500: horizon 1 is 13 months, want 12"},
		{"core.json", `"id": "Gold"`, `"id": "gold2"`, "latest.csv: row 5 is of Gold, core.json has gold2 there"},
		{"core.json", `"hash": "`, `"hash": "0`, "manifest.json: data_hash is not that of the files"},
		{"core.json", "\n}\n", "\n} {}\n", "core.json: "},
		{"latest.csv", "asset,t,u", "asset,u,t", `latest.csv: line 1, column 7: column "u", want "t"`},
		{"latest.csv", "SP500,2026-08,", "SP500,2026-06,", "latest.csv: line 2, column 15: 2026-07 lies after"},
		{"latest.csv", "SP500,2026-08,", "SP500,2026-99,", `latest.csv: line 2, column 7: month "2026-99"`},
		{"latest.csv", "SP500,2026-08,2026-07,", "SP500,2026-08,2026-07,NaN", "latest.csv: line 2, column 23:"},
		{"latest.csv", "SP500,2026-08,2026-07,", "SP500,2026-08,2026-07,0", "is not a number as this program writes it"},
		{"latest.csv", "SP500,2026-08,2026-07,", "SP500,2026-08,2026-07,1", "golden.json: SP500 over 12 months, lgbm: answers"},
		{"latest.csv", "SP500,2026-08,2026-07,", "SP500,2026-08,2026-07,,", ": more than 55 fields"},
		{"latest.csv", "SP500,2026-08,2026-07,", "SP500,2026-08,", "latest.csv: line 2: 54 columns, want 55"},
		{"latest.csv", "\nBitcoin", "\nBitcoin2", "latest.csv: row 9 is of Bitcoin2"},
		{"history.csv", "month,CPI", "month,cpi", "history.csv: line 1, column 1: the header does not begin with month,CPI"},
		{"history.csv", ",EGGS,", ",TEA,", `history.csv: line 1, column 11: "TEA" is no good`},
		{"history.csv", ",EGGS,MILK,", ",EGGS,EGGS,", "there twice"},
		{"history.csv", "Gold_real", "Gold_reel", "history.csv: line 1, column "},
		{"history.csv", "\n1950-02,", "\n1950-03,", "1950-03 follows 1950-01"},
		{"history.csv", "\n1950-02,", "\n1950-02,,", "columns, want"},
		{"features.json", `"name": "return_36m"`, `"name": "return_37m"`, "this program reads \"return_36m\" (log/yr): run `pppq train`"},
		{"calibration.json", `"temperature": 1.1`, `"temperature": 1e999`, "calibration.json: /temperature"},
		{"calibration.json", `"temperature": 1.1`, `"temperature": 1.2`, "manifest.json: calibration is not that of the files"},
		{"calibration.json", `"mean_target"`, `"mean_targets"`, "calibration.json: /mean_targets: unknown"},
		{"calibration.json", `"ensemble": [`, `"neural": [`, `calibration.json: references of unknown model type "neural"`},
		{"calibration.json", `"xgb": 1.`, `"xgb": 9.`, "golden.json: SP500 over 12 months, xgb: answers"},
		{"calibration.json", `"xgb": 1.`, `"xgb": -1.`, "xgboost.json: spread booster: mean target -1."},
		{"lightgbm.txt", "core_sd", "core_xd", "lightgbm.txt: "},
		{"lightgbm.txt", "feature_names=return_12m return_36m", "feature_names=return_36m return_12m", "feature 0 is not return_12m: run `pppq train`"},
		{"lightgbm.txt", "leaf_value=", "leaf_value=x", "lightgbm.txt: lightgbm: line 21: leaf_value"},
		{"xgboost.json", `"learner"`, `"learned"`, "xgboost.json: "},
		{"evaluation.json", `"seed"`, `"need"`, "evaluation.json: /need: unknown"},
		{"evaluation.json", `"method": "`, `"method": "old `, "evaluation.json: is of method"},
		{"evaluation.json", `"seed": 1`, `"seed": 2`, "evaluation.json: /seed"}, // above 64 bits
		{"golden.json", `"probabilities": [0.6`, `"probabilities": [0.5`, "golden.json: SP500 over 12 months, lgbm: answers"},
		{"golden.json", `"asset": "Gold"`, `"asset": "Lead"`, `golden.json: Lead over 12 months, lgbm: unknown asset "Lead"`},
	} {
		changed := maps.Clone(all)
		changed[c.file] = bytes.Replace(all[c.file], []byte(c.old), []byte(c.new), 1)
		same := bytes.Equal(changed[c.file], all[c.file])
		if same != (c.want == "") {
			t.Errorf("%s: %s is not in it", c.file, c.old)
			continue
		}
		_, err := bundle.Assemble(m, changed)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.file, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s, %s for %s: got %v, want one line with %q", c.file, c.new, c.old, err, c.want)
		}
	}
	changed := maps.Clone(all)
	changed["golden.json"] = []byte("{\"answers\": []}\n")
	if _, err := bundle.Assemble(m, changed); err == nil || !strings.Contains(err.Error(), "golden.json: holds no answers") {
		t.Errorf("no golden answers: got %v", err)
	}
}

// TestChanged changes files at random behind the hashes' back: reading them may
// fail in no other way than by a Refusal.
func TestChanged(t *testing.T) {
	t.Parallel()
	m, all := inMemory(t)
	delete(all, "manifest.json")
	delete(all, "MODEL_CARD.md")
	order := slices.Sorted(maps.Keys(all))
	random := rand.New(rand.NewPCG(5, 6))
	refused := 0
	for range 200 {
		name := order[random.IntN(len(order))]
		b := bytes.Clone(all[name])
		for range 1 + random.IntN(3) {
			at := random.IntN(len(b))
			switch random.IntN(3) {
			case 0:
				b[at] = "0123456789-.,e\n\"{}[] "[random.IntN(21)]
			case 1:
				b = slices.Delete(b, at, min(len(b), at+1+random.IntN(40)))
			default:
				b = slices.Insert(b, at, b[at:min(len(b), at+40)]...)
			}
		}
		changed := maps.Clone(all)
		changed[name] = b
		_, err := bundle.Assemble(m, changed)
		var r *bundle.Refusal
		if err != nil && !errors.As(err, &r) {
			t.Errorf("%s: got %v, want a Refusal", name, err)
		}
		if err != nil {
			refused++
		}
	}
	if refused < 100 {
		t.Errorf("only %d of 200 changes were refused", refused)
	}
}

func TestAgain(t *testing.T) {
	t.Parallel()
	_, all := inMemory(t)
	for name, again := range bundle.Again {
		got, err := again(all[name])
		if err != nil || !bytes.Equal(got, all[name]) {
			t.Errorf("%s: reading and writing it changes it (%v)", name, err)
		}
	}
	if err := bundle.Join(all["core.json"], all["latest.csv"]); err != nil {
		t.Error(err)
	}
}

// TestLimits: what is too large is refused before it is taken apart.
func TestLimits(t *testing.T) {
	t.Parallel()
	_, all := inMemory(t)
	latest := string(all["latest.csv"])
	header, rows, _ := strings.Cut(latest, "\n")
	row, _, _ := strings.Cut(rows, "\n")
	for name, c := range map[string]struct{ file, text, want string }{
		"rows":     {"latest.csv", header + "\n" + strings.Repeat(row+"\n", 257), "more than 257 lines"},
		"bytes":    {"latest.csv", strings.Repeat("x", 1<<20+1), "larger than 1048576 bytes"},
		"line":     {"latest.csv", header + "\n" + strings.Repeat(" ", 1<<17) + "\n", "longer than"},
		"fields":   {"latest.csv", header + strings.Repeat(",", 100) + "\n", "more than"},
		"columns":  {"history.csv", "month,CPI" + strings.Repeat(",A_nominal,A_real", 300) + "\n", "more than"},
		"months":   {"history.csv", "month,CPI\n" + strings.Repeat("2000-01,1\n", 3), "2000-01 follows 2000-01"},
		"no month": {"history.csv", "month,CPI\n", "no month follows"},
		"blank":    {"history.csv", "month,CPI\n2000-01,\n2000-02,1\n", "need a figure"},
		"cut off":  {"history.csv", "month,CPI\n2000-01,1", "cut off"},
		"empty":    {"history.csv", "", "is empty"},
		"assets":   {"core.json", `{"tiers": [1, 0.9, 0.7], "assets": []}`, "assets: 0, want 1 to 256"},
	} {
		if _, err := bundle.Again[c.file]([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestJSONLayout(t *testing.T) {
	t.Parallel()
	type inner struct {
		S string         `json:"s"`
		N []int8         `json:"n"`
		M map[string]int `json:"m"`
	}
	v := struct {
		A []inner   `json:"a"`
		B [2]string `json:"b"`
		C inner     `json:"c"`
		D []int     `json:"d"`
		E float64   `json:"e"`
	}{
		A: []inner{{S: `{"[\`, N: []int8{1, -1}}, {}},
		B: [2]string{`"`, "]"},
		E: -0.1,
	}
	want := `{
  "a": [
    {
      "s": "{\"[\\",
      "n": [1, -1],
      "m": {}
    },
    {
      "s": "",
      "n": [],
      "m": {}
    }
  ],
  "b": ["\"", "]"],
  "c": {
    "s": "",
    "n": [],
    "m": {}
  },
  "d": [],
  "e": -0.1
}
`
	got, err := bundle.EncodeJSON(v)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for value, want := range map[any]string{"text": "\"text\"\n", 1.5: "1.5\n", true: "true\n"} {
		if got, err := bundle.EncodeJSON(value); err != nil || string(got) != want {
			t.Errorf("%v: got %q, %v", value, got, err)
		}
	}
}
