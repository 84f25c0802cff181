package telemetry

import (
	"io"
	"log/slog"
)

// NewLogger writes JSON lines of the level and above.
func NewLogger(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}
