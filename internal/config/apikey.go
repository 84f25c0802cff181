package config

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Scopes of an API key. Who may administer may read.
const (
	ScopeRead  = "read"
	ScopeAdmin = "admin"
)

// An APIKey lets its holder in; only a hash of the key is kept.
type APIKey struct {
	Name  string
	Scope string
	Hash  [sha256.Size]byte
}

// keyName is what a key may be called; the name stands in the access log.
var keyName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// ParseAPIKeys reads lines name:scope:sha256hex; empty lines and lines that
// begin with # are skipped. The error names the line, never its text.
func ParseAPIKeys(text string) ([]APIKey, error) {
	var keys []APIKey
	names := map[string]bool{}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.Split(line, ":")
		if len(parts) != 3 {
			return nil, fmt.Errorf("line %d: want name:scope:sha256hex", i+1)
		}
		k := APIKey{Name: parts[0], Scope: parts[1]}
		hash, err := hex.DecodeString(parts[2])
		switch {
		case !keyName.MatchString(k.Name):
			return nil, fmt.Errorf("line %d: want a name of letters, digits, dots, hyphens and underscores, at most 64", i+1)
		case names[k.Name]:
			return nil, fmt.Errorf("line %d: the name is given twice", i+1)
		case k.Scope != ScopeRead && k.Scope != ScopeAdmin:
			return nil, fmt.Errorf("line %d: want scope %s or %s", i+1, ScopeRead, ScopeAdmin)
		case err != nil || len(hash) != sha256.Size:
			return nil, fmt.Errorf("line %d: want 64 hexadecimal digits at the end", i+1)
		}
		copy(k.Hash[:], hash)
		names[k.Name] = true
		keys = append(keys, k)
	}
	return keys, nil
}

// NewAPIKey makes a key of 256 random bits. Show key once; line goes into
// API_KEYS.
func NewAPIKey(name, scope string) (key, line string, err error) {
	if !keyName.MatchString(name) {
		return "", "", errors.New("want a name of letters, digits, dots, hyphens and underscores, at most 64")
	}
	if scope != ScopeRead && scope != ScopeAdmin {
		return "", "", fmt.Errorf("want scope %s or %s, got %q", ScopeRead, ScopeAdmin, scope)
	}
	var b [32]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", "", fmt.Errorf("random bits: %w", err)
	}
	key = "pppq_" + base64.RawURLEncoding.EncodeToString(b[:])
	hash := sha256.Sum256([]byte(key))
	return key, name + ":" + scope + ":" + hex.EncodeToString(hash[:]), nil
}
