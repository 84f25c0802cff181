// Package telemetry holds what the service says about itself: Prometheus
// metrics (Metrics), and log lines that are collected in memory and written in
// the background (Sink, NewLogger), so that no request waits for an output.
package telemetry
