package xgboost

import (
	"fmt"
	"math"
	"strings"
)

// marginLink is the function from a base_score, which is on the scale of outputs, to a raw score.
type marginLink uint8

const (
	marginIdentity marginLink = iota
	marginLogit
	marginLog
)

func marginLinkOf(objective string) marginLink {
	switch objective {
	case "binary:logistic", "reg:logistic":
		return marginLogit
	case "count:poisson", "reg:gamma", "reg:tweedie", "survival:aft", "survival:cox":
		return marginLog
	}
	return marginIdentity
}

// margin returns the raw score of base_score p as XGBoost 3.2 and later compute it: a logistic p is first moved into
// [1e-6, 1-1e-6].
func (l marginLink) margin(p float32) float32 {
	switch l {
	case marginLogit:
		const eps = float32(1e-6)
		if p < eps {
			p = eps
		}
		if p > 1-eps {
			p = 1 - eps
		}
		return -logf(1/p - 1)
	case marginLog:
		return logf(p)
	}
	return p
}

// baseScore is the inverse of margin: a p of which margin gives m (0 and -0 are the same). Not every m has one.
func (l marginLink) baseScore(m float32) (float32, error) {
	var guess float32
	switch l {
	case marginIdentity:
		return m, nil
	case marginLogit:
		guess = float32(1 / (1 + math.Exp(-float64(m))))
	case marginLog:
		guess = float32(math.Exp(float64(m)))
	}
	// The function rises; the float32 numbers around the guess are tried, nearest first.
	up, down := guess, guess
	for range 64 {
		for _, p := range [2]float32{up, down} {
			if l.margin(p) == m && p-p == 0 {
				return p, nil
			}
		}
		up, down = math.Nextafter32(up, 2*guess+1), math.Nextafter32(down, 0)
	}
	return 0, fmt.Errorf("no base_score gives the base margin %v", m)
}

// logfTable has for each of the 16 intervals 1/c and ln c, for a c near its middle.
var logfTable = [16][2]float64{
	{0x1.661ec79f8f3bep0, -0x1.57bf7808caadep-2}, {0x1.571ed4aaf883dp0, -0x1.2bef0a7c06ddbp-2},
	{0x1.49539f0f010bp0, -0x1.01eae7f513a67p-2}, {0x1.3c995b0b80385p0, -0x1.b31d8a68224e9p-3},
	{0x1.30d190c8864a5p0, -0x1.6574f0ac07758p-3}, {0x1.25e227b0b8eap0, -0x1.1aa2bc79c81p-3},
	{0x1.1bb4a4a1a343fp0, -0x1.a4e76ce8c0e5ep-4}, {0x1.12358f08ae5bap0, -0x1.1973c5a611cccp-4},
	{0x1.0953f419900a7p0, -0x1.252f438e10c1ep-5}, {1, 0},
	{0x1.e608cfd9a47acp-1, 0x1.aa5aa5df25984p-5}, {0x1.ca4b31f026aap-1, 0x1.c5e53aa362eb4p-4},
	{0x1.b2036576afce6p-1, 0x1.526e57720db08p-3}, {0x1.9c2d163a1aa2dp-1, 0x1.bc2860d22477p-3},
	{0x1.886e6037841edp-1, 0x1.1058bc8a07ee1p-2}, {0x1.767dcf5534862p-1, 0x1.4043057b6ee09p-2},
}

// logf returns the natural logarithm of x as glibc's logf (2.28 and later) does, bit for bit: the method and the
// numbers are those of Arm's optimized routines. A correctly rounded logarithm differs for one base_score in 200, and
// then every raw score of the model does.
func logf(x float32) float32 {
	ix := math.Float32bits(x)
	switch {
	case x == 1:
		return 0
	case x == 0:
		return float32(math.Inf(-1))
	case x < 0 || x != x:
		return float32(math.NaN())
	case x > math.MaxFloat32:
		return x
	case ix < 0x00800000: // subnormal
		ix = math.Float32bits(x*0x1p23) - 23<<23
	}
	tmp := ix - 0x3f330000
	i := tmp >> 19 & 15
	k := int32(tmp) >> 23
	z := float64(math.Float32frombits(ix - tmp&0xff800000))
	inv, lnC := logfTable[i][0], logfTable[i][1]
	r := float64(z*inv) - 1
	y0 := lnC + float64(float64(k)*0x1.62e42fefa39efp-1)
	r2 := float64(r * r)
	y := float64(0x1.5575b0be00b6ap-2*r) + -0x1.ffffef20a4123p-2
	y = float64(-0x1.00ea348b88334p-2*r2) + y
	return float32(float64(y*r2) + (y0 + r))
}

// parseBaseScore reads one number or, since XGBoost 3.1, a list.
func parseBaseScore(text string) (scores []float32, isList bool, err error) {
	inner, isList := strings.CutPrefix(text, "[")
	if isList {
		var ok bool
		if inner, ok = strings.CutSuffix(inner, "]"); !ok {
			return nil, true, fmt.Errorf("the list %q has no end", short(text))
		}
	}
	for word := range strings.SplitSeq(inner, ",") {
		x, err := jsonFloat([]byte(strings.TrimSpace(word)))
		if err != nil {
			return nil, isList, err
		}
		scores = append(scores, x)
		if !isList && len(scores) > 1 {
			return nil, false, fmt.Errorf("want one number or a list in brackets, got %q", short(text))
		}
	}
	return scores, isList, nil
}

// short returns at most the first 40 bytes of s, for messages.
func short(s string) string { return s[:min(len(s), 40)] }

// scoreText is the inverse of parseBaseScore: one number if all are the same and no list is asked for.
func scoreText(scores []float32, list bool) string {
	same := true
	for _, s := range scores {
		same = same && math.Float32bits(s) == math.Float32bits(scores[0])
	}
	if same && !list {
		return string(appendFloat(nil, scores[0]))
	}
	b := []byte{'['}
	for i, s := range scores {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendFloat(b, s)
	}
	return string(append(b, ']'))
}
