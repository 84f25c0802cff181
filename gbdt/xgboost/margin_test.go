package xgboost

import (
	"math"
	"slices"
	"testing"
)

// TestLogf compares with the C library's logf, whose values make_golden.py recorded.
func TestLogf(t *testing.T) {
	t.Parallel()
	n := 0
	for _, a := range archives(t) {
		for _, pair := range a.Rows("logf.f64", 2) {
			n++
			if got := logf(float32(pair[0])); float64(got) != pair[1] {
				t.Errorf("XGBoost %s: logf(%v): got %v, want %v", a.Made.TrainedWith, pair[0], got, pair[1])
			}
		}
	}
	if n < 300 {
		t.Errorf("%d logarithms compared, want at least 300", n)
	}
	inf := float32(math.Inf(1))
	for _, c := range []struct{ x, want float32 }{{0, -inf}, {inf, inf}, {1, 0}} {
		if got := logf(c.x); got != c.want {
			t.Errorf("logf(%v): got %v, want %v", c.x, got, c.want)
		}
	}
	for _, x := range []float32{-1, float32(math.Copysign(0, -1)), -inf, float32(math.NaN())} {
		if got := logf(x); x != 0 && got == got {
			t.Errorf("logf(%v): got %v, want NaN", x, got)
		}
	}
}

func TestMarginInverse(t *testing.T) {
	t.Parallel()
	for _, link := range []marginLink{marginIdentity, marginLogit, marginLog} {
		for _, p := range []float32{0.5, 1, 0.3, 1e-6, 0.999999, 0.1, 0.7300001} {
			m := link.margin(p)
			back, err := link.baseScore(m)
			if err != nil || link.margin(back) != m {
				t.Errorf("link %d: margin(%v) is %v, its base_score %v, %v", link, p, m, back, err)
			}
		}
	}
	if p, err := marginLogit.baseScore(0); err != nil || p != 0.5 {
		t.Errorf("logit: base_score of 0: got %v, %v, want 0.5", p, err)
	}
	if p, err := marginLogit.baseScore(20); err == nil {
		t.Errorf("logit: base_score of 20: got %v, want an error: XGBoost moves it to 1-1e-6", p)
	}
	for _, p := range []float32{0, -3, 1e-9} {
		if got, want := marginLogit.margin(p), marginLogit.margin(1e-6); got != want {
			t.Errorf("logit of %v: got %v, want %v", p, got, want)
		}
	}
}

func TestBaseScoreText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text   string
		scores []float32
		list   bool
		ok     bool
	}{
		{"5E-1", []float32{0.5}, false, true},
		{"0.5", []float32{0.5}, false, true},
		{"[5E-1]", []float32{0.5}, true, true},
		{"[1E-1,-2E0]", []float32{0.1, -2}, true, true},
		{"[0.1, 2]", []float32{0.1, 2}, true, true},
		{"", nil, false, false}, {"[]", nil, true, false}, {"[1", nil, true, false}, {"1,2", nil, false, false},
		{"half", nil, false, false}, {"[1E0,]", nil, true, false}, {"1E99", nil, false, false},
	} {
		scores, list, err := parseBaseScore(c.text)
		if (err == nil) != c.ok || c.ok && (!slices.Equal(scores, c.scores) || list != c.list) {
			t.Errorf("%q: got %v, %v, %v", c.text, scores, list, err)
		}
	}
	for _, c := range []struct {
		scores []float32
		list   bool
		want   string
	}{
		{[]float32{0.5}, false, "5E-1"}, {[]float32{0.5}, true, "[5E-1]"}, {[]float32{0.5, 0.5}, false, "5E-1"},
		{[]float32{0.5, 0.5}, true, "[5E-1,5E-1]"}, {[]float32{0.5, 1}, false, "[5E-1,1E0]"},
	} {
		if got := scoreText(c.scores, c.list); got != c.want {
			t.Errorf("%v, list %v: got %s, want %s", c.scores, c.list, got, c.want)
		}
	}
}

// TestAppendFloat has texts that XGBoost 3.2.0 wrote.
func TestAppendFloat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		x    float32
		want string
	}{
		{0, "0E0"}, {float32(math.Copysign(0, -1)), "-0E0"}, {1, "1E0"}, {0.5, "5E-1"}, {-0.2673873, "-2.673873E-1"}, {240, "2.4E2"},
		{1e-45, "1E-45"}, {math.MaxFloat32, "3.4028235E38"}, {1e10, "1E10"}, {16777216, "1.6777216E7"},
		{float32(math.NaN()), "NaN"}, {float32(math.Inf(1)), "Infinity"}, {float32(math.Inf(-1)), "-Infinity"},
	} {
		got := string(appendFloat(nil, c.x))
		if got != c.want {
			t.Errorf("%v: got %s, want %s", c.x, got, c.want)
		}
		back, err := jsonFloat([]byte(got))
		if err != nil || math.Float32bits(back) != math.Float32bits(c.x) && back == back {
			t.Errorf("%s read back: got %v, %v", got, back, err)
		}
	}
}
