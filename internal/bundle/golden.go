package bundle

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/power"
)

// goldenTolerance is how far a loaded forecaster's answer may lie from the one
// that was written, as a share of it where it is above 1: room for processors
// that round a multiplication and an addition together.
const goldenTolerance = 1e-12

// goldenMonths are the horizons asked for.
var goldenMonths = []int{12, 60, 120}

// goldenFile is golden.json.
type goldenFile struct {
	Answers []goldenAnswer `json:"answers"`
}

// goldenAnswer is a question and what was answered.
type goldenAnswer struct {
	Asset         string                    `json:"asset"`
	Months        int                       `json:"months"`
	Model         forecast.ModelType        `json:"model_type"`
	Probabilities [power.NumClasses]float64 `json:"probabilities"`
	// Multiple is the median, the 10 % and the 90 % quantile.
	Multiple [3]float64 `json:"multiple"`
}

// ask answers the golden question of g.
func (g *goldenAnswer) ask(f *forecast.Forecaster) error {
	// The time only decides whether figures are stale, which is not kept.
	a, err := f.Answer(forecast.Question{Asset: g.Asset, Months: g.Months, Model: g.Model}, time.Time{})
	if err != nil {
		return err
	}
	p := a.Probabilities
	g.Probabilities = [power.NumClasses]float64{p.A, p.B, p.C, p.D}
	g.Multiple = [3]float64{a.Multiple.Median, a.Multiple.P10, a.Multiple.P90}
	return nil
}

// newGolden asks a forecaster about every asset. Questions that it can't answer
// for want of figures are left out; none left is an error.
func newGolden(f *forecast.Forecaster) (goldenFile, error) {
	var file goldenFile
	for _, s := range f.Assets {
		for _, months := range goldenMonths {
			for _, model := range forecast.ModelTypes {
				g := goldenAnswer{Asset: s.Asset.ID, Months: months, Model: model}
				switch err := g.ask(f); {
				case errors.Is(err, forecast.ErrNoRow):
					continue
				case err != nil:
					return goldenFile{}, fmt.Errorf("%s: %w", goldenName, err)
				}
				file.Answers = append(file.Answers, g)
			}
		}
	}
	if len(file.Answers) == 0 {
		return goldenFile{}, fmt.Errorf("%s: no asset can be forecast", goldenName)
	}
	return file, nil
}

// check asks every question again and compares.
func (file *goldenFile) check(f *forecast.Forecaster, tolerance float64) error {
	if len(file.Answers) == 0 {
		return errors.New("holds no answers")
	}
	for _, want := range file.Answers {
		got := want
		if err := got.ask(f); err != nil {
			return fmt.Errorf("%s over %d months, %s: %w", short(want.Asset), want.Months, short(string(want.Model)), err)
		}
		same := true
		for i := range got.Probabilities {
			same = same && near(got.Probabilities[i], want.Probabilities[i], tolerance)
		}
		for i := range got.Multiple {
			same = same && near(got.Multiple[i], want.Multiple[i], tolerance)
		}
		if !same {
			return fmt.Errorf("%s over %d months, %s: answers %v and %v now, %v and %v when it was written",
				want.Asset, want.Months, want.Model, got.Probabilities, got.Multiple, want.Probabilities, want.Multiple)
		}
	}
	return nil
}

// near reports whether two numbers agree.
func near(a, b, tolerance float64) bool {
	return a == b || math.Abs(a-b) <= tolerance*max(1, math.Abs(b))
}
