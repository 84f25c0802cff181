package bundle

import (
	"bytes"
	"fmt"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/lightgbm"
	"github.com/pppq/pppq/gbdt/xgboost"
	"github.com/pppq/pppq/internal/forecast"
)

// encodeBoosters writes both boosters in the formats of their families.
func encodeBoosters(f *forecast.Forecaster, all texts) error {
	var b bytes.Buffer
	lgbm, err := lightgbm.New(f.LGBM.Model)
	if err == nil {
		err = lightgbm.Write(&b, lgbm)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", lightgbmName, err)
	}
	all[lightgbmName] = bytes.Clone(b.Bytes())
	b.Reset()
	xgb, err := xgboost.New(f.XGB.Model)
	if err == nil {
		err = xgboost.WriteJSON(&b, xgb)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", xgboostName, err)
	}
	all[xgboostName] = bytes.Clone(b.Bytes())
	return nil
}

// parseLightGBM reads the leaf-wise booster.
func parseLightGBM(b []byte, meanTarget float64) (*forecast.Booster, error) {
	file, err := lightgbm.Read(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return newBooster(file.Model, meanTarget)
}

// parseXGBoost reads the depth-wise booster.
func parseXGBoost(b []byte, meanTarget float64) (*forecast.Booster, error) {
	file, err := xgboost.Read(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return newBooster(file.Model, meanTarget)
}

// newBooster checks that a model reads the columns of this program.
func newBooster(m *gbdt.Model, meanTarget float64) (*forecast.Booster, error) {
	for i, f := range forecast.SpreadFeatures() {
		if i >= len(m.FeatureNames) || m.FeatureNames[i] != f.Name {
			return nil, fmt.Errorf("feature %d is not %s: %w", i, f.Name, ErrIncompatible)
		}
	}
	return forecast.NewBooster(m, meanTarget)
}
