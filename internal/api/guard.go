package api

import (
	"net"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"strings"
)

const (
	// maxURL bounds the request target, in bytes.
	maxURL = 8 << 10
	// maxID bounds a request id that a caller gives.
	maxID = 36
)

// Header values of every answer. Nobody may change them. Answers to programs
// have no more than these: net/http keeps up to eight headers without a hash
// table. Pages get some more (pageHeaders).
var (
	headerNoSniff = []string{"nosniff"}
	headerPolicy  = []string{"default-src 'none'; frame-ancestors 'none'"}
	headerVary    = []string{"Origin"}
)

// pageHeaders are for what a browser shows as a page.
func pageHeaders(header http.Header) {
	header.Set("X-Frame-Options", "DENY")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// guard does what comes before routing: names the request, sets the headers of
// every answer, and refuses what no route needs to see. It reports whether the
// request may go on.
func (c *call) guard() bool {
	header := c.w.Header()
	c.name()
	header["X-Request-Id"] = []string{string(c.id[:c.idLen])}
	header["X-Content-Type-Options"] = headerNoSniff
	header["Content-Security-Policy"] = headerPolicy
	header["Cache-Control"] = headerNoStore
	c.addr = c.h.address(c.r)
	if !c.cors() { // before refusals: pages may read these too
		return false
	}
	if len(c.r.RequestURI) > maxURL {
		c.fail(newProblem(kindURITooLong, "want at most 8192 bytes"))
		return false
	}
	if len(c.h.options.AllowedHosts) > 0 && !exempt[c.r.URL.Path] && !allowed(c.h.options.AllowedHosts, c.r.Host) {
		c.fail(newProblem(kindMisdirected, "the service is not called by this name"))
		return false
	}
	if p := c.r.URL.Path; p == "" || p[0] != '/' || p != "/" && path.Clean(p) != strings.TrimSuffix(p, "/") {
		c.fail(newProblem(kindNotFound, "the path is not in its plain form"))
		return false
	}
	return true
}

// exempt are the paths that answer under any host name: orchestrators and
// scrapers call them by address.
var exempt = map[string]bool{
	"/health": true, "/livez": true, "/readyz": true, "/metrics": true, "/ping": true,
	"/v2/health/live": true, "/v2/health/ready": true, "/v2/models/pppq/ready": true,
}

// name takes the caller's request id if it is a plain word, or makes one.
func (c *call) name() {
	if given := c.r.Header["X-Request-Id"]; len(given) > 0 && plainID(given[0]) {
		c.idLen = copy(c.id[:], given[0])
		return
	}
	const digits = "0123456789abcdef"
	for i := range 2 {
		bits := c.h.random()
		for k := range 16 {
			c.id[i*16+k] = digits[bits&15]
			bits >>= 4
		}
	}
	c.idLen = 32
}

func plainID(s string) bool {
	if len(s) == 0 || len(s) > maxID {
		return false
	}
	for i := range len(s) {
		b := s[i]
		if !(b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '-' || b == '_' || b == '.') {
			return false
		}
	}
	return true
}

// allowed reports whether a Host header names one of the hosts.
func allowed(hosts []string, host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	return slices.ContainsFunc(hosts, func(h string) bool {
		if under, ok := strings.CutPrefix(h, "*."); ok {
			return strings.HasSuffix(host, "."+under)
		}
		return h == host
	})
}

// address is who calls: the peer, or, if the peer is a trusted proxy, the last
// address in X-Forwarded-For that is not one.
func (h *Handler) address(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := peer.Addr().Unmap().WithZone("")
	if len(h.options.TrustedProxies) == 0 || !h.trusted(addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for _, hop := range slices.Backward(hops) {
		next, err := parseHop(strings.TrimSpace(hop))
		if err != nil {
			return addr
		}
		addr = next.Unmap().WithZone("")
		if !h.trusted(addr) {
			return addr
		}
	}
	return addr
}

// parseHop reads an address, which some proxies write with its port or in
// brackets.
func parseHop(hop string) (netip.Addr, error) {
	if withPort, err := netip.ParseAddrPort(hop); err == nil {
		return withPort.Addr(), nil
	}
	if inside, ok := strings.CutPrefix(hop, "["); ok {
		if inside, ok = strings.CutSuffix(inside, "]"); ok && strings.Contains(inside, ":") {
			hop = inside
		}
	}
	return netip.ParseAddr(hop)
}

func (h *Handler) trusted(a netip.Addr) bool {
	return slices.ContainsFunc(h.options.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// cors answers preflights and marks answers for pages of allowed origins. It
// reports whether the request goes on.
func (c *call) cors() bool {
	origins := c.h.options.CORSOrigins
	if len(origins) == 0 {
		return true
	}
	header := c.w.Header()
	header["Vary"] = headerVary
	origin := c.r.Header.Get("Origin")
	any := origins[0] == "*"
	if origin == "" || !any && !slices.Contains(origins, origin) {
		return true
	}
	if any {
		header["Access-Control-Allow-Origin"] = []string{"*"}
	} else {
		header["Access-Control-Allow-Origin"] = []string{origin}
	}
	header["Access-Control-Expose-Headers"] = []string{"ETag, Retry-After, X-Request-Id, RateLimit, RateLimit-Policy"}
	if c.r.Method != http.MethodOptions || c.r.Header.Get("Access-Control-Request-Method") == "" {
		return true
	}
	header["Access-Control-Allow-Methods"] = []string{"GET, HEAD, POST"}
	header["Access-Control-Allow-Headers"] = []string{"Authorization, Content-Type, If-None-Match, X-API-Key, X-Request-Id"}
	header["Access-Control-Max-Age"] = []string{"600"}
	header["Vary"] = []string{"Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}
	c.send(http.StatusNoContent, nil)
	return false
}
