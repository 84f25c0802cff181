package lightgbm

import (
	"bytes"
	"testing"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/internal/genuine"
)

// TestRandom compares the answers to random models of LightGBM's: raw scores bit for bit, contributions to 1e-9 of the
// largest.
func TestRandom(t *testing.T) {
	t.Parallel()
	read := func(text []byte) (*gbdt.Model, error) {
		f, err := Read(bytes.NewReader(text))
		if err != nil {
			return nil, err
		}
		return f.Model, nil
	}
	genuine.Random(t, "lightgbm", "../../scripts/gbdt/random_models.py", 24, read, genuine.Tolerance{Output: 1e-14, Contribution: 1e-9})
}
