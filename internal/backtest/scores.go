package backtest

import (
	"math"
	"slices"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/score"
	"github.com/pppq/pppq/internal/series"
)

const (
	// reliabilityBins is the most bins of a reliability diagram.
	reliabilityBins = 10
	// eceDraws is how many perfectly calibrated histories the expected ECE is
	// taken over.
	eceDraws = 200
)

// levels are those of the intervals whose coverage is reported.
var levels = [3]float64{0.5, 0.8, 0.95}

// eraStarts are the first months of the eras of the report.
var eraStarts = []series.Month{series.Of(1985, 1), series.Of(1999, 1), series.Of(2012, 1)}

func (w *walk) horizonReport(k int, builtin, scored []*record) (HorizonReport, error) {
	months := forecast.TrainedHorizons[k]
	h := HorizonReport{Months: months, Rows: len(builtin), EffectiveCases: effectiveCases(builtin, months)}
	seen := map[series.Month]bool{}
	for _, r := range builtin {
		seen[r.t] = true
		h.Last = max(h.Last, r.t)
	}
	h.Origins = len(seen)

	best := bestClimatology(builtin)
	h.BestClimatology = rungs[best].Name
	for rung := range numRungs {
		s, err := w.rungScore(builtin, rung, best, months)
		if err != nil {
			return h, err
		}
		h.Rungs = append(h.Rungs, s)
	}
	h.LikelyClass = h.Rungs[rungPartial].Accuracy
	if m, a, b, err := paired(builtin, rps(builtin, rungEnsemble), rps(builtin, best)).MonthMeans(); err == nil {
		h.NonOverlapping = score.NonOverlappingSkill(m, a, b, months)
	}
	var err error
	if h.Groups, err = w.groups(scored, months); err != nil {
		return h, err
	}
	h.Eras = eras(builtin, best)
	table, err := score.Reliability(losses(builtin, rungEnsemble), lost(builtin), h.EffectiveCases, reliabilityBins)
	if err != nil {
		return h, err
	}
	h.Reliability = bins(table)
	return h, nil
}

// bestClimatology is the climatology with the least mean RPS, months counting
// once each.
func bestClimatology(records []*record) int {
	best, least := rungPartial, math.Inf(1)
	for _, rung := range []int{rungPartial, rungAsset, rungPooled} {
		_, a, _, err := paired(records, rps(records, rung), rps(records, rung)).MonthMeans()
		if err != nil {
			continue
		}
		if m := mean(a); m < least {
			best, least = rung, m
		}
	}
	return best
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// losses are P(M < 1), lost whether it came so.
func losses(records []*record, rung int) []float64 {
	out := make([]float64, len(records))
	for i, r := range records {
		out[i] = min(max(1-r.p[rung][0], 0), 1)
	}
	return out
}

func lost(records []*record) []bool {
	out := make([]bool, len(records))
	for i, r := range records {
		out[i] = r.y > 0
	}
	return out
}

func (w *walk) rungScore(records []*record, rung, best, months int) (RungScore, error) {
	s := RungScore{Rung: rungs[rung].Name}
	logs := make([]float64, len(records))
	var confusion score.Confusion
	medians, brier := 0, 0.0
	for i, r := range records {
		p := r.p[rung]
		var floored bool
		if logs[i], floored = score.LogLoss(p, r.y); floored {
			s.Floored++
		}
		brier += score.Brier(p, r.y)
		confusion.Add(r.y, score.Argmax(p))
		if score.MedianClass(p) == r.y {
			medians++
		}
		if kind := w.panel.Assets[r.asset].Asset.Kind; kind == series.Equity || kind == series.Commodity || kind == series.Coin {
			s.MaxProb = max(s.MaxProb, slices.Max(p[:]))
		}
		s.BrierLoss += score.BinaryBrier(1-p[0], r.y > 0)
	}
	n := float64(len(records))
	s.Brier, s.BrierLoss, s.AccuracyMedian = brier/n, s.BrierLoss/n, float64(medians)/n
	s.Accuracy, s.BalancedAcc, s.MacroF1 = confusion.Accuracy(), confusion.BalancedAccuracy(), confusion.MacroF1()
	s.Kappa = defined(confusion.Kappa())
	for _, c := range confusion.Absent() {
		s.AbsentClasses = append(s.AbsentClasses, power.Class(c).String())
	}
	_, a, b, err := paired(records, rps(records, rung), logs).MonthMeans()
	if err != nil {
		return s, err
	}
	s.RPS, s.LogLoss = mean(a), mean(b)
	s.AUC = defined(score.AUC(losses(records, rung), lost(records)))
	if err := w.calibrationOf(&s, records, rung, months); err != nil {
		return s, err
	}
	if hasNormal(rung) {
		distribution(&s, records, rung)
	}
	return s, w.compare(&s, records, rung, best, months)
}

// defined is nil for NaN.
func defined(x float64) *float64 {
	if math.IsNaN(x) {
		return nil
	}
	return &x
}

func (w *walk) calibrationOf(s *RungScore, records []*record, rung, months int) error {
	p, y := losses(records, rung), lost(records)
	table, err := score.Reliability(p, y, effectiveCases(records, months), reliabilityBins)
	if err != nil {
		return err
	}
	s.ECE = table.ECE
	if intercept, slope, err := score.Recalibrate(p, y); err == nil {
		s.Intercept, s.Slope = &intercept, &slope
	}
	if rung != rungCarry && rung != rungEnsemble {
		return nil
	}
	noise, err := expectedECE(records, p, months)
	if err != nil {
		return err
	}
	s.ECEExpected = &noise
	return nil
}

// distribution scores the forecast of ln M itself.
func distribution(s *RungScore, records []*record, rung int) {
	var covered [3]float64
	crps, width, interval := 0.0, 0.0, 0.0
	for _, r := range records {
		n := r.n[rung]
		crps += score.CRPSStudentT(n.Mean, n.Scale(), forecast.Freedom, r.ln)
		for i, level := range levels {
			lo, hi := n.Quantile((1-level)/2), n.Quantile((1+level)/2)
			if r.ln >= lo && r.ln <= hi {
				covered[i]++
			}
			if level == 0.8 {
				width += hi - lo
				interval += score.IntervalScore(lo, hi, r.ln, level)
			}
		}
	}
	n := float64(len(records))
	for i := range covered {
		covered[i] /= n
	}
	crps, width, interval = crps/n, width/n, interval/n
	s.CRPS, s.Coverage, s.Width80, s.IntervalScore = &crps, &covered, &width, &interval
}

func (w *walk) compare(s *RungScore, records []*record, rung, best, months int) error {
	var err error
	if s.Skill, err = w.skill(records, rung, best, months); err != nil {
		return err
	}
	if below := rungIndex(rungs[rung].Below); below >= 0 {
		over, err := w.skill(records, rung, below, months)
		if err != nil {
			return err
		}
		s.OverBelow = &over
	}
	if rung > rungCarry {
		over, err := w.skill(records, rung, rungCarry, months)
		if err != nil {
			return err
		}
		s.OverCore = &over
	}
	return nil
}

// Group names the group of assets that a kind is reported with.
func Group(k series.Kind) string {
	switch k {
	case series.Bill, series.Bond, series.Banknote:
		return "yielding"
	case series.Equity:
		return "stocks"
	case series.Commodity:
		return "metals and oil"
	case series.Coin:
		return "coin"
	}
	return "own"
}

// groups scores the core and the ensemble by asset and by group, against each
// asset's own best climatology.
func (w *walk) groups(records []*record, months int) ([]GroupScore, error) {
	byAsset := make([][]*record, len(w.panel.Assets))
	for _, r := range records {
		byAsset[r.asset] = append(byAsset[r.asset], r)
	}
	climate := make([]int, len(byAsset))
	for a, own := range byAsset {
		if len(own) > 0 {
			climate[a] = bestClimatology(own)
		}
	}
	names, members := w.grouped(records)
	var out []GroupScore
	add := func(name string, asset bool, own []*record) error {
		ref := make([]float64, len(own))
		for i, r := range own {
			ref[i] = score.RPS(r.p[climate[r.asset]], r.y)
		}
		for _, rung := range []int{rungCarry, rungEnsemble} {
			p := paired(own, rps(own, rung), ref)
			s, err := w.skillOf(p, months)
			if err != nil {
				return err
			}
			s.Reference = "own best climatology"
			_, a, b, err := p.MonthMeans()
			if err != nil {
				return err
			}
			out = append(out, GroupScore{
				Group: name, Asset: asset, Rung: rungs[rung].Name, Rows: len(own), Windows: float64(len(own)) / float64(months),
				RPS: mean(a), Climatology: mean(b), Skill: s, Coverage80: coverage(own, rung, 0.8),
			})
		}
		return nil
	}
	for _, name := range names {
		if err := add(name, false, members[name]); err != nil {
			return nil, err
		}
	}
	for a, own := range byAsset {
		if len(own) == 0 {
			continue
		}
		if err := add(w.panel.Assets[a].Asset.ID, true, own); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// eras are skills against the best climatology, rows counting equally.
func eras(records []*record, best int) []EraScore {
	var out []EraScore
	for i, from := range eraStarts {
		to := series.Month(math.MaxInt32)
		if i+1 < len(eraStarts) {
			to = eraStarts[i+1] - 1
		}
		var own []*record
		last := from
		for _, r := range records {
			if r.t >= from && r.t <= to {
				own = append(own, r)
				last = max(last, r.t)
			}
		}
		if len(own) == 0 {
			continue
		}
		ref := mean(rps(own, best))
		for _, rung := range []int{rungCarry, rungEnsemble} {
			out = append(out, EraScore{From: from, To: last, Rung: rungs[rung].Name, Skill: score.Skill(mean(rps(own, rung)), ref)})
		}
	}
	return out
}
