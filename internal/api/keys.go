package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/pppq/pppq/internal/config"
)

// credential is the key that a request carries, "" if none.
func credential(h http.Header) string {
	if v := h.Get("Authorization"); v != "" {
		scheme, key, _ := strings.Cut(v, " ")
		if strings.EqualFold(scheme, "Bearer") {
			return strings.TrimSpace(key)
		}
		// Another scheme is between others, as a proxy that asks for a password.
	}
	return h.Get("X-Api-Key")
}

// findKey returns the key whose hash is that of given, nil if there is none.
// Every hash is compared in full: the time says nothing about how near a guess
// was.
func findKey(keys []config.APIKey, given string) *config.APIKey {
	hash := sha256.Sum256([]byte(given))
	found := -1
	for i := range keys {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], keys[i].Hash[:]), i, found)
	}
	if found < 0 {
		return nil
	}
	return &keys[found]
}
