package forecast

import (
	"context"
	"fmt"
	"math"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/internal/logit"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/score"
	"github.com/pppq/pppq/internal/series"
)

// The challengers are rungs that were tried and lost against the carry core.
// They are tested with the others each time and are not served.

// halfMean is how much of what the trees on the mean say is used.
const halfMean = 0.5

// classTreeParams and meanTreeParams hold back as the spread boosters do.
func classTreeParams(seed uint64) gbdt.Params {
	p := spreadParams(gbdt.LightGBM, seed)
	p.Loss, p.NumClass = gbdt.Softmax, power.NumClasses
	p.Rounds = 60
	return p
}

func meanTreeParams(seed uint64) gbdt.Params {
	p := spreadParams(gbdt.LightGBM, seed)
	p.Loss = gbdt.SquaredError
	return p
}

// minLogProb keeps the logarithm of a vanishing core probability finite.
const minLogProb = -12

// logProbs are the logarithms of class probabilities, at least minLogProb.
func logProbs(p score.Probs) (out score.Probs) {
	for i, x := range p {
		out[i] = max(math.Log(x), minLogProb)
	}
	return out
}

// ClassTrees are boosted trees on the class log-odds that start from the core's.
type ClassTrees struct{ predictor *gbdt.Predictor }

// FitClassTrees trains on the first n examples.
func (s *TrainingSet) FitClassTrees(ctx context.Context, n int, seed uint64) (*ClassTrees, error) {
	labels := make([]float64, n)
	initial := make([]float64, 0, n*power.NumClasses)
	for i, e := range s.Examples[:n] {
		labels[i] = float64(e.Class)
		p := logProbs(Probabilities(e.Core, s.tiers))
		initial = append(initial, p[:]...)
	}
	data, err := s.prefix(n, labels, s.uniqueness(n), initial)
	if err != nil {
		return nil, err
	}
	r, err := gbdt.Train(ctx, classTreeParams(seed), data, gbdt.TrainOptions{})
	if err != nil {
		return nil, fmt.Errorf("train the class trees: %w", err)
	}
	p, err := gbdt.NewPredictor(r.Model, gbdt.PredictOptions{})
	return &ClassTrees{p}, err
}

// Forecast corrects the core's class probabilities.
func (c *ClassTrees) Forecast(row *SpreadRow, core score.Probs) (score.Probs, error) {
	var raw [power.NumClasses]float64
	if err := c.predictor.Raw(raw[:], row[:]); err != nil {
		return score.Probs{}, err
	}
	p := logProbs(core)
	sum := 0.0
	for i := range p {
		p[i] = math.Exp(p[i] + raw[i])
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p, nil
}

// MeanTrees are boosted trees on the core's scaled error: they forecast which
// way it will be off.
type MeanTrees struct{ predictor *gbdt.Predictor }

// FitMeanTrees trains on the first n examples.
func (s *TrainingSet) FitMeanTrees(ctx context.Context, n int, seed uint64) (*MeanTrees, error) {
	labels := make([]float64, n)
	for i, e := range s.Examples[:n] {
		labels[i] = min(max((e.LnMultiple-e.Core.Mean)/e.Core.SD, -3), 3)
	}
	data, err := s.prefix(n, labels, s.weights, nil)
	if err != nil {
		return nil, err
	}
	r, err := gbdt.Train(ctx, meanTreeParams(seed), data, gbdt.TrainOptions{})
	if err != nil {
		return nil, fmt.Errorf("train the mean trees: %w", err)
	}
	p, err := gbdt.NewPredictor(r.Model, gbdt.PredictOptions{})
	return &MeanTrees{p}, err
}

// Forecast moves the core's centre.
func (m *MeanTrees) Forecast(row *SpreadRow, core Normal) (Normal, error) {
	var raw [1]float64
	if err := m.predictor.Raw(raw[:], row[:]); err != nil {
		return Normal{}, err
	}
	core.Mean += halfMean * raw[0] * core.SD
	return core, nil
}

// numLogit is the number of inputs of the logit: the boosters' and four
// interactions.
const numLogit = NumSpread + 4

// A Logit is a multinomial logit with the core's log-probabilities as offset, on
// standardised inputs clipped at three standard deviations, with logit's default
// penalty of 100 per window that does not overlap.
type Logit struct {
	model    *logit.Model
	mean, sd [numLogit]float64
}

// logitRow adds to the boosters' columns what a linear model cannot make of
// them: valuation of stocks, yield of bonds, real rate of bills, past of gold.
func logitRow(kind series.Kind, row *SpreadRow, f []float64) [numLogit]float64 {
	var out [numLogit]float64
	copy(out[:], row[:])
	switch kind {
	case series.Equity:
		out[NumSpread] = f[panel.LnCAPE]
	case series.Bond:
		out[NumSpread+1] = f[panel.TreasuryYield]
	case series.Bill:
		out[NumSpread+2] = f[panel.RealBill]
	case series.Commodity:
		out[NumSpread+3] = f[panel.Return60]
	}
	return out
}

// scale standardises a row; a missing value is the mean.
func (l *Logit) scale(row [numLogit]float64) [numLogit]float64 {
	for j, x := range row {
		z := (x - l.mean[j]) / l.sd[j]
		if math.IsNaN(z) {
			z = 0
		}
		row[j] = min(max(z, -3), 3)
	}
	return row
}

// FitLogit fits on the first n examples.
func (s *TrainingSet) FitLogit(n int) (*Logit, error) {
	l := &Logit{}
	rows := make([][numLogit]float64, n)
	for i, e := range s.Examples[:n] {
		r := s.panel.Assets[e.Asset]
		rows[i] = logitRow(r.Asset.Kind, s.SpreadRow(e), r.Rows[e.Row].Values)
	}
	for j := range numLogit {
		count, sum, sq := 0.0, 0.0, 0.0
		for i := range rows {
			if x := rows[i][j]; !math.IsNaN(x) {
				count, sum = count+1, sum+x
			}
		}
		l.mean[j] = sum / count
		for i := range rows {
			if x := rows[i][j]; !math.IsNaN(x) {
				sq += (x - l.mean[j]) * (x - l.mean[j])
			}
		}
		l.sd[j] = math.Sqrt(sq / count)
	}
	d := logit.Data{
		Features: numLogit, X: make([]float64, 0, n*numLogit), Offset: make([]float64, 0, n*power.NumClasses),
		Y: make([]int, n), Weight: s.uniqueness(n),
	}
	for i, e := range s.Examples[:n] {
		z := l.scale(rows[i])
		d.X = append(d.X, z[:]...)
		p := logProbs(Probabilities(e.Core, s.tiers))
		d.Offset = append(d.Offset, p[:]...)
		d.Y[i] = int(e.Class)
	}
	var err error
	if l.model, err = logit.Fit(d, logit.DefaultParams()); err != nil {
		return nil, fmt.Errorf("fit the logit: %w", err)
	}
	return l, nil
}

// Forecast corrects the core's class probabilities.
func (l *Logit) Forecast(kind series.Kind, row *SpreadRow, f []float64, core score.Probs) score.Probs {
	z := l.scale(logitRow(kind, row, f))
	return l.model.Predict(z[:], logProbs(core))
}
