package api

import (
	"net/http"
	"net/http/pprof"
	runtimepprof "runtime/pprof"
)

// registerProfiler serves the Go profiler under /debug/pprof/ to callers on this
// machine if Options.Debug is set. Requests that came through a proxy are from
// elsewhere.
func (h *Handler) registerProfiler() {
	if !h.options.Debug {
		return
	}
	h.plain(http.MethodGet, "/debug/pprof/{name...}", policy{scope: open}, func(c *call) {
		if !c.addr.IsLoopback() || c.r.Header.Get("X-Forwarded-For") != "" || c.r.Header.Get("X-Real-Ip") != "" || c.r.Header.Get("Forwarded") != "" {
			c.fail(newProblem(kindNotFound, "the profiler answers callers on this machine alone"))
			return
		}
		var handler http.Handler
		switch name := c.r.PathValue("name"); name {
		case "":
			handler = http.HandlerFunc(pprof.Index)
		case "profile":
			handler = http.HandlerFunc(pprof.Profile)
		case "trace":
			handler = http.HandlerFunc(pprof.Trace)
		default: // cmdline is none of them: the command line may hold secrets
			if runtimepprof.Lookup(name) == nil {
				c.fail(newProblem(kindNotFound, "no profile has this name; /debug/pprof/ lists them"))
				return
			}
			handler = pprof.Handler(name)
		}
		handler.ServeHTTP(&c.w, c.r)
	})
}
