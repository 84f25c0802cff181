package score

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSkill(t *testing.T) {
	t.Parallel()
	near(t, "better", Skill(0.15, 0.2), 0.25, 1e-15)
	near(t, "worse", Skill(0.3, 0.2), -0.5, 1e-15)
	near(t, "perfect reference", Skill(0.1, 0), math.NaN(), 0)
	near(t, "missing", Skill(math.NaN(), 1), math.NaN(), 0)
}

// unbalanced has two assets in month 7, one of them at two horizons, and one asset in month 3.
func unbalanced() Paired {
	return Paired{
		Month: []int{7, 3, 7, 7},
		Asset: []int{1, 1, 2, 1},
		Score: []float64{0.1, 0.6, 0.4, 0.3},
		Ref:   []float64{0.2, 0.5, 0.5, 0.4},
	}
}

func TestSkillWeightings(t *testing.T) {
	t.Parallel()
	p := unbalanced()
	for _, c := range []struct {
		w          Weighting
		score, ref float64
	}{
		// Month 7: asset 1 (.1+.3)/2 = .2, asset 2 .4, mean .3; month 3: .6. Reference: .3, .5, mean .4; .5.
		{EqualMonths, 0.45, 0.45},
		{EqualRows, 0.35, 0.40},
	} {
		got, err := p.Skill(c.w, DefaultBootstrap(12))
		if err != nil {
			t.Fatal(err)
		}
		near(t, c.w.String()+" score", got.Score, c.score, 1e-15)
		near(t, c.w.String()+" ref", got.Ref, c.ref, 1e-15)
		near(t, c.w.String()+" skill", got.Skill.Value, 1-c.score/c.ref, 1e-15)
		near(t, c.w.String()+" difference", got.Difference.Value, c.ref-c.score, 1e-15)
		if got.Rows != 4 || got.Months != 2 || !got.Unreliable {
			t.Errorf("%v: got %+v, want 4 rows, 2 months, unreliable", c.w, got)
		}
	}
	month, score, ref, err := p.MonthMeans()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(month, []int{3, 7}) {
		t.Errorf("months: got %v, want [3 7]", month)
	}
	near(t, "month 3", score[0], 0.6, 1e-15)
	near(t, "month 7", score[1], 0.3, 1e-15)
	near(t, "month 7 ref", ref[1], 0.4, 1e-15)
}

func TestWeightingNames(t *testing.T) {
	t.Parallel()
	for w, want := range map[Weighting]string{EqualMonths: "equal months", EqualRows: "equal rows", 7: "Weighting(7)"} {
		if w.String() != want {
			t.Errorf("got %q, want %q", w.String(), want)
		}
	}
}

// panelOf simulates a forecast whose score is the reference's times 1-skill plus noise of its own.
func panelOf(r *rand.Rand, months, assets int, skill float64) Paired {
	var p Paired
	for m := range months {
		common := 0.1 + 0.05*r.Float64()
		for a := range assets {
			ref := common + 0.1*r.Float64()
			p.Month, p.Asset = append(p.Month, 1000+m), append(p.Asset, a)
			p.Ref = append(p.Ref, ref)
			p.Score = append(p.Score, (1-skill)*ref+0.01*r.NormFloat64())
		}
	}
	return p
}

func TestSkillInterval(t *testing.T) {
	t.Parallel()
	r := newRand(11)
	p := panelOf(r, 480, 5, 0.1)
	got, err := p.Skill(EqualMonths, DefaultBootstrap(12))
	if err != nil {
		t.Fatal(err)
	}
	if !(got.Skill.Lo > 0.08 && got.Skill.Hi < 0.12 && got.Skill.Lo < got.Skill.Value && got.Skill.Value < got.Skill.Hi) {
		t.Errorf("got %+v, want an interval about 0.1 within [0.08, 0.12]", got.Skill)
	}
	// Resampled jointly, the shared ups and downs of both scores cancel in the ratio.
	alone, _, err := DefaultBootstrap(12).Mean(monthly(t, p))
	if err != nil {
		t.Fatal(err)
	}
	if joint, apart := got.Skill.Hi-got.Skill.Lo, (alone.Hi-alone.Lo)/got.Ref; joint > apart/2 {
		t.Errorf("skill interval is %v wide, the score's own relative one %v: the draws are not joint", joint, apart)
	}
	if got.Unreliable || got.Blocks != 40 {
		t.Errorf("got %+v, want 40 blocks", got.Resampling)
	}
}

// monthly returns the forecast's mean score of each month.
func monthly(t *testing.T, p Paired) []float64 {
	t.Helper()
	_, score, _, err := p.MonthMeans()
	if err != nil {
		t.Fatal(err)
	}
	return score
}

func TestSkillIgnoresRowOrder(t *testing.T) {
	t.Parallel()
	r := newRand(12)
	p := panelOf(r, 60, 4, 0.05)
	want, err := p.Skill(EqualMonths, DefaultBootstrap(12))
	if err != nil {
		t.Fatal(err)
	}
	r.Shuffle(len(p.Month), func(i, j int) {
		p.Month[i], p.Month[j] = p.Month[j], p.Month[i]
		p.Asset[i], p.Asset[j] = p.Asset[j], p.Asset[i]
		p.Score[i], p.Score[j] = p.Score[j], p.Score[i]
		p.Ref[i], p.Ref[j] = p.Ref[j], p.Ref[i]
	})
	got, err := p.Skill(EqualMonths, DefaultBootstrap(12))
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("shuffled rows: got %+v, want %+v", got, want)
	}
}

func TestSkillRefuses(t *testing.T) {
	t.Parallel()
	nan := unbalanced()
	nan.Score[2] = math.NaN()
	inf := unbalanced()
	inf.Ref[0] = math.Inf(1)
	short := unbalanced()
	short.Asset = short.Asset[1:]
	for _, c := range []struct {
		name string
		p    Paired
		w    Weighting
		h    int
		want error
	}{
		{"NaN score", nan, EqualMonths, 12, ErrMissing},
		{"infinite reference", inf, EqualMonths, 12, ErrMissing},
		{"lengths", short, EqualMonths, 12, ErrShape},
		{"no rows", Paired{}, EqualMonths, 12, ErrTooFew},
		{"weighting", unbalanced(), 2, 12, ErrShape},
		{"horizon", unbalanced(), EqualRows, 0, ErrShape},
	} {
		if _, err := c.p.Skill(c.w, DefaultBootstrap(c.h)); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func TestSkillAgainstPerfectReference(t *testing.T) {
	t.Parallel()
	p := unbalanced()
	p.Ref = make([]float64, 4)
	got, err := p.Skill(EqualMonths, DefaultBootstrap(12))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []float64{got.Skill.Value, got.Skill.Lo, got.Skill.Hi} {
		near(t, "skill", v, math.NaN(), 0)
	}
	near(t, "difference", got.Difference.Value, -0.45, 1e-15)
}

func TestNonOverlappingSkill(t *testing.T) {
	t.Parallel()
	month := []int{-5, 0, 1, 2, 3}
	score := []float64{1, 2, 1, 2, 1}
	ref := []float64{2, 2, 2, 2, 2}
	// h = 2: even months (0, 2) skill 0, odd months (-5, 1, 3) skill 0.5.
	near(t, "two offsets", NonOverlappingSkill(month, score, ref, 2), 0.25, 1e-15)
	near(t, "one offset", NonOverlappingSkill(month, score, ref, 1), 1-7.0/10, 1e-15)
	// Seven offsets, four of them with a month; -5 and 2 share one: (0.25 + 0 + 0.5 + 0.5)/4.
	near(t, "empty offsets", NonOverlappingSkill(month, score, ref, 7), 0.3125, 1e-15)
	near(t, "no months", NonOverlappingSkill(nil, nil, nil, 3), math.NaN(), 0)
	mustPanic(t, "horizon", func() { NonOverlappingSkill(month, score, ref, 0) })
	mustPanic(t, "lengths", func() { NonOverlappingSkill(month, score[1:], ref, 2) })
}
