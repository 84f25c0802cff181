package xgboost

import (
	"fmt"
	"io"

	"github.com/pppq/pppq/gbdt/internal/modelfile"
)

// Limits bounds what reading accepts. Memory asked for while reading stays within 100 times the size of the file,
// however it is made, plus what MaxFeatures, MaxOutputs and MaxCategoryWords allow; it is about 4 times for XGBoost's
// own.
type Limits struct {
	// MaxBytes is the largest size of the file; default 1 GiB.
	MaxBytes int64
	// MaxTrees, MaxFeatures and MaxOutputs; defaults 4,194,304, 1,048,576 and 65,536.
	MaxTrees, MaxFeatures, MaxOutputs int
	// MaxCategoryWords is the largest number of 32-bit words that the category sets of all nodes may take, of which one
	// with category c takes c/32+1; default 33,554,432.
	MaxCategoryWords int
}

// DefaultLimits returns the limits that Read and Load use.
func DefaultLimits() Limits {
	return Limits{MaxBytes: 1 << 30, MaxTrees: 1 << 22, MaxFeatures: 1 << 20, MaxOutputs: 1 << 16, MaxCategoryWords: 1 << 25}
}

// Read reads a model, JSON or UBJSON, within the default limits. A fault in the document is a *ParseError.
func Read(r io.Reader) (*File, error) { return DefaultLimits().Read(r) }

// Load reads the model at path, JSON or UBJSON whatever its name, within the default limits.
func Load(path string) (*File, error) { return DefaultLimits().Load(path) }

// Read reads a model, JSON or UBJSON. A fault in the document is a *ParseError.
func (l Limits) Read(r io.Reader) (*File, error) {
	data, err := modelfile.ReadAll(r, l.MaxBytes)
	if err != nil {
		return nil, wrap("read", err)
	}
	return l.parse(data)
}

// Load reads the model at path, JSON or UBJSON whatever its name.
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
