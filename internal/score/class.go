package score

import "math"

// Classes is the number of purchasing-power classes.
const Classes = 4

// ProbFloor is the smallest probability that LogLoss charges for. It bounds the loss of one row at -ln 0.001 = 6.9078.
const ProbFloor = 1e-3

// Probs holds the forecast probabilities of the classes A, B, C, D, in that order. They sum to 1. Any NaN makes every
// score of the forecast NaN.
type Probs = [Classes]float64

// RPS returns the ranked probability score of forecast p when class y came true, between 0 (certain and right) and 1:
//
//	RPS = 1/3 * sum_{k<3} (F_k - O_k)^2,  F_k = p_0 + ... + p_k,  O_k = 1 if y <= k, else 0
//
// It panics if y is outside [0, Classes).
//
// Source: Epstein, A scoring system for probability forecasts of ranked categories (1969).
func RPS(p Probs, y int) float64 {
	checkClass(y)
	sum, cum := 0.0, 0.0
	for k := range Classes - 1 {
		cum += p[k]
		d := cum
		if y <= k {
			d--
		}
		sum += d * d
	}
	return sum / (Classes - 1)
}

// LogLoss returns -ln max(p[y], ProbFloor) in nats, and whether the floor was used. Reports count how often it was.
// It panics if y is outside [0, Classes).
func LogLoss(p Probs, y int) (loss float64, floored bool) {
	checkClass(y)
	if p[y] < ProbFloor {
		return -math.Log(ProbFloor), true
	}
	return -math.Log(p[y]), false
}

// Brier returns the multi-class Brier score sum_k (p_k - o_k)^2, o_k = 1 for k = y, between 0 and 2. It panics if y is
// outside [0, Classes).
//
// Source: Brier, Verification of forecasts expressed in terms of probability (1950).
func Brier(p Probs, y int) float64 {
	checkClass(y)
	sum := 0.0
	for k, v := range p {
		if k == y {
			v--
		}
		sum += v * v
	}
	return sum
}

// WorseThan returns the probability that the outcome is worse than class k: WorseThan(p, 0) is P(M < 1), with 1
// P(M < 0.9) and with 2 P(M < 0.7). It panics if k is outside [0, Classes-1).
func WorseThan(p Probs, k int) float64 {
	if k < 0 || k >= Classes-1 {
		panic("score: threshold out of range")
	}
	sum := 0.0
	for j := Classes - 1; j > k; j-- {
		sum += p[j]
	}
	return sum
}

// Argmax returns the most likely class; of equally likely ones, the best.
func Argmax(p Probs) int {
	best := 0
	for k := 1; k < Classes; k++ {
		if p[k] > p[best] {
			best = k
		}
	}
	return best
}

// MedianClass returns the smallest class k with F_k >= 1/2. Of all single-class forecasts it has the least expected RPS
// under p, because the RPS of a certain forecast of class c is |c - y|/3.
func MedianClass(p Probs) int {
	cum := 0.0
	for k := range Classes - 1 {
		cum += p[k]
		if cum >= 0.5 {
			return k
		}
	}
	return Classes - 1
}

func checkClass(y int) {
	if y < 0 || y >= Classes {
		panic("score: class out of range")
	}
}
