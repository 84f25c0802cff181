package bundle

import (
	"fmt"
	"time"
)

// versionTime is the form of the time in a version.
const versionTime = "20060102T150405Z"

// CheckVersion reports whether s has the form of a version, as
// "20261122T181500Z-4f2a": the time in UTC to the second, and four hexadecimal
// digits of the content. Versions sort by time.
func CheckVersion(s string) error {
	_, err := parseVersion(s)
	return err
}

// parseVersion returns the time in a version.
func parseVersion(s string) (time.Time, error) {
	fault := fmt.Errorf("version %q: want a name like 20261122T181500Z-4f2a", short(s))
	if len(s) != len(versionTime)+5 || s[len(versionTime)] != '-' {
		return time.Time{}, fault
	}
	for _, c := range []byte(s[len(versionTime)+1:]) {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return time.Time{}, fault
		}
	}
	t, err := time.Parse(versionTime, s[:len(versionTime)])
	if err != nil || t.Format(versionTime) != s[:len(versionTime)] {
		return time.Time{}, fault
	}
	return t, nil
}

// version names a bundle by its time and the hash of its content.
func version(t time.Time, content string) string {
	return t.UTC().Format(versionTime) + "-" + content[:4]
}

// short cuts a foreign text for an error.
func short(s string) string {
	if len(s) > 64 {
		return s[:64] + "..."
	}
	return s
}
