package api

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// onlyBegun lets a listening socket see every packet but those that would begin
// a connection: SYN set, ACK not, in the flags at byte 13 of a TCP header.
var onlyBegun = []unix.SockFilter{
	{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 13},
	{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: 0x12},
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: 0x02, Jf: 1},
	{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	{Code: unix.BPF_RET | unix.BPF_K, K: 0xffffffff},
}

// emptyFor is how many times in a row, 10 ms apart, nothing may wait to be taken.
const emptyFor = 10

// refuseNew lets no connection begin any more and returns when the server has
// taken those that had begun. Closing a listener at once would reset
// connections that the kernel has made and nobody has taken, with a request on
// its way that a proxy may not send again; a connection that never began it
// tries elsewhere. A listener that can't be told so is left as it is.
//
// Source: Linux, Documentation/networking/filter.rst; tcp(7) for TCP_INFO, whose
// tcpi_unacked is the length of the queue where a socket listens.
func refuseNew(l net.Listener) {
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	program := unix.SockFprog{Len: uint16(len(onlyBegun)), Filter: &onlyBegun[0]}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program)
	})
	if err != nil || failed != nil {
		return
	}
	// What is under way needs one more packet from its other end, which has sent its
	// request when that is late: a queue that is empty once says nothing of it.
	still := 0
	for range 100 {
		time.Sleep(10 * time.Millisecond)
		queued := uint32(0)
		err = raw.Control(func(fd uintptr) {
			var info *unix.TCPInfo
			if info, failed = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); failed == nil {
				queued = info.Unacked
			}
		})
		if err != nil || failed != nil {
			return
		}
		if still++; queued > 0 {
			still = 0
		}
		if still == emptyFor {
			return
		}
	}
}
