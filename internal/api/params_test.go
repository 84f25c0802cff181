package api

import (
	"fmt"
	"testing"
)

// Path and query are checked in the words that bodies are checked in, and take
// no form of a number or truth value that only Go knows.
func TestParams(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	const step = "want a number from 1 to 10 in steps of 0.25"
	for target, want := range map[string]string{
		"/api/v1/forecast/Gold":                                            "horizon_years: is missing",
		"/api/v1/forecast/Gold?horizon_years=":                             "horizon_years: is missing",
		"/api/v1/forecast/Gold?horizon_years":                              "horizon_years: is missing",
		"/api/v1/assets/Gold/history?to=1900-01":                           "to: want a month from 1971-08 on",
		"/api/v1/assets/Gold/history?from=1899-01&to=1900-01":              "to: want a month from 1971-08 on",
		"/api/v1/forecast/Gold?horizon_years=abc":                          "horizon_years: " + step,
		"/api/v1/forecast/Gold?horizon_years=NaN":                          "horizon_years: " + step,
		"/api/v1/forecast/Gold?horizon_years=0x5p0":                        "horizon_years: " + step,
		"/api/v1/forecast/Gold?horizon_years=1e999":                        "horizon_years: " + step,
		"/api/v1/forecast/Gold?horizon_years=5.1":                          "horizon_years: " + step,
		"/api/v1/forecast/Gold?horizon_years=11":                           "horizon_years: " + step,
		"/api/v1/forecast/Gold?horizon_years=5&horizon_years=5":            "horizon_years: is given more than once",
		"/api/v1/forecast/Gold?horizon_years=5&model_type=best":            "model_type: want lgbm, xgb or ensemble",
		"/api/v1/forecast/Gold?horizon_years=5&explain=yes":                "explain: want true or false",
		"/api/v1/forecast/Gold?horizon_years=5&asset=Oil":                  "asset: this name is not known here",
		"/api/v1/forecast/" + fmt.Sprintf("%065d", 0) + "?horizon_years=5": "asset: want a text of 0 to 64 characters",
		"/api/v1/assets?x=1":                                               "x: this name is not known here",
		"/api/v1/assets/Gold/history?limit=0":                              "limit: want a whole number from 1 to 1200",
		"/api/v1/assets/Gold/history?limit=1.5":                            "limit: want a whole number from 1 to 1200",
		"/api/v1/assets/Gold/history?limit=99999999999999999999":           "limit: want a whole number from 1 to 1200",
		"/api/v1/assets/Gold/history?from=2020-13":                         "from: want a month as YYYY-MM",
		"/api/v1/track-record?horizon_years=1.3":                           "horizon_years: " + step,
		"/api/v1/track-record?offset=-1":                                   "offset: want a whole number from 0 to 1000000",
		"/api/v1/track-record?scored=1":                                    "scored: want true or false",
	} {
		p := f.get(target).problem(422)
		if len(p.Errors) != 1 || p.Errors[0].Parameter+": "+p.Errors[0].Detail != want {
			t.Errorf("%s: %+v, want %s", target, p.Errors, want)
		}
	}
	for _, target := range []string{"/api/v1/forecast/Gold?horizon_years=5.0&model_type=&explain=false", "/api/v1/forecast/Gold?horizon_years=50e-1", "/api/v1/track-record?limit=1&scored=true"} {
		f.get(target).want(200)
	}
	// A name without = is empty, and so is missing.
	for target, with := range map[string]string{
		"/api/v1/forecast/Gold?horizon_years=5&explain":                      "/api/v1/forecast/Gold?horizon_years=5",
		"/api/v1/forecast/Gold?horizon_years=5&model_type":                   "/api/v1/forecast/Gold?horizon_years=5",
		"/api/v1/forecast/Gold?model_type&horizon_years=%35&explain=fals%65": "/api/v1/forecast/Gold?horizon_years=5&explain=false",
		"/api/v1/assets/Gold/history?from=2020-01&limit=2&to":                "/api/v1/assets/Gold/history?from=2020-01&limit=2",
		"/api/v1/track-record?asset":                                         "/api/v1/track-record",
		"/api/v1/track-record?scored":                                        "/api/v1/track-record",
	} {
		if got, want := f.get(target).want(200).Body.String(), f.get(with).want(200).Body.String(); got != want {
			t.Errorf("%s answers other than %s: %.200s", target, with, got)
		}
	}
	// Monitors put something behind probes, so that no cache answers them.
	for _, path := range []string{"/health", "/livez", "/readyz", "/metrics", "/ping", "/v2/health/live", "/v2/health/ready"} {
		for _, query := range []string{"?x=1", "?%zz", "?;"} {
			f.get(path + query).want(200)
		}
	}
	f.get("/api/v1/forecast/Gold?horizon_years=5;model_type=lgbm").problem(400)
}
