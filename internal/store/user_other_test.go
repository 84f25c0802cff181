//go:build !linux

package store_test

import (
	"os"
	"testing"
)

func asOrdinaryUser(t *testing.T) {
	t.Helper()
	if os.Geteuid() == 0 {
		t.Skip("needs a user other than root")
	}
}
