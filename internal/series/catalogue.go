package series

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Monthly is the only Frequency that is accepted.
const Monthly = "monthly"

// CatalogueHeader names the columns of a catalogue file, in the order of Record.
var CatalogueHeader = []string{"id", "title", "unit", "frequency", "sampling", "lag", "source", "licence", "role"}

// Record returns the entry as a line of a catalogue file.
func (i Info) Record() []string {
	return []string{i.ID, i.Title, i.Unit, i.Frequency, string(i.Sampling), i.Lag.String(), i.Source, i.Licence, string(i.Role)}
}

// A FieldError says which field of a record is at fault, counting from 0.
type FieldError struct {
	Field int
	Err   error
}

func (e *FieldError) Error() string { return e.Err.Error() }
func (e *FieldError) Unwrap() error { return e.Err }

// ParseInfo reads what Record writes. The error is a *FieldError.
func ParseInfo(record []string) (Info, error) {
	if len(record) != len(CatalogueHeader) {
		return Info{}, &FieldError{Err: fmt.Errorf("%d fields, want %d", len(record), len(CatalogueHeader))}
	}
	for i, field := range record {
		if err := CheckText(field); err != nil {
			return Info{}, &FieldError{Field: i, Err: fmt.Errorf("%s: %w", CatalogueHeader[i], err)}
		}
	}
	info := Info{
		ID: record[0], Title: record[1], Unit: record[2], Frequency: record[3],
		Sampling: Sampling(record[4]), Source: record[6], Licence: record[7], Role: Role(record[8]),
	}
	if err := CheckID(info.ID); err != nil {
		return Info{}, &FieldError{Field: 0, Err: err}
	}
	lag, err := ParseLag(record[5])
	if err != nil {
		return Info{}, &FieldError{Field: 5, Err: err}
	}
	info.Lag = lag
	switch {
	case info.Frequency != Monthly:
		return Info{}, &FieldError{Field: 3, Err: fmt.Errorf("unknown frequency %q, want %s", info.Frequency, Monthly)}
	case !slices.Contains(Samplings, info.Sampling):
		return Info{}, &FieldError{Field: 4, Err: fmt.Errorf("unknown sampling %q, want one of %q", info.Sampling, Samplings)}
	case !slices.Contains(Roles, info.Role):
		return Info{}, &FieldError{Field: 8, Err: fmt.Errorf("unknown role %q, want one of %q", info.Role, Roles)}
	}
	return info, nil
}

// CheckText reports whether s can stand in a catalogue: one line of 1 to 300
// bytes of valid UTF-8 with something to see and no control characters.
func CheckText(s string) error {
	switch {
	case strings.TrimSpace(s) == "":
		return errors.New("is empty")
	case len(s) > 300:
		return fmt.Errorf("%d bytes long, at most 300 are accepted", len(s))
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar }):
		return fmt.Errorf("%q holds a control character or broken UTF-8", s)
	}
	return nil
}
