// Package api answers forecasts over HTTP.
//
// NewHandler makes the handler, Serve runs it with limits, deadlines and a calm
// end. Every operation is typed: its input and output structs give the OpenAPI
// document, and requests are checked against that same document (shape.go)
// before a handler sees them. A request reads one immutable Model that is held
// by an atomic pointer; nothing on its path touches the network or a disk.
//
// The way of a request: call.go (one call, from pool to log line), guard.go (what
// comes before routing), route.go (key, rate, body, cache, place at work), then
// the operation, one file a subject. problem.go is the one table from errors to
// answers.
package api
