package api

import (
	"context"
	"strconv"

	"github.com/go-json-experiment/json"
)

// maxGuess bounds what is set aside for lines that are not made yet.
const maxGuess = 4 << 20

// writeLines answers with an object of n items and of how many were answered and
// how many failed, as Batch and Upload describe it. Each line is encoded as soon
// as it is made: memory holds the text alone, and others get their turn in
// between. line returns what to encode and whether it is an answer; its error
// ends all.
func (c *call) writeLines(ctx context.Context, n int, line func(i int) (any, bool, error)) error {
	answered := 0
	c.out.WriteString(`{"items":[`)
	for i := range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		c.breathe()
		if i > 0 {
			c.out.WriteByte(',')
		}
		v, ok, err := line(i)
		if err != nil {
			return err
		}
		if ok {
			answered++
		}
		if err := json.MarshalWrite(&c.out, v, writeOptions); err != nil {
			return err
		}
		if i == 0 {
			// The others will be about as long; where they are not, it costs a copy.
			c.out.Grow(min(c.out.Len()*n*9/8, maxGuess))
		}
	}
	c.out.WriteString(`],"answered":`)
	c.out.WriteString(strconv.Itoa(answered))
	c.out.WriteString(`,"failed":`)
	c.out.WriteString(strconv.Itoa(n - answered))
	c.out.WriteByte('}')
	c.keep.count = nil // several forecasts, each of them counted
	c.w.Header()["Content-Type"] = headerJSON
	return nil
}
