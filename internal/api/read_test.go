package api

import (
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pppq/pppq/internal/csvfile"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/series"
)

// The GET gives what the POST gives, with an entity tag that 304s, also from the
// cache, and that is another for another question.
func TestForecastGet(t *testing.T) {
	t.Parallel()
	for _, cache := range []bool{true, false} {
		f := setup(t, func(o *Options) { o.Cache = cache })
		const target = "/api/v1/forecast/gold?horizon_years=5"
		first := f.get(target).want(200)
		if post := f.post("/api/v1/predict", `{"asset":"Gold","horizon_years":5}`); post.Body.String() != first.Body.String() {
			t.Error("GET and POST answer differently")
		}
		tag := first.Header().Get("ETag")
		if control := first.Header().Get("Cache-Control"); tag == "" || control != "public, max-age=60, stale-if-error=86400" {
			t.Errorf("ETag %q, Cache-Control %q", tag, control)
		}
		for range 3 {
			for _, match := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
				x := f.get(target, "If-None-Match", match).want(304)
				if x.Body.Len() > 0 || x.Header().Get("ETag") != tag {
					t.Errorf("304 with %d bytes and ETag %q", x.Body.Len(), x.Header().Get("ETag"))
				}
			}
			f.get(target, "If-None-Match", `"x"`).want(200)
			if got := f.get(target).want(200); got.Body.String() != first.Body.String() || got.Header().Get("ETag") != tag {
				t.Error("the same question is answered differently the second time")
			}
		}
		for _, other := range []string{"?horizon_years=4", "?horizon_years=5&model_type=xgb", "?horizon_years=5&explain=false"} {
			if f.get("/api/v1/forecast/Gold"+other).want(200).Header().Get("ETag") == tag {
				t.Errorf("%s has the same ETag", other)
			}
		}
		f.get("/api/v1/forecast/Golt?horizon_years=5").problem(404)
	}
	x := setup(t, nil)
	for target, parameter := range map[string]string{
		"/api/v1/forecast/Gold":                                  "horizon_years",
		"/api/v1/forecast/Gold?horizon_years=11":                 "horizon_years",
		"/api/v1/forecast/Gold?horizon_years=five":               "horizon_years",
		"/api/v1/forecast/Gold?horizon_years=NaN":                "horizon_years",
		"/api/v1/forecast/Gold?horizon_years=1e999":              "horizon_years",
		"/api/v1/forecast/Gold?horizon_years=5&model_type=what":  "model_type",
		"/api/v1/forecast/Gold?horizon_years=5&more=1":           "more",
		"/api/v1/forecast/Gold?horizon_years=5&explain=perhaps":  "explain",
		"/api/v1/forecast/Gold?horizon_years=5&horizon_years=10": "horizon_years",
	} {
		if p := x.get(target).problem(422); len(p.Errors) != 1 || p.Errors[0].Parameter != parameter {
			t.Errorf("%s: %+v, want a fault of %s", target, p.Errors, parameter)
		}
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		`"a"`: true, `W/"a"`: true, `"x", "a"`: true, `"x","y" ,W/"a" , "z"`: true, `*`: true, ` * `: true, `, "a"`: true,
		``: false, `a`: false, `"x"`: false, `"foo, *, bar"`: false, `"x, "a"`: false, `"x", *`: false, `"a`: false, `"`: false, `W/`: false, `w/"a"`: false, `""`: false,
	} {
		if got := matches([]string{line}, `"a"`); got != want {
			t.Errorf("%s matches: %t, want %t", line, got, want)
		}
	}
	if matches(nil, `"a"`) || !matches([]string{`"x"`, `"a"`}, `W/"a"`) {
		t.Error("no line, or two")
	}
}

// With keys a shared cache must not answer for the service.
func TestForecastGetBehindKeysIsPrivate(t *testing.T) {
	t.Parallel()
	key, line := testKey(t, "a", "read")
	f := setup(t, func(o *Options) { o.Keys = parseKeys(t, line) })
	x := f.get("/api/v1/forecast/Gold?horizon_years=5", "X-API-Key", key).want(200)
	if control := x.Header().Get("Cache-Control"); !strings.HasPrefix(control, "private") {
		t.Errorf("Cache-Control %q", control)
	}
}

// A cached answer is given up when the month turns: staleness may have changed.
func TestCacheEndsWithTheMonth(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.September, 15, 0, 0, 0, 0, time.UTC)
	f := setup(t, func(o *Options) { o.Now = func() time.Time { return now } })
	const body = `{"asset":"Gold","horizon_years":5}`
	f.post("/api/v1/predict", body)
	f.post("/api/v1/predict", body)
	fresh := into[forecast.Answer](f.post("/api/v1/predict", body).want(200))
	if text := f.get("/metrics").Body.String(); !strings.Contains(text, `http_answer_cache_lookups_total{result="hit"} 1`) {
		t.Error("the third answer is not from the cache")
	}
	now = now.AddDate(0, 2, 0)
	old := into[forecast.Answer](f.post("/api/v1/predict", body).want(200))
	if fresh.Stale || !old.Stale {
		t.Errorf("stale %v in time and %v two months later", fresh.Stale, old.Stale)
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	all := into[History](f.get("/api/v1/assets/gold/history?limit=1200").want(200))
	if all.Asset != "Gold" || all.Next != "" || len(all.Rows) < 600 {
		t.Fatalf("%s with %d rows, next %q", all.Asset, len(all.Rows), all.Next)
	}
	if r := all.Rows[0]; r.Month != all.Base || *r.Nominal != 100 || *r.Real != 100 {
		t.Errorf("the first row is %v %v at %s, want 100 and 100 at %s", *r.Nominal, *r.Real, r.Month, all.Base)
	}
	last := all.Rows[len(all.Rows)-1]
	if all.Summary.RealMultiple == nil || math.Abs(*all.Summary.RealMultiple-*last.Real/100) > 1e-12 {
		t.Errorf("real multiple %v, the last row says %v", all.Summary.RealMultiple, *last.Real/100)
	}
	if *all.Summary.NominalMultiple <= *all.Summary.RealMultiple || *all.Summary.WorstDrawdown > -0.5 || all.Summary.LongestUnderWater < 120 {
		t.Errorf("summary %+v is not that of gold since 1971", all.Summary)
	}
	// Pages put together are the whole.
	var rows []HistoryRow
	for next := "/api/v1/assets/Gold/history?limit=100"; next != ""; {
		page := into[History](f.get(next).want(200))
		if page.Summary.LongestUnderWater != all.Summary.LongestUnderWater {
			t.Errorf("a page's summary is another: %+v", page.Summary)
		}
		rows = append(rows, page.Rows...)
		next = page.Next
		if len(rows) > len(all.Rows) {
			break
		}
	}
	if fmt.Sprint(len(rows)) != fmt.Sprint(len(all.Rows)) || rows[250].Month != all.Rows[250].Month || *rows[250].Drawdown != *all.Rows[250].Drawdown {
		t.Errorf("%d rows by pages, %d at once", len(rows), len(all.Rows))
	}
	ten := into[History](f.get("/api/v1/assets/Gold/history?from=2000-01&to=2000-10").want(200))
	if len(ten.Rows) != 10 || ten.Rows[0].Month != series.Of(2000, 1) || *ten.Rows[0].Drawdown != 0 {
		t.Errorf("ten months give %d rows from %s", len(ten.Rows), ten.Rows[0].Month)
	}
}

// In gold, gold keeps its value; in anything else the quotient of two indices is
// what one buys of the other.
func TestHistoryInAnyDeflator(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	in := func(asset, deflator string) History {
		return into[History](f.get("/api/v1/assets/" + asset + "/history?limit=1200&in=" + deflator).want(200))
	}
	for _, r := range in("Gold", "GOLD").Rows {
		if *r.Real != 100 || *r.Drawdown != 0 {
			t.Fatalf("gold in gold is %v at %s", *r.Real, r.Month)
		}
	}
	for _, deflator := range []string{"cpi", "basket", "eggs", "milk", "bread", "gasoline", "Bitcoin", "SP500"} {
		if h := in("Gold", deflator); len(h.Rows) < 100 || h.Summary.RealMultiple == nil {
			t.Errorf("in %s: %d rows, summary %+v", deflator, len(h.Rows), h.Summary)
		}
	}
	gold, stocks := in("Gold", "SP500"), in("SP500", "Gold")
	product := *gold.Summary.RealMultiple * *stocks.Summary.RealMultiple
	if gold.From != stocks.From || gold.To != stocks.To || math.Abs(product-1) > 1e-9 {
		t.Errorf("gold in stocks times stocks in gold is %v over %s-%s and %s-%s, want 1", product, gold.From, gold.To, stocks.From, stocks.To)
	}
	for target, parameter := range map[string]string{"in=euro": "in", "from=1990": "from", "from=2001-02&to=2001-01": "from", "to=2001-13": "to", "limit=0": "limit", "limit=1201": "limit"} {
		if p := f.get("/api/v1/assets/Gold/history?" + target).problem(422); len(p.Errors) != 1 || p.Errors[0].Parameter != parameter {
			t.Errorf("%s: %+v", target, p.Errors)
		}
	}
	f.get("/api/v1/assets/Golt/history").problem(404)
}

func TestAssetAndQuality(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	a := into[Asset](f.get("/api/v1/assets/sp500").want(200))
	if a.ID != "SP500" || len(a.Features) != len(featureLines()) {
		t.Errorf("asset %s with %d features", a.ID, len(a.Features))
	}
	q := into[Quality](f.get("/api/v1/assets/Bitcoin/quality").want(200))
	if q.Asset != "Bitcoin" || q.Months < 180 || len(q.Sources) == 0 || q.Months+len(q.Missing) != int(q.To-q.From)+1 {
		t.Errorf("quality %+v", q)
	}
	f.get("/api/v1/assets/Golt").problem(404)
	f.get("/api/v1/assets/Golt/quality").problem(404)
	f.get("/api/v1/assets/%2e%2e").problem(404)
	f.get("/api/v1/assets/a%2Fb").problem(404)
	f.get("/api/v1/assets/%ff").problem(404)
}

func TestRobust(t *testing.T) {
	t.Parallel()
	center, sigma := robust([]float64{1, 2, 3, math.NaN(), 4, 1000})
	if center != 3 || math.Abs(sigma-1.4826) > 1e-12 {
		t.Errorf("got %v, %v, want 3, 1.4826", center, sigma)
	}
	if c, s := robust(nil); !math.IsNaN(c) || !math.IsNaN(s) {
		t.Errorf("of nothing: %v, %v, want NaN", c, s)
	}
}

const ledgerHead = "note,data_month,asset,horizon_months,model_type,model_version,p_a,p_b,p_c,p_d,multiple_median,multiple_p10,multiple_p90,outcome_multiple,outcome_class,rps\n"

func TestTrackRecord(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	none := into[TrackRecord](setup(t, func(o *Options) { o.DataDir = dir }).get("/api/v1/track-record").want(200))
	if none.Forecasts != 0 || none.Note == "" {
		t.Errorf("without a ledger: %+v", none)
	}
	text := ledgerHead +
		"x,2020-01,Gold,12,ensemble,20200201T000000Z-aaaa,0.6,0.2,0.1,0.1,1.02,0.9,1.2,1.1,A_PRESERVER,0.07\n" +
		"x,2020-02,Gold,12,ensemble,20200201T000000Z-aaaa,0.4,0.3,0.2,0.1,1.01,0.95,1.2,0.8,C_ERODER,0.2\n" +
		"x,2026-09,Gold,12,ensemble,20200201T000000Z-aaaa,0.5,0.3,0.1,0.1,1.01,0.9,1.2,,,\n" +
		"x,2026-09,Oil,60,lgbm,20200201T000000Z-aaaa,0.5,0.3,0.1,0.1,1.01,0.9,1.2,,,\n"
	if err := os.WriteFile(filepath.Join(dir, LedgerFile), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	f := setup(t, func(o *Options) { o.DataDir = dir })
	r := into[TrackRecord](f.get("/api/v1/track-record").want(200))
	if r.Forecasts != 4 || r.Scored != 2 || len(r.Summary) != 1 || r.Rows[0].Asset != "Oil" || r.Rows[0].Outcome != nil {
		t.Fatalf("got %+v", r)
	}
	want := RecordScore{ModelType: forecast.Ensemble, HorizonYears: 1, Scored: 2, RPS: 0.135, Hits: 0.5, LossForecast: 0.5, LossSeen: 0.5, Within80: 0.5}
	if got := r.Summary[0]; math.Abs(got.RPS-want.RPS) > 1e-12 || got.Hits != want.Hits || math.Abs(got.LossForecast-want.LossForecast) > 1e-12 || got.LossSeen != want.LossSeen || got.Within80 != want.Within80 {
		t.Errorf("summary %+v, want %+v", got, want)
	}
	page := into[TrackRecord](f.get("/api/v1/track-record?asset=gold&limit=2").want(200))
	if page.Forecasts != 3 || len(page.Rows) != 2 || page.Next == "" {
		t.Fatalf("page %+v", page)
	}
	if rest := into[TrackRecord](f.get(page.Next).want(200)); len(rest.Rows) != 1 || rest.Next != "" || rest.Rows[0].DataMonth != series.Of(2020, 1) {
		t.Errorf("second page %+v", rest)
	}
	// A damaged file is refused and the last one stays.
	if err := os.WriteFile(filepath.Join(dir, LedgerFile), []byte(text+"x,2020-01,Gold"), 0o644); err != nil {
		t.Fatal(err)
	}
	f.service.readLedger()
	if r := into[TrackRecord](f.get("/api/v1/track-record?scored=true").want(200)); r.Forecasts != 2 {
		t.Errorf("after damage: %+v", r)
	}
}

func FuzzLedger(f *testing.F) {
	f.Add(ledgerHead + "x,2020-01,Gold,12,ensemble,20200201T000000Z-aaaa,0.6,0.2,0.1,0.1,1.02,0.9,1.2,1.1,A_PRESERVER,0.07\n")
	f.Add(ledgerHead)
	f.Add("a,b\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := csvfile.Read(strings.NewReader(text), LedgerFile, ledgerLimits)
		if err != nil {
			return
		}
		rows, err := parseLedger(file)
		if err != nil {
			return
		}
		var out TrackRecord
		out.fill(rows, &recordInput{Limit: 10})
		if out.Forecasts != len(rows) {
			t.Fatalf("%d of %d forecasts", out.Forecasts, len(rows))
		}
	})
}

func TestPagesAreServed(t *testing.T) {
	t.Parallel()
	f := setupPages(t, nil, map[string]http.Handler{"GET /{$}": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		fmt.Fprint(w, "hello")
	})})
	x := f.get("/").want(200)
	if x.Body.String() != "hello" || x.Header().Get("Content-Security-Policy") != "default-src 'self'" {
		t.Errorf("page %q with policy %q", x.Body, x.Header().Get("Content-Security-Policy"))
	}
	f.get("/other").problem(404)
	f.do("POST", "/", "x").problem(405)
}
