#!/usr/bin/env bash
# Runs every fuzz target for a time, one after the other, and ends at the first that finds something.
#
#   scripts/fuzz.sh [TIME] [PACKAGES]       TIME as 10s (default) or 5m; PACKAGES as ./... (default)
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-10s}
packages=${2:-./...}
go=${GO:-go}

found=0
for package in $($go list "$packages"); do
	dir=$($go list -f '{{.Dir}}' "$package")
	targets=$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$dir"/*_test.go 2>/dev/null || true)
	for target in $targets; do
		found=$((found + 1))
		echo "fuzz $package $target for $time"
		$go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package"
	done
done
if [ "$found" -eq 0 ]; then
	echo "no fuzz target in $packages" >&2
	exit 1
fi
echo "fuzz: $found targets, $time each, nothing found"
