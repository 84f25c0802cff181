package panel

import (
	"math/rand/v2"
)

// ShuffleOutcomes returns a panel whose outcomes are those of p in another
// order: within each asset and horizon, blocks of months change places. Rows are
// shared. Whatever forecasts such outcomes has seen them: a test that finds skill
// on them has a leak.
func (p *Panel) ShuffleOutcomes(block int, seed uint64) *Panel {
	random := rand.New(rand.NewPCG(seed, 0))
	out := *p
	out.Assets = make([]*Rows, len(p.Assets))
	for a, rows := range p.Assets {
		r := *rows
		for h, values := range rows.lnMultiple {
			var blocks [][]float64
			for len(values) > 0 {
				n := min(block, len(values))
				blocks = append(blocks, values[:n])
				values = values[n:]
			}
			random.Shuffle(len(blocks), func(i, j int) { blocks[i], blocks[j] = blocks[j], blocks[i] })
			shuffled := make([]float64, 0, len(rows.lnMultiple[h]))
			for _, b := range blocks {
				shuffled = append(shuffled, b...)
			}
			r.lnMultiple[h] = shuffled
		}
		out.Assets[a] = &r
	}
	return &out
}
