package score

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// RowsPerBin is the number of effective cases that a reliability bin needs.
const RowsPerBin = 5

// A ReliabilityBin compares forecast and frequency over the rows with Low <= p <= High.
type ReliabilityBin struct {
	// Rows in the bin.
	Rows int
	// Low and High are the smallest and the largest forecast in the bin.
	Low, High float64
	// MeanForecast and Frequency of the event, in [0, 1].
	MeanForecast, Frequency float64
}

// A ReliabilityTable is the reliability diagram of one binary forecast.
type ReliabilityTable struct {
	// Bins in order of forecast.
	Bins []ReliabilityBin
	// ECE is the expected calibration error, the mean of |MeanForecast - Frequency| over rows.
	ECE float64
}

// Reliability sorts the forecasts p (probabilities) of the events y into bins of equal mass: at most maxBins, at most
// effective/RowsPerBin, at least one. effective is the number of independent cases in the rows. Rows with equal p stay
// in one bin, so there may be fewer bins. ECE is biased upward by noise: show ExpectedECE beside it. The error wraps
// ErrShape for differing lengths, p outside [0, 1] or maxBins < 1, ErrTooFew for no rows and ErrMissing for NaN.
func Reliability(p []float64, y []bool, effective float64, maxBins int) (ReliabilityTable, error) {
	if len(p) != len(y) {
		return ReliabilityTable{}, fmt.Errorf("%w: %d forecasts, %d outcomes", ErrShape, len(p), len(y))
	}
	order, ends, err := equalMassBins(p, effective, maxBins)
	if err != nil {
		return ReliabilityTable{}, err
	}
	var t ReliabilityTable
	start := 0
	for _, end := range ends {
		rows := order[start:end]
		bin := ReliabilityBin{Rows: len(rows), Low: p[rows[0]], High: p[rows[len(rows)-1]]}
		for _, i := range rows {
			bin.MeanForecast += p[i]
			if y[i] {
				bin.Frequency++
			}
		}
		t.ECE += math.Abs(bin.MeanForecast-bin.Frequency) / float64(len(p))
		bin.MeanForecast /= float64(bin.Rows)
		bin.Frequency /= float64(bin.Rows)
		t.Bins = append(t.Bins, bin)
		start = end
	}
	return t, nil
}

// equalMassBins returns the row numbers in order of p and the ends (exclusive) of the bins in that order.
func equalMassBins(p []float64, effective float64, maxBins int) (order, ends []int, err error) {
	n := len(p)
	if n == 0 {
		return nil, nil, fmt.Errorf("%w: no rows", ErrTooFew)
	}
	if maxBins < 1 {
		return nil, nil, fmt.Errorf("%w: %d bins", ErrShape, maxBins)
	}
	if err := checkFinite("effective", []float64{effective}); err != nil {
		return nil, nil, err
	}
	if err := checkProbabilities(p); err != nil {
		return nil, nil, err
	}
	bins := min(maxBins, n)
	if effective < RowsPerBin*float64(bins) {
		bins = max(1, int(effective/RowsPerBin))
	}
	order = make([]int, n)
	for i := range order {
		order[i] = i
	}
	sortByKey(order, p)
	last := 0
	for b := 1; b <= bins; b++ {
		end := b * n / bins
		if end <= last {
			continue // a run of equal forecasts has filled this bin
		}
		for end < n && p[order[end]] == p[order[end-1]] {
			end++
		}
		ends = append(ends, end)
		last = end
	}
	return order, ends, nil
}

func checkProbabilities(p []float64) error {
	if err := checkFinite("p", p); err != nil {
		return err
	}
	for i, v := range p {
		if v < 0 || v > 1 {
			return fmt.Errorf("%w: p[%d] = %v is no probability", ErrShape, i, v)
		}
	}
	return nil
}

// ECENoise is the distribution of the ECE of a perfectly calibrated forecast.
type ECENoise struct {
	// Mean and P95 (95th percentile) over the simulations. An ECE under P95 is no sign of miscalibration.
	Mean, P95 float64
}

// ExpectedECE returns the ECE that the bins of Reliability would show if the forecasts p were perfectly calibrated, by
// simulation. Outcomes h = b.HorizonMonths apart or less overlap, so each simulation cuts the months of every series into
// blocks of b.Block months with a random phase, and within a block the event happens in exactly the rows with p above one
// uniform random number: each row keeps its probability and a block is worth one case.
//
// p, month and series have one entry a row; rows with the same series number (an asset) share blocks, different series are
// independent. Give all rows one series to treat the assets as moving together, the most cautious reading. Only
// HorizonMonths, Draws and Seed of b are used. The cost is linear in rows times draws. Errors as for Reliability; ErrShape
// also for impossible settings.
func ExpectedECE(p []float64, month, series []int, effective float64, maxBins int, b Bootstrap) (ECENoise, error) {
	n := len(p)
	if len(month) != n || len(series) != n {
		return ECENoise{}, fmt.Errorf("%w: %d forecasts, %d months, %d series", ErrShape, n, len(month), len(series))
	}
	if err := b.validate(); err != nil {
		return ECENoise{}, err
	}
	byForecast, ends, err := equalMassBins(p, effective, maxBins)
	if err != nil {
		return ECENoise{}, err
	}
	binOf := make([]int, n)
	forecastSum := make([]float64, len(ends))
	start := 0
	for bin, end := range ends {
		for _, i := range byForecast[start:end] {
			binOf[i] = bin
			forecastSum[bin] += p[i]
		}
		start = end
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(series[i], series[j]), cmp.Compare(month[i], month[j]), i-j)
	})
	rng := rand.New(rand.NewPCG(b.Seed, 0x656365)) // second word: any constant
	eces := make([]float64, b.Draws)
	events := make([]float64, len(ends))
	block := b.Block(distinctMonths(month))
	for d := range eces {
		clear(events)
		var blockEnd int // exclusive; a block of the current series
		var u float64
		for at, i := range order {
			first := at == 0 || series[i] != series[order[at-1]]
			if first {
				blockEnd = month[i] + 1 + rng.IntN(block)
				u = rng.Float64()
			}
			if month[i] >= blockEnd {
				blockEnd += ((month[i]-blockEnd)/block + 1) * block
				u = rng.Float64()
			}
			if u < p[i] {
				events[binOf[i]]++
			}
		}
		for bin, k := range events {
			eces[d] += math.Abs(forecastSum[bin]-k) / float64(n)
		}
	}
	var out ECENoise
	for _, e := range eces {
		out.Mean += e / float64(len(eces))
	}
	slices.Sort(eces)
	out.P95 = quantileSorted(eces, 0.95)
	return out, nil
}

func distinctMonths(month []int) int {
	sorted := slices.Clone(month)
	slices.Sort(sorted)
	return len(slices.Compact(sorted))
}
