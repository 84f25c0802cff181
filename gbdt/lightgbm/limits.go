package lightgbm

import (
	"fmt"
	"io"

	"github.com/pppq/pppq/gbdt/internal/modelfile"
)

// Limits bounds what reading accepts. Memory asked for while reading stays within 100 times the size of the text,
// however it is made, plus what MaxOutputs allows; it is about 4 times for LightGBM's own.
type Limits struct {
	// MaxBytes is the largest size of the text; default 1 GiB.
	MaxBytes int64
	// MaxTrees, MaxFeatures and MaxOutputs (trees a round); defaults 4,194,304, 1,048,576 and 65,536.
	MaxTrees, MaxFeatures, MaxOutputs int
}

// DefaultLimits returns the limits that Read and Load use.
func DefaultLimits() Limits {
	return Limits{MaxBytes: 1 << 30, MaxTrees: 1 << 22, MaxFeatures: 1 << 20, MaxOutputs: 1 << 16}
}

// Read reads a text model within the default limits. A fault in the text is a *ParseError.
func Read(r io.Reader) (*File, error) { return DefaultLimits().Read(r) }

// Load reads the text model at path within the default limits.
func Load(path string) (*File, error) { return DefaultLimits().Load(path) }

// Read reads a text model. A fault in the text is a *ParseError.
func (l Limits) Read(r io.Reader) (*File, error) {
	data, err := modelfile.ReadAll(r, l.MaxBytes)
	if err != nil {
		return nil, wrap("read", err)
	}
	return l.parse(data)
}

// Load reads the text model at path.
func (l Limits) Load(path string) (*File, error) {
	data, err := modelfile.Load(path, l.MaxBytes)
	if err != nil {
		return nil, wrap("load "+path, err)
	}
	f, err := l.parse(data)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	return f, nil
}

func wrap(what string, err error) error { return fmt.Errorf("lightgbm: %s: %w", what, err) }
