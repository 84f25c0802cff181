//go:build !linux

package api

import "net"

// refuseNew does nothing: this system can't refuse connections without
// resetting those that nobody has taken yet.
func refuseNew(net.Listener) {}
