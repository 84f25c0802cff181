package web

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var colour = regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{3,6});`)

// schemes reads the colours of the light and of the dark scheme.
func schemes(t *testing.T) (light, dark map[string]string) {
	t.Helper()
	head, rest, ok := strings.Cut(styleSheet, "@media screen and (prefers-color-scheme: dark)")
	if !ok {
		t.Fatal("the style sheet has no dark scheme")
	}
	read := func(css string) map[string]string {
		out := map[string]string{}
		for _, m := range colour.FindAllStringSubmatch(css, -1) {
			out[m[1]] = m[2]
		}
		return out
	}
	rest, _, _ = strings.Cut(rest, "* { box-sizing")
	return read(head), read(rest)
}

// luminance is the relative luminance of a colour "rrggbb".
//
// Source: W3C, Web Content Accessibility Guidelines 2.2, "relative luminance".
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	v, err := strconv.ParseUint(hex, 16, 32)
	if err != nil || len(hex) != 6 {
		t.Fatalf("colour %q", hex)
	}
	channel := func(c uint64) float64 {
		s := float64(c&0xff) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(v>>16) + 0.7152*channel(v>>8) + 0.0722*channel(v)
}

// TestContrast holds text to a contrast of 4.5 and marks to one of 3, the
// levels of WCAG 2.2 AA, in both schemes.
func TestContrast(t *testing.T) {
	t.Parallel()
	light, dark := schemes(t)
	if len(light) != len(dark) || len(light) < 20 {
		t.Errorf("%d colours in the light scheme, %d in the dark one", len(light), len(dark))
	}
	for name, scheme := range map[string]map[string]string{"light": light, "dark": dark} {
		check := func(least float64, front string, backs ...string) {
			for _, back := range backs {
				a, b := luminance(t, scheme[front]), luminance(t, scheme[back])
				if c := (max(a, b) + 0.05) / (min(a, b) + 0.05); c < least {
					t.Errorf("%s: %s on %s has a contrast of %.2f, want %.1f", name, front, back, c, least)
				}
			}
		}
		check(4.5, "ink", "paper", "panel", "a-tint", "b-tint", "c-tint", "d-tint", "none-tint", "warn")
		check(4.5, "quiet", "paper", "panel")
		check(4.5, "accent", "paper", "panel")
		check(4.5, "panel", "a", "d")
		check(3, "served", "panel")
		check(3, "core", "panel")
		check(3, "other", "panel")
		check(3, "lost", "panel")
		scheme["bar-ink"] = "1b1f24"
		check(4.5, "bar-ink", "b", "c")
	}
}
