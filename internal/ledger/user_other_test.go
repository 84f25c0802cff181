//go:build !linux

package ledger

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
