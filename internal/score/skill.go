package score

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// SmallReference is the mean RPS of a reference under which a table shows the difference of the scores, because their
// ratio says little.
const SmallReference = 0.02

// Skill returns 1 - score/ref: 1 is perfect, 0 as good as the reference, negative worse. It is NaN if ref is not
// positive: nothing can be better than a perfect reference.
func Skill(score, ref float64) float64 {
	if !(ref > 0) {
		return math.NaN()
	}
	return 1 - score/ref
}

// Weighting says what counts once in a mean of scores.
type Weighting int

const (
	// EqualMonths averages over the assets of a month, then over months. Headline RPS and log loss use it.
	EqualMonths Weighting = iota
	// EqualRows counts each row once. Eras use it.
	EqualRows
)

// String returns "equal months" or "equal rows".
func (w Weighting) String() string {
	switch w {
	case EqualMonths:
		return "equal months"
	case EqualRows:
		return "equal rows"
	}
	return fmt.Sprintf("Weighting(%d)", int(w))
}

// Paired holds the scores of a forecast and of its reference on the same rows; the four slices have equal length, in
// any order of rows. Rows of one asset in one month (several horizons) are averaged before assets are.
type Paired struct {
	// Month of origin.
	Month []int
	// Asset numbers the assets in any way.
	Asset []int
	// Score of the forecast and Ref of the reference, smaller is better.
	Score, Ref []float64
}

// SkillEstimate is the comparison of a forecast with its reference.
type SkillEstimate struct {
	// Rows compared.
	Rows int
	// Score and Ref are the two mean scores.
	Score, Ref float64
	// Skill is 1 - Score/Ref. Its Value is NaN if Ref is 0.
	Skill Estimate
	// Difference is Ref - Score, in the units of the score; above 0 is better than the reference. Shown instead of Skill
	// where Ref is below SmallReference.
	Difference Estimate
	Resampling
}

// Skill compares the two scores; each draw resamples both jointly, and its skill is 1 minus the ratio of its means. The
// cost is linear in the rows (n log n if they are not in order of month) plus that of the draws. It returns an error that
// wraps ErrShape for differing lengths or impossible settings, ErrTooFew for no rows and ErrMissing for a NaN or an
// infinity.
func (p Paired) Skill(w Weighting, b Bootstrap) (SkillEstimate, error) {
	if err := p.check(); err != nil {
		return SkillEstimate{}, err
	}
	return p.skill(p.order(nil), w, b)
}

// MonthMeans averages the rows to one figure a month, assets counting equally, and returns the months in order with the
// two series: what DieboldMariano and NonOverlappingSkill need. Errors as for Skill.
func (p Paired) MonthMeans() (month []int, score, ref []float64, err error) {
	if err := p.check(); err != nil {
		return nil, nil, nil, err
	}
	order := p.order(nil)
	for _, m := range p.months(order, EqualMonths) {
		score = append(score, m.score)
		ref = append(ref, m.ref)
	}
	for at, i := range order {
		if at == 0 || p.Month[i] != p.Month[order[at-1]] {
			month = append(month, p.Month[i])
		}
	}
	return month, score, ref, nil
}

func (p Paired) check() error {
	n := len(p.Month)
	if len(p.Asset) != n || len(p.Score) != n || len(p.Ref) != n {
		return fmt.Errorf("%w: %d months, %d assets, %d scores, %d reference scores", ErrShape, n, len(p.Asset), len(p.Score), len(p.Ref))
	}
	if n == 0 {
		return fmt.Errorf("%w: no rows", ErrTooFew)
	}
	if err := checkFinite("score", p.Score); err != nil {
		return err
	}
	return checkFinite("ref", p.Ref)
}

// order returns the given row numbers (nil: all) sorted by month, then asset, then number.
func (p Paired) order(rows []int) []int {
	if rows == nil {
		rows = make([]int, len(p.Month))
		for i := range rows {
			rows[i] = i
		}
	}
	less := func(i, j int) int {
		return cmp.Or(cmp.Compare(p.Month[i], p.Month[j]), cmp.Compare(p.Asset[i], p.Asset[j]), i-j)
	}
	if !slices.IsSortedFunc(rows, less) {
		slices.SortFunc(rows, less)
	}
	return rows
}

// months sums the ordered rows by month. Under EqualMonths each month has n = 1 and the mean over its assets.
func (p Paired) months(order []int, w Weighting) []monthSums {
	var out []monthSums
	for at := 0; at < len(order); {
		month := p.Month[order[at]]
		var sum monthSums
		for at < len(order) && p.Month[order[at]] == month {
			asset := p.Asset[order[at]]
			var a monthSums
			for ; at < len(order) && p.Month[order[at]] == month && p.Asset[order[at]] == asset; at++ {
				i := order[at]
				a = a.plus(monthSums{p.Score[i], p.Ref[i], 1})
			}
			if w == EqualMonths {
				a = monthSums{a.score / a.n, a.ref / a.n, 1}
			}
			sum = sum.plus(a)
		}
		if w == EqualMonths {
			sum = monthSums{sum.score / sum.n, sum.ref / sum.n, 1}
		}
		out = append(out, sum)
	}
	return out
}

func (p Paired) skill(order []int, w Weighting, b Bootstrap) (SkillEstimate, error) {
	if err := b.validate(); err != nil {
		return SkillEstimate{}, err
	}
	if w != EqualMonths && w != EqualRows {
		return SkillEstimate{}, fmt.Errorf("%w: %v", ErrShape, w)
	}
	months := p.months(order, w)
	all := total(months)
	est := SkillEstimate{
		Rows:       len(order),
		Score:      all.score / all.n,
		Ref:        all.ref / all.n,
		Resampling: b.resampling(len(months)),
	}
	est.Skill.Value = Skill(est.Score, est.Ref)
	est.Difference.Value = est.Ref - est.Score
	skills := make([]float64, 0, b.Draws)
	differences := make([]float64, 0, b.Draws)
	b.draw(months, func(s monthSums) {
		skills = append(skills, Skill(s.score, s.ref))
		differences = append(differences, (s.ref-s.score)/s.n)
	})
	est.Skill.Lo, est.Skill.Hi = b.interval(skills)
	est.Difference.Lo, est.Difference.Hi = b.interval(differences)
	return est, nil
}

// NonOverlappingSkill returns the mean, over the h start offsets, of the skill on the months that lie h apart, whose
// outcomes do not overlap. month is ascending; score and ref have one figure a month. Offsets without months or with a
// reference of 0 are left out; if none is left the mean is NaN. A figure below a third of the full skill is an alarm:
// the skill then comes from the overlap. It panics if the lengths differ or h < 1.
func NonOverlappingSkill(month []int, score, ref []float64, h int) float64 {
	if len(score) != len(month) || len(ref) != len(month) || h < 1 {
		panic("score: shape or horizon of NonOverlappingSkill")
	}
	scores, refs := make([]float64, h), make([]float64, h)
	for i, m := range month {
		offset := (m%h + h) % h
		scores[offset] += score[i]
		refs[offset] += ref[i]
	}
	sum, n := 0.0, 0
	for k := range h {
		if s := Skill(scores[k], refs[k]); !math.IsNaN(s) {
			sum += s
			n++
		}
	}
	return sum / float64(n)
}
