package api

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxDepth is how deep JSON may nest.
	maxDepth = 32
	// maxFaults is how many wrong fields one problem names.
	maxFaults = 16
	// maxPointer is how long a pointer may be that is shown; a longer one gives
	// way to its parent's.
	maxPointer = 200
)

// extensionAlone marks a list whose entries are checked by the handler, one by
// one, and not with the body as a whole.
const extensionAlone = "x-entries-stand-alone"

// A shape is a compiled schema: what JSON must look like. It is made from the
// same schema that the OpenAPI document shows, so the two cannot differ.
type shape struct {
	kind     string // a JSON schema type; empty takes anything
	nullable bool

	props    map[string]member
	required []string
	// rest is what other members must look like; nil refuses them.
	rest     *shape
	maxProps int

	items              *shape
	minItems, maxItems int

	min, max, step     float64
	enum               []string
	minRunes, maxRunes int

	wantEnum, wantNumber string
}

// A member of an object; bit is its place among the required ones, or -1.
type member struct {
	*shape
	bit int
}

const unlimited = math.MaxInt

// compile turns a schema into a shape. It understands what this package's types
// use and panics on the rest, when the handler is made.
func compile(r huma.Registry, s *huma.Schema) *shape {
	for s.Ref != "" {
		s = r.SchemaFromRef(s.Ref)
	}
	if s.OneOf != nil || s.AnyOf != nil || s.AllOf != nil || s.Not != nil || s.Pattern != "" || s.UniqueItems || s.ExclusiveMinimum != nil || s.ExclusiveMaximum != nil {
		panic("api: a schema uses what shapes do not check")
	}
	number := func(p *float64, unset float64) float64 {
		if p == nil {
			return unset
		}
		return *p
	}
	count := func(p *int, unset int) int {
		if p == nil {
			return unset
		}
		return *p
	}
	out := &shape{
		kind: s.Type, nullable: s.Nullable,
		min: number(s.Minimum, math.Inf(-1)), max: number(s.Maximum, math.Inf(1)), step: number(s.MultipleOf, 0),
		minRunes: count(s.MinLength, 0), maxRunes: count(s.MaxLength, unlimited),
		minItems: count(s.MinItems, 0), maxItems: count(s.MaxItems, unlimited), maxProps: count(s.MaxProperties, unlimited),
	}
	out.wantNumber = "want a number"
	if out.kind == huma.TypeInteger {
		out.wantNumber = "want a whole number"
	}
	if !math.IsInf(out.min, 0) || !math.IsInf(out.max, 0) {
		out.wantNumber += fmt.Sprintf(" from %.15g to %.15g", out.min, out.max)
	}
	if out.step > 0 {
		out.wantNumber += fmt.Sprintf(" in steps of %g", out.step)
	}
	for _, e := range s.Enum {
		if e != nil {
			out.enum = append(out.enum, fmt.Sprint(e))
		}
	}
	if last := len(out.enum) - 1; last >= 0 {
		out.wantEnum = "want " + strings.Join(out.enum[:last], ", ") + " or " + out.enum[last]
	}
	if s.Items != nil {
		out.items = new(shape)
		if s.Extensions[extensionAlone] == nil {
			out.items = compile(r, s.Items)
		}
	}
	if s.Type == huma.TypeObject {
		if len(s.Required) > 64 {
			panic("api: a schema with more than 64 required members")
		}
		out.props, out.required = make(map[string]member, len(s.Properties)), s.Required
		for name, p := range s.Properties {
			out.props[name] = member{compile(r, p), slices.Index(s.Required, name)}
		}
		if rest, ok := s.AdditionalProperties.(*huma.Schema); ok {
			out.rest = compile(r, rest)
		}
	}
	return out
}

// orNull lets null stand for an optional member that is not there, as clients
// send it.
func orNull(s *huma.Schema) *huma.Schema {
	for name, p := range s.Properties {
		if slices.Contains(s.Required, name) {
			continue
		}
		p.Nullable = true
		if p.Enum != nil {
			p.Enum = append(slices.Clone(p.Enum), nil)
		}
	}
	return s
}

// A checker walks one body.
type checker struct {
	dec    *jsontext.Decoder
	faults []Fault
	// prefix stands before every pointer.
	prefix string
}

var decoders = sync.Pool{New: func() any { return jsontext.NewDecoder(bytes.NewBuffer(nil)) }}

// check reports what is wrong with a body: a 400 if it is not strict JSON (one
// value; no duplicate names, invalid UTF-8, numbers beyond float64, or nesting
// over maxDepth), a 422 with a fault for each wrong field, or nil.
func (s *shape) check(body []byte, prefix string) *Problem {
	dec := decoders.Get().(*jsontext.Decoder)
	defer func() {
		dec.Reset(bytes.NewBuffer(nil))
		decoders.Put(dec)
	}()
	dec.Reset(bytes.NewBuffer(body))
	c := checker{dec: dec, prefix: prefix}
	if len(bytes.TrimSpace(body)) == 0 {
		return newProblem(kindMalformed, "the body is empty; want a JSON object")
	}
	err := c.value(s)
	if err == nil {
		err = c.end()
	}
	if err != nil {
		return c.malformed(err)
	}
	if len(c.faults) > 0 {
		return invalid(c.faults...)
	}
	return nil
}

var (
	errTrailing = errors.New("more than one JSON value")
	errRange    = errors.New("a number that is beyond what can be represented")
	errDepth    = errors.New("more than " + strconv.Itoa(maxDepth) + " levels of objects and lists")
)

// malformed says where a body stops being strict JSON, in words of our own.
func (c *checker) malformed(err error) *Problem {
	detail := "the body is not valid JSON"
	var syntax *jsontext.SyntacticError
	errors.As(err, &syntax)
	switch {
	case errors.Is(err, errTrailing), errors.Is(err, errRange), errors.Is(err, errDepth):
		detail = "the body holds " + err.Error()
	case errors.Is(err, jsontext.ErrDuplicateName):
		detail = "the body holds an object with the same name twice"
	case syntax != nil:
		detail += " at byte " + strconv.FormatInt(syntax.ByteOffset, 10)
	}
	p := newProblem(kindMalformed, detail)
	pointer := c.pointer()
	if syntax != nil { // the decoder stands at the member before
		pointer = shorten(c.prefix + string(syntax.JSONPointer))
	}
	if pointer != "" {
		p.Errors = []Fault{at(pointer, "near here")}
	}
	return p
}

// pointer is where the decoder stands, shortened to a parent if it is long.
func (c *checker) pointer() string {
	return shorten(c.prefix + string(c.dec.StackPointer()))
}

func shorten(pointer string) string {
	for len(pointer) > maxPointer {
		pointer = pointer[:strings.LastIndexByte(pointer, '/')]
	}
	return pointer
}

func (c *checker) fault(pointer, detail string) {
	if len(c.faults) < maxFaults {
		c.faults = append(c.faults, at(pointer, detail))
	}
}

// value checks the next value.
func (c *checker) value(s *shape) error {
	kind := c.dec.PeekKind()
	if kind == 'n' && s.nullable {
		_, err := c.dec.ReadToken()
		return err
	}
	switch s.kind {
	case huma.TypeObject:
		if kind == '{' {
			return c.object(s)
		}
		return c.wrong("want an object")
	case huma.TypeArray:
		if kind == '[' {
			return c.array(s)
		}
		return c.wrong("want a list")
	case huma.TypeString:
		if kind == '"' {
			return c.text(s)
		}
		return c.wrong("want a text")
	case huma.TypeNumber, huma.TypeInteger:
		if kind == '0' {
			return c.number(s)
		}
		return c.wrong("want a number")
	case huma.TypeBoolean:
		if kind == 't' || kind == 'f' {
			_, err := c.dec.ReadToken()
			return err
		}
		return c.wrong("want true or false")
	}
	return c.skip()
}

// wrong reads past a value of another type and says what was wanted. A syntax
// error inside it goes before the fault.
func (c *checker) wrong(detail string) error {
	if err := c.skip(); err != nil {
		return err
	}
	c.fault(c.pointer(), detail)
	return nil
}

// skip reads one value without a shape; numbers must still be representable.
func (c *checker) skip() error {
	depth := c.dec.StackDepth()
	for {
		token, err := c.dec.ReadToken()
		if err != nil {
			return err
		}
		if token.Kind() == '0' {
			if _, err := token.Float(); err != nil {
				return errRange
			}
		}
		switch now := c.dec.StackDepth(); {
		case now > maxDepth:
			return errDepth
		case now <= depth:
			return nil
		}
	}
}

// open reads the start of an object or list.
func (c *checker) open() error {
	if _, err := c.dec.ReadToken(); err != nil {
		return err
	}
	if c.dec.StackDepth() > maxDepth {
		return errDepth
	}
	return nil
}

func (c *checker) object(s *shape) error {
	if err := c.open(); err != nil {
		return err
	}
	var seen uint64
	members := 0
	for c.dec.PeekKind() != '}' {
		token, err := c.dec.ReadToken()
		if err != nil {
			return err
		}
		members++
		m, known := s.props[token.String()]
		switch {
		case known:
			if m.bit >= 0 {
				seen |= 1 << m.bit
			}
			err = c.value(m.shape)
		case s.rest != nil && members <= s.maxProps:
			err = c.value(s.rest)
		default:
			if err = c.skip(); err == nil && s.rest == nil {
				c.fault(c.pointer(), "this name is not known here")
			}
		}
		if err != nil {
			return err
		}
	}
	if _, err := c.dec.ReadToken(); err != nil {
		return err
	}
	if members > s.maxProps {
		c.fault(c.pointer(), "want at most "+strconv.Itoa(s.maxProps)+" members")
	}
	for i, name := range s.required {
		if seen>>i&1 == 0 {
			c.fault(shorten(c.pointer()+"/"+escapePointer(name)), "is missing")
		}
	}
	return nil
}

func (c *checker) array(s *shape) error {
	if err := c.open(); err != nil {
		return err
	}
	n := 0
	for ; c.dec.PeekKind() != ']'; n++ {
		var err error
		if n < s.maxItems {
			err = c.value(s.items)
		} else {
			err = c.skip()
		}
		if err != nil {
			return err
		}
	}
	if _, err := c.dec.ReadToken(); err != nil {
		return err
	}
	if n < s.minItems || n > s.maxItems {
		c.fault(c.pointer(), fmt.Sprintf("want %d to %d entries, got %d", s.minItems, s.maxItems, n))
	}
	return nil
}

func (c *checker) text(s *shape) error {
	token, err := c.dec.ReadToken()
	if err != nil {
		return err
	}
	if detail := s.textFault(token.String()); detail != "" {
		c.fault(c.pointer(), detail)
	}
	return nil
}

// textFault says what is wrong with a text, "" for nothing.
func (s *shape) textFault(text string) string {
	switch {
	case len(s.enum) > 0:
		if !slices.Contains(s.enum, text) {
			return s.wantEnum
		}
	case utf8.RuneCountInString(text) < s.minRunes || len(text) > s.maxRunes && utf8.RuneCountInString(text) > s.maxRunes:
		return fmt.Sprintf("want a text of %d to %d characters", s.minRunes, s.maxRunes)
	}
	return ""
}

func (c *checker) number(s *shape) error {
	token, err := c.dec.ReadToken()
	if err != nil {
		return err
	}
	x, err := token.Float()
	if err != nil {
		return errRange
	}
	if detail := s.numberFault(x); detail != "" {
		c.fault(c.pointer(), detail)
	}
	return nil
}

// numberFault says what is wrong with a number, "" for nothing.
func (s *shape) numberFault(x float64) string {
	if x < s.min || x > s.max || s.step > 0 && math.Mod(x, s.step) != 0 || s.kind == huma.TypeInteger && x != math.Trunc(x) {
		return s.wantNumber
	}
	return ""
}
