package score

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// CRPSStudentT returns the continuous ranked probability score of a location-scale Student-t forecast with df degrees
// of freedom when x came true, in the units of x (for ln M: log points, not per year):
//
//	CRPS = scale * ( z*(2F(z) - 1) + 2f(z)*(df + z^2)/(df - 1) - 2*sqrt(df)/(df - 1) * B(1/2, df - 1/2)/B(1/2, df/2)^2 )
//	z = (x - location)/scale; f, F density and cdf of the standard t; B the beta function
//
// scale is not the standard deviation; that is scale*sqrt(df/(df - 2)). The score is NaN if an argument is NaN, scale
// is not positive or df is not above 1 (where the score is infinite).
//
// Source: Jordan, Krüger & Lerch, Evaluating probabilistic forecasts with scoringRules (2019), appendix A.
func CRPSStudentT(location, scale, df, x float64) float64 {
	if !(scale > 0) || !(df > 1) || math.IsInf(scale, 1) || math.IsInf(df, 1) {
		return math.NaN()
	}
	z := (x - location) / scale
	if math.IsNaN(z) {
		return math.NaN()
	}
	// f(z)*(df + z^2) in a form that cannot become 0*Inf.
	logNorm := -0.5*math.Log(df) - mathext.Lbeta(0.5, df/2)
	spread := df * math.Exp(logNorm-0.5*(df-1)*math.Log1p(z*z/df))
	self := 2 * math.Sqrt(df) / (df - 1) * math.Exp(mathext.Lbeta(0.5, df-0.5)-2*mathext.Lbeta(0.5, df/2))
	return scale * (math.Abs(z)*studentTCentral(z, df) + 2*spread/(df-1) - self)
}

// studentTCentral returns P(|T| < |z|) of a standard Student-t with df > 0 degrees of freedom.
func studentTCentral(z, df float64) float64 {
	q := z * z / df
	if math.IsInf(q, 1) {
		return 1
	}
	// The smaller of the two arguments keeps its digits.
	if q < 1 {
		return mathext.RegIncBeta(0.5, df/2, q/(1+q))
	}
	return 1 - mathext.RegIncBeta(df/2, 0.5, 1/(1+q))
}

// studentTTail returns P(|T| >= |z|), the two-sided p-value, of a standard Student-t with df > 0 degrees of freedom.
func studentTTail(z, df float64) float64 {
	q := z * z / df
	if math.IsInf(q, 1) {
		return 0
	}
	if q < 1 {
		return 1 - mathext.RegIncBeta(0.5, df/2, q/(1+q))
	}
	return mathext.RegIncBeta(df/2, 0.5, 1/(1+q))
}
