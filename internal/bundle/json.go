package bundle

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// encodeJSON writes a value the same way each time: members in the order of the
// struct, maps by key, and what holds no further container on one line. A number
// that is not finite is an error that says where it stands.
func encodeJSON(v any) ([]byte, error) {
	b, err := json.Marshal(v, json.Deterministic(true), jsontext.SpaceAfterColon(true), jsontext.SpaceAfterComma(true))
	if err != nil {
		return nil, plain(err)
	}
	l := layout{src: b}
	l.value(0)
	return append(l.dst, '\n'), nil
}

// decodeJSON reads one value; unknown and doubled names are errors.
func decodeJSON(b []byte, v any) error {
	return plain(json.Unmarshal(b, v, json.RejectUnknownMembers(true)))
}

// plain keeps the reason and the place of a fault and drops Go's own types from
// the message.
func plain(err error) error {
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) || semantic.Err == nil {
		return err
	}
	if semantic.JSONPointer == "" {
		return semantic.Err
	}
	return &placed{place: string(semantic.JSONPointer), err: semantic.Err}
}

// placed is an error at a place in a JSON text.
type placed struct {
	place string
	err   error
}

func (p *placed) Error() string { return short(p.place) + ": " + p.err.Error() }
func (p *placed) Unwrap() error { return p.err }

// layout breaks JSON text, valid and with a space after each comma, into lines.
type layout struct {
	src, dst []byte
	at       int
}

func (l *layout) value(depth int) {
	c := l.src[l.at]
	if c != '{' && c != '[' {
		l.copy(l.scalar(l.at))
		return
	}
	if end, leaf := l.leaf(); leaf {
		l.copy(end)
		return
	}
	l.copy(l.at + 1)
	for {
		l.line(depth + 1)
		if c == '{' {
			l.copy(l.scalar(l.at) + 2) // the name, a colon and a space
		}
		l.value(depth + 1)
		if l.src[l.at] != ',' {
			break
		}
		l.copy(l.at + 1)
		l.at++ // the space
	}
	l.line(depth)
	l.copy(l.at + 1)
}

// copy moves the text up to end.
func (l *layout) copy(end int) {
	l.dst = append(l.dst, l.src[l.at:end]...)
	l.at = end
}

func (l *layout) line(depth int) {
	l.dst = append(l.dst, '\n')
	for range depth {
		l.dst = append(l.dst, ' ', ' ')
	}
}

// scalar returns the end of the string, number or literal that begins at i.
func (l *layout) scalar(i int) int {
	if l.src[i] == '"' {
		for i++; l.src[i] != '"'; i++ {
			if l.src[i] == '\\' {
				i++
			}
		}
		return i + 1
	}
	for i < len(l.src) && l.src[i] != ',' && l.src[i] != '}' && l.src[i] != ']' {
		i++
	}
	return i
}

// leaf returns the end of the container that begins here if it holds no other.
func (l *layout) leaf() (end int, ok bool) {
	for i := l.at + 1; ; {
		switch l.src[i] {
		case '{', '[':
			return 0, false
		case '}', ']':
			return i + 1, true
		case '"':
			i = l.scalar(i)
		default:
			i++
		}
	}
}
