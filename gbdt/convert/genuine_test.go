package convert

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/internal/genuine"
	"github.com/pppq/pppq/gbdt/internal/golden"
	"github.com/pppq/pppq/gbdt/lightgbm"
	"github.com/pppq/pppq/gbdt/xgboost"
)

const genuineScript = "../../scripts/gbdt/check_genuine.py"

// newest are the archives whose models the genuine libraries are asked about.
var newest = map[string]string{"lightgbm": "golden-4.7.0.tar.gz", "xgboost": "golden-3.2.0.tar.gz"}

// TestGenuine lets the genuine libraries load what conversion makes of each other's models: raw scores must be the bits
// that package gbdt gives, and leaves the same.
func TestGenuine(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"xgboost", "lightgbm"} {
		t.Run(to, func(t *testing.T) {
			t.Parallel()
			from := map[string]string{"xgboost": "lightgbm", "lightgbm": "xgboost"}[to]
			a, err := golden.Open(filepath.Join("..", from, "testdata", newest[from]))
			if err != nil {
				t.Fatal(err)
			}
			var cases []genuine.Case
			for _, c := range a.Cases {
				if m := model(t, c); m != nil {
					if converted, file := convertTo(t, to, m, len(cases)); converted != nil {
						rows := slices.Concat(a.Rows("rows.f64", m.NumFeatures())...)
						if from == "lightgbm" { // XGBoost's matrix holds no infinity
							rows = withoutInfinities(rows)
						}
						cases = append(cases, genuine.Case{Name: c.Name, Model: converted, File: file, Rows: rows})
					}
				}
			}
			if len(cases) == 0 {
				t.Fatal("no model was converted")
			}
			genuine.Compare(t, to, genuineScript, cases, func(path string, c genuine.Case) error { return save(path, c.Model) })
		})
	}
}

// convertTo returns the model and the file name, nil if it is refused.
func convertTo(t *testing.T, to string, m *gbdt.Model, n int) (*gbdt.Model, string) {
	t.Helper()
	if to == "lightgbm" {
		c, err := ToLightGBM(m, Options{TinyAsZero: true})
		if err != nil {
			return nil, ""
		}
		return c, "model.txt"
	}
	c, err := ToXGBoost(m)
	if err != nil {
		return nil, ""
	}
	f, err := xgboost.New(c)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := xgboost.WriteJSON(&b, f); err != nil {
		t.Fatal(err)
	}
	again, err := xgboost.Read(&b) // with the node numbers of the file, which XGBoost answers with
	if err != nil {
		t.Fatal(err)
	}
	return again.Model, []string{"model.json", "model.ubj"}[n%2]
}

func save(path string, m *gbdt.Model) error {
	if m.Family == gbdt.LightGBM {
		f, err := lightgbm.New(m)
		if err != nil {
			return err
		}
		return lightgbm.Save(path, f)
	}
	f, err := xgboost.New(m)
	if err != nil {
		return err
	}
	return xgboost.Save(path, f)
}

func withoutInfinities(rows []float64) []float64 {
	rows = slices.Clone(rows)
	for i, x := range rows {
		if f := float32(x); f-f != 0 {
			rows[i] = 0
		}
	}
	return rows
}
