package api

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// maxLogged is how many bytes of a foreign text a log line shows.
const maxLogged = 256

// logAccess appends the line of a request: no body, no query, no key.
func (c *call) logAccess(took time.Duration) {
	sink := c.h.options.AccessLog
	status := c.w.status
	if sink == nil || c.route.quiet && status < 400 {
		return
	}
	level := slog.LevelInfo
	if status >= 500 {
		level = slog.LevelError
	}
	if !c.h.options.Log.Enabled(c.r.Context(), level) {
		return
	}
	b := append(c.line[:0], `{"time":"`...)
	b = c.start.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = append(b, `","level":"`...)
	b = append(b, level.String()...)
	b = append(b, `","msg":"request","id":"`...)
	b = append(b, c.id[:c.idLen]...)
	b = append(b, `","method":`...)
	b = appendText(b, c.r.Method)
	b = append(b, `,"route":`...)
	b = appendText(b, c.route.template)
	b = append(b, `,"path":`...)
	b = appendText(b, c.r.URL.Path)
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, `,"seconds":`...)
	b = strconv.AppendFloat(b, took.Seconds(), 'f', 6, 64)
	b = append(b, `,"request_bytes":`...)
	b = strconv.AppendInt(b, c.requestBytes(), 10)
	b = append(b, `,"bytes":`...)
	b = strconv.AppendInt(b, c.w.sent, 10)
	b = append(b, `,"address":"`...)
	if c.addr.IsValid() {
		b = c.addr.AppendTo(b)
	}
	b = append(b, '"')
	if c.key != "" {
		b = append(b, `,"key":`...)
		b = appendText(b, c.key)
	}
	if c.hit {
		b = append(b, `,"cache":"hit"`...)
	}
	b = append(b, "}\n"...)
	sink.Append(b)
	c.line = b
}

// appendText appends a JSON string, cut if it is long; what is not UTF-8 is
// replaced.
func appendText(b []byte, s string) []byte {
	if len(s) > maxLogged {
		s = s[:maxLogged]
	}
	plain := true
	for i := range len(s) {
		plain = plain && s[i] >= ' ' && s[i] < 0x7f && s[i] != '"' && s[i] != '\\'
	}
	if plain {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	// The error only reports invalid UTF-8, which is replaced all the same.
	b, _ = jsontext.AppendQuote(b, s)
	return b
}
