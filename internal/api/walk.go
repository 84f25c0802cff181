package api

import (
	"errors"
	"io"
	"math"
)

// The functions of this file read JSON that no schema describes. A wrong type is
// a fault, and the value is passed over; errors are of malformed JSON alone.

// members reads an object and calls a function for each member it knows; the
// one of the empty name takes all others.
func (c *checker) members(known map[string]func() error) error {
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
		read := known[token.String()]
		if read == nil {
			read = known[""]
		}
		if read == nil {
			if err := c.skip(); err != nil {
				return err
			}
			c.fault(c.pointer(), "this name is not known here")
			continue
		}
		if err := read(); err != nil {
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

// readData appends the numbers of nested lists, in order; null is NaN.
func (c *checker) readData(data *[]float64) error {
	return c.entries(func(int) error {
		if c.dec.PeekKind() == '[' {
			return c.readData(data)
		}
		var x float64
		err := c.readNumber(&x, true)
		*data = append(*data, x)
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
