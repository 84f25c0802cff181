//go:build !linux

package ledgertest

import (
	"context"
	"fmt"
	"testing"
)

// A Server runs on Linux only.
type Server struct{}

// StartServer says that there is none.
func StartServer(context.Context) (*Server, error) {
	return nil, fmt.Errorf("%w: tests start one on Linux only", ErrNoServer)
}

// Stop does nothing.
func (*Server) Stop() error { return nil }

// New is never reached.
func (*Server) New(t testing.TB) Database {
	t.Fatal(ErrNoServer)
	return Database{}
}
