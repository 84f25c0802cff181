package forecast

import (
	"maps"
	"math"
	"slices"

	"github.com/pppq/pppq/internal/panel"
)

// maxFeature is how far from 0 a feature may be set.
const maxFeature = 1e6

// UnknownFeature is the reason of an InvalidValue whose name no feature has.
const UnknownFeature = "unknown feature"

// A shortName is another name for a feature, and the function of the value
// given that is the feature's.
type shortName struct {
	feature string
	of      func(float64) float64
}

// shortNames are those that people think of first.
var shortNames = map[string]shortName{
	"inflation": {"inflation_12m", func(x float64) float64 { return x }},
	"yield":     {"treasury_yield", func(x float64) float64 { return x }},
	"cape":      {"ln_cape", math.Log},
}

// ShortNames lists the short names.
func ShortNames() []string { return slices.Sorted(maps.Keys(shortNames)) }

// FeatureName is the name of the feature that a short name stands for; other
// names are returned as they are.
func FeatureName(name string) string {
	if s, ok := shortNames[name]; ok {
		return s.feature
	}
	return name
}

// Features resolves short names. Faults are every name that is not known and
// every value that can't be, in order of name.
func Features(given map[string]float64) (out map[string]float64, faults []*InvalidValue) {
	out = make(map[string]float64, len(given))
	names := slices.AppendSeq(make([]string, 0, len(given)), maps.Keys(given))
	slices.Sort(names)
	for _, name := range names {
		full, x := name, given[name]
		if s, ok := shortNames[name]; ok {
			full, x = s.feature, s.of(x)
		}
		fault := func(reason string) { faults = append(faults, &InvalidValue{"features/" + name, reason}) }
		if _, err := panel.FeatureIndex(full); err != nil {
			fault(UnknownFeature)
		} else if !(math.Abs(x) <= maxFeature) {
			fault("want a number between -1e6 and 1e6, above 0 for cape")
		} else if _, twice := out[full]; twice {
			fault("the feature is given by two names")
		} else {
			out[full] = x
		}
	}
	return out, faults
}

// override returns a copy of the features with some replaced by name.
func override(values []float64, by map[string]float64) ([]float64, error) {
	values = slices.Clone(values)
	for name, x := range by {
		i, err := panel.FeatureIndex(name)
		if err != nil || !(math.Abs(x) <= maxFeature) {
			return overrideShort(values, by)
		}
		values[i] = x
	}
	return values, nil
}

// overrideShort replaces figures of which some have short names.
func overrideShort(values []float64, by map[string]float64) ([]float64, error) {
	resolved, faults := Features(by)
	if len(faults) > 0 {
		return nil, faults[0]
	}
	return override(values, resolved)
}

// finite reports whether an answer has only numbers that JSON can hold.
func finite(a *Answer) bool {
	ok := true
	for _, x := range []float64{
		a.Confidence, a.ProbabilityLoss, a.Probabilities.A, a.Probabilities.B, a.Probabilities.C, a.Probabilities.D,
		a.Multiple.Median, a.Multiple.P10, a.Multiple.P90, a.AnnualReturn.Median, a.AnnualReturn.P10, a.AnnualReturn.P90,
		a.Buys.Median, a.Buys.P10, a.Buys.P90,
		a.Core.Center, a.Core.CenterUsed, a.Core.Spread, a.Core.SpreadUsed, a.Core.LossCore,
	} {
		ok = ok && !math.IsNaN(x) && !math.IsInf(x, 0)
	}
	for _, p := range a.Core.Parts {
		ok = ok && !math.IsNaN(p.Rate) && !math.IsInf(p.Rate, 0)
	}
	for _, x := range a.Contributions {
		ok = ok && !math.IsNaN(x.LnSpread) && !math.IsInf(x.LnSpread, 0) && !math.IsNaN(x.Loss) && !math.IsInf(x.Loss, 0)
	}
	return ok
}
