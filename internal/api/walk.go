package api

import (
	"errors"
	"io"
	"math"
)

// The functions of this file read JSON that no schema describes. A wrong type is
// a fault, and the value is passed over; errors are of malformed JSON alone.

// errUnknown is what a reader of members says of a name that it does not know.
var errUnknown = errors.New("unknown name")

// members reads an object and calls read for the value of each member; read
// returns errUnknown, and reads nothing, for a name that is not known.
func (c *checker) members(read func(name string) error) error {
	if c.dec.PeekKind() != '{' {
		return c.wrong("want an object")
	}
	if err := c.open(); err != nil {
		return err
	}
	for c.dec.PeekKind() != '}' {
		token, err := c.dec.ReadToken()
		if err != nil {
			return err
		}
		err = read(token.String())
		if err == errUnknown {
			if err = c.skip(); err == nil {
				c.fault(c.pointer(), "this name is not known here")
			}
		}
		if err != nil {
			return err
		}
	}
	_, err := c.dec.ReadToken()
	return err
}

// entries reads a list and calls read for each entry.
func (c *checker) entries(read func(i int) error) error {
	if c.dec.PeekKind() != '[' {
		return c.wrong("want a list")
	}
	if err := c.open(); err != nil {
		return err
	}
	for i := 0; c.dec.PeekKind() != ']'; i++ {
		if err := read(i); err != nil {
			return err
		}
	}
	_, err := c.dec.ReadToken()
	return err
}

// readText reads a text of at most limit bytes.
func (c *checker) readText(text *string, limit int) error {
	if c.dec.PeekKind() != '"' {
		return c.wrong("want a text")
	}
	token, err := c.dec.ReadToken()
	if err != nil {
		return err
	}
	*text = token.String()
	if len(*text) > limit {
		*text = ""
		c.fault(c.pointer(), "want a shorter text")
	}
	return nil
}

// readNumber reads a number; null gives NaN where it may be missing.
func (c *checker) readNumber(x *float64, orMissing bool) error {
	switch kind := c.dec.PeekKind(); {
	case kind == 'n' && orMissing:
		*x = math.NaN()
		_, err := c.dec.ReadToken()
		return err
	case kind != '0':
		*x = math.NaN()
		return c.wrong("want a number")
	}
	token, err := c.dec.ReadToken()
	if err != nil {
		return err
	}
	if *x, err = token.Float(); err != nil {
		return errRange
	}
	return nil
}

// numbers are those of nested lists, in order; null is NaN.
type numbers struct {
	values []float64
	// locate is the index of a number that is looked for, below 0 for none;
	// pointer is where it was found.
	locate  int
	pointer string
}

// read appends the numbers of a list.
func (n *numbers) read(c *checker) error {
	return c.entries(func(int) error {
		if c.dec.PeekKind() == '[' {
			return n.read(c)
		}
		var x float64
		err := c.readNumber(&x, true)
		if len(n.values) == n.locate {
			n.pointer = c.pointer()
		}
		n.values = append(n.values, x)
		return err
	})
}

// end makes sure that nothing follows.
func (c *checker) end() error {
	_, err := c.dec.ReadToken()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil:
		return errTrailing
	}
	return err
}
