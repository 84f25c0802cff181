package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// fromCache answers from the model's cache if it can, and else notes where the
// answer may be kept. It comes after keys and limits, so that it lets nobody in.
func (c *call) fromCache() bool {
	if c.model == nil || c.model.cache == nil || c.body.Len() > cacheKey/2 {
		return false
	}
	key := append(c.cacheKey[:0], c.route.index)
	if c.route.body > 0 {
		// The type of the body is exact, or the request does not get here.
		key = append(key, c.body.Bytes()...)
	} else {
		key = append(key, c.r.URL.RequestURI()...)
	}
	c.cacheKey = key
	a := c.model.cache.get(key)
	if a == nil || a.month != c.month() {
		c.h.cacheMiss.Inc()
		if !c.model.cache.again(key) {
			c.cacheKey = key[:0]
		}
		return false
	}
	c.h.cacheHit.Inc()
	c.hit = true
	if a.count != nil {
		for class, rest := "", a.class; rest != ""; { // several of a comparison
			class, rest, _ = strings.Cut(rest, " ")
			a.count.Observe(class, 0)
		}
	}
	header := c.w.Header()
	header["Content-Type"] = headerJSON
	if a.etag != nil {
		header["Etag"], header["Cache-Control"] = a.etag, a.control
		if matches(c.r.Header["If-None-Match"], a.etag[0]) {
			c.send(http.StatusNotModified, nil)
			return true
		}
	}
	header["Content-Length"] = a.length
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(a.body) // a caller that went away is the only error
	return true
}

// month numbers the calendar month of the request.
func (c *call) month() int {
	y, m, _ := c.start.UTC().Date()
	return y*12 + int(m)
}

// keepAnswer puts the encoded answer into the model's cache.
func (c *call) keepAnswer() {
	a := c.keep
	a.body = slices.Clone(c.out.Bytes())
	a.length = []string{strconv.Itoa(len(a.body))}
	a.month = c.month()
	if tag := c.w.Header()["Etag"]; tag != nil {
		a.etag, a.control = tag, c.w.Header()["Cache-Control"]
	}
	c.model.cache.put(string(c.cacheKey), &a)
}

// matches reports whether a list of entity tags holds tag, by weak comparison, or
// is * for any. A tag may hold commas and stars; what is no tag ends its line.
func matches(header []string, tag string) bool {
	opaque := strings.TrimPrefix(tag, "W/")
	for _, line := range header {
		if strings.TrimSpace(line) == "*" {
			return true
		}
		for {
			line = strings.TrimPrefix(strings.TrimLeft(line, " \t,"), "W/")
			if line == "" || line[0] != '"' {
				break
			}
			end := strings.IndexByte(line[1:], '"') + 2
			if end < 2 {
				break
			}
			if line[:end] == opaque {
				return true
			}
			line = line[end:]
		}
	}
	return false
}
