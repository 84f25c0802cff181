package xgboost

import (
	"bytes"
	"testing"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/internal/genuine"
)

// TestRandom compares the answers to random models of XGBoost's: raw scores bit for bit, contributions to 2e-6 of the
// largest, since XGBoost computes them in float32.
func TestRandom(t *testing.T) {
	t.Parallel()
	read := func(text []byte) (*gbdt.Model, error) {
		f, err := Read(bytes.NewReader(text))
		if err != nil {
			return nil, err
		}
		return f.Model, nil
	}
	genuine.Random(t, "xgboost", "../../scripts/gbdt/random_models.py", 24, read, genuine.Tolerance{Output: 2.4e-7, Contribution: 2e-6})
}
