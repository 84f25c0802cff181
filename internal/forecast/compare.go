package forecast

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MinCompare and MaxCompare bound how many assets are compared.
const MinCompare, MaxCompare = 2, 10

// Compare answers the same question for several assets and ranks them by the
// probability of keeping purchasing power, best first; equal ones by the median,
// then in the order asked. An asset named twice is *InvalidValue.
func (f *Forecaster) Compare(assets []string, q Question, now time.Time) ([]*Answer, error) {
	if len(assets) < MinCompare || len(assets) > MaxCompare {
		return nil, &InvalidValue{"assets", fmt.Sprintf("want %d to %d assets", MinCompare, MaxCompare)}
	}
	var out []*Answer
	for i, id := range assets {
		q.Asset = id
		a, err := f.Answer(q, now)
		if err != nil {
			return nil, err
		}
		for _, before := range assets[:i] {
			if strings.EqualFold(before, id) {
				return nil, &InvalidValue{fmt.Sprintf("assets/%d", i), "the asset is named twice"}
			}
		}
		out = append(out, a)
	}
	slices.SortStableFunc(out, func(a, b *Answer) int {
		return cmp.Or(cmp.Compare(b.Probabilities.A, a.Probabilities.A), cmp.Compare(b.Multiple.Median, a.Multiple.Median))
	})
	return out, nil
}
