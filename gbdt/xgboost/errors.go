package xgboost

import (
	"errors"
	"fmt"
)

// ParseError locates a fault in a model file.
type ParseError struct {
	// Offset counts bytes from 0.
	Offset int64
	// Key is the way to the value at fault, such as learner.gradient_booster.model.trees[3].left_children, or "".
	Key string
	Err error
}

func (e *ParseError) Error() string {
	if e.Key == "" {
		return fmt.Sprintf("xgboost: byte %d: %v", e.Offset, e.Err)
	}
	return fmt.Sprintf("xgboost: byte %d: %s: %v", e.Offset, e.Key, e.Err)
}

func (e *ParseError) Unwrap() error { return e.Err }

// under puts a key before the way that a ParseError names.
func under(key string, err error) error {
	var p *ParseError
	if err == nil || !errors.As(err, &p) {
		return err
	}
	switch {
	case p.Key == "":
		p.Key = key
	case p.Key[0] == '[':
		p.Key = key + p.Key
	default:
		p.Key = key + "." + p.Key
	}
	return err
}

func wrap(what string, err error) error { return fmt.Errorf("xgboost: %s: %w", what, err) }
